//! The timeline strip: rows of states over time, and which pixels of a row show what.

use std::collections::HashMap;

use chrono_tz::Tz;
use nines_timeline::{Run, State};

use super::rows::Rows;
use super::spec::ChartSpec;
use crate::columns::{Kind, Runs, united};
use crate::format::{self, names};
use crate::moment::Range;

/// The data of a strip.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    /// Its rows, in the order in which they come.
    pub rows: Vec<StripRow>,
    /// What it covers, in µs.
    pub range: Range,
    /// Where days begin.
    pub zone: Tz,
    /// How many rows there are beyond those that are drawn.
    pub left_out: usize,
}

/// More rows are no chart any more.
const MOST: usize = 500;

/// A row of a strip.
#[derive(Debug, Clone, PartialEq)]
pub struct StripRow {
    /// Whose states they are.
    pub label: String,
    /// Spans and what was not ok in them; outside of all spans there is no data.
    pub spans: Vec<Runs>,
}

pub(super) fn read(spec: &ChartSpec, rows: Rows<'_>, about: Option<Range>) -> Result<Strip, String> {
    let y = match spec.y.as_slice() {
        [] => rows.first(&[Kind::Timeline], &[]),
        [name] => Some(rows.find("y", name, &[Kind::Timeline])?),
        _ => return Err("chart=timeline takes one column y=, with timelines".to_string()),
    };
    let label = match spec.x.as_ref().or(spec.series.as_ref()) {
        Some(name) => Some(rows.find(if spec.x.is_some() { "x" } else { "series" }, name, &[])?),
        None => {
            // A service has several objectives: what is in error is one of these.
            let of_name = |name: &str| rows.schema.fields().iter().position(|field| field.name() == name);
            let objective = of_name("objective").filter(|at| rows.kind(*at) == Kind::Text);
            objective.or_else(|| rows.first(&[Kind::Text], &of_name("state").into_iter().collect::<Vec<_>>()))
        }
    };
    let labels = match label {
        Some(label) => rows.labels(label),
        None => vec![String::new(); rows.batches.iter().map(|batch| batch.num_rows()).sum()],
    };
    let mut strip = match y {
        Some(y) => of_timelines(&labels, rows.timelines(y), rows.zone),
        None => of_intervals(&labels, rows, about)?,
    };
    if let Some((from, to)) = about
        && from < to
    {
        strip.range = (from, to);
    }
    Ok(strip)
}

/// Rows by their labels, in the order in which they come.
#[derive(Default)]
struct ByLabel<'l> {
    rows: Vec<StripRow>,
    places: HashMap<&'l str, usize>,
}

impl<'l> ByLabel<'l> {
    /// The spans of a label, unless there are too many labels.
    fn of(&mut self, label: &'l str) -> Option<&mut Vec<Runs>> {
        let next = self.places.len();
        let at = *self.places.entry(label).or_insert(next);
        if at == self.rows.len() && at < MOST {
            self.rows.push(StripRow { label: label.to_string(), spans: Vec::new() });
        }
        self.rows.get_mut(at).map(|row| &mut row.spans)
    }

    fn strip(self, range: Range, zone: Tz) -> Strip {
        Strip { left_out: self.places.len() - self.rows.len(), rows: self.rows, range, zone }
    }
}

fn of_timelines(labels: &[String], timelines: Vec<Option<Runs>>, zone: Tz) -> Strip {
    let spans = timelines.iter().flatten();
    let from = spans.clone().map(|span| span.from).min().unwrap_or(0);
    let to = spans.map(|span| span.to).max().unwrap_or(from + 1);
    let mut found = ByLabel::default();
    for (label, timeline) in labels.iter().zip(timelines) {
        if let Some(spans) = found.of(label) {
            spans.extend(timeline);
        }
    }
    found.strip((from, to), zone)
}

/// What stands for the length of an interval that has none, at the end of a chart that nothing else says the end of.
const LEAST_MICROS: i64 = 60_000_000;

