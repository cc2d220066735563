//! The objects of a store: one object store whose root is the store's folder.
//!
//! Paths are therefore the same for every location (`requests/date=2026-10-01/….parquet`), and names
//! in the store's own path (业务, spaces) never reach a Delta or a DataFusion path. Every write of the
//! crate and of the Delta kernel goes through this object store's `put_opts`, so that durability is decided here
//! (for a local folder in [`local`]) and nowhere else.
//!
//! Listings are sorted by path: the kernel takes that for granted for every scheme but `file:`.

#[cfg(test)]
mod crash;
mod disk;
mod local;
mod notices;
mod temporary;
mod verified;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::path::Path;
use datafusion::object_store::{self, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use futures::StreamExt;
use url::Url;

use crate::error::{Result, StoreError, StoreErrorKind, trouble_of};
use crate::log::{DataFile, LogPlace, Origin, Recorded};
pub(crate) use disk::{Disk, Real};
use local::Folder;
use notices::Notices;
use verified::Verified;
pub(crate) use verified::{BLOCK, BLOCKS_KEY, Sums, sum};
pub(crate) use verified::{damaged, missing_object};

/// The objects of one store.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    url: Url,
    /// What everything is read from and written to.
    inner: Arc<dyn ObjectStore>,
    verified: Verified,
    /// The same, where it is a local folder.
    folder: Option<Arc<Folder>>,
}

impl Objects {
    /// Locates a store: a plain path, `file://…` or `memory://name`. With `create`, a missing folder is made.
    pub(crate) fn locate(location: &str, create: bool) -> Result<Self> {
        match Url::parse(location) {
            // A one-letter scheme is a Windows drive.
            Ok(url) if url.scheme().len() > 1 => match url.scheme() {
                "file" => match url.to_file_path() {
                    Ok(path) => Self::local(path, create),
                    Err(()) => Err(invalid(location, "a file URL has three slashes: file:///folder")),
                },
                "memory" => Self::memory(&url),
                other => {
                    Err(invalid(location, &format!("{other}:// is not supported; use a path, file:// or memory://")))
                }
            },
            // A folder of this name would be somebody's mistake.
            Err(error) if location.contains("://") => Err(invalid(location, &error.to_string())),
            _ => Self::local(PathBuf::from(location), create),
        }
    }

    fn local(path: PathBuf, create: bool) -> Result<Self> {
        Self::on_disk(path, create, Arc::new(Real))
    }

