//! Which version of each table a session reads as of an earlier time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nines_store::{Result, Snapshot, Table, TableKind};
use tokio::sync::OnceCell;

/// What is read as of an earlier time. A version is looked for once, however many statements read it.
#[derive(Debug)]
pub(crate) struct Past {
    /// As of what, for people.
    asked: String,
    /// These tables are read at these versions.
    versions: BTreeMap<TableKind, u64>,
    /// All others as they were at this time, in µs; `None`: at their newest version.
    at: Option<i64>,
    /// What does not change.
    found: Mutex<BTreeMap<TableKind, Arc<OnceCell<Snapshot>>>>,
    /// The versions that were read.
    read: Mutex<BTreeMap<TableKind, Option<u64>>>,
}

impl Past {
    pub fn new(asked: String, versions: BTreeMap<TableKind, u64>, at: Option<i64>) -> Self {
        Past { asked, versions, at, found: Mutex::default(), read: Mutex::default() }
    }

    /// What time it is then, in µs; `None`: as late as it is.
    pub fn at(&self) -> Option<i64> {
        self.at
    }

    /// A table as it was. One that was not there yet is empty.
    pub async fn snapshot(&self, table: &Table) -> Result<Snapshot> {
        let kind = table.kind();
        let snapshot = match (self.versions.get(&kind), self.at) {
            (None, None) => table.snapshot().await?,
            (version, at) => {
                let cell = self.found.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default().clone();
                let found = cell.get_or_try_init(async || match (version, at) {
                    (Some(version), _) => table.snapshot_at(*version).await,
                    (None, Some(at)) => table.snapshot_as_of(at).await,
                    (None, None) => table.snapshot().await,
                });
                found.await?.clone()
            }
        };
        Ok(snapshot)
    }

    /// The same, for an answer: the version is told.
    pub async fn read(&self, table: &Table) -> Result<Snapshot> {
        let snapshot = self.snapshot(table).await?;
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(table.kind(), snapshot.version());
        Ok(snapshot)
    }

    /// All that was read so far, in a line; `None` if that is nothing.
    pub fn told_of_all(&self) -> Option<String> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        (!read.is_empty()).then(|| self.told(&read))
    }

    /// As of what something was read, and which versions that are: `as of 2026-11-20 10:00:00Z: requests 41, definitions 3`.
    pub fn told(&self, versions: &BTreeMap<TableKind, Option<u64>>) -> String {
        let there = || versions.iter().filter_map(|(kind, version)| Some((*kind, (*version)?)));
        // Of what can be computed again nobody needs to know the version, unless it is all that was asked for.
        let all_derived = there().all(|(kind, _)| kind.is_derived());
        let named = there().filter(|(kind, _)| all_derived || !kind.is_derived());
        let named: Vec<String> = named.map(|(kind, version)| format!("{} {version}", kind.name())).collect();
        match named.as_slice() {
            [] => format!("as of {}: nothing was stored yet", self.asked),
            named => format!("as of {}: {}", self.asked, named.join(", ")),
        }
    }
}
