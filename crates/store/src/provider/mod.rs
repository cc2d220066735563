//! A table as DataFusion sees it.
//!
//! A [`Provider`] is wholly described by (store URL, table, version or newest, time zone), so that another
//! machine can rebuild it. Making one does no I/O; `scan` reads the log, unless a [`Snapshot`] was given.
//!
//! What must hold: the plan reads exactly the rows of one version. Files are left out only where their
//! exact bounds prove that no row matches; the filters themselves stay in the plan. An ordering is
//! declared only where it is certain: the rows of a file are sorted by key, but files of several days cover the
//! same keys, so a group of files is sorted if it has one file or if bounds prove its files to follow each other.
//!
//! Time zone: the files are read as if their `time` were declared in the provider's zone. The instants
//! are the same, so statistics, filters and pruning work as in UTC, and the cast on reading is free.

mod by_day;
mod day_after_day;
mod file;
mod prune;
mod statistics;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::{DFSchema, Result as DataFusionResult};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

pub use by_day::{ByDay, DAY_COLUMN, DayScan};
pub use day_after_day::{day_after_day, reads_series};
use file::partitioned;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::DataFile;
use crate::schema::UTC;
use crate::snapshot::Snapshot;
use crate::table::Table;

/// A version of a table, to be queried.
#[derive(Debug, Clone)]
pub struct Provider {
    table: Table,
    version: Option<u64>,
    snapshot: Option<Snapshot>,
    time_zone: Arc<str>,
    schema: SchemaRef,
}

impl Provider {
    /// The table at whatever version is the newest when a scan is planned.
    pub fn newest(table: Table) -> Self {
        let schema = table.schema();
        Self { table, version: None, snapshot: None, time_zone: UTC.into(), schema }
    }

    /// The table at this version.
    pub fn at(table: Table, version: u64) -> Self {
        Self { version: Some(version), ..Self::newest(table) }
    }

    /// The table as a snapshot found it: scans do not read the log.
    pub fn pinned(snapshot: Snapshot) -> Self {
        Self { version: snapshot.version(), snapshot: Some(snapshot.clone()), ..Self::newest(snapshot.table().clone()) }
    }

    /// Presents instants as `Timestamp(µs, time_zone)`: the same instants, told in this zone (`Asia/Shanghai`, `+08:00`).
    pub fn with_time_zone(mut self, time_zone: &str) -> Result<Self> {
        time_zone.parse::<Tz>().map_err(|error| {
            let doing =
                format_args!("{time_zone:?} is not a time zone; use a name as Asia/Shanghai or an offset as +08:00");
            StoreError::caused(StoreErrorKind::InvalidArgument, doing, error)
        })?;
        self.time_zone = time_zone.into();
        let data_type = DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(&self.time_zone)));
        let fields = self.schema.fields().iter().map(|field| match field.data_type() {
            DataType::Timestamp(..) => field.as_ref().clone().with_data_type(data_type.clone()).into(),
            _ => Arc::clone(field),
        });
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(self)
    }

    /// The table that is queried.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The version that is queried; `None` for the newest.
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// The time zone in which `time` is presented.
    pub fn time_zone(&self) -> &Arc<str> {
        &self.time_zone
    }

    async fn snapshot(&self) -> Result<Snapshot> {
        match (&self.snapshot, self.version) {
            (Some(snapshot), _) => Ok(snapshot.clone()),
            (None, Some(version)) => self.table.snapshot_at(version).await,
            (None, None) => self.table.snapshot().await,
        }
    }

    /// Files as groups, one per partition of the scan, and whether each group's rows are in the table's order.
    fn groups(&self, files: &[&DataFile], order: &LexOrdering, session: &dyn Session) -> (Vec<FileGroup>, bool) {
        let targets = session.config().target_partitions().max(1);
        let sorted = files.iter().all(|file| file.sorted());
        let all: Vec<PartitionedFile> = files.iter().map(|file| partitioned(file, &self.schema, Vec::new())).collect();
        if sorted && all.len() <= targets {
            return (all.into_iter().map(|file| FileGroup::new(vec![file])).collect(), true);
        }
        if sorted && session.config_options().execution.split_file_groups_by_statistics {
            let split = FileScanConfig::split_groups_by_statistics_with_target_partitions(
                &self.schema,
                &[FileGroup::new(all.clone())],
                order,
                targets,
            );
            // Without all bounds nothing is proved; with more groups than partitions the order is not worth its price.
            if let Some(groups) = split.ok().filter(|groups| groups.len() <= targets) {
                return (groups, true);
            }
        }
        (FileGroup::new(all).split_files(targets), false)
    }

    /// The order of these files' rows. A column that is NULL in all of them orders nothing, and has no bounds by which
    /// files could be proved to follow each other.
    fn order(&self, files: &[&DataFile]) -> DataFusionResult<Option<LexOrdering>> {
        let ascending = SortOptions { descending: false, nulls_first: false };
        let orders = |(key, _): &(usize, _)| !files.iter().all(|file| file.is_all_null(*key));
        let columns = self.table.kind().key().iter().enumerate().filter(orders);
        let columns = columns.map(|(_, name)| Ok(PhysicalSortExpr::new(col(name, &self.schema)?, ascending)));
        Ok(LexOrdering::new(columns.collect::<DataFusionResult<Vec<_>>>()?))
    }
}

#[async_trait]
impl TableProvider for Provider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters prune files, row groups and pages; what is left may hold other rows, so they are applied again.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let snapshot = self.snapshot().await?;
        let predicate = match conjunction(filters.iter().cloned()) {
            Some(filter) => {
                let columns = DFSchema::try_from(Arc::clone(&self.schema))?;
                Some(session.create_physical_expr(filter, &columns)?)
            }
            None => None,
        };
        let files = match &predicate {
            Some(predicate) => {
                let partitions = snapshot.list().partitions();
                prune::matching(partitions, self.table.kind().partition(), predicate, &self.schema)
            }
            None => snapshot.files().collect(),
        };
        if files.is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }

        snapshot.say_foreign();
        let registered = self.table.objects().register(session.runtime_env())?;

        let options = TableParquetOptions {
            global: session.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        // The optimizer hands the filters down to the source, together with those it finds while running.
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_enable_page_index(true);
        let mut config = FileScanConfigBuilder::new(registered, Arc::new(source))
            .with_statistics(statistics::of_all(&files, &self.schema)?)
            .with_limit(limit)
            .with_projection_indices(projection.cloned())?;
        if let Some(order) = self.order(&files)? {
            let (groups, ordered) = self.groups(&files, &order, session);
            config = config.with_file_groups(groups);
            // A declared order keeps idle partitions from taking over files of busy ones.
            if ordered {
                config = config.with_output_ordering(vec![order]);
            }
        }
        Ok(DataSourceExec::from_data_source(config.build()))
    }
}
