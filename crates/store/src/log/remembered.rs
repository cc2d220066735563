//! The `txn` actions of a table, remembered by a process that asks for them with each append: the kernel reads all of them from
//! the newest checkpoint for each question, and a table that is written every minute has some ten thousand.
//!
//! The first question of a process is answered by the kernel. With the second the checkpoint is read once, and from then on only what each
//! entry adds.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

/// The number of an id that was taken back: as if it had never been set. Delta has no action that removes one.
pub(super) const UNDONE: i64 = i64::MIN;

/// What is remembered of a table's log.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    /// Whether this process has asked before.
    pub(super) asked: bool,
    /// The version whose ids these are.
    pub(super) at: Option<u64>,
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
    /// The ids of a checkpoint of ours, all of which are in one file.
    pub(super) fn of_checkpoint(version: u64, bytes: Vec<u8>) -> Option<Self> {
        let mut read = Self::asked();
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
    }

    /// Nothing is known yet, and somebody has asked.
    pub(super) fn asked() -> Self {
        Self { asked: true, ..Self::default() }
    }

    fn set(&mut self, txn: Txn) {
        self.set.insert(txn.app_id, Set { number: txn.version, updated: txn.last_updated });
    }

    /// Takes the ids that the next entry sets; `None` if another writer's says them in a way that is not understood here.
    pub(super) fn follow(&mut self, version: u64, entry: &[u8]) -> Option<()> {
        for line in entry.split(|byte| *byte == b'\n').filter(|line| has_txn(line)) {
            if let Some(txn) = serde_json::from_slice::<Line>(line).ok()?.txn {
                self.set(txn);
            }
        }
        self.at = Some(version);
        Some(())
    }

    pub(super) fn number(&self, app_id: &str, expired: Option<i64>) -> Option<i64> {
        self.set
            .get(app_id)
            .filter(|set| !set.is_expired(expired))
            .map(|set| set.number)
            .filter(|number| *number != UNDONE)
    }

    pub(super) fn purge(&mut self, expired: Option<i64>) {
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
