//! The samples of one table: who they are of, in which order, and how they become rows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use nines_slo::Mapping;
use nines_store::TableKind;

use super::findings::Findings;
use super::member::{Member, State};
use super::records::MetricRecords;
use super::spool::{Record, Sampled, Spool};
use super::sweep::{Bounds, Observed, Passed, Sweep, bad};
use super::targets::{Part, Target, Unit};
use crate::counters::{Counter, HistogramCounter};
use crate::samples::{Labels, Sample, Temporality, Value};
use crate::{Batches, ErrorKind, IngestError, Options, Progress, Result};

/// From here on a count does not fit into a column.
const MOST_COUNTED: f64 = 9_223_372_036_854_775_808.0;

/// The samples of one table.
#[derive(Debug)]
pub struct Tally {
    kind: TableKind,
    members: Arc<Vec<Member>>,
    units: Arc<Vec<Unit>>,
    unit_numbers: HashMap<Unit, u32>,
    /// Which series are of one histogram.
    histograms: HashMap<(u32, i32, String, Labels), u32>,
    /// The last one read; the members of a series follow each other.
    by_series: HashMap<Arc<Labels>, Vec<u32>>,
    spool: Spool,
    /// Which targets of a scrape, by rule, job and instance, there are.
    scraped: HashMap<(usize, String, String), u32>,
    /// When the first samples of these, and of the rules, were taken.
    observed: Observed,
    mapping: Arc<Mapping>,
    passed: Arc<Mutex<Option<Passed>>>,
    /// Samples before this instant, in µs, are left out.
    pub known_until: Option<i64>,
    /// How many were.
    pub known: u64,
}

impl Tally {
    pub(super) fn new(kind: TableKind, mapping: &Arc<Mapping>) -> Self {
        Tally {
            kind,
            members: Arc::default(),
            units: Arc::default(),
            unit_numbers: HashMap::new(),
            histograms: HashMap::new(),
            by_series: HashMap::new(),
            spool: Spool::default(),
            scraped: HashMap::new(),
            observed: Observed { targets: Vec::new(), rules: vec![i64::MAX; mapping.rules.len()] },
            mapping: Arc::clone(mapping),
            passed: Arc::default(),
            known_until: None,
            known: 0,
        }
    }

    /// The table.
    pub fn kind(&self) -> TableKind {
        self.kind
    }

    /// Adds what a series counts for.
    pub(super) fn add_series(&mut self, labels: &Arc<Labels>, target: Target) {
        let next = self.unit_numbers.len() as u32;
        let group = *self.unit_numbers.entry(target.unit.clone()).or_insert(next);
        if group == next {
            Arc::make_mut(&mut self.units).push(target.unit.clone());
        }
        let histogram = match target.part {
            Part::Bucket(_) => {
                let next = self.histograms.len() as u32;
                let key = (group, target.status, target.cause.clone(), labels.without("le"));
                *self.histograms.entry(key).or_insert(next)
            }
            _ => 0,
        };
        let next = self.scraped.len() as u32;
        let (job, instance) = labels.target();
        let key = (target.rule, job.to_string(), instance.to_string());
        let scraped = *self.scraped.entry(key).or_insert(next);
        if scraped == next {
            self.observed.targets.push(i64::MAX);
        }
        let number = self.members.len() as u32;
        Arc::make_mut(&mut self.members).push(Member {
            labels: Arc::clone(labels),
            target,
            is_first: !self.by_series.contains_key(labels),
            group,
            histogram,
            scraped,
            newest: None,
            oldest: i64::MAX,
            is_resumed: false,
            state: State::default(),
        });
        self.by_series.entry(Arc::clone(labels)).or_default().push(number);
    }

    /// Refuses a sample that what it counts for cannot have.
    pub(super) fn check(&self, sample: &Sample) -> Result<()> {
        // Nearly all of them: whatever such a sample counts for can have it, so that nothing needs to be looked up.
        if let (Value::Number(value), Temporality::Cumulative(_)) = (&sample.value, sample.temporality)
            && (0.0..MOST_COUNTED).contains(value)
        {
            return Ok(());
        }
        if self.known_until.is_some_and(|until| sample.counted_at() < until) {
            return Ok(());
        }
        let numbers = self.by_series.get(&sample.labels).into_iter().flatten();
        for member in numbers.filter_map(|&number| self.members.get(number as usize)) {
            let is_native = member.target.part.is_native();
            let wrong = match (&sample.value, member.target.part, sample.temporality) {
                // It is the mapping that is wrong, and not a line.
                (Value::Number(_), Part::Gauge, Temporality::Delta(_)) => {
                    let problem = format!("series {}: it says by how much it changed, not what it is", member.labels);
                    return Err(IngestError::new(ErrorKind::Options, problem)
                        .expected("values for a gauge, of cumulative temporality")
                        .advice("Map it as a counter of events"));
                }
                (Value::Number(_), Part::Gauge, Temporality::Cumulative(_)) => None,
                (Value::Number(value), ..) if !is_native && !(0.0..MOST_COUNTED).contains(value) => Some(*value),
                (Value::Histogram(all), ..) if is_native => {
                    let mut counts = [all.count, all.zero].into_iter().chain(all.buckets.values().copied());
                    counts.find(|count| !(0.0..MOST_COUNTED).contains(count))
                }
                _ => None,
            };
            if let Some(wrong) = wrong {
                let expected = "a number of at least 0, and below 2^63";
                return Err(bad(member, sample.time, format!("is {wrong}")).expected(expected));
            }
        }
        Ok(())
    }

