//! The entries that nines writes: the next version of a table as lines of JSON, and how one is put.
//!
//! Entries are written here and not through the kernel's transaction, because a put whose outcome is unknown is
//! settled by comparing bytes, because each entry carries the hash of the one before it, and because a mark that
//! never expires must be a `txn` without a time.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use datafusion::common::ScalarValue;
use datafusion::object_store::path::Path;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use super::stats::Bounds;
use super::{DataFile, LOG_FOLDER, Log, WRITTEN_BY};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::partition::Partition;
use crate::schema::TableKind;

/// How often an entry is put or looked for before its outcome is called unknown.
const PUTS: u32 = 5;

/// A data file that is written but not yet part of any version.
#[derive(Debug, Clone)]
pub(crate) struct NewFile {
    /// Relative to the table's folder.
    pub path: String,
    /// The first day of its partition, in days since 1970; `None` for a table that is stored together.
    pub first_day: Option<i32>,
    pub size: u64,
    pub rows: u64,
    pub bounds: Bounds,
    /// When it was written, in ms. Told to Delta readers; decides nothing here.
    pub written_at: i64,
}

impl NewFile {
    /// Where it is in the store.
    pub(crate) fn object_path(&self, kind: TableKind) -> Path {
        Path::from(format!("{}/{}", kind.name(), self.path))
    }
}

/// A `txn` action: the number of an application id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transaction {
    pub app_id: String,
    pub number: i64,
    /// Whether it outlives the retention of transactions.
    pub lasting: bool,
}

/// What a version changes.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// A `metaData` action, where the table's columns change.
    pub metadata: Option<Value>,
    pub added: Vec<NewFile>,
    pub removed: Vec<DataFile>,
    pub transactions: Vec<Transaction>,
}

/// How an attempt to commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The version is this entry, durably.
    Committed,
    /// Another writer took that version first.
    Lost,
}

impl Log {
    /// Tries to make `entry` the version after `base`.
    ///
    /// A put that reports an error may have succeeded, and one that reports success to nobody may succeed later. So a
    /// version is not given up before somebody's entry is seen there, which then is ours byte for byte or lost, or before
    /// it is certain that none of ours will come.
    pub(crate) async fn commit(&self, base: u64, entry: &Entry) -> Result<Attempt> {
        let before = self.entry(base).await?;
        let bytes = entry.to_bytes(self.kind, &sha256(&before))?;
        let path = self.entry_path(base + 1);
        let mut trouble = None;
        for put in 0..PUTS {
            match self.objects.put_new(&path, bytes.clone()).await {
                Ok(true) => return Ok(Attempt::Committed),
                Ok(false) => {}
                Err(error) => trouble = Some(error),
            }
            match self.objects.get(&path).await {
                Ok(Some(found)) if found == bytes => {
                    // Seen is not durable: the put may have failed at its last step.
                    match self.settle().await {
                        Ok(()) => return Ok(Attempt::Committed),
                        Err(error) => trouble = Some(error),
                    }
                }
                Ok(Some(_)) => return Ok(Attempt::Lost),
                // Nothing is there and nothing will be.
                Ok(None) if self.objects.failures_are_final() => {
                    if let Some(error) = trouble {
                        return Err(error);
                    }
                }
                Ok(None) => {}
                Err(error) => trouble = Some(error),
            }
            tokio::time::sleep(std::time::Duration::from_millis(1 << (2 * put))).await;
        }
        let why = trouble.map_or_else(|| "the entry can neither be written nor read".to_string(), |e| e.to_string());
        Err(StoreError::new(
            StoreErrorKind::Unknown,
            format!(
                "it is not known whether the rows are stored as version {} of {self}: {why}. Run the same again when \
                 the store can be reached: what is stored already is not stored twice",
                base + 1
            ),
        ))
    }

    /// Makes durable what the log holds now.
    pub(crate) async fn settle(&self) -> Result<()> {
        self.objects.settle(&self.folder()).await
    }

