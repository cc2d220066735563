//! How the values of a type add up: without loss, so that neither order nor partitions tell, and an overflow is an
//! error if the sum itself does not fit, whatever its parts.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, Decimal128Array, Decimal256Array, PrimitiveArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, Float64Type,
    Int64Type, UInt64Type, i256,
};
use datafusion::common::{Result, exec_err, internal_datafusion_err};
use nines_timeline::ExactSum;

/// A type of values that add up.
pub(crate) trait Summand: ArrowPrimitiveType + Sized + Send + Sync {
    /// Holds any sum of values exactly.
    type Total: Clone + Default + Send + Sync + 'static;

    fn add(total: &mut Self::Total, value: Self::Native);

    /// Takes a value out that was added before.
    fn subtract(total: &mut Self::Total, value: Self::Native);

    fn merge(total: &mut Self::Total, more: &Self::Total);

    /// The total as a value of `result`; `None` if it does not fit.
    fn sum(total: &Self::Total, result: &DataType) -> Option<Self::Native>;

    /// The total divided by a count that is not 0.
    fn mean(total: &Self::Total, count: u64) -> Option<Self::Native>;

    /// The type of [`Summand::write`].
    fn state_type() -> DataType;

    /// Totals as a column of a partial state.
    fn write(totals: &[Self::Total], nulls: Option<NullBuffer>) -> Result<ArrayRef>;

    /// The total in this row of a partial state.
    fn read(state: &ArrayRef, row: usize) -> Result<Self::Total>;

    /// Bytes on the heap.
    fn heap(_total: &Self::Total) -> usize {
        0
    }

    /// Adds all values that are not NULL.
    fn add_all(total: &mut Self::Total, values: &PrimitiveArray<Self>) {
        values.iter().flatten().for_each(|value| Self::add(total, value));
    }
}

/// Values of up to 64 bits: 2^63 of them fit in 128.
macro_rules! wide_integers {
    ($type:ty, |$total:ident, $result:ident| $fits:expr) => {
        impl Summand for $type {
            type Total = i128;

            #[inline]
            fn add(total: &mut i128, value: Self::Native) {
                *total += i128::from(value);
            }

            fn subtract(total: &mut i128, value: Self::Native) {
                *total -= i128::from(value);
            }

            fn merge(total: &mut i128, more: &i128) {
                *total += more;
            }

            fn sum($total: &i128, $result: &DataType) -> Option<Self::Native> {
                Self::Native::try_from(*$total).ok().filter($fits)
            }

            fn mean(total: &i128, count: u64) -> Option<Self::Native> {
                Self::Native::try_from(total / i128::from(count)).ok()
            }

            fn state_type() -> DataType {
                DataType::Decimal128(38, 0)
            }

            fn write(totals: &[i128], nulls: Option<NullBuffer>) -> Result<ArrayRef> {
                let totals = Decimal128Array::new(totals.to_vec().into(), nulls);
                Ok(Arc::new(totals.with_data_type(Self::state_type())))
            }

            fn read(state: &ArrayRef, row: usize) -> Result<i128> {
                Ok(state.as_primitive::<Decimal128Type>().value(row))
            }

            fn add_all(total: &mut i128, values: &PrimitiveArray<Self>) {
                if values.null_count() > 0 {
                    return values.iter().flatten().for_each(|value| Self::add(total, value));
                }
                // Sums of 2^15 small values stay within their type, where processors add several at once.
                const SMALL: i128 = 1 << (<$type as ArrowPrimitiveType>::Native::BITS - 17);
                for chunk in values.values().chunks(1 << 15) {
                    let bits = chunk.iter().fold(0, |bits, value| bits | value ^ (value >> (Self::Native::BITS - 1)));
                    *total += match i128::from(bits) < SMALL {
                        true => i128::from(chunk.iter().fold(0, |sum: Self::Native, &value| sum.wrapping_add(value))),
                        false => chunk.iter().map(|&value| i128::from(value)).sum(),
                    };
                }
            }
        }
    };
}

fn any<T>(_: &T) -> bool {
    true
}

