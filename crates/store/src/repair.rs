//! What can be worked out again, and is damaged, is let go of.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{Attempt, DataFile, Entry, Told};
use crate::table::{Table, pause};

/// How often a commit is tried.
const ATTEMPTS: u32 = 50;

impl Table {
    /// Makes a version of a derived table without these files, whose rows cannot be read. How many of them it had.
    ///
    /// [`StoreErrorKind::InvalidArgument`] for tables that are not derived.
    pub async fn forget(&self, files: &BTreeSet<String>) -> Result<usize> {
        self.check_derived()?;
        for attempt in 0..ATTEMPTS {
            let Some(base) = self.newest().await? else { return Ok(0) };
            let is_meant = |file: &&DataFile| files.contains(file.path().as_ref());
            let removed: Vec<DataFile> = base.files.files().filter(is_meant).cloned().collect();
            if removed.is_empty() {
                return Ok(0);
            }
            let number = removed.len();
            let told =
                Told { operation: "REPAIR", parameters: vec![("reason", "damaged files are forgotten".to_string())] };
            let entry = Entry { told: Some(told), removed, ..Entry::default() };
            match self.commit(base.snapshot.version() + 1, &Arc::new(entry), false).await? {
                Attempt::Committed => return Ok(number),
                Attempt::Lost => tokio::time::sleep(pause(attempt)).await,
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Conflict,
            format!(
                "{self} has so many writers that {ATTEMPTS} attempts to repair it failed; nothing was changed, try again"
            ),
        ))
    }

    /// Removes all of a derived table, its log too: it is as if it had never been written.
    pub async fn clear(&self) -> Result<()> {
        self.check_derived()?;
        for object in self.found().await? {
            self.remove(&object).await?;
        }
        Ok(())
    }

    fn check_derived(&self) -> Result<()> {
        match self.kind().is_derived() {
            true => Ok(()),
            false => Err(StoreError::new(
                StoreErrorKind::InvalidArgument,
                format!("{self} cannot be worked out again: put what is damaged back from a backup"),
            )),
        }
    }
}
