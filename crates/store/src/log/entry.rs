//! The entries that nines writes: the next version of a table as lines of JSON.
//!
//! Entries are written here and not through the kernel's transaction, because each carries its own hash and that of the one
//! before it, and because a mark that never expires must be a `txn` without a time.

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use datafusion::common::ScalarValue;
use datafusion::object_store::path::Path;
use serde_json::{Map, Value, json};

use super::name::FileName;
use super::seal::{ENTRY_SEAL, UNSEALED, seal};
use super::stats::Bounds;
use super::{DataFile, Log, WRITTEN_BY};
use crate::error::Result;
use crate::partition::Partition;
use crate::schema::TableKind;

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
    /// Bytes of its end in which its footer is.
    pub(crate) fn tail(&self) -> Option<u64> {
        FileName::parse(self.path.rsplit('/').next()?)?.tail()
    }

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

/// What somebody asked for, as the entry tells it to whoever reads the log.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub operation: &'static str,
    /// By name: what was asked, and why. Delta has texts here.
    pub parameters: Vec<(&'static str, String)>,
}

/// What a version changes.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// What was asked for, where it is not an append or a compaction.
    pub told: Option<Told>,
    /// A `metaData` action, where the table's columns or properties change.
    pub metadata: Option<Value>,
    pub added: Vec<NewFile>,
    /// Files of an earlier version that count again.
    pub returned: Vec<DataFile>,
    pub removed: Vec<DataFile>,
    /// Whether the rows are the same before and after.
    pub same_rows: bool,
    pub transactions: Vec<Transaction>,
}

impl Entry {
    /// The entry of a version, after the one with this hash.
    pub(super) fn to_bytes(&self, kind: TableKind, version: u64, previous: &[u8; 32]) -> Result<Vec<u8>> {
        let now = Utc::now().timestamp_millis();
        let mut actions = vec![json!({"commitInfo": {
            "timestamp": now,
            "operation": match (&self.told, self.same_rows, self.removed.is_empty()) {
                (Some(told), _, _) => told.operation,
                (None, true, _) => "OPTIMIZE",
                (None, false, true) => "WRITE",
                (None, false, false) => "MERGE",
            },
            "operationParameters": self.told.iter().flat_map(|told| &told.parameters)
                .map(|(name, value)| (name.to_string(), value.as_str().into()))
                .collect::<Map<String, Value>>(),
            "operationMetrics": {
                "numAddedFiles": (self.added.len() + self.returned.len()).to_string(),
                "numRemovedFiles": self.removed.len().to_string(),
            },
            "isBlindAppend": self.removed.is_empty() && !self.same_rows && self.told.is_none(),
            "engineInfo": WRITTEN_BY,
            "previousEntrySha256": hex::encode(previous),
            "table": kind.name(),
            "version": version,
            ENTRY_SEAL: UNSEALED,
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
            let mut remove = json!({
                "path": file.logged_as(),
                "deletionTimestamp": now,
                "dataChange": !self.same_rows,
                "extendedFileMetadata": true,
                "partitionValues": partition(kind, file.first_day())?,
                "size": file.size(),
            });
            // For whoever reads the history: what added the file may be long gone.
            if let Some(rows) = file.rows() {
                remove["stats"] = json!({"numRecords": rows}).to_string().into();
            }
            actions.push(json!({ "remove": remove }));
        }
        for file in &self.added {
            let add = Added {
                path: &file.path,
                rows: Some(file.rows),
                size: file.size,
                bounds: &file.bounds,
                at: file.written_at,
            };
            actions.push(add.action(kind, file.first_day, !self.same_rows)?);
        }
        for file in &self.returned {
            let (path, bounds) = (file.logged_as(), file.key_bounds());
            let add = Added { path, rows: file.rows(), size: file.size(), bounds, at: now };
            actions.push(add.action(kind, file.first_day(), !self.same_rows)?);
        }
        Ok(sealed(&actions))
    }
}

/// A file that an entry adds.
struct Added<'a> {
    /// As the log has it.
    path: &'a str,
    rows: Option<u64>,
    size: u64,
    bounds: &'a Bounds,
    /// In ms.
    at: i64,
}

impl Added<'_> {
    fn action(&self, kind: TableKind, first_day: Option<i32>, data_change: bool) -> Result<Value> {
        let mut add = json!({
            "path": self.path,
            "partitionValues": partition(kind, first_day)?,
            "size": self.size,
            "modificationTime": self.at,
            "dataChange": data_change,
        });
        if let Some(rows) = self.rows {
            let stats = json!({
                "numRecords": rows,
                "minValues": side(kind, self.bounds, |(min, _)| min),
                "maxValues": side(kind, self.bounds, |(_, max)| max),
                "nullCount": self.bounds.null_counts(kind, rows),
            });
            add["stats"] = stats.to_string().into();
        }
        Ok(json!({ "add": add }))
    }
}

impl Log {
    /// Whether a version after one and up to another has other rows. One whose entry is no longer there is taken to have.
    pub(crate) async fn changes_rows(&self, since: u64, now: u64) -> Result<bool> {
        if since > now {
            return Ok(true);
        }
        for version in since + 1..=now {
            let entry = self.objects.get(&self.place(version).entry()).await?;
            if entry.is_none_or(|entry| changes_rows(&entry)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether an entry adds or removes rows, and not only files.
fn changes_rows(entry: &[u8]) -> bool {
    let lines = entry.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    lines.into_iter().any(|line| {
        let Ok(action) = serde_json::from_slice::<Value>(line) else { return true };
        let of_file = action.get("add").or(action.get("remove"));
        of_file.is_some_and(|file| file.get("dataChange") != Some(&Value::Bool(false)))
    })
}

/// The lines of an entry, the first of which says the hash of all.
pub(super) fn sealed(actions: &[Value]) -> Vec<u8> {
    seal(actions.iter().map(|action| format!("{action}\n")).collect(), ENTRY_SEAL)
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
