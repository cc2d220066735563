//! The data files of a version, read from the log.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::array::{Array, AsArray, StructArray};
use datafusion::arrow::datatypes::{Field, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::object_store::path::Path;
use delta_kernel::engine::arrow_data::EngineDataArrowExt;
use delta_kernel::engine_data::FilteredEngineData;
use delta_kernel::snapshot::SnapshotRef;
use serde_json::Value;

use super::name::FileName;
use super::stats::Bounds;
use super::{Log, sha256};
use crate::error::{Result, StoreError};
use crate::schema::TableKind;

/// One Parquet file of a table's version.
#[derive(Debug, Clone, PartialEq)]
pub struct DataFile {
    kind: TableKind,
    path: Path,
    logged_as: String,
    size: u64,
    rows: Option<u64>,
    first_day: Option<i32>,
    /// `None` if it is foreign.
    name: Option<FileName>,
    bounds: Bounds,
}

impl DataFile {
    /// Where the file is, relative to the store.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its path as the log has it: relative to the table, percent-encoded.
    pub(crate) fn logged_as(&self) -> &str {
        &self.logged_as
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Number of rows; `None` if another Delta writer did not say.
    pub fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// The first UTC day of its partition, in days since 1970; `None` for a table that is stored together. Where a
    /// partition is a day ([`TableKind::partition`]), it is the day of all its rows.
    pub fn first_day(&self) -> Option<i32> {
        self.first_day
    }

    /// The same as a date.
    pub fn day(&self) -> Option<NaiveDate> {
        self.first_day.and_then(NaiveDate::from_epoch_days)
    }

    /// Whether its rows are sorted by [`TableKind::key`].
    pub fn sorted(&self) -> bool {
        self.name.is_some()
    }

    /// Whether another Delta writer made it: of its bytes and their order nothing is known.
    pub fn foreign(&self) -> bool {
        self.name.is_none()
    }

    /// Names its rows, the same in every process. A rewrite of the same rows keeps the (wrapping) sum over the files of a
    /// partition; what changes data gives its files new names.
    pub fn content(&self) -> u64 {
        match self.name {
            Some(FileName::Blocks { content, .. }) => content,
            Some(FileName::Whole { .. }) | None => {
                let [a, b, c, d, e, f, g, h, ..] = sha256(self.path.as_ref().as_bytes());
                u64::from_be_bytes([a, b, c, d, e, f, g, h])
            }
        }
    }

    /// Bytes of its end in which its footer and indexes are; `None` where its name does not say.
    pub(crate) fn tail(&self) -> Option<u64> {
        self.name?.tail()
    }

    /// Least and greatest value of a key column, exact; `None` where unknown.
    pub fn bounds(&self, column: &str) -> Option<&(ScalarValue, ScalarValue)> {
        self.bounds.of(self.key_column(column)?)
    }

    /// Which key column this is.
    pub(crate) fn key_column(&self, column: &str) -> Option<usize> {
        self.kind.key().iter().position(|key| *key == column)
    }

    pub(crate) fn key_bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Start of its first and of its last slice, in µs; `None` where unknown, and for a table without slices.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        self.bounds.time_range(self.kind)
    }
}

/// A version of a table and its files, by partition and path.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub snapshot: SnapshotRef,
    pub files: Arc<[DataFile]>,
}

impl Log {
    /// The files of a version. From an earlier version's files only the entries since are read.
    pub(crate) fn files(&self, snapshot: SnapshotRef, known: Option<&Files>) -> Result<Files> {
        if let Some(known) = known {
            if known.snapshot.version() == snapshot.version() {
                return Ok(Files { snapshot, files: Arc::clone(&known.files) });
            }
            if let Some(files) = self.files_since(&snapshot, known)? {
                return Ok(Files { snapshot, files });
            }
        }
        let scan = Arc::clone(&snapshot).scan_builder().without_row_transforms().build()?;
        let mut files = Vec::new();
        for batch in scan.scan_metadata(&self.engine)? {
            let rows = selected(batch?.scan_files)?;
            let constants = child(&rows, "fileConstantValues")?;
            self.read(&rows, constants, &mut files)?;
        }
        Ok(Files { snapshot, files: in_order(files) })
    }

