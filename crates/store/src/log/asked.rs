//! The `txn` actions that appends ask for, from what the process remembers.

use std::sync::Arc;

use delta_kernel::snapshot::SnapshotRef;

use super::remembered::Remembered;
use super::{CHECKPOINT_EVERY, Log, Recorded, blocking};
use crate::error::Result;

/// Entries that are read one by one at most; behind more of them the checkpoint is read again.
const FEW: u64 = 4 * CHECKPOINT_EVERY;

impl Log {
    /// As [`Log::transaction`], of several ids.
    pub(crate) async fn transactions(
        self: &Arc<Self>,
        snapshot: &SnapshotRef,
        app_ids: Vec<String>,
    ) -> Result<Vec<Option<i64>>> {
        let mut known = self.remembered.lock().await;
        if self.catch_up(&mut known, snapshot.version()).await {
            let now = chrono::Utc::now().timestamp_millis();
            let kept_for = snapshot.table_properties().set_transaction_retention_duration;
            let expired = kept_for.and_then(|kept| now.checked_sub(kept.as_millis().try_into().ok()?));
            known.purge(expired);
            return Ok(app_ids.iter().map(|app_id| known.number(app_id, expired)).collect());
        }
        drop(known);
        let (log, snapshot) = (Arc::clone(self), Arc::clone(snapshot));
        blocking(move || app_ids.iter().map(|app_id| log.transaction(&snapshot, app_id)).collect()).await
    }

    /// Whether what is remembered is that of this version now. What cannot be read here the kernel may read, or has the words for.
    async fn catch_up(&self, known: &mut Remembered, version: u64) -> bool {
        if !std::mem::replace(&mut known.asked, true) || known.at.is_some_and(|at| at > version) {
            return false;
        }
        if known.at.is_none_or(|at| version - at > FEW) {
            match self.of_checkpoint(version - version % CHECKPOINT_EVERY).await {
                Some(read) => *known = read,
                None => return false,
            }
        }
        for next in known.at.map_or(0, |at| at + 1)..=version {
            let followed = self.entry(next).await.ok().and_then(|entry| known.follow(next, &entry));
            if followed.is_none() {
                *known = Remembered::asked();
                return false;
            }
        }
        true
    }

    /// The ids of a checkpoint of ours, all of which are in one file.
    async fn of_checkpoint(&self, version: u64) -> Option<Remembered> {
        if version == 0 {
            return Some(Remembered::asked());
        }
        // Without its record nobody can tell whether it is as it was written.
        let place = self.place(version);
        Recorded::read(&self.objects.get(&place.record()).await.ok()??, &place).ok()?;
        let bytes = self.objects.get(&place.checkpoint()).await.ok()??;
        tokio::task::spawn_blocking(move || Remembered::of_checkpoint(version, bytes)).await.ok()?
    }
}
