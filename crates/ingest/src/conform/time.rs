//! Columns of time: instants, clock times, texts and numbers, all to the start of their slice.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use nines_store::{UTC, time_type};

use super::cast::{bad_row, checked, impossible};
use crate::{IngestError, Options, Result, time};

const EXPECTED: &str = "a time";

/// The slices in which the instants of a column lie.
pub(super) fn slices(array: &ArrayRef, options: &Options) -> Result<ArrayRef> {
    let width = options.slice_micros()?;
    let mut micros = instants(array, options)?;
    for micros in &mut micros {
        *micros -= micros.rem_euclid(width);
    }
    Ok(Arc::new(TimestampMicrosecondArray::from(micros).with_timezone(UTC)))
}

/// Microseconds since 1970, one pass per column.
fn instants(array: &ArrayRef, options: &Options) -> Result<Vec<i64>> {
    if let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
        let row = (0..array.len()).find(|&row| nulls.is_null(row)).unwrap_or_default();
        return Err(bad_row("time", array, row, EXPECTED));
    }
    let zone = options.time_zone;
    let clock = DataType::Timestamp(TimeUnit::Microsecond, None);
    match array.data_type() {
        DataType::Timestamp(_, Some(_)) => {
            let instants = checked("time", array, &time_type(), EXPECTED)?;
            each(array, instants.as_primitive::<TimestampMicrosecondType>().values().iter(), |&micros| {
                time::in_range(micros, || shown(micros))
            })
        }
        DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => {
            let clocks = checked("time", array, &clock, EXPECTED)?;
            each(array, clocks.as_primitive::<TimestampMicrosecondType>().values().iter(), |&micros| {
                let local = chrono::DateTime::from_timestamp_micros(micros).map(|time| time.naive_utc());
                local.map_or_else(|| time::in_range(-1, || micros.to_string()), |local| time::from_local(local, zone))
            })
        }
        DataType::Dictionary(_, values) => instants(&checked("time", array, values, EXPECTED)?, options),
        from if from.is_decimal() => instants(&checked("time", array, &DataType::Utf8, EXPECTED)?, options),
        from if from.is_string() => {
            let texts = checked("time", array, &DataType::Utf8View, EXPECTED)?;
            each(array, texts.as_string_view().iter().flatten(), |text| time::parse(text, zone))
        }
        from if from.is_integer() => {
            let numbers = checked("time", array, &DataType::Int64, EXPECTED)?;
            each(array, numbers.as_primitive::<Int64Type>().values().iter(), |&number| time::from_integer(number))
        }
        from if from.is_floating() => {
            let numbers = checked("time", array, &DataType::Float64, EXPECTED)?;
            each(array, numbers.as_primitive::<Float64Type>().values().iter(), |&number| time::from_float(number))
        }
        _ => Err(impossible("time", array, "a timestamp, a text or a number")),
    }
}

/// Converts value by value; an error names its row.
fn each<T>(array: &ArrayRef, values: impl Iterator<Item = T>, convert: impl Fn(T) -> Result<i64>) -> Result<Vec<i64>> {
    let mut micros = Vec::with_capacity(array.len());
    for (row, value) in values.enumerate() {
        micros.push(convert(value).map_err(|e: IngestError| e.in_row(row as u64 + 1))?);
    }
    Ok(micros)
}

fn shown(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros).map_or_else(|| micros.to_string(), |time| time.to_string())
}
