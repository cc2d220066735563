//! Samples of a measured value per slice and key.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array};
use datafusion::arrow::error::ArrowError;

use super::series::Measured;
use super::sum;
use crate::columns::{Column, Named, ONE_OR_THE_OTHER};
use crate::fields::{Cell, misplaced, missing};
use crate::{IngestError, Result};

/// Samples of a slice and key. What comes out of several hand-outs is combined in the order of the input, so `last`
/// is that of the latest sample as far as samples of a slice come together or in order.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    samples: i64,
    sum: f64,
    min: f64,
    max: f64,
    last: f64,
    /// When the last sample was taken.
    last_time: i64,
}

/// One row of samples: either a value or the aggregates of several.
#[derive(Debug, Default)]
pub(crate) struct GaugesRow {
    value: Option<f64>,
    samples: Option<i64>,
    /// `sum`, `min`, `max` and `last`.
    numbers: [Option<f64>; 4],
}

impl Measured for Gauges {
    type Row = GaugesRow;

    fn set(row: &mut GaugesRow, (name, column): Named, cell: Cell<'_>) -> Result<()> {
        match column {
            Column::Value => row.value = Some(cell.number(name)?),
            Column::Count(_) => row.samples = Some(cell.count(name)?),
            Column::Number(at) => row.numbers[at] = Some(cell.number(name)?),
            _ => return Err(misplaced(name)),
        }
        Ok(())
    }

    fn add(&mut self, row: GaugesRow, time: i64) -> Result<()> {
        let more = row.measured(time)?;
        if self.samples == 0 {
            *self = more;
            return Ok(());
        }
        self.samples = sum("samples", self.samples, more.samples)?;
        self.sum += more.sum;
        if !self.sum.is_finite() {
            return Err(
                IngestError::bad_line("sum adds up to more than a number can hold for its slice and key").column("sum")
            );
        }
        self.min = self.min.min(more.min);
        self.max = self.max.max(more.max);
        if time >= self.last_time {
            (self.last, self.last_time) = (more.last, time);
        }
        Ok(())
    }

    fn array<'a>(column: Column, measured: impl Iterator<Item = &'a Self>) -> Result<ArrayRef, ArrowError> {
        let number = match column {
            Column::Number(0) => |gauge: &Self| gauge.sum,
            Column::Number(1) => |gauge: &Self| gauge.min,
            Column::Number(2) => |gauge: &Self| gauge.max,
            Column::Number(_) => |gauge: &Self| gauge.last,
            _ => return Ok(Arc::new(Int64Array::from_iter_values(measured.map(|gauge| gauge.samples)))),
        };
        Ok(Arc::new(Float64Array::from_iter_values(measured.map(number))))
    }
}

impl GaugesRow {
    /// What the row says, checked.
    fn measured(self, time: i64) -> Result<Gauges> {
        let is_aggregate = self.samples.is_some() || self.numbers.iter().any(Option::is_some);
        if let Some(value) = self.value {
            if is_aggregate {
                return Err(IngestError::bad_line("value stands beside samples, sum, min, max or last")
                    .column("value")
                    .expected(ONE_OR_THE_OTHER));
            }
            return Ok(Gauges { samples: 1, sum: value, min: value, max: value, last: value, last_time: time });
        }
        if !is_aggregate {
            return Err(missing("value"));
        }
        let [sum, min, max, last] = self.numbers;
        let given = |number: Option<f64>, column| number.ok_or_else(|| missing(column));
        let gauge = Gauges {
            samples: self.samples.ok_or_else(|| missing("samples"))?,
            sum: given(sum, "sum")?,
            min: given(min, "min")?,
            max: given(max, "max")?,
            last: given(last, "last")?,
            last_time: time,
        };
        check_samples(gauge.samples, gauge.min, gauge.max)?;
        Ok(gauge)
    }
}

/// Refuses an aggregate of nothing, and one whose least value exceeds its greatest.
pub(crate) fn check_samples(samples: i64, min: f64, max: f64) -> Result<()> {
    if samples < 1 {
        return Err(IngestError::bad_value("samples", &samples.to_string(), "at least one sample"));
    }
    if min > max {
        return Err(IngestError::bad_line(format!("min is {min} and max is {max}"))
            .column("min")
            .expected("min to be at most max"));
    }
    Ok(())
}
