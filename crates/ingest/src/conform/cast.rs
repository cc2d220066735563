//! Casts that lose nothing silently: what the target type cannot hold is an error with its row.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Int64Array, PrimitiveArray};
use datafusion::arrow::compute::{CastOptions, can_cast_types, cast, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::array_value_to_string;

use crate::fields::whole_text;
use crate::{ErrorKind, IngestError, Result};

/// The array in another type; a value that the type cannot hold is an error.
pub(super) fn checked(name: &str, array: &ArrayRef, to: &DataType, expected: &str) -> Result<ArrayRef> {
    if !can_cast_types(array.data_type(), to) {
        return Err(impossible(name, array, expected));
    }
    // Arrow rounds a decimal twice on its way to a double; its text is read as the text of a file is.
    if array.data_type().is_decimal() && to == &DataType::Float64 {
        return checked(name, &cast(array, &DataType::Utf8).map_err(|e| internal(name, e))?, to, expected);
    }
    if array.data_type().is_string() && to == &DataType::Float64 {
        let float = |text: &str| text.parse().ok();
        return Ok(Arc::new(read::<Float64Type>(name, array, expected, float)?));
    }
    // "Safe" is arrow's word for NULL where a value does not fit: that is how the row is found.
    let lenient = CastOptions { safe: true, ..CastOptions::default() };
    let cast = cast_with_options(array, to, &lenient).map_err(|e| internal(name, e))?;
    if cast.null_count() > array.logical_null_count() {
        let nulls = array.logical_nulls();
        let lost =
            (0..array.len()).find(|&row| cast.is_null(row) && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)));
        if let Some(row) = lost {
            return Err(bad_row(name, array, row, expected));
        }
    }
    Ok(cast)
}

/// Whole numbers: integers, and floats and decimals without a fraction.
pub(super) fn whole(name: &str, array: &ArrayRef, expected: &str) -> Result<Int64Array> {
    let from = array.data_type();
    if from.is_temporal() || from == &DataType::Boolean {
        return Err(impossible(name, array, expected));
    }
    if from.is_string() {
        return read::<Int64Type>(name, array, expected, whole_text);
    }
    let numbers = checked(name, array, &DataType::Int64, expected)?;
    if from.is_floating() || from.is_decimal() {
        let back = cast(&numbers, from).map_err(|e| internal(name, e))?;
        let cut = (0..array.len()).find(|&row| array.is_valid(row) && back.slice(row, 1) != array.slice(row, 1));
        if let Some(row) = cut {
            return Err(bad_row(name, array, row, expected));
        }
    }
    Ok(numbers.as_primitive::<Int64Type>().clone())
}

/// Texts, and whole numbers as they are written; NULL stays NULL.
pub(super) fn texts(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    if array.data_type().is_floating() || array.data_type().is_temporal() || array.data_type() == &DataType::Boolean {
        return Err(impossible(name, array, "text"));
    }
    checked(name, array, &DataType::Utf8View, "UTF-8 text")
}

/// Texts as numbers, read as in a text format; an empty one is NULL.
fn read<T: ArrowPrimitiveType>(
    name: &str,
    array: &ArrayRef,
    expected: &str,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> Result<PrimitiveArray<T>> {
    let texts = cast(array, &DataType::Utf8View).map_err(|e| internal(name, e))?;
    let mut numbers = Vec::with_capacity(array.len());
    for (row, text) in texts.as_string_view().iter().enumerate() {
        let text = text.map(str::trim_ascii).filter(|text| !text.is_empty());
        let number = text.map(|text| parse(text).ok_or_else(|| bad_row(name, array, row, expected)));
        numbers.push(number.transpose()?);
    }
    Ok(PrimitiveArray::<T>::from_iter(numbers))
}

/// The error for a column of a type that never fits.
pub(super) fn impossible(name: &str, array: &ArrayRef, expected: &str) -> IngestError {
    IngestError::new(ErrorKind::Columns, format!("{name} is of type {}", array.data_type()))
        .column(name)
        .expected(expected)
        .advice("Convert it with --select")
}

/// The error for one value, its row counted from 0.
pub(super) fn bad_row(name: &str, array: &ArrayRef, row: usize, expected: &str) -> IngestError {
    if array.logical_nulls().is_some_and(|nulls| nulls.is_null(row)) {
        return IngestError::bad_line(format!("{name} is NULL")).column(name).expected(expected).in_row(row as u64 + 1);
    }
    let shown = array_value_to_string(array, row).unwrap_or_else(|_| "a value that cannot be shown".to_string());
    IngestError::bad_value(name, &shown, expected).in_row(row as u64 + 1)
}

/// The error for what arrow refuses although it should not.
pub(super) fn internal(name: &str, error: ArrowError) -> IngestError {
    IngestError::new(ErrorKind::Internal, format!("{name} could not be converted: {error}"))
        .column(name)
        .caused_by(error)
}
