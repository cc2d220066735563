//! Lines over time or over a number, and bars along time.

use std::collections::{BTreeMap, HashMap};

use chrono_tz::Tz;

use super::rows::Rows;
use super::spec::ChartSpec;
use crate::columns::Kind;
use crate::format::{self, names};
use crate::unit::{Unit, Units};

/// The data of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// The lines, in the order in which they come.
    pub series: Vec<Series>,
    /// What values are drawn as.
    pub marks: Marks,
    /// Whether x are instants in µs.
    pub time: bool,
    /// A rule across.
    pub target: Option<f64>,
    /// The measure of values.
    pub unit: Unit,
    /// Where days begin.
    pub zone: Tz,
    /// How many series there are beyond those that are drawn.
    pub left_out: usize,
}

/// What values are drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// A line.
    Line,
    /// Bars side by side.
    Bars,
    /// Bars on top of each other.
    Stack,
}

/// A line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name.
    pub name: String,
    /// x and value, by x; `None` is a gap.
    pub points: Vec<(f64, Option<f64>)>,
}

/// No more lines can be told apart.
const MOST: usize = 16;

pub(super) fn read(spec: &ChartSpec, units: &Units, rows: Rows<'_>, marks: Marks) -> Result<Lines, String> {
    let x = match &spec.x {
        Some(name) => rows.find("x", name, &[Kind::Time, Kind::Number])?,
        None => rows
            .first(&[Kind::Time], &[])
            .or_else(|| rows.first(&[Kind::Number], &[]))
            .ok_or_else(|| format!("no column holds times or numbers to draw along; {}", rows.told()))?,
    };
    let series = series_column(spec, rows, &[x])?;
    let y = value_columns(spec, rows, &[x], series)?;
    let time = rows.kind(x) == Kind::Time;
    let xs: Vec<Option<f64>> = match time {
        true => rows.instants(x).into_iter().map(|x| x.map(|x| x as f64)).collect(),
        false => rows.numbers(x),
    };
    let mut found = split(rows, series, &y, |row| xs[row]);
    for series in &mut found {
        series.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if time && marks == Marks::Line {
            series.part();
        }
    }
    let left_out = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    let unit = units.of(rows.name(y[0]), true);
    Ok(Lines { series: found, marks, time, target: spec.target, unit, zone: rows.zone, left_out })
}

/// The column that tells series apart: the one that is named, else the first text.
pub(super) fn series_column(spec: &ChartSpec, rows: Rows<'_>, taken: &[usize]) -> Result<Option<usize>, String> {
    match &spec.series {
        Some(name) => rows.find("series", name, &[]).map(Some),
        None => Ok(rows.first(&[Kind::Text], taken)),
    }
}

/// The columns of values: those that are named, else all numbers that are left.
pub(super) fn value_columns(
    spec: &ChartSpec,
    rows: Rows<'_>,
    taken: &[usize],
    series: Option<usize>,
) -> Result<Vec<usize>, String> {
    if !spec.y.is_empty() {
        return spec.y.iter().map(|name| rows.find("y", name, &[Kind::Number])).collect();
    }
    let free = |at: &usize| !taken.contains(at) && series != Some(*at) && rows.kind(*at) == Kind::Number;
    let found: Vec<usize> = (0..rows.schema.fields().len()).filter(free).collect();
    match found.is_empty() {
        true => Err(format!("no column holds numbers to draw; {}", rows.told())),
        false => Ok(found),
    }
}

/// One series per column of values and value of the series' column; rows without x are left out.
fn split(rows: Rows<'_>, series: Option<usize>, y: &[usize], x: impl Fn(usize) -> Option<f64>) -> Vec<Series> {
    let labels = series.map(|series| rows.labels(series));
    let mut found: Vec<Series> = Vec::new();
    let mut index = HashMap::new();
    for (column, &at) in y.iter().enumerate() {
        for (row, value) in rows.numbers(at).into_iter().enumerate() {
            let Some(x) = x(row) else { continue };
            let label = labels.as_ref().map(|labels| labels[row].as_str());
            let slot = *index.entry((column, label)).or_insert_with(|| {
                let name = match label {
                    Some(label) if y.len() > 1 => format!("{label}, {}", format::printable(rows.name(at))),
                    Some(label) => label.to_string(),
                    None => format::printable(rows.name(at)),
                };
                found.push(Series { name, points: Vec::new() });
                found.len() - 1
            });
            found[slot].points.push((x, value));
        }
    }
    found
}

