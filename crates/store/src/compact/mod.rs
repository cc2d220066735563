//! Fewer files for the same rows: files of a partition are merged in the order of their keys and replaced by what comes out.
//!
//! What must hold: the rows of every partition stay as they are, and so does the name of its rows, the sum of
//! [`DataFile::content`]: what was worked out from them stays good. A merge is committed only where all files that were merged are
//! in the newest version yet; a writer that replaced one of them in between was right, and the merge is thrown away. A writer that
//! meets a merge finds other files than it had looked at, looks at those, and goes on.

mod adopt;
mod due;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::object_store::path::Path;
use futures::{StreamExt, TryStreamExt};

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{Attempt, DataFile, Entry, NewFile};
use crate::table::Table;
use crate::upsert::Scan;
use crate::write::{PartitionFiles, Written};
use due::{Merge, Wanted, due};

/// How often a commit is tried before it is left to the next compaction.
const ATTEMPTS: u32 = 20;
/// Bytes of merged files after which a version is committed: what is done so far stays when the rest is interrupted.
const COMMIT_BYTES: u64 = 1 << 30;
/// Rows that are merged at most in a given time, in rows per second: what takes longer is not begun.
const ROWS_PER_SECOND: u64 = 750_000;

/// What to compact.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Compaction {
    /// Only the partitions that begin with these days, in days since 1970; `None`: all. `None` in it is the one partition of a
    /// table that is stored together.
    pub partitions: Option<BTreeSet<Option<i32>>>,
    /// Only so many bytes of files; what is left is told.
    pub most_bytes: Option<u64>,
    /// Nothing goes on after this.
    pub until: Option<Instant>,
    /// Whether files of an older format are written anew as well.
    pub upgrade: bool,
    /// Whether files of other Delta writers are, too: their rows are taken for what they are from then on.
    pub adopt: bool,
    /// Whether a large file of a day that is over is written again only when enough has come to it.
    pub sparing: bool,
    /// Whether nothing is done but to look at what there is to do.
    pub dry_run: bool,
    /// Counts the bytes of files that were merged, for whoever watches.
    pub merged: Arc<AtomicU64>,
}

/// Files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Amount {
    pub(crate) fn add(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

/// What was compacted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compacted {
    /// In how many partitions.
    pub partitions: usize,
    /// The files that were replaced, or would be.
    pub before: Amount,
    /// Those in their place; nothing in a dry run.
    pub after: Amount,
    /// The version that has them.
    pub version: Option<u64>,
    /// Files that are due and were not merged, because of a limit or because a writer was there first.
    pub left: Amount,
}

/// A merge that was written and is in no version yet.
struct Merged {
    merge: Merge,
    added: Vec<NewFile>,
}

impl Table {
    /// Merges the files of partitions that have many. Rows and their order stay; no version loses a row, whatever happens.
    ///
    /// An error leaves what was committed before it. [`StoreErrorKind::Corrupt`] names a file that cannot be read;
    /// [`StoreErrorKind::InvalidRows`] one that was to be adopted and holds what no append lets in: nothing was merged then.
    pub async fn compact(&self, how: &Compaction, task: Arc<TaskContext>) -> Result<Compacted> {
        let mut done = Compacted::default();
        let Some(base) = self.newest().await? else { return Ok(done) };
        self.log().check_writable(&base.snapshot)?;
        let mut merges = Vec::new();
        let mut bytes = 0;
        let wanted =
            Wanted { only: how.partitions.as_ref(), upgrade: how.upgrade, adopt: how.adopt, sparing: how.sparing };
        for merge in due(&base.files, wanted) {
            if how.most_bytes.is_some_and(|most| bytes + merge.bytes() > most) || !how.has_time_for(&merge) {
                merge.files.iter().for_each(|file| done.left.add(file.size()));
                continue;
            }
            bytes += merge.bytes();
            merges.push(merge);
        }
        self.check_adopted(&merges, &base, &task).await?;
        if how.dry_run {
            done.partitions = merges.len();
            merges.iter().flat_map(|merge| &merge.files).for_each(|file| done.before.add(file.size()));
            return Ok(done);
        }
        let written = Written::new(self.kind());
        // Files of rows that are stored have the columns of those.
        self.log().has_columns(&base.snapshot, written.columns());
        let ended = self.merge_all(merges, how, &written, &task, &mut done).await;
        if let Some(version) = done.version {
            self.checkpoint(version).await;
        }
        ended.map(|()| done)
    }

