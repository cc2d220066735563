//! Files in, record batches of a stored table out.
//!
//! Each format (CSV, JSON lines and documents, Parquet, access logs) lives in one file under `formats/`. The series of
//! text formats are counted up per slice and key while they are read, in memory that does not grow with
//! the file: when too many keys are held they are handed out and counting starts afresh, so **a key
//! may come out more than once**, in the order of the input. The store's writer sorts and combines. Parquet
//! and the results of a SQL mapping are already columns; [`conform`] fits them to the table and leaves
//! combining to the writer. Records (incidents, exclusions, fees) are stored row by row as they are.
//!
//! What must hold: every batch has exactly the schema of [`TableKind::schema`]; `time` is the start
//! of its slice, the instants of a record are as given; a value that cannot be represented is an error with its place, never NULL and never
//! another value; a column that nobody asked for is an error, so that a typo cannot vanish. The first
//! error ends the read, because a batch is stored whole or not at all. Nothing is written here.
//!
//! [`TableKind::schema`]: nines_store::TableKind::schema

mod agreed;
mod calendar;
mod causes;
mod clf;
pub mod clock;
mod columns;
mod conform;
mod counters;
mod encoding;
mod endpoints;
mod ends;
mod error;
mod fields;
mod format;
mod formats;
mod found;
mod from_field;
mod hash;
#[cfg(test)]
mod hostile;
mod input;
mod json_objects;
mod latency;
mod latency_unit;
mod layout;
mod lenient;
mod limits;
mod lines;
mod metrics;
pub mod money;
mod options;
mod order;
mod pieces;
mod progress;
mod raw;
mod read;
mod rejected;
mod rows;
mod samples;
mod scout;
mod seen;
mod stream;
pub mod table;
#[cfg(test)]
mod testing;
mod time;

pub use agreed::AgreedLimits;
pub use causes::CauseNames;
pub use conform::{SampleRows, conform};
pub use counters::{Counter, HistogramCounter, HistogramStep, Step};
pub use endpoints::{EndpointNames, OTHER, Template};
pub use error::{ErrorKind, IngestError, Result};
pub use format::Format;
pub use found::{Found, MOST_VALUES};
pub use from_field::{Fills, FromField};
pub use hash::{Hash, first_64_bits, hex};
pub use latency_unit::LatencyUnit;
pub use layout::{LogFormat, NoRequest};
pub use lenient::conform_rest;
pub use limits::Limits;
pub use metrics::{Collected, Findings, Tally, Unlabelled, Unmatched};
pub use options::{Options, RowsAre};
pub use order::RepeatedHour;
pub use pieces::{Cut, FileId, Log, LogStart, Piece, Tail};
pub use progress::Progress;
pub use raw::{are_raw, is_raw};
pub use read::{Batches, Input, detect, detect_for, read, read_from, read_inputs};
pub use rejected::Rejected;
pub use samples::{Labels, NativeHistogram, Sample, Temporality, Value, read_bytes as read_samples};
pub use seen::Seen;
pub use stream::stream;
pub use time::instant;
