//! The `txn` actions of a table: what has been delivered, and up to where inputs were read.

use std::sync::Arc;

use delta_kernel::snapshot::SnapshotRef;

use super::Log;
use crate::error::{Result, StoreErrorKind};

impl Log {
    /// The number of an application id at a version; `None` if it was never set, or is remembered no longer.
    pub(crate) fn transaction(&self, snapshot: &SnapshotRef, app_id: &str) -> Result<Option<i64>> {
        Ok(snapshot.get_app_id_version(app_id, &self.engine)?)
    }

    /// The version in which an application id, known at `snapshot`, was first set; `None` if that is no longer told.
    ///
    /// An id that is set once stays, so this is a search by halves, in steps back from the newest version that double: what is
    /// delivered again was mostly delivered not long ago. Each step opens one version.
    pub(crate) fn first_set(&self, snapshot: &SnapshotRef, app_id: &str) -> Result<Option<u64>> {
        let (mut without, mut with, mut step) = (None, snapshot.version(), 1);
        while without.map_or(with > 0, |without| without + 1 < with) {
            let middle = match without {
                Some(without) => without + (with - without) / 2,
                None => with.saturating_sub(step),
            };
            step *= 2;
            let earlier = match self.snapshot(None, Some(middle)) {
                Ok(Some(earlier)) => earlier,
                Ok(None) => return Ok(None),
                Err(error) if error.kind() == StoreErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            match self.transaction(&earlier, app_id)? {
                Some(_) => with = middle,
                None => without = Some(middle),
            }
        }
        Ok(Some(with))
    }

    /// Writes a checkpoint of this version, from which later readers start.
    pub(crate) fn checkpoint(&self, snapshot: SnapshotRef) -> Result<()> {
        Arc::clone(&snapshot).checkpoint(&self.engine, None)?;
        Ok(())
    }
}
