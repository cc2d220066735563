//! Parts: what an objective was in the slices that begin in one stretch of one UTC day, and what a question wants to know of them.

use std::sync::Arc;

use datafusion::error::Result;
use nines_slo::{Budgeting, NoData, Spec};
use nines_timeline::{Builder, Interval, RATIO, Run, State, Timeline};

use super::subject::Between;

/// What an objective was in one stretch of one UTC day.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// Which subject.
    pub subject: usize,
    /// Which of the question's ranges.
    pub range: usize,
    pub interval: Interval,
    /// Runs that are not ok.
    pub runs: Box<[Run]>,
    /// Events of measured slices, excluded and lost ones left out.
    pub good: i64,
    pub total: i64,
    /// Sum of good / total over measured slices, rounded once; assumed-ok slices add 1.
    pub ratio_sum: f64,
    /// The same exactly, in units of 1 / [`RATIO`]; 0 unless the objective is judged by RatioTimeslices.
    pub ratios: i128,
    /// How many slices are ok or in error by what `noData` says.
    pub assumed: i64,
    /// End of the last stored slice with data, whatever became of it.
    pub last_data: Option<i64>,
    /// Where a latency threshold lies, if requests of a measured slice lie there of which it is not known on which side of it.
    pub between: Option<Between>,
    /// Whether the slices are known, and what was counted in them is not.
    pub uncounted: bool,
    /// What only some questions want to know. Apart, because there are hundreds of thousands of parts.
    pub details: Option<Box<Details>>,
}

impl Part {
    /// Adds slices without data.
    pub(super) fn assume(&mut self, no_data: NoData, slices: i64) {
        match no_data {
            NoData::Ok => {
                self.assumed += slices;
                self.ratio_sum += slices as f64;
                self.ratios += i128::from(slices) * RATIO;
            }
            NoData::Error => self.assumed += slices,
            NoData::Ignore => {}
        }
    }

    /// Each slice, where the question wants them.
    pub fn slices(&self) -> &[Slice] {
        self.details.as_ref().map_or(&[], |details| &details.slices)
    }

    /// (good, total) of each slice, where the question wants them; (0, 0) where it is not judged by its counts.
    pub fn events(&self) -> &[[i64; 2]] {
        self.details.as_ref().map_or(&[], |details| &details.events)
    }

    /// Whether another part of the same slices says the same.
    pub fn says_as(&self, other: &Part) -> bool {
        let numbers = |part: &Part| (part.good, part.total, part.ratio_sum.to_bits(), part.ratios, part.assumed);
        self.runs == other.runs
            && numbers(self) == numbers(other)
            && (self.last_data, self.between) == (other.last_data, other.between)
    }

    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        let details = self.details.as_ref().map_or(0, |of| {
            size_of_val(of.slices.as_slice()) + size_of_val(of.culprits.as_slice()) + size_of_val(of.events.as_slice())
        });
        size_of::<Part>() + size_of_val(self.runs.as_ref()) + details
    }

    /// Who had bad events in slices in error, where the question wants it.
    pub fn culprits(&self) -> &[Culprit] {
        self.details.as_ref().map_or(&[], |details| &details.culprits)
    }
}

/// What a question wants to know of a part besides its states.
#[derive(Debug, Clone, Default)]
pub(crate) struct Details {
    pub(super) slices: Vec<Slice>,
    pub(super) culprits: Vec<Culprit>,
    /// (good, total) of each slice; of those that are not judged by their counts (0, 0).
    pub(super) events: Vec<[i64; 2]>,
}

impl Details {
    pub fn new(slices: Vec<Slice>, culprits: Vec<Culprit>, events: Vec<[i64; 2]>) -> Self {
        Details { slices, culprits, events }
    }
}

/// A slice, for people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    pub start: i64,
    pub good: i64,
    pub total: i64,
    pub state: State,
    /// Whether requests lie about a latency threshold of which it is not known on which side of it.
    pub approximate: bool,
}

/// Bad events of an endpoint and cause in a slice in error.
#[derive(Debug, Clone)]
pub(crate) struct Culprit {
    pub endpoint: Arc<str>,
    pub cause: Arc<str>,
    pub slice: i64,
    pub bad: i64,
    /// Whether the slice would have met its target without them.
    pub decisive: bool,
}

/// What a question wants to know of slices besides their states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    None,
    Slices,
    Culprits,
    /// The events of each slice: of objectives that are judged by more than slices, or of all.
    Events {
        of_all: bool,
    },
}

impl Detail {
    /// Whether the events of each slice of an objective are wanted.
    pub fn events_of(self, spec: &Spec) -> bool {
        match self {
            Detail::Events { of_all } => of_all || spec.budgeting != Budgeting::Timeslices,
            Detail::None | Detail::Slices | Detail::Culprits => false,
        }
    }

    /// Whether parts are as complete as those that are kept.
    pub fn is_kept(self) -> bool {
        match self {
            Detail::None | Detail::Events { .. } => true,
            Detail::Slices | Detail::Culprits => false,
        }
    }
}

/// What is kept apart within an objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// Only what the target needs.
    Needed,
    /// Endpoints and causes.
    Culprits,
}

/// The whole of what parts say, as a timeline of their span. Parts ascend and do not overlap; between them is no data.
pub(crate) fn joined<'a>(span: Interval, slice: i64, parts: impl IntoIterator<Item = &'a Part>) -> Result<Timeline> {
    let mut whole = Builder::new(span, slice).map_err(internal)?;
    let mut at = span.start;
    for part in parts {
        whole.push(at, part.interval.start, State::NoData);
        for run in &part.runs {
            whole.push(run.start, run.end, run.state);
        }
        at = part.interval.end;
    }
    whole.push(at, span.end, State::NoData);
    Ok(whole.finish())
}

pub(super) fn internal(error: nines_timeline::TimelineError) -> datafusion::error::DataFusionError {
    datafusion::common::internal_datafusion_err!("parts do not make a timeline: {error}")
}
