//! A local folder as an object store whose writes survive a loss of power.
//!
//! `object_store`'s own local store neither syncs nor has a place between write and link to do so. Reads are its; a put
//! here is: temporary file, sync, hard link (which fails if the name is taken), sync of the folder. What must hold
//! when a put returns: the bytes, the name, and the names of all folders down to it are durable.
//!
//! Temporary files are named as those of `object_store` (`name#digits`), so that listings leave them out.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    self, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, UploadPart,
};
use futures::TryFutureExt;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::disk::Disk;
use super::temporary;
use crate::error::SyncFailed;

/// The name that this store has in errors.
const STORE: &str = "local folder";

/// A folder. Listings are in the order of paths.
#[derive(Debug)]
pub(crate) struct Folder {
    reads: LocalFileSystem,
    writes: Arc<Writes>,
}

#[derive(Debug)]
struct Writes {
    root: PathBuf,
    disk: Arc<dyn Disk>,
    /// Folders below the root whose names this process knows to be durable. That a folder exists says nothing: who
    /// made it may not have come to the sync.
    durable: Mutex<HashSet<PathBuf>>,
    /// Set for good when a sync fails: the kernel may have dropped what it could not write, and the next sync
    /// would succeed all the same.
    failed: AtomicBool,
}

impl Folder {
    /// Uses an existing folder.
    pub(crate) fn new(root: PathBuf, disk: Arc<dyn Disk>) -> object_store::Result<Self> {
        let reads = LocalFileSystem::new_with_prefix(&root)?;
        let writes = Writes { root, disk, durable: Mutex::default(), failed: AtomicBool::new(false) };
        Ok(Self { reads, writes: Arc::new(writes) })
    }

    /// Makes durable whatever names a folder has now, by whomever they were put there.
    pub(crate) async fn settle(&self, folder: &Path) -> object_store::Result<()> {
        let path = self.path_of(folder)?;
        let writes = Arc::clone(&self.writes);
        blocking(move || writes.sync_folder(&path)).await
    }

    /// Which of these files are there, in one go. They are in groups of so many: behind one whose last file is not there, the first
    /// apart, nothing is looked for.
    pub(crate) async fn find(&self, paths: Vec<Path>, group: usize) -> object_store::Result<Vec<Option<ObjectMeta>>> {
        let named = paths.into_iter().map(|path| Ok((self.path_of(&path)?, path)));
        let named = named.collect::<object_store::Result<Vec<_>>>()?;
        let look = move || {
            let mut all: Vec<Option<ObjectMeta>> = Vec::with_capacity(named.len());
            for (at, (file, path)) in named.iter().enumerate() {
                let ended = at % group == 0 && at > group && all[at - 1].is_none();
                if ended {
                    all.resize(named.len(), None);
                    return Ok(all);
                }
                all.push(found(file, path.clone())?);
            }
            Ok(all)
        };
        blocking(look).await
    }

    /// What is in a folder whose name contains this, by name alone, in any order.
    pub(crate) async fn names(&self, folder: &Path, part: &'static str) -> object_store::Result<Vec<Path>> {
        let (path, folder) = (self.path_of(folder)?, folder.clone());
        blocking(move || {
            let entries = match fs::read_dir(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let mut names = Vec::new();
            for entry in entries {
                let name = entry?.file_name();
                names.extend(
                    name.to_str()
                        .filter(|name| name.contains(part) && !name.contains('#'))
                        .map(|name| folder.clone().join(name)),
                );
            }
            Ok(names)
        })
        .await
    }

    /// Gives a file of another folder a name in this one as well, durably; `false` where the file system cannot do that.
    pub(crate) async fn link(&self, other: &Folder, path: &Path) -> object_store::Result<bool> {
        let (from, to, writes) = (other.path_of(path)?, self.path_of(path)?, Arc::clone(&self.writes));
        blocking(move || {
            let folder = to.parent().unwrap_or(&writes.root);
            writes.make_durable(folder)?;
            match writes.disk.link(&from, &to) {
                Ok(()) => writes.sync_folder(folder).map(|()| true),
                // It is there already, from an attempt before.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
                Err(_) => Ok(false),
            }
        })
        .await
    }

    /// What interrupted puts have left in and below a folder.
    pub(crate) async fn temporary(&self, folder: &Path) -> object_store::Result<Vec<(Path, u64, SystemTime)>> {
        let (path, folder) = (self.path_of(folder)?, folder.clone());
        blocking(move || temporary::files(&path, &folder)).await
    }

    /// Removes one of those.
    pub(crate) async fn remove_temporary(&self, path: &Path) -> object_store::Result<()> {
        // As a path of an object the # of their names is encoded, and no object's name has one.
        let path = self.writes.root.join(path.as_ref().replace("%23", "#"));
        let writes = Arc::clone(&self.writes);
        blocking(move || match writes.disk.remove(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        })
        .await
    }

    fn path_of(&self, folder: &Path) -> object_store::Result<PathBuf> {
        self.reads.path_to_filesystem(folder)
    }
}

/// Creates a folder and those above it, durably. One that exists is taken to be new as well: who made it may not have
/// come to the sync.
pub(crate) fn create_root(path: &FilePath, disk: &dyn Disk) -> io::Result<()> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
    create_root(parent, disk)?;
    let sync = || disk.sync_folder(parent, &disk.open_folder(parent)?);
    match (disk.create_folder(path), sync()) {
        // Somebody else's folder in a folder that only its owner may read has been there for long.
        (Err(exists), Err(denied))
            if exists.kind() == io::ErrorKind::AlreadyExists && denied.kind() == io::ErrorKind::PermissionDenied =>
        {
            Ok(())
        }
        (created, synced) => existing(created).and(synced),
    }
}

