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
use crate::sealed::Sealed;

impl Log {
    /// What says that the table was written: an object of its log or its data, or beside its folder. `None`: it never was.
    pub(crate) async fn left(&self) -> Result<Option<Path>> {
        let found = self.left_in_folder().await?;
        if found.is_some() || self.kind.is_derived() {
            return Ok(found);
        }
        let record = self.record();
        Ok(self.objects.get(&record).await?.map(|_| record))
    }

    /// Says beside the table's folder that there is one, so that a folder that is lost is told from a table that was never written.
    /// What is derived may go at any time.
    pub(crate) async fn put_record(&self) -> Result<()> {
        if !self.kind.is_derived() && self.objects.get(&self.record()).await?.is_none() {
            self.objects.put_new(&self.record(), self.record_line().into_bytes()).await?;
        }
        Ok(())
    }

    /// What is wrong with the object that says so, if it is there. One that is missing is put by the next append.
    pub(crate) async fn check_record(&self) -> Result<()> {
        let record = self.record();
        match self.objects.get(&record).await? {
            Some(found) if !self.kind.is_derived() && found[..] != *self.record_line().as_bytes() => {
                Err(StoreError::corrupt(format!(
                    "{record}: it is not as it was written. No row is wrong for it. Put it back from a backup, or remove it: the next append \
                     writes it again"
                )))
            }
            _ => Ok(()),
        }
    }

    fn record_line(&self) -> String {
        format!("{{\"table\":\"{}\"}}\n", self.kind.name())
    }

    pub(crate) fn record(&self) -> Path {
        Path::from(format!("{HEADS_FOLDER}/{}.json", self.kind.name()))
    }

    async fn left_in_folder(&self) -> Result<Option<Path>> {
        let log = format!("{}/{LOG_FOLDER}/", self.kind.name());
        let heads = format!("{}/{HEADS_FOLDER}/", self.kind.name());
        let of_log = |path: &Path| path.as_ref().starts_with(&log) || path.as_ref().starts_with(&heads);
        let is_ours = |path: &Path| of_log(path) || path.extension() == Some("parquet");
        self.objects.find_below(&Path::from(self.kind.name()), is_ours).await
    }

    /// The error for a table without a log of which this is left.
    pub(crate) fn lost(&self, left: &Path) -> StoreError {
        let name = self.kind.name();
        if *left == self.record() {
            return StoreError::corrupt(format!(
                "{self} is gone: {left} says that it was written, and there is nothing in the folder {name}. Nothing is read or written \
                 without it. Put {name} back from a backup. (Only if it was removed on purpose: remove {left}, too.)"
            ));
        }
        StoreError::corrupt(format!(
            "{self} has lost its log: {left} is there, but no entry of {name}/{LOG_FOLDER}, which says which files count. \
             Nothing is read or written without it. Put {name}/{LOG_FOLDER} back from a backup. (Only if all that ever \
             happened to {name} was a first ingest that was killed: remove the folder {name} and ingest again.)"
        ))
    }

    /// How wide the slices of a stored table are, and whether it holds what older versions would take for something else (sealed days, columns
    /// that change what a row says), as far as its log can be read and says so.
    pub(crate) async fn described(self) -> (Option<i64>, bool) {
        let found = blocking(move || {
            let snapshot = KernelSnapshot::builder_for(self.root()).build(&self.engine)?;
            let sealed = Sealed::of(&snapshot.table_properties().unknown_properties).is_some();
            let schema = snapshot.schema();
            let tells = self.kind.telling().iter().any(|column| schema.field(column).is_some());
            Ok((slice_seconds_of(&schema), sealed || tells))
        });
        found.await.unwrap_or_default()
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
