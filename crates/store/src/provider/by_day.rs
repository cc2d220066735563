//! The rows of days, day after day: the scan for evaluation, which works out one day at a time.
//!
//! Unlike [`Provider`](super::Provider), whose partitions share files as they come, every partition of this scan reads a run of
//! days in ascending order, and every day is of exactly one partition. So whoever consumes a partition may finish a day
//! as soon as the next one begins, and keeps the state of one day only.
//!
//! What must hold:
//! - a day's files are neighbours in one partition, and none of them moves to another: the scan declares its partitioning,
//!   which forbids DataFusion to split groups of files and to share them while running;
//! - the last column tells the day, and the plan is ordered by it;
//! - rows for which the filter does not hold come out only where that was allowed; row groups and pages that hold nothing else are not
//!   read;
//! - a partition may begin with *lead-in*: the days before, which another partition has for its own, for consumers
//!   that carry something over. [`DayScan::days`] tells own days from lead-in.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::config::TableParquetOptions;
use datafusion::common::{DFSchema, Result, ScalarValue, plan_err};
use datafusion::datasource::physical_plan::parquet::can_expr_be_pushed_down_with_schemas;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalExpr, PhysicalSortExpr, split_conjunction};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::file::partitioned;
use super::prune;
use crate::log::{DataFile, FilePartition};
use crate::partition::Partition;
use crate::snapshot::Snapshot;

/// The last column of [`Snapshot::scan_by_day`]: the UTC day of the row in days since 1970, as `Int32`.
pub const DAY_COLUMN: &str = "__day";

/// Which rows of which days to read, and by how many at once.
#[derive(Debug, Clone)]
pub struct ByDay<'a> {
    /// The UTC days in days since 1970, ascending, each once. They need not follow each other.
    pub days: &'a [i32],
    /// The columns, in the order in which they are wanted.
    pub columns: &'a [&'a str],
    /// What must hold of a row, over the columns of the table, instants in UTC.
    pub filter: Option<Expr>,
    /// Whether rows for which the filter does not hold stay out. Otherwise only row groups and pages without a row for which it holds
    /// are not read, which costs nothing per row.
    pub exact: bool,
    /// At most this many partitions.
    pub partitions: usize,
    /// How many days before each of its days a partition sees too.
    pub lead_in: i32,
}

/// A plan over the rows of days.
#[derive(Debug, Clone)]
pub struct DayScan {
    /// Yields the columns that were asked for and [`DAY_COLUMN`], ordered by it. Nothing but an empty plan if no row can match.
    pub plan: Arc<dyn ExecutionPlan>,
    /// The days that are each partition's own, ascending: every day that was asked for is of exactly one partition, be
    /// there rows or not. Rows of other days are lead-in.
    pub days: Vec<Vec<i32>>,
}

impl Snapshot {
    /// Plans a scan whose partitions each yield the rows of a run of days, day after day.
    ///
    /// Within a day the rows come file by file, each file sorted by [`TableKind::key`](crate::TableKind::key); files of a
    /// day may cover the same keys. The days are shared out so that each partition reads about as many bytes. An error is a
    /// column that the table does not have, a filter that does not fit it or that cannot be decided while reading
    /// ([`filters_by_day`](Self::filters_by_day)), or a table that is not stored by day.
    pub fn scan_by_day(&self, session: &dyn Session, request: &ByDay) -> Result<DayScan> {
        self.say_foreign();
        let (kind, schema) = (self.table().kind(), self.schema());
        if kind.partition() != Partition::Day {
            return plan_err!("{} is not stored by day", kind.name());
        }
        let mut columns = request.columns.iter().map(|name| Ok(schema.index_of(name)?)).collect::<Result<Vec<_>>>()?;
        columns.push(schema.fields().len());
        let filter = request.filter.as_ref().map(|filter| physical(session, filter, &schema)).transpose()?;
        // A filter above the scan would do, but for DataFusion, which deals out the rows beneath it to idle partitions.
        if let Some(left) = filter.as_ref().and_then(|filter| undecided(filter, &schema)) {
            return plan_err!("{left} cannot be decided while {} is read", kind.name());
        }
        let found = DayFiles::new(self, request, filter.as_ref(), &schema);
        let shares = shared_out(request.days, |day| found.bytes(day), request.partitions);
        let groups = shares.iter().map(|own| found.group(own, request.lead_in, &schema)).collect::<Vec<_>>();

        let table = TableSchema::builder(Arc::clone(&schema))
            .with_table_partition_cols(vec![Arc::new(Field::new(DAY_COLUMN, DataType::Int32, false))])
            .build();
        let whole = Arc::clone(table.table_schema());
        let days = shares.into_iter().map(<[i32]>::to_vec).collect();
        if groups.iter().all(FileGroup::is_empty) {
            return Ok(DayScan { plan: Arc::new(EmptyExec::new(Arc::new(whole.project(&columns)?))), days });
        }

        let registered = self.table().objects().register(session.runtime_env())?;
        let options = TableParquetOptions {
            global: session.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let mut source = ParquetSource::new(table).with_table_parquet_options(options).with_enable_page_index(true);
        if let Some(filter) = filter {
            source = source.with_predicate(filter).with_pushdown_filters(request.exact);
        }
        let order =
            PhysicalSortExpr::new(col(DAY_COLUMN, &whole)?, SortOptions { descending: false, nulls_first: false });
        let config = FileScanConfigBuilder::new(registered, Arc::new(source))
            .with_output_ordering(vec![LexOrdering::from([order])])
            .with_output_partitioning(Some(Partitioning::UnknownPartitioning(groups.len())))
            .with_file_groups(groups)
            .with_projection_indices(Some(columns))?;
        Ok(DayScan { plan: DataSourceExec::from_data_source(config.build()), days })
    }
}

impl Snapshot {
    /// Whether a scan by day can apply this filter. It cannot where a condition looks into a nested column.
    pub fn filters_by_day(&self, session: &dyn Session, filter: &Expr) -> Result<bool> {
        let schema = self.schema();
        Ok(undecided(&physical(session, filter, &schema)?, &schema).is_none())
    }
}

fn physical(session: &dyn Session, filter: &Expr, schema: &SchemaRef) -> Result<Arc<dyn PhysicalExpr>> {
    session.create_physical_expr(filter.clone(), &DFSchema::try_from(Arc::clone(schema))?)
}

/// The first condition that Parquet's reader would leave out without a word.
fn undecided<'a>(filter: &'a Arc<dyn PhysicalExpr>, schema: &SchemaRef) -> Option<&'a Arc<dyn PhysicalExpr>> {
    let conditions = split_conjunction(filter);
    conditions.into_iter().find(|condition| !can_expr_be_pushed_down_with_schemas(condition, schema))
}

