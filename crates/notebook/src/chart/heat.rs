//! Heat maps: a value per day as a calendar, or per row and column as a matrix.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use nines_timeline::State;

use super::columns::{Kind, Rows, Runs};
use super::{Chart, ChartSpec, lines, names};
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
}

pub(super) fn read(spec: &ChartSpec, units: &Units, rows: Rows<'_>) -> Result<Chart, String> {
    let y = match spec.y.as_slice() {
        [name] => rows.find("y", name, &[Kind::Number, Kind::Timeline])?,
        [] => {
            let x = spec.x.as_ref().and_then(|name| rows.schema.fields().iter().position(|f| f.name() == name));
            let taken: Vec<usize> = x.into_iter().collect();
            let found = rows.first(&[Kind::Timeline], &taken).or_else(|| rows.first(&[Kind::Number], &taken));
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
        let mut cells = BTreeMap::new();
        for (row, timeline) in rows.timelines(y).into_iter().enumerate() {
            let label = labels.as_ref().map_or("", |labels| labels[row].as_str());
            for (day, minutes) in timeline.iter().flat_map(|timeline| by_day(timeline, rows.zone)) {
                add(&mut cells, label, day, minutes);
            }
        }
        let order = labels.map(|labels| unique(labels.into_iter()));
        return Ok(days(cells, order, unit));
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
        let mut cells = BTreeMap::new();
        for (row, at) in rows.instants(x).into_iter().enumerate() {
            let Some(day) = at.and_then(|at| day(at, rows.zone)) else { continue };
            let label = labels.as_ref().map_or("", |labels| labels[row].as_str());
            add(&mut cells, label, day, values[row]);
        }
        return Ok(days(cells, labels.map(|labels| unique(labels.into_iter())), unit));
    }
    let Some(labels) = labels else {
        return Err(format!(
            "column x={} holds no days, so the rows of the heat map need a column series=; {}",
            rows.name(x),
            rows.told()
        ));
    };
    let xs = rows.labels(x);
    let (columns, names) = (unique(xs.iter().cloned()), unique(labels.iter().cloned()));
    let place = |all: &[String]| -> std::collections::HashMap<String, usize> {
        all.iter().cloned().enumerate().map(|(at, name)| (name, at)).collect()
    };
    let (column_at, row_at) = (place(&columns), place(&names));
    let mut cells = vec![vec![None; columns.len()]; names.len()];
    for (row, value) in values.iter().enumerate() {
        let cell: &mut Option<f64> = &mut cells[row_at[&labels[row]]][column_at[&xs[row]]];
        if let Some(value) = value {
            *cell = Some(cell.unwrap_or(0.0) + value);
        }
    }
    let steps = steps(cells.iter().flatten().flatten().copied(), &unit);
    Ok(Chart::Matrix(Matrix { rows: names, columns, daily: false, cells, steps, unit }))
}

type Cells = BTreeMap<(String, NaiveDate), Option<f64>>;

/// Several rows of a day add up; NULLs alone are no data.
fn add(cells: &mut Cells, label: &str, day: NaiveDate, value: Option<f64>) {
    let cell = cells.entry((label.to_string(), day)).or_insert(None);
    if let Some(value) = value {
        *cell = Some(cell.unwrap_or(0.0) + value);
    }
}

fn unique(labels: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    labels.filter(|label| seen.insert(label.clone())).collect()
}

fn day(micros: i64, zone: Tz) -> Option<NaiveDate> {
    Some(moment::local(micros, zone)?.date_naive())
}

/// Minutes in error of each day of a timeline; `None` where nothing was measured.
fn by_day(timeline: &Runs, zone: Tz) -> Vec<(NaiveDate, Option<f64>)> {
    let mut days = Vec::new();
    let Some(mut date) = day(timeline.from, zone) else { return days };
    let mut first = 0;
    while let Some(next) = date.succ_opt() {
        let midnight = |date: NaiveDate| moment::instant(date.and_time(NaiveTime::MIN), zone);
        let (Some(begin), Some(end)) = (midnight(date), midnight(next)) else { break };
        let (begin, end) = (begin.max(timeline.from), end.min(timeline.to));
        if begin >= end {
            break;
        }
        // Runs are in order, and those of states do not overlap.
        first += timeline.runs[first..].iter().take_while(|run| run.end <= begin).count();
        let runs = || timeline.runs[first..].iter().take_while(|run| run.start < end);
        let within = |state: State| -> i64 {
            let runs = runs().filter(|run| run.state == state);
            runs.map(|run| run.end.min(end) - run.start.max(begin)).sum()
        };
        let measured = end - begin - within(State::NoData) - within(State::Excluded);
        days.push((date, (measured > 0).then(|| within(State::Error) as f64 / 6e7)));
        date = next;
    }
    days
}

/// The longest time that cells are made for, day by day.
const LONGEST: i64 = 366 * 30;

fn days(cells: Cells, order: Option<Vec<String>>, unit: Unit) -> Chart {
    let steps = steps(cells.values().flatten().copied(), &unit);
    let Some(order) = order else {
        let days = cells.into_iter().map(|((_, day), value)| (day, value)).collect();
        return Chart::Calendar(Calendar { days, steps, unit });
    };
    let dates = || cells.keys().map(|(_, day)| *day);
    let mut columns = Vec::new();
    if let (Some(first), Some(last)) = (dates().min(), dates().max())
        && (last - first).num_days() < LONGEST
    {
        columns = first.iter_days().take_while(|day| *day <= last).collect();
    }
    let of = |label: &String| columns.iter().map(|day| cells.get(&(label.clone(), *day)).copied().flatten()).collect();
    let cells = order.iter().map(of).collect();
    let columns = columns.iter().map(ToString::to_string).collect();
    Chart::Matrix(Matrix { rows: order, columns, daily: true, cells, steps, unit })
}

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
pub(crate) fn shade(value: f64, steps: &[f64]) -> usize {
    if value <= 0.0 { 0 } else { 1 + steps.iter().filter(|step| value >= **step).count() }
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
        let days = by_day(&timeline, Tz::Asia__Shanghai);
        let date = |day| NaiveDate::from_ymd_opt(2026, 10, 31).unwrap() + chrono::TimeDelta::days(day);
        assert_eq!(days, [(date(0), Some(60.0)), (date(1), Some(120.0)), (date(2), None)]);
    }

    #[test]
    fn every_value_above_zero_is_shaded() {
        let steps = steps([1.0, 1.0, 2.0, 3.0, 7.0, 30.0, 240.0].into_iter(), &Unit::None);
        assert_eq!(steps, [2.0, 5.0, 20.0]);
        let shades: Vec<usize> = [0.0, 0.1, 1.0, 2.0, 7.0, 240.0].iter().map(|v| shade(*v, &steps)).collect();
        assert_eq!(shades, [0, 1, 1, 2, 3, 4]);
    }
}
