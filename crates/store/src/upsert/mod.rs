//! What a batch means for the rows that are stored, resolved before the commit: by its [`Rule`] it replaces units, adds to them
//! or replaces all that its sources said in a span.
//!
//! ```text
//! files of the batch ─┐  per partition: bounds ─▶ may overlap? ──no──▶ the files are added
//! files of a version ─┘                               │ yes
//!                              rows of both, the same? ──yes──▶ no change
//!                                                                           │ no
//!                              keys of both in the overlapping range ─▶ shared units? ──no──▶ added
//!                                                                           │ yes
//!                              rows of both, merged in key order ─▶ old rows of the batch's units are left out
//! ```
//!
//! What must hold: the files of the result have no unit in common with the files that stay; a partition whose rows all are stored
//! with the same values comes out as no change at all. Nothing here commits, and the result is good for any version whose
//! files that may overlap are the same.

mod overlap;
mod resolve;
mod rule;
mod same;
mod scan;
mod unit;

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::execution::memory_pool::MemoryConsumer;

use crate::commit::Changes;
use crate::error::Result;
use crate::log::{Bounds, DataFile, FileList, NewFile, Nulls, refuse_foreign};
use crate::schema::TableKind;
use crate::write::{PartitionFiles, Written};
use resolve::{Means, Resolve};
use unit::{is_one_piece, last_piece, unit_columns};

pub(crate) use overlap::{overlap, relabelled, span};
pub(crate) use rule::Span;
pub use rule::{Overlap, Rule};
use same::same;
pub(crate) use scan::{ORIGIN, Scan};

/// What a partition of a batch changes in a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub added: Vec<NewFile>,
    pub removed: Vec<DataFile>,
    pub changes: Changes,
}

/// The stored files that may share a unit with files of the batch of the same partition.
pub(crate) fn overlapping<'a>(kind: TableKind, new: &[NewFile], stored: &'a FileList) -> Vec<&'a DataFile> {
    let of_partition = stored.of(new.first().and_then(|file| file.first_day));
    of_partition.iter().filter(|file| new.iter().any(|new| may_share(kind, &new.bounds, file.key_bounds()))).collect()
}

/// The stored files of a partition that may hold rows of a span.
pub(crate) fn spanned<'a>(stored: &'a FileList, first_day: Option<i32>, span: &Span) -> Vec<&'a DataFile> {
    let may_hold = |file: &&DataFile| file.time_range().is_none_or(|(from, to)| from <= span.to && span.from <= to);
    stored.of(first_day).iter().filter(may_hold).collect()
}

/// Whether bounds of a batch's file and of a stored one leave room for a common unit.
fn may_share(kind: TableKind, a: &Bounds, b: &Bounds) -> bool {
    unit_columns(kind).all(|key| match (a.of(key), b.of(key)) {
        (Some((a_min, a_max)), Some((b_min, b_max))) if kind.key()[key] == "source" => {
            a_min <= b_max && (b_min <= a_max || !is_one_piece(a_min, a_max) && *b_min <= last_piece(a_max))
        }
        (Some((a_min, a_max)), Some((b_min, b_max))) => a_min <= b_max && b_min <= a_max,
        // NULL is a value of its own.
        _ => !matches!(
            (a.nulls(key), b.nulls(key)),
            (Some(Nulls::All), Some(Nulls::None)) | (Some(Nulls::None), Some(Nulls::All))
        ),
    })
}

/// Resolves the files of one partition of a batch against the stored files that may overlap.
pub(crate) async fn resolve(
    scan: &Scan<'_>,
    first_day: Option<i32>,
    new: &[NewFile],
    stored: &[&DataFile],
    rule: Rule,
    span: Option<&Arc<Span>>,
    written: &Written,
) -> Result<Change> {
    let layout = scan.layout;
    let means = match (rule, span) {
        (Rule::Span, Some(span)) => Means::Span(Arc::clone(span)),
        (Rule::Add { .. }, _) if layout.kind() == TableKind::Gauges => Means::Merge,
        (Rule::Replace | Rule::Add { .. } | Rule::Span, _) => Means::Replace,
    };
    let rows = new.iter().map(|file| file.rows).sum();
    if matches!(means, Means::Replace) && !stored.is_empty() && same(scan, new, stored).await? {
        return Ok(Change { changes: Changes { unchanged: rows, ..Changes::default() }, ..Change::default() });
    }
    let shared = match stored.is_empty() {
        true => BTreeSet::new(),
        false => {
            let keys = match &means {
                Means::Span(_) => scan.keys_where(new, stored, None)?,
                Means::Replace | Means::Merge => scan.keys(new, stored)?,
            };
            let mut keys = Resolve::keys(layout, keys, means.clone())?;
            while keys.next().await?.is_some() {}
            keys.touched
        }
    };
    if shared.is_empty() {
        let changes = Changes { added: rows, ..Changes::default() };
        return Ok(Change { added: new.to_vec(), changes, ..Change::default() });
    }
    let touched: Vec<&DataFile> = shared.iter().filter_map(|&file| stored.get(file).copied()).collect();
    refuse_foreign(layout.kind(), touched.iter().copied(), "the rows change what is stored in")?;
    let mut merged = Resolve::rows(layout, scan.rows(new, &touched)?, means)?;
    let memory = MemoryConsumer::new("merged file").register(scan.task.memory_pool());
    let mut files = PartitionFiles::new(layout, scan.objects, written, memory);
    while let Some(rows) = merged.next().await? {
        files.write(first_day.unwrap_or_default(), &rows).await?;
    }
    let added = files.finish().await?;
    let changes = merged.changes;
    if changes == (Changes { unchanged: changes.unchanged, ..Changes::default() }) {
        return Ok(Change { changes, ..Change::default() });
    }
    Ok(Change { added, removed: touched.into_iter().cloned().collect(), changes })
}
