//! A data file of a version, as the log describes it.

use std::fmt;
use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use crc_fast::{CrcAlgorithm, checksum};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::object_store::path::Path;
use serde_json::Value;

use super::name::FileName;
use super::stats::{Bounds, Nulls};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::partition::Partition;
use crate::schema::TableKind;

/// One Parquet file of a table's version. Cheap to clone: versions share the files that they have in common.
#[derive(Clone)]
pub struct DataFile(Arc<Logged>);

struct Logged {
    kind: TableKind,
    path: Path,
    /// `None`: the path below the table's folder.
    logged_as: Option<String>,
    size: u64,
    first_day: Option<i32>,
    /// `None` if it is foreign.
    name: Option<FileName>,
    content: u64,
    /// Parsed when first asked for: most statements ask for those of few files.
    stats: LazyLock<Stats, Box<dyn FnOnce() -> Stats + Send>>,
}

/// What the log says of the rows of a file.
#[derive(Debug, PartialEq)]
struct Stats {
    rows: Option<u64>,
    bounds: Bounds,
}

impl DataFile {
    /// A file at `path` in the store, of which the log says this. `keys` are the types of the table's key columns.
    pub(crate) fn new(
        kind: TableKind,
        keys: &Arc<[DataType]>,
        path: Path,
        logged_as: &str,
        size: u64,
        first_day: Option<i32>,
        stats: Option<&str>,
    ) -> Self {
        let logged_as = Some(logged_as).filter(|logged| !is_below(kind, path.as_ref(), logged)).map(str::to_string);
        // Only of our own files is it known that bounds are exact, not cut to milliseconds or to a prefix.
        let name = path.filename().and_then(FileName::parse);
        let content = match name {
            Some(FileName::Blocks { content, .. }) => content,
            Some(FileName::Whole { .. }) | None => checksum(CrcAlgorithm::Crc64Nvme, path.as_ref().as_bytes()),
        };
        let (keys, stats) = (Arc::clone(keys), stats.map(str::to_string));
        let parse = move || {
            let stats = stats.and_then(|stats| serde_json::from_str(&stats).ok()).unwrap_or(Value::Null);
            let bounds = match name.is_some() {
                true => Bounds::from_json(kind, &keys, &stats),
                false => Bounds::unknown(kind),
            };
            Stats { rows: stats.get("numRecords").and_then(Value::as_u64), bounds }
        };
        let stats = LazyLock::new(Box::new(parse) as Box<dyn FnOnce() -> Stats + Send>);
        Self(Arc::new(Logged { kind, path, logged_as, size, first_day, name, content, stats }))
    }

    /// Where the file is, relative to the store.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Its path as the log has it: relative to the table, percent-encoded.
    pub(crate) fn logged_as(&self) -> &str {
        match &self.0.logged_as {
            Some(logged) => logged,
            None => self.0.path.as_ref().get(self.0.kind.name().len() + 1..).unwrap_or_default(),
        }
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// Names its rows, the same in every process. A rewrite of the same rows keeps the (wrapping) sum over the files of a
    /// partition; what changes data gives its files new names.
    pub fn content(&self) -> u64 {
        self.0.content
    }

    /// Number of rows; `None` if another Delta writer did not say.
    pub fn rows(&self) -> Option<u64> {
        self.0.stats.rows
    }

    /// The first UTC day of its partition, in days since 1970; `None` for a table that is stored together. Where a
    /// partition is a day ([`TableKind::partition`]), it is the day of all its rows.
    pub fn first_day(&self) -> Option<i32> {
        self.0.first_day
    }

    /// The UTC day of all its rows, if it is ours and its table is stored by day.
    pub(crate) fn one_day(&self) -> Option<i32> {
        self.0.first_day.filter(|_| self.sorted() && self.0.kind.partition() == Partition::Day)
    }

    /// The same as a date.
    pub fn day(&self) -> Option<NaiveDate> {
        self.0.first_day.and_then(NaiveDate::from_epoch_days)
    }

    /// Whether its rows are sorted by [`TableKind::key`].
    pub fn sorted(&self) -> bool {
        self.0.name.is_some()
    }

    /// Whether another Delta writer made it: nothing is known of its order, and no sum of its bytes.
    pub fn foreign(&self) -> bool {
        self.0.name.is_none()
    }

    /// Bytes of its end in which its footer and indexes are; `None` where its name does not say.
    pub(crate) fn tail(&self) -> Option<u64> {
        self.0.name?.tail()
    }

    /// Least and greatest value of a key column, exact; `None` where unknown.
    pub fn bounds(&self, column: &str) -> Option<&(ScalarValue, ScalarValue)> {
        self.0.stats.bounds.of(self.key_column(column)?)
    }

    /// Which key column this is.
    pub(crate) fn key_column(&self, column: &str) -> Option<usize> {
        self.0.kind.key().iter().position(|key| *key == column)
    }

    /// Whether every value of a key column is NULL, so that it orders nothing.
    pub(crate) fn is_all_null(&self, key: usize) -> bool {
        self.key_bounds().nulls(key) == Some(Nulls::All)
    }

    /// How many values of a key column are NULL; `None` where unknown.
    pub(crate) fn null_count(&self, column: &str) -> Option<u64> {
        match self.key_bounds().nulls(self.key_column(column)?)? {
            Nulls::None => Some(0),
            Nulls::Some(nulls) => Some(nulls),
            Nulls::All => self.rows(),
        }
    }

    pub(crate) fn key_bounds(&self) -> &Bounds {
        &self.0.stats.bounds
    }

    /// Start of its first and of its last slice, in µs; `None` where unknown, and for a table without slices.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        self.0.stats.bounds.time_range(self.0.kind)
    }
}

/// Whether a path is that of a table's folder and then `logged`.
fn is_below(kind: TableKind, path: &str, logged: &str) -> bool {
    path.strip_prefix(kind.name()).and_then(|rest| rest.strip_prefix('/')) == Some(logged)
}

impl PartialEq for DataFile {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (&self.0, &other.0);
        Arc::ptr_eq(a, b)
            || (a.kind, &a.path, &a.logged_as, a.size, a.first_day)
                == (b.kind, &b.path, &b.logged_as, b.size, b.first_day)
                && *a.stats == *b.stats
    }
}

impl fmt::Debug for DataFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Logged { path, size, first_day, content, stats, .. } = self.0.as_ref();
        let mut shown = f.debug_struct("DataFile");
        shown.field("path", path).field("size", size).field("first_day", first_day);
        shown.field("content", content).field("stats", &**stats).finish()
    }
}

/// Refuses to write rows of other Delta writers anew, merged with ours or without some of them: they would get a name and sums of ours
/// without anyone having looked at them.
pub(crate) fn refuse_foreign<'a>(
    kind: TableKind,
    mut touched: impl Iterator<Item = &'a DataFile>,
    doing: &str,
) -> Result<()> {
    let Some(file) = touched.find(|file| file.foreign()) else { return Ok(()) };
    Err(StoreError::new(
        StoreErrorKind::Foreign,
        format!(
            "{doing} {}, which another program wrote and nobody has vouched for. Nothing was changed. If you vouch for its rows: \
             nines compact {} --adopt, then run this again; else go back to a version without it (`nines restore`)",
            file.path(),
            kind.name()
        ),
    ))
}
