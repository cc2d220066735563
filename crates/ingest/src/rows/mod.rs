//! What the rows of a text input become, row by row and in bounded memory.
//!
//! A row of a [series](SeriesRows) is added up with the others of its slice and key; a row of a [record](RecordRows)
//! is stored as it is. What a table measures, and how two rows of it combine, is one file each.

mod events;
mod gauges;
mod labels;
mod latency;
mod records;
mod requests;
mod series;
mod texts;

use datafusion::arrow::array::RecordBatch;
use nines_store::TableKind;

use crate::columns::{Columns, Named};
use crate::fields::Cell;
use crate::{IngestError, Result};

pub(crate) use events::{Events, EventsRow};
pub(crate) use gauges::{Gauges, GaugesRow};
pub(crate) use labels::whole as whole_labels;
pub(crate) use latency::LatencyRow;
pub(crate) use records::{RecordRows, check_rules};
pub(crate) use requests::{Requests, RequestsRow};
pub(crate) use series::{Measured, SeriesRows};

/// Bytes held at most, roughly.
const MAX_BYTES: usize = 64 << 20;

/// Rows of a batch at most.
const BATCH_ROWS: usize = 8192;

/// The rows of one table. Begin a row, set its fields, add it; once full, take the batches.
pub(crate) trait Rows: Send {
    /// The columns that the input may have.
    fn columns(&self) -> &Columns;

    /// Begins a row in which nothing is given.
    fn begin(&mut self);

    /// Puts a field into the row.
    fn set(&mut self, named: Named, cell: Cell<'_>) -> Result<()>;

    /// Ends the row, which began on this line of the input.
    fn add(&mut self, line: u64) -> Result<()>;

    /// Whether it is time to hand out what is held.
    fn full(&self) -> bool;

    /// The next of the batches of what is held; after the last one, holding starts afresh. An error names its line.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>>;
}

/// A sum of counts of a slice and key.
fn sum(column: &str, a: i64, b: i64) -> Result<i64> {
    a.checked_add(b).ok_or_else(|| overflow(column))
}

/// The error for a count among single rows.
pub(crate) fn mixed(column: &str) -> IngestError {
    IngestError::bad_line(format!("{column} is a count, and the rows before are single ones"))
        .column(column)
        .expected("all rows of a file to carry counts, or none")
        .advice("Split the file, or say that all counts are complete for their slices: --aggregates")
}

/// The error for a single row among counts.
pub(crate) fn uncounted(kind: TableKind) -> IngestError {
    let counts = match kind {
        TableKind::Events => "good and total",
        TableKind::Gauges => "samples",
        _ => "requests",
    };
    IngestError::bad_line(format!("{counts} is missing, and the rows before carry counts"))
        .expected("all rows of a file to carry counts, or none")
        .advice("Split the file, or say that all counts are complete for their slices: --aggregates")
}

fn overflow(column: &str) -> IngestError {
    IngestError::bad_line(format!("{column} adds up to more than 2^63 - 1 for its slice and key")).column(column)
}
