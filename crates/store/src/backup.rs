//! A copy of a store beside its writers.
//!
//! Of each table one version is pinned, and what it and the versions retained before it need is copied: data files, then the log,
//! entry by entry, and last of all `nines.json`. So a copy that was interrupted is no store. Every byte is verified on its way.
//! What an earlier copy holds already is not copied again but gets a second name, where the file system can do that.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use datafusion::object_store::path::Path;
use futures::{StreamExt, TryStreamExt};

use crate::compact::Amount;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::found::{ObjectKind, StoredObject, first_entry};
use crate::log::{DataFile, Log};
use crate::marker;
use crate::objects::Objects;
use crate::schema::TableKind;
use crate::store::Store;
use crate::table::Table;

/// How often a table is pinned anew when files of the versions to copy are given up meanwhile.
const ATTEMPTS: u32 = 5;
/// Files that are copied at once: each is held whole.
const AT_ONCE: usize = 2;

/// How to copy a store.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Backup {
    /// An earlier copy: a path or a URL.
    pub since: Option<String>,
    /// Counts the bytes that were copied, for whoever watches.
    pub copied: Arc<AtomicU64>,
}

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackedUp {
    /// The version of each table that was ever written.
    pub versions: Vec<(TableKind, u64)>,
    /// Data files that were copied.
    pub copied: Amount,
    /// Data files that the earlier copy has, too, and that lie on the disk once.
    pub shared: Amount,
}

/// From where to where.
struct Copying<'a> {
    to: &'a Objects,
    /// The earlier copy.
    since: Option<&'a Objects>,
    copied: &'a AtomicU64,
}

impl Store {
    /// Copies the store to a place where nothing is: a path, or a `file://` or `memory://` URL.
    ///
    /// Versions that writers make meanwhile are not in the copy. [`StoreErrorKind::InvalidArgument`] if something is there, or the
    /// place is in the store; [`StoreErrorKind::Corrupt`] if something of the store is damaged: then there is no copy.
    pub async fn backup(&self, to: &str, how: &Backup) -> Result<BackedUp> {
        let from = self.objects();
        let to = Objects::locate(to, true)?;
        let refused = |why: &str| {
            let message = format!("{} is no place for a copy of {}: {why}", to.url(), from.url());
            StoreError::new(StoreErrorKind::InvalidArgument, message)
        };
        let (place, store) = (place_of(&to), place_of(from));
        if place.starts_with(&format!("{}/", store.trim_end_matches('/'))) {
            return Err(refused("it is inside the store"));
        }
        if let Some(object) = to.find_below(&Path::default(), |_| true).await? {
            return Err(refused(&format!("it is not empty, {object} is there. Name a folder that is not there yet")));
        }
        let since = match &how.since {
            Some(since) => {
                let since = Objects::locate(since, false)?;
                if place_of(&since) == store {
                    return Err(refused(
                        "the earlier copy is the store itself, and a copy that shares its files is none",
                    ));
                }
                if marker::read(&since).await?.is_none() {
                    return Err(refused(&format!("there is no earlier copy at {}", since.url())));
                }
                Some(since)
            }
            None => None,
        };
        // Whoever finds a copy that was not finished must not take it for a store that lost its nines.json.
        put(&to, &Path::from(marker::UNFINISHED), b"{}\n".to_vec()).await?;
        let copying = Copying { to: &to, since: since.as_ref(), copied: &how.copied };
        self.copy_all(&copying).await.map_err(|error| {
            let kind = error.kind();
            let doing = format!(
                "the copy at {} is not complete, and is no store. Remove it before the same is run again",
                to.url()
            );
            StoreError::caused(kind, doing, error)
        })
    }

    /// Copies table by table, and what says that it is a store.
    async fn copy_all(&self, copying: &Copying<'_>) -> Result<BackedUp> {
        let mut done = BackedUp::default();
        for &kind in TableKind::ALL {
            let table = self.table(kind);
            for attempt in 1.. {
                match table.copy(copying, &mut done).await {
                    Ok(Some(version)) => {
                        done.versions.push((kind, version));
                        break;
                    }
                    Ok(None) => break,
                    // A file may be gone because nobody needs it any longer; one that is needed is missing again.
                    Err(error) if error.kind() == StoreErrorKind::Corrupt && attempt < ATTEMPTS => {}
                    Err(error) => return Err(error),
                }
            }
        }
        for (kind, _) in &done.versions {
            Log::new(*kind, self.slice_seconds(), copying.to)?.put_record().await?;
        }
        // What it says of the tables has to hold of these versions: it may have changed while older ones were copied.
        let marker = self.objects().get(&Path::from(marker::NAME)).await?;
        let marker = marker
            .ok_or_else(|| StoreError::corrupt(format!("{} is missing in {}", marker::NAME, self.objects().url())))?;
        put(copying.to, &Path::from(marker::NAME), marker).await?;
        copying.to.discard([Path::from(marker::UNFINISHED)]).await;
        Ok(done)
    }
}

