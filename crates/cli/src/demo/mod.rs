//! A believable service-level history from a seed: what `nines demo` fills a store with.
//!
//! Three businesses with twelve services, busy by day and quiet by night; requests with statuses, causes and
//! latencies; business events; gauges; [`incidents`] that explain nearly every slice in error, as people recorded them; and
//! what the company promises, [`DEFINITIONS`]. Nothing is read and
//! nothing is measured: the same [`Spec`] gives the same rows for ever, and a history of 34 days or more is the
//! tail of any longer one with the same end.
//!
//! What must hold:
//! - a key occurs once in a slice, and each batch is one UTC day in key order, so that stores need not sort;
//! - errors that are charged to somebody come from incidents: the background never breaks a slice at 99 %;
//! - no allocation per row: 90 days are a few million rows.

mod catalog;
mod definitions;
mod events;
mod gauges;
mod incident;
mod latency;
mod records;
mod requests;
mod rhythm;
mod rng;
mod story;
#[cfg(test)]
mod tests;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StructArray, new_null_array};
use datafusion::arrow::datatypes::SchemaRef;

pub use definitions::DEFINITIONS;
pub use events::events;
pub use gauges::gauges;
pub use incident::{Incident, Kind};
pub use records::{exclusion_records, incident_records};
pub use requests::requests;
pub use story::{incidents, worst_login_week};

const MINUTE: i64 = 60 * nines_timeline::MICROS;
const HOUR: i64 = 60 * MINUTE;
/// A day in µs.
pub const DAY: i64 = 24 * HOUR;

/// The `source` of every row that no probe measured.
pub const SOURCE: &str = "demo";

/// Everything the generator needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    pub seed: u64,
    /// Length of the history.
    pub days: u32,
    /// Exclusive end of the history in µs, the beginning of a UTC day.
    pub end: i64,
    /// The store's slice width; divides a day.
    pub slice_seconds: i64,
}

impl Spec {
    /// Inclusive start of the history in µs.
    pub fn start(&self) -> i64 {
        self.end - i64::from(self.days) * DAY
    }

    /// The first instants of the history's days, oldest first.
    fn days(self) -> impl Iterator<Item = i64> + Send + use<> {
        (0..i64::from(self.days)).map(move |day| self.start() + day * DAY)
    }

    fn slice_micros(&self) -> i64 {
        self.slice_seconds * nines_timeline::MICROS
    }

    fn slices_per_day(&self) -> i64 {
        DAY / self.slice_micros()
    }

    /// Rates are given per minute; this turns them into rates per slice.
    fn minutes_per_slice(&self) -> f64 {
        self.slice_seconds as f64 / 60.0
    }
}

/// What a stream of random numbers is for; see [`rng::Rng::of`].
mod stream {
    pub(super) const STORY: i64 = 1;
    pub(super) const WORST_WEEK: i64 = 2;
    pub(super) const RHYTHM: i64 = 3;
    pub(super) const REQUESTS: i64 = 4;
    pub(super) const EVENTS: i64 = 5;
    pub(super) const PROBES: i64 = 6;
    pub(super) const QUEUE: i64 = 7;
}

/// A batch of these columns in the schema's order; what comes behind them has no values. Columns that do not fit the schema are a bug
/// of this module.
fn batch(schema: &SchemaRef, mut columns: Vec<ArrayRef>) -> RecordBatch {
    let rows = columns.first().map_or(0, |column| column.len());
    let rest = schema.fields().iter().skip(columns.len());
    columns.extend(rest.map(|field| new_null_array(field.data_type(), rows)).collect::<Vec<_>>());
    RecordBatch::from(StructArray::new(schema.fields().clone(), columns, None))
}
