//! What the tests of all formats share: reading a text and showing the rows that come out.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::util::display::array_value_to_string;
use nines_store::TableKind;

use crate::{Format, Options, Result, read_from};

/// The end of every message about a bad line.
pub(crate) const REMEDY: &str =
    "Correct or remove it and ingest the input again: a batch is stored whole or not at all.";

pub(crate) fn requests() -> Options {
    of(TableKind::Requests)
}

pub(crate) fn events() -> Options {
    of(TableKind::Events)
}

/// Rows for this table, nothing filled in.
pub(crate) fn of(kind: TableKind) -> Options {
    Options::new(kind, 60)
}

/// Reads a text in a format.
pub(crate) fn read_text(format: Format, options: Options, text: impl AsRef<[u8]>) -> Result<Vec<RecordBatch>> {
    let input = std::io::Cursor::new(text.as_ref().to_vec());
    let schema = options.kind.schema(options.slice_seconds);
    let batches = read_from("input", input, Some(format), options, Arc::default())?.collect::<Result<Vec<_>>>()?;
    batches.iter().for_each(|batch| assert_eq!(batch.schema(), schema));
    Ok(batches)
}

/// The message with which a text is refused.
pub(crate) fn refusal(format: Format, options: Options, text: impl AsRef<[u8]>) -> String {
    read_text(format, options, text).unwrap_err().to_string()
}

/// One line per row: the columns that hold something, as `name=value`.
pub(crate) fn shown(batches: &[RecordBatch]) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let columns = batch.schema_ref().fields().iter().zip(batch.columns()).filter_map(|(field, column)| {
                let value = array_value_to_string(column, row).unwrap();
                (column.is_valid(row) && !value.is_empty()).then(|| format!("{}={value}", field.name()))
            });
            rows.push(columns.collect::<Vec<_>>().join(" "));
        }
    }
    rows
}

/// A file of public data beside the workspace, or under `NINES_SHARED`; none, said aloud, if it is absent.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("NINES_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let path = root.join("data").join(path);
    if !path.exists() {
        eprintln!("skipped: {} is absent (set NINES_SHARED to the folder that holds data/)", path.display());
        return None;
    }
    Some(path)
}
