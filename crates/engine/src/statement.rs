//! Statements and their answers, and how a statement pins the versions that it reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use nines_store::{Provider, Snapshot, Table, TableKind};
use tokio::sync::OnceCell;

/// A parsed statement, its parameters not yet bound.
#[derive(Debug, Clone)]
pub struct Statement(pub(crate) datafusion::sql::parser::Statement);

/// The result of a statement: a stream of batches, and what was read for it.
pub struct Answer {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows. Errors of execution come through it.
    pub batches: SendableRecordBatchStream,
    pub(crate) pins: Arc<Pins>,
    pub(crate) store: Option<String>,
}

impl Answer {
    /// What to do next, for an answer without rows that read a table in which nothing is stored yet.
    pub fn advice(&self) -> Option<String> {
        let (kind, _) = self.pins.versions().into_iter().find(|(_, version)| version.is_none())?;
        let name = kind.name();
        Some(match &self.store {
            Some(store) => {
                format!("nothing is stored in {name} yet; fill it with: nines --store {store} ingest {name} FILE")
            }
            None => format!("there is no store here yet; try `nines demo`, or fill one with: nines ingest {name} FILE"),
        })
    }
}

/// The versions that one statement reads: the first scan of a table decides, all later ones follow.
#[derive(Debug, Default)]
pub(crate) struct Pins(Mutex<BTreeMap<TableKind, Pinned>>);

/// Filled by the first scan; `None` inside when there is no store.
type Pinned = Arc<OnceCell<Option<Snapshot>>>;

impl Pins {
    async fn snapshot(&self, kind: TableKind, table: Option<&Table>) -> nines_store::Result<Option<Snapshot>> {
        let cell = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default().clone();
        let snapshot = cell.get_or_try_init(|| async {
            match table {
                Some(table) => table.snapshot().await.map(Some),
                None => Ok(None),
            }
        });
        snapshot.await.cloned()
    }

    fn versions(&self) -> Vec<(TableKind, Option<u64>)> {
        let pins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let version = |cell: &Pinned| cell.get().and_then(|snapshot| snapshot.as_ref()?.version());
        pins.iter().map(|(kind, cell)| (*kind, version(cell))).collect()
    }
}

/// A stored table as SQL sees it: at each scan, the version that the statement has pinned.
#[derive(Debug)]
pub(crate) struct StatementTable {
    kind: TableKind,
    /// `None` when the store does not exist yet: the table is there, and empty.
    table: Option<Table>,
    time_zone: Arc<str>,
    schema: SchemaRef,
}

impl StatementTable {
    pub fn new(kind: TableKind, table: Option<Table>, time_zone: Arc<str>) -> nines_store::Result<Self> {
        let schema = match &table {
            Some(table) => Provider::newest(table.clone()).with_time_zone(&time_zone)?.schema(),
            None => kind.schema(nines_store::DEFAULT_SLICE_SECONDS),
        };
        Ok(StatementTable { kind, table, time_zone, schema })
    }
}

#[async_trait]
impl TableProvider for StatementTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        match &self.table {
            Some(table) => Provider::newest(table.clone()).supports_filters_pushdown(filters),
            None => Ok(vec![TableProviderFilterPushDown::Exact; filters.len()]),
        }
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let external = |error| DataFusionError::External(Box::new(error));
        let pins = session.config().get_extension::<Pins>().unwrap_or_default();
        let Some(snapshot) = pins.snapshot(self.kind, self.table.as_ref()).await.map_err(external)? else {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => self.schema.clone(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        };
        let provider = Provider::pinned(snapshot).with_time_zone(&self.time_zone).map_err(external)?;
        provider.scan(session, projection, filters, limit).await
    }
}
