//! Removing what no retained version needs: data files, entries of the log, what writers left that died.
//!
//! What must hold:
//! - what is needed is decided by entries of the log. The age of an object decides only about files that no entry names: they must
//!   be older than any write takes ([`LEFT_OVER_AFTER`]), because their writer may be about to commit them;
//! - that versions are given up stands in the log, durably, before the first object goes. A reader that asks for one of them is
//!   told so, and does not meet missing files;
//! - opening a retained version reads one checkpoint and at most [`CHECKPOINT_EVERY`] entries: the newest checkpoint at or before
//!   the oldest retained version stays, and everything after it. Its record has the hash of the first entry that is left;
//! - data files go before the entries that name them, so that what is left after an interruption is known, and goes next time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::compact::Amount;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::found::{ObjectKind, StoredObject, first_entry, versions};
use crate::left_over::LEFT_OVER_AFTER;
use crate::log::{Attempt, CHECKPOINT_EVERY, Entry, Files, Log, Needed, RETAINED, Told, blocking};
use crate::table::{Table, pause};

/// How often giving up versions is tried.
const ATTEMPTS: u32 = 50;
/// What to keep.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Gc {
    /// Versions that were in force at this time or later are retained, in µs since 1970; `None`: the newest only.
    pub since: Option<i64>,
    /// For how long that is, as the table tells it to other programs; 0: it tells what it told before.
    pub keep: Duration,
    /// The time now, in µs since 1970, by which files that no entry names are old.
    pub now: i64,
    /// Whether nothing is done but to look at what there is to do.
    pub dry_run: bool,
    /// Counts the bytes that were removed, for whoever watches.
    pub removed: Arc<AtomicU64>,
}

impl Gc {
    /// Keeps the versions of the last so long.
    pub fn keep(keep: Duration, now: i64) -> Self {
        let micros = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        Self { since: Some(now.saturating_sub(micros)), keep, now, ..Self::default() }
    }

    /// Keeps the newest version only.
    pub fn newest(now: i64) -> Self {
        Self { now, ..Self::default() }
    }
}

/// What was removed, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Collected {
    /// The oldest version that is retained; `None` if the table was never written.
    pub oldest: Option<u64>,
    /// The newest.
    pub newest: Option<u64>,
    /// Data files of versions that are given up.
    pub data: Amount,
    /// Objects of their log.
    pub log: Amount,
    /// Files that are in no version: what writers left that died.
    pub left_over: Amount,
    /// Files that are in no version and too young to be taken for that. They stay.
    pub young: Amount,
}

/// What decides whether an object goes.
struct Rules {
    needed: Needed,
    /// The version from which the log is kept.
    from: u64,
    now: i64,
}

/// Why an object goes, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Needed,
    GivenUp,
    LeftOver,
    Young,
}

impl Rules {
    fn of(&self, found: &StoredObject) -> Verdict {
        let by_age = || match self.now.saturating_sub(found.modified) > LEFT_OVER_AFTER.as_micros() as i64 {
            true => Verdict::LeftOver,
            false => Verdict::Young,
        };
        match found.kind {
            ObjectKind::Data if self.needed.files.contains_key(&found.path) => Verdict::Needed,
            ObjectKind::Data if self.needed.named.contains(&found.path) => Verdict::GivenUp,
            ObjectKind::Data | ObjectKind::Temporary => by_age(),
            ObjectKind::Entry(version)
            | ObjectKind::Checkpoint(version)
            | ObjectKind::Head(version)
            | ObjectKind::Record(version) => {
                if version < self.from {
                    Verdict::GivenUp
                } else {
                    Verdict::Needed
                }
            }
            ObjectKind::Other => Verdict::Needed,
        }
    }
}

impl Table {
    /// Gives up old versions and removes what only they need.
    ///
    /// An error leaves all that is needed; running it again goes on. Readers of retained versions and writers are not disturbed; who
    /// reads a version that is given up meanwhile gets an error. [`StoreErrorKind::Corrupt`] if the log cannot be trusted: nothing
    /// is removed then.
    pub async fn gc(&self, how: &Gc) -> Result<Collected> {
        let Some(base) = self.newest().await? else { return Ok(Collected::default()) };
        self.store().check_writable().await?;
        self.log().check_writable(&base.snapshot)?;
        let found = self.found().await?;
        let newest = base.snapshot.version();
        let first = first_entry(&found, newest);
        let oldest = self.oldest(first, newest, how).await?;
        // Before it is said that it is given up, after which it can no longer be asked for.
        let then = self.files_at(oldest).await?;
        let mut from = self.log_from(&found, oldest).await?;
        let mut newest = newest;
        if !how.dry_run {
            newest = self.give_up_before(base, first, oldest, how).await?;
            self.write_checkpoints(&found, first, oldest, newest).await?;
            from = self.log_from(&self.found().await?, oldest).await?;
        } else {
            let would_be = missing_checkpoints(&found, first, oldest, newest);
            from = would_be.range(..=oldest).next_back().copied().unwrap_or(from).max(from);
        }
        // Read after the look: what was put since is not among what was found, and what it names is needed.
        let needed = self.log().needed(first, &then, newest).await?;
        let rules = Rules { needed, from, now: how.now };
        let mut told = Collected { oldest: Some(oldest), newest: Some(newest), ..Collected::default() };
        // What names other objects goes last, and an entry before those after it.
        let of_log = |found: &StoredObject| found.kind.version().is_some();
        let (log, data): (Vec<&StoredObject>, Vec<&StoredObject>) = found.iter().partition(|found| of_log(found));
        for one in data.into_iter().chain(log) {
            let amount = match rules.of(one) {
                Verdict::Needed => continue,
                Verdict::Young => {
                    told.young.add(one.size);
                    continue;
                }
                Verdict::LeftOver => &mut told.left_over,
                Verdict::GivenUp if of_log(one) => &mut told.log,
                Verdict::GivenUp => &mut told.data,
            };
            amount.add(one.size);
            if !how.dry_run {
                self.remove(one).await?;
                how.removed.fetch_add(one.size, Relaxed);
            }
        }
        Ok(told)
    }

