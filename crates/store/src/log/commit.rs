//! Adding files to a table: one attempt to write the next version.

use std::sync::Arc;

use chrono::DateTime;
use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, MapBuilder, MapFieldNames, RecordBatch, StringArray, StringBuilder,
    StructArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use delta_kernel::committer::FileSystemCommitter;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::snapshot::SnapshotRef;
use delta_kernel::transaction::{CommitResult, UpdateTableOperation};

use super::stats::Bounds;
use super::{DATE, Log, WRITTEN_BY};
use crate::error::{Result, StoreError, StoreErrorKind};

/// A data file that is written but not yet part of any version.
#[derive(Debug)]
pub(crate) struct NewFile {
    /// Relative to the table's folder.
    pub path: String,
    /// Days since 1970-01-01, UTC; `None` for a table that is not stored by day.
    pub day: Option<i32>,
    pub size: i64,
    pub rows: i64,
    pub bounds: Bounds,
    /// When it was written, in ms. Told to Delta readers; decides nothing here.
    pub written_at: i64,
}

impl NewFile {
    /// Start of its first and of its last slice, in µs.
    pub(crate) fn time_range(&self) -> Option<(i64, i64)> {
        self.bounds.time_range()
    }
}

/// How an attempt to commit ended.
pub(crate) enum Attempt {
    /// The version that was written, and the table at that version where the kernel knows it.
    Committed(u64, Option<SnapshotRef>),
    /// Another writer took that version first.
    Lost,
}

impl Log {
    /// Tries to write the version after `base`, adding these files.
    pub(crate) fn commit(&self, base: SnapshotRef, files: &[NewFile]) -> Result<Attempt> {
        let mut transaction = base
            .update_table(UpdateTableOperation::Write, WRITTEN_BY, true)
            .with_blind_append()
            .build(&self.engine, Box::new(FileSystemCommitter::new()))?;
        transaction.add_files(Box::new(ArrowEngineData::new(self.add_actions(files)?)));
        match transaction.commit(&self.engine)? {
            CommitResult::Committed(committed) => {
                Ok(Attempt::Committed(committed.commit_version(), committed.post_commit_snapshot().cloned()))
            }
            CommitResult::Conflicted(_) => Ok(Attempt::Lost),
            CommitResult::Retryable(failed) => Err(StoreError::caused(
                StoreErrorKind::Io,
                format_args!("cannot write to the log of {self}; the rows are not stored"),
                failed.error,
            )),
        }
    }

    /// The files as the kernel wants to be told of them: one row each.
    fn add_actions(&self, files: &[NewFile]) -> Result<RecordBatch> {
        let names =
            MapFieldNames { entry: "key_value".to_string(), key: "key".to_string(), value: "value".to_string() };
        let mut partition = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
        for file in files {
            if let Some(day) = file.day {
                partition.keys().append_value(DATE);
                partition.values().append_value(date(day)?);
            }
            partition.append(true)?;
        }
        let column = |name: &str, values: ArrayRef| (Field::new(name, values.data_type().clone(), true), values);
        let columns = [
            column("path", Arc::new(files.iter().map(|file| Some(file.path.as_str())).collect::<StringArray>())),
            column("partitionValues", Arc::new(partition.finish())),
            column("size", Arc::new(files.iter().map(|file| file.size).collect::<Int64Array>())),
            column("modificationTime", Arc::new(files.iter().map(|file| file.written_at).collect::<Int64Array>())),
            column("stats", Arc::new(self.stats(files)?)),
        ];
        let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
    }

    fn stats(&self, files: &[NewFile]) -> Result<StructArray> {
        let rows: ArrayRef = Arc::new(files.iter().map(|file| file.rows).collect::<Int64Array>());
        let schema = self.kind.schema(self.slice_seconds);
        let (mut min, mut max, mut nulls) = (Vec::new(), Vec::new(), Vec::new());
        for (key, name) in self.kind.key().iter().enumerate() {
            let field = schema.field_with_name(name)?;
            let unknown = ScalarValue::try_from(field.data_type())?;
            let side = |pick: fn(&(ScalarValue, ScalarValue)) -> &ScalarValue| -> Result<(Field, ArrayRef)> {
                let bounds = files.iter().map(|file| file.bounds.of(key).map_or(unknown.clone(), |b| pick(b).clone()));
                let values = plain_text(ScalarValue::iter_to_array(bounds)?)?;
                Ok((Field::new(*name, values.data_type().clone(), true), values))
            };
            min.push(side(|(min, _)| min)?);
            max.push(side(|(_, max)| max)?);
            // Keys are never NULL.
            let none: ArrayRef = Arc::new(Int64Array::from(vec![0; files.len()]));
            nulls.push((Field::new(*name, DataType::Int64, true), none));
        }
        let group = |name: &str, columns: Vec<(Field, ArrayRef)>| -> Result<(Field, ArrayRef)> {
            let (fields, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
            let values = StructArray::try_new(fields.into(), values, None)?;
            Ok((Field::new(name, values.data_type().clone(), true), Arc::new(values) as _))
        };
        let columns = vec![
            (Field::new("numRecords", DataType::Int64, true), rows),
            group("nullCount", nulls)?,
            group("minValues", min)?,
            group("maxValues", max)?,
            (
                Field::new("tightBounds", DataType::Boolean, true),
                Arc::new(BooleanArray::from(vec![true; files.len()])) as _,
            ),
        ];
        let (fields, values): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        Ok(StructArray::try_new(fields.into(), values, None)?)
    }
}

/// The kernel does not know view types.
fn plain_text(values: ArrayRef) -> Result<ArrayRef> {
    match values.data_type() {
        DataType::Utf8View => Ok(cast(&values, &DataType::Utf8)?),
        _ => Ok(values),
    }
}

/// `YYYY-MM-DD` of a day since 1970-01-01.
pub(crate) fn date(day: i32) -> Result<String> {
    DateTime::from_timestamp(i64::from(day) * 86_400, 0)
        .map(|day| day.date_naive())
        .filter(|day| (0..=9999).contains(&chrono::Datelike::year(day)))
        .map(|day| day.format("%Y-%m-%d").to_string())
        .ok_or_else(|| StoreError::rows(format!("day {day} since 1970 is outside the years 0 to 9999")))
}
