//! One table of a store: appending rows, taking snapshots.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use delta_kernel::snapshot::SnapshotRef;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{Attempt, Files, Log, NewFile, blocking};
use crate::objects::Objects;
use crate::once::Once;
use crate::schema::TableKind;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::write::{Layout, write_files};

/// How often a commit is tried before its writer is told that others are in the way.
const ATTEMPTS: u32 = 50;

/// A table of a store. Cheap to clone.
#[derive(Clone)]
pub struct Table {
    store: Store,
    state: Arc<TableState>,
}

/// What the clones of a table share.
pub(crate) struct TableState {
    log: Log,
    layout: Arc<Layout>,
    objects: Objects,
    /// The newest version met so far, and the newest whose files were listed: what comes next is read
    /// from there on.
    newest: Mutex<(Option<SnapshotRef>, Option<Files>)>,
}

impl TableState {
    pub(crate) fn new(kind: TableKind, slice_seconds: i64, objects: &Objects) -> Result<Self> {
        Ok(Self {
            log: Log::new(kind, slice_seconds, objects)?,
            layout: Arc::new(Layout::new(kind, slice_seconds)?),
            objects: objects.clone(),
            newest: Mutex::default(),
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

/// What an append did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// How it ended.
    pub outcome: Outcome,
    /// Number of rows of the batch, after those of the same key were combined.
    pub rows: u64,
    /// Start of the batch's first and of its last slice, in µs; `None` for records.
    pub time_range: Option<(i64, i64)>,
    /// What it meant for the rows of the table.
    pub changes: Changes,
    /// Number of files added to the table.
    pub files: usize,
    /// Bytes of those files.
    pub bytes: u64,
}

/// How an append ended. Whatever it says is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// There were no rows, and so nothing to do.
    #[default]
    Empty,
    /// It became this version of the table.
    Stored(u64),
    /// All rows were stored already, with the same values.
    Unchanged,
    /// The batch was delivered before, and became this version where that can still be told. Its rows were not looked at.
    Delivered(Option<u64>),
}

/// What an append meant for the rows of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// Rows of the batch whose key was not there.
    pub added: u64,
    /// Rows of the batch that took the place of one with other values.
    pub replaced: u64,
    /// Rows of the batch that were there with the same values.
    pub unchanged: u64,
    /// Rows of the table that went without another of their key, because the batch says of their
    /// unit something else: a relabelled cause.
    pub removed: u64,
}

impl Commit {
    /// The version that it became, if it changed anything.
    pub fn version(&self) -> Option<u64> {
        match self.outcome {
            Outcome::Stored(version) => Some(version),
            _ => None,
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

    /// The columns: [`TableKind::schema`] at the store's slice width.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.state.layout.schema())
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.state.objects
    }

    /// The newest version. A table that was never written has no version and no files.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let state = Arc::clone(&self.state);
        let files = blocking(move || {
            let Some(snapshot) = state.newest()? else { return Ok(None) };
            let files = state.log.files(snapshot, state.known().1.as_ref())?;
            state.learn_files(&files);
            Ok(Some(files))
        });
        Ok(self.as_snapshot(files.await?))
    }

    /// An earlier version. [`StoreErrorKind::NotFound`] if there is none of this number, or no longer.
    pub async fn snapshot_at(&self, version: u64) -> Result<Snapshot> {
        let state = Arc::clone(&self.state);
        let files = blocking(move || {
            if let Some(known) = state.known().1.filter(|known| known.snapshot.version() == version) {
                return Ok(Some(known));
            }
            match state.log.snapshot(None, Some(version))? {
                Some(snapshot) => Ok(Some(state.log.files(snapshot, None)?)),
                None => Ok(None),
            }
        });
        Ok(self.as_snapshot(files.await?))
    }

    fn as_snapshot(&self, files: Option<Files>) -> Snapshot {
        let (version, files) = match files {
            Some(files) => (Some(files.snapshot.version()), files.files),
            None => (None, Arc::default()),
        };
        Snapshot::new(self.clone(), version, files)
    }

    /// Adds all rows of a stream in one atomic commit.
    ///
    /// Rows may come in any order and several times per key; those of the same key within the stream
    /// combine by their [`Measure`](crate::Measure). They are sorted under the task's memory pool, spilling as it asks.
    ///
    /// Columns are matched by name. Texts may come in any string type, integers in any width, `time` in
    /// s, ms or µs and any time zone; nullable columns may be absent. [`StoreErrorKind::InvalidRows`]
    /// refuses the whole stream: unknown or missing columns, NULLs in keys and counts, times that do not
    /// start a slice, negative counts. On any error no reader sees any of the rows.
    pub async fn append(&self, rows: SendableRecordBatchStream, once: Once, task: Arc<TaskContext>) -> Result<Commit> {
        let _ = once;
        let files = write_files(&self.state.layout, &self.state.objects, rows, &task).await?;
        if files.is_empty() {
            return Ok(Commit::default());
        }
        let mut commit = summary(&files);
        commit.outcome = Outcome::Stored(self.commit(files).await?);
        Ok(commit)
    }

    /// Writes the next version. Adding rows contradicts nothing that others add, so a lost race is
    /// simply run again on top of what won.
    async fn commit(&self, files: Vec<NewFile>) -> Result<u64> {
        let files = Arc::new(files);
        for attempt in 0..ATTEMPTS {
            let (state, files) = (Arc::clone(&self.state), Arc::clone(&files));
            let tried = blocking(move || match state.newest()? {
                Some(base) => state.log.commit(base, &files).map(Some),
                None => Ok(None),
            });
            match tried.await? {
                None => self.state.log.create().await?,
                Some(Attempt::Lost) => tokio::time::sleep(pause(attempt)).await,
                Some(Attempt::Committed(version, snapshot)) => {
                    if let Some(snapshot) = snapshot {
                        self.state.learn(&snapshot);
                    }
                    return Ok(version);
                }
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Conflict,
            format!(
                "{self} has so many writers that {ATTEMPTS} attempts to commit failed; nothing was stored, try again"
            ),
        ))
    }
}

fn summary(files: &[NewFile]) -> Commit {
    let times = files.iter().filter_map(NewFile::time_range);
    Commit {
        outcome: Outcome::Empty,
        changes: Changes::default(),
        files: files.len(),
        rows: files.iter().map(|file| file.rows.unsigned_abs()).sum(),
        bytes: files.iter().map(|file| file.size.unsigned_abs()).sum(),
        time_range: times.reduce(|(min, max), (from, to)| (min.min(from), max.max(to))),
    }
}

/// How long to wait after a lost race: longer each time, and not in step with the other writers.
fn pause(attempt: u32) -> Duration {
    let most = 1 << attempt.min(7);
    // A random UUID is all the randomness that this needs.
    let random = uuid::Uuid::new_v4().as_u128() as u64;
    Duration::from_millis(random % (most + 1))
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
