//! Statements and their answers, and how a statement pins the versions that it reads.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{internal_datafusion_err, internal_err, plan_err};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use nines_store::{Provider, Snapshot, Store, Table, TableKind};
use tokio::sync::OnceCell;

use crate::as_of::Past;
use crate::fit::Fit;
use crate::location::StoreLocation;
use crate::sink::{Receipt, Sink};

/// A parsed statement, its parameters not yet bound.
#[derive(Debug, Clone)]
pub struct Statement(pub(crate) datafusion::sql::parser::Statement);

/// The result of a statement: a stream of batches, and what was read for it.
pub struct Answer {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows. Errors of execution come through it.
    pub batches: SendableRecordBatchStream,
    pub(crate) sources: Sources,
    pub(crate) receipt: Option<Receipt>,
}

/// What an answer is read from. All of it is known once the rows were read.
#[derive(Debug, Clone)]
pub struct Sources {
    pub(crate) pins: Arc<Pins>,
    pub(crate) store: Option<String>,
}

impl Answer {
    /// For a statement that writes a stored table, where to read what it did, once the batches were read.
    pub fn receipt(&self) -> Option<Receipt> {
        self.receipt.clone()
    }

    /// What it is read from, to be asked after its rows were read.
    pub fn sources(&self) -> Sources {
        self.sources.clone()
    }
}

impl Sources {
    /// As of which earlier time it was read, and which versions of which tables that are: what stands beside the figures.
    /// `None` if it was read as it is now, or read no table.
    pub fn as_of(&self) -> Option<String> {
        let versions = self.pins.versions();
        self.pins.past().filter(|_| !versions.is_empty()).map(|past| past.told(&versions))
    }

    /// That tables were read where there is no store, whatever rows came of it: figures of nothing look like figures.
    pub fn no_store(&self) -> Option<&'static str> {
        (self.store.is_none() && !self.pins.versions().is_empty())
            .then_some("there is no store here, every table is empty; name one with --store, or try `nines demo`")
    }

    /// What to do next, for an answer without rows: that nothing is stored or defined yet, or that no objective was meant.
    pub fn advice(&self) -> Option<String> {
        if self.pins.past().is_some() {
            // Nothing can be done about what was.
            return None;
        }
        let versions = self.pins.versions();
        let is_empty = |kind: TableKind| versions.get(&kind).is_some_and(Option::is_none);
        // Whoever evaluates objectives reads all of these, most of them in vain.
        let evaluated = versions.contains_key(&TableKind::Definitions) && versions.contains_key(&TableKind::Gauges);
        let kind = match evaluated {
            true if is_empty(TableKind::Definitions) => TableKind::Definitions,
            true => match TableKind::INGESTED.iter().find(|kind| kind.is_series() && !is_empty(**kind)) {
                None => TableKind::Requests,
                Some(_) if self.pins.nothing_meant.load(Ordering::Relaxed) => {
                    return Some("no objective matches this filter; list them with: nines slos".to_string());
                }
                Some(_) => return None,
            },
            false => *versions.iter().find(|(_, version)| version.is_none())?.0,
        };
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

/// What time it is for a statement, in µs: the same however often it asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now(pub i64);

/// What time it is for the statement that a session plans or runs.
pub(crate) fn now(session: &dyn Session) -> i64 {
    let config = session.config();
    config.get_extension::<Now>().map_or_else(|| now_in(config.get_extension::<Past>().as_deref()), |now| now.0)
}

/// What time it is, or was in the past that is read. What is to come is not known.
pub(crate) fn now_in(past: Option<&Past>) -> i64 {
    let now = nines_ingest::clock::now();
    past.and_then(Past::at).map_or(now, |at| at.min(now))
}

/// The versions that one statement reads: the first scan of a table decides, all later ones follow.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    tables: Mutex<BTreeMap<TableKind, Pinned>>,
    /// Where it does not read what is newest.
    past: Option<Arc<Past>>,
    /// Where another process has pinned them: nothing else is read.
    given: Option<BTreeMap<TableKind, Option<u64>>>,
    /// Whether objectives were asked for, and none is what was asked for.
    pub nothing_meant: AtomicBool,
}

/// Filled by the first scan; `None` inside when there is no store.
type Pinned = Arc<OnceCell<Option<Snapshot>>>;

impl Pins {
    pub fn new(past: Option<Arc<Past>>) -> Self {
        Pins { past, ..Pins::default() }
    }

    /// Those that another process has pinned.
    pub fn given(versions: BTreeMap<TableKind, Option<u64>>) -> Self {
        Pins { given: Some(versions), ..Pins::default() }
    }

    /// Those of the statement that a session plans. Without a statement there are none: nobody may read "the newest" twice.
    pub fn of(session: &dyn Session) -> DataFusionResult<Arc<Self>> {
        let pins = session.config().get_extension::<Pins>();
        pins.ok_or_else(|| internal_datafusion_err!("tables of the store are read by a statement of a session alone"))
    }

    pub async fn snapshot(&self, kind: TableKind, table: Option<&Table>) -> DataFusionResult<Option<Snapshot>> {
        let cell = self.tables.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default().clone();
        let snapshot = cell.get_or_try_init(|| async {
            let Some(table) = table else { return Ok(None) };
            let Some(given) = &self.given else {
                return Ok(Some(match &self.past {
                    None => table.snapshot().await?,
                    Some(past) => past.read(table).await?,
                }));
            };
            match given.get(&kind) {
                Some(None) => Ok(None),
                Some(Some(version)) => Ok(Some(table.snapshot_at(*version).await?)),
                None => internal_err!("a plan that travelled reads {} and does not say at which version", kind.name()),
            }
        });
        snapshot.await.cloned()
    }

    /// Whether it does not read what is newest.
    pub fn past(&self) -> Option<&Arc<Past>> {
        self.past.as_ref()
    }

    pub fn versions(&self) -> BTreeMap<TableKind, Option<u64>> {
        let pins = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let version = |cell: &Pinned| cell.get().and_then(|snapshot| snapshot.as_ref()?.version());
        let mut versions: BTreeMap<_, _> = pins.iter().map(|(kind, cell)| (*kind, version(cell))).collect();
        // Those that another process has pinned, whether or not they were read yet.
        versions.extend(self.given.iter().flatten());
        versions
    }
}

/// A stored table as SQL sees it: at each scan, the version that the statement has pinned.
#[derive(Debug)]
pub(crate) struct StatementTable {
    pub kind: TableKind,
    /// Where there is no store yet, the table is there, and empty.
    place: Arc<StoreLocation>,
    time_zone: Arc<str>,
    schema: SchemaRef,
    /// What stands in the columns that an INSERT leaves out.
    defaults: HashMap<String, Expr>,
}

impl StatementTable {
    pub fn new(kind: TableKind, place: Arc<StoreLocation>, time_zone: Arc<str>) -> Self {
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
        let pins = Pins::of(session)?;
        let Some(snapshot) = pins.snapshot(self.kind, self.table().as_ref()).await? else {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => self.schema.clone(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        };
        let provider = Provider::pinned(snapshot).with_time_zone(&self.time_zone)?;
        // The store holds columns behind these that are not shown yet.
        let all = (0..self.schema.fields().len()).collect();
        provider.scan(session, Some(projection.unwrap_or(&all)), filters, limit).await
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
