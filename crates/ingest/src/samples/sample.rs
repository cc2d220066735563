//! A sample, and what reads samples.

use std::sync::Arc;

use super::{Labels, NativeHistogram};
use crate::Result;

/// What a series was at an instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Which series. Samples of one series that follow each other mostly share this.
    pub labels: Arc<Labels>,
    /// When, in µs since 1970.
    pub time: i64,
    /// What.
    pub value: Value,
}

/// The value of a sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number; NaN is none.
    Number(f64),
    /// A native histogram.
    Histogram(Arc<NativeHistogram>),
}

/// A format of samples.
pub(crate) trait Reader {
    /// Reads all samples and hands them on. An error says where it lies; one of `take` gets the place of its sample.
    fn read(&mut self, take: &mut dyn FnMut(Sample) -> Result<()>) -> Result<()>;
}
