//! The session: a DataFusion context with our tables, functions and settings.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider};
use datafusion::common::TableReference;
use datafusion::config::Dialect;
use datafusion::datasource::MemTable;
use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion::sql::parser::DFParserBuilder;
use nines_ingest::clock;
use nines_slo::Definitions;
use nines_store::{Store, StoreErrorKind};

use crate::answers::Signature;
use crate::catalog::StoreSchema;
use crate::evaluate::{Proposed, Read};
use crate::insert::{self, Receipt};
use crate::outside;
use crate::parameters::Parameters;
use crate::place::Place;
use crate::statement::{Answer, Now, Pins, Statement};
use crate::{EngineError, Result, calls, files, tokens};

/// How a session is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store: a path, `file://…` or `memory://NAME`.
    pub store: String,
    /// IANA name of the time zone in which zoneless times are read and times are shown.
    pub time_zone: String,
    /// Most bytes that queries may hold; beyond it they spill to disk or fail with a clear error.
    /// `None`: half of the machine's memory, where that can be found out.
    pub memory_limit: Option<usize>,
    /// Partitions worked on at once. `None`: one per core.
    pub partitions: Option<NonZeroUsize>,
    /// Whether SQL may read and write files that are not the store's.
    pub files: bool,
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
        }
    }
}

/// A SQL session over a store. Cheap to clone; clones share tables and settings.
#[derive(Clone)]
pub struct Engine {
    context: SessionContext,
    place: Arc<Place>,
    settings: Arc<Settings>,
}

impl Engine {
    /// Opens a session. A store that does not exist has its tables, all empty; the first INSERT creates it.
    pub async fn open(settings: Settings) -> Result<Engine> {
        match Store::open(&settings.store).await {
            Ok(store) => Engine::over(Some(store), settings),
            Err(error) if error.kind() == StoreErrorKind::NotFound => Engine::over(None, settings),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a session in order to write. A store that does not exist is created with this slice width,
    /// 60 seconds if `None`; one that exists must have it.
    pub async fn open_or_create(settings: Settings, slice_seconds: Option<i64>) -> Result<Engine> {
        let store = Store::open_or_create(&settings.store, slice_seconds).await?;
        Engine::over(Some(store), settings)
    }

    fn over(store: Option<Store>, settings: Settings) -> Result<Engine> {
        clock::set().map_err(EngineError::Usage)?;
        if settings.time_zone.parse::<chrono_tz::Tz>().is_err() {
            let name = &settings.time_zone;
            return Err(EngineError::Usage(format!("{name} is no time zone; expected a name such as Asia/Shanghai")));
        }
        let mut config =
            SessionConfig::new().with_information_schema(true).with_default_catalog_and_schema("nines", "public");
        if let Some(partitions) = settings.partitions {
            config = config.with_target_partitions(partitions.get());
        }
        let options = config.options_mut();
        options.execution.time_zone = Some(settings.time_zone.clone());
        // A dialect without trailing commas: with them, `SELECT a, exclude(…)` ends before the keyword EXCLUDE.
        options.sql_parser.dialect = Dialect::PostgreSQL;
        // Else DataFusion cuts a large CSV file at newlines that stand in quotes.
        options.catalog.newlines_in_values = true;
        let mut runtime = RuntimeEnvBuilder::new().with_disk_manager_builder(DiskManagerBuilder::default());
        if let Some(bytes) = settings.memory_limit.or_else(half_of_memory) {
            const NAMED_IN_ERRORS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);
            let pool = TrackConsumersPool::new(FairSpillPool::new(bytes), NAMED_IN_ERRORS);
            runtime = runtime.with_memory_pool(Arc::new(pool));
        }
        let mut context = SessionContext::new_with_config_rt(config, runtime.build_arc()?);
        if settings.files {
            context = files::with_files(context);
        }
        nines_functions::register_all(&mut context, &settings.time_zone)?;
        let place = Arc::new(Place::new(&settings.store, store));
        let read = Arc::new(Read::default());
        crate::answers::register_all(&context, &place, &read);
        crate::credits::register(&context, &place, &read);
        let schema = StoreSchema {
            place: place.clone(),
            read,
            time_zone: settings.time_zone.as_str().into(),
            session: context.state_weak_ref(),
            created: MemorySchemaProvider::new(),
        };
        let catalog = MemoryCatalogProvider::new();
        catalog.register_schema("public", Arc::new(schema))?;
        context.register_catalog("nines", Arc::new(catalog));
        Ok(Engine { context, place, settings: Arc::new(settings) })
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

    /// The store, created where there is none.
    pub(crate) async fn store_to_write(&self) -> Result<&Store> {
        Ok(self.place.open_or_create().await?)
    }

    /// How the session was set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Splits text into statements at semicolons.
    pub fn parse(&self, sql: &str) -> Result<Vec<Statement>> {
        let mut parser = DFParserBuilder::new(sql).with_dialect(&tokens::DIALECT).build()?;
        Ok(parser.parse_statements()?.into_iter().map(Statement).collect())
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
        let mut statement = statement.0.clone();
        parameters.bind(&mut statement)?;
        calls::in_order(&mut statement, &signatures())?;
        let pins = Arc::new(Pins::default());
        let receipt = Receipt::default();
        // A context of its own: statements that run at once must not mix what they pin, and what is proposed is gone with it.
        let mut state = self.context.state();
        state.config_mut().set_extension(Arc::new(Now(clock::now())));
        state.config_mut().set_extension(pins.clone());
        state.config_mut().set_extension(Arc::new(receipt.clone()));
        if let Some(definitions) = proposed {
            state.config_mut().set_extension(Arc::new(Proposed(definitions)));
        }
        let context = SessionContext::new_with_state(state);
        let plan = context.state().statement_to_plan(statement.clone()).await?;
        if !self.settings.files {
            outside::refuse(&plan)?;
        }
        let plan = insert::exactly(&context.state(), &statement, plan).await?;
        let receipt = insert::writes(&plan).then_some(receipt);
        // SET and PREPARE are meant for the statements to come.
        let lasting = matches!(plan, LogicalPlan::Statement(_));
        let frame = if lasting { &self.context } else { &context }.execute_logical_plan(plan).await?;
        let batches = frame.execute_stream().await?;
        let store = self.store().map(|_| self.settings.store.clone());
        Ok(Answer { schema: batches.schema(), batches, pins, store, receipt })
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

/// Half of the machine's memory in bytes, as Linux tells it.
fn half_of_memory() -> Option<usize> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib = line.trim().strip_suffix("kB")?.trim().parse::<usize>().ok()?;
    Some(kib * 1024 / 2)
}
