//! One entry of a log, as people want to know it.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;
use serde_json::Value;

use crate::log::Origin;
use crate::once::{batch_of, mark_of};

/// Files that a version added or removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extent {
    /// How many.
    pub files: u64,
    /// Their bytes; `None` if an entry does not say.
    pub bytes: Option<u64>,
    /// Their rows; `None` if an entry does not say.
    pub rows: Option<u64>,
}

/// What an entry says of its version.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoggedVersion {
    /// Which one.
    pub version: u64,
    /// Who wrote the entry.
    pub origin: Origin,
    /// When it was written, in ms, by the clock of its writer, which may have been wrong.
    pub timestamp: Option<i64>,
    /// What was done, as Delta calls it: `WRITE`, `MERGE`, `OPTIMIZE`, `DELETE`…
    pub operation: Option<String>,
    /// Which program did it.
    pub engine: Option<String>,
    /// What it did it with, by name: the reason of a `DELETE`, the version of a `RESTORE`.
    pub parameters: Vec<(String, String)>,
    /// The files that it added.
    pub added: Extent,
    /// The files that it removed.
    pub removed: Extent,
    /// Whether its rows may be others than those of the version before, and not only its files.
    pub changes_rows: bool,
    /// Whether it changed the table's columns or properties, or made the table.
    pub changes_table: bool,
    /// The batches that it stored: source and name.
    pub batches: Vec<(String, String)>,
    /// The marks that it set.
    pub marks: Vec<String>,
}

/// The rows of the files that an entry added, by path, and the paths of those that it removed without saying how many rows they
/// had; how many those that said had.
#[derive(Debug, Default)]
pub(super) struct Files {
    added: HashMap<String, Option<u64>>,
    unknown: Vec<String>,
    known: u64,
}

/// What an entry says. Lines that are not as they should be say nothing: whether an entry can be read is asked elsewhere.
pub(super) fn read(version: u64, origin: Origin, entry: &[u8]) -> (LoggedVersion, Files) {
    let nothing = Extent { files: 0, bytes: Some(0), rows: Some(0) };
    let mut logged = LoggedVersion {
        version,
        origin,
        timestamp: None,
        operation: None,
        engine: None,
        parameters: Vec::new(),
        added: nothing,
        removed: nothing,
        changes_rows: false,
        changes_table: false,
        batches: Vec::new(),
        marks: Vec::new(),
    };
    let mut files = Files::default();
    for action in actions(entry) {
        if let Some(info) = action.get("commitInfo") {
            logged.timestamp = info["timestamp"].as_i64();
            logged.operation = info["operation"].as_str().map(str::to_string);
            logged.engine = info["engineInfo"].as_str().map(str::to_string);
            let parameters = info["operationParameters"].as_object().into_iter().flatten();
            logged.parameters = parameters.map(|(name, value)| (name.clone(), told(value))).collect();
        }
        if let Some(transaction) = action.get("txn") {
            let (id, number) = (transaction["appId"].as_str().unwrap_or_default(), transaction["version"].as_i64());
            // What was taken back was not stored.
            if number != Some(i64::MIN) {
                logged.batches.extend(batch_of(id));
                logged.marks.extend(mark_of(id).map(str::to_string));
            }
        }
        logged.changes_table |= action.get("metaData").is_some() || action.get("protocol").is_some();
        let path = |file: &Value| file["path"].as_str().unwrap_or_default().to_string();
        if let Some(add) = action.get("add") {
            logged.changes_rows |= add["dataChange"] != Value::Bool(false);
            logged.added.count(add);
            files.added.insert(path(add), rows(add));
        }
        if let Some(remove) = action.get("remove") {
            logged.changes_rows |= remove["dataChange"] != Value::Bool(false);
            logged.removed.count(remove);
            match rows(remove) {
                Some(rows) => files.known += rows,
                None => files.unknown.push(path(remove)),
            }
        }
    }
    (logged, files)
}

impl Extent {
    fn count(&mut self, file: &Value) {
        let add = |sum: Option<u64>, more: Option<u64>| sum?.checked_add(more?);
        self.files += 1;
        self.bytes = add(self.bytes, file["size"].as_u64());
        self.rows = add(self.rows, rows(file));
    }
}

/// Counts removed rows by what earlier ones of these versions say of the files.
pub(super) fn count_removed(versions: &mut [(LoggedVersion, Files)]) {
    let wanted: usize = versions.iter().map(|(_, files)| files.unknown.len()).sum();
    if wanted == 0 {
        return;
    }
    let mut known: HashMap<String, u64> = HashMap::new();
    for (_, files) in versions.iter_mut() {
        known.extend(files.added.drain().filter_map(|(path, rows)| Some((path, rows?))));
    }
    for (logged, files) in versions.iter_mut().filter(|(_, files)| !files.unknown.is_empty()) {
        let rows = files.unknown.iter().map(|path| known.get(path).copied());
        logged.removed.rows = rows.sum::<Option<u64>>().and_then(|rows| rows.checked_add(files.known));
    }
}

