//! Heat maps: a value per day as a calendar, or per row and column as a matrix.

use std::collections::{BTreeMap, HashMap};

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use nines_timeline::{Interval, State};

use super::lines;
use super::rows::Rows;
use super::spec::ChartSpec;
use crate::columns::{Kind, Runs, united};
use crate::format::names;
use crate::moment;
use crate::unit::{Unit, Units};

/// Values by day.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// What each day holds; days that are missing have no data.
    pub days: BTreeMap<NaiveDate, Option<f64>>,
    /// From which value on each shade but the first is used; the first is for zero.
    pub steps: Vec<f64>,
    /// The measure of values.
    pub unit: Unit,
}

/// Values by row and column.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// The rows' labels.
    pub rows: Vec<String>,
    /// The columns' labels.
    pub columns: Vec<String>,
    /// Whether columns are days, without any left out.
    pub daily: bool,
    /// Values, row by row.
    pub cells: Vec<Vec<Option<f64>>>,
    /// As of [`Calendar`].
    pub steps: Vec<f64>,
    /// The measure of values.
    pub unit: Unit,
    /// How many rows and columns there are beyond those that are drawn.
    pub left_out: (usize, usize),
}

/// A heat map.
pub(super) enum Heat {
    /// One row of cells per week.
    Calendar(Calendar),
    /// One row of cells per value of a series.
    Matrix(Matrix),
}

/// More rows, or columns that are no days, are no chart any more.
const MOST_ROWS: usize = 200;
const MOST_COLUMNS: usize = 1000;

pub(super) fn read(spec: &ChartSpec, units: &Units, rows: Rows<'_>) -> Result<Heat, String> {
    let y = match spec.y.as_slice() {
        [name] => rows.find("y", name, &[Kind::Number, Kind::Timeline])?,
        [] => {
            let x = spec.x.as_ref().and_then(|name| rows.schema.fields().iter().position(|f| f.name() == name));
            let taken: Vec<usize> = x.into_iter().collect();
            let first = rows.first(&[Kind::Number], &taken);
            let found = rows.first(&[Kind::Timeline], &taken).or(first);
            let second = first.and_then(|first| rows.first(&[Kind::Number], &[taken.as_slice(), &[first]].concat()));
            if let (Some(one), Some(other)) = (found.filter(|_| found == first), second) {
                let (one, other) = (rows.name(one), rows.name(other));
                return Err(format!(
                    "both {one} and {other} hold numbers; name the values with y=, and rows with series="
                ));
            }
            found.ok_or_else(|| format!("no column holds numbers or timelines; {}", rows.told()))?
        }
        _ => return Err("chart=heatmap takes one column y=".to_string()),
    };
    let timeline = rows.kind(y) == Kind::Timeline;
    let unit = match units.of(rows.name(y), true) {
        Unit::None if timeline => Unit::Duration(60.0),
        unit => unit,
    };
    if timeline {
        let series = lines::series_column(spec, rows, &[])?;
        let labels = series.map(|series| rows.labels(series));
        let mut days = ByDay::new(labels);
        let mut spans: Vec<Vec<Runs>> = vec![Vec::new(); days.days.len()];
        for (row, timeline) in rows.timelines(y).into_iter().enumerate() {
            if let (Some(at), Some(timeline)) = (days.place(row), timeline) {
                spans[at].push(timeline);
            }
        }
        for (cells, spans) in days.days.iter_mut().zip(&spans) {
            cells.extend(by_day(spans, rows.zone));
        }
        return Ok(days.heat(unit));
    }
    let x = match &spec.x {
        Some(name) => rows.find("x", name, &[])?,
        None => rows
            .first(&[Kind::Time], &[y])
            .ok_or_else(|| format!("no column holds days to draw along; name one with x=; {}", rows.told()))?,
    };
    let series = lines::series_column(spec, rows, &[x, y])?;
    let labels = series.map(|series| rows.labels(series));
    let values = rows.numbers(y);
    if rows.kind(x) == Kind::Time {
        let mut days = ByDay::new(labels);
        for (row, at) in rows.instants(x).into_iter().enumerate() {
            let day = at.and_then(|at| day(at, rows.zone));
            if let (Some(day), Some(cells)) = (day, days.of_row(row)) {
                add(cells, day, values[row]);
            }
        }
        return Ok(days.heat(unit));
    }
    let Some(labels) = labels else {
        return Err(format!(
            "column x={} holds no days, so the rows of the heat map need a column series=; {}",
            rows.name(x),
            rows.told()
        ));
    };
    let of_columns = rows.labels(x);
    let (rows, row_of, more_rows) = distinct(labels, MOST_ROWS);
    let (columns, column_of, more_columns) = distinct(of_columns, MOST_COLUMNS);
    let mut cells = vec![vec![None; columns.len()]; rows.len()];
    for (at, value) in values.iter().enumerate() {
        let (Some(row), Some(column), Some(value)) = (row_of[at], column_of[at], value) else { continue };
        let cell: &mut Option<f64> = &mut cells[row][column];
        *cell = Some(cell.unwrap_or(0.0) + value);
    }
    let steps = steps(cells.iter().flatten().flatten().copied(), &unit);
    Ok(Heat::Matrix(Matrix { rows, columns, daily: false, cells, steps, unit, left_out: (more_rows, more_columns) }))
}

