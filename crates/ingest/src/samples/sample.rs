//! A sample.

use std::fmt;
use std::sync::Arc;

use super::{Labels, NativeHistogram};

/// What a series was at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Which series. Samples of one series that follow each other mostly share this.
    pub labels: Arc<Labels>,
    /// When, in µs since 1970.
    pub time: i64,
    /// What.
    pub value: Value,
    /// Since when the value counts.
    pub temporality: Temporality,
}

/// The value of a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number; NaN is none.
    Number(f64),
    /// A native histogram.
    Histogram(Arc<NativeHistogram>),
}

/// Since when a value counts, as OpenTelemetry calls it. What is no counter is cumulative since an unknown instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Temporality {
    /// Since the counter began, in µs, where that is told.
    Cumulative(Option<i64>),
    /// Since the sample before: an increment, that began then, in µs, where that is told.
    Delta(Option<i64>),
}

impl Sample {
    /// When its increment was counted, in µs: where an interval is told, the last instant in it, so that an interval which ends with a
    /// slice lies in it.
    pub(crate) fn counted_at(&self) -> i64 {
        match self.temporality {
            Temporality::Cumulative(None) => self.time,
            Temporality::Cumulative(Some(_)) | Temporality::Delta(_) => self.time.saturating_sub(1),
        }
    }
}

/// As the text format has it, with its time in milliseconds.
impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.labels)?;
        match &self.value {
            Value::Number(number) => write!(f, "{number}")?,
            Value::Histogram(histogram) => write!(f, "{histogram:?}")?,
        }
        write!(f, " {}", self.time.div_euclid(1_000))
    }
}
