//! What a batch means for the rows that are stored: the replacement of units, resolved before the commit.
//!
//! ```text
//! files of the batch ─┐  per partition: bounds ─▶ may overlap? ──no──▶ the files are added
//! files of a version ─┘                               │ yes
//!                              keys of both in the overlapping range ─▶ shared units? ──no──▶ added
//!                                                                           │ yes
//!                              rows of both, merged in key order ─▶ old rows of the batch's units are left out
//! ```
//!
//! What must hold: the files of the result have no unit in common with the files that stay; a partition whose rows all are stored
//! with the same values comes out as no change at all. Nothing here commits, and the result is good for any version whose
//! files that may overlap are the same.

mod resolve;
mod scan;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;

use crate::error::Result;
use crate::log::{Bounds, DataFile, NewFile};
use crate::objects::Objects;
use crate::schema::TableKind;
use crate::table::Changes;
use crate::write::{Layout, PartitionFiles, Written};
use resolve::Resolve;
use scan::Scan;

/// What a partition of a batch changes in a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub added: Vec<NewFile>,
    pub removed: Vec<DataFile>,
    pub changes: Changes,
}

/// The stored files that may share a unit with files of the batch of the same partition.
pub(crate) fn overlapping<'a>(kind: TableKind, new: &[NewFile], stored: &'a [DataFile]) -> Vec<&'a DataFile> {
    let first_day = new.first().and_then(|file| file.first_day);
    let of_partition = of_partition(stored, first_day);
    of_partition.iter().filter(|file| new.iter().any(|new| may_share(kind, &new.bounds, file.key_bounds()))).collect()
}

/// The files of one partition. Files are in the order of their partitions.
pub(crate) fn of_partition(files: &[DataFile], first_day: Option<i32>) -> &[DataFile] {
    let from = files.partition_point(|file| file.first_day() < first_day);
    let to = from + files[from..].partition_point(|file| file.first_day() == first_day);
    &files[from..to]
}

/// Whether bounds leave room for a common unit.
fn may_share(kind: TableKind, a: &Bounds, b: &Bounds) -> bool {
    unit_columns(kind).all(|key| match (a.of(key), b.of(key)) {
        (Some((a_min, a_max)), Some((b_min, b_max))) => a_min <= b_max && b_min <= a_max,
        _ => true,
    })
}

/// The places of the unit's columns in the key.
fn unit_columns(kind: TableKind) -> impl Iterator<Item = usize> {
    kind.unit().filter_map(move |name| kind.key().iter().position(|key| *key == name))
}

/// Resolves the files of one partition of a batch against the stored files that may overlap.
pub(crate) async fn resolve(
    layout: &Arc<Layout>,
    objects: &Objects,
    new: &[NewFile],
    stored: &[&DataFile],
    written: &Written,
    task: &Arc<TaskContext>,
) -> Result<Change> {
    let scan = Scan { layout, objects, task };
    let rows = new.iter().map(|file| file.rows).sum();
    let shared = match stored.is_empty() {
        true => BTreeSet::new(),
        false => {
            let mut keys = Resolve::keys(layout, scan.keys(new, stored)?)?;
            while keys.next().await?.is_some() {}
            keys.touched
        }
    };
    if shared.is_empty() {
        let changes = Changes { added: rows, ..Changes::default() };
        return Ok(Change { added: new.to_vec(), changes, ..Change::default() });
    }
    let touched: Vec<&DataFile> = shared.iter().filter_map(|&file| stored.get(file).copied()).collect();
    let mut merged = Resolve::rows(layout, scan.rows(new, &touched)?)?;
    let first_day = new.first().and_then(|file| file.first_day).unwrap_or_default();
    let memory = MemoryConsumer::new("merged file").register(task.memory_pool());
    let mut files = PartitionFiles::new(layout, objects, written, memory);
    while let Some(rows) = merged.next().await? {
        files.write(first_day, &rows).await?;
    }
    let added = files.finish().await?;
    let changes = merged.changes;
    if changes == (Changes { unchanged: changes.unchanged, ..Changes::default() }) {
        return Ok(Change { changes, ..Change::default() });
    }
    Ok(Change { added, removed: touched.into_iter().cloned().collect(), changes })
}
