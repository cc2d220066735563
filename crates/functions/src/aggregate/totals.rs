//! The `GroupsAccumulator` of `sum` and `avg`.

use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, UInt64Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::{Result, exec_err, internal_err};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion_functions_aggregate_common::aggregate::groups_accumulator::accumulate::NullState;

use super::accumulator::Fresh;
use super::summand::Summand;

/// What is made of a total: the sum itself, or the mean. Decides what is counted besides.
pub(crate) trait Figure<S: Summand>: Send + Sync + 'static {
    /// The function, for messages.
    const FUNCTION: &'static str;
    /// How many values a total is of, where the figure needs it.
    type Count: Count;

    /// `None` if it does not fit.
    fn of(total: &S::Total, count: Self::Count, result: &DataType) -> Option<S::Native>;
}

/// The figure as a value of the result's type.
pub(crate) fn figure<S: Summand, F: Figure<S>>(
    total: &S::Total,
    count: F::Count,
    result: &DataType,
) -> Result<S::Native> {
    match F::of(total, count, result) {
        Some(figure) => Ok(figure),
        None => exec_err!("{}: the result does not fit in {result}", F::FUNCTION),
    }
}

/// A number of values, or nothing.
pub(crate) trait Count: Copy + Default + Send + Sync + 'static {
    fn add(&mut self, more: u64);
    fn merge(&mut self, more: Self);
    /// The column of a partial state.
    fn write(counts: &[Self]) -> Option<ArrayRef>;
    fn read(state: Option<&ArrayRef>, row: usize) -> Self;
}

impl Count for () {
    #[inline]
    fn add(&mut self, _: u64) {}

    fn merge(&mut self, (): ()) {}

    fn write(_: &[()]) -> Option<ArrayRef> {
        None
    }

    fn read(_: Option<&ArrayRef>, _: usize) {}
}

impl Count for u64 {
    #[inline]
    fn add(&mut self, more: u64) {
        *self += more;
    }

    fn merge(&mut self, more: u64) {
        *self += more;
    }

    fn write(counts: &[u64]) -> Option<ArrayRef> {
        Some(Arc::new(UInt64Array::from(counts.to_vec())))
    }

    fn read(state: Option<&ArrayRef>, row: usize) -> u64 {
        state.map_or(0, |counts| counts.as_primitive::<UInt64Type>().value(row))
    }
}

/// The columns of a partial state: the total, and the count where there is one.
pub(crate) fn state_fields<S: Summand, F: Figure<S>>(name: &str) -> Vec<FieldRef> {
    let total = Field::new(format_state_name(name, "total"), S::state_type(), true);
    let counts = F::Count::write(&[]).map(|counts| {
        let data_type = counts.data_type().clone();
        Arc::new(Field::new(format_state_name(name, "count"), data_type, true))
    });
    std::iter::once(Arc::new(total)).chain(counts).collect()
}

/// A total per group.
pub(crate) struct Totals<S: Summand, F: Figure<S>> {
    result: DataType,
    totals: Vec<S::Total>,
    counts: Vec<F::Count>,
    /// Which groups have seen a value.
    seen: NullState,
    /// Bytes of the totals' heap.
    heap: usize,
    figure: PhantomData<F>,
}

impl<S: Summand, F: Figure<S>> Totals<S, F> {
    pub fn new(result: &DataType) -> Self {
        let (totals, counts, seen) = (Vec::new(), Vec::new(), NullState::new());
        Totals { result: result.clone(), totals, counts, seen, heap: 0, figure: PhantomData }
    }

    fn take(&mut self, emit_to: EmitTo) -> (Vec<S::Total>, Vec<F::Count>, Option<NullBuffer>) {
        let totals = emit_to.take_needed(&mut self.totals);
        let counts = emit_to.take_needed(&mut self.counts);
        self.heap -= totals.iter().map(S::heap).sum::<usize>();
        (totals, counts, self.seen.build(emit_to))
    }
}

impl<S: Summand, F: Figure<S>> Fresh for Totals<S, F> {
    fn fresh(&self) -> Self {
        Totals::new(&self.result)
    }
}

impl<S: Summand, F: Figure<S>> GroupsAccumulator for Totals<S, F> {
    /// One pass, no allocation per row.
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.totals.resize(total_num_groups, S::Total::default());
        self.counts.resize(total_num_groups, F::Count::default());
        let (totals, counts, heap) = (&mut self.totals, &mut self.counts, &mut self.heap);
        let values = values[0].as_primitive::<S>();
        self.seen.accumulate(group_indices, values, filter, total_num_groups, |group, value| {
            let total = &mut totals[group];
            let before = S::heap(total);
            S::add(total, value);
            *heap += S::heap(total) - before;
            counts[group].add(1);
        });
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.totals.resize(total_num_groups, S::Total::default());
        self.counts.resize(total_num_groups, F::Count::default());
        let Some(totals) = states.first() else {
            // Groups without values.
            let none = PrimitiveArray::<UInt64Type>::new_null(0);
            self.seen.accumulate(&[], &none, Some(&BooleanArray::new_null(0)), total_num_groups, |_, _| {});
            return Ok(());
        };
        // Which rows hold a total, as `seen` wants to be told: by an array of numbers.
        let rows = UInt64Array::new((0..totals.len() as u64).collect(), totals.nulls().cloned());
        let mut failed = None;
        self.seen.accumulate(group_indices, &rows, None, total_num_groups, |group, row| {
            match S::read(totals, row as usize) {
                Ok(more) => {
                    let total = &mut self.totals[group];
                    let before = S::heap(total);
                    S::merge(total, &more);
                    self.heap += S::heap(total) - before;
                }
                Err(error) => failed = Some(error),
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        for (row, &group) in group_indices.iter().enumerate() {
            let more = F::Count::read(states.get(1), row);
            self.counts[group].merge(more);
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (totals, counts, seen) = self.take(emit_to);
        let is_seen = |row: usize| seen.as_ref().is_none_or(|seen| seen.is_valid(row));
        let figures = totals.iter().zip(counts).enumerate().map(|(row, (total, count))| match is_seen(row) {
            true => figure::<S, F>(total, count, &self.result).map(Some),
            false => Ok(None),
        });
        let figures: PrimitiveArray<S> = figures.collect::<Result<_>>()?;
        Ok(Arc::new(figures.with_data_type(self.result.clone())))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let (totals, counts, seen) = self.take(emit_to);
        let totals = S::write(&totals, seen)?;
        Ok(std::iter::once(totals).chain(F::Count::write(&counts)).collect())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let Some(rows) = values.first().map(|column| column.len()) else {
            return internal_err!("{} of no argument", F::FUNCTION);
        };
        let mut each = self.fresh();
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        let (totals, counts) = (self.totals.capacity(), self.counts.capacity());
        totals * size_of::<S::Total>() + counts * size_of::<F::Count>() + self.heap + self.seen.size()
    }
}
