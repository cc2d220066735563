//! The transaction log of one table, through `delta_kernel`.
//!
//! The kernel is synchronous and does its I/O on an executor of its own, so everything here is called
//! from [`blocking`]. It sees the table at `nines:///<table>/` in the store's object store, which keeps
//! the store's own path out of it.
//!
//! The kernel reads through the store's objects, which verify every entry and every recorded checkpoint, and answer its listings by
//! asking for the next names.
//!
//! What must hold: an entry is written only if its version does not exist yet; a table's protocol is
//! the oldest that serves (reader 1, writer 2), without deletion vectors or column mapping; the schema
//! in the log is the one that [`TableKind::schema`] states.

mod asked;
mod commit;
mod create;
mod data_file;
mod entry;
mod file_list;
mod files;
mod head;
mod lost;
mod metadata;
mod name;
mod needed;
mod place;
mod remembered;
mod seal;
mod stats;
mod transactions;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::DataType;
use delta_kernel::snapshot::SnapshotRef;
use delta_kernel::{KernelError, Snapshot as KernelSnapshot};
use delta_kernel_default_engine::executor::tokio::TokioMultiThreadExecutor;
use delta_kernel_default_engine::{DefaultEngine, DefaultEngineBuilder};

pub(crate) use commit::Attempt;
pub use data_file::DataFile;
pub(crate) use data_file::refuse_foreign;
pub(crate) use entry::{Entry, NewFile, Told, Transaction};
pub(crate) use file_list::FileList;
pub use file_list::FilePartition;
pub(crate) use files::Files;
pub(crate) use head::{Head, Recorded};
pub(crate) use name::FileName;
pub(crate) use needed::Needed;
pub(crate) use place::{CHECKPOINT_EVERY, HEADS_FOLDER, LOG_FOLDER, LogPlace, WRITTEN_BY};
pub use seal::Origin;
pub(crate) use seal::{Examined, examine, previous};
pub(crate) use stats::{Bounds, Nulls, hull};
pub(crate) use transactions::{DELETED, RETAINED};

use remembered::Remembered;

use crate::error::{Result, StoreError, StoreErrorKind, kind_of};
use crate::objects::Objects;
use crate::schema::TableKind;

/// The log of one table of one store.
pub(crate) struct Log {
    kind: TableKind,
    slice_seconds: i64,
    objects: Objects,
    /// The types of the key's columns.
    keys: Arc<[DataType]>,
    engine: DefaultEngine<TokioMultiThreadExecutor>,
    /// The newest version that is known to have a head.
    headed: Mutex<Option<u64>>,
    /// Held while entries are read: who asks next needs them, too.
    remembered: tokio::sync::Mutex<Remembered>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({} of {})", self.kind.name(), self.objects.url())
    }
}

impl Log {
    pub(crate) fn new(kind: TableKind, slice_seconds: i64, objects: &Objects) -> Result<Self> {
        let engine =
            DefaultEngineBuilder::new(Arc::clone(objects.object_store())).with_task_executor(executor()?).build();
        let schema = kind.stored_schema(slice_seconds);
        let keys = kind.key().iter().map(|name| Ok(schema.field_with_name(name)?.data_type().clone()));
        let keys = keys.collect::<Result<_>>()?;
        Ok(Self {
            kind,
            slice_seconds,
            objects: objects.clone(),
            keys,
            engine,
            headed: Mutex::default(),
            remembered: Default::default(),
        })
    }

    fn is_headed(&self, version: u64) -> bool {
        *self.headed.lock().unwrap_or_else(PoisonError::into_inner) >= Some(version)
    }

    fn set_headed(&self, version: u64) {
        let mut headed = self.headed.lock().unwrap_or_else(PoisonError::into_inner);
        *headed = headed.max(Some(version));
    }

    fn root(&self) -> String {
        format!("nines:///{}/", self.kind.name())
    }

    /// The newest version, or the given one; `None` if the table was never written. What is known of
    /// an earlier version spares reading the log before it.
    pub(crate) fn snapshot(&self, known: Option<SnapshotRef>, version: Option<u64>) -> Result<Option<SnapshotRef>> {
        let never_written = known.is_none() && version.is_none();
        let built = match (known, version) {
            (Some(known), None) => KernelSnapshot::builder_from(known).build(&self.engine),
            (_, None) => KernelSnapshot::builder_for(self.root()).build(&self.engine),
            (_, Some(version)) => KernelSnapshot::builder_for(self.root()).at_version(version).build(&self.engine),
        };
        match built {
            Ok(snapshot) => {
                self.check_schema(&snapshot)?;
                Ok(Some(snapshot))
            }
            // A log that was seen and of which a file is missing now is not a table that was never written.
            Err(error) if never_written && is_empty_log(&error) => Ok(None),
            Err(error) => Err(self.failed(version, error)),
        }
    }

    fn failed(&self, version: Option<u64>, error: KernelError) -> StoreError {
        if let Some(ours) = StoreError::found_in(&error) {
            return ours;
        }
        let Some(version) = version else {
            let kind = match kind_of(&error) {
                kind if kind.is_of_objects() => kind,
                _ => StoreErrorKind::Corrupt,
            };
            let doing = format!("cannot read the log of {self}");
            if kind.is_of_objects() {
                return StoreError::caused(kind, doing, error);
            }
            let name = self.kind.name();
            let remedy = format!(
                "an entry or a checkpoint is missing or damaged. Put {name}/{LOG_FOLDER} back from a backup (or, if only \
                 checkpoints are missing and every entry from 0 on is there, remove {name}/{LOG_FOLDER}/_last_checkpoint)"
            );
            return StoreError::caused(kind, format_args!("{doing}: {remedy}"), error);
        };
        match StoreError::from(error) {
            failed if failed.kind().is_of_objects() => failed,
            missing => StoreError::caused(
                StoreErrorKind::NotFound,
                format_args!("version {version} of {self} does not exist or is no longer retained"),
                missing,
            ),
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.kind.name(), self.objects.url())
    }
}

/// Whether the kernel says that there is no table at all.
fn is_empty_log(error: &KernelError) -> bool {
    match error {
        KernelError::EmptyLog | KernelError::FileNotFound(_) => true,
        KernelError::Backtraced { source, .. } => is_empty_log(source),
        other => other.to_string().contains("No files in log segment"),
    }
}

/// The runtime on which the kernel does its I/O. It is the process's own, because a caller's runtime
/// may be single-threaded or gone while a store lives on. Writing checkpoints needs a multi-threaded one.
fn executor() -> Result<Arc<TokioMultiThreadExecutor>> {
    static EXECUTOR: Mutex<Option<Arc<TokioMultiThreadExecutor>>> = Mutex::new(None);
    let mut executor = EXECUTOR.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(executor) = executor.as_ref() {
        return Ok(Arc::clone(executor));
    }
    // Under the lock: a second runtime could not be dropped here, in the caller's async context.
    let made = TokioMultiThreadExecutor::new_owned_runtime(Some(2), None).map_err(|error| {
        StoreError::caused(
            StoreErrorKind::Io,
            "cannot start the threads that read logs (`ulimit -n`, `-u` or `-v`)",
            error,
        )
    })?;
    let made = Arc::new(made);
    Ok(Arc::clone(executor.insert(made)))
}

/// Runs synchronous kernel work away from the caller's async threads.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StoreError::of_task("a log operation did not finish", error)),
    }
}
