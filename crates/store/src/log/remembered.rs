//! The `txn` actions of a table, remembered by a process that asks for them with each append: the kernel reads all of them from
//! the newest checkpoint for each question, and a table that is written every minute has some ten thousand.
//!
//! The first question of a process is answered by the kernel. With the second the checkpoint is read once, and from then on only what each
//! entry adds.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use delta_kernel::snapshot::SnapshotRef;
use serde::Deserialize;

use super::transactions::UNDONE;
use super::{CHECKPOINT_EVERY, Log, Recorded, blocking};
use crate::error::Result;

/// Entries that are read one by one at most; behind more of them the checkpoint is read again.
const FEW: u64 = 4 * CHECKPOINT_EVERY;

/// What is remembered of a table's log.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Whether this process has asked before.
    asked: bool,
    /// The version whose ids these are.
    at: Option<u64>,
    set: HashMap<String, Set>,
    /// At how many ids those that have expired are let go of.
    purged_at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set {
    number: i64,
    /// In ms since 1970; `None` lasts.
    updated: Option<i64>,
}

#[derive(Deserialize)]
struct Line {
    txn: Option<Txn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Txn {
    app_id: String,
    version: i64,
    last_updated: Option<i64>,
}

impl Remembered {
    fn set(&mut self, txn: Txn) {
        self.set.insert(txn.app_id, Set { number: txn.version, updated: txn.last_updated });
    }

    /// Takes the ids that the next entry sets; `None` if another writer's says them in a way that is not understood here.
    fn follow(&mut self, version: u64, entry: &[u8]) -> Option<()> {
        for line in entry.split(|byte| *byte == b'\n').filter(|line| has_txn(line)) {
            if let Some(txn) = serde_json::from_slice::<Line>(line).ok()?.txn {
                self.set(txn);
            }
        }
        self.at = Some(version);
        Some(())
    }

    fn number(&self, app_id: &str, expired: Option<i64>) -> Option<i64> {
        self.set
            .get(app_id)
            .filter(|set| !set.is_expired(expired))
            .map(|set| set.number)
            .filter(|number| *number != UNDONE)
    }

    fn purge(&mut self, expired: Option<i64>) {
        if self.set.len() > self.purged_at {
            self.set.retain(|_, set| !set.is_expired(expired));
            self.purged_at = (2 * self.set.len()).max(1024);
        }
    }
}

impl Set {
    fn is_expired(&self, expired: Option<i64>) -> bool {
        matches!((self.updated, expired), (Some(updated), Some(expired)) if updated <= expired)
    }
}

/// Whether a line may hold a `txn`: most of an entry are files, and long.
fn has_txn(line: &[u8]) -> bool {
    line.windows(5).take(64).any(|part| part == b"\"txn\"")
}

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
                *known = Remembered { asked: true, ..Remembered::default() };
                return false;
            }
        }
        true
    }

    /// The ids of a checkpoint of ours, all of which are in one file.
    async fn of_checkpoint(&self, version: u64) -> Option<Remembered> {
        let mut read = Remembered { asked: true, ..Remembered::default() };
        if version == 0 {
            return Some(read);
        }
        // Without its record nobody can tell whether it is as it was written.
        let place = self.place(version);
        Recorded::read(&self.objects.get(&place.record()).await.ok()??, &place).ok()?;
        let bytes = self.objects.get(&place.checkpoint()).await.ok()??;
        let parse = move || {
            let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).ok()?;
            let column =
                reader.parquet_schema().root_schema().get_fields().iter().position(|field| field.name() == "txn")?;
            let mask = ProjectionMask::roots(reader.parquet_schema(), [column]);
            for batch in reader.with_projection(mask).build().ok()? {
                let batch = batch.ok()?;
                let txns = batch.column(0).as_struct_opt()?;
                let ids = txns.column_by_name("appId")?.as_string_opt::<i32>()?;
                let numbers = txns.column_by_name("version")?.as_primitive_opt::<Int64Type>()?;
                let updated = txns.column_by_name("lastUpdated")?.as_primitive_opt::<Int64Type>()?;
                for row in (0..txns.len()).filter(|&row| txns.is_valid(row) && ids.is_valid(row)) {
                    read.set(Txn {
                        app_id: ids.value(row).to_string(),
                        version: numbers.value(row),
                        last_updated: updated.is_valid(row).then(|| updated.value(row)),
                    });
                }
            }
            read.at = Some(version);
            Some(read)
        };
        tokio::task::spawn_blocking(parse).await.ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(lines: &[&str]) -> Vec<u8> {
        lines.join("\n").into_bytes()
    }

    #[test]
    fn an_id_is_what_the_last_entry_set_until_it_expires() {
        let mut known = Remembered::default();
        let followed = known.follow(
            0,
            &entry(&[
                r#"{"commitInfo":{"operationParameters":{"note":"\"txn\""}}}"#,
                r#"{"txn":{"appId":"a","version":1,"lastUpdated":100}}"#,
                r#"{ "txn": {"appId":"b","version":2}}"#,
                r#"{"add":{"path":"x","stats":"{}"}}"#,
            ]),
        );
        assert_eq!(followed, Some(()));
        known.follow(1, &entry(&[r#"{"txn":{"appId":"a","version":3,"lastUpdated":200}}"#]));
        let all = |known: &Remembered, expired| ["a", "b", "c"].map(|id| known.number(id, expired));
        assert_eq!((known.at, all(&known, None)), (Some(1), [Some(3), Some(2), None]));
        assert_eq!(all(&known, Some(199)), [Some(3), Some(2), None]);
        assert_eq!(all(&known, Some(200)), [None, Some(2), None]);
        known.follow(2, &entry(&[&format!(r#"{{"txn":{{"appId":"b","version":{UNDONE}}}}}"#)]));
        known.purge(Some(200));
        assert_eq!(known.follow(3, br#"{"txn":{"appId":"b","version":"7"}}"#), None);
        assert_eq!((all(&known, None), known.set.len(), known.purged_at), ([None; 3], 1, 1024));
    }
}
