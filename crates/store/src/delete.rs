//! Rows that are removed on purpose, by a version that says why.
//!
//! Files that hold such rows are written anew without them; whole partitions go as they are. A writer that got in between is not in
//! the way: partitions that it changed are looked at again. Earlier versions keep the rows until they are given up
//! ([`gc`](crate::Table::gc)).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::{filter_record_batch, not, prep_null_mask_filter};
use datafusion::arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::object_store::path::Path;
use datafusion::physical_expr::PhysicalExpr;
use futures::StreamExt;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{Attempt, DELETED, DataFile, Entry, Files, Log, NewFile, Told, refuse_foreign};
use crate::sealed::Sealed;
use crate::table::{Table, pause};
use crate::upsert::{ORIGIN, Scan};
use crate::write::{PartitionFiles, Written};

/// How often a commit is tried.
const ATTEMPTS: u32 = 50;

/// What to remove.
#[derive(Debug, Clone)]
pub enum Condemned {
    /// Rows for which this holds, over the columns of [`TableKind::stored_schema`](crate::TableKind::stored_schema).
    Rows(Arc<dyn PhysicalExpr>),
    /// All rows of the partitions that begin before this day, in days since 1970.
    Before(i32),
}

/// How to remove it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Deletion {
    /// What is told of it in the log, by name: the condition, the reason.
    pub told: Vec<(&'static str, String)>,
    /// Whether nothing is done but to count.
    pub dry_run: bool,
    /// Partitions, by their first days, must hold the rows that this names ([`FilePartition::content`](crate::FilePartition::content)),
    /// else nothing is removed: what was worked out from them is no longer so. Partitions that are not named must be those that stay.
    /// [`StoreErrorKind::Moved`].
    pub only: Option<BTreeMap<i32, u64>>,
    /// What the table says of sealed days from then on, besides what it says already.
    pub seals: Option<Sealed>,
}

/// What was removed, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deleted {
    /// The version that it became; `None` in a dry run, and if there was nothing to remove.
    pub version: Option<u64>,
    /// Rows.
    pub rows: u64,
    /// Files that were replaced or removed.
    pub files: usize,
    /// Start of the first and of the last slice of these rows, in µs.
    pub time_range: Option<(i64, i64)>,
}

/// What goes from a partition, and what takes its place.
#[derive(Debug, Default)]
struct Part {
    /// The files that were looked at.
    against: Vec<Path>,
    removed: Vec<DataFile>,
    added: Vec<NewFile>,
    rows: u64,
    time_range: Option<(i64, i64)>,
}

