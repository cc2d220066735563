//! Latencies of the requests of a slice and key.

use std::sync::Arc;

use nines_timeline::histogram::Histogram;
use nines_timeline::{micros, seconds};

use super::{overflow, sum};
use crate::agreed::Within;
use crate::latency::CountsLe;
use crate::{IngestError, Result};

/// What one row says of latencies.
#[derive(Debug, Default)]
pub(crate) struct LatencyRow {
    /// The latency of each of the row's requests. Excludes `sum` and `histogram`.
    pub seconds: Option<f64>,
    pub sum: Option<f64>,
    pub histogram: Option<Histogram>,
    pub le: Option<CountsLe>,
}

/// Latencies counted for a key.
#[derive(Debug, Default)]
pub(super) struct Latency {
    /// Microseconds.
    micros: Option<i128>,
    pub histogram: Option<Histogram>,
    /// Observations in the histogram: no bucket can overflow while this does not.
    observations: i64,
    /// Exact counts that rows brought with them.
    le: Option<CountsLe>,
    /// Exact counts of requests whose latencies are known one by one.
    within: Option<Within>,
    /// Whether there are latencies that no exact count holds.
    is_in_part: bool,
    /// Whether rows brought exact counts and no latencies.
    is_alone: bool,
}

impl LatencyRow {
    pub(super) fn is_given(&self) -> bool {
        self.seconds.is_some() || self.sum.is_some() || self.histogram.is_some() || self.le.is_some()
    }
}

impl Latency {
    /// Adds a row, or nothing of it where it is refused. Requests within `agreed` limits are counted exactly.
    pub(super) fn add(&mut self, row: LatencyRow, requests: i64, agreed: Option<&Arc<[i64]>>) -> Result<()> {
        if row.seconds.is_some() && (row.sum.is_some() || row.histogram.is_some()) {
            return Err(IngestError::bad_line("latency_seconds stands beside latency or latency_sum")
                .column("latency_seconds")
                .expected("one or the other: latency_seconds fills both"));
        }
        let seconds = row.seconds.filter(|_| requests > 0);
        let (mut micros, mut observations) = (self.micros, self.observations);
        if let Some(seconds) = seconds {
            observations = sum("latency", observations, requests)?;
            micros = Some(added(micros, seconds * requests as f64)?);
        }
        if let Some(sum) = row.sum {
            micros = Some(added(micros, sum)?);
        }
        if let Some(histogram) = &row.histogram {
            let more = histogram.count().map_err(|_| overflow("latency"))?;
            observations = sum("latency", observations, more)?;
        }
        let (brings_counts, has_latencies) = (row.le.is_some(), seconds.is_some() || row.histogram.is_some());
        let is_alone = self.is_alone || (brings_counts && !has_latencies);
        if is_alone && (has_latencies || self.histogram.is_some()) {
            // A row that has latencies is counted by them: what the counts alone hold would be lost.
            return Err(IngestError::bad_line("latency_le stands alone here, and beside latencies in another row")
                .column("latency_le")
                .expected("one or the other for the same slice and key")
                .advice("Give the rows different sources"));
        }
        let le = match (&self.le, row.le) {
            (Some(before), Some(more)) => Some(counts_le(before, &more)?),
            (None, more) => more,
            (Some(_), None) => self.le.take(),
        };
        // From here on nothing is refused: no bucket can overflow while their sum does not.
        (self.micros, self.observations, self.le, self.is_alone) = (micros, observations, le, is_alone);
        match (seconds, agreed) {
            _ if brings_counts => {}
            (Some(seconds), Some(limits)) => {
                self.within.get_or_insert_with(|| Within::of(limits)).add(seconds, requests)
            }
            _ => self.is_in_part |= has_latencies,
        }
        if let Some(seconds) = seconds {
            self.histogram.get_or_insert_default().record(seconds, requests).map_err(|_| overflow("latency"))?;
        }
        if let Some(histogram) = row.histogram {
            self.histogram.get_or_insert_default().merge(&histogram).map_err(|_| overflow("latency"))?;
        }
        Ok(())
    }

    /// Exact counts, if they hold all latencies.
    pub(super) fn counts_le(&self) -> Option<CountsLe> {
        match (&self.le, &self.within) {
            _ if self.is_in_part => None,
            (Some(le), None) => Some(le.clone()),
            (None, Some(within)) => Some(within.counts()),
            // Of some rows and of others: exact for all where both were counted.
            (Some(le), Some(within)) => {
                let within = within.counts();
                let both = le.iter().filter_map(|(limit, count)| {
                    let at = within.binary_search_by_key(limit, |(limit, _)| *limit).ok()?;
                    Some((*limit, count.checked_add(within.get(at)?.1)?))
                });
                Some(both.collect::<CountsLe>()).filter(|both| !both.is_empty())
            }
            (None, None) => None,
        }
    }

    /// Seconds.
    pub(super) fn sum(&self) -> Option<f64> {
        self.micros.map(seconds)
    }

    pub(super) fn bytes(&self) -> usize {
        let buckets = self.histogram.as_ref().map_or(0, |histogram| histogram.buckets.capacity());
        let counts = self.le.as_ref().map_or(0, Vec::capacity);
        let within = self.within.as_ref().map_or(0, Within::bytes);
        std::mem::size_of::<Self>() + (buckets + counts) * 16 + within
    }
}

/// Whole microseconds, as they are stored: their sum does not depend on the order of rows.
fn added(before: Option<i128>, more: f64) -> Result<i128> {
    let sum = micros(more).and_then(|more| before.unwrap_or(0).checked_add(more));
    sum.ok_or_else(|| overflow("latency_sum"))
}

/// Counts at the same thresholds, added.
fn counts_le(before: &CountsLe, more: &CountsLe) -> Result<CountsLe> {
    if thresholds(before) != thresholds(more) {
        let found = format!("latency_le has the thresholds {:?} µs", thresholds(more));
        return Err(IngestError::bad_line(found)
            .column("latency_le")
            .expected(format!("{:?} as before for the same slice and key", thresholds(before))));
    }
    before.iter().zip(more).map(|((le, a), (_, b))| Ok((*le, sum("latency_le", *a, *b)?))).collect()
}

fn thresholds(counts: &CountsLe) -> Vec<i64> {
    counts.iter().map(|&(le, _)| le).collect()
}
