//! The rows of a day, each where it belongs.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{concat_batches, take};
use datafusion::arrow::datatypes::{SchemaRef, TimestampMicrosecondType, UInt32Type};
use tokio::task::yield_now;

use super::held::Shape;
use super::ranked::Ranked;
use crate::error::{Result, StoreError};

/// Rows of a batch.
const ROWS: usize = 1 << 15;

/// The rows of a day and their order.
pub(super) struct Placed {
    /// By row, the place of its key.
    ranks: Vec<u32>,
    given: Vec<ArrayRef>,
    /// The rows by key and time.
    order: Vec<u32>,
    /// Whether two rows have the same key and time.
    pub repeats: bool,
}

impl Placed {
    /// Of what each worker holds of the day.
    pub async fn of(shape: &Shape, ranked: &Ranked, pieces: Vec<(usize, Vec<RecordBatch>)>) -> Result<Self> {
        let mut ranks = Vec::new();
        for (worker, batches) in &pieces {
            let rank_of = &ranked.ranks[*worker];
            let numbers = batches.iter().flat_map(|batch| batch.column(0).as_primitive::<UInt32Type>().values());
            ranks.extend(numbers.map(|number| rank_of[*number as usize]));
        }
        let rows = concat_batches(shape.held(), pieces.iter().flat_map(|(_, batches)| batches))?;
        drop(pieces);
        // A day may be large, and whoever waits for the append may have gone.
        yield_now().await;
        let times = rows.column(shape.time()?).as_primitive::<TimestampMicrosecondType>().values();
        let keys = ranked.keys.first().map_or(0, |column| column.len());
        let mut order = by_rank(&ranks, keys)?;
        yield_now().await;
        let repeats = in_time(&mut order, &ranks, times);
        Ok(Placed { ranks, given: rows.columns()[1..].to_vec(), order, repeats })
    }

    /// The rows in order, as they were checked, without the partition.
    pub fn batches(
        &self,
        shape: &Shape,
        keys: &[ArrayRef],
        stored: &SchemaRef,
    ) -> impl Iterator<Item = Result<RecordBatch>> {
        self.order.chunks(ROWS).map(move |order| {
            let series = UInt32Array::from_iter_values(order.iter().map(|row| self.ranks[*row as usize]));
            let order = UInt32Array::from(order.to_vec());
            let given = self.given.iter().map(|values| Ok(take(values, &order, None)?)).collect::<Result<Vec<_>>>()?;
            Ok(RecordBatch::try_new(Arc::clone(stored), shape.columns(keys, &series, &given)?)?)
        })
    }

    /// Bytes on the heap.
    pub fn size(&self) -> usize {
        let given: usize = self.given.iter().map(|values| values.get_array_memory_size()).sum();
        given + (self.ranks.len() + self.order.len()) * size_of::<u32>()
    }
}

/// The rows by rank; those of the same rank as they came.
fn by_rank(ranks: &[u32], keys: usize) -> Result<Vec<u32>> {
    let rows = u32::try_from(ranks.len()).map_err(|_| StoreError::rows("a day has more than 2^32 rows"))?;
    if keys / 4 > ranks.len() {
        let mut order: Vec<u32> = (0..rows).collect();
        order.sort_by_key(|row| ranks[*row as usize]);
        return Ok(order);
    }
    // Where the next row of each rank goes.
    let mut places = vec![0u32; keys + 1];
    ranks.iter().for_each(|rank| places[*rank as usize + 1] += 1);
    for rank in 1..places.len() {
        places[rank] += places[rank - 1];
    }
    let mut order = vec![0; ranks.len()];
    for (row, rank) in (0..rows).zip(ranks) {
        let place = &mut places[*rank as usize];
        order[*place as usize] = row;
        *place += 1;
    }
    Ok(order)
}

/// Puts the rows of each rank in order of time; whether any two have the same.
fn in_time(order: &mut [u32], ranks: &[u32], times: &[i64]) -> bool {
    let (mut start, mut repeats) = (0, false);
    while start < order.len() {
        let rank = ranks[order[start] as usize];
        let length = order[start..].iter().take_while(|row| ranks[**row as usize] == rank).count();
        let series = &mut order[start..start + length];
        let time = |row: &u32| times[*row as usize];
        if !series.is_sorted_by(|a, b| time(a) < time(b)) {
            series.sort_by_key(time);
            repeats |= series.windows(2).any(|pair| time(&pair[0]) == time(&pair[1]));
        }
        start += length;
    }
    repeats
}