/// The files that may hold a row for which the filter holds, of all days from which anything is read.
struct DayFiles<'a>(Vec<&'a DataFile>);

impl<'a> DayFiles<'a> {
    fn new(
        snapshot: &'a Snapshot,
        request: &ByDay,
        filter: Option<&Arc<dyn PhysicalExpr>>,
        schema: &SchemaRef,
    ) -> Self {
        let days = seen(request.days, request.lead_in).into_iter().filter_map(|day| snapshot.day(day));
        Self(match filter {
            Some(filter) => prune::matching(days, Partition::Day, filter, schema),
            None => days.flat_map(FilePartition::files).collect(),
        })
    }

    fn of(&self, day: i32) -> &[&'a DataFile] {
        let from = self.0.partition_point(|file| file.first_day() < Some(day));
        let to = self.0.partition_point(|file| file.first_day() <= Some(day));
        &self.0[from..to]
    }

    fn bytes(&self, day: i32) -> u64 {
        self.of(day).iter().map(|file| file.size()).sum()
    }

    /// The files of a partition: its lead-in and its own days, in the order of their days.
    fn group(&self, own: &[i32], lead_in: i32, schema: &SchemaRef) -> FileGroup {
        let files = seen(own, lead_in).into_iter().flat_map(|day| self.of(day).iter().map(move |file| (day, *file)));
        files.map(|(day, file)| partitioned(file, schema, vec![ScalarValue::Int32(Some(day))])).collect()
    }
}

/// The days in at most so many runs of about as many bytes. A run begins with a day that has any, but for the first.
pub(super) fn shared_out(days: &[i32], bytes: impl Fn(i32) -> u64, partitions: usize) -> Vec<&[i32]> {
    let all: u64 = days.iter().map(|&day| bytes(day)).sum();
    let (mut runs, mut start, mut before, mut share) = (Vec::new(), 0, 0u128, None);
    for (at, &day) in days.iter().enumerate() {
        let own = u128::from(bytes(day));
        if own == 0 {
            continue;
        }
        // The share in which the middle of the day falls, if all bytes stood side by side.
        let of = (2 * before + own) * partitions.max(1) as u128 / (2 * u128::from(all));
        if share.is_some_and(|share| share != of) {
            runs.push(&days[start..at]);
            start = at;
        }
        share = Some(of);
        before += own;
    }
    runs.push(&days[start..]);
    runs
}

/// The days from which rows are read: those asked for and their lead-in.
fn seen(days: &[i32], lead_in: i32) -> BTreeSet<i32> {
    days.iter().flat_map(|&day| day.saturating_sub(lead_in.max(0))..=day).collect()
}

#[cfg(test)]
mod tests {
    use super::shared_out;

    #[test]
    fn without_bytes_there_is_one_share() {
        assert_eq!(shared_out(&[1, 2, 9], |_| 0, 4), [&[1, 2, 9]]);
        assert_eq!(shared_out(&[], |_| 0, 4), [&[] as &[i32]]);
    }
}
