//! The session: what a person has. A time zone, a role, limits, prepared statements, kept results; a DataFusion context with our
//! tables and functions.
//!
//! ```text
//! text ──parse──▶ Statement ──plan──▶ Planned ──execute──▶ Answer (a stream of batches)
//!                    parameters, prepared statements, time zone,
//!                    role, exact INSERT; pins and a receipt of its own
//! ```
//!
//! What must hold: whatever runs a statement plans it here; a statement sees one version of each table.

mod limits;
mod plan;
mod role;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use chrono::DateTime;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, TableProvider};
use datafusion::common::TableReference;
use datafusion::config::Dialect;
use datafusion::datasource::MemTable;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::DFParserBuilder;
use nines_ingest::clock;
use nines_slo::Definitions;
use nines_store::{Snapshot, Store, Table};
use tokio::sync::{RwLock, Semaphore};

use crate::as_of::{self, Past};
use crate::catalog::StoreSchema;
use crate::engine::{Engine, Settings};
use crate::evaluate::{Evaluated, Evaluation, Read};
use crate::location::StoreLocation;
use crate::parameters::Parameters;
use crate::prepared::PreparedStatements;
use crate::running::{self, SessionId};
use crate::statement::{Answer, Now, Pins, Statement, now_in};
use crate::times::{self, Types};
use crate::zone::Zone;
use crate::{EngineError, Result, bounded, by_run, depth, evaluate, files, tokens};

pub use limits::Limits;
pub use plan::{Described, Planned};
pub use role::Role;

/// How a session is set up.
#[derive(Debug, Clone, Default)]
pub struct SessionSettings {
    /// In which zoneless times are read and times are shown.
    pub time_zone: Zone,
    /// What it may do.
    pub role: Role,
    /// What it may take.
    pub limits: Limits,
    /// As of which earlier time everything is read, and nothing written: versions as `requests=41,definitions=3` (all other
    /// tables are read as they are now), a time in the session's zone, or `statement:ID`, what an issued statement was worked out
    /// from. `None`: as it is now.
    pub as_of: Option<String>,
}

/// A SQL session over a store. Cheap to clone; clones are the same session.
#[derive(Clone)]
pub struct Session {
    engine: Engine,
    id: SessionId,
    context: SessionContext,
    types: Types,
    read: Arc<Read>,
    settings: Arc<SessionSettings>,
    /// `None`: it reads what is newest.
    past: Option<Arc<Past>>,
    prepared: PreparedStatements,
    /// How many more statements may begin, where that is limited.
    statements: Option<Arc<Semaphore>>,
    /// What statements share of what they evaluate, while somebody holds it.
    shared: Arc<Mutex<Weak<Evaluated>>>,
    /// Held while a statement is planned, and alone while a setting changes: no statement is planned in two time zones.
    planning: Arc<RwLock<()>>,
}

/// What statements of a session share while it is held ([`Session::sharing`]).
#[derive(Debug)]
pub struct Sharing {
    _evaluated: Arc<Evaluated>,
}

impl Engine {
    /// Begins a session. Sessions of an engine know nothing of each other but what is stored.
    pub async fn session(&self, settings: SessionSettings) -> Result<Session> {
        Session::begin(self.clone(), settings).await
    }
}

impl Session {
    /// The one session of an engine of its own: UTC, everything allowed, no limits but the engine's.
    pub async fn open(settings: Settings) -> Result<Session> {
        Engine::open(settings).await?.session(SessionSettings::default()).await
    }

    /// The same over a store that is created where there is none, with this slice width, 60 seconds if `None`.
    pub async fn open_or_create(settings: Settings, slice_seconds: Option<i64>) -> Result<Session> {
        Engine::open_or_create(settings, slice_seconds).await?.session(SessionSettings::default()).await
    }