    /// Adds a sample of a series to all that it counts for.
    pub(super) fn add(
        &mut self,
        labels: &Arc<Labels>,
        time: i64,
        value: &Sampled,
        temporality: Temporality,
    ) -> Result<()> {
        let Some(numbers) = self.by_series.get(labels) else { return Ok(()) };
        if self.known_until.is_some_and(|until| time < until) {
            self.known += 1;
            return Ok(());
        }
        let members = Arc::make_mut(&mut self.members);
        for &number in numbers {
            let Some(member) = members.get_mut(number as usize) else { continue };
            let fits = match (value, member.target.part) {
                (Sampled::Histogram(_), part) => part.is_native(),
                (_, part) => !part.is_native(),
            };
            let newest = match value {
                Sampled::Number(value) => Some(*value),
                Sampled::Histogram(_) => Some(0.0),
                Sampled::Began(_) => None,
            };
            if !fits || newest.is_some_and(f64::is_nan) {
                continue;
            }
            if let Some(value) = newest {
                let is_newer =
                    member.newest.is_none_or(|(newest, before)| time > newest || time == newest && value > before);
                member.newest = if is_newer { Some((time, value)) } else { member.newest };
            }
            member.oldest = member.oldest.min(time);
            let observed = &mut self.observed;
            for first in [observed.targets.get_mut(member.scraped as usize), observed.rules.get_mut(member.target.rule)]
                .into_iter()
                .flatten()
            {
                *first = time.min(*first);
            }
            let value = value.clone();
            self.spool.push(Record { group: member.group, time, member: number, value, temporality })?;
        }
        Ok(())
    }

    /// Whether there is a series.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The names under which the last samples of series are remembered, and whether only their time is: a gauge goes on from no
    /// value, and that of a native histogram is no number.
    pub fn remembered(&self) -> Vec<(usize, String, bool)> {
        let only_time = |part: Part| part == Part::Gauge || part.is_native();
        self.members.iter().enumerate().map(|(at, member)| (at, member.name(), only_time(member.target.part))).collect()
    }

    /// The last sample of a series among those that were read: when, in µs, and what.
    pub fn newest(&self, at: usize) -> Option<(i64, f64)> {
        self.members.get(at)?.newest
    }

    /// Continues a series after a sample that is stored. What was continued before is begun again.
    pub fn resume(&mut self, at: usize, last: Option<(i64, f64)>) {
        let Some(member) = Arc::make_mut(&mut self.members).get_mut(at) else { return };
        member.is_resumed = last.is_some();
        member.state = match last {
            Some((time, _)) if member.target.part == Part::Gauge => State { known: Some(time), ..State::default() },
            Some((time, _)) if member.target.part.is_native() => {
                State { histogram: HistogramCounter::after(time), ..State::default() }
            }
            Some((time, value)) => State { number: Counter::after(time, value), ..State::default() },
            None => State::default(),
        };
        let Some((time, _)) = last else { return };
        if let Some(observed) = self.observed.targets.get_mut(member.scraped as usize) {
            *observed = i64::MIN;
        }
        if let Some(observed) = self.observed.rules.get_mut(member.target.rule) {
            *observed = time.min(*observed);
        }
    }

    /// Series whose samples are all older than what is stored of them, and how many of the others begin before.
    pub fn known_series(&self) -> (u64, u64) {
        let (mut whole, mut part) = (0, 0);
        for member in self.members.iter().filter(|member| member.is_resumed) {
            let State { number, histogram, known, .. } = &member.state;
            let known = known.or(number.last().map(|(time, _)| time)).or(histogram.time());
            let is_known = |time: i64| known.is_some_and(|known| time <= known);
            if member.newest.is_some_and(|(newest, _)| is_known(newest)) {
                whole += 1;
            } else if is_known(member.oldest) {
                part += 1;
            }
        }
        (whole, part)
    }

    /// The rows of the samples that were added: aggregates of whole slices. Samples before `from`, in µs, say only from where
    /// counters go on. One pass; it may be made again, but not beside another one.
    pub fn batches(&mut self, options: Options, from: i64, progress: Arc<Progress>) -> Result<Batches> {
        let bounds = Bounds { slice_micros: options.slice_micros()?, from };
        let (members, observed) = (Arc::clone(&self.members), Arc::new(self.observed.clone()));
        let sweep = Sweep::new(self.spool.sorted()?, members, observed, Arc::clone(&self.mapping), bounds)?;
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = None;
        MetricRecords::batches(sweep, Arc::clone(&self.units), Arc::clone(&self.passed), options, progress)
    }

    /// Takes the samples as counted, once their rows are stored: the next ones follow them. What was found in the pass.
    pub fn accept(&mut self) -> Findings {
        let passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        let members = Arc::make_mut(&mut self.members);
        for (member, state) in members.iter_mut().zip(passed.states) {
            member.state = state;
        }
        self.spool = Spool::default();
        passed.findings
    }
}
