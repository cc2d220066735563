//! Versions of a table: the newest, and those before it that are retained.

use std::sync::Arc;

use delta_kernel::snapshot::SnapshotRef;

use super::Table;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::found::{ObjectKind, versions};
use crate::log::{DELETED, DataFile, Files, Origin, RETAINED, blocking};
use crate::objects::missing_object;
use crate::once::app_id_of;
use crate::snapshot::Snapshot;

impl Table {
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
            return Err(self.no_longer(version, retained));
        }
        let Some(newest) = self.newest().await?.map(|newest| newest.snapshot.version()) else {
            return Err(StoreError::new(
                StoreErrorKind::NotFound,
                format!("{self} was never written and has no version {version}"),
            ));
        };
        if version > newest {
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
            let snapshot = state.log.snapshot(None, Some(version))?;
            snapshot.map(|snapshot| state.log.files(snapshot, None)).transpose()
        });
        let missing = || StoreError::new(StoreErrorKind::NotFound, format!("version {version} of {self} is not there"));
        match files.await.and_then(|files| files.ok_or_else(missing)) {
            Err(error) if error.kind() == StoreErrorKind::NotFound => Err(self.lost_in(version, error).await?),
            files => files,
        }
    }

    /// What became of a version that should be there and cannot be read: it was given up meanwhile, or an entry is missing.
    async fn lost_in(&self, version: u64, unreadable: StoreError) -> Result<StoreError> {
        if let Some(retained) = self.retained().await?.filter(|retained| version < *retained) {
            return Ok(self.no_longer(version, retained));
        }
        let found = self.found().await?;
        let [entries, checkpoints, records] =
            [ObjectKind::Entry, ObjectKind::Checkpoint, ObjectKind::Record].map(|kind| versions(&found, kind));
        let missing_after = |checkpoint: Option<u64>| {
            (checkpoint.map_or(0, |version| version + 1)..=version).find(|entry| !entries.contains(entry))
        };
        let Some(entry) = missing_after(checkpoints.range(..=version).next_back().copied()) else {
            return Ok(unreadable);
        };
        // Entries that a checkpoint stood for may be gone for good, so that it is the checkpoint that is missing.
        let recorded = records.range(entry..=version).next_back().copied();
        let missing = match recorded.filter(|recorded| missing_after(Some(*recorded)).is_none()) {
            Some(checkpoint) => self.log().place(checkpoint).checkpoint(),
            None => self.log().place(entry).entry(),
        };
        Ok(missing_object(&missing))
    }

    fn no_longer(&self, version: u64, retained: u64) -> StoreError {
        StoreError::new(
            StoreErrorKind::NotFound,
            format!("version {version} of {self} is no longer retained; the oldest that is, is {retained}"),
        )
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

    /// Reads a data file as a whole, which verifies it. [`StoreErrorKind::Corrupt`] if it is not there, or not as it was written.
    pub async fn verify(&self, file: &DataFile) -> Result<()> {
        self.objects().whole(file).await.map(drop)
    }

    /// Who wrote the entry of a version. [`StoreErrorKind::NotFound`] if there is none, or no longer.
    pub async fn origin_of(&self, version: u64) -> Result<Origin> {
        self.state.log.origin_of(version).await
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

    /// The oldest version that is retained, as far as any was given up.
    pub(crate) async fn retained(&self) -> Result<Option<u64>> {
        self.version_of(RETAINED).await
    }

    /// The last version that deleted rows on purpose ([`Table::delete`], but for rows of days that it sealed); `None` if none did, or they
    /// count again since a version was restored.
    pub async fn last_delete(&self) -> Result<Option<u64>> {
        self.version_of(DELETED).await
    }

    /// The version that an id names now.
    async fn version_of(&self, id: &'static str) -> Result<Option<u64>> {
        let mut missing = None;
        loop {
            let Some(newest) = self.newest().await? else { return Ok(None) };
            let (log, snapshot) = (self.log_handle(), Arc::clone(&newest.snapshot));
            match blocking(move || log.version_of(&snapshot, id)).await {
                Err(error) if self.look_again(&error, &mut missing) => {}
                read => return read,
            }
        }
    }
}
