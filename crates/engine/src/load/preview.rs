//! What of an input would be stored, for a person to look at before it is.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use nines_store::TableKind;

use crate::Result;

/// First rows that are shown.
const ROWS: usize = 5;
/// Most services and endpoints that are told apart, and of them shown.
const GROUPS: usize = 10_000;
const SHOWN: usize = 20;

/// What would be stored.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The first rows, in the table's columns, before those of the same key are combined.
    pub first: RecordBatch,
    /// By service, endpoint and name how many rows there are, and their counts, of those with the most; `None` for records.
    pub by: Option<RecordBatch>,
    /// How many others there are, at the least.
    pub others: usize,
}

/// Looks at rows on their way.
#[derive(Debug)]
pub(super) struct Look(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    first: Vec<RecordBatch>,
    groups: BTreeMap<Vec<String>, Vec<i64>>,
}

/// By what rows are told apart.
fn names(table: TableKind) -> Vec<&'static str> {
    ["service", "endpoint", "name"].into_iter().filter(|name| table.key().contains(name)).collect()
}

/// What is added up.
fn counts(table: TableKind) -> &'static [&'static str] {
    match table {
        TableKind::Requests => &["requests"],
        TableKind::Events => &["good", "total"],
        TableKind::Gauges => &["samples"],
        _ => &[],
    }
}

impl Look {
    pub fn new() -> Arc<Self> {
        Arc::new(Look(Mutex::default()))
    }

    /// The rows, each looked at.
    pub fn at(self: &Arc<Self>, table: TableKind, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let (schema, look) = (rows.schema(), Arc::clone(self));
        let rows = rows.inspect(move |batch| {
            if let Ok(batch) = batch {
                look.0.lock().unwrap_or_else(PoisonError::into_inner).add(table, batch);
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }

    /// Forgets what was seen, because it is read again.
    pub fn again(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Seen::default();
    }

    /// What was seen; `None` if there were no rows.
    pub fn preview(&self, table: TableKind) -> Result<Option<Preview>> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(first) = seen.first.first() else { return Ok(None) };
        let first = datafusion::arrow::compute::concat_batches(&first.schema(), &seen.first)
            .map_err(datafusion::error::DataFusionError::from)?;
        let mut groups: Vec<(&Vec<String>, &Vec<i64>)> = seen.groups.iter().collect();
        // Stable: of those with as many the first by name.
        groups.sort_by_key(|(_, counts)| Reverse(counts.last().copied()));
        let others = groups.len().saturating_sub(SHOWN);
        groups.truncate(SHOWN);
        let by = table.is_series().then(|| {
            let texts = names(table).into_iter().enumerate().map(|(at, name)| {
                let texts = StringArray::from_iter_values(groups.iter().map(|(group, _)| &group[at]));
                (name, Arc::new(texts) as ArrayRef)
            });
            let sums = ["rows"].iter().chain(counts(table)).enumerate().map(|(at, name)| {
                let sums = Int64Array::from_iter_values(groups.iter().map(|(_, counts)| counts[at]));
                (*name, Arc::new(sums) as ArrayRef)
            });
            RecordBatch::try_from_iter(texts.chain(sums))
        });
        let by = by.transpose().map_err(datafusion::error::DataFusionError::from)?;
        Ok(Some(Preview { first, by, others }))
    }
}

impl Seen {
    fn add(&mut self, table: TableKind, batch: &RecordBatch) {
        let held: usize = self.first.iter().map(RecordBatch::num_rows).sum();
        let wanted = ROWS.saturating_sub(held).min(batch.num_rows());
        if wanted > 0 {
            self.first.push(batch.slice(0, wanted));
        }
        if !table.is_series() {
            return;
        }
        let texts: Vec<_> =
            names(table).iter().filter_map(|name| batch.column_by_name(name)?.as_string_view_opt()).collect();
        let sums: Vec<_> = counts(table)
            .iter()
            .filter_map(|name| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>())
            .collect();
        for row in 0..batch.num_rows() {
            let group: Vec<String> = texts.iter().map(|texts| texts.value(row).to_string()).collect();
            if self.groups.len() >= GROUPS && !self.groups.contains_key(&group) {
                continue;
            }
            let group = self.groups.entry(group).or_insert_with(|| vec![0; sums.len() + 1]);
            group[0] = group[0].saturating_add(1);
            for (sum, counts) in group[1..].iter_mut().zip(&sums) {
                *sum = sum.saturating_add(counts.value(row));
            }
        }
    }
}