/// Where a store is, by whatever name it is called.
fn place_of(objects: &Objects) -> String {
    let path = objects.url().to_file_path().ok();
    let real = path.map(|path| std::fs::canonicalize(&path).unwrap_or(path));
    real.map_or_else(|| objects.url().to_string(), |path| path.to_string_lossy().into_owned())
}

impl Table {
    /// Copies the retained versions up to the newest, which is told; `None` if there is none.
    async fn copy(&self, copying: &Copying<'_>, done: &mut BackedUp) -> Result<Option<u64>> {
        let Some(base) = self.newest().await? else { return Ok(None) };
        let newest = base.snapshot.version();
        let found = self.found().await?;
        let first = first_entry(&found, newest);
        let oldest = self.retained().await?.unwrap_or(first).max(first);
        let from = self.log_from(&found, oldest).await?.max(first);
        let needed = self.log().needed(from, &self.files_at(oldest).await?, newest).await?;
        let copies = needed.files.values().map(|file| copying.data(self.objects(), file));
        let copies: Vec<Copied> = futures::stream::iter(copies).buffer_unordered(AT_ONCE).try_collect().await?;
        // The log says what the files are, so it comes when they are there; and an entry before its head and its checkpoint.
        let of_log =
            |found: &&StoredObject| found.kind.version().is_some_and(|version| (from..=newest).contains(&version));
        let mut log: Vec<&StoredObject> = found.iter().filter(of_log).collect();
        log.sort_by_key(|found| match found.kind {
            ObjectKind::Entry(version) => (0, version),
            ObjectKind::Head(version) | ObjectKind::Record(version) => (1, version),
            ObjectKind::Checkpoint(version) => (2, version),
            ObjectKind::Data | ObjectKind::Temporary | ObjectKind::Other => (3, 0),
        });
        let mut there: BTreeSet<u64> = BTreeSet::new();
        for object in log {
            let read = match self.objects().get(&object.path).await {
                // It is left out wherever it is read: what counts begins with a sound one, and has every entry from there on.
                Err(error)
                    if error.kind() == StoreErrorKind::Corrupt && matches!(object.kind, ObjectKind::Checkpoint(_)) =>
                {
                    continue;
                }
                read => read?,
            };
            let Some(bytes) = read else {
                return Err(StoreError::corrupt(format!(
                    "{} is missing. Put the file back from a backup",
                    object.path
                )));
            };
            if let ObjectKind::Entry(version) = object.kind {
                there.insert(version);
            }
            put(copying.to, &object.path, bytes).await?;
        }
        // One that came after the look at what there is.
        for version in (from..=newest).filter(|version| !there.contains(version)) {
            put(copying.to, &self.log().place(version).entry(), self.log().entry(version).await?).await?;
        }
        for copied in copies {
            match copied {
                Copied::Anew(bytes) => done.copied.add(bytes),
                Copied::Shared(bytes) => done.shared.add(bytes),
                Copied::Before => {}
            }
        }
        Ok(Some(newest))
    }
}

/// How a data file came into the copy.
enum Copied {
    Anew(u64),
    Shared(u64),
    /// By an attempt before this one.
    Before,
}

impl Copying<'_> {
    async fn data(&self, from: &Objects, file: &DataFile) -> Result<Copied> {
        let path = file.path();
        if let Some(since) = self.since
            && self.is_in(since, file).await
            && self.to.link(since, path).await?
        {
            return Ok(Copied::Shared(file.size()));
        }
        let bytes = from.whole(file).await?;
        self.copied.fetch_add(file.size(), Relaxed);
        match put(self.to, path, bytes).await? {
            true => Ok(Copied::Anew(file.size())),
            false => Ok(Copied::Before),
        }
    }

    /// Whether the earlier copy has this file as it was written. Its name says which rows it holds, unless it is another writer's.
    async fn is_in(&self, since: &Objects, file: &DataFile) -> bool {
        !file.foreign() && since.whole(file).await.is_ok()
    }
}

/// Puts an object of the copy; `false` if it is there already, with the same bytes.
async fn put(to: &Objects, path: &Path, bytes: Vec<u8>) -> Result<bool> {
    let bytes = bytes::Bytes::from(bytes);
    if to.put_new(path, bytes.clone()).await? {
        return Ok(true);
    }
    match to.get(path).await? {
        Some(found) if found == bytes => Ok(false),
        _ => Err(StoreError::new(
            StoreErrorKind::Conflict,
            format!("{path} in {} is somebody else's: two programs copy to one place", to.url()),
        )),
    }
}