/// Different labels in the order in which they come, at most so many; which of them each row has, and how many are left out.
fn distinct(labels: Vec<String>, most: usize) -> (Vec<String>, Vec<Option<usize>>, usize) {
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::new();
    let mut place = |label: String| {
        let next = known.len();
        let at = *known.entry(label).or_insert_with_key(|label| {
            names.extend((next < most).then(|| label.clone()));
            next
        });
        (at < most).then_some(at)
    };
    let places = labels.into_iter().map(&mut place).collect();
    let more = known.len() - names.len();
    (names, places, more)
}

type Days = BTreeMap<NaiveDate, Option<f64>>;

/// Several rows of a day add up; NULLs alone are no data.
fn add(days: &mut Days, day: NaiveDate, value: Option<f64>) {
    let cell = days.entry(day).or_insert(None);
    if let Some(value) = value {
        *cell = Some(cell.unwrap_or(0.0) + value);
    }
}

/// Days of each label, or of all rows where there are no labels.
struct ByDay {
    labels: Option<(Vec<String>, Vec<Option<usize>>, usize)>,
    days: Vec<Days>,
}

impl ByDay {
    fn new(labels: Option<Vec<String>>) -> Self {
        let labels = labels.map(|labels| distinct(labels, MOST_ROWS));
        let days = vec![Days::new(); labels.as_ref().map_or(1, |(names, ..)| names.len())];
        ByDay { labels, days }
    }

    /// Where the days of a row are.
    fn place(&self, row: usize) -> Option<usize> {
        self.labels.as_ref().map_or(Some(0), |(_, places, _)| places[row])
    }

    fn of_row(&mut self, row: usize) -> Option<&mut Days> {
        let at = self.place(row)?;
        self.days.get_mut(at)
    }

    fn heat(mut self, unit: Unit) -> Heat {
        let steps = steps(self.days.iter().flat_map(|days| days.values()).flatten().copied(), &unit);
        let Some((rows, _, more)) = self.labels else {
            return Heat::Calendar(Calendar { days: self.days.pop().unwrap_or_default(), steps, unit });
        };
        let ends = self.days.iter().flat_map(|days| [days.keys().next(), days.keys().next_back()]).flatten();
        let mut columns = Vec::new();
        if let (Some(first), Some(last)) = (ends.clone().min(), ends.max())
            && (*last - *first).num_days() < LONGEST
        {
            columns = first.iter_days().take_while(|day| day <= last).collect();
        }
        let of = |days: &Days| columns.iter().map(|day| days.get(day).copied().flatten()).collect();
        let cells = self.days.iter().map(of).collect();
        let columns = columns.iter().map(ToString::to_string).collect();
        Heat::Matrix(Matrix { rows, columns, daily: true, cells, steps, unit, left_out: (more, 0) })
    }
}

fn day(micros: i64, zone: Tz) -> Option<NaiveDate> {
    Some(moment::local(micros, zone)?.date_naive())
}

/// Minutes in error of each day of timelines together, a minute that several lost counted once; `None` where nothing was measured.
fn by_day(spans: &[Runs], zone: Tz) -> Vec<(NaiveDate, Option<f64>)> {
    let mut days = Vec::new();
    let (from, to) = (spans.iter().map(|span| span.from).min(), spans.iter().map(|span| span.to).max());
    let Some((from, to)) = from.zip(to) else { return days };
    let Some(mut date) = day(from, zone) else { return days };
    let mut states = [State::Error, State::Ok].map(|state| Within { intervals: united(spans, state), first: 0 });
    while let Some(next) = date.succ_opt() {
        let midnight = |date: NaiveDate| moment::instant(date.and_time(NaiveTime::MIN), zone);
        let (Some(begin), Some(end)) = (midnight(date), midnight(next)) else { break };
        let (begin, end) = (begin.max(from), end.min(to));
        if begin >= end {
            break;
        }
        let [error, ok] = [0, 1].map(|at: usize| states[at].micros(begin, end));
        days.push((date, (error + ok > 0).then_some(error as f64 / 6e7)));
        date = next;
    }
    days
}

/// Intervals in order, asked about ranges in order.
struct Within {
    intervals: Vec<Interval>,
    first: usize,
}

impl Within {
    fn micros(&mut self, begin: i64, end: i64) -> i64 {
        self.first += self.intervals[self.first..].iter().take_while(|interval| interval.end <= begin).count();
        let touching = self.intervals[self.first..].iter().take_while(|interval| interval.start < end);
        touching.map(|interval| interval.end.min(end) - interval.start.max(begin)).sum()
    }
}

/// The longest time that cells are made for, day by day.
const LONGEST: i64 = 366 * 30;