/// The UTC days whose rows an entry may have changed: those of the files that it added or removed, but for files of which the entry says
/// that they hold no row with this value in a column.
pub(super) fn days(entry: &[u8], column: &str, value: &str) -> BTreeSet<NaiveDate> {
    let files = actions(entry).filter_map(|action| {
        let file = action.get("add").or_else(|| action.get("remove"))?;
        let is_meant = file["dataChange"] != Value::Bool(false) && may_hold(file, column, value);
        let path = is_meant.then(|| file["path"].as_str()).flatten()?;
        path.split('/').find_map(|folder| folder.strip_prefix("date="))?.parse().ok()
    });
    files.collect()
}

/// Whether the statistics of a file leave room for a text in a column.
fn may_hold(file: &Value, column: &str, value: &str) -> bool {
    let bounds = || {
        let stats: Value = serde_json::from_str(file["stats"].as_str()?).ok()?;
        let bound = |of: &str| Some(stats[of][column].as_str()?.to_string());
        Some((bound("minValues")?, bound("maxValues")?))
    };
    bounds().is_none_or(|(least, most)| *least <= *value && *value <= *most)
}

/// When an entry was written, in ms, as its writer says.
pub(super) fn timestamp(entry: &[u8]) -> Option<i64> {
    // Ours say it in their first line; so the others are mostly not looked at.
    let info = actions(entry).find_map(|mut action| action.get_mut("commitInfo").map(Value::take));
    info?["timestamp"].as_i64()
}

fn actions(entry: &[u8]) -> impl Iterator<Item = Value> {
    let lines = entry.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.filter_map(|line| serde_json::from_slice(line).ok())
}

fn rows(file: &Value) -> Option<u64> {
    let stats: Value = serde_json::from_str(file["stats"].as_str()?).ok()?;
    stats["numRecords"].as_u64()
}

/// Delta has texts here; what others put is shown as it is.
fn told(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_unknown() {
        let entry = concat!(
            r#"{"add":{"path":"a","size":10,"stats":"{\"numRecords\":3}"}}"#,
            "\n",
            r#"{"add":{"path":"b","size":5}}"#,
            "\n",
            r#"{"remove":{"path":"c","dataChange":true}}"#,
            "\n\n",
            r#"{"txn":{"appId":"batch/edge/a%2Fb","version":7}}"#,
            "\n",
            r#"{"txn":{"appId":"batch/edge/undone","version":-9223372036854775808}}"#,
            "\n",
            r#"{"txn":{"appId":"mark/log/x","version":7}}"#,
            "\n",
            r#"{"commitInfo":{"timestamp":5,"operation":"MERGE","operationParameters":{"predicate":"[]","n":1}}}"#,
        );
        let (logged, _) = read(4, Origin::Foreign, entry.as_bytes());
        assert_eq!(logged.added, Extent { files: 2, bytes: Some(15), rows: None });
        assert_eq!(logged.removed, Extent { files: 1, bytes: None, rows: None });
        assert_eq!(logged.batches, [("edge".to_string(), "a/b".to_string())]);
        assert_eq!(logged.marks, ["log/x"]);
        let parameters: Vec<(&str, &str)> = logged.parameters.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(parameters, [("n", "1"), ("predicate", "[]")]);
        assert_eq!((logged.timestamp, logged.operation.as_deref()), (Some(5), Some("MERGE")));
        assert!(logged.changes_rows && !logged.changes_table && logged.engine.is_none());
        assert_eq!(timestamp(entry.as_bytes()), Some(5));
        assert_eq!(timestamp(br#"{"add":{"path":"a"}}"#), None);
    }

    #[test]
    fn removed_rows_are_those_that_were_added() {
        let entry = |version, text: &str| read(version, Origin::Nines, text.as_bytes());
        let added = r#"{"add":{"path":"a","size":1,"stats":"{\"numRecords\":3}"}}"#;
        let removed = concat!(
            r#"{"remove":{"path":"a","size":1}}"#,
            "\n",
            r#"{"remove":{"path":"z","size":1,"stats":"{\"numRecords\":4}"}}"#
        );
        let mut both = vec![entry(2, removed), entry(1, added)];
        count_removed(&mut both);
        assert_eq!(both[0].0.removed, Extent { files: 2, bytes: Some(2), rows: Some(7) });
        let mut one = vec![entry(2, removed)];
        count_removed(&mut one);
        assert_eq!(one[0].0.removed.rows, None);
    }
}