wide_integers!(Int64Type, |total, _result| any);
wide_integers!(UInt64Type, |total, _result| any);
wide_integers!(DurationSecondType, |total, _result| any);
wide_integers!(DurationMillisecondType, |total, _result| any);
wide_integers!(DurationMicrosecondType, |total, _result| any);
wide_integers!(DurationNanosecondType, |total, _result| any);
wide_integers!(Decimal32Type, |total, result| |value| Decimal32Type::is_valid_decimal_precision(
    *value,
    precision(result)
));
wide_integers!(Decimal64Type, |total, result| |value| Decimal64Type::is_valid_decimal_precision(
    *value,
    precision(result)
));

fn precision(result: &DataType) -> u8 {
    match result {
        DataType::Decimal32(precision, _)
        | DataType::Decimal64(precision, _)
        | DataType::Decimal128(precision, _)
        | DataType::Decimal256(precision, _) => *precision,
        _ => u8::MAX,
    }
}

/// A total of decimals in 256 bits, `None` once those were not enough.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Big(Option<i256>);

impl Default for Big {
    fn default() -> Self {
        Big(Some(i256::ZERO))
    }
}

macro_rules! big_integers {
    ($type:ty, $widen:expr, $narrow:expr) => {
        impl Summand for $type {
            type Total = Big;

            fn add(total: &mut Big, value: Self::Native) {
                total.0 = total.0.and_then(|total| total.checked_add($widen(value)));
            }

            fn subtract(total: &mut Big, value: Self::Native) {
                total.0 = total.0.and_then(|total| total.checked_sub($widen(value)));
            }

            fn merge(total: &mut Big, more: &Big) {
                total.0 = total.0.zip(more.0).and_then(|(total, more)| total.checked_add(more));
            }

            fn sum(total: &Big, result: &DataType) -> Option<Self::Native> {
                total.0.and_then($narrow).filter(|sum| Self::is_valid_decimal_precision(*sum, precision(result)))
            }

            fn mean(total: &Big, count: u64) -> Option<Self::Native> {
                total.0?.checked_div(i256::from_i128(count.into())).and_then($narrow)
            }

            fn state_type() -> DataType {
                DataType::Decimal256(76, 0)
            }

            fn write(totals: &[Big], nulls: Option<NullBuffer>) -> Result<ArrayRef> {
                let Some(totals) = totals.iter().map(|total| total.0).collect::<Option<Vec<_>>>() else {
                    return exec_err!("a sum of decimals does not fit in 256 bits");
                };
                Ok(Arc::new(Decimal256Array::new(totals.into(), nulls).with_data_type(Self::state_type())))
            }

            fn read(state: &ArrayRef, row: usize) -> Result<Big> {
                Ok(Big(Some(state.as_primitive::<Decimal256Type>().value(row))))
            }
        }
    };
}

big_integers!(Decimal128Type, i256::from_i128, i256::to_i128);
big_integers!(Decimal256Type, std::convert::identity, Some);

impl Summand for Float64Type {
    type Total = ExactSum;

    #[inline]
    fn add(total: &mut ExactSum, value: f64) {
        total.add(value);
    }

    fn subtract(total: &mut ExactSum, value: f64) {
        total.subtract(value);
    }

    fn merge(total: &mut ExactSum, more: &ExactSum) {
        total.merge(more);
    }

    fn sum(total: &ExactSum, _: &DataType) -> Option<f64> {
        Some(total.value())
    }

    fn mean(total: &ExactSum, count: u64) -> Option<f64> {
        Some(total.value() / count as f64)
    }

    fn state_type() -> DataType {
        DataType::Binary
    }

    fn write(totals: &[ExactSum], nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        let mut states = BinaryBuilder::with_capacity(totals.len(), totals.len() * 18);
        let mut encoded = Vec::new();
        for (row, total) in totals.iter().enumerate() {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                states.append_null();
                continue;
            }
            encoded.clear();
            total.encode(&mut encoded);
            states.append_value(&encoded);
        }
        Ok(Arc::new(states.finish()))
    }

    fn read(state: &ArrayRef, row: usize) -> Result<ExactSum> {
        ExactSum::decode(state.as_binary::<i32>().value(row))
            .ok_or_else(|| internal_datafusion_err!("a partial sum of floats is damaged"))
    }

    fn heap(total: &ExactSum) -> usize {
        total.heap()
    }
}
