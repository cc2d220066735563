//! The algebra of Nines: counts → timeline → union → figures.
//!
//! A [`Timeline`] says for every slice of a span whether the service was ok, in error, not measured or
//! excluded, kept as runs because errors are rare and clustered. [`union`] combines timelines so that
//! every slice counts once; figures such as availability, MTTR and MTBF are read off one timeline.
//!
//! Pure arithmetic, on integers but for the trend of figures: no I/O, no Arrow, no clock. Instants and durations are microseconds
//! (`i64`), instants since the Unix epoch; a figure divides integers once, at the end.

mod budget;
mod burn_alerts;
mod edit;
mod exact;
mod failures;
mod figures;
mod grid;
pub mod histogram;
mod interval;
mod seconds;
mod share;
mod sources;
mod sweep;
mod timeline;
mod trend;
mod union;

pub use budget::{Budget, RATIO, ratio};
pub use burn_alerts::{Alert, Burning, Rule, Spell, burn_alerts};
pub use exact::ExactSum;
pub use failures::Failure;
pub use grid::Grid;
pub use interval::{Interval, intersection, normalize, without};
pub use seconds::{micros, seconds};
pub use share::{ALLOWANCE, Share, ShareError, gcd, quotient};
pub use sources::{Sources, error_sources};
pub use timeline::{Builder, Run, State, Timeline, TimelineError};
pub use trend::{Trend, theil_sen};
pub use union::union;

/// Microseconds per second: the unit of instants against the unit of figures.
pub const MICROS: i64 = 1_000_000;
