//! The keys of all workers in the order of the table.

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::compute::{SortColumn, concat, lexsort_to_indices, partition, take};

use super::super::layout::ASCENDING;
use crate::error::Result;

/// Keys, each once.
pub(super) struct Ranked {
    /// Ascending.
    pub keys: Vec<ArrayRef>,
    /// By worker, from the number of a series to its place among the keys.
    pub ranks: Vec<Vec<u32>>,
}

impl Ranked {
    /// Of the keys of each worker, by column.
    pub fn of(workers: &[&[ArrayRef]]) -> Result<Self> {
        let columns = workers.first().map_or(0, |keys| keys.len());
        let each = |column: usize| workers.iter().map(|keys| keys[column].as_ref()).collect::<Vec<&dyn Array>>();
        let all = (0..columns).map(|column| Ok(concat(&each(column))?)).collect::<Result<Vec<_>>>()?;
        let sorted: Vec<SortColumn> =
            all.iter().map(|values| SortColumn { values: values.clone(), options: Some(ASCENDING) }).collect();
        let order = lexsort_to_indices(&sorted, None)?;
        let sorted = all.iter().map(|values| Ok(take(values, &order, None)?)).collect::<Result<Vec<_>>>()?;
        let same = partition(&sorted)?.ranges();
        let mut flat = vec![0; order.len()];
        for (rank, rows) in same.iter().enumerate() {
            rows.clone().for_each(|row| flat[order.value(row) as usize] = rank as u32);
        }
        let first = UInt32Array::from_iter_values(same.iter().map(|rows| rows.start as u32));
        let keys = sorted.iter().map(|values| Ok(take(values, &first, None)?)).collect::<Result<_>>()?;
        let mut left = flat.as_slice();
        let of_worker = |keys: &&[ArrayRef]| {
            let (own, rest) = left.split_at(keys.first().map_or(0, |column| column.len()));
            left = rest;
            own.to_vec()
        };
        let ranks = workers.iter().map(of_worker).collect();
        Ok(Ranked { keys, ranks })
    }
}
