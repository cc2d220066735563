//! The `txn` actions of a table: what has been delivered, and up to where inputs were read.

use std::collections::BTreeMap;
use std::sync::Arc;

use delta_kernel::snapshot::SnapshotRef;
use serde_json::Value;

use super::remembered::UNDONE;
use super::{Log, Transaction, blocking};
use crate::error::{Result, StoreErrorKind};

/// The id whose number is the oldest version that is retained.
pub(crate) const RETAINED: &str = "nines/retained";
/// The id whose number is the last version that deleted rows on purpose: it is known however many entries are given up.
pub(crate) const DELETED: &str = "nines/deleted";

impl Log {
    /// The number of an application id at a version; `None` if it was never set, was taken back, or is remembered no longer.
    pub(crate) fn transaction(&self, snapshot: &SnapshotRef, app_id: &str) -> Result<Option<i64>> {
        Ok(snapshot.get_app_id_version(app_id, &self.engine)?.filter(|number| *number != UNDONE))
    }

    /// The version that one of these ids names; `None` if it was never set.
    pub(crate) fn version_of(&self, snapshot: &SnapshotRef, id: &str) -> Result<Option<u64>> {
        Ok(self.transaction(snapshot, id)?.and_then(|version| u64::try_from(version).ok()))
    }

    /// What says that an id names this version from then on.
    pub(crate) fn names(id: &str, version: u64) -> Transaction {
        Transaction { app_id: id.to_string(), number: version.try_into().unwrap_or(i64::MAX), lasting: true }
    }

    /// What sets every id that was set between two versions, and is another at the later one, to what it was at the earlier one.
    pub(crate) async fn undone(self: Arc<Self>, at: &SnapshotRef, now: &SnapshotRef) -> Result<Vec<Transaction>> {
        let mut set: BTreeMap<String, bool> = BTreeMap::new();
        for version in at.version() + 1..=now.version() {
            let entry = self.entry(version).await?;
            for line in entry.split(|byte| *byte == b'\n') {
                let Ok(action) = serde_json::from_slice::<Value>(line) else { continue };
                let Some(id) = action["txn"]["appId"].as_str().filter(|id| *id != RETAINED) else { continue };
                set.insert(id.to_string(), action["txn"]["lastUpdated"].is_null());
            }
        }
        let (at, now) = (Arc::clone(at), Arc::clone(now));
        let undone = blocking(move || {
            let mut undone = Vec::new();
            for (app_id, lasting) in set {
                let before = self.transaction(&at, &app_id)?;
                if before != self.transaction(&now, &app_id)? {
                    undone.push(Transaction { app_id, number: before.unwrap_or(UNDONE), lasting });
                }
            }
            Ok(undone)
        });
        undone.await
    }

    /// The version in which an application id, known at `snapshot`, was first set; `None` if that is no longer told.
    ///
    /// An id that is set once stays, so this is a search by halves, in steps back from the newest version that double: what is
    /// delivered again was mostly delivered not long ago. Each step opens one version.
    pub(crate) fn first_set(&self, snapshot: &SnapshotRef, app_id: &str) -> Result<Option<u64>> {
        let (mut without, mut with, mut step) = (None, snapshot.version(), 1);
        while without.map_or(with > 0, |without| without + 1 < with) {
            let middle = match without {
                Some(without) => without + (with - without) / 2,
                None => with.saturating_sub(step),
            };
            step *= 2;
            let earlier = match self.snapshot(None, Some(middle)) {
                Ok(Some(earlier)) => earlier,
                Ok(None) => return Ok(None),
                Err(error) if error.kind() == StoreErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            match self.transaction(&earlier, app_id)? {
                Some(_) => with = middle,
                None => without = Some(middle),
            }
        }
        Ok(Some(with))
    }

    /// Writes a checkpoint of this version, from which later readers start.
    pub(crate) fn checkpoint(&self, snapshot: SnapshotRef) -> Result<()> {
        Arc::clone(&snapshot).checkpoint(&self.engine, None)?;
        Ok(())
    }
}
