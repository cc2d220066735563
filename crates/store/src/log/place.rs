//! Where the objects of a log are.

use datafusion::object_store::path::Path;

/// The folder of a table's log, in the table's.
pub(crate) const LOG_FOLDER: &str = "_delta_log";
/// How many versions apart checkpoints are.
pub(crate) const CHECKPOINT_EVERY: u64 = 50;
/// Who wrote an entry or a file.
pub(crate) const WRITTEN_BY: &str = concat!("nines ", env!("CARGO_PKG_VERSION"));
/// The folder of what stands beside the log, in a table's.
pub(crate) const HEADS_FOLDER: &str = "_nines";

/// A place in a table's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogPlace {
    pub table: String,
    pub version: u64,
}

impl LogPlace {
    pub(crate) fn entry(&self) -> Path {
        self.in_folder(LOG_FOLDER, "json")
    }

    pub(crate) fn checkpoint(&self) -> Path {
        self.in_folder(LOG_FOLDER, "checkpoint.parquet")
    }

    pub(crate) fn head(&self) -> Path {
        self.in_folder(HEADS_FOLDER, "head")
    }

    pub(crate) fn record(&self) -> Path {
        self.in_folder(HEADS_FOLDER, "checkpoint")
    }

    fn in_folder(&self, folder: &str, extension: &str) -> Path {
        Path::from(format!("{}/{folder}/{:020}.{extension}", self.table, self.version))
    }
}
