//! The rows of stored and of new files in one stream, in key order, each row with the file that it comes from.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Operator;
use datafusion::object_store::path::Path;
use datafusion::physical_expr::expressions::{BinaryExpr, col, lit};
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;

use super::unit::{last_piece, one_piece, unit_columns};
use crate::error::{Result, StoreError};
use crate::log::{DataFile, NewFile, hull};
use crate::objects::Objects;
use crate::schema::UTC;
use crate::write::Layout;

/// The column that says which file a row is from: its place among the stored files, or [`NEW`].
pub(crate) const ORIGIN: &str = "__origin";
/// The origin of the batch's rows: the greatest, so that of two rows of a key the stored one comes first.
pub(super) const NEW: i32 = i32::MAX;

/// Sorted files that are merged as they are; more are sorted, which spills, instead of being open all at once.
const MERGED: usize = 32;

/// Where and what is read.
pub(crate) struct Scan<'a> {
    pub layout: &'a Arc<Layout>,
    pub objects: &'a Objects,
    pub task: &'a Arc<TaskContext>,
}

impl Scan<'_> {
    /// The keys in the range that both the batch's and the stored files cover.
    pub(super) fn keys(&self, new: &[NewFile], stored: &[&DataFile]) -> Result<SendableRecordBatchStream> {
        self.keys_where(new, stored, self.common_range(new, stored)?)
    }

    /// The keys of the rows that meet a condition.
    pub(crate) fn keys_where(
        &self,
        new: &[NewFile],
        stored: &[&DataFile],
        condition: Option<Arc<dyn PhysicalExpr>>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.layout.schema();
        let columns = self.layout.kind().key().iter().map(|name| Ok(schema.index_of(name)?)).collect::<Result<_>>()?;
        self.stream(new, stored, columns, condition)
    }

    /// Time and origin of the rows for which a condition over the stored columns holds, as far as that shows before they are read; and
    /// the condition over these columns: it may read columns by which Parquet's rows are not left out.
    pub(crate) fn rows_where(
        &self,
        stored: &[&DataFile],
        condition: &Arc<dyn PhysicalExpr>,
    ) -> Result<(SendableRecordBatchStream, Arc<dyn PhysicalExpr>)> {
        let schema = self.layout.schema();
        let mut columns: BTreeSet<usize> =
            collect_columns(condition).iter().map(|column| schema.index_of(column.name())).collect::<Result<_, _>>()?;
        // The order of rows is that of their keys.
        for name in self.layout.kind().key() {
            columns.insert(schema.index_of(name)?);
        }
        let rows = self.stream(&[], stored, columns.into_iter().collect(), Some(Arc::clone(condition)))?;
        let condition = reassign_expr_columns(Arc::clone(condition), &rows.schema())?;
        Ok((rows, condition))
    }

    /// A condition that holds for the slices from one to another, in µs.
    pub(super) fn between(&self, first: i64, last: i64) -> Result<Arc<dyn PhysicalExpr>> {
        let time = col("time", self.layout.schema())?;
        let bound = |micros, operator| -> Arc<dyn PhysicalExpr> {
            let instant = ScalarValue::TimestampMicrosecond(Some(micros), Some(UTC.into()));
            Arc::new(BinaryExpr::new(Arc::clone(&time), operator, lit(instant)))
        };
        Ok(Arc::new(BinaryExpr::new(bound(first, Operator::GtEq), Operator::And, bound(last, Operator::LtEq))))
    }

    /// All stored rows of the files for which a condition holds.
    pub(super) fn rows_in(
        &self,
        stored: &[&DataFile],
        condition: Option<Arc<dyn PhysicalExpr>>,
    ) -> Result<SendableRecordBatchStream> {
        self.stream(&[], stored, (0..self.layout.schema().fields().len()).collect(), condition)
    }

    /// All rows of the files.
    pub(crate) fn rows(&self, new: &[NewFile], stored: &[&DataFile]) -> Result<SendableRecordBatchStream> {
        self.stream(new, stored, (0..self.layout.schema().fields().len()).collect(), None)
    }

    fn stream(
        &self,
        new: &[NewFile],
        stored: &[&DataFile],
        mut columns: Vec<usize>,
        predicate: Option<Arc<dyn PhysicalExpr>>,
    ) -> Result<SendableRecordBatchStream> {
        let kind = self.layout.kind();
        let of_stored = stored.iter().zip(0..);
        let of_stored = of_stored.map(|(file, at)| of_origin(file.path().clone(), (file.size(), file.tail()), at));
        let of_new = new.iter().map(|file| of_origin(file.object_path(kind), (file.size, file.tail()), NEW));
        let sorted = stored.iter().all(|file| file.sorted()) && stored.len() + new.len() <= MERGED;
        let files: Vec<PartitionedFile> = of_stored.chain(of_new).collect();
        let groups: Vec<FileGroup> = match sorted {
            true => files.into_iter().map(|file| FileGroup::new(vec![file])).collect(),
            false => vec![FileGroup::new(files)],
        };

        let registered = self.objects.register(&self.task.runtime_env())?;
        let origin = Arc::new(Field::new(ORIGIN, DataType::Int32, false));
        columns.push(self.layout.schema().fields().len());
        let table =
            TableSchema::builder(Arc::clone(self.layout.schema())).with_table_partition_cols(vec![origin]).build();
        let table_schema = Arc::clone(table.table_schema());
        let mut source = ParquetSource::new(table).with_enable_page_index(true);
        if let Some(predicate) = predicate {
            source = source.with_predicate(predicate).with_pushdown_filters(true);
        }
        let mut config = FileScanConfigBuilder::new(registered, Arc::new(source)).with_file_groups(groups);
        if sorted {
            // A declared order keeps idle partitions from taking over files of others, which would mix two orders.
            config = config.with_output_ordering(vec![self.order(&table_schema)?]);
        }
        let config = config.with_projection_indices(Some(columns))?.build();
        let scan: Arc<dyn ExecutionPlan> = DataSourceExec::from_data_source(config);
        let order = self.order(&scan.schema())?;
        let plan: Arc<dyn ExecutionPlan> = match sorted {
            true => Arc::new(SortPreservingMergeExec::new(order, scan)),
            false => Arc::new(SortExec::new(order, scan)),
        };
        Ok(plan.execute(0, Arc::clone(self.task))?)
    }

    fn order(&self, schema: &Schema) -> Result<LexOrdering> {
        let ascending = SortOptions { descending: false, nulls_first: false };
        let columns = self.layout.kind().key().iter().chain([&ORIGIN]);
        let columns =
            columns.map(|name| Ok(PhysicalSortExpr::new(col(name, schema)?, ascending))).collect::<Result<Vec<_>>>()?;
        LexOrdering::new(columns).ok_or_else(|| StoreError::internal("a table has no key"))
    }

    /// A condition that holds for every row whose unit the batch and the stored files may share.
    fn common_range(&self, new: &[NewFile], stored: &[&DataFile]) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let (kind, schema) = (self.layout.kind(), self.layout.schema());
        let mut condition: Option<Arc<dyn PhysicalExpr>> = None;
        for key in unit_columns(kind) {
            // A piece and its source, which it may share a unit with, do not lie side by side.
            if kind.key()[key] == "source" && !one_piece(kind, new) {
                continue;
            }
            let ours = hull(new.iter().map(|file| file.bounds.of(key).cloned()));
            let theirs = hull(stored.iter().map(|file| file.key_bounds().of(key).cloned()));
            let column = col(kind.key()[key], schema)?;
            for (bound, operator) in [
                (ours.as_ref().map(|(min, _)| min), Operator::GtEq),
                (theirs.as_ref().map(|(min, _)| min), Operator::GtEq),
                (ours.as_ref().map(|(_, max)| max), Operator::LtEq),
                (theirs.as_ref().map(|(_, max)| max), Operator::LtEq),
            ] {
                let Some(bound) = bound else { continue };
                condition = Some(and(condition, Arc::clone(&column), operator, bound.clone()));
            }
        }
        Ok(condition)
    }

    /// A condition that holds for every stored row whose unit the batch speaks of; `None` if all stored rows may be such.
    pub(super) fn range_of(&self, new: &[NewFile], stored: &[&DataFile]) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let (kind, schema) = (self.layout.kind(), self.layout.schema());
        let mut condition: Option<Arc<dyn PhysicalExpr>> = None;
        for key in unit_columns(kind) {
            let Some((first, last)) = hull(new.iter().map(|file| file.bounds.of(key).cloned())) else { continue };
            // A source speaks for its pieces, too.
            let last = if kind.key()[key] == "source" { last_piece(&last) } else { last };
            let theirs = hull(stored.iter().map(|file| file.key_bounds().of(key).cloned()));
            let column = col(kind.key()[key], schema)?;
            if theirs.as_ref().is_none_or(|(min, _)| *min < first) {
                condition = Some(and(condition, Arc::clone(&column), Operator::GtEq, first));
            }
            if theirs.as_ref().is_none_or(|(_, max)| last < *max) {
                condition = Some(and(condition, column, Operator::LtEq, last));
            }
        }
        Ok(condition)
    }
}

/// A condition with another one, which compares a column.
fn and(
    condition: Option<Arc<dyn PhysicalExpr>>,
    column: Arc<dyn PhysicalExpr>,
    operator: Operator,
    bound: ScalarValue,
) -> Arc<dyn PhysicalExpr> {
    let bound: Arc<dyn PhysicalExpr> = Arc::new(BinaryExpr::new(column, operator, lit(bound)));
    match condition {
        Some(condition) => Arc::new(BinaryExpr::new(condition, Operator::And, bound)),
        None => bound,
    }
}

fn of_origin(path: Path, (size, tail): (u64, Option<u64>), origin: i32) -> PartitionedFile {
    // A path of an object store is taken as it is, not percent-encoded once more.
    let mut file = PartitionedFile::new("", size);
    file.object_meta.location = path;
    file.metadata_size_hint = tail.map(|tail| tail as usize);
    file.partition_values = vec![ScalarValue::Int32(Some(origin))];
    file
}
