//! A store: a folder of tables with one granularity.

use std::fmt;
use std::sync::Arc;

use datafusion::object_store::ObjectStore;
use datafusion::object_store::path::Path;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::commits::{Begun, Commits, Underway};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{LOG_FOLDER, Log};
use crate::objects::Objects;
use crate::schema::TableKind;
use crate::table::{Table, TableState};

/// The object that marks a folder as a store.
pub(crate) const MARKER: &str = "nines.json";
/// The layout of a store that this program writes.
const FORMAT: u32 = 1;
/// The granularity of a store whose creator does not say.
pub const DEFAULT_SLICE_SECONDS: i64 = 60;
const SECONDS_PER_DAY: i64 = 86_400;

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

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    format: u32,
    slice_seconds: i64,
}

impl Store {
    /// Opens an existing store: a plain path, `file://…` or `memory://name` (of this process).
    ///
    /// [`StoreErrorKind::NotFound`] if there is no store at this place, [`StoreErrorKind::Corrupt`] if its tables are there
    /// and what says how wide its slices are is not.
    pub async fn open(url: &str) -> Result<Store> {
        let objects = Objects::locate(url, false)?;
        if let Some(marker) = read_marker(&objects).await? {
            return Self::new(objects, marker);
        }
        match lost(&objects).await? {
            Some(lost) => Err(lost),
            None => Err(StoreError::new(
                StoreErrorKind::NotFound,
                format!(
                    "there is no store at {} (no {MARKER}); ingesting or applying anything creates it",
                    objects.url()
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

    pub(crate) async fn create_over(objects: Objects, slice_seconds: Option<i64>) -> Result<Store> {
        let marker = match read_marker(&objects).await? {
            Some(marker) => marker,
            None => {
                if let Some(lost) = lost(&objects).await? {
                    return Err(lost);
                }
                create_marker(&objects, slice_seconds.unwrap_or(DEFAULT_SLICE_SECONDS)).await?
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

    pub(crate) fn begin_commit(&self, table: TableKind, version: u64) -> Underway {
        self.inner.commits.begin(table, version)
    }

    /// A table. It need not have been written yet.
    pub fn table(&self, kind: TableKind) -> Table {
        let table = self.inner.tables.iter().find(|(of, _)| *of == kind);
        match table {
            Some((_, state)) => Table::new(self.clone(), Arc::clone(state)),
            None => unreachable!("every table is in TableKind::ALL"),
        }
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

fn check_slice(seconds: i64) -> Result<(), &'static str> {
    match seconds {
        ..=0 => Err("is not positive"),
        _ if SECONDS_PER_DAY % seconds != 0 => Err("does not divide a day into whole slices"),
        _ => Ok(()),
    }
}

async fn read_marker(objects: &Objects) -> Result<Option<Marker>> {
    let Some(bytes) = objects.get(&Path::from(MARKER)).await? else { return Ok(None) };
    let damaged =
        |why: String| StoreError::corrupt(format!("{MARKER} of the store at {} is damaged: {why}", objects.url()));
    let marker: Marker = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if marker.format != FORMAT {
        return Err(StoreError::new(
            StoreErrorKind::Incompatible,
            format!(
                "the store at {} has format {}, this version of nines knows format {FORMAT}; use a newer version",
                objects.url(),
                marker.format
            ),
        ));
    }
    check_slice(marker.slice_seconds).map_err(|why| damaged(format!("a slice of {} s {why}", marker.slice_seconds)))?;
    Ok(Some(marker))
}

/// What is wrong with a folder without a marker that is not a new one either; `None` if a store may be made of it.
///
/// Whoever creates a store writes the marker first, so tables without one are those of a store that lost it.
async fn lost(objects: &Objects) -> Result<Option<StoreError>> {
    if objects.any_below(&Path::from(LOG_FOLDER)).await? {
        let problem = format!(
            "{} is a table, not a store: it holds {LOG_FOLDER}; name the folder that this one is in",
            objects.url()
        );
        return Ok(Some(StoreError::new(StoreErrorKind::InvalidArgument, problem)));
    }
    let (mut tables, mut slice_seconds) = (Vec::new(), None);
    for &kind in TableKind::ALL {
        let log = Log::new(kind, DEFAULT_SLICE_SECONDS, objects)?;
        if log.left().await?.is_none() {
            continue;
        }
        tables.push(kind.name());
        slice_seconds = slice_seconds.or(log.stored_slice_seconds().await);
    }
    // Somebody else may have just created the store.
    if tables.is_empty() || read_marker(objects).await?.is_some() {
        return Ok(None);
    }
    let again = match slice_seconds {
        Some(slice_seconds) => {
            let marker = Marker { format: FORMAT, slice_seconds };
            let line = serde_json::to_string(&marker).unwrap_or_default();
            format!("or, if format {FORMAT} is what it had, write it again; its tables are of this line: {line}")
        }
        None => "which says how wide the slices are".to_string(),
    };
    Ok(Some(StoreError::corrupt(format!(
        "the store at {} has lost its {MARKER}: tables are there ({}), and it is not. Nothing is read or written without \
         it. Put {MARKER} back from a backup, {again}",
        objects.url(),
        tables.join(", ")
    ))))
}

/// Creates the marker, or reads the one that somebody else has just created.
async fn create_marker(objects: &Objects, slice_seconds: i64) -> Result<Marker> {
    let marker = Marker { format: FORMAT, slice_seconds };
    let mut bytes = serde_json::to_vec(&marker)
        .map_err(|error| StoreError::caused(StoreErrorKind::Internal, "cannot write the store's marker", error))?;
    bytes.push(b'\n');
    if objects.put_new(&Path::from(MARKER), bytes).await? {
        return Ok(marker);
    }
    read_marker(objects).await?.ok_or_else(|| {
        StoreError::new(
            StoreErrorKind::Io,
            format!("{MARKER} of the store at {} exists but cannot be read", objects.url()),
        )
    })
}
