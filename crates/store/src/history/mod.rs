//! What the log of a table tells of its versions: who changed what, when, and which version was the newest at a time.
//!
//! Everything is read through the verified objects, so that an entry that is not as it was written is an error. The log of a
//! table ends, going back, where entries were given up.

mod days;
mod entry;
mod time;

use futures::{StreamExt, TryStreamExt};

use crate::error::{Result, StoreError};
use crate::log::Origin;
use crate::table::Table;

pub use days::ChangedDays;
pub use entry::{Extent, LoggedVersion};

/// Entries that are read at once.
const AT_ONCE: usize = 32;
/// Versions before a missing entry that are looked for: where one of them is there, an entry in between is lost.
const BEYOND: u64 = 3;

/// The newest versions of a table, as its log tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// The newest first.
    pub versions: Vec<LoggedVersion>,
    /// What is before the last of them.
    pub before: Before,
}

/// What is before the oldest version that a [`History`] tells of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Before {
    /// Nothing: the table began with it, or was never written.
    #[default]
    Nothing,
    /// Versions that were not asked for.
    More,
    /// Versions whose entries are no longer there.
    Gone,
}

impl Table {
    /// The newest `most` versions. Reads their entries, and one before them.
    ///
    /// Rows that a version removed are counted where its entry says how many, or where what added their files is among the
    /// entries that were read.
    pub async fn history(&self, most: usize) -> Result<History> {
        let Some(newest) = self.newest().await? else { return Ok(History::default()) };
        let newest = newest.snapshot.version();
        let mut reads = futures::stream::iter((0..=newest).rev().take(most.saturating_add(1)))
            .map(|version| async move { Ok::<_, StoreError>((version, self.logged(version).await?)) })
            .buffered(AT_ONCE);
        let (mut versions, mut before) = (Vec::new(), Before::Nothing);
        while let Some((version, logged)) = reads.try_next().await? {
            let Some(logged) = logged else {
                self.check_gone(version).await?;
                before = Before::Gone;
                break;
            };
            if versions.len() == most {
                before = Before::More;
                break;
            }
            versions.push(logged);
        }
        entry::count_removed(&mut versions);
        Ok(History { versions: versions.into_iter().map(|(version, _)| version).collect(), before })
    }

    /// What the log tells of a version; `None` if its entry is no longer there.
    pub async fn told_of(&self, version: u64) -> Result<Option<LoggedVersion>> {
        Ok(self.logged(version).await?.map(|(logged, _)| logged))
    }

    /// What the entry of a version says; `None` if it is not there.
    async fn logged(&self, version: u64) -> Result<Option<(LoggedVersion, entry::Files)>> {
        Ok(self.entry_at(version).await?.map(|(entry, origin)| entry::read(version, origin, &entry)))
    }

    /// The bytes of an entry and who wrote it; `None` if it is not there.
    async fn entry_at(&self, version: u64) -> Result<Option<(Vec<u8>, Origin)>> {
        self.objects().entry(&self.log().place(version)).await
    }

    /// Refuses a log that lacks an entry between others: what was given up was the oldest.
    async fn check_gone(&self, version: u64) -> Result<()> {
        if self.retained().await?.is_some_and(|oldest| version < oldest) {
            // Those that lie about before it were to be removed as well.
            return Ok(());
        }
        for earlier in version.saturating_sub(BEYOND)..version {
            if self.entry_at(earlier).await?.is_some() {
                return Err(self.lost(version));
            }
        }
        Ok(())
    }

    fn lost(&self, version: u64) -> StoreError {
        let entry = self.log().place(version).entry();
        StoreError::corrupt(format!(
            "{entry} is missing, and earlier ones are there. Put the file back from a backup, with whatever else of the log is \
             missing"
        ))
    }
}