    fn folder(&self) -> Path {
        Path::from(format!("{}/{LOG_FOLDER}", self.kind.name()))
    }

    fn entry_path(&self, version: u64) -> Path {
        self.folder().join(format!("{version:020}.json"))
    }

    pub(super) async fn entry(&self, version: u64) -> Result<Vec<u8>> {
        let entry = self.objects.get(&self.entry_path(version)).await?;
        entry.ok_or_else(|| StoreError::corrupt(format!("the entry of version {version} of {self} is missing")))
    }
}

fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Entry {
    fn to_bytes(&self, kind: TableKind, previous: &str) -> Result<Vec<u8>> {
        let now = Utc::now().timestamp_millis();
        let mut actions = vec![json!({"commitInfo": {
            "timestamp": now,
            "operation": if self.removed.is_empty() { "WRITE" } else { "MERGE" },
            "operationParameters": {},
            "operationMetrics": {
                "numAddedFiles": self.added.len().to_string(),
                "numRemovedFiles": self.removed.len().to_string(),
            },
            "isBlindAppend": self.removed.is_empty(),
            "engineInfo": WRITTEN_BY,
            "previousEntrySha256": previous,
        }})];
        actions.extend(self.metadata.clone());
        for Transaction { app_id, number, lasting } in &self.transactions {
            let mut txn = json!({"appId": app_id, "version": number});
            if !lasting {
                txn["lastUpdated"] = now.into();
            }
            actions.push(json!({ "txn": txn }));
        }
        for file in &self.removed {
            actions.push(json!({"remove": {
                "path": file.logged_as(),
                "deletionTimestamp": now,
                "dataChange": true,
                "extendedFileMetadata": true,
                "partitionValues": partition(kind, file.first_day())?,
                "size": file.size(),
            }}));
        }
        for file in &self.added {
            let stats = json!({
                "numRecords": file.rows,
                "minValues": side(kind, &file.bounds, |(min, _)| min),
                "maxValues": side(kind, &file.bounds, |(_, max)| max),
                "nullCount": file.bounds.null_counts(kind, file.rows),
            });
            actions.push(json!({"add": {
                "path": file.path,
                "partitionValues": partition(kind, file.first_day)?,
                "size": file.size,
                "modificationTime": file.written_at,
                "dataChange": true,
                "stats": stats.to_string(),
            }}));
        }
        Ok(actions.iter().map(|action| format!("{action}\n")).collect::<String>().into_bytes())
    }
}

fn partition(kind: TableKind, first_day: Option<i32>) -> Result<Value> {
    match kind.partition().column().zip(first_day) {
        Some((column, first_day)) => Ok(json!({ column.name().as_str(): kind.partition().told(first_day)? })),
        None => Ok(json!({})),
    }
}

fn side(kind: TableKind, bounds: &Bounds, pick: fn(&(ScalarValue, ScalarValue)) -> &ScalarValue) -> Map<String, Value> {
    let value = |(key, name): (usize, &&str)| Some((name.to_string(), to_json(pick(bounds.of(key)?))?));
    kind.key().iter().enumerate().filter_map(value).collect()
}

fn to_json(bound: &ScalarValue) -> Option<Value> {
    match bound {
        ScalarValue::Utf8View(Some(text)) => Some(text.as_str().into()),
        ScalarValue::Int32(Some(number)) => Some((*number).into()),
        ScalarValue::Date32(Some(day)) => Some(Partition::Day.told(*day).ok()?.into()),
        // A bound is exact or absent, and statistics of instants have milliseconds. Slices start at whole seconds.
        ScalarValue::TimestampMicrosecond(Some(micros), _) if micros % 1000 == 0 => {
            let instant = DateTime::from_timestamp_micros(*micros).filter(|at| (0..=9999).contains(&at.year()))?;
            Some(instant.to_rfc3339_opts(SecondsFormat::Millis, true).into())
        }
        _ => None,
    }
}
