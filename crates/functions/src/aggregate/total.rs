//! The `Accumulator` of `sum` and `avg`, for queries without GROUP BY and for windows, sliding ones included.

use std::fmt;
use std::marker::PhantomData;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::summand::Summand;
use super::totals::{Count, Figure, figure};

/// One total. What was added can be taken out again, exactly.
pub(crate) struct Total<S: Summand, F: Figure<S>> {
    result: DataType,
    total: S::Total,
    /// Values in it.
    count: u64,
    figure: PhantomData<F>,
}

impl<S: Summand, F: Figure<S>> Total<S, F> {
    pub fn new(result: &DataType) -> Self {
        Total { result: result.clone(), total: S::Total::default(), count: 0, figure: PhantomData }
    }

    fn counted(&self) -> F::Count {
        let mut counted = F::Count::default();
        counted.add(self.count);
        counted
    }
}

impl<S: Summand, F: Figure<S>> fmt::Debug for Total<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(F::FUNCTION)
    }
}

impl<S: Summand, F: Figure<S>> Accumulator for Total<S, F> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<S>();
        self.count += (values.len() - values.null_count()) as u64;
        S::add_all(&mut self.total, values);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<S>();
        self.count -= (values.len() - values.null_count()) as u64;
        values.iter().flatten().for_each(|value| S::subtract(&mut self.total, value));
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for row in (0..states[0].len()).filter(|&row| states[0].is_valid(row)) {
            S::merge(&mut self.total, &S::read(&states[0], row)?);
            // A sum is of some values or of none.
            self.count += states.get(1).map_or(1, |counts| u64::read(Some(counts), row));
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let value = match self.count {
            0 => None,
            _ => Some(figure::<S, F>(&self.total, self.counted(), &self.result)?),
        };
        ScalarValue::new_primitive::<S>(value, &self.result)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let nulls = (self.count == 0).then(|| NullBuffer::new_null(1));
        let total = S::write(std::slice::from_ref(&self.total), nulls)?;
        let counts = F::Count::write(&[self.counted()]);
        std::iter::once(total).chain(counts).map(|column| ScalarValue::try_from_array(&column, 0)).collect()
    }

    fn size(&self) -> usize {
        size_of_val(self) + S::heap(&self.total)
    }
}