impl Lines {
    /// The least and the greatest x; a lone point gets room around it.
    pub fn x_range(&self) -> (f64, f64) {
        let xs = self.series.iter().flat_map(|series| [series.points.first(), series.points.last()]);
        let xs: Vec<f64> = xs.flatten().map(|point| point.0).collect();
        let (low, high) = extent(xs.iter().copied()).unwrap_or((0.0, 1.0));
        // A bar stands for the time until the next one.
        let high = if self.marks == Marks::Line { high } else { high + self.step() };
        let room = if self.time { 1.8e9 } else { (low.abs() * 1e-3).max(0.5) };
        if low < high { (low, high) } else { (low - room, high + room) }
    }

    /// The least distance of two x: how wide a bar may be.
    pub fn step(&self) -> f64 {
        let mut xs: Vec<f64> =
            self.series.iter().flat_map(|series| series.points.iter().map(|point| point.0)).collect();
        xs.sort_by(f64::total_cmp);
        let steps = xs.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0);
        steps.min_by(f64::total_cmp).unwrap_or(if self.time { 86_400e6 } else { 1.0 })
    }

    /// The least and the greatest value that must be on the chart.
    pub fn y_range(&self) -> (f64, f64) {
        let values: Vec<f64> = match self.marks {
            Marks::Stack => self.sums(),
            Marks::Line | Marks::Bars => {
                self.series.iter().flat_map(|series| series.points.iter().filter_map(|point| point.1)).collect()
            }
        };
        let zero = (self.marks != Marks::Line).then_some(0.0);
        extent(values.into_iter().chain(self.target).chain(zero)).unwrap_or((0.0, 1.0))
    }

    fn sums(&self) -> Vec<f64> {
        let mut sums = HashMap::<u64, (f64, f64)>::new();
        for (x, y) in self.series.iter().flat_map(|series| &series.points) {
            let sum = sums.entry(x.to_bits()).or_default();
            match y.unwrap_or(0.0) {
                y if y < 0.0 => sum.0 += y,
                y => sum.1 += y,
            }
        }
        sums.into_values().flat_map(|(below, above)| [below, above]).collect()
    }

    /// x for a person.
    pub fn x_text(&self, x: f64) -> String {
        if self.time { format::instant(x as i64, self.zone) } else { format::plain(x) }
    }

    pub(super) fn summary(&self) -> String {
        let what = if self.marks == Marks::Line { "Lines" } else { "Bars" };
        let (low, high) = self.x_range();
        let ys = self.series.iter().flat_map(|series| series.points.iter().filter_map(|point| point.1));
        let values = match extent(ys) {
            Some((low, high)) => {
                format!(", values {} to {}", format::number(low, &self.unit), format::number(high, &self.unit))
            }
            None => String::new(),
        };
        let who = names(self.series.iter().map(|series| series.name.as_str()));
        format!("{what} of {who} from {} to {}{values}", self.x_text(low), self.x_text(high))
    }
}

/// The least and the greatest.
pub(crate) fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |extent: Option<(f64, f64)>, value| match extent {
        Some((low, high)) => Some((low.min(value), high.max(value))),
        None => Some((value, value)),
    })
}

/// So many usual steps without a point are a gap, not a slope, where there are enough points to know what is usual.
const GAP: f64 = 4.0;
const ENOUGH: usize = 6;

impl Series {
    /// Parts the line where rows are missing: a line across would show what nobody measured.
    fn part(&mut self) {
        let mut steps: Vec<f64> = self.points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
        if self.points.len() < ENOUGH {
            return;
        }
        let middle = steps.len() / 2;
        let usual = *steps.select_nth_unstable_by(middle, f64::total_cmp).1;
        let mut points = Vec::with_capacity(self.points.len());
        for &point in &self.points {
            if let Some(&(before, _)) = points.last()
                && point.0 - before > GAP * usual
            {
                points.push((before + usual, None));
            }
            points.push(point);
        }
        self.points = points;
    }

