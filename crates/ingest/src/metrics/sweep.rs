//! Through the samples in order: what every series counted, slice by slice.

use std::sync::Arc;

use nines_slo::{Mapping, NewSeries};

use super::findings::Findings;
use super::member::{Member, State};
use super::spool::{Record, Sampled, Sorted};
use super::targets::Part;
use crate::counters::{HistogramStep, Step};
use crate::samples::{NativeHistogram, Temporality};
use crate::{IngestError, Result};

/// After so many steps that look like those between two counters a series is taken for several.
const AGAIN_AND_AGAIN: u32 = 3;

/// What a member counted in a slice.
#[derive(Debug, Clone)]
pub(super) enum Counted {
    Number(f64),
    Histogram(NativeHistogram),
    /// A sample of a gauge, when it was taken, in µs, and what.
    Sample(i64, f64),
}

/// The members of a group that counted in a slice, by number; a member may be there several times.
pub(super) struct Slice {
    pub group: u32,
    /// Start in µs.
    pub start: i64,
    pub counted: Vec<(u32, Counted)>,
}

/// What is needed beside the samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub slice_micros: i64,
    /// Samples before this instant say only from where counters go on, in µs.
    pub from: i64,
}

/// What is known after a pass over the samples.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub states: Vec<State>,
    pub findings: Findings,
}

/// Since when something is looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed {
    /// When the first sample of each target was taken, in µs; of one that was scraped before: long ago.
    pub targets: Vec<i64>,
    /// When the first sample of each rule was taken, in µs; of one whose series are continued: the last one that is stored.
    pub rules: Vec<i64>,
}

impl Observed {
    /// Whether a series that appears at an instant, and began at another if that is told, was not there before.
    fn is_new(&self, member: &Member, time: i64, began: Option<i64>) -> bool {
        let of = |all: &[i64], at: usize| all.get(at).copied().unwrap_or(i64::MAX);
        of(&self.targets, member.scraped as usize) < time
            || began.is_some_and(|began| began <= time && began >= of(&self.rules, member.target.rule))
    }
}

/// Samples in order, and what is known of each member.
pub(super) struct Sweep {
    samples: Sorted,
    ahead: Option<Record>,
    pub members: Arc<Vec<Member>>,
    observed: Arc<Observed>,
    pub mapping: Arc<Mapping>,
    bounds: Bounds,
    pub states: Vec<State>,
    pub findings: Findings,
}

impl Sweep {
    pub fn new(
        mut samples: Sorted,
        members: Arc<Vec<Member>>,
        observed: Arc<Observed>,
        mapping: Arc<Mapping>,
        bounds: Bounds,
    ) -> Result<Self> {
        let states = members.iter().map(|member| member.state.clone()).collect();
        let ahead = samples.next()?;
        Ok(Sweep { samples, ahead, members, observed, mapping, bounds, states, findings: Findings::default() })
    }

    /// The next slice of a group in which something was counted, if only nothing.
    pub fn next(&mut self) -> Result<Option<Slice>> {
        loop {
            let Some(first) = self.ahead.as_ref().map(|record| (record.group, self.slice_of(record.time))) else {
                return Ok(None);
            };
            let mut counted = Vec::new();
            while let Some(record) =
                self.ahead.take_if(|next| (next.group, slice(next.time, self.bounds.slice_micros)) == first)
            {
                let record = self.at_once(record)?;
                let (member, time) = (record.member, record.time);
                if let Some(more) = self.step(record)?
                    && time >= self.bounds.from
                {
                    counted.push((member, more));
                }
            }
            if !counted.is_empty() {
                return Ok(Some(Slice { group: first.0, start: first.1, counted }));
            }
        }
    }

    /// A record together with what else is said of its series at its instant: of several numbers the greatest counts, in whatever
    /// order they came.
    fn at_once(&mut self, mut record: Record) -> Result<Record> {
        loop {
            self.ahead = self.samples.next()?;
            let is_same = |next: &mut Record| {
                (next.group, next.member, next.time) == (record.group, record.member, record.time)
                    && matches!((&next.value, &record.value), (Sampled::Number(_), Sampled::Number(_)))
            };
            let Some(next) = self.ahead.take_if(is_same) else { return Ok(record) };
            if let (Sampled::Number(kept), Sampled::Number(other)) = (&mut record.value, &next.value) {
                let is_first = self.members.get(record.member as usize).is_some_and(|member| member.is_first);
                self.findings.again += u64::from(is_first && kept != other && record.time >= self.bounds.from);
                *kept = kept.max(*other);
            }
        }
    }

    fn slice_of(&self, time: i64) -> i64 {
        slice(time, self.bounds.slice_micros)
    }

    fn step(&mut self, record: Record) -> Result<Option<Counted>> {
        let slice = self.slice_of(record.time);
        let (Some(member), Some(state)) =
            (self.members.get(record.member as usize), self.states.get_mut(record.member as usize))
        else {
            return Ok(None);
        };
        let (is_delta, since) = match record.temporality {
            Temporality::Cumulative(since) => (false, since),
            Temporality::Delta(since) => (true, since),
        };
        let taken = Taken {
            member,
            time: record.time,
            slice,
            counts: record.time >= self.bounds.from,
            is_delta,
            since,
            is_new: self.observed.is_new(member, record.time, since),
            new_is_zero: self
                .mapping
                .rules
                .get(member.target.rule)
                .is_some_and(|rule| rule.new_series == NewSeries::Zero),
        };
        match record.value {
            Sampled::Began(at) => {
                state.number.began(at);
                Ok(None)
            }
            Sampled::Number(value) if member.target.part == Part::Gauge => {
                Ok(taken.gauge(value, state, &mut self.findings))
            }
            Sampled::Number(value) => taken.number(value, state, &mut self.findings),
            Sampled::Histogram(_) if member.target.part == Part::Gauge => Ok(None),
            Sampled::Histogram(histogram) => Ok(taken.histogram(&histogram, state, &mut self.findings)),
        }
    }
}

