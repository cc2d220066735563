//! Columns of records: what is not given becomes what the table has by default.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, StringViewArray, new_null_array,
};
use datafusion::arrow::compute::kernels::cmp::distinct;
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{cast, is_null};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{DataFusionError, ScalarValue};
use nines_store::{MONEY, time_type};

use super::cast::{bad_row, checked, impossible, internal, whole};
use super::{texts, time};
use crate::columns::FieldType;
use crate::fields::{FLAG, flag, misplaced, missing};
use crate::money::{self, AMOUNT};
use crate::time::Clock;
use crate::{ErrorKind, IngestError, Options, Result};

/// A column of a record, given or not.
pub(super) fn field(
    (name, of): (&str, FieldType),
    given: Option<&ArrayRef>,
    rows: usize,
    options: &Options,
) -> Result<ArrayRef> {
    let default = options.default_of(name);
    let Some(array) = given else {
        let default = default.ok_or_else(|| misplaced(name))?;
        return default.to_array_of_size(rows).map_err(|e| unfilled(name, e));
    };
    let array = given_only(name, array)?;
    let values: ArrayRef = match of {
        _ if array.data_type() == &DataType::Null => new_null_array(&stored_type(of), rows),
        FieldType::Text => texts(name, &array)?,
        FieldType::Instant => Arc::new(time::instants(&array, Clock::of_record(name, options.time_zone))?),
        FieldType::Flag => Arc::new(flags(name, &array)?),
        FieldType::Money => Arc::new(amounts(name, &array)?),
    };
    filled(name, values, default)
}

fn stored_type(of: FieldType) -> DataType {
    match of {
        FieldType::Text => DataType::Utf8View,
        FieldType::Instant => time_type(),
        FieldType::Flag => DataType::Boolean,
        FieldType::Money => DataType::Decimal128(MONEY.0, MONEY.1),
    }
}

/// The array without a dictionary, NULL where a text is blank.
fn given_only(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    let values = match array.data_type() {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    if !values.is_string() {
        return cast(array, values).map_err(|e| internal(name, e));
    }
    let texts = cast(array, &DataType::Utf8View).map_err(|e| internal(name, e))?;
    let given = texts.as_string_view().iter().map(|text| text.filter(|text| !text.trim_ascii().is_empty()));
    Ok(Arc::new(given.collect::<StringViewArray>()))
}

/// The array with the default where it is NULL.
fn filled(name: &str, array: ArrayRef, default: Option<ScalarValue>) -> Result<ArrayRef> {
    let Some(row) = (0..array.len()).find(|&row| array.is_null(row)) else { return Ok(array) };
    match default {
        None => Err(missing(name).in_row(row as u64 + 1)),
        Some(default) if default.is_null() => Ok(array),
        Some(default) => {
            let default = default.to_scalar().map_err(|e| unfilled(name, e))?;
            is_null(&array).and_then(|nulls| zip(&nulls, &default, &array)).map_err(|e| internal(name, e))
        }
    }
}

fn unfilled(name: &str, error: DataFusionError) -> IngestError {
    IngestError::new(ErrorKind::Internal, format!("{name} could not be filled: {error}")).column(name).caused_by(error)
}

fn flags(name: &str, array: &ArrayRef) -> Result<BooleanArray> {
    match array.data_type() {
        DataType::Boolean => Ok(array.as_boolean().clone()),
        from if from.is_string() => each(name, array, array.as_string_view().iter(), flag, FLAG),
        from if from.is_integer() => {
            let flag = |number| [false, true].get(usize::try_from(number).ok()?).copied();
            each(name, array, whole(name, array, FLAG)?.iter(), flag, FLAG)
        }
        _ => Err(impossible(name, array, FLAG)),
    }
}

fn amounts(name: &str, array: &ArrayRef) -> Result<Decimal128Array> {
    let amounts: Decimal128Array = match array.data_type() {
        from if from.is_decimal() => return exact(name, array),
        from if from.is_string() => each(name, array, array.as_string_view().iter(), money::parse, AMOUNT)?,
        from if from.is_integer() => {
            each(name, array, whole(name, array, AMOUNT)?.iter(), money::from_integer, AMOUNT)?
        }
        from if from.is_floating() => {
            let numbers = checked(name, array, &DataType::Float64, AMOUNT)?;
            each(name, array, numbers.as_primitive::<Float64Type>().iter(), money::from_float, AMOUNT)?
        }
        _ => return Err(impossible(name, array, AMOUNT)),
    };
    amounts.with_precision_and_scale(MONEY.0, MONEY.1).map_err(|e| internal(name, e))
}

/// Decimals of another scale, none rounded.
fn exact(name: &str, array: &ArrayRef) -> Result<Decimal128Array> {
    let amounts = checked(name, array, &stored_type(FieldType::Money), AMOUNT)?;
    let back =
        cast(&amounts, array.data_type()).and_then(|back| distinct(&back, array)).map_err(|e| internal(name, e))?;
    match (0..back.len()).find(|&row| back.value(row)) {
        Some(row) => Err(bad_row(name, array, row, AMOUNT)),
        None => Ok(amounts.as_primitive().clone()),
    }
}

/// Converts value by value, NULL stays NULL; an error names its row.
fn each<T, U, A: FromIterator<Option<U>>>(
    name: &str,
    array: &ArrayRef,
    values: impl Iterator<Item = Option<T>>,
    convert: impl Fn(T) -> Option<U>,
    expected: &str,
) -> Result<A> {
    let converted = values.enumerate().map(|(row, value)| match value {
        Some(value) => convert(value).map(Some).ok_or_else(|| bad_row(name, array, row, expected)),
        None => Ok(None),
    });
    converted.collect()
}
