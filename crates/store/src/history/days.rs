//! On which days rows changed after a version.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use futures::{StreamExt, TryStreamExt};

use super::AT_ONCE;
use super::entry::{LoggedVersion, days};
use crate::error::{Result, StoreError};
use crate::table::Table;

/// The days on which rows changed after a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedDays {
    /// By UTC day: the last version that changed its rows, as the log tells it.
    pub days: BTreeMap<NaiveDate, LoggedVersion>,
    /// Whether entries of some of the versions are no longer there, so that days may be missing here.
    pub gone: bool,
}

impl Table {
    /// The days on which rows with this value in a text column may have changed after a version. Reads the entries since, one each;
    /// where files hold rows of several values it is not known of which one they changed.
    pub async fn changed_days(&self, since: u64, column: &str, value: &str) -> Result<ChangedDays> {
        let mut changed = ChangedDays::default();
        let Some(newest) = self.newest().await? else { return Ok(changed) };
        let after = since.saturating_add(1)..=newest.snapshot.version();
        let mut reads = futures::stream::iter(after)
            .map(|version| async move { Ok::<_, StoreError>((version, self.entry_at(version).await?)) })
            .buffered(AT_ONCE);
        while let Some((version, entry)) = reads.try_next().await? {
            let Some((entry, origin)) = entry else {
                changed.gone = true;
                continue;
            };
            let (logged, _) = super::entry::read(version, origin, &entry);
            for day in days(&entry, column, value) {
                changed.days.insert(day, logged.clone());
            }
        }
        Ok(changed)
    }
}
