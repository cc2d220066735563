//! A version of a table, as a list of files.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use delta_kernel::snapshot::SnapshotRef;

use crate::error::Result;
use crate::log::{DataFile, Files};
use crate::table::Table;

/// One version of a table: what a statement reads from first to last. Cheap to clone; holds no rows.
#[derive(Debug, Clone)]
pub struct Snapshot {
    table: Table,
    /// `None` if the table was never written.
    at: Option<SnapshotRef>,
    files: Arc<[DataFile]>,
}

impl Snapshot {
    pub(crate) fn new(table: Table, found: Option<Files>) -> Self {
        match found {
            Some(Files { snapshot, files }) => Self { table, at: Some(snapshot), files },
            None => Self { table, at: None, files: Arc::default() },
        }
    }

    /// The table that this is a version of.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The version; `None` if the table was never written.
    pub fn version(&self) -> Option<u64> {
        self.at.as_ref().map(|at| at.version())
    }

    /// The files, by partition and path.
    pub fn files(&self) -> &Arc<[DataFile]> {
        &self.files
    }

    /// What a mark is at this version: `None` if it was never set, or is remembered no longer.
    pub async fn mark(&self, name: &str) -> Result<Option<i64>> {
        match &self.at {
            Some(at) => self.table.mark(Arc::clone(at), name).await,
            None => Ok(None),
        }
    }

    /// The table's columns.
    pub fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    /// Number of rows; `None` if a file of another Delta writer does not say.
    pub fn rows(&self) -> Option<u64> {
        self.files.iter().map(DataFile::rows).sum()
    }

    /// Start of the first and of the last slice that has a row, in µs; `None` without rows or where unknown.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        let mut ranges = self.files.iter().map(DataFile::time_range);
        let first = ranges.next()??;
        ranges.try_fold(first, |(min, max), range| range.map(|(from, to)| (min.min(from), max.max(to))))
    }
}
