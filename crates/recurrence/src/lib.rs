//! What recurs by the clock of a zone: a rule of dates (RFC 5545, 3.3.10), from when until when on each of them, and the zone.
//!
//! ```text
//! rule ─▶ dates ─▶ local start and end ─▶ instants [start, end)
//! ```
//! The crate `rrule` reads rules and steps through dates. It is asked for dates in UTC alone, where no clock ever changes: how local
//! times become instants is said here, in [`first_instant_at`], and by nobody else.
//!
//! An occurrence is named by the local date on which it starts: no rule has two on one date.

mod clock;
mod recurrence;
mod rule;
mod words;

pub use clock::first_instant_at;
pub use recurrence::{Occurrence, Occurrences, Recurrence, Unfit, series_of};
pub use rule::{Rule, RuleError};
