//! Collecting samples for the rules of a mapping.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;
use nines_slo::{Counted, Mapping};
use nines_store::TableKind;

use super::spool::Sampled;
use super::tally::Tally;
use super::targets::{Target, targets};
use crate::counters::is_stale;
use crate::found::Found;
use crate::samples::{self, Labels, Sample, Temporality, Value};
use crate::time::Clock;
use crate::{Limits, Progress, Rejected, Result};

/// Samples that were read, by table, and what they were.
#[derive(Debug)]
pub struct Collected {
    mapping: Arc<Mapping>,
    /// Those of the tables that the mapping fills.
    pub tallies: Vec<Tally>,
    /// All samples that were read.
    pub samples: u64,
    /// Those of series that meet a rule.
    pub matched: u64,
    /// Samples that are none: NaN and marks of staleness.
    pub stale: u64,
    /// The first and the last instant of a sample that counts, in µs.
    pub range: Option<(i64, i64)>,
    /// What the files were, with how many of each.
    pub formats: BTreeMap<String, u64>,
    /// Where files end within a message.
    pub cut: Vec<String>,
    /// Values of labels, and which of them are too many.
    values: Found,
    series: HashSet<Arc<Labels>>,
    /// Which selectors of the mapping were met.
    met: Vec<bool>,
    /// By rule, column and label: series that were to have the label, and how many do not.
    labelled: BTreeMap<(usize, String, String), (u64, u64)>,
    /// The series of the sample before, and whether it meets a rule: samples of a series mostly follow each other.
    last: Option<(Arc<Labels>, bool)>,
    /// The instants that samples may have.
    limits: Option<Limits>,
}

/// A selector that no series meets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmatched {
    /// The line of its rule in the mapping.
    pub line: usize,
    /// The selector.
    pub selector: String,
}

/// A label that is to fill a column and that series of a rule do not have: all of them, or some where it fills the status.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unlabelled {
    /// The line of the rule in the mapping.
    pub line: usize,
    /// The column.
    pub column: String,
    /// The label.
    pub label: String,
    /// Series of the rule.
    pub series: u64,
    /// Those without the label.
    pub missing: u64,
}

impl Collected {
    /// Nothing yet.
    pub fn new(mapping: Arc<Mapping>) -> Self {
        let kinds = [TableKind::Requests, TableKind::Events, TableKind::Gauges];
        let fills = |kind: TableKind| mapping.rules.iter().any(|rule| table(&rule.what) == kind);
        let tallies = kinds.into_iter().filter(|kind| fills(*kind)).map(|kind| Tally::new(kind, &mapping)).collect();
        let met = vec![false; mapping.selectors().count()];
        Collected {
            mapping,
            tallies,
            samples: 0,
            matched: 0,
            stale: 0,
            range: None,
            formats: BTreeMap::new(),
            cut: Vec::new(),
            values: Found::default(),
            series: HashSet::new(),
            met,
            labelled: BTreeMap::new(),
            last: None,
            limits: None,
        }
    }

    /// Samples may be of these instants alone.
    #[must_use]
    pub fn within(self, limits: Option<Limits>) -> Self {
        Collected { limits, ..self }
    }

    /// Adds the samples of a file. What is refused ends it, or is written into `rejected`.
    pub fn add_file(&mut self, path: &Path, progress: &Arc<Progress>, rejected: Option<&Rejected>) -> Result<()> {
        let read = samples::read_file(path, progress, rejected, &mut |sample| {
            progress.add_rows(1);
            self.add(&sample)
        })?;
        *self.formats.entry(read.format).or_default() += 1;
        self.cut.extend(read.cut);
        Ok(())
    }

