//! Appending rows: written as files, resolved against what is stored, and committed, as often as others come first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::object_store::path::Path;
use delta_kernel::snapshot::SnapshotRef;
use futures::StreamExt;

use super::{Table, pause};
use crate::commit::{Changes, Commit, Outcome};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{Attempt, DataFile, Entry, Files, NewFile, Transaction, blocking};
use crate::marker;
use crate::objects::Objects;
use crate::once::{Batch, Mark, Once};
use crate::schema::TableKind;
use crate::sealed::Sealed;
use crate::upsert::{Change, Overlap, Rule, Scan, Span, overlap, overlapping, relabelled, resolve, span, spanned};
use crate::write::{Layout, Written, write_files};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// How often a commit is tried before its writer is told that others are in the way.
const ATTEMPTS: u32 = 50;

impl Table {
    /// Stores all rows of a stream in one atomic commit. What they say of a unit replaces what was said of it before.
    ///
    /// A *unit* is one slice of one source, business, service, endpoint, customer and name ([`TableKind::unit`]), or one
    /// record. Rows may come in any order and several times per key; those of the same key within the stream
    /// combine by their [`Measure`](crate::Measure). They are sorted under the task's memory pool, spilling as it asks.
    /// If it is a batch that was delivered before, the stream is not read.
    ///
    /// Columns are matched by name. Texts may come in any string type, integers in any width, instants in
    /// s, ms or µs and any time zone; nullable columns may be absent. [`StoreErrorKind::InvalidRows`]
    /// refuses the whole stream: unknown or missing columns, NULLs in keys and counts, times that do not
    /// start a slice, negative counts, records that contradict themselves.
    ///
    /// What is returned is durable. On any error but [`StoreErrorKind::Unknown`] no reader sees any of the rows. Once that was
    /// acknowledged, [`Table::write_checkpoint`] is to be called; otherwise the next append does it first.
    pub async fn append(&self, rows: SendableRecordBatchStream, once: Once, task: Arc<TaskContext>) -> Result<Commit> {
        self.append_by(rows, Rule::Replace, once, task).await
    }

    /// As [`append`](Self::append), with another meaning for the rows that are stored.
    pub async fn append_by(
        &self,
        rows: SendableRecordBatchStream,
        rule: Rule,
        once: Once,
        task: Arc<TaskContext>,
    ) -> Result<Commit> {
        self.store.check_writable().await?;
        self.write_checkpoint().await;
        let newest = self.newest().await?;
        let written = match &newest {
            Some(_) => {
                if !self.state.recorded.load(Relaxed) {
                    self.state.log.put_record().await?;
                    self.state.recorded.store(true, Relaxed);
                }
                Written::new(self.kind())
            }
            None => {
                self.check_other_tables().await?;
                Written::of_new_table(self.kind(), Arc::clone(&self.state.log))
            }
        };
        let appended = self.try_append(rows, newest, rule, &once, &written, &task).await;
        let in_use = match &appended {
            Ok((_, in_use)) => in_use.clone(),
            // The entry may appear yet, and names these files.
            Err(error) if error.kind() == StoreErrorKind::Unknown => written.paths(),
            Err(_) => Vec::new(),
        };
        written.settled().await;
        self.objects().discard(written.paths().into_iter().filter(|path| !in_use.contains(path))).await;
        Ok(appended?.0)
    }