    pub(crate) async fn begin(engine: Engine, settings: SessionSettings) -> Result<Session> {
        engine.place().look().await?;
        let past = match &settings.as_of {
            Some(text) => Some(Arc::new(as_of::past(text, engine.store(), settings.time_zone).await?)),
            None => None,
        };
        let mut config =
            SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema("nines", "public");
        if let Some(partitions) = engine.settings().partitions {
            config = config.with_target_partitions(partitions.get());
        }
        config = config.with_option_extension(by_run::Plans::default());
        if let Some(past) = &past {
            config.set_extension(Arc::clone(past));
        }
        config.set_extension(Arc::new(settings.role));
        let options = config.options_mut();
        options.execution.time_zone = Some(settings.time_zone.to_string());
        // A dialect without trailing commas: with them, `SELECT a, exclude(…)` ends before the keyword EXCLUDE.
        options.sql_parser.dialect = Dialect::PostgreSQL;
        // Else DataFusion cuts a large CSV file at newlines that stand in quotes.
        options.catalog.newlines_in_values = true;
        let types = Types::of(settings.time_zone);
        let state =
            SessionStateBuilder::new().with_config(config).with_runtime_env(runtime(&engine, settings.limits.memory));
        let state = state.with_expr_planners(vec![Arc::new(nines_functions::LabelAccess)]);
        let state = state.with_default_features().with_type_planner(Arc::new(types.clone()));
        let state = state.with_physical_optimizer_rule(Arc::new(by_run::ByRun));
        let mut context = SessionContext::new_with_state(state.build());
        if settings.role.has_files() {
            context = files::with_files(context);
        }
        in_zone(&context, &types, settings.time_zone, past.as_deref())?;
        context.add_analyzer_rule(Arc::new(times::InZone { past: past.clone() }));
        context.add_analyzer_rule(Arc::new(nines_functions::CheckedArithmetic));
        bounded::register(&context, engine.memory_limit())?;
        let (place, read) = (engine.place(), Arc::new(Read::of(engine.evaluations())));
        crate::answers::register_all(&context, place, &read);
        crate::deferred_functions::register_all(&context, place, &read);
        let schema = StoreSchema {
            place: place.clone(),
            read: read.clone(),
            session: context.state_weak_ref(),
            created: MemorySchemaProvider::new(),
        };
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema("public", Arc::new(schema))?;
        context.register_catalog("nines", Arc::new(catalog));
        let statements = settings.limits.statements.map(|most| Arc::new(Semaphore::new(most)));
        let (id, settings) = (SessionId::next(), Arc::new(settings));
        let (prepared, planning) = Default::default();
        let shared = Arc::default();
        Ok(Session { engine, id, context, types, read, settings, past, prepared, statements, shared, planning })
    }

    /// The engine whose session this is.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How the session was set up.
    pub fn settings(&self) -> &SessionSettings {
        &self.settings
    }

    /// The store, if it exists.
    pub fn store(&self) -> Option<&Store> {
        self.engine.store()
    }

    /// Where the store is, or may come to be: a path or URL, as it was given.
    pub fn store_url(&self) -> &str {
        &self.engine.settings().store
    }

    /// Adds a table of the session's own; one of its name is replaced. Names of stored tables are taken.
    pub fn register_table(&self, name: &str, table: Arc<dyn TableProvider>) -> Result<()> {
        self.forget(name)?;
        self.context.register_table(kept(name), table)?;
        Ok(())
    }

    /// Adds a function. One of its name is replaced, for this session's SQL; definitions of objectives are evaluated with the shipped
    /// functions, whoever asks.
    pub fn register_function(&self, function: ScalarUDF) {
        self.context.register_udf(function);
    }

    /// The same for an aggregate.
    pub fn register_aggregate(&self, function: AggregateUDF) {
        self.context.register_udaf(function);
    }

    /// What appends to tables of the store ([`Table::append`]) run under, whatever the session has set.
    pub fn task(&self) -> Arc<TaskContext> {
        evaluate::task(&self.context.task_ctx())
    }

    pub(crate) fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Where the store is, or may come to be.
    pub(crate) fn place(&self) -> &StoreLocation {
        self.engine.place()
    }

    /// What was read before, for the next one who asks.
    pub(crate) fn read(&self) -> &Read {
        &self.read
    }

    /// The state for a statement that begins now: with pins of its own, and the time that it is.
    pub(crate) async fn beginning(&self) -> Result<(SessionState, Arc<Pins>)> {
        self.place().look().await?;
        let pins = Arc::new(Pins::new(self.past.clone()));
        let mut state = self.context.state();
        state.config_mut().set_extension(Arc::new(Now(self.now())));
        state.config_mut().set_extension(Arc::clone(&pins));
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        state.config_mut().set_extension(shared.unwrap_or_default());
        Ok((state, pins))
    }

    /// While what this gives is held, a statement need not count the days of an objective that another one has counted with the same
    /// details, as long as nothing new is stored: for the cells of a notebook. It takes up to an eighth of the session's memory.
    pub fn sharing(&self) -> Sharing {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let evaluated =
            shared.upgrade().unwrap_or_else(|| Arc::new(Evaluated::lasting(&self.context.runtime_env().memory_pool)));
        *shared = Arc::downgrade(&evaluated);
        Sharing { _evaluated: evaluated }
    }

    /// Begins an evaluation that no SQL asks for.
    pub(crate) async fn evaluation(&self) -> Result<Evaluation> {
        Ok(Evaluation::of(&self.beginning().await?.0, &self.read)?)
    }

    /// A context for reading what a command needs to know, whatever the session has set.
    pub(crate) async fn reading(&self) -> Result<SessionContext> {
        Ok(SessionContext::new_with_state(self.evaluation().await?.state().clone()))
    }

    /// The session's time zone now: SET TIME ZONE changes it.
    pub fn time_zone(&self) -> Zone {
        let zone = self.context.state_ref().read().config_options().execution.time_zone.clone();
        zone.and_then(|zone| zone.parse().ok()).unwrap_or(self.settings.time_zone)
    }

