//! The rows of a data file against what the log says of them, and the keys of a version.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::common::ScalarValue;
use datafusion::execution::TaskContext;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::checked::{Checked, Problem};
use crate::error::Result;
use crate::log::{DataFile, Files};
use crate::partition::Partition;
use crate::schema::TableKind;
use crate::table::Table;
use crate::twice::Twice;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// What is wrong with the rows of a file.
pub(super) fn problems(kind: TableKind, file: &DataFile, bytes: Bytes) -> datafusion::error::Result<Vec<String>> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(8192).build()?;
    let (mut rows, mut problems) = (0u64, Vec::new());
    let mut keys: Option<RowConverter> = None;
    let mut last: Option<OwnedRow> = None;
    let mut ranges: Vec<Option<(ScalarValue, ScalarValue)>> = vec![None; kind.key().len()];
    for batch in reader {
        let batch = batch?;
        rows += batch.num_rows() as u64;
        let found = key_columns(kind, &batch);
        let columns: Vec<ArrayRef> = found.iter().map(|(_, column)| Arc::clone(column)).collect();
        let last_null = SortOptions { descending: false, nulls_first: false };
        let field = |column: &ArrayRef| SortField::new_with_options(column.data_type().clone(), last_null);
        let fields = || columns.iter().map(field).collect();
        if keys.is_none() {
            keys = Some(RowConverter::new(fields())?);
        }
        let Some(converter) = &keys else { continue };
        let encoded = converter.convert_columns(&columns)?;
        if file.sorted() && problems.is_empty() {
            let mut before = last.as_ref().map(OwnedRow::row);
            for row in encoded.iter() {
                if before.is_some_and(|before| before >= row) {
                    problems.push(
                        "its rows are not in the order of their keys, or a key is there twice: what is read of it is wrong. Put it \
                         back from a backup"
                            .to_string(),
                    );
                    break;
                }
                before = Some(row);
            }
        }
        last = encoded.iter().next_back().map(|row| row.owned());
        for (at, column) in &found {
            extend(&mut ranges[*at], column)?;
        }
        if kind.partition() == Partition::Day
            && let Some(day) = file.first_day()
            && let Some(times) =
                batch.column_by_name("time").and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>())
            && times.iter().flatten().any(|time| time.div_euclid(MICROS_PER_DAY) != i64::from(day))
        {
            problems.push(
                "it has rows of another day than its folder says: they are found where they are not looked for"
                    .to_string(),
            );
        }
    }
    if let Some(said) = file.rows().filter(|said| *said != rows) {
        problems.push(format!("it has {rows} rows, and the log says {said}"));
    }
    if file.sorted() {
        for (name, range) in kind.key().iter().zip(&ranges) {
            if let (Some(said), Some(found)) = (file.bounds(name), range)
                && !same(said, found)
            {
                problems.push(format!(
                    "its {name} goes from {} to {}, and the log says from {} to {}: rows are not found",
                    found.0, found.1, said.0, said.1
                ));
            }
        }
    }
    problems.dedup();
    Ok(problems)
}

/// The key columns that a file has, by their place in the key. One that came in later may not be there: then it is NULL.
fn key_columns(kind: TableKind, batch: &RecordBatch) -> Vec<(usize, ArrayRef)> {
    let column = |(at, name): (usize, &&str)| Some((at, Arc::clone(batch.column_by_name(name)?)));
    kind.key().iter().enumerate().filter_map(column).collect()
}

/// Least and greatest of the values so far.
fn extend(range: &mut Option<(ScalarValue, ScalarValue)>, column: &ArrayRef) -> datafusion::error::Result<()> {
    use datafusion_functions_aggregate_common::min_max::{max_batch, min_batch};
    if column.null_count() == column.len() {
        return Ok(());
    }
    let (low, high) = (min_batch(column)?, max_batch(column)?);
    *range = Some(match range.take() {
        Some((min, max)) => (if low < min { low } else { min }, if high > max { high } else { max }),
        None => (low, high),
    });
    Ok(())
}

/// Whether bounds are the same values, in whatever text or time type.
fn same(a: &(ScalarValue, ScalarValue), b: &(ScalarValue, ScalarValue)) -> bool {
    let plain = |value: &ScalarValue| match value {
        ScalarValue::TimestampMicrosecond(micros, _) => ScalarValue::Int64(*micros),
        other => match other.try_as_str() {
            Some(text) => ScalarValue::Utf8(text.map(str::to_string)),
            None => other.clone(),
        },
    };
    (plain(&a.0), plain(&a.1)) == (plain(&b.0), plain(&b.1))
}

impl Table {
    /// No key of the newest version is in two files.
    pub(super) async fn check_keys(
        &self,
        newest: &Files,
        task: &Arc<TaskContext>,
        checked: &mut Checked,
    ) -> Result<()> {
        for partition in newest.files.partitions() {
            let files: Vec<&DataFile> = partition.files().iter().collect();
            checked.rows += files.iter().filter_map(|file| file.rows()).sum::<u64>();
            if files.len() < 2 {
                continue;
            }
            match self.twice(&files, task).await {
                Ok(None) => {}
                Ok(Some(Twice { key, files: (a, b) })) => {
                    let name = self.kind().name();
                    let remedy = match a.foreign() || b.foreign() {
                        // A correction would write rows anew of which nobody knows where they are from.
                        true => format!(
                            "One of the two is of another Delta writer: go back to the version before it (nines log {name}, \
                             nines restore {name} --to VERSION), or remove one of them there"
                        ),
                        false => "Replace them by a correction".to_string(),
                    };
                    checked.problems.push(Problem::new(
                        a.path(),
                        format!("it has the key {key:?}, which {} has, too: its rows count twice. {remedy}", b.path()),
                    ));
                }
                // That a file cannot be read was said where it was read alone.
                Err(error) => {
                    let problem = format!("its keys were not compared: {error}");
                    checked.add_news(Problem::new(self.kind().name(), problem), error)?;
                }
            }
        }
        Ok(())
    }
}