    async fn try_append(
        &self,
        rows: SendableRecordBatchStream,
        newest: Option<Files>,
        rule: Rule,
        once: &Once,
        written: &Written,
        task: &Arc<TaskContext>,
    ) -> Result<(Commit, Vec<Path>)> {
        let (mut checked, mut missing) = (None, None);
        if let Some(known) = newest {
            let version = known.snapshot.version();
            checked = match self.delivered(&known.snapshot, once).await {
                Ok(Some(delivered)) => return Ok((delivered, Vec::new())),
                Ok(None) => Some(version),
                Err(error) if self.look_again(&error, &mut missing) => None,
                Err(error) => return Err(error),
            };
        }
        let files = write_files(&self.state.layout, self.objects(), rows, written, task).await?;
        if files.is_empty() && once.marks.is_empty() {
            // That there was nothing to do may be known from what another writer has not synced yet.
            if checked.is_some() {
                self.settle().await?;
            }
            return Ok((Commit::default(), Vec::new()));
        }
        // Before anybody sees the rows: a version that does not know these columns must not read them.
        if !once.is_trial && self.kind().telling().iter().any(|column| written.columns().has(column)) {
            marker::raise(self.objects()).await?;
        }
        let scan = Scan { layout: &self.state.layout, objects: self.objects(), task };
        let span = match rule {
            Rule::Span if self.kind().is_series() => span(&scan, &files).await?.map(Arc::new),
            Rule::Span | Rule::Replace | Rule::Add { .. } => None,
        };
        let mut parts: BTreeMap<Option<i32>, Part> = BTreeMap::new();
        for file in &files {
            parts.entry(file.first_day).or_default().new.push(file.clone());
        }
        let mut commit = Commit {
            rows: files.iter().map(|file| file.rows).sum(),
            time_range: files.iter().filter_map(|file| file.bounds.time_range(self.kind())).reduce(hull),
            ..Commit::default()
        };
        for attempt in 0..ATTEMPTS {
            let Some(base) = self.newest().await? else {
                self.state.log.create().await?;
                continue;
            };
            self.state.log.check_writable(&base.snapshot)?;
            // What is merged with stored rows has their columns too.
            self.state.log.has_columns(&base.snapshot, written.columns());
            let now = base.snapshot.version();
            // What only puts rows into other files takes nothing from what was worked out from them.
            let moved = match once.since.filter(|since| *since != now) {
                None => false,
                Some(since) => match self.state.log.changes_rows(since, now).await {
                    Ok(moved) => moved,
                    // Nobody can tell any longer what changed since.
                    Err(error) if error.may_be_gone() => true,
                    Err(error) => return Err(error),
                },
            };
            if let Some(since) = once.since.filter(|_| moved) {
                return Err(StoreError::new(
                    StoreErrorKind::Moved,
                    format!("{self} is at version {now}, no longer {since}: another writer was first"),
                ));
            }
            if checked != Some(now) {
                match self.delivered(&base.snapshot, once).await {
                    Ok(Some(delivered)) => return Ok((delivered, Vec::new())),
                    Ok(None) => {}
                    Err(error) if self.look_again(&error, &mut missing) => {
                        tokio::time::sleep(pause(attempt)).await;
                        continue;
                    }
                    Err(error) => return Err(error),
                }
            }
            checked = Some(now);
            if let Some(span) = &span {
                // Days of the span without rows of the batch lose what they hold.
                for day in base.files.partitions_in(span.first_day()..=span.last_day()) {
                    parts.entry(day.first_day()).or_default();
                }
            }
            let mut entry = match self.entry(&base, &mut parts, (rule, span.as_ref()), once, written, task).await {
                Ok(entry) => entry,
                // A file that another writer replaced may be gone already, if only the newest version is retained.
                Err(error) if self.look_again(&error, &mut missing) => {
                    tokio::time::sleep(pause(attempt)).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !entry.added.is_empty() {
                entry.metadata = match self.state.log.with_columns(&base.snapshot, written.columns()).await {
                    Ok(metadata) => metadata,
                    Err(error) if self.look_again(&error, &mut missing) => {
                        tokio::time::sleep(pause(attempt)).await;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
            }
            let entry = Arc::new(entry);
            commit.overlap = parts.values().filter_map(|part| part.overlap).reduce(Overlap::and);
            commit.relabelled = parts.values().filter_map(|part| part.relabelled).reduce(Overlap::and);
            commit.changes = parts.values().fold(Changes::default(), |sum, part| sum + part.change.changes);
            commit.files = entry.added.len();
            commit.bytes = entry.added.iter().map(|file| file.size).sum();
            let changes_nothing = entry.added.is_empty() && entry.removed.is_empty();
            if changes_nothing && entry.transactions.is_empty() {
                // What was compared may have been seen before it was durable.
                self.settle().await?;
                commit.outcome = if files.is_empty() { Outcome::Empty } else { Outcome::Unchanged };
                return Ok((commit, Vec::new()));
            }
            if once.is_trial {
                commit.outcome = if changes_nothing { Outcome::Unchanged } else { Outcome::Tried };
                return Ok((commit, Vec::new()));
            }
            let version = base.snapshot.version() + 1;
            match self.commit(version, &entry, changes_nothing).await? {
                Attempt::Lost => tokio::time::sleep(pause(attempt)).await,
                Attempt::Committed => {
                    commit.outcome = match changes_nothing {
                        true if files.is_empty() => Outcome::Empty,
                        true => Outcome::Unchanged,
                        false => Outcome::Stored(version),
                    };
                    if !changes_nothing {
                        let first_day = commit.time_range.map(|(first, _)| first.div_euclid(MICROS_PER_DAY) as i32);
                        self.say_sealed(&base, first_day);
                    }
                    self.checkpoint_is_due(version);
                    let in_use = entry.added.iter().map(|file| file.object_path(self.kind())).collect();
                    return Ok((commit, in_use));
                }
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Conflict,
            format!(
                "{self} has so many writers that {ATTEMPTS} attempts to commit failed; nothing was stored, try again"
            ),
        ))
    }

    /// Says that rows came for days whose figures stay.
    pub(crate) fn say_sealed(&self, base: &Files, first_day: Option<i32>) {
        let sealed = Sealed::of(&base.snapshot.table_properties().unknown_properties);
        let Some((sealed, first_day)) = sealed.zip(first_day) else { return };
        if first_day < sealed.until {
            let until = chrono::NaiveDate::from_epoch_days(sealed.until).unwrap_or_default();
            self.store.notice(format!(
                "rows of {} before {until} were stored, and change no figure of an objective: these days are sealed, because older \
                 raw rows were removed",
                self.kind().name()
            ));
        }
    }

    /// What becomes the next version after `base`. Partitions whose stored files that may overlap are
    /// those of the last attempt keep what was resolved then.
    async fn entry(
        &self,
        base: &Files,
        parts: &mut BTreeMap<Option<i32>, Part>,
        (rule, span): (Rule, Option<&Arc<Span>>),
        once: &Once,
        written: &Written,
        task: &Arc<TaskContext>,
    ) -> Result<Entry> {
        let mut due = Vec::new();
        for (&first_day, part) in parts.iter() {
            let stored = match span {
                Some(span) => spanned(&base.files, first_day, span),
                None => overlapping(self.kind(), &part.new, &base.files),
            };
            let same_day = base.files.of(first_day);
            let against: Vec<Path> = match rule {
                Rule::Add { .. } => same_day.iter().map(|file| file.path().clone()).collect(),
                Rule::Replace | Rule::Span => stored.iter().map(|file| file.path().clone()).collect(),
            };
            if part.against.as_ref() != Some(&against) {
                due.push(Resolving {
                    first_day,
                    new: part.new.clone(),
                    stored: stored.into_iter().cloned().collect(),
                    same_day: same_day.to_vec(),
                    against,
                    rule,
                    span: span.cloned(),
                    layout: Arc::clone(&self.state.layout),
                    objects: self.objects().clone(),
                    written: written.clone(),
                    task: Arc::clone(task),
                });
            }
        }
        // Each on a thread of its own: this is work more than waiting.
        let at_once = task.session_config().target_partitions().max(1);
        let due = futures::stream::iter(due).map(|due| SpawnedTask::spawn(due.resolved()).join());
        let mut resolved = due.buffer_unordered(at_once);
        while let Some(done) = resolved.next().await {
            let resolved = done.map_err(|error| StoreError::of_task("a day was not resolved", error))??;
            if let Some(part) = parts.get_mut(&resolved.first_day) {
                *part = Part { new: std::mem::take(&mut part.new), ..resolved.part };
            }
        }
        drop(resolved);

        let mut entry = Entry::default();
        for Part { change, .. } in parts.values() {
            entry.added.extend_from_slice(&change.added);
            entry.removed.extend_from_slice(&change.removed);
        }
        if let Some(batch) = once.batch.as_ref().filter(|_| !parts.is_empty()) {
            entry.transactions.push(Transaction { app_id: batch.app_id(), number: batch.content, lasting: false });
        }
        for mark in &once.marks {
            entry.transactions.push(Transaction { app_id: mark.app_id(), number: mark.to, lasting: mark.lasting });
        }
        Ok(entry)
    }

    /// How an append ends that was made before; `None` if it was not. Refuses one whose promises are broken.
    async fn delivered(&self, snapshot: &SnapshotRef, once: &Once) -> Result<Option<Commit>> {
        if once.batch.is_none() && once.marks.is_empty() {
            return Ok(None);
        }
        let log = &self.state.log;
        let ids = once.batch.iter().map(Batch::app_id).chain(once.marks.iter().map(Mark::app_id));
        let mut numbers = log.transactions(snapshot, ids.collect()).await?.into_iter();
        if let Some(batch) = &once.batch
            && let Some(content) = numbers.next().flatten()
        {
            if content != batch.content {
                return Err(StoreError::new(
                    StoreErrorKind::Mismatch,
                    format!(
                        "batch {:?} was stored in {self} with other content; nothing was stored now. A correction \
                         is a batch of its own: give it another name",
                        batch.id
                    ),
                ));
            }
            let (log, snapshot, app_id) = (Arc::clone(log), Arc::clone(snapshot), batch.app_id());
            let version = blocking(move || log.first_set(&snapshot, &app_id)).await?;
            self.settle().await?;
            return Ok(Some(Commit { outcome: Outcome::Delivered(version), ..Commit::default() }));
        }
        for (mark, now) in once.marks.iter().zip(numbers) {
            if now != mark.from {
                let told = |at: Option<i64>| at.map_or("not set".to_string(), |at| at.to_string());
                let (name, from, now) = (&mark.name, told(mark.from), told(now));
                return Err(StoreError::new(
                    StoreErrorKind::Moved,
                    format!("mark {name} of {self} is {now}, no longer {from}: another writer was first"),
                ));
            }
        }
        Ok(None)
    }
    /// Refuses to create a table in a store whose other tables have slices of another width than its description says.
    async fn check_other_tables(&self) -> Result<()> {
        for &kind in TableKind::ALL.iter().filter(|&&kind| kind != self.kind() && kind.is_series()) {
            if let Err(error) = self.store.table(kind).newest().await
                && error.kind() == StoreErrorKind::Incompatible
            {
                return Err(error);
            }
        }
        Ok(())
    }
}

/// A partition of a batch, to be resolved against stored files.
struct Resolving {
    first_day: Option<i32>,
    new: Vec<NewFile>,
    /// Those that may share a unit, and all of the day.
    stored: Vec<DataFile>,
    same_day: Vec<DataFile>,
    against: Vec<Path>,
    rule: Rule,
    span: Option<Arc<Span>>,
    layout: Arc<Layout>,
    objects: Objects,
    written: Written,
    task: Arc<TaskContext>,
}

/// What was found out of a partition; its new files are not in it.
struct Resolved {
    first_day: Option<i32>,
    part: Part,
}

impl Resolving {
    async fn resolved(self) -> Result<Resolved> {
        let scan = Scan { layout: &self.layout, objects: &self.objects, task: &self.task };
        let same_day: Vec<&DataFile> = self.same_day.iter().collect();
        let stored: Vec<&DataFile> = self.stored.iter().collect();
        let mut part = Part::default();
        match self.rule {
            Rule::Add { older_until } => part.overlap = overlap(&scan, &self.new, &same_day, older_until).await?,
            Rule::Replace => part.relabelled = relabelled(&scan, &self.new, &self.same_day).await?,
            Rule::Span => {}
        }
        let (rule, span) = (self.rule, self.span.as_ref());
        part.change = resolve(&scan, self.first_day, &self.new, &stored, rule, span, &self.written).await?;
        part.against = Some(self.against);
        Ok(Resolved { first_day: self.first_day, part })
    }
}

/// The files of one partition of a batch, and what they were found to change.
#[derive(Debug, Default)]
struct Part {
    new: Vec<NewFile>,
    change: Change,
    overlap: Option<Overlap>,
    relabelled: Option<Overlap>,
    /// The stored files against which the change was resolved.
    against: Option<Vec<Path>>,
}

fn hull((min, max): (i64, i64), (from, to): (i64, i64)) -> (i64, i64) {
    (min.min(from), max.max(to))
}
