//! The calls that change a local folder, one by one, so that a test can stand between them.

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use datafusion::object_store::PutPayload;

/// What a durable put does to a disk. What these calls did survives a loss of power only after the sync that covers it.
pub(crate) trait Disk: Debug + Send + Sync + 'static {
    /// Creates a folder whose parent exists.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Creates a file with these bytes; it must not exist.
    fn write(&self, path: &Path, bytes: &PutPayload) -> io::Result<File>;
    /// Makes the bytes of a file durable, not its name.
    fn sync_file(&self, path: &Path, file: &File) -> io::Result<()>;
    /// Gives a file a second name, which must not exist.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Gives a file another name, instead of whatever has it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a name.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Opens a folder in order to sync it.
    fn open_folder(&self, path: &Path) -> io::Result<File>;
    /// Makes the names in a folder durable, not those in folders inside it.
    fn sync_folder(&self, path: &Path, folder: &File) -> io::Result<()>;
}

/// The disk of this machine.
#[derive(Debug)]
pub(crate) struct Real;

impl Disk for Real {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn write(&self, path: &Path, bytes: &PutPayload) -> io::Result<File> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        bytes.iter().try_for_each(|part| file.write_all(part))?;
        Ok(file)
    }

    fn sync_file(&self, _path: &Path, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn open_folder(&self, path: &Path) -> io::Result<File> {
        File::open(path)
    }

    fn sync_folder(&self, _path: &Path, folder: &File) -> io::Result<()> {
        folder.sync_all()
    }
}