    /// As [`Log::files`], from the entries between two versions; `None` if they are no longer there.
    fn files_since(&self, snapshot: &SnapshotRef, known: &Files) -> Result<Option<Arc<[DataFile]>>> {
        let base = known.snapshot.version();
        if base > snapshot.version() {
            return Ok(None);
        }
        let Some(mut changes) = Arc::clone(snapshot).incremental_scan_builder(base).build(&self.engine)? else {
            return Ok(None);
        };
        let mut files = Vec::new();
        for batch in changes.by_ref() {
            let rows = selected(batch?)?;
            let added = child(&rows, "add")?;
            self.read(added, added, &mut files)?;
        }
        let removed = changes.into_summary()?.removes;
        let removed: HashSet<Path> = removed.iter().map(|file| self.object_path(file.path())).collect::<Result<_>>()?;
        // Without deletion vectors a path names a file for good, so one that is listed again replaces itself.
        let mut all: BTreeMap<Path, DataFile> = known
            .files
            .iter()
            .filter(|file| !removed.contains(&file.path))
            .map(|file| (file.path.clone(), file.clone()))
            .collect();
        all.extend(files.into_iter().map(|file| (file.path.clone(), file)));
        Ok(Some(in_order(all.into_values().collect())))
    }

    /// Appends a file per row. `partition` is the struct that has `partitionValues`.
    fn read(&self, rows: &StructArray, partition: &StructArray, files: &mut Vec<DataFile>) -> Result<()> {
        let paths = column(rows, "path")?.as_string::<i32>();
        let sizes = column(rows, "size")?.as_primitive::<Int64Type>();
        let stats = column(rows, "stats")?.as_string::<i32>();
        let partitions = column(partition, "partitionValues")?.as_map();
        let deleted = column(rows, "deletionVector")?.as_struct();
        let deletions = column(deleted, "storageType")?;
        let schema = self.kind.schema(self.slice_seconds);
        let partition_column = self.kind.partition().column();
        for row in 0..rows.len() {
            if rows.is_null(row) || paths.is_null(row) {
                continue;
            }
            let path = self.object_path(paths.value(row))?;
            if deleted.is_valid(row) && deletions.is_valid(row) {
                return Err(StoreError::corrupt(format!(
                    "{path} has a deletion vector, which nines does not read: another program changed {self}"
                )));
            }
            let values = partitions.value(row);
            let (names, told) = (values.column(0).as_string::<i32>(), values.column(1).as_string::<i32>());
            let told = |column: &Field| {
                (0..values.len()).find(|&i| names.value(i) == column.name() && told.is_valid(i)).map(|i| told.value(i))
            };
            let first_day = partition_column.as_ref().and_then(told).and_then(|told| self.kind.partition().read(told));
            if first_day.is_some() != partition_column.is_some() {
                return Err(StoreError::corrupt(format!("the log of {self} gives the wrong partition for {path}")));
            }
            let stats = match stats.is_valid(row) {
                true => serde_json::from_str(stats.value(row)).unwrap_or(Value::Null),
                false => Value::Null,
            };
            // Only of our own files is it known that bounds are exact, not cut to milliseconds or to a prefix.
            let name = path.filename().and_then(FileName::parse);
            let bounds = match name {
                Some(_) => Bounds::from_json(self.kind, &schema, &stats),
                None => Bounds::unknown(self.kind),
            };
            files.push(DataFile {
                kind: self.kind,
                size: sizes.value(row).unsigned_abs(),
                rows: stats.get("numRecords").and_then(Value::as_u64),
                logged_as: paths.value(row).to_string(),
                path,
                first_day,
                name,
                bounds,
            });
        }
        Ok(())
    }

    /// The path in the store of a path in the log, which is percent-encoded and relative to the table.
    fn object_path(&self, path: &str) -> Result<Path> {
        Path::from_url_path(format!("{}/{path}", self.kind.name())).map_err(|error| {
            StoreError::corrupt(format!("the log of {self} names an impossible file {path:?}: {error}"))
        })
    }
}

fn in_order(mut files: Vec<DataFile>) -> Arc<[DataFile]> {
    files.sort_unstable_by(|a, b| (a.first_day, &a.path).cmp(&(b.first_day, &b.path)));
    files.into()
}

fn selected(rows: FilteredEngineData) -> Result<StructArray> {
    Ok(rows.apply_selection_vector()?.try_into_record_batch()?.into())
}

fn column<'a>(rows: &'a StructArray, name: &str) -> Result<&'a Arc<dyn Array>> {
    rows.column_by_name(name).ok_or_else(|| StoreError::internal(format!("the kernel gives no {name} of a file")))
}

fn child<'a>(rows: &'a StructArray, name: &str) -> Result<&'a StructArray> {
    column(rows, name).map(|column| column.as_struct())
}
