//! One table of a store: appending rows, taking snapshots.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::object_store::path::Path;
use delta_kernel::snapshot::SnapshotRef;
use futures::{FutureExt, StreamExt, TryStreamExt};

use crate::commit::{Changes, Commit, Outcome};
use crate::commits::Known;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::gc::LEFT_OVER_AFTER;
use crate::log::{Attempt, CHECKPOINT_EVERY, DataFile, Entry, Files, Log, NewFile, Origin, Transaction, blocking};
use crate::objects::Objects;
use crate::once::{Once, app_id_of};
use crate::schema::TableKind;
use crate::sealed::Sealed;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::upsert::{Change, Overlap, Rule, Scan, Span, overlap, overlapping, resolve, span, spanned};
use crate::write::{Layout, Written, write_files};

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// How often a commit is tried before its writer is told that others are in the way.
const ATTEMPTS: u32 = 50;

/// A table of a store. Cheap to clone.
#[derive(Clone)]
pub struct Table {
    store: Store,
    state: Arc<TableState>,
}

/// What the clones of a table share.
pub(crate) struct TableState {
    log: Arc<Log>,
    layout: Arc<Layout>,
    /// The same for files that are written once more, for years.
    for_good: Arc<Layout>,
    objects: Objects,
    /// The newest version met so far, and the newest whose files were listed: what comes next is read
    /// from there on.
    newest: Mutex<(Option<SnapshotRef>, Option<Files>)>,
    /// Whether it was said that files are another Delta writer's.
    foreign_told: AtomicBool,
    /// The version of which this process has yet to write the checkpoint.
    due: Mutex<Option<u64>>,
    /// Whether it is known that the store says beside the table that there is one.
    recorded: AtomicBool,
}

impl TableState {
    pub(crate) fn new(kind: TableKind, slice_seconds: i64, objects: &Objects) -> Result<Self> {
        let layout = Layout::new(kind, slice_seconds);
        Ok(Self {
            log: Arc::new(Log::new(kind, slice_seconds, objects)?),
            for_good: Arc::new(layout.for_good()),
            layout: Arc::new(layout),
            objects: objects.clone(),
            newest: Mutex::default(),
            foreign_told: AtomicBool::default(),
            due: Mutex::default(),
            recorded: AtomicBool::new(false),
        })
    }

    fn known(&self) -> (Option<SnapshotRef>, Option<Files>) {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The newest version, as the log now says.
    fn newest(&self) -> Result<Option<SnapshotRef>> {
        let newest = self.log.snapshot(self.known().0, None)?;
        if let Some(newest) = &newest {
            self.learn(newest);
        }
        Ok(newest)
    }

    /// Lets go of what was met so far: what it says of the log may have been given up.
    fn forget(&self) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = (None, None);
    }

    fn learn(&self, snapshot: &SnapshotRef) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.0.as_ref().is_none_or(|known| known.version() < snapshot.version()) {
            newest.0 = Some(Arc::clone(snapshot));
        }
    }

    fn learn_files(&self, files: &Files) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.1.as_ref().is_none_or(|known| known.snapshot.version() < files.snapshot.version()) {
            newest.1 = Some(files.clone());
        }
    }
}

impl Table {
    pub(crate) fn new(store: Store, state: Arc<TableState>) -> Self {
        Self { store, state }
    }

    /// Which table this is.
    pub fn kind(&self) -> TableKind {
        self.state.layout.kind()
    }