    pub(crate) fn on_disk(path: PathBuf, create: bool, disk: Arc<dyn Disk>) -> Result<Self> {
        let failed = |doing: &str, error: std::io::Error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => StoreErrorKind::NotFound,
                _ => trouble_of(&error).0,
            };
            StoreError::caused(kind, format_args!("{doing} {}", path.display()), error)
        };
        if create {
            let path = std::path::absolute(&path).map_err(|error| failed("cannot create the folder", error))?;
            // Without a marker in it, a folder may have been made just now by somebody who has not synced it yet.
            if path.is_file() {
                return Err(invalid(&path.to_string_lossy(), "it is a file, and a store is a folder"));
            }
            if !path.join(crate::marker::NAME).exists() {
                local::create_root(&path, &*disk).map_err(|error| failed("cannot create the folder", error))?;
            }
        }
        let path = path.canonicalize().map_err(|error| failed("there is no store at", error))?;
        let url = Url::from_directory_path(&path)
            .map_err(|()| invalid(&path.to_string_lossy(), "the path cannot be written as a URL"))?;
        let folder = Folder::new(path.clone(), disk).map_err(|error| {
            StoreError::caused(StoreErrorKind::Io, format_args!("cannot use the folder {}", path.display()), error)
        })?;
        let folder = Arc::new(folder);
        Ok(Self::new(url, Arc::clone(&folder) as _, Some(folder)))
    }

    /// Memory stores live as long as the process: the same URL is the same store.
    fn memory(url: &Url) -> Result<Self> {
        static STORES: LazyLock<Mutex<HashMap<Url, Arc<InMemory>>>> = LazyLock::new(Default::default);
        let mut url = url.clone();
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = Arc::clone(stores.entry(url.clone()).or_default());
        Ok(Self::over(url, inner))
    }

    /// The objects of a store that the caller keeps. Its puts are durable when they return.
    pub(crate) fn over(url: Url, inner: Arc<dyn ObjectStore>) -> Self {
        Self::new(url, inner, None)
    }

    fn new(url: Url, inner: Arc<dyn ObjectStore>, folder: Option<Arc<Folder>>) -> Self {
        let verified = Verified::new(inner, folder.clone());
        Self { url, inner: Arc::new(verified.clone()), verified, folder }
    }

    /// The store's canonical URL, ending in a slash.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Data files that this process had to read whole in order to verify them, and their bytes.
    pub(crate) fn verified_whole(&self) -> (u64, u64) {
        self.verified.verified_whole()
    }

    /// What was survived and should be known to people.
    pub(crate) fn notices(&self) -> &Notices {
        self.verified.notices()
    }

    /// The hash that the head of an entry has of it; `None` if it has no head.
    pub(crate) async fn head(&self, place: &LogPlace) -> Result<Option<[u8; 32]>> {
        self.verified.hash_in_head(place).await.map_err(|error| self.failed("read", &place.head(), error))
    }

    /// The bytes of an entry and who wrote it; `None` if there is none.
    pub(crate) async fn entry(&self, place: &LogPlace) -> Result<Option<(Vec<u8>, Origin)>> {
        match self.verified.entry(place).await {
            Ok((_, bytes, examined)) => Ok(Some((bytes.into(), examined.origin))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("read", &place.entry(), error)),
        }
    }

    /// Who wrote an entry; `None` if there is none.
    pub(crate) async fn origin_of(&self, place: &LogPlace) -> Result<Option<Origin>> {
        Ok(self.entry(place).await?.map(|(_, origin)| origin))
    }

    /// The newest sound checkpoint of a table that this process has met.
    pub(crate) fn newest_checkpoint(&self, table: &str) -> Option<Recorded> {
        self.verified.newest_checkpoint(table)
    }

    /// The object store rooted at the store's folder. What is read through it is as it was written.
    pub(crate) fn object_store(&self) -> &Arc<dyn ObjectStore> {
        &self.inner
    }

    /// Makes this object store known to DataFusion, and says under which URL: `nines://<the store's URL in hexadecimal>/`, so that
    /// whoever meets it in a plan can tell which store it means.
    pub(crate) fn register(&self, runtime: &RuntimeEnv) -> Result<ObjectStoreUrl> {
        let url = ObjectStoreUrl::parse(format!("nines://{}/", hex::encode(self.url.as_str())))?;
        runtime.register_object_store(url.as_ref(), Arc::clone(&self.inner));
        Ok(url)
    }

    /// The bytes of an object, `None` if there is none.
    pub(crate) async fn get(&self, path: &Path) -> Result<Option<Vec<u8>>> {
        match self.inner.get(path).await {
            Ok(object) => match object.bytes().await {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(error) => Err(self.failed("read", path, error)),
            },
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed("read", path, error)),
        }
    }

    /// A data file as a whole, which verifies it. [`StoreErrorKind::Corrupt`] if it is not there, or not as it was written.
    pub(crate) async fn whole(&self, file: &DataFile) -> Result<Vec<u8>> {
        let path = file.path();
        match self.get(path).await? {
            Some(read) if read.len() as u64 == file.size() => Ok(read),
            Some(read) => Err(StoreError::corrupt(format!(
                "{path} has {} bytes, and the log says {}. Put the file back from a backup",
                read.len(),
                file.size()
            ))),
            None => Err(missing_object(path)),
        }
    }

    /// The first object in or below a folder that is such a one.
    pub(crate) async fn find_below(&self, folder: &Path, is: impl Fn(&Path) -> bool) -> Result<Option<Path>> {
        let mut objects = self.inner.list(Some(folder));
        while let Some(object) = objects.next().await {
            match object {
                Ok(object) if is(&object.location) => return Ok(Some(object.location)),
                Ok(_) => {}
                Err(object_store::Error::NotFound { .. }) => return Ok(None),
                Err(error) => return Err(self.failed("list", folder, error)),
            }
        }
        Ok(None)
    }

    /// Whether there is any object in or below a folder.
    pub(crate) async fn any_below(&self, folder: &Path) -> Result<bool> {
        Ok(self.find_below(folder, |_| true).await?.is_some())
    }

    /// Writes an object that must not exist yet; `false` if it does.
    pub(crate) async fn put_new(&self, path: &Path, bytes: impl Into<PutPayload>) -> Result<bool> {
        match self.inner.put_opts(path, bytes.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(self.failed("write", path, error)),
        }
    }

    /// Writes an object in the place of the one that is there: readers see the one or the other.
    pub(crate) async fn replace(&self, path: &Path, bytes: impl Into<PutPayload>) -> Result<()> {
        match self.inner.put_opts(path, bytes.into(), PutMode::Overwrite.into()).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failed("write", path, error)),
        }
    }

    /// Whether a put that failed and whose object is not there did nothing and will do nothing: so it is on a local
    /// disk, while a distant store may get to a request after it was given up.
    pub(crate) fn failures_are_final(&self) -> bool {
        self.folder.is_some()
    }

    /// Makes durable whatever a folder holds now. What another writer put may be visible before it is durable, and
    /// nothing may be acknowledged because of it until it is.
    pub(crate) async fn settle(&self, folder: &Path) -> Result<()> {
        match &self.folder {
            Some(local) => local.settle(folder).await.map_err(|error| self.failed("sync", folder, error)),
            None => Ok(()),
        }
    }

    /// Removes objects that are in no version, as far as that works: one left over is in nobody's way.
    pub(crate) async fn discard(&self, paths: impl IntoIterator<Item = Path>) {
        for path in paths {
            if let Err(error) = self.inner.delete(&path).await {
                tracing::info!(target: "nines", %error, %path, "an object that is in no version is left over");
            }
        }
    }

    /// Gives an object of another store a name in this one as well; `false` if their places do not have that.
    pub(crate) async fn link(&self, other: &Objects, path: &Path) -> Result<bool> {
        match (&self.folder, &other.folder) {
            (Some(to), Some(from)) => to.link(from, path).await.map_err(|error| self.failed("link", path, error)),
            _ => Ok(false),
        }
    }

    /// What interrupted puts have left in and below a folder: path, bytes, when it was written.
    pub(crate) async fn temporary(&self, folder: &Path) -> Result<Vec<(Path, u64, SystemTime)>> {
        match &self.folder {
            Some(local) => local.temporary(folder).await.map_err(|error| self.failed("list", folder, error)),
            None => Ok(Vec::new()),
        }
    }

    /// Removes one of those.
    pub(crate) async fn remove_temporary(&self, path: &Path) -> object_store::Result<()> {
        match &self.folder {
            Some(local) => local.remove_temporary(path).await,
            None => Ok(()),
        }
    }

    pub(crate) fn failed(&self, doing: &str, path: &Path, error: object_store::Error) -> StoreError {
        if let Some(ours) = StoreError::found_in(&error) {
            return ours;
        }
        let doing = format!("cannot {doing} {path} in {}", self.url);
        match trouble_of(&error) {
            (kind, Some(remedy)) => StoreError::caused(kind, format_args!("{doing}: {remedy}"), error),
            (kind, None) => StoreError::caused(kind, doing, error),
        }
    }
}