impl Table {
    /// Removes rows. What is returned is durable.
    ///
    /// [`StoreErrorKind::InvalidArgument`] for tables that are not stored by slices: a record is withdrawn instead.
    pub async fn delete(&self, what: &Condemned, how: &Deletion, task: Arc<TaskContext>) -> Result<Deleted> {
        if !self.kind().is_series() {
            return Err(StoreError::new(
                StoreErrorKind::InvalidArgument,
                format!("rows of {} are not deleted: a record is withdrawn or said anew", self.kind().name()),
            ));
        }
        self.store().check_writable().await?;
        let written = Written::new(self.kind());
        let deleted = self.try_delete(what, how, &written, &task).await;
        // An entry that may appear yet names its files.
        if !deleted.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::Unknown) {
            written.settled().await;
            let newest = self.newest().await?;
            let used: BTreeSet<&Path> =
                newest.iter().flat_map(|newest| newest.files.files().map(DataFile::path)).collect();
            self.objects().discard(written.paths().into_iter().filter(|path| !used.contains(path))).await;
        }
        deleted
    }

    async fn try_delete(
        &self,
        what: &Condemned,
        how: &Deletion,
        written: &Written,
        task: &Arc<TaskContext>,
    ) -> Result<Deleted> {
        let mut parts: BTreeMap<Option<i32>, Part> = BTreeMap::new();
        for attempt in 0..ATTEMPTS {
            let Some(base) = self.newest().await? else { return Ok(Deleted::default()) };
            self.log().check_writable(&base.snapshot)?;
            self.log().has_columns(&base.snapshot, written.columns());
            unmoved(&base, how, self)?;
            self.look(&base, what, how.dry_run, written, task, &mut parts).await?;
            let mut deleted = Deleted {
                version: None,
                rows: parts.values().map(|part| part.rows).sum(),
                files: parts.values().map(|part| part.removed.len()).sum(),
                time_range: parts
                    .values()
                    .filter_map(|part| part.time_range)
                    .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))),
            };
            let now = Sealed::of(&base.snapshot.table_properties().unknown_properties);
            let seals = how.seals.map(|seals| seals.and(now)).filter(|seals| Some(*seals) != now);
            if how.dry_run || (deleted.files == 0 && seals.is_none()) {
                return Ok(deleted);
            }
            let told = Told { operation: "DELETE", parameters: how.told.clone() };
            let metadata = match seals {
                Some(seals) => Some(self.log().with_properties(&base.snapshot, seals.properties()).await?),
                None => None,
            };
            let mut entry = Entry { told: Some(told), metadata, ..Entry::default() };
            for part in parts.values() {
                entry.removed.extend_from_slice(&part.removed);
                entry.added.extend_from_slice(&part.added);
            }
            let version = base.snapshot.version() + 1;
            if seals.is_none() {
                entry.transactions.push(Log::names(DELETED, version));
            }
            match self.commit(version, &Arc::new(entry), false).await? {
                Attempt::Lost => tokio::time::sleep(pause(attempt)).await,
                Attempt::Committed => {
                    self.checkpoint(version).await;
                    deleted.version = Some(version);
                    return Ok(deleted);
                }
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Conflict,
            format!(
                "{self} has so many writers that {ATTEMPTS} attempts to delete failed; nothing was deleted, try again"
            ),
        ))
    }

    /// Finds out what goes from each partition. One whose files are those of the last look keeps what was found then.
    async fn look(
        &self,
        base: &Files,
        what: &Condemned,
        dry_run: bool,
        written: &Written,
        task: &Arc<TaskContext>,
        parts: &mut BTreeMap<Option<i32>, Part>,
    ) -> Result<()> {
        let mut current = BTreeMap::new();
        for partition in base.files.partitions() {
            let first_day = partition.first_day();
            let against: Vec<Path> = partition.files().iter().map(|file| file.path().clone()).collect();
            let known = parts.remove(&first_day).filter(|part| part.against == against);
            let part = match (known, what) {
                (Some(known), _) => known,
                (None, Condemned::Rows(condition)) => {
                    let mut part =
                        self.without(partition.files(), first_day, condition, dry_run, written, task).await?;
                    part.against = against;
                    part
                }
                (None, Condemned::Before(day)) if first_day.is_some_and(|first| first < *day) => Part {
                    against,
                    removed: partition.files().to_vec(),
                    added: Vec::new(),
                    rows: partition.files().iter().filter_map(DataFile::rows).sum(),
                    time_range: partition.time_range(),
                },
                (None, Condemned::Before(_)) => Part { against, ..Part::default() },
            };
            current.insert(first_day, part);
        }
        *parts = current;
        Ok(())
    }

    /// What a partition holds without the rows that go.
    async fn without(
        &self,
        files: &[DataFile],
        first_day: Option<i32>,
        condition: &Arc<dyn PhysicalExpr>,
        dry_run: bool,
        written: &Written,
        task: &Arc<TaskContext>,
    ) -> Result<Part> {
        let layout = self.layout(false);
        let scan = Scan { layout: &layout, objects: self.objects(), task };
        let all: Vec<&DataFile> = files.iter().collect();
        let (mut found, meant) = scan.rows_where(&all, condition)?;
        let (mut part, mut touched) = (Part::default(), BTreeMap::<usize, u64>::new());
        while let Some(rows) = found.next().await.transpose()? {
            let rows = filter_record_batch(&rows, &holds(&meant, &rows)?)?;
            part.rows += rows.num_rows() as u64;
            let column = |name: &str| {
                rows.column_by_name(name)
                    .ok_or_else(|| StoreError::internal(format!("no {name} of rows that are deleted")))
            };
            for at in column(ORIGIN)?.as_primitive::<Int32Type>().values() {
                *touched.entry(*at as usize).or_default() += 1;
            }
            let times = column("time")?.as_primitive::<TimestampMicrosecondType>().values().iter();
            part.time_range = times.fold(part.time_range, |range, &at| {
                Some(range.map_or((at, at), |(first, last)| (first.min(at), last.max(at))))
            });
        }
        part.removed = touched.keys().map(|at| files[*at].clone()).collect();
        // Of a file that goes as a whole nothing is written anew.
        let is_cut = |(at, gone): (usize, u64)| Some(&files[at]).filter(|file| file.rows() != Some(gone));
        refuse_foreign(self.kind(), touched.into_iter().filter_map(is_cut), "some of the rows to delete are in")?;
        if dry_run || part.removed.is_empty() {
            return Ok(part);
        }
        let mut rows = scan.rows(&[], &part.removed.iter().collect::<Vec<_>>())?;
        let stored: Vec<usize> = (0..layout.schema().fields().len()).collect();
        let memory = MemoryConsumer::new("file without deleted rows").register(task.memory_pool());
        let mut files = PartitionFiles::new(&layout, self.objects(), written, memory);
        while let Some(batch) = rows.next().await.transpose()? {
            let batch = batch.project(&stored)?;
            let batch = filter_record_batch(&batch, &not(&holds(condition, &batch)?)?)?;
            if batch.num_rows() > 0 {
                files.write(first_day.unwrap_or_default(), &batch).await?;
            }
        }
        part.added = files.finish().await?;
        Ok(part)
    }
}

/// For which rows a condition holds; where it is NULL it does not.
fn holds(condition: &Arc<dyn PhysicalExpr>, rows: &RecordBatch) -> Result<BooleanArray> {
    let holds = condition.evaluate(rows)?.into_array(rows.num_rows())?;
    let holds = holds.as_boolean();
    Ok(if holds.null_count() > 0 { prep_null_mask_filter(holds) } else { holds.clone() })
}

/// Refuses a version in which rows are others than those that were meant.
fn unmoved(base: &Files, how: &Deletion, table: &Table) -> Result<()> {
    let Some(only) = &how.only else { return Ok(()) };
    for partition in base.files.partitions() {
        let Some(day) = partition.first_day() else { continue };
        let is_meant = how.seals.is_some_and(|seals| day < seals.until);
        if only.get(&day).map_or(is_meant, |content| *content != partition.content()) {
            return Err(StoreError::new(
                StoreErrorKind::Moved,
                format!("rows of {table} that were to go have changed meanwhile; nothing was removed, try again"),
            ));
        }
    }
    Ok(())
}
