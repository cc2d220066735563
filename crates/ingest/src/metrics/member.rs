//! A series in one of its parts: what is followed from sample to sample.

use std::sync::Arc;

use super::targets::Target;
use crate::counters::{Counter, HistogramCounter};
use crate::hash::{Hash, hex};
use crate::samples::Labels;

/// A series in one of its parts.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub labels: Arc<Labels>,
    pub target: Target,
    /// Whether it is the first of the series' parts in the table: what is found of its samples is told once.
    pub is_first: bool,
    /// Where its unit stands.
    pub group: u32,
    /// Of a bucket: which series are of the same histogram.
    pub histogram: u32,
    /// What was scraped, by number: who else has its job and instance.
    pub scraped: u32,
    /// The last sample of the files, and the first one.
    pub newest: Option<(i64, f64)>,
    pub oldest: i64,
    /// Whether it was continued from what is stored.
    pub is_resumed: bool,
    /// What is known of it before the samples that wait.
    pub state: State,
}

/// What is known of a series after its samples so far.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub number: Counter,
    pub histogram: HistogramCounter,
    /// What its number was before it last began again.
    pub fell_from: Option<f64>,
    /// How often it seemed to be another counter.
    pub other_counter: u32,
    /// Samples of a gauge up to this instant are stored.
    pub known: Option<i64>,
}

impl Member {
    /// The name under which its last sample is remembered: that of what it counts for, so that another mapping begins anew. The labels
    /// of its rows are not in it: which of their values are kept depends on the files.
    pub fn name(&self) -> String {
        let Target { unit, status, cause, part, table, .. } = &self.target;
        let hash = Hash::new()
            .field(table.name())
            .field(&unit.business)
            .field(&unit.service)
            .field(&unit.endpoint)
            .field(&unit.customer)
            .field(&unit.name)
            .field(status.to_string())
            .field(cause)
            .field(format!("{part:?}"))
            .field(self.labels.to_string());
        hex(&hash.finish(), 32)
    }
}
