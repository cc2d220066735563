//! Samples of metrics become rows: a mapping says which, the algebra of [counters](crate::counters) how many.
//!
//! ```text
//! samples ──targets──▶ members: a series in each part of a row that it counts for
//!         ──spool───▶ in order of unit, time and member, on disk if there are many
//!         ──sweep───▶ what every member counted in each slice
//!         ──records─▶ rows of the table, a unit and slice after the other
//! ```
//!
//! A unit is what rows are of apart from their slice, status and cause. What a slice of a unit counted comes out at once, so
//! that memory is that of the series, not of the samples, and bounds of several histograms can be compared.

mod collect;
mod event_rows;
mod findings;
mod member;
mod records;
mod request_rows;
mod spool;
mod status;
mod sweep;
mod tally;
mod targets;
#[cfg(test)]
mod tests;

pub use collect::{Collected, Unlabelled, Unmatched};
pub use findings::Findings;
pub use tally::Tally;
