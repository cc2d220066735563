//! A store: a folder of tables with one granularity.

use std::fmt;
use std::sync::Arc;

use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::ObjectStore;
use datafusion::object_store::memory::InMemory;
use url::Url;

use crate::commits::{Begun, Commits, Underway};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::marker::{self, DEFAULT_SLICE_SECONDS, Marker, check_slice};
use crate::objects::Objects;
use crate::schema::TableKind;
use crate::table::TableState;

/// A store. Cheap to clone; clones share what they have read of the logs.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    objects: Objects,
    slice_seconds: i64,
    tables: Vec<(TableKind, Arc<TableState>)>,
    commits: Commits,
}

impl Store {
    /// Opens an existing store: a plain path, `file://…` or `memory://name` (of this process).
    ///
    /// [`StoreErrorKind::NotFound`] if there is no store at this place, [`StoreErrorKind::Corrupt`] if its tables are there
    /// and what says how wide its slices are is not.
    pub async fn open(url: &str) -> Result<Store> {
        let objects = Objects::locate(url, false)?;
        if let Some(marker) = marker::read(&objects).await? {
            return Self::new(objects, marker);
        }
        match marker::lost(&objects).await? {
            Some(lost) => Err(lost),
            None => Err(StoreError::new(
                StoreErrorKind::NotFound,
                format!(
                    "there is no store at {} (no {}); ingesting or applying anything creates it",
                    objects.url(),
                    marker::NAME
                ),
            )),
        }
    }

    /// Opens a store, creating it if there is none; processes that do so at once agree on one.
    ///
    /// `slice_seconds` is the granularity: how wide the slices are in which rows are stored, a divisor of
    /// a day. `None` takes a store as it is and creates one of 60 s. [`StoreErrorKind::Incompatible`] if
    /// the store exists with another granularity.
    pub async fn open_or_create(url: &str, slice_seconds: Option<i64>) -> Result<Store> {
        check_wanted(slice_seconds)?;
        Self::create_over(Objects::locate(url, true)?, slice_seconds).await
    }

    /// As [`Store::open_or_create`], over an object store that the caller keeps: its root is the store's folder. Its
    /// puts must be durable when they return, fail if asked to create what exists, and be seen at once; its listings
    /// must be in the order of paths. `url` is what the store is called.
    pub async fn over(url: &str, objects: Arc<dyn ObjectStore>, slice_seconds: Option<i64>) -> Result<Store> {
        let url = Url::parse(url).map_err(|error| {
            StoreError::caused(StoreErrorKind::InvalidArgument, format_args!("{url:?} cannot name a store"), error)
        })?;
        check_wanted(slice_seconds)?;
        Self::create_over(Objects::over(url, objects), slice_seconds).await
    }

    /// A new, empty store in the memory of this process, that nobody else sees.
    pub async fn in_memory(slice_seconds: i64) -> Result<Store> {
        Self::over("memory://trial", Arc::new(InMemory::new()), Some(slice_seconds)).await
    }

    pub(crate) async fn create_over(objects: Objects, slice_seconds: Option<i64>) -> Result<Store> {
        let marker = match marker::read(&objects).await? {
            Some(marker) => marker,
            None => {
                if let Some(lost) = marker::lost(&objects).await? {
                    return Err(lost);
                }
                marker::create(&objects, slice_seconds.unwrap_or(DEFAULT_SLICE_SECONDS)).await?
            }
        };
        match slice_seconds {
            Some(wanted) if wanted != marker.slice_seconds => Err(StoreError::new(
                StoreErrorKind::Incompatible,
                format!(
                    "the store at {} has slices of {} s, not {wanted} s; a store keeps the granularity it was created with",
                    objects.url(),
                    marker.slice_seconds
                ),
            )),
            _ => Self::new(objects, marker),
        }
    }

    fn new(objects: Objects, marker: Marker) -> Result<Store> {
        let slice_seconds = marker.slice_seconds;
        let tables = TableKind::ALL
            .iter()
            .map(|&kind| Ok((kind, Arc::new(TableState::new(kind, slice_seconds, &objects)?))))
            .collect::<Result<_>>()?;
        Ok(Store { inner: Arc::new(Inner { objects, slice_seconds, tables, commits: Commits::default() }) })
    }

    /// The granularity: width of a stored slice in seconds.
    pub fn slice_seconds(&self) -> i64 {
        self.inner.slice_seconds
    }

    /// The canonical URL: the same store always has the same.
    pub fn url(&self) -> &Url {
        self.inner.objects.url()
    }

    /// Makes the store's objects known to DataFusion, so that scans of a plan that travelled find them.
    pub fn register(&self, runtime: &RuntimeEnv) -> Result<()> {
        self.inner.objects.register(runtime).map(drop)
    }

    /// Data files of an older format that had to be read whole once to be verified, and their bytes, in this process.
    pub fn verified_whole(&self) -> (u64, u64) {
        self.inner.objects.verified_whole()
    }

    /// What was survived since the last call and people should know: sentences without a full stop.
    pub fn take_notices(&self) -> Vec<String> {
        self.inner.objects.notices().take()
    }

    /// Adds to what people should know, once: days that were computed again because what was kept of them is damaged.
    pub fn notice(&self, notice: String) {
        self.inner.objects.notices().add(notice);
    }

    /// The commits that change rows which were made through this store and its clones, in order, and those under way.
    pub fn commits(&self) -> Vec<Begun> {
        self.inner.commits.all()
    }

    /// Ends when no commit is under way. One that has begun goes on though its append was dropped, so this is what to wait
    /// for before saying what was stored.
    pub async fn settled(&self) {
        self.inner.commits.settled().await;
    }

    /// Refuses to write to a store that this program is too old for. Asked before every write: a newer version may have been
    /// at work since the store was opened.
    pub(crate) async fn check_writable(&self) -> Result<()> {
        let objects = &self.inner.objects;
        marker::read(objects).await?.map_or(Ok(()), |marker| marker.check_writable(objects))
    }

    /// Says that the store has sealed days, durably: versions of nines that know nothing of them refuse it from then on.
    pub async fn seal(&self) -> Result<()> {
        marker::raise(&self.inner.objects).await
    }

    pub(crate) fn tables(&self) -> &[(TableKind, Arc<TableState>)] {
        &self.inner.tables
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    pub(crate) fn begin_commit(&self, table: TableKind, version: u64) -> Underway {
        self.inner.commits.begin(table, version)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.url())
    }
}

fn check_wanted(slice_seconds: Option<i64>) -> Result<()> {
    let Some(seconds) = slice_seconds else { return Ok(()) };
    check_slice(seconds)
        .map_err(|why| StoreError::new(StoreErrorKind::InvalidArgument, format!("a slice of {seconds} s {why}")))
}
