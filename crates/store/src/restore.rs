//! An earlier version's rows as a new version.
//!
//! Nothing is rewritten: the files of that version count again, those that came since do not, and what was worked out from the
//! earlier rows is right again, because files name their rows. Marks and batches that were set since are taken back as well: a
//! batch that was undone can be delivered again.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::object_store::ObjectStoreExt;
use datafusion::object_store::path::Path;
use futures::{StreamExt, TryStreamExt};

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{Attempt, DELETED, DataFile, Entry, Told};
use crate::schema::TableKind;
use crate::table::{Table, pause};

/// How often a commit is tried.
const ATTEMPTS: u32 = 50;
/// Files that are looked for at once.
const AT_ONCE: usize = 32;

/// What restoring a version did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// The version that it became; `None` in a dry run, and if the rows are those already.
    pub version: Option<u64>,
    /// The version that was the newest before.
    pub before: u64,
    /// Files that count again, and their rows as far as the log says.
    pub returned: (usize, u64),
    /// Files that no longer count, and their rows.
    pub removed: (usize, u64),
    /// Batches and marks that were taken back.
    pub undone: usize,
}

impl Table {
    /// Makes the rows of an earlier version those of a new one.
    ///
    /// [`StoreErrorKind::InvalidArgument`] for tables of what was issued and what is derived, [`StoreErrorKind::NotFound`] if that version
    /// does not exist or is no longer retained.
    pub async fn restore(&self, to: u64, dry_run: bool) -> Result<Restored> {
        if let Some(why) = self.never_restored() {
            return Err(StoreError::new(StoreErrorKind::InvalidArgument, format!("{self} is not restored: {why}")));
        }
        self.store().check_writable().await?;
        for attempt in 0..ATTEMPTS {
            let Some(base) = self.newest().await? else {
                return Err(StoreError::new(StoreErrorKind::NotFound, format!("{self} was never written")));
            };
            let newest = base.snapshot.version();
            let target = self.files_at(to).await?;
            // What another program changed in the table since, and nines cannot write with, is taken back as well.
            let metadata = match self.log().check_writable(&base.snapshot) {
                Ok(()) => None,
                Err(error) if self.log().check_writable(&target.snapshot).is_err() => return Err(error),
                Err(_) => Some(self.log().metadata_of(&target.snapshot).await?),
            };
            let then: HashSet<&Path> = target.files.files().map(DataFile::path).collect();
            let now: HashSet<&Path> = base.files.files().map(DataFile::path).collect();
            let returned: Vec<DataFile> = target.files.files().filter(|f| !now.contains(f.path())).cloned().collect();
            let removed: Vec<DataFile> = base.files.files().filter(|f| !then.contains(f.path())).cloned().collect();
            let amount = |files: &[DataFile]| (files.len(), files.iter().filter_map(DataFile::rows).sum());
            let transactions = self.log_handle().undone(&target.snapshot, &base.snapshot).await?;
            let mut done = Restored {
                version: None,
                before: newest,
                returned: amount(&returned),
                removed: amount(&removed),
                undone: transactions.iter().filter(|transaction| transaction.app_id != DELETED).count(),
            };
            let is_same = returned.is_empty() && removed.is_empty() && transactions.is_empty() && metadata.is_none();
            if dry_run || is_same {
                return Ok(done);
            }
            self.all_there(&returned).await?;
            let first_day = returned.iter().filter_map(DataFile::first_day).min();
            let told = Told { operation: "RESTORE", parameters: vec![("version", to.to_string())] };
            let entry = Entry { told: Some(told), metadata, returned, removed, transactions, ..Entry::default() };
            match self.commit(newest + 1, &Arc::new(entry), false).await? {
                Attempt::Lost => tokio::time::sleep(pause(attempt)).await,
                Attempt::Committed => {
                    self.say_sealed(&base, first_day);
                    self.checkpoint(newest + 1).await;
                    done.version = Some(newest + 1);
                    return Ok(done);
                }
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Conflict,
            format!(
                "{self} has so many writers that {ATTEMPTS} attempts to restore failed; nothing was changed, try again"
            ),
        ))
    }

    fn never_restored(&self) -> Option<&'static str> {
        match self.kind() {
            TableKind::Statements => Some("what was issued stays issued; later data lead to a revision"),
            TableKind::Drafts => Some("draft anew what is to be approved: nines credits PERIOD --issue --draft"),
            TableKind::SloDays | TableKind::SloFacts => Some("it is worked out from the other tables"),
            TableKind::Requests
            | TableKind::Events
            | TableKind::Gauges
            | TableKind::Incidents
            | TableKind::Exclusions
            | TableKind::Fees
            | TableKind::Definitions
            | TableKind::Annotations => None,
        }
    }

    /// Refuses files of which one is gone.
    async fn all_there(&self, files: &[DataFile]) -> Result<()> {
        let objects = self.objects().object_store();
        let looks = files.iter().map(|file| async move {
            match objects.head(file.path()).await {
                Ok(found) if found.size == file.size() => Ok(()),
                Ok(found) => Err(StoreError::corrupt(format!(
                    "{} has {} bytes, and the log says {}; nothing was changed. Put the file back from a backup",
                    file.path(),
                    found.size,
                    file.size()
                ))),
                Err(error) => Err(StoreError::caused(
                    StoreErrorKind::Corrupt,
                    format_args!("{} cannot count again; nothing was changed", file.path()),
                    error,
                )),
            }
        });
        let looks: Vec<_> = looks.collect();
        futures::stream::iter(looks).buffer_unordered(AT_ONCE).try_collect::<()>().await
    }
}