    /// The store that it belongs to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The columns: [`TableKind::stored_schema`] at the store's slice width.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.state.layout.schema())
    }

    /// Whether nobody was told yet that files are another Delta writer's, who is told now.
    pub(crate) fn foreign_is_news(&self) -> bool {
        !self.state.foreign_told.swap(true, Relaxed)
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.state.objects
    }

    pub(crate) fn log(&self) -> &Log {
        &self.state.log
    }

    pub(crate) fn log_handle(&self) -> Arc<Log> {
        Arc::clone(&self.state.log)
    }

    /// How files are written: when rows come, or for good.
    pub(crate) fn layout(&self, for_good: bool) -> Arc<Layout> {
        Arc::clone(if for_good { &self.state.for_good } else { &self.state.layout })
    }

    /// The newest version. A table that was never written has no version and no files.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot::new(self.clone(), self.newest().await?))
    }

    /// An earlier version. [`StoreErrorKind::NotFound`] if there is none of this number, or no longer.
    pub async fn snapshot_at(&self, version: u64) -> Result<Snapshot> {
        Ok(Snapshot::new(self.clone(), Some(self.files_at(version).await?)))
    }

    /// As [`Table::snapshot_at`].
    pub(crate) async fn files_at(&self, version: u64) -> Result<Files> {
        if let Some(retained) = self.retained().await?.filter(|retained| version < *retained) {
            return Err(StoreError::new(
                StoreErrorKind::NotFound,
                format!("version {version} of {self} is no longer retained; the oldest that is, is {retained}"),
            ));
        }
        if let Some(newest) = self.newest().await?.map(|newest| newest.snapshot.version())
            && version > newest
        {
            let oldest = self.retained().await?.unwrap_or_default();
            return Err(StoreError::new(
                StoreErrorKind::NotFound,
                format!("{self} has no version {version}; it has versions {oldest} to {newest}"),
            ));
        }
        let state = Arc::clone(&self.state);
        let files = blocking(move || {
            if let Some(known) = state.known().1.filter(|known| known.snapshot.version() == version) {
                return Ok(Some(known));
            }
            match state.log.snapshot(None, Some(version))? {
                Some(snapshot) => Ok(Some(state.log.files(snapshot, None)?)),
                None => Ok(None),
            }
        });
        files.await?.ok_or_else(|| {
            StoreError::new(StoreErrorKind::NotFound, format!("{self} was never written and has no version {version}"))
        })
    }

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

    /// Whether what failed is worth another look at the log: objects are missing, perhaps because versions were given up since it was
    /// listed. If the same is `missing` again it is damage. What was listed is forgotten.
    pub(crate) fn look_again(&self, error: &StoreError, missing: &mut Option<String>) -> bool {
        let told = error.to_string();
        if !error.may_be_gone() || missing.as_ref() == Some(&told) {
            return false;
        }
        *missing = Some(told);
        self.state.forget();
        true
    }

    /// Whether there is a newer version than this.
    async fn moved_on(&self, version: u64) -> Result<bool> {
        Ok(self.newest().await?.is_some_and(|newest| newest.snapshot.version() > version))
    }

    /// Tries to make an entry this version. It goes on when nobody waits for it any longer: a put that has begun cannot be
    /// taken back, and what became of it shall be known.
    pub(crate) async fn commit(&self, version: u64, entry: &Arc<Entry>, changes_nothing: bool) -> Result<Attempt> {
        self.not_collected(&entry.added).await?;
        let begun = (!changes_nothing).then(|| self.store.begin_commit(self.kind(), version));
        let (state, entry) = (Arc::clone(&self.state), Arc::clone(entry));
        let put = tokio::spawn(async move {
            let done = state.log.commit(version - 1, &entry).await;
            let known = match &done {
                Ok(Attempt::Committed) => Some(Known::Stored),
                Err(error) if error.kind() == StoreErrorKind::Unknown => Some(Known::Unknown),
                Ok(Attempt::Lost) | Err(_) => None,
            };
            if let Some(begun) = begun {
                begun.end(known);
            }
            done
        });
        let ended = |error| {
            StoreError::caused(
                StoreErrorKind::Unknown,
                format_args!("the commit of version {version} did not end"),
                error,
            )
        };
        match put.await.map_err(ended)? {
            // The entry that it was to follow was given up, after others had come.
            Err(error) if error.may_be_gone() && self.moved_on(version - 1).await? => Ok(Attempt::Lost),
            done => done,
        }
    }

    /// Refuses files that may have been taken for what a dead writer left, because they were written so long ago.
    async fn not_collected(&self, files: &[NewFile]) -> Result<()> {
        let now = chrono::Utc::now().timestamp_millis();
        let old = |file: &&NewFile| now.saturating_sub(file.written_at) > LEFT_OVER_AFTER.as_millis() as i64 / 2;
        for file in files.iter().filter(old) {
            let path = file.object_path(self.kind());
            if self.objects().get(&path).await?.is_none() {
                return Err(StoreError::new(
                    StoreErrorKind::Io,
                    format!(
                        "{path}, which was written by this append, is gone: it took so long that the file was taken for one of a \
                             writer that died. Nothing was stored; run the same again"
                    ),
                ));
            }
        }
        Ok(())
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
        let (layout, objects) = (&self.state.layout, self.objects());
        let resolved = parts.iter_mut().map(|(&first_day, part)| {
            let resolved = async move {
                let scan = Scan { layout, objects, task };
                let stored = match span {
                    Some(span) => spanned(&base.files, first_day, span),
                    None => overlapping(layout.kind(), &part.new, &base.files),
                };
                let same_day = base.files.of(first_day);
                let against: Vec<Path> = match rule {
                    Rule::Add { .. } => same_day.iter().map(|file| file.path().clone()).collect(),
                    Rule::Replace | Rule::Span => stored.iter().map(|file| file.path().clone()).collect(),
                };
                if part.against.as_ref() != Some(&against) {
                    if let Rule::Add { older_until } = rule {
                        let same_day: Vec<&DataFile> = same_day.iter().collect();
                        part.overlap = overlap(&scan, &part.new, &same_day, older_until).await?;
                    }
                    part.change = resolve(&scan, first_day, &part.new, &stored, rule, span, written).await?;
                    part.against = Some(against);
                }
                Ok::<_, StoreError>(())
            };
            resolved.boxed()
        });
        let at_once = task.session_config().target_partitions().max(1);
        let resolved: Vec<_> = resolved.collect();
        futures::stream::iter(resolved).buffer_unordered(at_once).try_collect::<()>().await?;

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
        let (state, snapshot, once) = (Arc::clone(&self.state), Arc::clone(snapshot), once.clone());
        let found = blocking(move || {
            if let Some(batch) = &once.batch {
                match state.log.transaction(&snapshot, &batch.app_id())? {
                    Some(content) if content == batch.content => {
                        return state.log.first_set(&snapshot, &batch.app_id()).map(Some);
                    }
                    Some(_) => {
                        return Err(StoreError::new(
                            StoreErrorKind::Mismatch,
                            format!(
                                "batch {:?} was stored in {} with other content; nothing was stored now. A correction \
                                 is a batch of its own: give it another name",
                                batch.id, state.log
                            ),
                        ));
                    }
                    None => {}
                }
            }
            for mark in &once.marks {
                let now = state.log.transaction(&snapshot, &mark.app_id())?;
                if now != mark.from {
                    let told = |at: Option<i64>| at.map_or("not set".to_string(), |at| at.to_string());
                    let (name, from, now) = (&mark.name, told(mark.from), told(now));
                    return Err(StoreError::new(
                        StoreErrorKind::Moved,
                        format!("mark {name} of {} is {now}, no longer {from}: another writer was first", state.log),
                    ));
                }
            }
            Ok(None)
        });
        let Some(version) = found.await? else { return Ok(None) };
        self.settle().await?;
        Ok(Some(Commit { outcome: Outcome::Delivered(version), ..Commit::default() }))
    }

    /// Writes the checkpoint that became due with an append of this process, if one did: every 50th version is written out as a
    /// whole, from which later readers start. That takes longer the longer the log is, and nobody should wait for it: it is for
    /// after the acknowledgement. What was appended stays so if it fails, which a notice of the store tells; the next one comes.
    pub async fn write_checkpoint(&self) {
        let due = self.state.due.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(version) = due {
            self.checkpoint(version).await;
        }
    }

    fn checkpoint_is_due(&self, version: u64) {
        if version.is_multiple_of(CHECKPOINT_EVERY) {
            *self.state.due.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
        }
    }

    /// The same at once, of a version that somebody who looks after the table has made.
    pub(crate) async fn checkpoint(&self, version: u64) {
        if !version.is_multiple_of(CHECKPOINT_EVERY) {
            return;
        }
        let state = Arc::clone(&self.state);
        let written = blocking(move || match state.log.snapshot(None, Some(version))? {
            Some(snapshot) => state.log.checkpoint(snapshot),
            None => Ok(()),
        });
        if let Err(error) = written.await
            && !matches!(self.objects().get(&self.log().place(version).checkpoint()).await, Ok(Some(_)))
        {
            let notice =
                format!("the checkpoint of {self} at version {version} was not written, the next one will be: {error}");
            self.objects().notices().add(notice);
        }
    }

    /// The newest version and its files; `None` if the table was never written. [`StoreErrorKind::Corrupt`] if it was, and
    /// its log is gone.
    pub(crate) async fn newest(&self) -> Result<Option<Files>> {
        if let Some(files) = self.listed().await? {
            return Ok(Some(files));
        }
        let Some(left) = self.state.log.left().await? else { return Ok(None) };
        // Somebody else may have created the table between the two looks.
        match self.listed().await? {
            Some(files) => Ok(Some(files)),
            None => Err(self.state.log.lost(&left)),
        }
    }

    /// The newest version and its files; `None` if the log has no entry.
    ///
    /// What was listed may be gone when it is read, because versions were given up meanwhile. Then it is listed again; it is an error if
    /// the same is missing again.
    async fn listed(&self) -> Result<Option<Files>> {
        let mut missing = None;
        loop {
            match self.listed_once().await {
                Err(error) if self.look_again(&error, &mut missing) => {}
                listed => return listed,
            }
        }
    }

    async fn listed_once(&self) -> Result<Option<Files>> {
        let state = Arc::clone(&self.state);
        let listed = blocking(move || {
            let Some(snapshot) = state.newest()? else { return Ok(None) };
            let files = state.log.files(snapshot, state.known().1.as_ref())?;
            state.learn_files(&files);
            Ok(Some(files))
        });
        let listed = listed.await?;
        if let Some(files) = &listed {
            self.state.log.check_head(files.snapshot.version()).await?;
        }
        Ok(listed)
    }

    /// Who wrote the entry of a version. [`StoreErrorKind::NotFound`] if there is none, or no longer.
    pub async fn origin_of(&self, version: u64) -> Result<Origin> {
        self.state.log.origin_of(version).await
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

    /// Makes durable what the table holds now, by whomever it was written: before anything is acknowledged because
    /// of what a snapshot shows.
    pub async fn settle(&self) -> Result<()> {
        let mut missing = None;
        loop {
            let Some(files) = self.newest().await? else { return Ok(()) };
            let version = files.snapshot.version();
            match self.state.log.settle(version).await {
                Err(error) if self.look_again(&error, &mut missing) => {}
                settled => return settled,
            }
        }
    }

    /// What a mark is at a version, or at the newest if that one was given up meanwhile.
    pub(crate) async fn mark(&self, mut at: SnapshotRef, name: &str) -> Result<Option<i64>> {
        let mut missing = None;
        loop {
            let (state, app_id, of) = (Arc::clone(&self.state), app_id_of(name), Arc::clone(&at));
            match blocking(move || state.log.transaction(&of, &app_id)).await {
                Err(error) if self.look_again(&error, &mut missing) => {
                    let Some(newest) = self.newest().await? else { return Err(error) };
                    at = newest.snapshot;
                }
                read => return read,
            }
        }
    }
}

/// The files of one partition of a batch, and what they were found to change.
#[derive(Debug, Default)]
struct Part {
    new: Vec<NewFile>,
    change: Change,
    overlap: Option<Overlap>,
    /// The stored files against which the change was resolved.
    against: Option<Vec<Path>>,
}

fn hull((min, max): (i64, i64), (from, to): (i64, i64)) -> (i64, i64) {
    (min.min(from), max.max(to))
}

/// How long to wait after a lost race: longer each time, and not in step with the other writers.
pub(crate) fn pause(attempt: u32) -> Duration {
    let most = 1 << attempt.min(7);
    // A random UUID is all the randomness that this needs.
    let random = uuid::Uuid::new_v4().as_u128() as u64;
    Duration::from_millis(random % (most + 1))
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.log.fmt(f)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({self})")
    }
}
