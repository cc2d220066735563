//! The data files of a version, read from the log.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, StructArray};
use datafusion::arrow::datatypes::{Field, Int64Type};
use datafusion::object_store::path::Path;
use delta_kernel::engine::arrow_data::EngineDataArrowExt;
use delta_kernel::engine_data::FilteredEngineData;
use delta_kernel::snapshot::SnapshotRef;

use super::{DataFile, FileList, Log};
use crate::error::{Result, StoreError};

/// A version of a table and its files, by partition and path.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub snapshot: SnapshotRef,
    pub files: Arc<FileList>,
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
        Ok(Files { snapshot, files: Arc::new(FileList::new(files)) })
    }

    /// As [`Log::files`], from the entries between two versions; `None` if they are no longer there.
    fn files_since(&self, snapshot: &SnapshotRef, known: &Files) -> Result<Option<Arc<FileList>>> {
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
        let guess = |path: &Path| self.kind.partition().of_folder(path);
        Ok(Some(Arc::new(known.files.changed(removed, files, guess))))
    }

    /// Appends a file per row. `partition` is the struct that has `partitionValues`.
    fn read(&self, rows: &StructArray, partition: &StructArray, files: &mut Vec<DataFile>) -> Result<()> {
        let paths = column(rows, "path")?.as_string::<i32>();
        let sizes = column(rows, "size")?.as_primitive::<Int64Type>();
        let stats = column(rows, "stats")?.as_string::<i32>();
        let partitions = column(partition, "partitionValues")?.as_map();
        let deleted = column(rows, "deletionVector")?.as_struct();
        let deletions = column(deleted, "storageType")?;
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
            files.push(DataFile::new(
                self.kind,
                &self.keys,
                path,
                paths.value(row),
                sizes.value(row).unsigned_abs(),
                first_day,
                stats.is_valid(row).then(|| stats.value(row)),
            ));
        }
        Ok(())
    }

    /// The path in the store of a path in the log, which is percent-encoded and relative to the table.
    pub(super) fn object_path(&self, path: &str) -> Result<Path> {
        Path::from_url_path(format!("{}/{path}", self.kind.name())).map_err(|error| {
            StoreError::corrupt(format!("the log of {self} names an impossible file {path:?}: {error}"))
        })
    }
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