fn of_intervals(labels: &[String], rows: Rows<'_>, about: Option<Range>) -> Result<Strip, String> {
    let times = |name: &str| {
        rows.find("", name, &[Kind::Time]).map_err(|_| {
            let either = "chart=timeline takes a column of timelines, or the columns started and ended";
            format!("{either}; {}", rows.told())
        })
    };
    let (starts, ends) = (rows.instants(times("started")?), rows.instants(times("ended")?));
    let state_column = rows.schema.fields().iter().position(|field| field.name() == "state");
    let states = state_column.map(|at| rows.labels(at));
    let from = starts.iter().flatten().min().copied().unwrap_or(0);
    let mut to = starts.iter().chain(&ends).flatten().max().copied().unwrap_or(1);
    // What is still open when the chart ends would be a point at its edge.
    let is_open = |(start, end): (&Option<i64>, &Option<i64>)| {
        start.is_some_and(|start| end.is_none() || start == to && end.is_none_or(|end| end <= start))
    };
    if about.is_none() && starts.iter().zip(&ends).any(is_open) {
        to += ((to - from) / 20).max(LEAST_MICROS);
    }
    let to = to.max(from + 1);
    let (from, to) = about.map_or((from, to), |about| (from.min(about.0), to.max(about.1)));
    let mut found = ByLabel::default();
    for (at, label) in labels.iter().enumerate() {
        let Some(start) = starts[at] else { continue };
        let end = ends[at].unwrap_or(to).max(start);
        let state = match &states {
            Some(states) => state(&states[at])?,
            None => Some(State::Error),
        };
        let Some(spans) = found.of(label) else { continue };
        let run = state.map(|state| Run { start, end, state });
        if states.is_some() {
            spans.push(Runs { from: start, to: end, runs: run.into_iter().collect() });
            continue;
        }
        if spans.is_empty() {
            spans.push(Runs { from, to, runs: Vec::new() });
        }
        spans[0].runs.extend(run);
    }
    Ok(found.strip((from, to), rows.zone))
}

/// A state by its name, `None` for ok.
fn state(text: &str) -> Result<Option<State>, String> {
    Ok(match text {
        "ok" => None,
        "error" => Some(State::Error),
        "no data" | "no_data" => Some(State::NoData),
        "excluded" => Some(State::Excluded),
        _ => return Err(format!("state '{text}' is none of ok, error, no data and excluded")),
    })
}

/// From how many µs in a pixel on it is told whether it was mostly in error.
const COARSE: f64 = 600e6;

/// Whether it is told which pixels were mostly in error: where one is hardly more than a slice that would be chance.
pub(crate) fn coarse(range: Range, width: u32) -> bool {
    (range.1 - range.0) as f64 / f64::from(width) >= COARSE
}

/// Half-open pixels, merged and in order.
pub(crate) type Pixels = Vec<(u32, u32)>;

/// What a row shows where it is so many pixels wide. Errors may lie over the rest.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shown {
    pub measured: Pixels,
    pub excluded: Pixels,
    pub error: Pixels,
    /// Of these, the ones that were in error for at least half of their time.
    pub mostly: Pixels,
}

impl StripRow {
    /// Which pixels show what. Whatever its length, an error takes at least `least` pixels, and is never hidden by another
    /// state; what else takes part of a pixel is shown by that pixel, excluded before ok before no data.
    pub(crate) fn pixels(&self, range: Range, width: u32, least: u32) -> Shown {
        let scale =
            |at: i64| (at.clamp(range.0, range.1) - range.0) as f64 / (range.1 - range.0) as f64 * f64::from(width);
        let outer = |from: i64, to: i64| {
            let (from, to) = (scale(from).floor() as u32, scale(to).ceil() as u32);
            (from.min(width.saturating_sub(1)), to.min(width))
        };
        let within = |from: i64, to: i64| from < to && touches((from, to), range);
        let mut shown = Shown::default();
        for span in self.spans.iter().filter(|span| touches((span.from, span.to), range)) {
            let mut at = span.from;
            let mut runs: Vec<&Run> = span.runs.iter().filter(|run| touches((run.start, run.end), range)).collect();
            runs.sort_by_key(|run| run.start);
            for run in runs {
                match run.state {
                    State::NoData => {
                        if within(at, run.start) {
                            shown.measured.push(outer(at, run.start));
                        }
                        at = at.max(run.end);
                    }
                    State::Excluded => shown.excluded.push(outer(run.start, run.end)),
                    State::Error => {
                        let (from, to) = (scale(run.start), scale(run.end));
                        let wide = (to - from).max(f64::from(least));
                        let middle = (from + to) / 2.0;
                        let from = (middle - wide / 2.0).round().clamp(0.0, f64::from(width.saturating_sub(least)));
                        let to = (from + wide).round().min(f64::from(width));
                        shown.error.push((from as u32, to as u32));
                    }
                    State::Ok => {}
                }
            }
            if within(at, span.to) {
                shown.measured.push(outer(at, span.to));
            }
        }
        if coarse(range, width) {
            let mut share = vec![0.0; width as usize];
            for (from, to) in self.union(State::Error).into_iter().filter(|error| touches(*error, range)) {
                let (from, to) = (scale(from), scale(to));
                for pixel in from as u32..(to.ceil() as u32).min(width) {
                    share[pixel as usize] += to.min(f64::from(pixel + 1)) - from.max(f64::from(pixel));
                }
            }
            shown.mostly =
                (0..width).filter(|pixel| share[*pixel as usize] >= 0.5).map(|pixel| (pixel, pixel + 1)).collect();
        }
        for pixels in [&mut shown.measured, &mut shown.excluded, &mut shown.error, &mut shown.mostly] {
            merge(pixels);
        }
        shown
    }

