//! Looks at keys of new and of stored files before a commit: what a batch is about, and whether its sources spoke of it before.
//!
//! Both read only key columns, of stored files only those whose slices the batch has.

use std::collections::{BTreeSet, HashMap, HashSet};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int32Type, TimestampMicrosecondType};
use futures::StreamExt;

use super::rule::{Overlap, Scope, Span};
use super::scan::{NEW, ORIGIN, Scan};
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{Bounds, DataFile, NewFile, Nulls};
use crate::pieces::{piece_of, plain};
use crate::schema::TableKind;

/// The columns, apart from the source, of which a scope is made.
fn scope_columns(kind: TableKind) -> impl Iterator<Item = &'static str> {
    kind.unit().filter(|name| matches!(*name, "business" | "service" | "name"))
}

/// Encodes what rows are of.
pub(super) struct Scopes {
    columns: Vec<&'static str>,
}

impl Scopes {
    pub(super) fn new(kind: TableKind) -> Self {
        Self { columns: scope_columns(kind).collect() }
    }

    pub(super) fn of(&self, rows: &RecordBatch, row: usize) -> Scope {
        let mut scope = Vec::new();
        let mut push = |text: &str| {
            scope.extend_from_slice(&(text.len() as u64).to_le_bytes());
            scope.extend_from_slice(text.as_bytes());
        };
        self.columns.iter().for_each(|name| push(rows[*name].as_string_view().value(row)));
        push(plain(rows["source"].as_string_view().value(row)));
        scope
    }
}

/// The slices of new files by scope, and the files of which their pieces are.
struct Batch {
    slices: HashMap<Scope, BTreeSet<i64>>,
    pieces: BTreeSet<String>,
}

/// Reads the keys of new files.
async fn batch(scan: &Scan<'_>, new: &[NewFile]) -> Result<Batch> {
    let scopes = Scopes::new(scan.layout.kind());
    let mut batch = Batch { slices: HashMap::new(), pieces: BTreeSet::new() };
    let mut keys = scan.keys_where(new, &[], None)?;
    while let Some(rows) = keys.next().await.transpose()? {
        let times = rows["time"].as_primitive::<TimestampMicrosecondType>().values();
        let sources = rows["source"].as_string_view();
        let mut last: Option<(Scope, usize)> = None;
        for (row, &time) in times.iter().enumerate() {
            // Neighbours mostly are of one series.
            let scope = match last.take() {
                Some((scope, before)) if same_scope(&rows, &scopes.columns, before, row) => scope,
                _ => scopes.of(&rows, row),
            };
            if let Some((_, file)) = piece_of(sources.value(row))
                && !batch.pieces.contains(file)
            {
                batch.pieces.insert(file.to_string());
            }
            batch.slices.entry(scope.clone()).or_default().insert(time);
            last = Some((scope, row));
        }
    }
    Ok(batch)
}

fn same_scope(rows: &RecordBatch, columns: &[&'static str], a: usize, b: usize) -> bool {
    columns.iter().chain(&["source"]).all(|name| {
        let texts = rows[*name].as_string_view();
        texts.value(a) == texts.value(b)
    })
}

/// All that a batch speaks of; `None` if it has no rows.
pub(crate) async fn span(scan: &Scan<'_>, new: &[NewFile]) -> Result<Option<Span>> {
    let batch = batch(scan, new).await?;
    let slices = || batch.slices.values();
    let from = slices().filter_map(|slices| slices.first()).min().copied();
    let to = slices().filter_map(|slices| slices.last()).max().copied();
    Ok(from.zip(to).map(|(from, to)| Span { scopes: batch.slices.into_keys().collect(), from, to }))
}

/// Texts of bytes by number, each held once: a batch has many rows of few scopes and labels.
#[derive(Default)]
struct Numbers(HashMap<Vec<u8>, u32>);

impl Numbers {
    fn of(&mut self, text: Vec<u8>) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(text).or_insert(next)
    }
}

