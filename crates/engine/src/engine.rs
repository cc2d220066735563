//! The session: a DataFusion context with our tables, functions and settings.

use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::DateTime;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider};
use datafusion::common::TableReference;
use datafusion::config::Dialect;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SessionStateBuilder, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, Statement as PlanStatement};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::DFParserBuilder;
use nines_ingest::clock;
use nines_slo::Definitions;
use nines_store::{Snapshot, Store, StoreErrorKind, Table};
use tokio::sync::RwLock;

use crate::answers::Signature;
use crate::as_of::{self, Past};
use crate::catalog::StoreSchema;
use crate::evaluate::{Evaluation, Proposed, Read};
use crate::insert::{self, Receipt};
use crate::outside;
use crate::parameters::Parameters;
use crate::place::Place;
use crate::prepared::{self, PreparedStatements};
use crate::running::{self, Token};
use crate::statement::{Answer, Now, Pins, Statement, now_in};
use crate::times::Types;
use crate::{EngineError, Result, bounded, calls, depth, evaluate, files, machine, times, tokens, zone};

/// How a session is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store: a path, `file://…` or `memory://NAME`.
    pub store: String,
    /// IANA name of the time zone in which zoneless times are read and times are shown.
    pub time_zone: String,
    /// Most bytes that queries may hold; beyond it they spill to disk or fail with a clear error.
    /// `None`: half of the machine's memory, or of what the process may have of it, where that can be found out.
    pub memory_limit: Option<usize>,
    /// Partitions worked on at once. `None`: one per core.
    pub partitions: Option<NonZeroUsize>,
    /// Whether SQL may read and write files that are not the store's.
    pub files: bool,
    /// Whether SQL may write tables of the store.
    pub writes: bool,
    /// Whether [`Engine::tidy`] puts rows into fewer files.
    pub compact: bool,
    /// As of which earlier time everything is read, and nothing written: versions as `requests=41,definitions=3` (all other
    /// tables are read as they are now), a time in the session's zone, or `statement:ID`, what an issued statement was worked out
    /// from. `None`: as it is now.
    pub as_of: Option<String>,
}

impl Settings {
    /// This store, UTC, half of the memory, all cores, files too.
    pub fn new(store: impl Into<String>) -> Self {
        Settings {
            store: store.into(),
            time_zone: "UTC".to_string(),
            memory_limit: None,
            partitions: None,
            files: true,
            writes: true,
            compact: true,
            as_of: None,
        }
    }
}

/// A SQL session over a store. Cheap to clone; clones share tables and settings.
#[derive(Clone)]
pub struct Engine {
    context: SessionContext,
    types: Types,
    place: Arc<Place>,
    read: Arc<Read>,
    settings: Arc<Settings>,
    /// `None`: it reads what is newest.
    past: Option<Arc<Past>>,
    /// What the memory pool may hold, where that is bounded.
    memory_limit: Option<usize>,
    prepared: PreparedStatements,
    /// Held while a statement is planned, and alone while a setting changes: no statement is planned in two time zones.
    planning: Arc<RwLock<()>>,
}