    /// Adds a sample. One that is refused counts nowhere.
    pub fn add(&mut self, sample: &Sample) -> Result<()> {
        let labels = &sample.labels;
        let meets = match &self.last {
            Some((last, meets)) if Arc::ptr_eq(last, labels) || last == labels => *meets,
            _ => {
                let meets = self.meets(labels)?;
                self.last = Some((Arc::clone(labels), meets));
                meets
            }
        };
        let value = match &sample.value {
            Value::Number(number) => Sampled::Number(*number),
            Value::Histogram(histogram) => Sampled::Histogram(Arc::clone(histogram)),
        };
        // `x_created` says when `x_total` began.
        let began = labels.metric().strip_suffix("_created").filter(|_| !meets);
        if let (Some(base), Sampled::Number(seconds)) = (began, &value)
            && seconds.is_finite()
        {
            self.samples += 1;
            let counter = Arc::new(labels.named(&format!("{base}_total")));
            if self.meets(&counter)? {
                let began = Sampled::Began((seconds * 1e6) as i64);
                self.tallies
                    .iter_mut()
                    .try_for_each(|tally| tally.add(&counter, sample.time, &began, Temporality::Cumulative(None)))?;
            }
            return Ok(());
        }
        if !meets {
            self.samples += 1;
            return Ok(());
        }
        let is_none = match &sample.value {
            Value::Number(number) => number.is_nan(),
            Value::Histogram(histogram) => is_stale(histogram),
        };
        if !is_none {
            Clock::of_series(Tz::UTC).within(self.limits).instant_in_range(sample.time)?;
            self.tallies.iter().try_for_each(|tally| tally.check(sample))?;
        }
        self.samples += 1;
        self.matched += 1;
        if is_none {
            self.stale += 1;
            return Ok(());
        }
        let (first, last) = self.range.unwrap_or((sample.time, sample.time));
        self.range = Some((first.min(sample.time), last.max(sample.time)));
        let at = sample.counted_at();
        self.tallies.iter_mut().try_for_each(|tally| tally.add(labels, at, &value, sample.temporality))
    }

    /// Whether a series meets a rule; the first time, what it counts for is noted.
    fn meets(&mut self, labels: &Arc<Labels>) -> Result<bool> {
        if self.series.contains(labels) {
            return Ok(true);
        }
        let found: Vec<Target> = targets(&self.mapping, labels, &self.values)?;
        if found.is_empty() {
            return Ok(false);
        }
        self.series.insert(Arc::clone(labels));
        let mut rules: Vec<usize> = found.iter().map(|target| target.rule).collect();
        rules.dedup();
        rules.into_iter().for_each(|rule| self.note_labels(rule, labels));
        for target in found {
            if let Some(met) = self.met.get_mut(target.selector) {
                *met = true;
            }
            if let Some(tally) = self.tallies.iter_mut().find(|tally| tally.kind() == target.table) {
                tally.add_series(labels, target);
            }
        }
        Ok(true)
    }

    /// Notes which of the labels that fill columns of a rule's rows a series has.
    fn note_labels(&mut self, rule: usize, labels: &Labels) {
        let Some(of) = self.mapping.rules.get(rule) else { return };
        for (column, label) in of.filled() {
            let (series, missing) = self.labelled.entry((rule, column.to_string(), label.to_string())).or_default();
            *series += 1;
            *missing += u64::from(labels.get(label).is_empty());
        }
    }

    /// Labels that are to fill columns and that no series of the rule has; of a status, also those that some do not have.
    pub fn unlabelled(&self) -> Vec<Unlabelled> {
        let all = self.labelled.iter().filter_map(|((rule, column, label), &(series, missing))| {
            let is_told = missing == series || column == "status" && missing > 0;
            let line = self.mapping.rules.get(*rule).filter(|_| is_told)?.line;
            Some(Unlabelled { line, column: column.clone(), label: label.clone(), series, missing })
        });
        all.collect()
    }

    /// Series that meet a rule.
    pub fn series(&self) -> u64 {
        self.series.len() as u64
    }

    /// By label, series whose value is called `other` because there are too many.
    pub fn others(&self) -> Vec<(String, u64)> {
        self.values.others()
    }

    /// The selectors that no series met.
    pub fn unmatched(&self) -> Vec<Unmatched> {
        let selectors = self.mapping.selectors().zip(&self.met).filter(|(_, met)| !**met);
        selectors.map(|((line, selector), _)| Unmatched { line, selector: selector.to_string() }).collect()
    }
}

/// The table that a rule fills.
fn table(what: &Counted) -> TableKind {
    match what {
        Counted::Counter { .. } | Counted::Histogram { .. } => TableKind::Requests,
        Counted::Events { .. } => TableKind::Events,
        Counted::Gauge { .. } => TableKind::Gauges,
    }
}
