//! A store of its own for a test, and files beside it.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;

use crate::{nines, query};

pub struct Case {
    pub folder: tempfile::TempDir,
    pub store: PathBuf,
}

impl Case {
    pub fn new() -> Case {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("store");
        Case { folder, store }
    }

    /// The program over the store, in the folder.
    pub fn nines(&self, arguments: &[&str]) -> Command {
        let mut command = nines();
        command.current_dir(self.folder.path()).arg("--store").arg(&self.store).args(arguments);
        command
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a file, to be ingested into a table.
    pub fn ingest(&self, table: &str, (name, text): (&str, impl AsRef<[u8]>), options: &[&str]) -> Command {
        self.file(name, text);
        let mut command = self.nines(&["ingest", table, name]);
        command.args(options);
        command
    }

    pub fn rows(&self, sql: &str) -> Vec<String> {
        query(&self.store, sql)
    }
}
