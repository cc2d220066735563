//! Looking after the store: fewer files after writes and on request, and whether all is as it was written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use nines_store::{BackedUp, Backup, Checked, Collected, Compacted, Compaction, Gc, Restored, TableKind};

use crate::{EngineError, Result, Session};

/// How long tidying takes at most, for all tables together.
const TIME: Duration = Duration::from_secs(2);
/// How many bytes of files are merged at most.
const BYTES: u64 = 256 << 20;

impl Session {
    /// What is left to do for the tables that this process wrote: checkpoints are written, and rows are put into fewer files as far as
    /// that takes little time, at most two seconds and 256 MB of files, unless the settings say otherwise. To be called after what
    /// was written was acknowledged; files that are not merged now are merged after a later write.
    pub async fn tidy(&self) -> Result<()> {
        // Whoever only reads leaves it to those who write.
        let Some(store) = self.store().filter(|_| self.settings().role.keeps()) else { return Ok(()) };
        for &kind in TableKind::ALL {
            store.table(kind).write_checkpoint().await;
        }
        if !self.engine().settings().compact {
            return Ok(());
        }
        let written: BTreeSet<TableKind> = store.commits().into_iter().map(|commit| commit.table).collect();
        let how = Compaction::after_write(TIME, BYTES);
        for kind in written {
            store.table(kind).compact(&how, self.task()).await?;
        }
        Ok(())
    }

    /// Reads all there is of a table. `bytes` counts what was read, for whoever watches.
    pub async fn check(&self, table: TableKind, bytes: &Arc<AtomicU64>) -> Result<Checked> {
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("there is no store to check".to_string()));
        };
        Ok(store.table(table).check(&self.task(), bytes).await?)
    }

    /// Gives up old versions of a table and removes what only they need.
    pub async fn gc(&self, table: TableKind, how: &Gc) -> Result<Collected> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("there is no store to clean up".to_string()));
        };
        Ok(store.table(table).gc(how).await?)
    }

    /// Makes the rows of an earlier version of a table those of a new one.
    pub async fn restore(&self, table: TableKind, to: u64, dry_run: bool) -> Result<Restored> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("there is no store of which a version could be restored".to_string()));
        };
        Ok(store.table(table).restore(to, dry_run).await?)
    }

    /// Copies the store to a place where nothing is, beside its writers.
    pub async fn backup(&self, to: &str, how: &Backup) -> Result<BackedUp> {
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("there is no store to copy".to_string()));
        };
        Ok(store.backup(to, how).await?)
    }

    /// Puts rows of a table into fewer files.
    pub async fn compact(&self, table: TableKind, how: &Compaction) -> Result<Compacted> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("there is no store to compact".to_string()));
        };
        Ok(store.table(table).compact(how, self.task()).await?)
    }
}