    /// The points that are seen where a chart is so many pixels wide: of each pixel column the first, the least, the greatest
    /// and the last, so that no extreme is lost. Gaps narrower than a pixel close. Each item is a line without gaps.
    pub fn visible(&self, (low, high): (f64, f64), columns: usize) -> Vec<Vec<(f64, f64)>> {
        let mut lines: Vec<Vec<(f64, f64)>> = Vec::new();
        let mut line: Vec<(f64, f64)> = Vec::new();
        let column = |x: f64| ((x - low) / (high - low) * columns as f64) as usize;
        for points in self.points.chunk_by(|a, b| column(a.0) == column(b.0)) {
            let known: Vec<(f64, f64)> = points.iter().filter_map(|(x, y)| Some((*x, (*y)?))).collect();
            let (Some(first), Some(last)) = (points.first(), points.last()) else { continue };
            if first.1.is_none() || known.is_empty() {
                lines.extend((!line.is_empty()).then(|| std::mem::take(&mut line)));
            }
            if known.len() <= 4 {
                line.extend(&known);
            } else {
                let by = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
                let mut kept: Vec<(f64, f64)> =
                    [known.first(), known.iter().min_by(by), known.iter().max_by(by), known.last()]
                        .into_iter()
                        .flatten()
                        .copied()
                        .collect();
                kept.sort_by(|a, b| a.0.total_cmp(&b.0));
                kept.dedup();
                line.extend(kept);
            }
            if last.1.is_none() {
                lines.extend((!line.is_empty()).then(|| std::mem::take(&mut line)));
            }
        }
        lines.extend((!line.is_empty()).then_some(line));
        lines
    }
}

/// x and value.
pub(crate) type Corner = (f64, f64);

/// How bars stand on a chart so many pixels wide.
struct Slots {
    /// Where the first one begins, and how long each is.
    low: f64,
    slot: f64,
    abreast: usize,
    /// Whether several instants share one.
    shared: bool,
}

impl Slots {
    fn new(lines: &Lines, (low, high): (f64, f64), wide: f64) -> Self {
        let abreast = if lines.marks == Marks::Stack { 1 } else { lines.series.len().max(1) };
        let (step, least) = (lines.step(), 2.0 * (high - low) / wide * abreast as f64);
        Slots { low, slot: step.max(least), abreast, shared: least > step }
    }

    fn of(&self, x: f64) -> i64 {
        ((x - self.low) / self.slot + 1e-6).floor() as i64
    }
}

/// Whether bars side by side would be narrower than two pixels. Then lines show them, which lose neither the least nor the
/// greatest value: a bar of several minutes can show but one of them.
pub(crate) fn crowded(lines: &Lines, range: (f64, f64), wide: f64) -> bool {
    lines.marks == Marks::Bars && Slots::new(lines, range, wide).shared
}

/// The bars of each series. Where stacks would be narrower than two pixels, the instant with the greatest sum stands for its
/// neighbours, with all that is stacked then.
pub(crate) fn bars(lines: &Lines, range: (f64, f64), wide: f64) -> Vec<(usize, Corner, Corner)> {
    let slots = Slots::new(lines, range, wide);
    let bar = slots.slot * 0.82 / slots.abreast as f64;
    let highest = if slots.shared { highest(lines, &slots) } else { HashMap::new() };
    let mut out = Vec::new();
    let mut base: HashMap<(i64, bool), f64> = HashMap::new();
    for (n, series) in lines.series.iter().enumerate() {
        for (x, y) in series.points.iter().filter_map(|(x, y)| Some((*x, (*y)?))) {
            let slot = slots.of(x);
            if slots.shared && highest.get(&slot) != Some(&x.to_bits()) {
                continue;
            }
            let begin = if slots.shared { slots.low + slot as f64 * slots.slot } else { x };
            let sum = base.entry((slot, y < 0.0)).or_insert(0.0);
            let from = if lines.marks == Marks::Stack { *sum } else { 0.0 };
            *sum += y;
            let side = if slots.abreast > 1 { n as f64 * bar } else { 0.0 };
            let left = begin + slots.slot * 0.09 + side;
            out.push((n, (left, from), ((left + bar).min(range.1), from + y)));
        }
    }
    out
}

