//! Statements and their answers, and how a statement pins the versions that it reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::plan_err;
use datafusion::datasource::sink::DataSinkExec;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use nines_store::{Provider, Snapshot, Store, Table, TableKind};
use tokio::sync::OnceCell;

use crate::fit::Fit;
use crate::insert::{Receipt, Sink};
use crate::place::Place;

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
    pub(crate) receipt: Option<Receipt>,
}

impl Answer {
    /// For a statement that writes a stored table, where to read what it did, once the batches were read.
    pub fn receipt(&self) -> Option<Receipt> {
        self.receipt.clone()
    }

    /// What to do next, for an answer without rows that read a table in which nothing is stored yet.
    pub fn advice(&self) -> Option<String> {
        let kind = self.pins.missing()?;
        let name = kind.name();
        Some(match (&self.store, kind.kept_by_nines()) {
            (Some(_), Some(instead)) if kind == TableKind::Definitions => format!("nothing is defined yet; {instead}"),
            (Some(_), Some(instead)) => format!("nothing is kept in {name} yet; {instead}"),
            (Some(store), None) => {
                format!("nothing is stored in {name} yet; fill it with: nines --store {store} ingest {name} FILE")
            }
            (None, Some(instead)) => format!("there is no store here yet; try `nines demo`; {instead}"),
            (None, None) => {
                format!("there is no store here yet; try `nines demo`, or fill one with: nines ingest {name} FILE")
            }
        })
    }
}

/// The versions that one statement reads: the first scan of a table decides, all later ones follow.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    pinned: Mutex<BTreeMap<TableKind, Pinned>>,
    /// Those without which there is no answer, so that an empty one is worth a word.
    asked: Mutex<BTreeSet<TableKind>>,
}

/// Filled by the first scan; `None` inside when there is no store.
type Pinned = Arc<OnceCell<Option<Snapshot>>>;

impl Pins {
    pub async fn snapshot(&self, kind: TableKind, table: Option<&Table>) -> nines_store::Result<Option<Snapshot>> {
        let cell = self.pinned.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default().clone();
        let snapshot = cell.get_or_try_init(|| async {
            match table {
                Some(table) => table.snapshot().await.map(Some),
                None => Ok(None),
            }
        });
        snapshot.await.cloned()
    }

    /// Notes that the statement asks for the rows of a table.
    pub fn ask(&self, kind: TableKind) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(kind);
    }

    /// A table that was asked for and never written.
    fn missing(&self) -> Option<TableKind> {
        let pins = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let version = |kind: &TableKind| pins.get(kind)?.get()?.as_ref()?.version();
        asked.iter().find(|kind| version(kind).is_none()).copied()
    }
}

/// A stored table as SQL sees it: at each scan, the version that the statement has pinned.
#[derive(Debug)]
pub(crate) struct StatementTable {
    pub kind: TableKind,
    /// Where there is no store yet, the table is there, and empty.
    place: Arc<Place>,
    time_zone: Arc<str>,
    schema: SchemaRef,
    /// What stands in the columns that an INSERT leaves out.
    defaults: HashMap<String, Expr>,
}

impl StatementTable {
    pub fn new(kind: TableKind, place: Arc<Place>, time_zone: Arc<str>) -> Self {
        let slice_seconds = place.store().map_or(nines_store::DEFAULT_SLICE_SECONDS, Store::slice_seconds);
        let stored = kind.schema(slice_seconds);
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some(time_zone.clone()));
        let fields = stored.fields().iter().map(|field| match field.data_type() {
            DataType::Timestamp(..) => field.as_ref().clone().with_data_type(instant.clone()),
            _ => field.as_ref().clone(),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let names = schema.fields().iter().map(|field| field.name());
        let defaults = names.filter_map(|name| Some((name.clone(), lit(kind.default_of(name)?)))).collect();
        StatementTable { kind, place, time_zone, schema, defaults }
    }

    fn table(&self) -> Option<Table> {
        self.place.store().map(|store| store.table(self.kind))
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

    fn get_column_default(&self, column: &str) -> Option<&Expr> {
        self.defaults.get(column)
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        match self.table() {
            Some(table) => Provider::newest(table).supports_filters_pushdown(filters),
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
        let pins = session.config().get_extension::<Pins>().unwrap_or_default();
        pins.ask(self.kind);
        let Some(snapshot) = pins.snapshot(self.kind, self.table().as_ref()).await? else {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => self.schema.clone(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        };
        let provider = Provider::pinned(snapshot).with_time_zone(&self.time_zone)?;
        provider.scan(session, projection, filters, limit).await
    }

    /// Plans an append of all rows that `input` yields. Nothing is written, and no store created, before it runs.
    async fn insert_into(
        &self,
        session: &dyn Session,
        input: Arc<dyn ExecutionPlan>,
        op: InsertOp,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        if let Some(instead) = self.kind.kept_by_nines() {
            return plan_err!("{} is not written with SQL; {instead}", self.kind.name());
        }
        if op != InsertOp::Append {
            return plan_err!("{op} is not there; INSERT INTO {} replaces rows of the same key", self.kind.name());
        }
        let receipt = session.config().get_extension::<Receipt>().unwrap_or_default();
        let fit = Fit::new(self.kind, &input.schema(), &self.time_zone)?;
        let sink = Sink::new(self.kind, self.place.clone(), fit, receipt, input.schema());
        Ok(Arc::new(DataSinkExec::new(input, Arc::new(sink), None)))
    }
}
