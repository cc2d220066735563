//! One table of a store: appending rows, taking snapshots.

mod append;
mod commit;
mod versions;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::SchemaRef;
use delta_kernel::snapshot::SnapshotRef;

use crate::error::Result;
use crate::log::{Files, Log};
use crate::objects::Objects;
use crate::schema::TableKind;
use crate::store::Store;
use crate::write::Layout;

pub(crate) use commit::pause;

/// A table of a store. Cheap to clone.
#[derive(Clone)]
pub struct Table {
    store: Store,
    state: Arc<TableState>,
}

/// What the clones of a table share.
pub(crate) struct TableState {
    log: Arc<Log>,
    layout: Arc<Layout>,
    /// The same for files that are written once more, for years.
    for_good: Arc<Layout>,
    objects: Objects,
    /// The newest version met so far, and the newest whose files were listed: what comes next is read
    /// from there on.
    newest: Mutex<(Option<SnapshotRef>, Option<Files>)>,
    /// Whether it was said that files are another Delta writer's.
    foreign_told: AtomicBool,
    /// The version of which this process has yet to write the checkpoint.
    due: Mutex<Option<u64>>,
    /// Whether it is known that the store says beside the table that there is one.
    recorded: AtomicBool,
}

impl TableState {
    pub(crate) fn new(kind: TableKind, slice_seconds: i64, objects: &Objects) -> Result<Self> {
        let layout = Layout::new(kind, slice_seconds);
        Ok(Self {
            log: Arc::new(Log::new(kind, slice_seconds, objects)?),
            for_good: Arc::new(layout.for_good()),
            layout: Arc::new(layout),
            objects: objects.clone(),
            newest: Mutex::default(),
            foreign_told: AtomicBool::default(),
            due: Mutex::default(),
            recorded: AtomicBool::new(false),
        })
    }

    fn known(&self) -> (Option<SnapshotRef>, Option<Files>) {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest version, as the log now says.
    fn newest(&self) -> Result<Option<SnapshotRef>> {
        let newest = self.log.snapshot(self.known().0, None)?;
        if let Some(newest) = &newest {
            self.learn(newest);
        }
        Ok(newest)
    }

    /// Lets go of what was met so far: what it says of the log may have been given up.
    fn forget(&self) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = (None, None);
    }

    fn learn(&self, snapshot: &SnapshotRef) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.0.as_ref().is_none_or(|known| known.version() < snapshot.version()) {
            newest.0 = Some(Arc::clone(snapshot));
        }
    }

    fn learn_files(&self, files: &Files) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.1.as_ref().is_none_or(|known| known.snapshot.version() < files.snapshot.version()) {
            newest.1 = Some(files.clone());
        }
    }
}

impl Table {
    pub(crate) fn new(store: Store, state: Arc<TableState>) -> Self {
        Self { store, state }
    }

    /// Which table this is.
    pub fn kind(&self) -> TableKind {
        self.state.layout.kind()
    }

    /// The store that it belongs to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The columns: [`TableKind::stored_schema`] at the store's slice width.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.state.layout.schema())
    }

    /// Whether nobody was told yet that files are another Delta writer's, who is told now.
    pub(crate) fn foreign_is_news(&self) -> bool {
        !self.state.foreign_told.swap(true, Relaxed)
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.state.objects
    }

    pub(crate) fn log(&self) -> &Log {
        &self.state.log
    }

    pub(crate) fn log_handle(&self) -> Arc<Log> {
        Arc::clone(&self.state.log)
    }

    /// How files are written: when rows come, or for good.
    pub(crate) fn layout(&self, for_good: bool) -> Arc<Layout> {
        Arc::clone(if for_good { &self.state.for_good } else { &self.state.layout })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.log.fmt(f)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({self})")
    }
}