fn invalid(location: &str, why: &str) -> StoreError {
    StoreError::new(StoreErrorKind::InvalidArgument, format!("{location:?} cannot be a store: {why}"))
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn an_object_is_written_once_and_listings_are_sorted() {
        let folder = tempfile::tempdir().unwrap();
        for location in [folder.path().to_str().unwrap(), "memory://objects"] {
            let objects = Objects::locate(location, true).unwrap();
            for name in ["t/b", "t/10", "t/c", "t/9", "t/a"] {
                assert!(objects.put_new(&Path::from(name), name.as_bytes().to_vec()).await.unwrap());
            }
            assert!(!objects.put_new(&Path::from("t/a"), b"other".to_vec()).await.unwrap());
            assert_eq!(objects.get(&Path::from("t/a")).await.unwrap().unwrap(), b"t/a");
            assert_eq!(objects.get(&Path::from("t/z")).await.unwrap(), None);
            let prefix = Path::from("t");
            let list = objects.object_store().list_with_offset(Some(&prefix), &Path::from("t/10"));
            let names: Vec<String> = list.map_ok(|object| object.location.to_string()).try_collect().await.unwrap();
            assert_eq!(names, ["t/9", "t/a", "t/b", "t/c"], "{location}");
        }
    }

    #[test]
    fn every_way_to_name_a_folder_is_the_same_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("业务 1");
        let plain = Objects::locate(path.to_str().unwrap(), true).unwrap();
        let url = Objects::locate(Url::from_file_path(&path).unwrap().as_str(), false).unwrap();
        let dotted = Objects::locate(path.join("../业务 1").to_str().unwrap(), false).unwrap();
        assert_eq!((plain.url(), plain.url()), (url.url(), dotted.url()));
        assert!(plain.url().as_str().ends_with("/%E4%B8%9A%E5%8A%A1%201/"), "{}", plain.url());
        for wrong in ["memory://a b", "memory://a|b", "://x", "file://a b/c"] {
            let refused = Objects::locate(wrong, true).unwrap_err();
            assert_eq!(refused.kind(), StoreErrorKind::InvalidArgument, "{wrong}");
        }
        let missing = Objects::locate(folder.path().join("none").to_str().unwrap(), false).unwrap_err();
        assert_eq!(missing.kind(), StoreErrorKind::NotFound);
    }
}