/// Up to four round bounds between the shades, about equally many values in each: outages are rare and long, so even steps
/// would leave all days but the worst one pale.
fn steps(values: impl Iterator<Item = f64>, unit: &Unit) -> Vec<f64> {
    let mut values: Vec<f64> = values.filter(|value| *value > 0.0).collect();
    values.sort_by(f64::total_cmp);
    let mut steps: Vec<f64> = Vec::new();
    for part in 1..=4 {
        let Some(value) = values.get(values.len() * part / 5) else { break };
        let step = super::scale::round_down(*value, unit);
        if steps.last().is_none_or(|last| step > *last) && step > values[0] {
            steps.push(step);
        }
    }
    steps
}

/// How dark a value is: 0 for zero and less, then 1 to 5.
fn shade(value: f64, steps: &[f64]) -> usize {
    if value <= 0.0 { 0 } else { 1 + steps.iter().filter(|step| value >= **step).count() }
}

/// The darkest shade.
pub(crate) const DARKEST: usize = 5;

/// The shade that is drawn: the greatest values are dark however few steps there are.
pub(crate) fn tone(value: f64, steps: &[f64]) -> usize {
    match shade(value, steps) {
        0 => 0,
        shade => shade + DARKEST - 1 - steps.len(),
    }
}

impl Calendar {
    pub(super) fn summary(&self) -> String {
        let values = self.days.values().flatten();
        let (days, total) = (values.clone().filter(|value| **value > 0.0).count(), values.sum::<f64>());
        format!(
            "Calendar of {} days, {days} of them above zero, {} in all",
            self.days.len(),
            crate::format::number(total, &self.unit)
        )
    }
}

impl Matrix {
    pub(super) fn summary(&self) -> String {
        format!("Heat map of {} by {} columns", names(self.rows.iter().map(String::as_str)), self.columns.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nines_timeline::Run;

    #[test]
    fn minutes_in_error_are_counted_by_local_day() {
        let hour = 3_600_000_000;
        // 2026-10-31T16:00Z is midnight in Shanghai.
        let midnight = 1_793_462_400_000_000;
        let runs = vec![
            Run { start: midnight - hour, end: midnight + 2 * hour, state: State::Error },
            Run { start: midnight + 24 * hour, end: midnight + 48 * hour, state: State::NoData },
        ];
        let timeline = Runs { from: midnight - 24 * hour, to: midnight + 48 * hour, runs };
        // Another lost the last hour of the first day, too, and was measured on the last.
        let runs = vec![
            Run { start: midnight - hour, end: midnight, state: State::Error },
            Run { start: midnight + 24 * hour, end: midnight + 47 * hour, state: State::NoData },
        ];
        let other = Runs { from: midnight - 24 * hour, to: midnight + 48 * hour, runs };
        let both = by_day(&[timeline.clone(), other], Tz::Asia__Shanghai);
        let days = by_day(&[timeline], Tz::Asia__Shanghai);
        let date = |day| NaiveDate::from_ymd_opt(2026, 10, 31).unwrap() + chrono::TimeDelta::days(day);
        assert_eq!(days, [(date(0), Some(60.0)), (date(1), Some(120.0)), (date(2), None)]);
        assert_eq!(both, [(date(0), Some(60.0)), (date(1), Some(120.0)), (date(2), Some(0.0))]);
    }

    #[test]
    fn every_value_above_zero_is_shaded() {
        let steps = steps([1.0, 1.0, 2.0, 3.0, 7.0, 30.0, 240.0].into_iter(), &Unit::None);
        assert_eq!(steps, [2.0, 5.0, 20.0]);
        let shades: Vec<usize> = [0.0, 0.1, 1.0, 2.0, 7.0, 240.0].iter().map(|v| shade(*v, &steps)).collect();
        assert_eq!(shades, [0, 1, 1, 2, 3, 4]);
        assert_eq!([0.0, 1.0, 240.0].map(|value| tone(value, &steps)), [0, 2, DARKEST]);
        assert_eq!(tone(60.0, &[]), DARKEST, "the only value there is");
    }

    #[test]
    fn a_matrix_has_an_end() {
        use nines_engine::datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
        use std::sync::Arc;
        let names = |letter: &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values((0..20_000).map(|row| format!("{letter}{row}"))))
        };
        let values: ArrayRef = Arc::new(Float64Array::from_iter_values((0..20_000).map(f64::from)));
        let batch = RecordBatch::try_from_iter([("a", names("a")), ("b", names("b")), ("n", values)]).unwrap();
        let spec = ChartSpec { x: Some("a".into()), series: Some("b".into()), ..ChartSpec::default() };
        let rows = Rows { schema: &batch.schema(), batches: &[batch], zone: Tz::UTC };
        let Ok(Heat::Matrix(matrix)) = read(&spec, &Units::default(), rows) else { panic!("no matrix") };
        assert_eq!((matrix.rows.len(), matrix.columns.len()), (MOST_ROWS, MOST_COLUMNS));
        assert_eq!(matrix.left_out, (20_000 - MOST_ROWS, 20_000 - MOST_COLUMNS));
        assert_eq!(matrix.cells[199][199], Some(199.0));
    }
}
