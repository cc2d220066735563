//! Targets as Arrow values: decimals are exact, a float is the decimal it prints as.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, Int64Type};
use datafusion::common::{Result, exec_err, internal_err};
use nines_timeline::{Share, ShareError};

/// Reads shares from an array; a value equal to the one before costs a comparison.
pub(crate) struct ShareColumn<'a> {
    array: &'a ArrayRef,
    function: &'static str,
    last: Option<(u128, Share)>,
}

impl<'a> ShareColumn<'a> {
    pub fn new(array: &'a ArrayRef, function: &'static str) -> Self {
        ShareColumn { array, function, last: None }
    }

    /// The one share of all rows, if they are all the same: a literal, nearly always.
    pub fn constant(&mut self) -> Result<Option<Share>> {
        if self.array.is_empty() || self.array.null_count() > 0 {
            return Ok(None);
        }
        let same = match self.array.data_type() {
            DataType::Float64 => all_same(self.array.as_primitive::<Float64Type>().values()),
            DataType::Decimal128(..) => all_same(self.array.as_primitive::<Decimal128Type>().values()),
            DataType::Int64 => all_same(self.array.as_primitive::<Int64Type>().values()),
            _ => false,
        };
        if same { self.value(0) } else { Ok(None) }
    }

    /// The share in this row, `None` for NULL.
    pub fn value(&mut self, row: usize) -> Result<Option<Share>> {
        if self.array.is_null(row) {
            return Ok(None);
        }
        let bits = match self.array.data_type() {
            DataType::Float64 => self.array.as_primitive::<Float64Type>().value(row).to_bits().into(),
            DataType::Float32 => self.array.as_primitive::<Float32Type>().value(row).to_bits().into(),
            DataType::Decimal128(..) => self.array.as_primitive::<Decimal128Type>().value(row) as u128,
            DataType::Int64 => self.array.as_primitive::<Int64Type>().value(row) as u128,
            other => return internal_err!("a share in a column of type {other}"),
        };
        if let Some((known, share)) = self.last
            && known == bits
        {
            return Ok(Some(share));
        }
        match self.parse(row) {
            Ok(share) => {
                self.last = Some((bits, share));
                Ok(Some(share))
            }
            Err(error) => exec_err!("{}: {error}", self.function),
        }
    }

    fn parse(&self, row: usize) -> Result<Share, ShareError> {
        match self.array.data_type() {
            DataType::Float64 => Share::from_f64(self.array.as_primitive::<Float64Type>().value(row)),
            // Through its own text: widened first, 0.999_f32 would print as 0.9990000128746033.
            DataType::Float32 => self.array.as_primitive::<Float32Type>().value(row).to_string().parse(),
            DataType::Decimal128(_, scale) => {
                Share::from_decimal(self.array.as_primitive::<Decimal128Type>().value(row), *scale)
            }
            _ => Share::from_decimal(self.array.as_primitive::<Int64Type>().value(row).into(), 0),
        }
    }
}

fn all_same<T: PartialEq>(values: &[T]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}