impl Engine {
    /// Opens a session. A store that does not exist has its tables, all empty; the first INSERT creates it.
    pub async fn open(settings: Settings) -> Result<Engine> {
        let store = match Store::open(&settings.store).await {
            Ok(store) => Some(store),
            Err(error) if error.kind() == StoreErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let past = match &settings.as_of {
            Some(text) => Some(Arc::new(as_of::past(text, store.as_ref(), &zone::known(&settings.time_zone)?).await?)),
            None => None,
        };
        Engine::over(store, settings, past)
    }

    /// Opens a session in order to write. A store that does not exist is created with this slice width,
    /// 60 seconds if `None`; one that exists must have it.
    pub async fn open_or_create(settings: Settings, slice_seconds: Option<i64>) -> Result<Engine> {
        if settings.as_of.is_some() {
            return Err(as_of::nothing_is_written());
        }
        let store = Store::open_or_create(&settings.store, slice_seconds).await?;
        Engine::over(Some(store), settings, None)
    }

    fn over(store: Option<Store>, settings: Settings, past: Option<Arc<Past>>) -> Result<Engine> {
        clock::set().map_err(EngineError::Usage)?;
        let settings = Settings { time_zone: zone::known(&settings.time_zone)?, ..settings };
        let mut config =
            SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema("nines", "public");
        if let Some(partitions) = settings.partitions {
            config = config.with_target_partitions(partitions.get());
        }
        if let Some(past) = &past {
            config.set_extension(Arc::clone(past));
        }
        let options = config.options_mut();
        options.execution.time_zone = Some(settings.time_zone.clone());
        // A dialect without trailing commas: with them, `SELECT a, exclude(…)` ends before the keyword EXCLUDE.
        options.sql_parser.dialect = Dialect::PostgreSQL;
        // Else DataFusion cuts a large CSV file at newlines that stand in quotes.
        options.catalog.newlines_in_values = true;
        let mut runtime = RuntimeEnvBuilder::new().with_disk_manager_builder(DiskManagerBuilder::default());
        let memory_limit = settings.memory_limit.or_else(machine::half_of_memory);
        if let Some(bytes) = memory_limit {
            const NAMED_IN_ERRORS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);
            // The rest is for what operators hold for a moment: a buffer that doubles stands beside its old self, and the
            // allocator gives memory back a little later.
            let pool = TrackConsumersPool::new(FairSpillPool::new(bytes / 4 * 3), NAMED_IN_ERRORS);
            runtime = runtime.with_memory_pool(Arc::new(pool));
        }
        let types = Types::of(&settings.time_zone);
        let state = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime.build_arc()?);
        let state = state.with_default_features().with_type_planner(Arc::new(types.clone()));
        let mut context = SessionContext::new_with_state(state.build());
        if settings.files {
            context = files::with_files(context);
        }
        in_zone(&context, &types, &settings.time_zone, past.as_deref())?;
        context.add_analyzer_rule(Arc::new(times::InZone { past: past.clone() }));
        context.add_analyzer_rule(Arc::new(nines_functions::CheckedArithmetic));
        bounded::register(&context, memory_limit)?;
        let place = Arc::new(Place::new(&settings.store, store));
        let read = Arc::new(Read::default());
        crate::answers::register_all(&context, &place, &read);
        crate::credits::register(&context, &place, &read);
        let schema = StoreSchema {
            place: place.clone(),
            read: read.clone(),
            session: context.state_weak_ref(),
            created: MemorySchemaProvider::new(),
        };
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema("public", Arc::new(schema))?;
        context.register_catalog("nines", Arc::new(catalog));
        let (prepared, planning) = Default::default();
        let settings = Arc::new(settings);
        Ok(Engine { context, types, place, read, settings, past, memory_limit, prepared, planning })
    }

    /// The DataFusion session, to register more tables or functions.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The store, if it exists.
    pub fn store(&self) -> Option<&Store> {
        self.place.store()
    }

    /// Where the store is, or may come to be.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// What was read before, for the next one who asks.
    pub(crate) fn read(&self) -> &Read {
        &self.read
    }

    /// A context for reading what a command needs to know, whatever the session has set.
    pub(crate) fn reading(&self) -> Result<SessionContext> {
        let evaluation = Evaluation::of(&self.context.state(), &self.read)?;
        Ok(SessionContext::new_with_state(evaluation.state().clone()))
    }

    /// What writes rows, whatever the session has set.
    pub(crate) fn writing(&self) -> Arc<TaskContext> {
        evaluate::task(&self.context.task_ctx())
    }

    /// The session's time zone now: SET TIME ZONE changes it.
    pub fn time_zone(&self) -> String {
        let zone = self.context.state_ref().read().config_options().execution.time_zone.clone();
        zone.unwrap_or_else(|| self.settings.time_zone.clone())
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

    pub(crate) fn past(&self) -> Option<&Arc<Past>> {
        self.past.as_ref()
    }

    /// The version of a table that it reads now.
    pub(crate) async fn snapshot(&self, table: &Table) -> Result<Snapshot> {
        Ok(match &self.past {
            Some(past) => past.read(table).await?,
            None => table.snapshot().await?,
        })
    }

    /// Refuses to write as of an earlier time.
    pub(crate) fn check_present(&self) -> Result<()> {
        self.past.as_ref().map_or(Ok(()), |_| Err(as_of::nothing_is_written()))
    }

    /// The store, created where there is none.
    pub(crate) async fn store_to_write(&self) -> Result<&Store> {
        self.check_present()?;
        Ok(self.place.open_or_create().await?)
    }

    /// How the session was set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
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

    /// Plans and starts a statement. Every table it names is read at one version, the newest now. An INSERT has
    /// committed when its one row, the number of rows inserted, comes.
    pub async fn run(&self, statement: &Statement, parameters: &Parameters) -> Result<Answer> {
        self.run_with(statement, parameters, None).await
    }

    /// As [`Engine::run`] without parameters, as if these definitions were recorded and no others. Nothing is written, not even
    /// days of objectives, which are kept otherwise.
    pub async fn run_as_if(&self, statement: &Statement, definitions: Arc<Definitions>) -> Result<Answer> {
        self.run_with(statement, &Parameters::default(), Some(definitions)).await
    }

    async fn run_with(
        &self,
        statement: &Statement,
        parameters: &Parameters,
        proposed: Option<Arc<Definitions>>,
    ) -> Result<Answer> {
        let token = Token::begin(&self.place, self.memory_limit);
        tokio::select! {
            answer = self.run_under(&token, statement, parameters, proposed) => answer,
            () = token.ended() => {
                token.check()?;
                Err(EngineError::Cancelled)
            }
        }
    }

    async fn run_under(
        &self,
        token: &Arc<Token>,
        statement: &Statement,
        parameters: &Parameters,
        proposed: Option<Arc<Definitions>>,
    ) -> Result<Answer> {
        let mut statement = statement.0.clone();
        parameters.bind(&mut statement)?;
        self.prepared.put(&mut statement)?;
        zone::set(&mut statement, &self.settings.time_zone)?;
        times::written(&mut statement);
        let signatures = signatures();
        calls::in_order(&mut statement, &signatures)?;
        let prepares = prepared::prepares(&statement);
        let mut planned = statement.clone();
        if prepares {
            prepared::with_stand_ins(&mut planned, &signatures)?;
        }
        let pins = Arc::new(Pins::new(self.past.clone()));
        let receipt = Receipt::default();
        let planning = self.planning.read().await;
        // A context of its own: statements that run at once must not mix what they pin, and what is proposed is gone with it.
        let mut state = self.context.state();
        state.config_mut().set_extension(Arc::new(Now(self.now())));
        state.config_mut().set_extension(pins.clone());
        state.config_mut().set_extension(Arc::new(receipt.clone()));
        if let Some(definitions) = proposed {
            state.config_mut().set_extension(Arc::new(Proposed(definitions)));
        }
        let context = SessionContext::new_with_state(state);
        let mut plan = context.state().statement_to_plan(planned).await?;
        if !self.settings.files {
            outside::refuse(&plan)?;
        }
        if !self.settings.writes {
            outside::refuse_writes(&plan)?;
        }
        if outside::writes(&plan)? {
            self.check_present()?;
        }
        // What is prepared stays with the session as it was written, to be planned when it is executed.
        if let LogicalPlan::Statement(PlanStatement::Prepare(prepare)) = &plan {
            insert::check(&prepare.input)?;
            self.prepared.keep(&statement)?;
            plan = LogicalPlanBuilder::empty(false).build()?;
        }
        if let LogicalPlan::Statement(PlanStatement::Deallocate(deallocate)) = &plan {
            self.prepared.forget(&deallocate.name)?;
            plan = LogicalPlanBuilder::empty(false).build()?;
        }
        let plan = insert::exactly(&context.state(), &statement, plan).await?;
        drop(planning);
        let receipt = insert::writes(&plan).then_some(receipt);
        // SET is meant for the statements to come.
        let frame = match matches!(plan, LogicalPlan::Statement(_)) {
            true => self.set(plan).await?,
            false => context.execute_logical_plan(plan).await?,
        };
        let batches = running::start(frame, token).await?;
        let store = self.store().map(|_| self.settings.store.clone());
        Ok(Answer { schema: batches.schema(), batches, pins, store, receipt })
    }

    /// Why days or facts that were evaluated since the last call could not be kept, if so: the answers do not depend on it.
    pub fn unkept(&self) -> Option<EngineError> {
        self.read.unkept.take()
    }

    /// Ends all statements of this session and its clones, and of none other: their streams fail at the next step.
    pub fn cancel(&self) {
        running::cancel(&self.place);
    }

    /// Changes a setting of the session, and with its time zone the functions and types that depend on that.
    async fn set(&self, plan: LogicalPlan) -> Result<DataFrame> {
        let _alone = self.planning.write().await;
        let before = self.time_zone();
        let frame = self.context.execute_logical_plan(plan).await?;
        let zone = self.time_zone();
        if zone != before {
            in_zone(&self.context, &self.types, &zone, self.past.as_deref())?;
        }
        Ok(frame)
    }

    /// Makes rows a table of this session, in the place of one that was kept under this name. They stay in memory;
    /// nothing is stored. Capitals count for nothing, as in SQL where a name is not quoted.
    pub fn keep(&self, name: &str, schema: SchemaRef, rows: Vec<RecordBatch>) -> Result<()> {
        let table = MemTable::try_new(schema, vec![rows])?;
        self.forget(name)?;
        self.context.register_table(kept(name), Arc::new(table))?;
        Ok(())
    }

    /// Drops a table that was kept; there may be none.
    pub fn forget(&self, name: &str) -> Result<()> {
        self.context.deregister_table(kept(name))?;
        Ok(())
    }

    /// Runs one statement without parameters and collects its rows.
    pub async fn sql(&self, sql: &str) -> Result<Vec<RecordBatch>> {
        let [statement] = self.parse(sql)?.try_into().map_err(|statements: Vec<_>| {
            EngineError::Usage(format!("expected one statement, got {}", statements.len()))
        })?;
        let answer = self.run(&statement, &Parameters::default()).await?;
        Ok(datafusion::physical_plan::common::collect(answer.batches).await?)
    }
}

/// Makes functions and types those of a session in this time zone.
fn in_zone(context: &SessionContext, types: &Types, zone: &str, past: Option<&Past>) -> Result<()> {
    let session = context.state_ref();
    let mut session = session.write();
    let stands = past.and_then(Past::at).map(|_| now_in(past)).or(clock::set().ok().flatten());
    let now = stands.and_then(DateTime::from_timestamp_micros);
    nines_functions::register_all(&mut *session, zone)?;
    nines_functions::register_times(&mut *session, zone, now)?;
    types.set(zone);
    Ok(())
}

/// What the table functions take.
fn signatures() -> Vec<Signature> {
    let mut all = crate::answers::signatures();
    all.push(crate::credits::SIGNATURE);
    all
}

/// The table that SQL means by a name without quotes.
fn kept(name: &str) -> TableReference {
    TableReference::bare(name.to_ascii_lowercase())
}
