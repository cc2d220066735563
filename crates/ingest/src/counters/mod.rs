//! The algebra of counters: samples of a counter in, increments out.
//!
//! A counter only grows, until whatever counts begins again at 0. So between two samples that follow each other it grew by their
//! difference, or, if the later one is lower, by the later one: what was counted before the reset and after the last sample is
//! not known to anybody. An increment belongs to the instant of the later sample, because only then it was seen. Of the first
//! sample nothing is known but that it was reached.
//!
//! Exact: nothing is extrapolated, and the increments between two samples are the same whatever lies between. Gaps, NaN and
//! marks of staleness are no samples: a series goes on where it was left.

mod counter;
mod histogram;

pub use counter::{Counter, Step};
pub(crate) use histogram::is_stale;
pub use histogram::{HistogramCounter, HistogramStep};
