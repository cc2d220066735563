//! Through the samples in order: what every series counted, slice by slice.

use std::sync::Arc;

use nines_slo::{Mapping, NewSeries};

use super::findings::Findings;
use super::member::{Member, State};
use super::spool::{Record, Sampled, Sorted};
use super::targets::Part;
use crate::counters::{HistogramStep, Step};
use crate::samples::NativeHistogram;
use crate::{IngestError, Result};

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

/// Samples in order, and what is known of each member.
pub(super) struct Sweep {
    samples: Sorted,
    ahead: Option<Record>,
    pub members: Arc<Vec<Member>>,
    /// When the first sample of each target was taken, in µs; of one that was scraped before: long ago.
    observed: Arc<Vec<i64>>,
    pub mapping: Arc<Mapping>,
    bounds: Bounds,
    pub states: Vec<State>,
    pub findings: Findings,
}

impl Sweep {
    pub fn new(
        mut samples: Sorted,
        members: Arc<Vec<Member>>,
        observed: Arc<Vec<i64>>,
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
                let (member, time) = (record.member, record.time);
                if let Some(more) = self.step(record)?
                    && time >= self.bounds.from
                {
                    counted.push((member, more));
                }
                self.ahead = self.samples.next()?;
            }
            if !counted.is_empty() {
                return Ok(Some(Slice { group: first.0, start: first.1, counted }));
            }
        }
    }

    fn slice_of(&self, time: i64) -> i64 {
        slice(time, self.bounds.slice_micros)
    }

    fn step(&mut self, record: Record) -> Result<Option<Counted>> {
        let start = self.slice_of(record.time);
        let (Some(member), Some(state)) =
            (self.members.get(record.member as usize), self.states.get_mut(record.member as usize))
        else {
            return Ok(None);
        };
        let (time, counts) = (record.time, record.time >= self.bounds.from);
        if member.target.part == Part::Gauge {
            let Sampled::Number(value) = record.value else { return Ok(None) };
            if state.known.is_some_and(|known| time <= known) || !value.is_finite() {
                return Ok(None);
            }
            state.known = Some(time);
            return Ok(Some(Counted::Sample(time, value)));
        }
        match record.value {
            Sampled::Began(at) => {
                state.number.began(at);
                Ok(None)
            }
            Sampled::Number(value) => {
                if value.is_infinite() || value < 0.0 {
                    return Err(bad(member, time, format!("is {value}")).expected("a number of at least 0"));
                }
                let more = match state.number.step(time, value, start) {
                    Step::More(more) => more,
                    Step::Again(more) => {
                        self.findings.again += u64::from(counts);
                        more
                    }
                    Step::Reset(more) => {
                        self.findings.resets += u64::from(counts);
                        more
                    }
                    Step::Nothing => return Ok(None),
                    Step::First => {
                        let rule = member.target.rule;
                        let observed = self.observed.get(member.scraped as usize).is_some_and(|first| *first < time);
                        if observed
                            && self.mapping.rules.get(rule).is_some_and(|rule| rule.new_series == NewSeries::Zero)
                        {
                            value
                        } else {
                            self.findings.first(counts, observed, value);
                            return Ok(None);
                        }
                    }
                };
                match member.target.part {
                    Part::LatencySum(_) => {}
                    _ if more.fract() == 0.0 => {}
                    _ => {
                        let problem = format!("rises by {more}, which is no whole number");
                        return Err(bad(member, time, problem)
                            .expected("a counter of requests or events")
                            .advice("Is it a rate, or a sum of seconds? Map the counter from which it is computed"));
                    }
                }
                Ok(Some(Counted::Number(more)))
            }
            Sampled::Histogram(histogram) => Ok(match state.histogram.step(time, &histogram) {
                HistogramStep::More(more) => Some(Counted::Histogram(more)),
                HistogramStep::Reset(all) => {
                    self.findings.resets += u64::from(counts);
                    Some(Counted::Histogram(NativeHistogram::clone(&all)))
                }
                HistogramStep::Nothing => None,
                HistogramStep::First => {
                    self.findings.first(counts, false, histogram.count);
                    None
                }
            }),
        }
    }
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