    /// The oldest version to retain: never older than what was given up before.
    async fn oldest(&self, first: u64, newest: u64, how: &Gc) -> Result<u64> {
        let retained = self.retained().await?;
        let Some(since) = how.since else {
            // The newest may be the very version that says so of the one before it.
            let said = retained.filter(|retained| retained + 1 == newest);
            return Ok(if said.is_some() && self.log().has_no_files(newest).await? { newest - 1 } else { newest });
        };
        let first = retained.unwrap_or(first).max(first);
        let in_force = match self.version_at(since).await {
            // All that is left is younger.
            Err(error) if error.kind() == StoreErrorKind::NotFound => None,
            found => found?,
        };
        Ok(in_force.unwrap_or(first).clamp(first, newest))
    }

    /// Says in the log which version is the oldest, and how long other programs must keep what they find, where that is not said yet.
    /// The newest version then.
    async fn give_up_before(&self, mut base: Files, first: u64, oldest: u64, how: &Gc) -> Result<u64> {
        for attempt in 0..ATTEMPTS {
            let newest = base.snapshot.version();
            let (log, snapshot) = (self.log_handle(), Arc::clone(&base.snapshot));
            let said = blocking(move || log.version_of(&snapshot, RETAINED)).await?.unwrap_or(first);
            let metadata = self.log().with_kept(&base.snapshot, how.keep).await?;
            if said >= oldest && metadata.is_none() {
                return Ok(newest);
            }
            let told = Told { operation: "GC", parameters: vec![("retained", said.max(oldest).to_string())] };
            let transactions = vec![Log::names(RETAINED, said.max(oldest))];
            let entry = Entry { told: Some(told), metadata, same_rows: true, transactions, ..Entry::default() };
            match self.commit(newest + 1, &Arc::new(entry), true).await? {
                Attempt::Committed => {
                    self.checkpoint(newest + 1).await;
                    return Ok(newest + 1);
                }
                Attempt::Lost => tokio::time::sleep(pause(attempt)).await,
            }
            let Some(next) = self.newest().await? else { break };
            base = next;
        }
        Err(StoreError::new(
            StoreErrorKind::Conflict,
            format!(
                "{self} has so many writers that {ATTEMPTS} attempts to say what is retained failed; nothing was removed, try again"
            ),
        ))
    }

    /// Writes the checkpoints from which retained versions are opened, where they are missing.
    async fn write_checkpoints(&self, found: &[StoredObject], first: u64, oldest: u64, newest: u64) -> Result<()> {
        for version in missing_checkpoints(found, first, oldest, newest) {
            let log = self.log_handle();
            let written = blocking(move || match log.snapshot(None, Some(version))? {
                Some(snapshot) => log.checkpoint(snapshot),
                None => Ok(()),
            });
            written.await?;
        }
        Ok(())
    }

    /// The version from which the log must be kept for the oldest retained version: that of the newest sound checkpoint; 0 without.
    pub(crate) async fn log_from(&self, found: &[StoredObject], oldest: u64) -> Result<u64> {
        for version in versions(found, ObjectKind::Checkpoint).range(..=oldest).rev().copied() {
            let place = self.log().place(version);
            // Only of one that is recorded is it known that it is as it was written.
            let recorded = self.objects().get(&place.record()).await?.is_some();
            if recorded && matches!(self.objects().get(&place.checkpoint()).await, Ok(Some(_))) {
                return Ok(version);
            }
        }
        Ok(0)
    }
}

/// The checkpoints from which retained versions are to be opened and that are not there.
fn missing_checkpoints(found: &[StoredObject], first: u64, oldest: u64, newest: u64) -> BTreeSet<u64> {
    let before = oldest - oldest % CHECKPOINT_EVERY;
    let mut wanted: BTreeSet<u64> = (before..=newest).step_by(CHECKPOINT_EVERY as usize).collect();
    // Few versions are left: all before the oldest shall go.
    if newest - oldest < CHECKPOINT_EVERY {
        wanted.insert(oldest);
    }
    let there = versions(found, ObjectKind::Checkpoint);
    wanted.difference(&there).copied().filter(|version| *version > first).collect()
}
