//! A result as a table of texts: what all forms of a page have in common.

use chrono_tz::Tz;
use nines_engine::datafusion::arrow::array::{ArrayRef, RecordBatch};
use nines_engine::datafusion::arrow::datatypes::Schema;

use crate::cell::Cell;
use crate::columns::{Kind, kind};
use crate::format::{self, NULL};
use crate::unit::Unit;

/// A table for a person.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    /// Names of columns, and whether they are aligned to the right.
    pub columns: Vec<(String, bool)>,
    pub rows: Vec<Vec<String>>,
    /// How many rows there are beyond these.
    pub more: usize,
}

impl Table {
    pub fn new(cell: &Cell, schema: &Schema, batches: &[RecordBatch], zone: Tz, most: usize) -> Self {
        let asked = cell.chart.as_ref().map(|chart| chart.y.as_slice()).unwrap_or_default();
        let columns: Vec<(String, bool)> = schema
            .fields()
            .iter()
            .map(|field| (format::printable(field.name()), kind(field.data_type()) == Kind::Number))
            .collect();
        let units: Vec<Unit> = schema
            .fields()
            .iter()
            .map(|field| {
                let main =
                    if asked.is_empty() { field.data_type().is_floating() } else { asked.contains(field.name()) };
                cell.units.of(field.name(), main)
            })
            .collect();
        let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let mut rows = Vec::with_capacity(total.min(most));
        for batch in batches {
            for row in 0..batch.num_rows().min(most - rows.len()) {
                let value = |(array, unit): (&ArrayRef, &Unit)| {
                    format::value(array, row, unit, zone).unwrap_or_else(|| NULL.to_string())
                };
                rows.push(batch.columns().iter().zip(&units).map(value).collect());
            }
        }
        Table { columns, more: total - rows.len(), rows }
    }

    /// `… and 1,234 more rows`.
    pub fn rest(&self) -> Option<String> {
        match self.more {
            0 => None,
            1 => Some("… and 1 more row".to_string()),
            more => Some(format!("… and {} more rows", format::grouped_always(more))),
        }
    }
}
