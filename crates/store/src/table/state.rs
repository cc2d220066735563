//! What the clones of a table share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use delta_kernel::snapshot::SnapshotRef;

use crate::error::Result;
use crate::log::{Files, Log};
use crate::objects::Objects;
use crate::schema::TableKind;
use crate::write::Layout;

/// What the clones of a table share.
pub(crate) struct TableState {
    pub(super) log: Arc<Log>,
    pub(super) layout: Arc<Layout>,
    /// The same for files that are written once more, for years.
    pub(super) for_good: Arc<Layout>,
    pub(super) objects: Objects,
    /// The newest version met so far, and the newest whose files were listed: what comes next is read
    /// from there on.
    pub(super) newest: Mutex<(Option<SnapshotRef>, Option<Files>)>,
    /// Whether it was said that files are another Delta writer's.
    pub(super) foreign_told: AtomicBool,
    /// The version of which this process has yet to write the checkpoint.
    pub(super) due: Mutex<Option<u64>>,
    /// Whether it is known that the store says beside the table that there is one.
    pub(super) recorded: AtomicBool,
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

    pub(super) fn known(&self) -> (Option<SnapshotRef>, Option<Files>) {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest version, as the log now says.
    pub(super) fn newest(&self) -> Result<Option<SnapshotRef>> {
        let newest = self.log.snapshot(self.known().0, None)?;
        if let Some(newest) = &newest {
            self.learn(newest);
        }
        Ok(newest)
    }

    /// Lets go of what was met so far: what it says of the log may have been given up.
    pub(super) fn forget(&self) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = (None, None);
    }

    pub(super) fn learn(&self, snapshot: &SnapshotRef) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.0.as_ref().is_none_or(|known| known.version() < snapshot.version()) {
            newest.0 = Some(Arc::clone(snapshot));
        }
    }

    pub(super) fn learn_files(&self, files: &Files) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.1.as_ref().is_none_or(|known| known.snapshot.version() < files.snapshot.version()) {
            newest.1 = Some(files.clone());
        }
    }
}
