//! The `metaData` action that is in force at a version, as its writer wrote it.
//!
//! The kernel tells a table's schema and properties, but not the action itself, which a change of the columns must repeat
//! with all that other programs have put there.

use bytes::Bytes;
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::object_store::path::Path;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::{LOG_FOLDER, Log};
use crate::error::{Result, StoreError, StoreErrorKind};

impl Log {
    /// Looks back entry by entry, to the first checkpoint on the way at the furthest.
    pub(super) async fn metadata(&self, version: u64) -> Result<Value> {
        let mut unusable = None;
        for version in (0..=version).rev() {
            if let Some(entry) = self.objects.get(&self.named(version, "json")).await?
                && let Some(metadata) = of_entry(&entry).map_err(|error| self.unreadable(version, error))?
            {
                return Ok(metadata);
            }
            let checkpoint = match self.objects.get(&self.named(version, "checkpoint.parquet")).await {
                // Left out as wherever the log is read; the entries before it may be there.
                Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                    unusable = unusable.or(Some(error));
                    continue;
                }
                read => read?,
            };
            if let Some(checkpoint) = checkpoint
                && let Some(metadata) = of_checkpoint(checkpoint.into())?
            {
                return Ok(metadata);
            }
        }
        let nowhere =
            || StoreError::corrupt(format!("no entry of {self} up to version {version} says what its columns are"));
        Err(unusable.unwrap_or_else(nowhere))
    }

    fn named(&self, version: u64, extension: &str) -> Path {
        Path::from(format!("{}/{LOG_FOLDER}/{version:020}.{extension}", self.kind.name()))
    }

    fn unreadable(&self, version: u64, error: serde_json::Error) -> StoreError {
        StoreError::caused(StoreErrorKind::Corrupt, format_args!("entry {version} of {self}"), error)
    }
}

fn of_entry(entry: &[u8]) -> Result<Option<Value>, serde_json::Error> {
    let mut metadata = None;
    for line in entry.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let mut action: Value = serde_json::from_slice(line)?;
        metadata = action.get_mut("metaData").map(Value::take).filter(|found| !found.is_null()).or(metadata);
    }
    Ok(metadata)
}

fn of_checkpoint(bytes: Bytes) -> Result<Option<Value>> {
    const COLUMN: &str = "metaData";
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(unreadable)?;
    let columns = ProjectionMask::columns(reader.parquet_schema(), [COLUMN]);
    for rows in reader.with_projection(columns).build().map_err(unreadable)? {
        let rows = rows?;
        let Some(column) = rows.column_by_name(COLUMN) else { continue };
        if let Some(row) = (0..rows.num_rows()).find(|&row| column.is_valid(row)) {
            return as_json(&rows.slice(row, 1)).map(|mut row| row.get_mut(COLUMN).map(Value::take));
        }
    }
    Ok(None)
}

fn unreadable(error: datafusion::parquet::errors::ParquetError) -> StoreError {
    StoreError::caused(StoreErrorKind::Corrupt, "a checkpoint cannot be read", error)
}

fn as_json(row: &RecordBatch) -> Result<Value> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(row)?;
    writer.finish()?;
    serde_json::from_slice(&writer.into_inner())
        .map_err(|error| StoreError::caused(StoreErrorKind::Internal, "a checkpoint's metadata", error))
}
