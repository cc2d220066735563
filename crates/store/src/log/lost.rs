//! Tables that are not whole: data files whose log is gone, and columns that disagree with the store's description.
//!
//! A table is created (version 0) before the first of its data files is written, so files without a log are never those of
//! a table that is still being made.

use datafusion::object_store::path::Path;
use delta_kernel::Snapshot as KernelSnapshot;
use delta_kernel::schema::{MetadataValue, StructType};
use delta_kernel::snapshot::SnapshotRef;

use super::{HEADS_FOLDER, LOG_FOLDER, Log, blocking};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::schema::SLICE_SECONDS;

impl Log {
    /// An object of the table, of its log or its data; `None` if there is none: it was never written.
    pub(crate) async fn left(&self) -> Result<Option<Path>> {
        let log = format!("{}/{LOG_FOLDER}/", self.kind.name());
        let heads = format!("{}/{HEADS_FOLDER}/", self.kind.name());
        let of_log = |path: &Path| path.as_ref().starts_with(&log) || path.as_ref().starts_with(&heads);
        let is_ours = |path: &Path| of_log(path) || path.extension() == Some("parquet");
        self.objects.find_below(&Path::from(self.kind.name()), is_ours).await
    }

    /// The error for a table without a log of which this is left.
    pub(crate) fn lost(&self, left: &Path) -> StoreError {
        let name = self.kind.name();
        StoreError::corrupt(format!(
            "{self} has lost its log: {left} is there, but no entry of {name}/{LOG_FOLDER}, which says which files count. \
             Nothing is read or written without it. Put {name}/{LOG_FOLDER} back from a backup. (Only if all that ever \
             happened to {name} was a first ingest that was killed: remove the folder {name} and ingest again.)"
        ))
    }

    /// How wide the slices of a stored table are, as far as its log can be read and says so.
    pub(crate) async fn stored_slice_seconds(self) -> Option<i64> {
        let found = blocking(move || {
            let snapshot = KernelSnapshot::builder_for(self.root()).build(&self.engine)?;
            Ok(slice_seconds_of(&snapshot.schema()))
        });
        found.await.ok().flatten()
    }

    /// Refuses a table whose slices are not as wide as the store says.
    pub(super) fn check_slice_seconds(&self, snapshot: &SnapshotRef) -> Result<()> {
        match slice_seconds_of(&snapshot.schema()) {
            Some(found) if found != self.slice_seconds => Err(StoreError::new(
                StoreErrorKind::Incompatible,
                format!(
                    "{self} was written with slices of {found} s, and nines.json says {} s: one of them was changed. Put \
                     \"slice_seconds\":{found} back into nines.json if all tables have these slices",
                    self.slice_seconds
                ),
            )),
            // Another Delta writer may drop what a column says of itself.
            _ => Ok(()),
        }
    }
}

/// The width that a table's column `time` states.
fn slice_seconds_of(schema: &StructType) -> Option<i64> {
    match schema.field("time")?.metadata().get(SLICE_SECONDS)? {
        MetadataValue::Number(seconds) => Some(*seconds),
        MetadataValue::String(seconds) => seconds.parse().ok(),
        _ => None,
    }
}
