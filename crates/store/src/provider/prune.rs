//! Leaving out files by their bounds.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use super::statistics::told_as;
use crate::log::DataFile;

/// The files that may hold a row for which the predicate holds.
pub(super) fn matching<'a>(
    files: &'a [DataFile],
    predicate: &Arc<dyn PhysicalExpr>,
    schema: &SchemaRef,
) -> Vec<&'a DataFile> {
    let kept = PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(schema))
        .try_build(Arc::clone(predicate))
        .and_then(|pruning| pruning.prune(&FileBounds { files, schema }));
    match kept {
        Ok(kept) => files.iter().zip(kept).filter(|(_, kept)| *kept).map(|(file, _)| file).collect(),
        // A predicate that cannot be turned into one on bounds proves nothing.
        Err(_) => files.iter().collect(),
    }
}

/// The bounds of files, column by column, as a predicate asks for them.
struct FileBounds<'a> {
    files: &'a [DataFile],
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

    /// Keys are never NULL.
    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        self.files.first()?.key_column(&column.name)?;
        Some(Arc::new(UInt64Array::from(vec![0; self.files.len()])))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.files.iter().map(DataFile::rows).collect::<UInt64Array>()))
    }

    fn contained(&self, _column: &Column, _values: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
