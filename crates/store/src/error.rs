//! The crate's one error type. A message says what the caller can do; the kind lets code decide.

use std::error::Error;
use std::fmt;
use std::io;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::object_store;
use datafusion::parquet::errors::ParquetError;
use delta_kernel::KernelError;

/// A result whose error is a [`StoreError`].
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What kind of trouble a [`StoreError`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// There is no store, table version or object of this name.
    NotFound,
    /// An argument cannot be used: a malformed URL, a slice width that does not divide a day, an unknown time zone.
    InvalidArgument,
    /// The store exists but is of another granularity or of a format that this program does not know.
    Incompatible,
    /// Rows were refused: a missing column, a NULL, a misaligned time, a negative count.
    InvalidRows,
    /// Other writers kept winning the race for the next version; nothing was written, try again.
    Conflict,
    /// A mark or the newest version was not what its writer took it for: another one went on from there first; read again.
    Moved,
    /// A batch of this name was stored with other content.
    Mismatch,
    /// Rows that add lie over slices of which it cannot be known whether they hold the same rows.
    Overlap,
    /// Rows of another Delta writer would be written anew as if an append had let them in. Somebody has to vouch for them first.
    Foreign,
    /// It is not known whether the rows are stored: the objects failed while the entry was written and when it was
    /// looked for. The same batch may be delivered again, it is not stored twice.
    Unknown,
    /// An object is missing or not as it was written, or what is stored contradicts itself. The message names it: it is the same
    /// until somebody puts it right.
    Corrupt,
    /// Reading or writing objects failed; try again.
    Io,
    /// There is no room where the store is: the disk or a quota is full. Nothing was stored; make room and try again.
    Full,
    /// This program may not read or write where the store is: a read-only file system, or another owner.
    Denied,
    /// The disk failed to take a write that was to be durable. What it holds is not certain for this process, which acknowledges
    /// nothing more; a new one may.
    Restart,
    /// The memory pool is too small for the work even with spilling; give it more.
    OutOfMemory,
    /// A bug of ours or of a library.
    Internal,
}

impl StoreErrorKind {
    /// Whether the objects were the trouble, and not what stands in them.
    pub(crate) fn is_of_objects(self) -> bool {
        matches!(self, Self::Io | Self::Full | Self::Denied | Self::Restart)
    }
}

/// The name of the store in errors. Where a layer above keeps only the text of an error, ours is found behind it.
pub(crate) const VERIFIED: &str = "verified object";

/// What libraries say in a panic when the system gives no memory.
pub const NO_MEMORY: &str = "returned null pointer";

/// An error of the store.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    pub(crate) fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn rows(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::InvalidRows, message)
    }

    pub(crate) fn corrupt(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Corrupt, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StoreErrorKind::Internal, message)
    }

    /// Wraps a library's error, saying what was being done.
    pub(crate) fn caused(
        kind: StoreErrorKind,
        doing: impl fmt::Display,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self { kind, message: format!("{doing}: {source}"), source: Some(Box::new(source)) }
    }

    /// Of a task that did not end as it should. A library that gets no memory from the system says so by a panic.
    pub(crate) fn of_task(doing: &str, ended: tokio::task::JoinError) -> Self {
        match ended.try_into_panic() {
            Ok(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it does not say why");
                match text.contains(NO_MEMORY) {
                    true => Self::new(
                        StoreErrorKind::OutOfMemory,
                        format!("{doing}: the system gives this process no more memory (`ulimit -v`)"),
                    ),
                    false => Self::internal(format!("{doing}: {text}")),
                }
            }
            Err(ended) => Self::caused(StoreErrorKind::Internal, doing, ended),
        }
    }

    /// Whether an object may be missing that was there before. If the table has moved on since, it may have been given up; it is damage
    /// if nothing has.
    pub(crate) fn may_be_gone(&self) -> bool {
        match self.kind {
            StoreErrorKind::Corrupt | StoreErrorKind::NotFound => true,
            // Of an error of the objects, layers above keep only the text.
            StoreErrorKind::Io => self.message.to_lowercase().contains("not found"),
            _ => false,
        }
    }

    /// Whether this process has too little of something: it says nothing of what is stored.
    pub(crate) fn is_of_resources(&self) -> bool {
        let told = self.message.to_lowercase();
        let lacks = [NO_MEMORY, "cannot allocate memory", "too many files are open", "too many open files"];
        self.kind == StoreErrorKind::OutOfMemory || lacks.iter().any(|lack| told.contains(lack))
    }

    /// What kind of trouble this is.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<ArrowError> for StoreError {
    fn from(error: ArrowError) -> Self {
        StoreError::from(DataFusionError::from(error))
    }
}

impl From<ParquetError> for StoreError {
    fn from(error: ParquetError) -> Self {
        Self::caused(StoreErrorKind::Internal, "cannot encode a Parquet file", error)
    }
}

