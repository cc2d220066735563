//! Latencies of the requests of a slice and key.

use nines_timeline::histogram::Histogram;
use nines_timeline::{micros, seconds};

use super::{overflow, sum};
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
    pub le: Option<CountsLe>,
}

impl LatencyRow {
    pub(super) fn is_given(&self) -> bool {
        self.seconds.is_some() || self.sum.is_some() || self.histogram.is_some() || self.le.is_some()
    }
}

impl Latency {
    pub(super) fn add(&mut self, row: LatencyRow, requests: i64) -> Result<()> {
        if let Some(seconds) = row.seconds {
            if row.sum.is_some() || row.histogram.is_some() {
                return Err(IngestError::bad_line("latency_seconds stands beside latency or latency_sum")
                    .column("latency_seconds")
                    .expected("one or the other: latency_seconds fills both"));
            }
            if requests > 0 {
                self.observations = sum("latency", self.observations, requests)?;
                self.add_seconds(seconds * requests as f64)?;
                self.histogram.get_or_insert_default().record(seconds, requests).map_err(|_| overflow("latency"))?;
            }
        }
        if let Some(sum) = row.sum {
            self.add_seconds(sum)?;
        }
        if let Some(histogram) = row.histogram {
            let observations = histogram.count().map_err(|_| overflow("latency"))?;
            self.observations = sum("latency", self.observations, observations)?;
            self.histogram.get_or_insert_default().merge(&histogram).map_err(|_| overflow("latency"))?;
        }
        match (&mut self.le, row.le) {
            (_, None) => {}
            (le @ None, more) => *le = more,
            (Some(le), Some(more)) => {
                if !le.iter().map(|c| c.0).eq(more.iter().map(|c| c.0)) {
                    return Err(IngestError::bad_line(format!(
                        "latency_le has the thresholds {:?} µs",
                        thresholds(&more)
                    ))
                    .column("latency_le")
                    .expected(format!("{:?} as before for the same slice and key", thresholds(le))));
                }
                for (before, (_, count)) in le.iter_mut().zip(more) {
                    before.1 = sum("latency_le", before.1, count)?;
                }
            }
        }
        Ok(())
    }

    /// Whole microseconds, as they are stored: their sum does not depend on the order of rows.
    fn add_seconds(&mut self, seconds: f64) -> Result<()> {
        let sum = micros(seconds).and_then(|more| self.micros.unwrap_or(0).checked_add(more));
        self.micros = Some(sum.ok_or_else(|| overflow("latency_sum"))?);
        Ok(())
    }

    /// Seconds.
    pub(super) fn sum(&self) -> Option<f64> {
        self.micros.map(seconds)
    }

    pub(super) fn bytes(&self) -> usize {
        let buckets = self.histogram.as_ref().map_or(0, |histogram| histogram.buckets.capacity());
        let counts = self.le.as_ref().map_or(0, Vec::capacity);
        std::mem::size_of::<Self>() + (buckets + counts) * 16
    }
}

fn thresholds(counts: &CountsLe) -> Vec<i64> {
    counts.iter().map(|&(le, _)| le).collect()
}