fn existing(created: io::Result<()>) -> io::Result<()> {
    match created {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> object_store::Result<T> {
    let done = match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(io::Error::other(error)),
    };
    done.map_err(|error| object_store::Error::Generic { store: STORE, source: Box::new(error) })
}

impl Writes {
    fn put(&self, path: &FilePath, bytes: &PutPayload, replace: bool) -> io::Result<bool> {
        let folder = path.parent().unwrap_or(&self.root);
        self.make_durable(folder)?;
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        // Listings take a name for that of a temporary file if there are only digits behind the #.
        name.push(format!("#{}", uuid::Uuid::new_v4().as_u128()));
        let temporary = path.with_file_name(name);
        let put = self.put_as(&temporary, path, bytes, replace);
        if !matches!(put, Ok(true)) || !replace {
            // A name left over is in nobody's way.
            if let Err(error) = self.disk.remove(&temporary) {
                tracing::debug!(target: "nines", %error, file = %temporary.display(), "a temporary file is left over");
            }
        }
        if put? {
            self.sync_folder(folder)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn put_as(&self, temporary: &FilePath, path: &FilePath, bytes: &PutPayload, replace: bool) -> io::Result<bool> {
        let file = self.disk.write(temporary, bytes)?;
        self.synced(self.disk.sync_file(temporary, &file))?;
        if replace {
            return self.disk.rename(temporary, path).map(|()| true);
        }
        match self.disk.link(temporary, path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes sure that a folder below the root exists and that its name is durable, and all names above it.
    fn make_durable(&self, folder: &FilePath) -> io::Result<()> {
        if folder == self.root || self.durable.lock().unwrap_or_else(PoisonError::into_inner).contains(folder) {
            return Ok(());
        }
        let parent = folder.parent().unwrap_or(&self.root);
        self.make_durable(parent)?;
        existing(self.disk.create_folder(folder))?;
        self.sync_folder(parent)?;
        self.durable.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_path_buf());
        Ok(())
    }

    fn sync_folder(&self, folder: &FilePath) -> io::Result<()> {
        // That a folder cannot be opened, for want of descriptors perhaps, says nothing about the disk.
        let open = self.disk.open_folder(folder)?;
        self.synced(self.disk.sync_folder(folder, &open))
    }

    /// The result of a sync, if no earlier one has failed.
    fn synced(&self, sync: io::Result<()>) -> io::Result<()> {
        if sync.is_err() {
            self.failed.store(true, Relaxed);
        }
        match self.failed.load(Relaxed) {
            true => Err(io::Error::other(sync.err().map_or(SyncFailed::Before, SyncFailed::Now))),
            false => Ok(()),
        }
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "folder {}", self.writes.root.display())
    }
}

/// What is told of a file; `None` if there is none.
fn found(file: &FilePath, location: Path) -> io::Result<Option<ObjectMeta>> {
    match fs::metadata(file) {
        Ok(metadata) if metadata.is_dir() => Ok(None),
        Ok(metadata) => Ok(Some(meta(location, &metadata)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn meta(location: Path, metadata: &fs::Metadata) -> io::Result<ObjectMeta> {
    let (last_modified, size) = (metadata.modified()?.into(), metadata.len());
    Ok(ObjectMeta { location, last_modified, size, e_tag: None, version: None })
}

/// The files of a folder whose names come after `offset`, in order; `None` if there are folders inside. What comes
/// before is left out before anything is asked of it.
fn files_after(path: &FilePath, folder: &Path, offset: &str) -> io::Result<Option<Vec<ObjectMeta>>> {
    let mut files = Vec::new();
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(files)),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        // Temporary files have a # in their names, and nothing else here has.
        let Some(name) = name.to_str().filter(|name| *name > offset && !name.contains('#')) else { continue };
        let metadata = match entry.metadata() {
            // One that went between the listing and the look at it was not there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        if metadata.is_dir() {
            return Ok(None);
        }
        files.push(meta(folder.clone().join(name), &metadata)?);
    }
    files.sort_unstable_by(|a, b| a.location.cmp(&b.location));
    Ok(Some(files))
}

fn sorted(
    list: BoxStream<'static, object_store::Result<ObjectMeta>>,
) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
    stream::once(async move {
        let mut objects: Vec<ObjectMeta> = list.try_collect().await?;
        objects.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok::<_, object_store::Error>(stream::iter(objects.into_iter().map(Ok)))
    })
    .try_flatten()
    .boxed()
}

#[async_trait]
impl ObjectStore for Folder {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> object_store::Result<PutResult> {
        let replace = match opts.mode {
            PutMode::Create => false,
            PutMode::Overwrite => true,
            PutMode::Update(_) => {
                let (operation, implementer) = ("conditional update".into(), self.to_string());
                return Err(object_store::Error::NotImplemented { operation, implementer });
            }
        };
        let path = self.reads.path_to_filesystem(location)?;
        let writes = Arc::clone(&self.writes);
        match blocking(move || writes.put(&path, &payload, replace)).await? {
            true => Ok(PutResult { e_tag: None, version: None }),
            false => Err(object_store::Error::AlreadyExists {
                path: location.to_string(),
                source: "an object of this name is there already".into(),
            }),
        }
    }

    /// The parts are kept until they are complete: checkpoints are written so, and they are small.
    async fn put_multipart_opts(
        &self,
        location: &Path,
        _opts: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        let whole = Folder { reads: self.reads.clone(), writes: Arc::clone(&self.writes) };
        Ok(Box::new(Upload { folder: whole, location: location.clone(), parts: Vec::new() }))
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.reads.get_opts(path, options).await
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> object_store::Result<Vec<bytes::Bytes>> {
        self.reads.get_ranges(path, ranges).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let (reads, writes) = (self.reads.clone(), Arc::clone(&self.writes));
        let deleted = paths.then(move |path| {
            let (reads, writes) = (reads.clone(), Arc::clone(&writes));
            async move {
                let path = path?;
                let file = reads.path_to_filesystem(&path)?;
                let removed = blocking(move || match writes.disk.remove(&file) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                    removed => removed.map(|()| true),
                });
                match removed.await? {
                    true => Ok(path),
                    false => Err(object_store::Error::NotFound {
                        path: path.to_string(),
                        source: "there is no object of this name".into(),
                    }),
                }
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        sorted(self.reads.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let all = sorted(self.reads.list_with_offset(prefix, offset));
        let Some(folder) = prefix else { return all };
        let Some(offset) = offset.prefix_match(folder).and_then(|mut rest| rest.next()) else { return all };
        let path = match self.path_of(folder) {
            Ok(path) => path,
            Err(error) => return stream::once(async { Err(error) }).boxed(),
        };
        // A log of many versions may be listed for its end only.
        let (folder, offset) = (folder.clone(), offset.as_ref().to_string());
        let files = async move { blocking(move || files_after(&path, &folder, &offset)).await };
        let listed = files.map_ok(|files| match files {
            Some(files) => stream::iter(files.into_iter().map(Ok)).boxed(),
            None => all,
        });
        stream::once(listed).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.reads.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _from: &Path, _to: &Path, _options: CopyOptions) -> object_store::Result<()> {
        // Nothing of ours copies, and the copy would not be durable.
        Err(object_store::Error::NotImplemented { operation: "copy".into(), implementer: self.to_string() })
    }
}

#[derive(Debug)]
struct Upload {
    folder: Folder,
    location: Path,
    parts: Vec<PutPayload>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        self.parts.push(payload);
        Box::pin(async { Ok(()) })
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        let parts = std::mem::take(&mut self.parts);
        let whole: PutPayload = parts.iter().flat_map(PutPayload::iter).cloned().collect();
        self.folder.put_opts(&self.location, whole, PutOptions::default()).await
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.parts.clear();
        Ok(())
    }
}
