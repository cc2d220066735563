//! The store of Nines: tables of per-slice aggregates, each an open-format Delta Lake table.
//!
//! A [`Store`] is a folder; its tables are [`TableKind`]s; a [`Table`] takes rows by
//! [`append`](Table::append) and gives [`Snapshot`]s; a [`Provider`] lets DataFusion query one, and
//! [`Snapshot::scan_by_day`] plans a scan for whoever works day by day.
//!
//! What must hold:
//! - a reader sees whole commits, at any retained version, and never deduplicates;
//! - what is read is verified, the log as well as the rows: an error names the object, and is [`StoreErrorKind::Corrupt`];
//! - rows in a file are sorted by key, a series' with time last, and no two have the same key;
//! - memory is bounded by the task's memory pool plus one file being encoded per partition;
//! - only this crate writes data or log objects, all of them through `objects`;
//! - nothing about correctness is read off a clock.
//!
//! No SQL here, and no knowledge of what an objective is.

mod backup;
mod check;
mod commit;
mod commits;
mod compact;
mod delete;
mod digest;
mod error;
mod found;
mod gc;
mod history;
mod left_over;
mod log;
mod marker;
mod objects;
mod once;
mod partition;
mod pieces;
mod provider;
mod repair;
mod restore;
mod rules;
mod runs;
mod schema;
mod sealed;
mod snapshot;
mod store;
mod table;
mod twice;
mod upsert;
mod version;
mod write;

pub use backup::{BackedUp, Backup};
pub use check::{Checked, Problem};
pub use commit::{Changes, Commit, Outcome};
pub use commits::{Begun, Known};
pub use compact::{Amount, Compacted, Compaction};
pub use delete::{Condemned, Deleted, Deletion};
pub use error::{NO_MEMORY, Result, StoreError, StoreErrorKind};
pub use gc::{Collected, Gc};
pub use history::{Before, ChangedDays, Extent, History, LoggedVersion};
pub use log::{DataFile, FilePartition, Origin};
pub use marker::DEFAULT_SLICE_SECONDS;
pub use once::{Batch, Mark, Once};
pub use partition::Partition;
pub use pieces::piece_of;
pub use provider::{ByDay, DAY_COLUMN, DayScan, Provider, day_after_day, reads_series};
pub use restore::Restored;
pub use rules::{
    Broken, END_OF_TIME, Gauge, InvalidRow, STATUSES, check_events, check_gauge, check_requests, check_status,
    first_invalid_row, is_currency, labels_of, labels_text,
};
pub use runs::run_starts;
pub use schema::*;
pub use sealed::Sealed;
pub use snapshot::Snapshot;
pub use store::Store;
pub use table::Table;
pub use upsert::{Overlap, Rule};