impl From<KernelError> for StoreError {
    fn from(error: KernelError) -> Self {
        match Self::found_in(&error) {
            Some(ours) => ours,
            None => Self::caused(kind_of(&error), "table log", error),
        }
    }
}

/// What kind of trouble an error of the kernel is.
pub(crate) fn kind_of(error: &KernelError) -> StoreErrorKind {
    match error {
        KernelError::Backtraced { source, .. } => kind_of(source),
        KernelError::FileNotFound(_) => StoreErrorKind::NotFound,
        KernelError::ObjectStore(_) | KernelError::IOError(_) => trouble_of(error).0,
        other if objects_failed(other) => trouble_of(other).0,
        _ => StoreErrorKind::Corrupt,
    }
}

/// A stream of rows fails with a DataFusion error; one of ours inside it comes out unchanged.
impl From<DataFusionError> for StoreError {
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => match inner.downcast::<StoreError>() {
                Ok(ours) => *ours,
                Err(other) => Self::from_datafusion(DataFusionError::External(other)),
            },
            DataFusionError::Context(_, inner) => Self::from(*inner),
            other => Self::from_datafusion(other),
        }
    }
}

impl StoreError {
    fn from_datafusion(error: DataFusionError) -> Self {
        if let Some(ours) = Self::found_in(&error) {
            return ours;
        }
        let kind = match error.find_root() {
            DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => trouble_of(&error).0,
            DataFusionError::ResourcesExhausted(_) => StoreErrorKind::OutOfMemory,
            _ if objects_failed(&error) => trouble_of(&error).0,
            _ => StoreErrorKind::Internal,
        };
        Self { kind, message: error.strip_backtrace(), source: Some(Box::new(error)) }
    }
}

/// What kind of trouble the objects or the disk had, and what to do about it where the system's own words do not say.
pub(crate) fn trouble_of(error: &(dyn Error + 'static)) -> (StoreErrorKind, Option<&'static str>) {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<SyncFailed>() {
            return (StoreErrorKind::Restart, None);
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            // An error that a library wraps has none of the system's kinds.
            let within = io.get_ref().map(|inner| trouble_of(inner));
            return match (within, io.kind(), io.raw_os_error()) {
                (Some(within), ..) if within.0 != StoreErrorKind::Io => within,
                (_, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge, _) => {
                    (StoreErrorKind::Full, Some("there is no room left; make some and run the same again"))
                }
                (_, io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied, _) => {
                    (StoreErrorKind::Denied, Some("this program may not do that there; its user needs the right to"))
                }
                (_, _, Some(PROCESS_FILES | SYSTEM_FILES)) => {
                    (StoreErrorKind::Io, Some("too many files are open; allow more with `ulimit -n`"))
                }
                _ => (StoreErrorKind::Io, None),
            };
        }
        next = error.source();
    }
    (StoreErrorKind::Io, None)
}

/// EMFILE and ENFILE, which have no kind of their own.
const PROCESS_FILES: i32 = 24;
const SYSTEM_FILES: i32 = 23;

/// A sync failed, now or before. It says nothing of what the disk holds, and neither does one that succeeds after it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SyncFailed {
    #[error("the disk failed to take a write: {0}; start again when it is in order")]
    Now(io::Error),
    #[error("the disk failed to take an earlier write; start again when it is in order")]
    Before,
}

/// Whether the objects failed, whichever library was told so: what is read may be in order, and can be read again.
fn objects_failed(error: &(dyn Error + 'static)) -> bool {
    error.is::<object_store::Error>() || error.source().is_some_and(objects_failed)
}

impl StoreError {
    /// The error of the store that an error of another library carries somewhere inside.
    pub fn found_in(error: &(dyn Error + 'static)) -> Option<StoreError> {
        ours_within(error).map(|ours| Self::new(ours.kind, ours.message.clone())).or_else(|| {
            // Of a Parquet footer that cannot be read, DataFusion keeps only the text.
            let text = error.to_string();
            let (_, told) = text.split_once(&format!("Generic {VERIFIED} error: "))?;
            Some(Self::corrupt(told.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or(told)))
        })
    }
}

/// The [`StoreError`] that an error carries somewhere inside.
fn ours_within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a StoreError> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(ours) = error.downcast_ref::<StoreError>() {
            return Some(ours);
        }
        // Errors that several partitions share (after a repartition) are behind an `Arc`.
        if let Some(shared) = error.downcast_ref::<std::sync::Arc<DataFusionError>>() {
            next = Some(shared.as_ref());
            continue;
        }
        if let Some(DataFusionError::External(inner)) = error.downcast_ref::<DataFusionError>() {
            next = Some(inner.as_ref());
            continue;
        }
        // The kernel's error does not say that it has this one for its source.
        if let Some(KernelError::ObjectStore(inner)) = error.downcast_ref::<KernelError>() {
            next = Some(inner);
            continue;
        }
        next = error.source();
    }
    None
}

impl From<StoreError> for DataFusionError {
    fn from(error: StoreError) -> Self {
        DataFusionError::External(Box::new(error))
    }
}
