//! The objects of a table, and what each is by its name.

use std::collections::BTreeSet;
use std::time::SystemTime;

use datafusion::object_store::path::Path;
use datafusion::object_store::{self, ObjectStoreExt};
use futures::TryStreamExt;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{HEADS_FOLDER, LOG_FOLDER};
use crate::table::Table;

/// An object of a table.
#[derive(Debug)]
pub(crate) struct StoredObject {
    pub path: Path,
    pub size: u64,
    /// In µs since 1970.
    pub modified: i64,
    pub kind: ObjectKind,
}

/// What an object is, by its name. Of those of the log, of which version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Data,
    /// What a put leaves that is interrupted.
    Temporary,
    Entry(u64),
    Checkpoint(u64),
    Head(u64),
    /// A checkpoint's.
    Record(u64),
    Other,
}

impl ObjectKind {
    /// The version, of an object of the log.
    pub fn version(self) -> Option<u64> {
        match self {
            Self::Entry(version) | Self::Checkpoint(version) | Self::Head(version) | Self::Record(version) => {
                Some(version)
            }
            Self::Data | Self::Temporary | Self::Other => None,
        }
    }
}

/// The versions that there are of one kind of object of the log.
pub(crate) fn versions(found: &[StoredObject], of: fn(u64) -> ObjectKind) -> BTreeSet<u64> {
    let is_meant = |found: &StoredObject| found.kind.version().filter(|version| of(*version) == found.kind);
    found.iter().filter_map(is_meant).collect()
}

/// The version from which on all entries are there. Older ones may lie about, if their removal was interrupted.
pub(crate) fn first_entry(found: &[StoredObject], newest: u64) -> u64 {
    let entries = versions(found, ObjectKind::Entry);
    (0..=newest).rev().take_while(|version| entries.contains(version)).last().unwrap_or(newest)
}

/// What the object at this path of a table is.
fn kind(path: &Path) -> ObjectKind {
    let parts: Vec<_> = path.parts().collect();
    let Some(name) = path.filename() else { return ObjectKind::Other };
    let folder = parts.get(1).filter(|_| parts.len() == 3).map(|folder| folder.as_ref().to_string());
    let numbered = || name.split_once('.').and_then(|(digits, rest)| Some((of_version(digits)?, rest)));
    match (folder.as_deref(), numbered()) {
        (Some(LOG_FOLDER), Some((version, "json"))) => ObjectKind::Entry(version),
        (Some(LOG_FOLDER), Some((version, "checkpoint.parquet"))) => ObjectKind::Checkpoint(version),
        (Some(HEADS_FOLDER), Some((version, "head"))) => ObjectKind::Head(version),
        (Some(HEADS_FOLDER), Some((version, "checkpoint"))) => ObjectKind::Record(version),
        (Some(LOG_FOLDER | HEADS_FOLDER), _) => ObjectKind::Other,
        _ if path.extension() == Some("parquet") => ObjectKind::Data,
        _ => ObjectKind::Other,
    }
}

fn of_version(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|_| digits.len() == 20)
}

impl Table {
    /// All objects of the table, in the order of their paths, and what interrupted puts have left.
    pub(crate) async fn found(&self) -> Result<Vec<StoredObject>> {
        let folder = Path::from(self.kind().name());
        let listed = self.objects().object_store().list(Some(&folder)).try_collect::<Vec<_>>().await;
        let listed = listed
            .map_err(|error| StoreError::caused(StoreErrorKind::Io, format_args!("cannot list {self}"), error))?;
        let micros = |at: chrono::DateTime<chrono::Utc>| at.timestamp_micros();
        let objects = listed.into_iter().map(|object| {
            let (kind, modified) = (kind(&object.location), micros(object.last_modified));
            StoredObject { path: object.location, size: object.size, modified, kind }
        });
        let mut found: Vec<StoredObject> = objects.collect();
        let temporary = self.objects().temporary(&folder).await?;
        found.extend(temporary.into_iter().map(|(path, size, at): (Path, u64, SystemTime)| StoredObject {
            path,
            size,
            modified: micros(at.into()),
            kind: ObjectKind::Temporary,
        }));
        Ok(found)
    }

    /// Removes an object. One that is gone already is no trouble: somebody else was faster.
    pub(crate) async fn remove(&self, found: &StoredObject) -> Result<()> {
        let removed = if found.kind == ObjectKind::Temporary {
            self.objects().remove_temporary(&found.path).await
        } else {
            self.objects().object_store().delete(&found.path).await
        };
        match removed {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.objects().failed("remove", &found.path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_known_by_its_name_and_its_folder() {
        let version = format!("{:020}", 50);
        for (path, expected) in [
            (format!("requests/_delta_log/{version}.json"), ObjectKind::Entry(50)),
            (format!("requests/_delta_log/{version}.checkpoint.parquet"), ObjectKind::Checkpoint(50)),
            (format!("requests/_nines/{version}.head"), ObjectKind::Head(50)),
            (format!("requests/_nines/{version}.checkpoint"), ObjectKind::Record(50)),
            ("requests/_delta_log/_last_checkpoint".to_string(), ObjectKind::Other),
            (format!("requests/_delta_log/{version}.checkpoint.0000000001.0000000002.parquet"), ObjectKind::Other),
            (format!("requests/_delta_log/_sidecars/{version}.json"), ObjectKind::Other),
            ("requests/_delta_log/50.json".to_string(), ObjectKind::Other),
            ("requests/date=2026-10-01/part-0.parquet".to_string(), ObjectKind::Data),
            ("definitions/k2-0.parquet".to_string(), ObjectKind::Data),
            ("requests/README".to_string(), ObjectKind::Other),
        ] {
            assert_eq!(kind(&Path::from(path.as_str())), expected, "{path}");
        }
    }
}
