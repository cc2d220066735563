//! Columns of time: instants, clock times, texts and numbers; those of a series to the start of their slice.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use nines_store::{UTC, time_type};

use super::cast::{bad_row, checked, impossible};
use crate::time::Clock;
use crate::{IngestError, Options, Result};

const EXPECTED: &str = "a time";

/// The slices in which the instants of a column lie.
pub(super) fn slices(array: &ArrayRef, options: &Options) -> Result<ArrayRef> {
    if let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
        let row = (0..array.len()).find(|&row| nulls.is_null(row)).unwrap_or_default();
        return Err(bad_row("time", array, row, EXPECTED));
    }
    let width = options.slice_micros()?;
    let instants = instants(array, Clock::of_series(options.time_zone))?;
    let slices = instants.unary::<_, TimestampMicrosecondType>(|micros| micros - micros.rem_euclid(width));
    Ok(Arc::new(slices.with_timezone(UTC)))
}

/// Instants in UTC, one pass per column; NULL stays NULL.
pub(super) fn instants(array: &ArrayRef, clock: Clock<'_>) -> Result<TimestampMicrosecondArray> {
    let checked = |to: &DataType| checked(clock.column(), array, to, EXPECTED);
    match array.data_type() {
        DataType::Timestamp(_, Some(_)) => {
            let instants = checked(&time_type())?;
            each(array, instants.as_primitive::<TimestampMicrosecondType>().iter(), |micros| {
                clock.in_range(micros, || shown(micros))
            })
        }
        DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => {
            let clocks = checked(&DataType::Timestamp(TimeUnit::Microsecond, None))?;
            each(array, clocks.as_primitive::<TimestampMicrosecondType>().iter(), |micros| {
                let local = chrono::DateTime::from_timestamp_micros(micros).map(|time| time.naive_utc());
                local.map_or_else(|| clock.in_range(-1, || micros.to_string()), |local| clock.local(local))
            })
        }
        DataType::Dictionary(_, values) => instants(&checked(values)?, clock),
        from if from.is_decimal() => instants(&checked(&DataType::Utf8)?, clock),
        from if from.is_string() => {
            each(array, checked(&DataType::Utf8View)?.as_string_view().iter(), |text| clock.parse(text))
        }
        from if from.is_integer() => {
            let numbers = checked(&DataType::Int64)?;
            each(array, numbers.as_primitive::<Int64Type>().iter(), |number| clock.integer(number))
        }
        from if from.is_floating() => {
            let numbers = checked(&DataType::Float64)?;
            each(array, numbers.as_primitive::<Float64Type>().iter(), |number| clock.float(number))
        }
        _ => Err(impossible(clock.column(), array, "a timestamp, a text or a number")),
    }
}

/// Converts value by value; an error names its row.
fn each<T>(
    array: &ArrayRef,
    values: impl Iterator<Item = Option<T>>,
    convert: impl Fn(T) -> Result<i64>,
) -> Result<TimestampMicrosecondArray> {
    let mut micros = Vec::with_capacity(array.len());
    for (row, value) in values.enumerate() {
        let converted = value.map_or(Ok(0), &convert);
        micros.push(converted.map_err(|e: IngestError| e.in_row(row as u64 + 1))?);
    }
    Ok(TimestampMicrosecondArray::new(micros.into(), array.logical_nulls()).with_timezone(UTC))
}

fn shown(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros).map_or_else(|| micros.to_string(), |time| time.to_string())
}