/// In which slices of a batch that replaces stored rows of its sources stay because they have other labels.
pub(crate) async fn relabelled(scan: &Scan<'_>, new: &[NewFile], stored: &[DataFile]) -> Result<Option<Overlap>> {
    let kind = scan.layout.kind();
    let Some(labels) = kind.key().iter().position(|name| *name == "labels") else { return Ok(None) };
    let has_labels = |bounds: &Bounds| bounds.nulls(labels) != Some(Nulls::All);
    let times = new.iter().filter_map(|file| file.bounds.time_range(kind)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let Some((first, last)) = times else { return Ok(None) };
    let near = |file: &&DataFile| file.time_range().is_none_or(|(from, to)| from <= last && first <= to);
    let stored: Vec<&DataFile> = stored.iter().filter(near).collect();
    let is_labelled =
        new.iter().any(|file| has_labels(&file.bounds)) || stored.iter().any(|file| has_labels(file.key_bounds()));
    if stored.is_empty() || !is_labelled {
        return Ok(None);
    }
    let scopes = Scopes::new(kind);
    let text = |rows: &RecordBatch, row: usize| {
        let labels = rows["labels"].as_string_view();
        if labels.is_valid(row) { labels.value(row).as_bytes().to_vec() } else { Vec::new() }
    };
    let (mut numbers, mut texts) = (Numbers::default(), Numbers::default());
    // By scope and slice, and with the labels.
    let (mut slices, mut batch) = (HashSet::new(), HashSet::new());
    let mut keys = scan.keys_where(new, &[], None)?;
    while let Some(rows) = keys.next().await.transpose()? {
        let times = rows["time"].as_primitive::<TimestampMicrosecondType>().values();
        for (row, &time) in times.iter().enumerate() {
            let of = (numbers.of(scopes.of(&rows, row)), time);
            slices.insert(of);
            batch.insert((of, texts.of(text(&rows, row))));
        }
    }
    let mut met: BTreeSet<(u32, i64)> = BTreeSet::new();
    let mut keys = scan.keys_where(&[], &stored, Some(scan.between(first, last)?))?;
    while let Some(rows) = keys.next().await.transpose()? {
        let times = rows["time"].as_primitive::<TimestampMicrosecondType>().values();
        for (row, &time) in times.iter().enumerate() {
            let of = (numbers.of(scopes.of(&rows, row)), time);
            if slices.contains(&of) && !batch.contains(&(of, texts.of(text(&rows, row)))) {
                met.insert(of);
            }
        }
    }
    Ok(met.into_iter().map(|(_, slice)| Overlap::of(slice)).reduce(Overlap::and))
}

/// Which slices of a batch that adds the same sources have spoken of, in other files; refuses those that may be stored raw by an older
/// version.
pub(crate) async fn overlap(
    scan: &Scan<'_>,
    new: &[NewFile],
    stored: &[&DataFile],
    older_until: i64,
) -> Result<Option<Overlap>> {
    let kind = scan.layout.kind();
    let times = new.iter().filter_map(|file| file.bounds.time_range(kind)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let Some((first, last)) = times else { return Ok(None) };
    let near = |file: &&&DataFile| file.time_range().is_none_or(|(from, to)| from <= last && first <= to);
    let stored: Vec<&DataFile> = stored.iter().filter(near).copied().collect();
    if stored.is_empty() {
        return Ok(None);
    }
    let batch = batch(scan, new).await?;
    let scopes = Scopes::new(kind);
    let mut met: BTreeSet<(Scope, i64)> = BTreeSet::new();
    let mut keys = scan.keys_where(&[], &stored, Some(scan.between(first, last)?))?;
    while let Some(rows) = keys.next().await.transpose()? {
        let times = rows["time"].as_primitive::<TimestampMicrosecondType>().values();
        let (sources, origins) = (rows["source"].as_string_view(), rows[ORIGIN].as_primitive::<Int32Type>());
        for (row, time) in times.iter().enumerate().filter(|(row, _)| origins.value(*row) != NEW) {
            let piece = piece_of(sources.value(row));
            if piece.is_some_and(|(_, file)| batch.pieces.contains(file)) {
                continue;
            }
            let scope = scopes.of(&rows, row);
            if !batch.slices.get(&scope).is_some_and(|slices| slices.contains(time)) {
                continue;
            }
            if piece.is_none() && *time < older_until {
                let at = chrono::DateTime::from_timestamp_micros(*time).unwrap_or_default();
                let (table, at) = (kind.name(), at.format("%Y-%m-%dT%H:%M:%SZ"));
                let source = sources.value(row);
                return Err(StoreError::new(
                    StoreErrorKind::Overlap,
                    format!(
                        "{table} has rows of the source {source:?} at {at} already, stored before raw files were told from \
                         aggregates: the same rows would count twice"
                    ),
                ));
            }
            met.insert((scope, *time));
        }
    }
    Ok(met.into_iter().map(|(_, slice)| Overlap::of(slice)).reduce(Overlap::and))
}
