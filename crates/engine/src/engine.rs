//! The engine: what the sessions of a process share.

use std::num::NonZeroUsize;
use std::sync::Arc;

use datafusion::execution::disk_manager::DiskManagerBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use nines_ingest::clock;
use nines_store::{Store, StoreErrorKind};

use crate::evaluate::Common;
use crate::location::StoreLocation;
use crate::{EngineError, Result, machine};

/// How an engine is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The store: a path, `file://…` or `memory://NAME`.
    pub store: String,
    /// Most bytes that the queries of all sessions may hold; beyond it they spill to disk or fail with a clear error.
    /// `None`: half of the machine's memory, or of what the process may have of it, where that can be found out.
    pub memory_limit: Option<usize>,
    /// Partitions worked on at once by a statement. `None`: one per core.
    pub partitions: Option<NonZeroUsize>,
    /// Whether [`Session::tidy`](crate::Session::tidy) puts rows into fewer files.
    pub compact: bool,
}

impl Settings {
    /// This store, half of the memory, all cores.
    pub fn new(store: impl Into<String>) -> Self {
        Settings { store: store.into(), memory_limit: None, partitions: None, compact: true }
    }
}

/// A store, and the memory, disk and caches that its sessions share. Cheap to clone; clones are the same engine.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    settings: Settings,
    place: Arc<StoreLocation>,
    evaluations: Common,
    runtime: Arc<RuntimeEnv>,
    /// What the memory pool may hold, where that is bounded.
    memory_limit: Option<usize>,
}

impl Engine {
    /// Opens an engine. A store that does not exist has its tables, all empty; whatever writes first creates it, and one that another
    /// process creates is seen by the next statement.
    pub async fn open(settings: Settings) -> Result<Engine> {
        let store = match Store::open(&settings.store).await {
            Ok(store) => Some(store),
            Err(error) if error.kind() == StoreErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        Engine::over(store, settings)
    }

    /// Opens an engine in order to write. A store that does not exist is created with this slice width,
    /// 60 seconds if `None`; one that exists must have it.
    pub async fn open_or_create(settings: Settings, slice_seconds: Option<i64>) -> Result<Engine> {
        let store = Store::open_or_create(&settings.store, slice_seconds).await?;
        Engine::over(Some(store), settings)
    }

    fn over(store: Option<Store>, settings: Settings) -> Result<Engine> {
        clock::set().map_err(EngineError::Usage)?;
        let mut runtime = RuntimeEnvBuilder::new().with_disk_manager_builder(DiskManagerBuilder::default());
        let memory_limit = settings.memory_limit.or_else(machine::half_of_memory);
        if let Some(bytes) = memory_limit {
            const NAMED_IN_ERRORS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);
            // The rest is for what operators hold for a moment: a buffer that doubles stands beside its old self, and the
            // allocator gives memory back a little later.
            let pool = TrackConsumersPool::new(FairSpillPool::new(bytes / 4 * 3), NAMED_IN_ERRORS);
            runtime = runtime.with_memory_pool(Arc::new(pool));
        }
        let place = Arc::new(StoreLocation::new(&settings.store, store));
        let (evaluations, runtime) = (Common::default(), runtime.build_arc()?);
        Ok(Engine(Arc::new(Shared { settings, place, evaluations, runtime, memory_limit })))
    }

    /// How the engine was set up.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The store, if it exists.
    pub fn store(&self) -> Option<&Store> {
        self.0.place.store()
    }

    /// Where the store is, or may come to be.
    pub(crate) fn place(&self) -> &Arc<StoreLocation> {
        &self.0.place
    }

    /// What evaluations of all sessions share.
    pub(crate) fn evaluations(&self) -> &Common {
        &self.0.evaluations
    }

    pub(crate) fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.0.runtime
    }

    /// What the memory pool may hold, where that is bounded.
    pub(crate) fn memory_limit(&self) -> Option<usize> {
        self.0.memory_limit
    }
}
