//! The files that a range of versions needs, told by entries and not by listings.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::object_store::path::Path;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;

use super::{DataFile, Files, Log};
use crate::error::{Result, StoreError};

/// Entries that are read at once.
const AT_ONCE: usize = 32;

/// What entries say of data files.
#[derive(Debug, Default)]
pub(crate) struct Needed {
    /// The files of versions from the oldest on.
    pub files: BTreeMap<Path, DataFile>,
    /// All files that an entry names, also those of earlier versions.
    pub named: BTreeSet<Path>,
}

impl Log {
    /// What versions from `oldest` to `newest` need, and what else the entries from `first` on name.
    pub(crate) async fn needed(&self, first: u64, oldest: &Files, newest: u64) -> Result<Needed> {
        let since = oldest.snapshot.version();
        let mut needed = Needed::default();
        needed.files.extend(oldest.files.files().map(|file| (file.path().clone(), file.clone())));
        needed.named.extend(needed.files.keys().cloned());
        let entries = futures::stream::iter(first.min(since)..=newest);
        let entries = entries.map(|version| async move { Ok::<_, StoreError>((version, self.entry(version).await?)) });
        let mut entries = entries.buffered(AT_ONCE);
        while let Some((version, entry)) = entries.try_next().await? {
            let added = self.added(version, &entry)?;
            needed.named.extend(added.iter().map(|file| file.path().clone()));
            needed.named.extend(self.removed(version, &entry)?);
            if version > since {
                needed.files.extend(added.into_iter().map(|file| (file.path().clone(), file)));
            }
        }
        Ok(needed)
    }

    /// Whether an entry neither adds nor removes a file.
    pub(crate) async fn has_no_files(&self, version: u64) -> Result<bool> {
        let entry = self.entry(version).await?;
        Ok(self.actions(version, &entry, "add")?.is_empty() && self.actions(version, &entry, "remove")?.is_empty())
    }

    /// The files that an entry adds.
    pub(crate) fn added(&self, version: u64, entry: &[u8]) -> Result<Vec<DataFile>> {
        let added = self.actions(version, entry, "add")?.into_iter().map(|add| {
            let logged = add["path"].as_str()?;
            let column = self.kind.partition().column();
            let told = column.as_ref().and_then(|column| add["partitionValues"][column.name().as_str()].as_str());
            let first_day = told.and_then(|told| self.kind.partition().read(told));
            let (path, size) = (self.object_path(logged).ok()?, add["size"].as_u64()?);
            Some(DataFile::new(self.kind, &self.keys, path, logged, size, first_day, add["stats"].as_str()))
        });
        added.collect::<Option<_>>().ok_or_else(|| self.strange(version))
    }

    fn removed(&self, version: u64, entry: &[u8]) -> Result<Vec<Path>> {
        let removed = self.actions(version, entry, "remove")?;
        let removed = removed.iter().map(|remove| self.object_path(remove["path"].as_str()?).ok());
        removed.collect::<Option<_>>().ok_or_else(|| self.strange(version))
    }

    fn actions(&self, version: u64, entry: &[u8], which: &str) -> Result<Vec<Value>> {
        let lines = entry.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let mut actions = Vec::new();
        for line in lines {
            let mut action: Value = serde_json::from_slice(line).map_err(|_| self.strange(version))?;
            actions.extend(action.get_mut(which).map(Value::take).filter(|action| !action.is_null()));
        }
        Ok(actions)
    }

    fn strange(&self, version: u64) -> StoreError {
        let path = self.place(version).entry();
        StoreError::corrupt(format!(
            "{path} says something of files that cannot be understood. Put it back from a backup"
        ))
    }
}
