//! Rows that wait until all are there: by day, the key of a series as its number.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, new_null_array};
use datafusion::arrow::compute::{BatchCoalescer, take, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef};
use datafusion::logical_expr::EmitTo;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

use super::super::check::Check;
use super::super::layout::{PARTITION, present};
use crate::error::{Result, StoreError};
use crate::runs::run_starts;
use crate::schema::TableKind;

/// Rows of a day that are copied together.
const TOGETHER: usize = 2048;
/// A batch of rows of several days is cut where the day changes if these parts have so many rows, and dealt out row by row if not.
const SLICED: usize = 16;

/// Which columns of checked rows are what.
pub(super) struct Shape {
    kind: TableKind,
    /// Of checked rows: what is stored, and last the partition.
    checked: SchemaRef,
    /// The key without time.
    keys: Vec<usize>,
    /// Time and what is measured, as far as rows give it.
    given: Vec<usize>,
    /// Of rows that are held: the number of the series, and what is given.
    held: SchemaRef,
}

impl Shape {
    pub fn new(kind: TableKind, check: &Check) -> Result<Self> {
        let checked = Arc::clone(check.schema());
        let names = present(kind, &checked).filter(|name| *name != "time");
        let keys = names.map(|name| Ok(checked.index_of(name)?)).collect::<Result<Vec<_>>>()?;
        let partition = checked.index_of(PARTITION)?;
        let given: Vec<usize> = (0..partition).filter(|at| !keys.contains(at) && check.is_given(*at)).collect();
        let series = Field::new("series", DataType::UInt32, false);
        let fields = given.iter().map(|&at| checked.field(at).clone());
        let held = Arc::new(Schema::new(std::iter::once(series).chain(fields).collect::<Vec<_>>()));
        Ok(Shape { kind, checked, keys, given, held })
    }

    pub fn kind(&self) -> TableKind {
        self.kind
    }

    /// Of checked rows.
    pub fn checked(&self) -> &SchemaRef {
        &self.checked
    }

    /// Of rows that are held.
    pub fn held(&self) -> &SchemaRef {
        &self.held
    }

    /// Which column of rows that are held is the time.
    pub fn time(&self) -> Result<usize> {
        Ok(self.held.index_of("time")?)
    }

    /// Rows as they were checked, but for the partition: `series` says for each whose key among `keys` is its own.
    pub fn columns(&self, keys: &[ArrayRef], series: &UInt32Array, given: &[ArrayRef]) -> Result<Vec<ArrayRef>> {
        let mut columns = Vec::with_capacity(self.checked.fields().len());
        for at in 0..self.checked.fields().len() - 1 {
            let place = |of: &[usize]| of.iter().position(|other| *other == at);
            columns.push(match (place(&self.keys), place(&self.given)) {
                (Some(key), _) => take(&keys[key], series, None)?,
                (_, Some(given_at)) => Arc::clone(&given[given_at]),
                (None, None) => new_null_array(self.checked.field(at).data_type(), series.len()),
            });
        }
        Ok(columns)
    }
}

/// Rows that one worker holds.
pub(super) struct Held {
    shape: Arc<Shape>,
    series: Box<dyn GroupValues>,
    /// By run of rows, the number of its series.
    found: Vec<usize>,
    days: BTreeMap<i32, BatchCoalescer>,
    bytes: usize,
}

/// What is left of it once all rows are there.
pub(super) struct Parts {
    /// The keys of its series, by number.
    pub keys: Vec<ArrayRef>,
    pub days: BTreeMap<i32, Vec<RecordBatch>>,
}

impl Held {
    pub fn new(shape: Arc<Shape>) -> Result<Self> {
        let keys = Arc::new(shape.checked.project(&shape.keys)?);
        let series = new_group_values(keys, &GroupOrdering::None)?;
        Ok(Held { shape, series, found: Vec::new(), days: BTreeMap::new(), bytes: 0 })
    }

    /// Adds checked rows.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.numbers(rows)?)];
        columns.extend(self.shape.given.iter().map(|&at| Arc::clone(rows.column(at))));
        for column in &columns {
            self.bytes += column.to_data().get_slice_memory_size()?;
        }
        let held = RecordBatch::try_new(Arc::clone(&self.shape.held), columns)?;
        let partitions = rows.column(rows.num_columns() - 1).as_primitive::<Date32Type>().values();
        let mut parts = Vec::new();
        let mut start = 0;
        while start < partitions.len() {
            let day = partitions[start];
            let length = partitions[start..].iter().take_while(|&&other| other == day).count();
            parts.push((day, start, length));
            start += length;
        }
        if parts.len() == 1 || parts.len() * SLICED <= rows.num_rows() {
            return parts.into_iter().try_for_each(|(day, start, length)| self.push(day, held.slice(start, length)));
        }
        let mut by_day: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (day, start, length) in parts {
            by_day.entry(day).or_default().extend(start as u32..(start + length) as u32);
        }
        let mut by_day = by_day.into_iter();
        by_day.try_for_each(|(day, rows)| self.push(day, take_record_batch(&held, &UInt32Array::from(rows))?))
    }

    fn push(&mut self, day: i32, rows: RecordBatch) -> Result<()> {
        let new = || BatchCoalescer::new(Arc::clone(&self.shape.held), TOGETHER);
        Ok(self.days.entry(day).or_insert_with(new).push_batch(rows)?)
    }

    /// The number of the series of each row.
    fn numbers(&mut self, rows: &RecordBatch) -> Result<UInt32Array> {
        let keys: Vec<ArrayRef> = self.shape.keys.iter().map(|&at| Arc::clone(rows.column(at))).collect();
        let starts = run_starts(&keys, rows.num_rows());
        let heads = match starts.len() == rows.num_rows() {
            true => keys,
            false => {
                let at = UInt32Array::from_iter_values(starts.iter().map(|start| *start as u32));
                keys.iter().map(|key| Ok(take(key, &at, None)?)).collect::<Result<_>>()?
            }
        };
        self.series.intern(&heads, &mut self.found)?;
        let ends = starts.iter().skip(1).copied().chain([rows.num_rows()]);
        let mut numbers = Vec::with_capacity(rows.num_rows());
        for (&number, end) in self.found.iter().zip(ends) {
            let number = u32::try_from(number).map_err(|_| StoreError::rows("there are more than 2^32 series"))?;
            numbers.resize(end, number);
        }
        Ok(numbers.into())
    }

    /// Bytes on the heap.
    pub fn size(&self) -> usize {
        self.bytes + self.series.size()
    }

    /// The keys and the rows apart.
    pub fn into_parts(mut self) -> Result<Parts> {
        let keys = match self.series.is_empty() {
            true => {
                self.shape.keys.iter().map(|&at| new_null_array(self.shape.checked.field(at).data_type(), 0)).collect()
            }
            false => self.series.emit(EmitTo::All)?,
        };
        let mut days = BTreeMap::new();
        for (day, mut rows) in self.days {
            rows.finish_buffered_batch()?;
            days.insert(day, std::iter::from_fn(|| rows.next_completed_batch()).collect());
        }
        Ok(Parts { keys, days })
    }
}
