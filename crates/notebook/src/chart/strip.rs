//! The timeline strip: rows of states over time, and which pixels of a row show what.

use chrono_tz::Tz;
use nines_timeline::{Run, State};

use super::columns::{Kind, Rows, Runs};
use super::{ChartSpec, names};
use crate::format;
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
}

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
            let state = rows.schema.fields().iter().position(|field| field.name() == "state");
            rows.first(&[Kind::Text], &state.into_iter().collect::<Vec<_>>())
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

fn row<'s>(strip: &'s mut Strip, label: &str) -> &'s mut StripRow {
    let at = strip.rows.iter().position(|row| row.label == label).unwrap_or_else(|| {
        strip.rows.push(StripRow { label: label.to_string(), spans: Vec::new() });
        strip.rows.len() - 1
    });
    &mut strip.rows[at]
}

fn of_timelines(labels: &[String], timelines: Vec<Option<Runs>>, zone: Tz) -> Strip {
    let spans = timelines.iter().flatten();
    let from = spans.clone().map(|span| span.from).min().unwrap_or(0);
    let to = spans.map(|span| span.to).max().unwrap_or(from + 1);
    let mut strip = Strip { rows: Vec::new(), range: (from, to), zone };
    for (label, timeline) in labels.iter().zip(timelines) {
        row(&mut strip, label).spans.extend(timeline);
    }
    strip
}

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
    let to = starts.iter().chain(&ends).flatten().max().copied().unwrap_or(1).max(from + 1);
    let (from, to) = about.map_or((from, to), |about| (from.min(about.0), to.max(about.1)));
    let mut strip = Strip { rows: Vec::new(), range: (from, to), zone: rows.zone };
    for (at, label) in labels.iter().enumerate() {
        let Some(start) = starts[at] else { continue };
        let end = ends[at].unwrap_or(to).max(start);
        let row = row(&mut strip, label);
        match &states {
            Some(states) => {
                let state = state(&states[at])?;
                let runs = state.map(|state| Run { start, end, state }).into_iter().collect();
                row.spans.push(Runs { from: start, to: end, runs });
            }
            None => {
                if row.spans.is_empty() {
                    row.spans.push(Runs { from, to, runs: Vec::new() });
                }
                row.spans[0].runs.push(Run { start, end, state: State::Error });
            }
        }
    }
    Ok(strip)
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
        let within = |from: i64, to: i64| from < range.1 && to > range.0 && from < to;
        let mut shown = Shown::default();
        let mut share = vec![0.0; width as usize];
        for span in self.spans.iter().filter(|span| within(span.from, span.to)) {
            let mut at = span.from;
            let mut runs: Vec<&Run> = span.runs.iter().filter(|run| within(run.start, run.end)).collect();
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
                        for pixel in from as u32..(to.ceil() as u32).min(width) {
                            share[pixel as usize] += to.min(f64::from(pixel + 1)) - from.max(f64::from(pixel));
                        }
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
            shown.mostly =
                (0..width).filter(|pixel| share[*pixel as usize] >= 0.5).map(|pixel| (pixel, pixel + 1)).collect();
        }
        for pixels in [&mut shown.measured, &mut shown.excluded, &mut shown.error, &mut shown.mostly] {
            merge(pixels);
        }
        shown
    }

    /// How long it was in a state within a range.
    pub(crate) fn seconds_in(&self, state: State, range: Range) -> f64 {
        let runs = self.spans.iter().flat_map(|span| &span.runs).filter(|run| run.state == state);
        let clipped = runs.map(|run| (run.end.min(range.1) - run.start.max(range.0)).max(0));
        clipped.sum::<i64>() as f64 / 1e6
    }

    /// The runs of errors that touch a range.
    pub(crate) fn errors(&self, range: Range) -> impl Iterator<Item = &Run> {
        let runs = self.spans.iter().flat_map(|span| &span.runs);
        runs.filter(move |run| run.state == State::Error && run.start < range.1 && run.end > range.0)
    }

    /// What a person is told about the row.
    pub(crate) fn told(&self, range: Range) -> String {
        let count = self.errors(range).count();
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
        let errors = self.rows.iter().filter(|row| row.errors(self.range).next().is_some()).count();
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
}