/// Of each slot the instant whose values add up to most, as bits.
fn highest(lines: &Lines, slots: &Slots) -> HashMap<i64, u64> {
    let mut sums: BTreeMap<i64, HashMap<u64, f64>> = BTreeMap::new();
    for (x, y) in lines.series.iter().flat_map(|series| &series.points) {
        let Some(y) = y else { continue };
        *sums.entry(slots.of(*x)).or_default().entry(x.to_bits()).or_insert(0.0) += y.abs();
    }
    let most = |sums: HashMap<u64, f64>| sums.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    sums.into_iter().filter_map(|(slot, sums)| Some((slot, most(sums)?.0))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_part_lines() {
        let points = vec![(0.0, Some(1.0)), (10.0, Some(2.0)), (20.0, None), (30.0, Some(3.0))];
        let series = Series { name: String::new(), points };
        let lines = series.visible((0.0, 30.0), 300);
        assert_eq!(lines, [vec![(0.0, 1.0), (10.0, 2.0)], vec![(30.0, 3.0)]]);
    }

    #[test]
    fn missing_rows_part_lines() {
        let value = |x: i32| (f64::from(x), Some(1.0));
        let series = |points: Vec<(f64, Option<f64>)>| {
            let mut series = Series { name: String::new(), points };
            series.part();
            series.visible((0.0, 200.0), 1000).iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(series((0..10).chain(100..110).map(value).collect()), [10, 10]);
        // Three minutes without a row are common where little happens.
        assert_eq!(series([0, 1, 2, 6, 7, 8, 12].map(value).to_vec()), [7]);
        assert_eq!(series([0, 1, 100, 101].map(value).to_vec()), [4]);
    }

    fn many(marks: Marks, series: Vec<Series>) -> Lines {
        Lines { series, marks, time: false, target: None, unit: Unit::None, zone: Tz::UTC, left_out: 0 }
    }

    #[test]
    fn bars_that_are_too_narrow_are_lines() {
        let value = |minute: usize| if (5000..5011).contains(&minute) { 0.0 } else { 1.0 };
        let points = (0..10_000).map(|minute| (minute as f64, Some(value(minute)))).collect();
        let lines = many(Marks::Bars, vec![Series { name: String::new(), points }]);
        let range = lines.x_range();
        assert!(crowded(&lines, range, 900.0) && !crowded(&lines, range, 20_000.0));
        let seen = lines.series[0].visible(range, 900);
        assert!(seen.iter().flatten().any(|(x, y)| *y == 0.0 && (5000.0..5011.0).contains(x)));
    }

    #[test]
    fn a_narrow_stack_is_one_of_its_instants() {
        let series = |name: &str, tens: f64, rest: f64| {
            let value = |x: usize| Some(if x % 10 == 3 { tens } else { rest });
            Series { name: name.to_string(), points: (0..10_000).map(|x| (x as f64, value(x))).collect() }
        };
        // Sums are 7 and 6; the greatest of each, 5 and 6, would make 11.
        let lines = many(Marks::Stack, vec![series("a", 5.0, 0.0), series("b", 2.0, 6.0)]);
        let drawn = bars(&lines, lines.x_range(), 500.0);
        assert_eq!(drawn.len(), 2 * 250);
        for (n, from, to) in drawn {
            assert_eq!((from.1, to.1), if n == 0 { (0.0, 5.0) } else { (5.0, 7.0) });
        }
    }

    proptest::proptest! {
        #[test]
        fn no_extreme_is_lost(values in proptest::collection::vec(-1e6..1e6f64, 2..5000), columns in 1..500usize) {
            let points: Vec<_> = values.iter().enumerate().map(|(x, y)| (x as f64, Some(*y))).collect();
            let range = (0.0, (points.len() - 1) as f64);
            let series = Series { name: String::new(), points };
            let lines = series.visible(range, columns);
            proptest::prop_assert_eq!(lines.len(), 1);
            proptest::prop_assert!(lines[0].len() <= 4 * (columns + 1));
            proptest::prop_assert!(lines[0].is_sorted_by(|a, b| a.0 < b.0));
            let seen = extent(lines[0].iter().map(|point| point.1));
            proptest::prop_assert_eq!(seen, extent(values.into_iter()));
        }
    }
}