    async fn merge_all(
        &self,
        merges: Vec<Merge>,
        how: &Compaction,
        written: &Written,
        task: &Arc<TaskContext>,
        done: &mut Compacted,
    ) -> Result<()> {
        let at_once = task.session_config().target_partitions().max(1);
        let merging = merges.into_iter().map(|merge| async move {
            let merged = self.merged(merge.clone(), written, task);
            let merged = match how.until {
                Some(until) => match tokio::time::timeout_at(until.into(), merged).await {
                    Ok(merged) => merged?,
                    Err(_) => return Ok(Err(merge)),
                },
                None => merged.await?,
            };
            how.merged.fetch_add(merged.merge.bytes(), Relaxed);
            Ok::<_, StoreError>(Ok(merged))
        });
        let mut merging = futures::stream::iter(merging).buffered(at_once);
        let (mut batch, mut failed) = (Vec::new(), None);
        loop {
            match merging.try_next().await {
                Ok(Some(Ok(merged))) => batch.push(merged),
                Ok(Some(Err(late))) => late.files.iter().for_each(|file| done.left.add(file.size())),
                Ok(None) => break,
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            if batch.iter().map(|merged: &Merged| merged.merge.bytes()).sum::<u64>() >= COMMIT_BYTES {
                self.put_in_place(std::mem::take(&mut batch), done).await?;
            }
        }
        drop(merging);
        let placed = self.put_in_place(batch, done).await;
        // An entry that may appear yet names its files.
        if !placed.as_ref().is_err_and(|error| error.kind() == StoreErrorKind::Unknown) {
            let newest = self.newest().await?;
            let used: BTreeSet<&Path> =
                newest.iter().flat_map(|newest| newest.files.files().map(DataFile::path)).collect();
            self.objects().discard(written.paths().into_iter().filter(|path| !used.contains(path))).await;
        }
        failed.map_or(placed, Err)
    }

    /// Writes the rows of files in key order.
    async fn merged(&self, merge: Merge, written: &Written, task: &Arc<TaskContext>) -> Result<Merged> {
        let layout = self.layout(merge.closed);
        let scan = Scan { layout: &layout, objects: self.objects(), task };
        let mut rows = scan.rows(&[], &merge.files.iter().collect::<Vec<_>>())?;
        let stored: Vec<usize> = (0..layout.schema().fields().len()).collect();
        let memory = MemoryConsumer::new("compacted file").register(task.memory_pool());
        let content = merge.files.iter().fold(0u64, |sum, file| sum.wrapping_add(file.content()));
        let mut files = PartitionFiles::same_rows(&layout, self.objects(), written, memory, content);
        while let Some(batch) = rows.next().await.transpose()? {
            // The last column says of which file a row is.
            files.write(merge.first_day.unwrap_or_default(), &batch.project(&stored)?).await?;
        }
        let added = files.finish().await?;
        let before = merge.files.iter().map(DataFile::rows).sum::<Option<u64>>();
        let after: u64 = added.iter().map(|file| file.rows).sum();
        match before {
            Some(before) if before != after => Err(StoreError::corrupt(format!(
                "the files of {self} that were merged hold {after} rows, and its log says {before}: nothing was replaced. See them \
                 with: SELECT count(*) FROM {}",
                self.kind().name()
            ))),
            _ => Ok(Merged { merge, added }),
        }
    }

    /// Commits merges whose files are all there yet.
    async fn put_in_place(&self, mut batch: Vec<Merged>, done: &mut Compacted) -> Result<()> {
        for attempt in 0..ATTEMPTS {
            if batch.is_empty() {
                return Ok(());
            }
            let Some(base) = self.newest().await? else { return Ok(()) };
            let (current, outdated): (Vec<Merged>, Vec<Merged>) =
                batch.into_iter().partition(|Merged { merge, .. }| {
                    let now = base.files.of(merge.first_day);
                    merge.files.iter().all(|file| now.contains(file))
                });
            outdated.iter().flat_map(|merged| &merged.merge.files).for_each(|file| done.left.add(file.size()));
            batch = current;
            let mut entry = Entry { same_rows: true, ..Entry::default() };
            for Merged { merge, added } in &batch {
                entry.removed.extend_from_slice(&merge.files);
                entry.added.extend_from_slice(added);
            }
            if entry.removed.is_empty() {
                return Ok(());
            }
            let (version, entry) = (base.snapshot.version() + 1, Arc::new(entry));
            match self.commit(version, &entry, true).await? {
                Attempt::Lost => tokio::time::sleep(crate::table::pause(attempt)).await,
                Attempt::Committed => {
                    done.version = Some(version);
                    done.partitions += batch.len();
                    entry.removed.iter().for_each(|file| done.before.add(file.size()));
                    entry.added.iter().for_each(|file| done.after.add(file.size));
                    return Ok(());
                }
            }
        }
        batch.iter().flat_map(|merged| &merged.merge.files).for_each(|file| done.left.add(file.size()));
        Ok(())
    }
}

impl Compaction {
    /// What is worth doing after a write: for so long, of so many bytes.
    pub fn after_write(time: Duration, bytes: u64) -> Self {
        Self { most_bytes: Some(bytes), until: Some(Instant::now() + time), sparing: true, ..Self::default() }
    }

    /// Whether a merge is likely to be done in time.
    fn has_time_for(&self, merge: &Merge) -> bool {
        let Some(until) = self.until else { return true };
        let rows: u64 = merge.files.iter().filter_map(DataFile::rows).sum();
        until.saturating_duration_since(Instant::now()).as_secs_f64() > rows as f64 / ROWS_PER_SECOND as f64
    }
}
