//! What must hold of a row, whatever wrote it: a file, a mapping, an `INSERT`, a command.
//!
//! This is the one place for rules about the values of a row. Formats check only that a text is a value of its column.
//! A rule about one row is a function over its values, so that readers of text can name the line; [`first_invalid_row`]
//! applies the same functions to a batch.

mod broken;
mod currency;
mod labels;
mod records;
mod series;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::arrow::util::display::array_value_to_string;

pub use broken::Broken;
pub use currency::is_currency;
pub use labels::{labels_of, labels_text};
pub use series::{Gauge, STATUSES, check_events, check_gauge, check_requests, check_status};

use crate::schema::TableKind;

/// A row that a table refuses, whatever wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidRow {
    /// Which row of the batch.
    pub row: usize,
    /// The column that is wrong.
    pub column: &'static str,
    /// What is wrong, and what was expected.
    pub message: String,
    /// The same in parts.
    pub broken: Broken,
}

/// The first row of a batch in the table's schema that contradicts itself; `None` if all are in order.
///
/// One pass over the rows, no allocation for a row that is in order. What Nines derives has no rules.
pub fn first_invalid_row(kind: TableKind, batch: &RecordBatch) -> Option<InvalidRow> {
    let found = if TableKind::INGESTED.contains(&kind) { out_of_years(kind, batch) } else { None };
    let found = found.or_else(|| labels::first_broken(batch)).or_else(|| match kind {
        TableKind::Requests => series::requests(batch),
        TableKind::Events => series::events(batch),
        TableKind::Gauges => series::gauges(batch),
        TableKind::Incidents
        | TableKind::Exclusions
        | TableKind::Fees
        | TableKind::Annotations
        | TableKind::Definitions => records::first_broken(kind, batch),
        TableKind::SloDays | TableKind::SloFacts | TableKind::Statements | TableKind::Drafts => None,
    });
    found.map(|(row, broken)| InvalidRow { row, column: broken.column, message: broken.to_string(), broken })
}

/// The key of a row as a message names it.
pub(crate) fn key_of(kind: TableKind, batch: &RecordBatch, row: usize) -> String {
    let columns = kind.key().iter().filter_map(|name| batch.column_by_name(name));
    let shown = |column: &ArrayRef| array_value_to_string(column, row).unwrap_or_else(|error| error.to_string());
    columns.map(shown).collect::<Vec<_>>().join(" ")
}

/// The first instant after those that a table holds: the year 10000.
pub const END_OF_TIME: i64 = 253_402_300_800_000_000;

/// The first row with an instant outside the years that a table holds.
fn out_of_years(kind: TableKind, batch: &RecordBatch) -> Option<(usize, Broken)> {
    let schema = kind.schema(1);
    let instants = schema.fields().iter().filter(|field| matches!(field.data_type(), DataType::Timestamp(..)));
    let columns = kind.key().iter().copied().chain(kind.measures().iter().map(|(name, _)| *name));
    let columns = columns.filter(|name| instants.clone().any(|field| field.name() == name));
    columns
        .filter_map(|column| {
            // One that came in later may be absent.
            let values = batch.column_by_name(column)?.as_primitive::<TimestampMicrosecondType>();
            let row =
                (0..values.len()).find(|&row| values.is_valid(row) && !(0..END_OF_TIME).contains(&values.value(row)));
            row.map(|row| {
                let micros = values.value(row);
                let shown = chrono::DateTime::from_timestamp_micros(micros);
                let shown = shown.map_or_else(|| micros.to_string(), |at| at.to_rfc3339());
                (row, Broken::new(column, format!("{column} is {shown}")).expected("a time in the years 1970 to 9999"))
            })
        })
        .min_by_key(|(row, _)| *row)
}
