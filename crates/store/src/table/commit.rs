//! Making an entry the next version, and what comes after it.

use std::sync::{Arc, PoisonError};

use tracing::Instrument;

use super::Table;
use crate::commits::Known;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::left_over::LEFT_OVER_AFTER;
use crate::log::{Attempt, CHECKPOINT_EVERY, Entry, NewFile, blocking};

impl Table {
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
        let span = tracing::info_span!(target: "nines", "commit", table = self.kind().name(), version);
        let put = async move {
            let done = state.log.commit(version - 1, &entry).await;
            match &done {
                Ok(Attempt::Committed) => {
                    tracing::info!(target: "nines", added = entry.added.len(), removed = entry.removed.len(), "committed");
                }
                Ok(Attempt::Lost) => tracing::info!(target: "nines", "another writer was quicker"),
                Err(error) => tracing::warn!(target: "nines", %error, "not committed"),
            }
            let known = match &done {
                Ok(Attempt::Committed) => Some(Known::Stored),
                Err(error) if error.kind() == StoreErrorKind::Unknown => Some(Known::Unknown),
                Ok(Attempt::Lost) | Err(_) => None,
            };
            if let Some(begun) = begun {
                begun.end(known);
            }
            done
        };
        let put = tokio::spawn(put.instrument(span));
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

    /// Writes the checkpoint that became due with an append of this process, if one did: every 50th version is written out as a
    /// whole, from which later readers start. That takes longer the longer the log is, and nobody should wait for it: it is for
    /// after the acknowledgement. What was appended stays so if it fails, which a notice of the store tells; the next one comes.
    pub async fn write_checkpoint(&self) {
        let due = self.state.due.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(version) = due {
            self.checkpoint(version).await;
        }
    }

    pub(super) fn checkpoint_is_due(&self, version: u64) {
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
}