/// A sample that is taken, without its value.
struct Taken<'s> {
    member: &'s Member,
    time: i64,
    /// The start of its slice, in µs.
    slice: i64,
    /// Whether it counts, and does not only say from where its series goes on.
    counts: bool,
    is_delta: bool,
    since: Option<i64>,
    /// Whether its series was not there before, if it is the first one.
    is_new: bool,
    /// Whether the rule counts a new series from 0.
    new_is_zero: bool,
}

impl Taken<'_> {
    fn gauge(&self, value: f64, state: &mut State, findings: &mut Findings) -> Option<Counted> {
        if state.known.is_some_and(|known| self.time <= known) {
            findings.known += u64::from(self.is_told());
            return None;
        }
        if !value.is_finite() {
            findings.infinite += u64::from(self.is_told());
            return None;
        }
        state.known = Some(self.time);
        Some(Counted::Sample(self.time, value))
    }

    fn number(&self, value: f64, state: &mut State, findings: &mut Findings) -> Result<Option<Counted>> {
        let last = state.number.last();
        let before = last.map(|(time, _)| time);
        let step = if self.is_delta {
            state.number.delta(self.time, value)
        } else {
            self.since.into_iter().for_each(|began| state.number.began(began));
            state.number.step(self.time, value, self.slice)
        };
        self.note(before, is_reset(step), findings);
        if !self.is_delta && self.since.is_none() && is_of_another(last, value, step, state) && self.counts {
            state.other_counter += 1;
            findings.mixed += u64::from(self.member.is_first && state.other_counter == AGAIN_AND_AGAIN);
        }
        let more = match step {
            Step::More(more) | Step::Reset(more) => more,
            Step::Again => {
                findings.again_stored += u64::from(self.is_told());
                return Ok(None);
            }
            Step::Nothing => {
                findings.known += u64::from(self.is_told());
                return Ok(None);
            }
            Step::First if self.new_is_zero && self.is_new => value,
            Step::First => {
                findings.first(self.counts, self.is_new, value);
                return Ok(None);
            }
        };
        match self.member.target.part {
            Part::LatencySum(_) => {}
            _ if more.fract() == 0.0 => {}
            _ => {
                let problem = format!("rises by {more}, which is no whole number");
                return Err(bad(self.member, self.time, problem)
                    .expected("a counter of requests or events")
                    .advice("Is it a rate, or a sum of seconds? Map the counter from which it is computed"));
            }
        }
        Ok(Some(Counted::Number(more)))
    }

    fn histogram(&self, value: &Arc<NativeHistogram>, state: &mut State, findings: &mut Findings) -> Option<Counted> {
        let before = state.histogram.time();
        let step = if self.is_delta {
            state.histogram.delta(self.time, value)
        } else {
            self.since.into_iter().for_each(|began| state.histogram.began(began));
            state.histogram.step(self.time, value, self.slice)
        };
        self.note(before, matches!(step, HistogramStep::Reset(_)), findings);
        // Of one that goes on from a sample whose time alone is known, the first one is nothing new.
        let is_new = self.is_new && before.is_none();
        let more = match step {
            HistogramStep::More(more) => more,
            HistogramStep::Reset(all) => NativeHistogram::clone(&all),
            HistogramStep::Nothing => {
                findings.known += u64::from(self.is_told());
                return None;
            }
            HistogramStep::First if self.new_is_zero && is_new => NativeHistogram::clone(value),
            HistogramStep::First => {
                findings.first(self.counts, is_new, value.count);
                return None;
            }
        };
        Some(Counted::Histogram(more))
    }

    /// Whether what is found of the sample is told.
    fn is_told(&self) -> bool {
        self.counts && self.member.is_first
    }

    /// Notes a reset, and what several programs that report as one would look like. `before` is when the last sample was taken.
    fn note(&self, before: Option<i64>, is_reset: bool, findings: &mut Findings) {
        if !self.counts {
            return;
        }
        findings.resets += u64::from(is_reset);
        let Some((last, since)) = before.zip(self.since) else { return };
        // Once for a histogram, not for each of its bounds.
        if matches!(self.member.target.part, Part::Bucket(Some(_)) | Part::LatencySum(_)) {
            return;
        }
        findings.overlapping += u64::from(self.is_delta && last < self.time && since < last);
        findings.fallen += u64::from(!self.is_delta && is_reset && since <= last);
    }
}

/// Whether a step is one between two counters rather than of one: down, but not far, or up to where it had fallen from at once.
fn is_of_another(last: Option<(i64, f64)>, value: f64, step: Step, state: &mut State) -> bool {
    let Some((_, last)) = last else { return false };
    if is_reset(step) && value < last {
        state.fell_from = Some(last);
        return value > last / 2.0;
    }
    let Some(peak) = state.fell_from.take_if(|peak| value >= *peak) else { return false };
    value - last > peak / 2.0
}

fn is_reset(step: Step) -> bool {
    matches!(step, Step::Reset(_))
}

/// The start of the slice in which an instant lies.
fn slice(time: i64, micros: i64) -> i64 {
    time - time.rem_euclid(micros)
}

/// The error for a sample that a counter cannot have.
pub(super) fn bad(member: &Member, time: i64, problem: String) -> IngestError {
    let at = chrono::DateTime::from_timestamp_micros(time).unwrap_or_default();
    let at = at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    IngestError::bad_line(format!("series {} at {at}: it {problem}", member.labels))
}
