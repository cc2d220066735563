//! A version of a table, as a list of files.

use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use delta_kernel::snapshot::SnapshotRef;

use crate::error::Result;
use crate::log::{DataFile, FileList, FilePartition, Files};
use crate::partition::Partition;
use crate::schema::TableKind;
use crate::sealed::{self, Sealed};
use crate::table::Table;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;
const ANY_DAY: RangeInclusive<i32> = i32::MIN..=i32::MAX;

/// One version of a table: what a statement reads from first to last. Cheap to clone; holds no rows.
#[derive(Debug, Clone)]
pub struct Snapshot {
    table: Table,
    /// `None` if the table was never written.
    at: Option<SnapshotRef>,
    files: Arc<FileList>,
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

    /// Says that it has files that cannot be verified, to whoever reads their rows, once.
    pub(crate) fn say_foreign(&self) {
        let (foreign, name) = (self.files.foreign(), self.table.kind().name());
        if foreign == 0 || !self.table.foreign_is_news() {
            return;
        }
        let files = match foreign {
            1 => format!(
                "1 file of {name} was written by another program and cannot be verified; nines compact {name} --adopt takes it over"
            ),
            many => format!(
                "{many} files of {name} were written by another program and cannot be verified; nines compact {name} --adopt takes \
                 them over"
            ),
        };
        self.table.store().notice(files);
    }

    /// The version; `None` if the table was never written.
    pub fn version(&self) -> Option<u64> {
        self.at.as_ref().map(|at| at.version())
    }

    /// The files, by partition and path.
    pub fn files(&self) -> impl Iterator<Item = &DataFile> + Clone {
        self.files.files()
    }

    pub(crate) fn list(&self) -> &FileList {
        &self.files
    }

    /// Which days of it are sealed; `None` if none is.
    pub fn sealed(&self) -> Option<Sealed> {
        Sealed::of(&self.at.as_ref()?.table_properties().unknown_properties)
    }

    /// Of `slo_days`: the first day of a raw table whose sealed days it does not hold; `None` if it says that it holds none.
    pub fn holds_sealed(&self, of: TableKind) -> Option<i32> {
        sealed::holds(&self.at.as_ref()?.table_properties().unknown_properties, of)
    }

    /// What a mark is at this version: `None` if it was never set, or is remembered no longer.
    pub async fn mark(&self, name: &str) -> Result<Option<i64>> {
        match &self.at {
            Some(at) => self.table.mark(Arc::clone(at), name).await,
            None => Ok(None),
        }
    }

    /// The partitions that have files, ascending.
    pub fn partitions(&self) -> impl DoubleEndedIterator<Item = &FilePartition> + Clone {
        self.files.partitions()
    }

    /// The table's columns.
    pub fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    /// Number of rows; `None` if a file of another Delta writer does not say.
    pub fn rows(&self) -> Option<u64> {
        self.files().map(DataFile::rows).sum()
    }

    /// Start of the first and of the last slice that has a row, in µs; `None` without rows or where unknown.
    pub fn time_range(&self) -> Option<(i64, i64)> {
        let ranges = self.files.partitions().map(FilePartition::time_range);
        ranges.reduce(|a, b| a.zip(b).map(|((min, max), (from, to))| (min.min(from), max.max(to)))).flatten()
    }

    /// A UTC day in days since 1970; `None` if it has no files or the table is not stored by day.
    pub fn day(&self, day: i32) -> Option<&FilePartition> {
        self.files.get(Some(day)).filter(|_| self.by_day())
    }

    /// The UTC days of a range that have files, ascending; none for a table that is not stored by day.
    pub fn days_in(&self, days: RangeInclusive<i32>) -> impl DoubleEndedIterator<Item = &FilePartition> + Clone {
        let by_day = self.by_day();
        self.files.partitions_in(days).filter(move |_| by_day)
    }

    /// The files of one UTC day, in days since 1970; empty for a table that is not stored by day.
    pub fn files_of(&self, day: i32) -> &[DataFile] {
        self.day(day).map(FilePartition::files).unwrap_or_default()
    }

    /// The first and the last UTC day that has a file, in days since 1970; `None` without files or if the table is not
    /// stored by day.
    pub fn days(&self) -> Option<(i32, i32)> {
        let mut days = self.days_in(ANY_DAY).filter_map(FilePartition::first_day);
        let first = days.next()?;
        Some((first, days.next_back().unwrap_or(first)))
    }

    /// The start of the first slice that has a row, in µs. `None` without rows or if the table is not stored by day. Where
    /// another Delta writer left no exact bounds, a file is taken to begin with its day.
    pub fn first(&self) -> Option<i64> {
        // Whatever a later day holds begins after.
        self.days_in(ANY_DAY).find_map(|day| match day.times_told() {
            (_, true) => day.first_day().map(|day| i64::from(day) * MICROS_PER_DAY),
            (told, false) => told.map(|(first, _)| first),
        })
    }

    /// The end of the newest slice that has a row, in µs: up to there the table tells what was. `None` without rows or if
    /// the table is not stored by day. Where another Delta writer left no exact bounds, a file is taken to reach to the end
    /// of its day.
    pub fn watermark(&self) -> Option<i64> {
        let slice = self.table.store().slice_seconds() * MICROS_PER_SECOND;
        // Whatever an earlier day holds ends before; only if nothing is in a later one does it count.
        self.days_in(ANY_DAY).rev().find_map(|day| match day.times_told() {
            (_, true) => day.first_day().map(|day| (i64::from(day) + 1) * MICROS_PER_DAY),
            (told, false) => told.map(|(_, newest)| newest + slice),
        })
    }

    fn by_day(&self) -> bool {
        self.table.kind().partition() == Partition::Day
    }
}
