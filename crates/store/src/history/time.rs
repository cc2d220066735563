//! Which version was the newest at a time.
//!
//! The clocks of writers may be wrong or be set back, so entries are not searched by halves: a time means the last entry before
//! the first one with a later timestamp. Whatever clocks did, later times mean later versions.

use futures::{StreamExt, TryStreamExt};

use super::{AT_ONCE, entry};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::snapshot::Snapshot;
use crate::table::Table;

const MICROS_PER_MILLI: i64 = 1000;

impl Table {
    /// The version that was the newest at a time in µs: that of the last entry before the first one with a later timestamp.
    /// Entries without one are passed over. `None`: the table was not there yet. [`StoreErrorKind::NotFound`] if what was there
    /// is no longer retained.
    ///
    /// Reads all entries up to that one.
    pub async fn version_at(&self, micros: i64) -> Result<Option<u64>> {
        let Some(newest) = self.newest().await? else { return Ok(None) };
        let newest = newest.snapshot.version();
        let first = match self.retained().await? {
            Some(oldest) => Some(oldest),
            None => self.first_entry(newest).await?,
        };
        let Some(first) = first else { return Err(self.given_up(micros)) };
        let mut times = futures::stream::iter(first..=newest)
            .map(|version| async move {
                let Some((entry, _)) = self.entry_at(version).await? else { return Err(self.lost(version)) };
                Ok((version, entry::timestamp(&entry)))
            })
            .buffered(AT_ONCE);
        while let Some((version, timestamp)) = times.try_next().await? {
            if timestamp.is_some_and(|at| at.saturating_mul(MICROS_PER_MILLI) > micros) {
                return match version.checked_sub(1) {
                    Some(before) if version > first => Ok(Some(before)),
                    Some(_) => Err(self.given_up(micros)),
                    None => Ok(None),
                };
            }
        }
        Ok(Some(newest))
    }

    /// The snapshot of [`version_at`](Self::version_at): empty where the table was not there yet.
    pub async fn snapshot_as_of(&self, micros: i64) -> Result<Snapshot> {
        match self.version_at(micros).await? {
            Some(version) => self.snapshot_at(version).await,
            None => Ok(Snapshot::new(self.clone(), None)),
        }
    }

    /// The oldest version whose entry is there; `None` if that of the newest is not. Entries are given up from the oldest on, so
    /// this is a search by halves.
    async fn first_entry(&self, newest: u64) -> Result<Option<u64>> {
        let is_there = async |version| Ok::<_, StoreError>(self.entry_at(version).await?.is_some());
        if is_there(0).await? {
            return Ok(Some(0));
        }
        if !is_there(newest).await? {
            return Ok(None);
        }
        let (mut gone, mut there) = (0, newest);
        while gone + 1 < there {
            let middle = gone + (there - gone) / 2;
            match is_there(middle).await? {
                true => there = middle,
                false => gone = middle,
            }
        }
        Ok(Some(there))
    }

    fn given_up(&self, micros: i64) -> StoreError {
        let at = chrono::DateTime::from_timestamp_micros(micros);
        let at = at.map_or_else(|| format!("{micros} µs"), |at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string());
        StoreError::new(
            StoreErrorKind::NotFound,
            format!(
                "what {self} was at {at} is no longer retained: the first entry of its log that is still there is later; list \
                 those with: nines log {}",
                self.kind().name()
            ),
        )
    }
}
