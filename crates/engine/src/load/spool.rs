//! Pipes as files. Every input is read more than once: to tell what it is, to name its batch or find its types, and for its
//! rows. What a pipe gives is gone after the first time, so it is written to a temporary file first.

use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::load::Loaded;
use crate::{EngineError, Result};

/// Copies of what could be read only once; they go with it.
#[derive(Default)]
pub(super) struct Spool {
    /// Each copy's folder, which keeps its name, and what it is a copy of.
    copies: Vec<(TempDir, PathBuf)>,
}

impl Spool {
    /// The files, with copies in the place of those that are no regular files. Blocks.
    pub fn of(files: &[PathBuf]) -> Result<(Self, Vec<PathBuf>)> {
        let mut spool = Spool::default();
        let files = files.iter().map(|file| spool.readable(file)).collect::<Result<_>>()?;
        Ok((spool, files))
    }

    fn readable(&mut self, file: &Path) -> Result<PathBuf> {
        // What is not there, or a folder, is told by whoever reads it.
        let is_pipe = std::fs::metadata(file).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        if !is_pipe {
            return Ok(file.to_path_buf());
        }
        let failed = |error: std::io::Error| EngineError::Usage(format!("{}: {error}", file.display()));
        let folder = TempDir::new().map_err(failed)?;
        let copy = folder.path().join(file.file_name().unwrap_or_default());
        std::io::copy(&mut File::open(file).map_err(failed)?, &mut File::create(&copy).map_err(failed)?)
            .map_err(failed)?;
        self.copies.push((folder, file.to_path_buf()));
        Ok(copy)
    }

    /// The names of the copies, and of what they are copies.
    pub fn copies(&self) -> Vec<(String, String)> {
        let name = |(folder, given): &(TempDir, PathBuf)| {
            let copy = folder.path().join(given.file_name().unwrap_or_default());
            (copy.display().to_string(), given.display().to_string())
        };
        self.copies.iter().map(name).collect()
    }

    /// What was loaded or why it was not, in the names that were given.
    pub fn named(&self, loaded: Result<Loaded>) -> Result<Loaded> {
        let mut loaded = self.told(loaded)?;
        for read in &mut loaded.files {
            let given = self.copies.iter().find(|(folder, _)| read.file.starts_with(folder.path()));
            if let Some((_, given)) = given {
                read.file.clone_from(given);
            }
        }
        Ok(loaded)
    }

    /// An error in the names that were given.
    pub fn told<T>(&self, done: Result<T>) -> Result<T> {
        match done {
            Err(error @ (EngineError::Ingest(_) | EngineError::Usage(_) | EngineError::Sql(_)))
                if !self.copies.is_empty() =>
            {
                let copy = |folder: &TempDir, given: &Path| folder.path().join(given.file_name().unwrap_or_default());
                let text = self.copies.iter().fold(error.to_string(), |text, (folder, given)| {
                    text.replace(&copy(folder, given).display().to_string(), &given.display().to_string())
                });
                Err(EngineError::Usage(text))
            }
            done => done,
        }
    }
}
