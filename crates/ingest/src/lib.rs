//! Files in, record batches of a stored table out.
//!
//! Each format (CSV, JSON lines, Parquet, access logs) lives in one file under `formats/`. Text
//! formats are counted up per slice and key while they are read, in memory that does not grow with
//! the file: when too many keys are held they are handed out and counting starts afresh, so **a key
//! may come out more than once**. The store's writer sorts and combines. Parquet and the results
//! of a SQL mapping are already columns; [`conform`] fits them to the table and leaves combining to
//! the writer.
//!
//! What must hold: every batch has exactly the schema of [`TableKind::schema`]; `time` is the start
//! of its slice; a value that cannot be represented is an error with its place, never NULL and never
//! another value; a column that nobody asked for is an error, so that a typo cannot vanish. The first
//! error ends the read, because a batch is stored whole or not at all. Nothing is written here.
//!
//! [`TableKind::schema`]: nines_store::TableKind::schema

mod build;
mod columns;
mod conform;
mod error;
mod fields;
mod format;
mod formats;
mod input;
mod latency;
mod lines;
mod options;
mod progress;
mod read;
mod rows;
mod stream;
#[cfg(test)]
mod testing;
mod time;

pub use conform::conform;
pub use error::{ErrorKind, IngestError, Result};
pub use format::Format;
pub use options::Options;
pub use progress::Progress;
pub use read::{Batches, read, read_from};
pub use stream::stream;
pub use time::instant;