    /// When it was in a state, in order. What several timelines of the row share counts once, as in their union; what touches is
    /// one. An error without any length is one, too.
    pub(crate) fn union(&self, state: State) -> Vec<Range> {
        if state != State::Error {
            return united(&self.spans, state).into_iter().map(|of| (of.start, of.end)).collect();
        }
        let runs = self.spans.iter().flat_map(|span| &span.runs).filter(|run| run.state == state);
        let mut found: Vec<Range> = runs.map(|run| (run.start, run.end)).collect();
        found.sort_unstable();
        let mut merged: Vec<Range> = Vec::with_capacity(found.len());
        for (start, end) in found {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((start, end)),
            }
        }
        merged
    }

    /// How long it was in a state within a range.
    pub(crate) fn seconds_in(&self, state: State, range: Range) -> f64 {
        let clipped = self.union(state).into_iter().map(|(start, end)| (end.min(range.1) - start.max(range.0)).max(0));
        clipped.sum::<i64>() as f64 / 1e6
    }

    /// Its errors that touch a range.
    pub(crate) fn errors(&self, range: Range) -> Vec<Range> {
        let mut errors = self.union(State::Error);
        errors.retain(|error| touches(*error, range));
        errors
    }

    /// What a person is told about the row.
    pub(crate) fn told(&self, range: Range) -> String {
        let count = self.errors(range).len();
        let mut out = match count {
            0 => "no error".to_string(),
            1 => format!("{} in error", format::duration(self.seconds_in(State::Error, range))),
            _ => format!(
                "{} in error, in {} runs",
                format::duration(self.seconds_in(State::Error, range)),
                format::grouped(&count.to_string())
            ),
        };
        for (state, name) in [(State::NoData, "without data"), (State::Excluded, "excluded")] {
            let seconds = self.seconds_in(state, range);
            if seconds > 0.0 {
                out += &format!(", {} {name}", format::duration(seconds));
            }
        }
        out
    }
}

/// Whether an interval has a part in a range; one without any length has, where it lies in it.
pub(crate) fn touches((from, to): Range, range: Range) -> bool {
    from < range.1 && (to > range.0 || from == to && from == range.0)
}

