//! A version of a table, as a list of files.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use delta_kernel::snapshot::SnapshotRef;

use crate::error::Result;
use crate::log::{DataFile, Files};
use crate::partition::Partition;
use crate::table::Table;
use crate::upsert::of_partition;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

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

    /// The files of one UTC day, in days since 1970; empty for a table that is not stored by day.
    pub fn files_of(&self, day: i32) -> &[DataFile] {
        match self.by_day() {
            true => of_partition(&self.files, Some(day)),
            false => &[],
        }
    }

    /// The first and the last UTC day that has a file, in days since 1970; `None` without files or if the table is not
    /// stored by day.
    pub fn days(&self) -> Option<(i32, i32)> {
        let (first, last) = (self.files.first()?, self.files.last()?);
        first.first_day().zip(last.first_day()).filter(|_| self.by_day())
    }

    /// The end of the newest slice that has a row, in µs: up to there the table tells what was. `None` without rows or if
    /// the table is not stored by day. Where another Delta writer left no exact bounds, a file is taken to reach to the end
    /// of its day.
    pub fn watermark(&self) -> Option<i64> {
        let (_, last) = self.days()?;
        let slice = self.table.store().slice_seconds() * MICROS_PER_SECOND;
        let end_of = |file: &DataFile| match (file.time_range(), file.first_day()) {
            (Some((_, newest)), _) => Some(newest + slice),
            (None, Some(day)) => Some((i64::from(day) + 1) * MICROS_PER_DAY),
            (None, None) => None,
        };
        let newest = |files: &[DataFile]| files.iter().filter(|file| file.rows() != Some(0)).filter_map(end_of).max();
        // Whatever an earlier day holds ends before; only if nothing is in the last one does it count.
        newest(self.files_of(last)).or_else(|| newest(&self.files))
    }

    fn by_day(&self) -> bool {
        self.table.kind().partition() == Partition::Day
    }
}
