//! Leaving out files by their bounds.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Date32Array, TimestampMicrosecondArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use super::statistics::told_as;
use crate::log::{DataFile, FilePartition};
use crate::partition::Partition;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The files of these partitions that may hold a row for which the predicate holds.
///
/// Partitions are left out first, by their days alone, so that statistics are parsed of no file of a day that is not asked for.
pub(super) fn matching<'a>(
    partitions: impl Iterator<Item = &'a FilePartition>,
    by: Partition,
    predicate: &Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
) -> Vec<&'a DataFile> {
    let partitions: Vec<&FilePartition> = partitions.collect();
    let files_of = |partitions: &[&'a FilePartition]| -> Vec<&'a DataFile> {
        partitions.iter().flat_map(|partition| partition.files()).collect()
    };
    let pruning = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema)).try_build(Arc::clone(predicate));
    // A predicate that cannot be turned into one on bounds proves nothing.
    let Ok(pruning) = pruning else { return files_of(&partitions) };
    let partitions = match by {
        Partition::None => partitions,
        Partition::Day | Partition::Month => {
            let kept = pruning.prune(&PartitionBounds { partitions: &partitions, by, schema });
            keep(partitions, kept)
        }
    };
    let files = files_of(&partitions);
    let kept = pruning.prune(&FileBounds { files: &files, schema });
    keep(files, kept)
}

fn keep<T>(all: Vec<T>, kept: Result<Vec<bool>>) -> Vec<T> {
    match kept {
        Ok(kept) => all.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(one, _)| one).collect(),
        Err(_) => all,
    }
}

/// When the rows of partitions are, as their folders tell.
struct PartitionBounds<'a> {
    partitions: &'a [&'a FilePartition],
    by: Partition,
    schema: &'a SchemaRef,
}

impl PartitionBounds<'_> {
    fn days(&self, day: impl Fn(i32) -> Option<i32>) -> impl Iterator<Item = Option<i32>> {
        // Whether rows of another writer are where its log says is not known.
        let ours = self.partitions.iter().map(|partition| partition.first_day().filter(|_| partition.sorted()));
        ours.map(move |first| first.and_then(&day))
    }

    fn values(&self, column: &Column, last: bool) -> Option<ArrayRef> {
        let data_type = self.schema.field_with_name(&column.name).ok()?.data_type();
        let day = |first| if last { self.by.last_day(first).ok() } else { Some(first) };
        match (self.by, column.name.as_str(), data_type) {
            (Partition::Day, "time", DataType::Timestamp(_, zone)) => {
                let micros = |day: i32| (i64::from(day) + i64::from(last)) * MICROS_PER_DAY - i64::from(last);
                let times = self.days(day).map(|day| day.map(micros)).collect::<TimestampMicrosecondArray>();
                Some(Arc::new(times.with_timezone_opt(zone.clone())))
            }
            (Partition::Month, "date", DataType::Date32) => Some(Arc::new(self.days(day).collect::<Date32Array>())),
            _ => None,
        }
    }
}

impl PruningStatistics for PartitionBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, false)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, true)
    }

    fn num_containers(&self) -> usize {
        self.partitions.len()
    }

    fn null_counts(&self, _column: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

/// The bounds of files, column by column, as a predicate asks for them.
struct FileBounds<'a> {
    files: &'a [&'a DataFile],
    schema: &'a SchemaRef,
}

impl FileBounds<'_> {
    fn values(&self, column: &Column, pick: fn(&(ScalarValue, ScalarValue)) -> &ScalarValue) -> Option<ArrayRef> {
        let data_type = self.schema.field_with_name(&column.name).ok()?.data_type();
        self.files.iter().any(|file| file.bounds(&column.name).is_some()).then_some(())?;
        let values = self.files.iter().map(|file| match file.bounds(&column.name) {
            Some(bounds) => told_as(data_type, pick(bounds)),
            None => ScalarValue::try_from(data_type).unwrap_or(ScalarValue::Null),
        });
        ScalarValue::iter_to_array(values).ok()
    }
}

impl PruningStatistics for FileBounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |(min, _)| min)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |(_, max)| max)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        self.files.first()?.key_column(&column.name)?;
        let is_nullable = self.schema.field_with_name(&column.name).ok()?.is_nullable();
        let nulls = self.files.iter().map(|file| if is_nullable { file.null_count(&column.name) } else { Some(0) });
        Some(Arc::new(nulls.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.files.iter().map(|file| file.rows()).collect::<UInt64Array>()))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