fn merge(pixels: &mut Pixels) {
    pixels.sort_unstable();
    let mut merged: Pixels = Vec::with_capacity(pixels.len());
    for &(from, to) in pixels.iter() {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    *pixels = merged;
}

impl Strip {
    pub(super) fn summary(&self) -> String {
        let errors = self.rows.iter().filter(|row| !row.errors(self.range).is_empty()).count();
        format!(
            "Timelines of {}, {}; {errors} of {} with errors",
            names(self.rows.iter().map(|row| row.label.as_str())),
            crate::moment::range_text(self.range, self.zone),
            self.rows.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nines_engine::datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};

    use super::*;

    const MINUTE: i64 = 60_000_000;
    const YEAR: i64 = 525_600 * MINUTE;

    proptest::proptest! {
        #[test]
        fn any_single_minute_of_a_year_is_seen(minute in 0..525_600i64, width in 20..1200u32, gap in 0..2i64) {
            let error = Run { start: minute * MINUTE, end: (minute + 1) * MINUTE, state: State::Error };
            // Whatever else is true around it.
            let state = if gap == 0 { State::NoData } else { State::Excluded };
            let runs = vec![
                Run { start: 0, end: error.start, state },
                error,
                Run { start: error.end, end: YEAR, state },
            ];
            let row = StripRow { label: String::new(), spans: vec![Runs { from: 0, to: YEAR, runs }] };
            let shown = row.pixels((0, YEAR), width, 2);
            proptest::prop_assert_eq!(shown.error.len(), 1);
            let (from, to) = shown.error[0];
            proptest::prop_assert_eq!(to - from, 2);
            proptest::prop_assert!(to <= width);
            let middle = (minute as f64 + 0.5) / 525_600.0 * f64::from(width);
            proptest::prop_assert!(f64::from(from) - 2.0 <= middle && middle <= f64::from(to) + 2.0);
        }
    }

    #[test]
    fn pixels_are_merged_and_outside_of_spans_there_is_no_data() {
        let error = |at: i64| Run { start: at, end: at + 1, state: State::Error };
        let runs = vec![
            Run { start: 400, end: 500, state: State::NoData },
            error(500),
            error(501),
            error(600),
            Run { start: 700, end: 800, state: State::Excluded },
        ];
        let row = StripRow { label: String::new(), spans: vec![Runs { from: 100, to: 900, runs }] };
        let shown = row.pixels((0, 1000), 100, 2);
        assert_eq!(shown.measured, [(10, 40), (50, 90)]);
        assert_eq!(shown.excluded, [(70, 80)]);
        assert_eq!(shown.error, [(49, 51), (59, 61)]);
    }

    fn strip(columns: Vec<(&str, ArrayRef)>, about: Option<Range>) -> Strip {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let rows = Rows { schema: &batch.schema(), batches: &[batch], zone: Tz::UTC };
        read(&ChartSpec::default(), rows, about).unwrap()
    }

    fn times(minutes: Vec<Option<i64>>) -> ArrayRef {
        let micros = minutes.into_iter().map(|minutes| minutes.map(|minutes| minutes * MINUTE));
        Arc::new(TimestampMicrosecondArray::from_iter(micros).with_timezone("UTC"))
    }

    fn texts(texts: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(texts.to_vec()))
    }

    #[test]
    fn an_error_that_is_still_open_is_seen() {
        let cases = [
            (vec![Some(0), Some(100)], vec![Some(10), None]),
            (vec![Some(0), Some(100)], vec![Some(10), Some(100)]),
            (vec![Some(100)], vec![None]),
            (vec![Some(0), Some(200), Some(100)], vec![Some(10), Some(210), Some(100)]),
        ];
        for (starts, ends) in cases {
            let names = texts(&vec!["login"; starts.len()]);
            let count = starts.len();
            let strip = strip(vec![("name", names), ("started", times(starts)), ("ended", times(ends))], None);
            let row = &strip.rows[0];
            assert_eq!(row.errors(strip.range).len(), count, "{strip:?}");
            assert_eq!(row.pixels(strip.range, 600, 2).error.len(), count, "{strip:?}");
        }
    }

    #[test]
    fn a_minute_that_two_timelines_of_a_row_lost_is_lost_once() {
        let error = |from: i64, to: i64| Run { start: from * MINUTE, end: to * MINUTE, state: State::Error };
        let span = |runs| Runs { from: 0, to: YEAR, runs };
        let spans = vec![span(vec![error(0, 10), error(90, 100)]), span(vec![error(5, 15), error(15, 20)])];
        let row = StripRow { label: String::new(), spans };
        let range = (0, 100 * MINUTE);
        assert_eq!(row.seconds_in(State::Error, range), 30.0 * 60.0);
        assert_eq!(row.told(range), "30 min in error, in 2 runs");
        // What one measured is not without data.
        let unknown = |from: i64, to: i64| Run { start: from * MINUTE, end: to * MINUTE, state: State::NoData };
        let spans = vec![span(vec![unknown(0, 30)]), span(vec![unknown(20, 50), error(50, 60)])];
        let row = StripRow { label: String::new(), spans };
        assert_eq!(row.told(range), "10 min in error, 10 min without data");
        // Two halves of the same time are not most of it.
        let half = |from| span(vec![error(from, from + 250_000)]);
        let row = StripRow { label: String::new(), spans: vec![half(0), half(0)] };
        assert_eq!(row.pixels((0, YEAR), 1, 1).mostly, []);
    }

    #[test]
    fn rows_are_objectives_and_have_an_end() {
        let (services, objectives) = (texts(&["a", "a"]), texts(&["quick", "there"]));
        let (starts, ends) = (times(vec![Some(0), Some(0)]), times(vec![Some(1), Some(2)]));
        let columns = vec![("service", services), ("objective", objectives), ("started", starts), ("ended", ends)];
        let labels: Vec<String> = strip(columns, None).rows.into_iter().map(|row| row.label).collect();
        assert_eq!(labels, ["quick", "there"]);
        let names: Vec<String> = (0..30_000).map(|row| row.to_string()).collect();
        let names = texts(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let ends = times(vec![Some(1); 30_000]);
        let strip = strip(vec![("name", names), ("started", times(vec![Some(0); 30_000])), ("ended", ends)], None);
        assert_eq!((strip.rows.len(), strip.left_out), (MOST, 30_000 - MOST));
    }
}