    /// What time it is for whatever it is asked, in µs: the time as of which it reads, if that is one, else now.
    pub fn now(&self) -> i64 {
        now_in(self.past.as_deref())
    }

    /// As of which earlier time it reads, and which versions of which tables it has read so far; `None` if it reads what is
    /// newest, or has read nothing yet.
    pub fn as_of(&self) -> Option<String> {
        self.past.as_ref().and_then(|past| past.told_of_all())
    }

    /// The version of a table that it reads now.
    pub(crate) async fn snapshot(&self, table: &Table) -> Result<Snapshot> {
        Ok(match &self.past {
            Some(past) => past.read(table).await?,
            None => table.snapshot().await?,
        })
    }

    /// Refuses to write as of an earlier time, or without the right to.
    pub(crate) fn check_present(&self) -> Result<()> {
        if self.settings.role == Role::Reader {
            return Err(EngineError::Usage("the session only reads the store".to_string()));
        }
        self.past.as_ref().map_or(Ok(()), |_| Err(as_of::nothing_is_written()))
    }

    /// The store, created where there is none.
    pub(crate) async fn store_to_write(&self) -> Result<&Store> {
        self.check_present()?;
        Ok(self.place().open_or_create().await?)
    }

    /// Splits text into statements at semicolons.
    pub fn parse(&self, sql: &str) -> Result<Vec<Statement>> {
        depth::with_stack(sql, || {
            let mut parser = DFParserBuilder::new(sql).with_dialect(&tokens::DIALECT).build()?;
            let mut statements = parser.parse_statements()?;
            statements.iter_mut().try_for_each(depth::shallow)?;
            Ok(statements.into_iter().map(Statement).collect())
        })
    }

    /// Plans and starts a statement: [`Session::plan`], then [`Session::execute`].
    pub async fn run(&self, statement: &Statement, parameters: &Parameters) -> Result<Answer> {
        self.execute(self.plan(statement, parameters).await?).await
    }

    /// As [`Session::run`] without parameters, as if these definitions were recorded and no others. Nothing is written, not even
    /// days of objectives, which are kept otherwise.
    pub async fn run_as_if(&self, statement: &Statement, definitions: Arc<Definitions>) -> Result<Answer> {
        self.execute(self.planned(statement, &Parameters::default(), Some(definitions)).await?).await
    }

    /// Why days or facts that were evaluated since the last call could not be kept, if so: the answers do not depend on it.
    pub fn unkept(&self) -> Option<EngineError> {
        self.read.unkept.take()
    }

    /// Ends all statements of this session and its clones, and of none other: their streams fail at the next step.
    pub fn cancel(&self) {
        running::cancel(self.id);
    }

    /// Makes rows a table of this session, in the place of one that was kept under this name. They stay in memory;
    /// nothing is stored. Capitals count for nothing, as in SQL where a name is not quoted.
    pub fn keep(&self, name: &str, schema: SchemaRef, rows: Vec<RecordBatch>) -> Result<()> {
        self.register_table(name, Arc::new(MemTable::try_new(schema, vec![rows])?))
    }

    /// Drops a table that was kept; there may be none.
    pub fn forget(&self, name: &str) -> Result<()> {
        self.context.deregister_table(kept(name))?;
        Ok(())
    }

    /// Runs one statement without parameters and collects its rows.
    pub async fn sql(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        let answer = self.run(&self.one(sql)?, &Parameters::default()).await?;
        Ok(datafusion::physical_plan::common::collect(answer.batches).await?)
    }

    /// The one statement of a text.
    fn one(&self, sql: &str) -> Result<Statement> {
        let [statement] = self.parse(sql)?.try_into().map_err(|statements: Vec<_>| {
            EngineError::Usage(format!("expected one statement, got {}", statements.len()))
        })?;
        Ok(statement)
    }
}

/// The engine's memory and disk, of which the session may have so much.
fn runtime(engine: &Engine, most: Option<usize>) -> Arc<RuntimeEnv> {
    let shared = engine.runtime();
    match most {
        None => Arc::clone(shared),
        Some(most) => {
            let pool = limits::SessionPool::new(Arc::clone(&shared.memory_pool), most);
            Arc::new(RuntimeEnv { memory_pool: Arc::new(pool), ..shared.as_ref().clone() })
        }
    }
}

/// Makes functions and types those of a session in this time zone.
fn in_zone(context: &SessionContext, types: &Types, zone: Zone, past: Option<&Past>) -> Result<()> {
    let session = context.state_ref();
    let mut session = session.write();
    let stands = past.and_then(Past::at).map(|_| now_in(past)).or(clock::set().ok().flatten());
    let now = stands.and_then(DateTime::from_timestamp_micros);
    nines_functions::register_all(&mut *session, zone.name())?;
    nines_functions::register_times(&mut *session, zone.name(), now)?;
    types.set(zone);
    Ok(())
}

/// The table that SQL means by a name without quotes.
fn kept(name: &str) -> TableReference {
    TableReference::bare(name.to_ascii_lowercase())
}
