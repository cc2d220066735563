//! The timeline: which slices of a span were ok, in error, not measured or excluded.

use thiserror::Error;

use crate::{Grid, Interval};

/// What a slice was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Measured, and `good ≥ target × total`.
    Ok,
    /// Measured, and below the target.
    Error,
    /// Nothing was measured.
    NoData,
    /// Wholly inside an exclusion: it counts for nothing.
    Excluded,
}

/// A maximal run of slices in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    /// Start of the first slice.
    pub start: i64,
    /// End of the last slice.
    pub end: i64,
    /// The state of every slice in it.
    pub state: State,
}

impl Run {
    /// Length in microseconds.
    pub fn duration(&self) -> i64 {
        self.end - self.start
    }

    /// Without its state.
    pub fn interval(&self) -> Interval {
        Interval::new(self.start, self.end)
    }
}

/// A span `[start, end)`, a slice width, and the runs of slices that are not ok.
///
/// The span may begin anywhere; slices are laid from its beginning. Invariants, kept by every constructor: the span and the runs
/// consist of whole slices; runs are ascending, disjoint, inside the span, never ok, and no two neighbours in the same state
/// touch. Hence equal timelines are equal values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Timeline {
    start: i64,
    end: i64,
    slice: i64,
    runs: Vec<Run>,
}

/// Why numbers do not make a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TimelineError {
    /// The slice width is not positive.
    #[error("the slice width must be positive, got {0} µs")]
    Slice(i64),
    /// The span or a run does not consist of whole slices from the span's beginning on, or the span ends before it starts.
    #[error("[{start}, {end}) µs does not consist of whole slices", start = .0.start, end = .0.end)]
    Bounds(Interval),
    /// A run overlaps the one before it or leaves the span.
    #[error("the run [{start}, {end}) µs overlaps another or leaves the span", start = .0.start, end = .0.end)]
    Order(Interval),
}

impl Timeline {
    /// A timeline of this span with the given runs, in any order; what they leave out is ok.
    pub fn new(span: Interval, slice: i64, mut runs: Vec<Run>) -> Result<Self, TimelineError> {
        let mut builder = Builder::new(span, slice)?;
        let grid = Grid::new(span.start, slice);
        runs.retain(|run| run.start < run.end);
        runs.sort_unstable_by_key(|run| run.start);
        for run in &runs {
            if !grid.begins(run.start) || !grid.begins(run.end) {
                return Err(TimelineError::Bounds(run.interval()));
            }
            if run.start < builder.filled || run.end > span.end {
                return Err(TimelineError::Order(run.interval()));
            }
            builder.push(run.start, run.end, run.state);
        }
        Ok(builder.finish())
    }

    /// A timeline of this span that is in one state throughout.
    pub fn uniform(span: Interval, slice: i64, state: State) -> Result<Self, TimelineError> {
        let mut builder = Builder::new(span, slice)?;
        builder.push(span.start, span.end, state);
        Ok(builder.finish())
    }

    /// Start of the first slice.
    pub fn start(&self) -> i64 {
        self.start
    }

    /// End of the last slice.
    pub fn end(&self) -> i64 {
        self.end
    }

    /// `[start, end)`.
    pub fn span(&self) -> Interval {
        Interval::new(self.start, self.end)
    }

    /// Width of a slice in microseconds.
    pub fn slice(&self) -> i64 {
        self.slice
    }

    /// Where its slices lie.
    pub fn grid(&self) -> Grid {
        Grid::new(self.start, self.slice)
    }

    /// The runs that are not ok, ascending.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The same, taken out.
    pub fn into_runs(self) -> Vec<Run> {
        self.runs
    }

    /// The whole span as runs, the ok ones between included.
    pub fn segments(&self) -> impl Iterator<Item = Run> + '_ {
        let mut at = self.start;
        let mut runs = self.runs.iter().copied().peekable();
        std::iter::from_fn(move || {
            let next = match runs.peek() {
                Some(run) if run.start == at => runs.next()?,
                Some(run) => Run { start: at, end: run.start, state: State::Ok },
                None if at < self.end => Run { start: at, end: self.end, state: State::Ok },
                None => return None,
            };
            at = next.end;
            Some(next)
        })
    }

    /// The runs in one state other than ok.
    pub fn intervals(&self, state: State) -> impl Iterator<Item = Interval> + '_ {
        self.runs.iter().filter(move |run| run.state == state).map(Run::interval)
    }
}

/// Builds a timeline from left to right; joins neighbours in the same state, leaves out what is ok.
#[derive(Debug)]
pub struct Builder {
    timeline: Timeline,
    /// Everything before this is decided.
    filled: i64,
}

impl Builder {
    /// For this span, all ok so far.
    pub fn new(span: Interval, slice: i64) -> Result<Self, TimelineError> {
        if slice <= 0 {
            return Err(TimelineError::Slice(slice));
        }
        if span.end < span.start || !Grid::new(span.start, slice).begins(span.end) {
            return Err(TimelineError::Bounds(span));
        }
        let timeline = Timeline { start: span.start, end: span.end, slice, runs: Vec::new() };
        Ok(Builder { timeline, filled: span.start })
    }

    /// Sets `[start, end)`, which must not lie before what was set already; what is skipped is ok.
    pub fn push(&mut self, start: i64, end: i64, state: State) {
        debug_assert!(self.filled <= start && start <= end && end <= self.timeline.end);
        self.filled = end;
        if state == State::Ok || start == end {
            return;
        }
        match self.timeline.runs.last_mut() {
            Some(last) if last.end == start && last.state == state => last.end = end,
            _ => self.timeline.runs.push(Run { start, end, state }),
        }
    }

    /// The timeline.
    pub fn finish(self) -> Timeline {
        self.timeline
    }
}
