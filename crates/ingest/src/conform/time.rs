//! Columns of time: instants, clock times, texts and numbers; those of a series to the start of their slice.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use nines_store::{UTC, time_type};

use super::cast::{bad_row, checked, impossible};
use crate::time::{Clock, When};
use crate::{IngestError, Options, Result, Seen, seen};

const EXPECTED: &str = "a time";

/// The instants of a series' rows, of which each has one; a local time that a clock change repeats is placed by the order
/// of the rows of all batches that are read with these options.
pub(super) fn of_series(array: &ArrayRef, options: &Options) -> Result<TimestampMicrosecondArray> {
    match of_rows(array, options)? {
        Times::Instants(instants) => Ok(instants),
        Times::Clocks(times) => {
            let placed = options.order.place(options.repeated_hour, &times);
            let placed = placed.map_err(|(row, error)| error.in_row(row as u64 + 1))?;
            Ok(TimestampMicrosecondArray::from(placed).with_timezone(UTC))
        }
    }
}

/// The times of rows of which each has one.
pub(super) fn of_rows(array: &ArrayRef, options: &Options) -> Result<Times> {
    if let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
        let row = (0..array.len()).find(|&row| nulls.is_null(row)).unwrap_or_default();
        return Err(bad_row("time", array, row, EXPECTED));
    }
    read(array, Clock::of_series(options.time_zone).within(options.limits))
}

/// Remembers when rows were measured. One pass.
pub(super) fn tell(instants: &TimestampMicrosecondArray, seen: &Seen) {
    let mut times = instants.values().iter().copied();
    if let Some(first) = times.next() {
        let mut all = seen::Times::of(first);
        times.for_each(|micros| all.add(micros));
        seen.add(all);
    }
}

/// The slices in which instants lie.
pub(super) fn slices(instants: &TimestampMicrosecondArray, options: &Options) -> Result<ArrayRef> {
    let width = options.slice_micros()?;
    let slices = instants.unary::<_, TimestampMicrosecondType>(|micros| micros - micros.rem_euclid(width));
    Ok(Arc::new(slices.with_timezone(UTC)))
}

/// Instants in UTC, of two the earlier; NULL stays NULL.
pub(super) fn instants(array: &ArrayRef, clock: Clock<'_>) -> Result<TimestampMicrosecondArray> {
    match read(array, clock)? {
        Times::Instants(instants) => Ok(instants),
        Times::Clocks(times) => {
            let earlier = times.into_iter().map(|when| when.map(When::earlier));
            Ok(earlier.collect::<TimestampMicrosecondArray>().with_timezone(UTC))
        }
    }
}

/// A column of times.
pub(super) enum Times {
    Instants(TimestampMicrosecondArray),
    /// What clocks showed in a zone where they may be set back.
    Clocks(Vec<Option<When>>),
}

/// One pass per column.
fn read(array: &ArrayRef, clock: Clock<'_>) -> Result<Times> {
    let checked = |to: &DataType| checked(clock.column(), array, to, EXPECTED);
    match array.data_type() {
        DataType::Timestamp(_, Some(_)) => {
            let instants = checked(&time_type())?;
            each(array, clock, instants.as_primitive::<TimestampMicrosecondType>().iter(), |micros| {
                clock.in_range(micros, || shown(micros)).map(When::At)
            })
        }
        DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => {
            let clocks = checked(&DataType::Timestamp(TimeUnit::Microsecond, None))?;
            each(array, clock, clocks.as_primitive::<TimestampMicrosecondType>().iter(), |micros| {
                let local = chrono::DateTime::from_timestamp_micros(micros).map(|time| time.naive_utc());
                match local {
                    Some(local) => clock.local(local),
                    None => clock.in_range(-1, || micros.to_string()).map(When::At),
                }
            })
        }
        DataType::Dictionary(_, values) => read(&checked(values)?, clock),
        from if from.is_decimal() => read(&checked(&DataType::Utf8)?, clock),
        from if from.is_string() => {
            each(array, clock, checked(&DataType::Utf8View)?.as_string_view().iter(), |text| clock.read(text))
        }
        from if from.is_integer() => {
            let numbers = checked(&DataType::Int64)?;
            each(array, clock, numbers.as_primitive::<Int64Type>().iter(), |number| clock.integer(number).map(When::At))
        }
        from if from.is_floating() => {
            let numbers = checked(&DataType::Float64)?;
            each(array, clock, numbers.as_primitive::<Float64Type>().iter(), |number| clock.float(number).map(When::At))
        }
        _ => Err(impossible(clock.column(), array, "a timestamp, a text or a number")),
    }
}

/// Converts value by value; an error names its row. Only if a time is repeated are both of its instants kept.
fn each<T>(
    array: &ArrayRef,
    clock: Clock<'_>,
    values: impl Iterator<Item = Option<T>>,
    convert: impl Fn(T) -> Result<When>,
) -> Result<Times> {
    let mut micros = Vec::with_capacity(array.len());
    let mut repeated: Vec<(usize, When)> = Vec::new();
    for (row, value) in values.enumerate() {
        let converted = value.map_or(Ok(When::At(0)), &convert);
        let converted = converted.map_err(|e: IngestError| e.in_row(row as u64 + 1))?;
        if matches!(converted, When::Repeated(..)) {
            repeated.push((row, converted));
        }
        micros.push(converted.earlier());
    }
    let nulls = array.logical_nulls();
    let ordered = clock.is_set_back() && !matches!(array.data_type(), DataType::Timestamp(_, Some(_)));
    if repeated.is_empty() && !ordered {
        return Ok(Times::Instants(TimestampMicrosecondArray::new(micros.into(), nulls).with_timezone(UTC)));
    }
    let is_valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    let mut times: Vec<Option<When>> =
        micros.into_iter().enumerate().map(|(row, micros)| is_valid(row).then_some(When::At(micros))).collect();
    for (row, when) in repeated {
        times[row] = Some(when);
    }
    Ok(Times::Clocks(times))
}

fn shown(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros).map_or_else(|| micros.to_string(), |time| time.to_string())
}
