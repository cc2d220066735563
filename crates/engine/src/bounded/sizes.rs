//! How large the result of a call may be, function by function. One pass over the arguments, never less than the truth.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::function::Bound;

/// Bytes of an item of a list beside what it holds: its offset, or a view.
const ITEM: u128 = 16;
/// A character has at most this many bytes.
const WIDEST: u128 = 4;

/// The functions and their bounds.
pub(super) const BOUNDS: &[(&str, Bound)] = &[
    ("repeat", repeat),
    ("lpad", padded),
    ("rpad", padded),
    ("concat", joined),
    ("concat_ws", joined_with_separator),
    ("replace", replaced),
    ("regexp_replace", replaced_by_pattern),
    ("overlay", joined),
    ("translate", translated),
    ("range", series),
    ("generate_series", series),
    ("array_repeat", array_repeat),
    ("array_resize", array_resize),
    ("array_concat", joined),
    ("array_append", joined),
    ("array_prepend", joined),
    ("make_array", joined),
    ("array_to_string", array_to_string),
];

/// An argument, row by row.
enum Values<'a> {
    Same(ArrayRef),
    Each(&'a ArrayRef),
}

impl Values<'_> {
    fn array(&self) -> &ArrayRef {
        match self {
            Values::Same(array) => array,
            Values::Each(array) => array,
        }
    }

    fn at(&self, row: usize) -> usize {
        match self {
            Values::Same(_) => 0,
            Values::Each(_) => row,
        }
    }
}

fn argument(args: &ScalarFunctionArgs, at: usize) -> Result<Option<Values<'_>>> {
    Ok(match args.args.get(at) {
        None => None,
        Some(ColumnarValue::Array(array)) => Some(Values::Each(array)),
        Some(ColumnarValue::Scalar(value)) => Some(Values::Same(value.to_array()?)),
    })
}

/// Bytes of a value: of a text its own, of a list those of its items.
pub(crate) fn bytes_at(array: &dyn Array, row: usize) -> u128 {
    if array.is_null(row) {
        return 0;
    }
    let length = match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value_length(row) as usize,
        DataType::LargeUtf8 => array.as_string::<i64>().value_length(row) as usize,
        DataType::Utf8View => array.as_string_view().value(row).len(),
        DataType::Binary => array.as_binary::<i32>().value_length(row) as usize,
        DataType::LargeBinary => array.as_binary::<i64>().value_length(row) as usize,
        DataType::BinaryView => array.as_binary_view().value(row).len(),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(_, _) => {
            return list_at(array, row).map_or(0, |list| items(list.as_ref()));
        }
        DataType::Struct(_) => return array.as_struct().columns().iter().map(|column| bytes_at(column, row)).sum(),
        _ => ITEM as usize,
    };
    length as u128
}

/// The items of a list; `None` for NULL and for what is no list.
pub(crate) fn list_at(array: &dyn Array, row: usize) -> Option<ArrayRef> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::List(_) => Some(array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(_, _) => Some(array.as_fixed_size_list().value(row)),
        _ => None,
    }
}

/// Bytes of all items.
fn items(array: &dyn Array) -> u128 {
    if array.data_type().is_primitive() {
        return ITEM.saturating_mul(array.len() as u128 * 2);
    }
    (0..array.len()).map(|row| ITEM + bytes_at(array, row)).sum()
}

fn integers(values: &Values<'_>) -> Result<ArrayRef> {
    Ok(cast(values.array(), &DataType::Int64)?)
}

fn integer_at(integers: &ArrayRef, row: usize) -> i64 {
    let integers = integers.as_primitive::<Int64Type>();
    if integers.is_null(row) { 0 } else { integers.value(row) }
}

/// The sum over all rows of what a row makes.
fn rows(args: &ScalarFunctionArgs, each: impl Fn(usize) -> u128) -> u128 {
    (0..args.number_rows).map(each).fold(0, u128::saturating_add)
}

fn repeat(args: &ScalarFunctionArgs) -> Result<u128> {
    let (Some(texts), Some(times)) = (argument(args, 0)?, argument(args, 1)?) else { return Ok(0) };
    let counts = integers(&times)?;
    Ok(rows(args, |row| {
        let count = integer_at(&counts, times.at(row)).max(0) as u128;
        bytes_at(texts.array(), texts.at(row)).saturating_mul(count)
    }))
}

fn padded(args: &ScalarFunctionArgs) -> Result<u128> {
    let (Some(texts), Some(widths)) = (argument(args, 0)?, argument(args, 1)?) else { return Ok(0) };
    let counts = integers(&widths)?;
    let fill = argument(args, 2)?;
    Ok(rows(args, |row| {
        let width = integer_at(&counts, widths.at(row)).max(0) as u128;
        let plain = fill.as_ref().is_none_or(|fill| bytes_at(fill.array(), fill.at(row)) <= 1);
        // The text keeps its bytes; only what is put before or behind it is the fill's.
        let text = bytes_at(texts.array(), texts.at(row));
        text.saturating_add(width.saturating_mul(if plain { 1 } else { WIDEST }))
    }))
}

/// All arguments one after the other.
pub(super) fn joined(args: &ScalarFunctionArgs) -> Result<u128> {
    let mut total = 0u128;
    for at in 0..args.args.len() {
        let Some(values) = argument(args, at)? else { continue };
        total = total.saturating_add(match &values {
            Values::Same(value) => bytes_at(value, 0).saturating_mul(args.number_rows as u128),
            Values::Each(array) => (0..array.len()).map(|row| bytes_at(*array, row)).sum(),
        });
    }
    Ok(total)
}

fn joined_with_separator(args: &ScalarFunctionArgs) -> Result<u128> {
    let between = args.args.len().saturating_sub(2) as u128;
    let Some(separators) = argument(args, 0)? else { return Ok(0) };
    let separators = rows(args, |row| bytes_at(separators.array(), separators.at(row)).saturating_mul(between));
    Ok(joined(args)?.saturating_add(separators))
}

/// A text at a row, of whatever string type.
fn text_at(array: &dyn Array, row: usize) -> &str {
    if array.is_null(row) {
        return "";
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row),
        DataType::Utf8View => array.as_string_view().value(row),
        _ => "",
    }
}

fn replaced(args: &ScalarFunctionArgs) -> Result<u128> {
    let (Some(texts), Some(from), Some(to)) = (argument(args, 0)?, argument(args, 1)?, argument(args, 2)?) else {
        return Ok(0);
    };
    Ok(rows(args, |row| {
        let text = text_at(texts.array(), texts.at(row));
        let from = text_at(from.array(), from.at(row));
        let to = bytes_at(to.array(), to.at(row));
        if to <= from.len() as u128 {
            return text.len() as u128;
        }
        // An empty text is found before every character and at the end.
        let most = text.len().checked_div(from.len()).unwrap_or(text.len() + 1) as u128;
        let found = match most.saturating_mul(to) {
            ..0x10000 => most,
            _ => text.matches(from).count() as u128,
        };
        (text.len() as u128).saturating_add(found.saturating_mul(to))
    }))
}

/// A pattern may match before every character and at the end, and what replaces it may name the match several times. Hardly
/// any does.
fn replaced_by_pattern(args: &ScalarFunctionArgs) -> Result<u128> {
    let (Some(texts), Some(to)) = (argument(args, 0)?, argument(args, 2)?) else { return Ok(0) };
    let flags = argument(args, 3)?;
    Ok(rows(args, |row| {
        let text = bytes_at(texts.array(), texts.at(row));
        let to = text_at(to.array(), to.at(row));
        let everywhere = flags.as_ref().is_some_and(|flags| text_at(flags.array(), flags.at(row)).contains('g'));
        let matches = if everywhere { text.saturating_add(1) } else { 1 };
        let named = to.matches(['\\', '$']).count() as u128;
        text.saturating_add(matches.saturating_mul(to.len() as u128)).saturating_add(named.saturating_mul(text))
    }))
}

fn translated(args: &ScalarFunctionArgs) -> Result<u128> {
    let Some(texts) = argument(args, 0)? else { return Ok(0) };
    Ok(rows(args, |row| bytes_at(texts.array(), texts.at(row)).saturating_mul(WIDEST)))
}

/// Bytes of a value of a series.
const SERIES_ITEM: u128 = 8;

fn series(args: &ScalarFunctionArgs) -> Result<u128> {
    let (start, end, step) = match args.args.len() {
        0 => return Ok(0),
        1 => (None, argument(args, 0)?, None),
        2 => (argument(args, 0)?, argument(args, 1)?, None),
        _ => (argument(args, 0)?, argument(args, 1)?, argument(args, 2)?),
    };
    let Some(end) = end else { return Ok(0) };
    let ends = positions(end.array())?;
    let starts = start.as_ref().map(|start| positions(start.array())).transpose()?;
    Ok(rows(args, |row| {
        let to = integer_at(&ends, end.at(row));
        let from = match (&starts, &start) {
            (Some(starts), Some(start)) => integer_at(starts, start.at(row)),
            _ => 0,
        };
        let step = step.as_ref().map_or(1, |step| step_at(step.array(), step.at(row), end.array().data_type()));
        // Months are shorter than 31 days and longer than 27: a step of both signs is as good as none.
        let values = (i128::from(to) - i128::from(from)).unsigned_abs() / step.max(1) + 1;
        values.saturating_mul(SERIES_ITEM)
    }))
}

/// Integers as they are, days and instants as numbers in their own unit.
fn positions(array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        DataType::Date32 => Ok(cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?),
        _ => Ok(cast(array, &DataType::Int64)?),
    }
}

/// The width of a step in the unit of what is stepped through; 1 where it cannot be told.
fn step_at(array: &ArrayRef, row: usize, of: &DataType) -> u128 {
    const DAY: i128 = 86_400_000_000_000;
    let nanos = match ScalarValue::try_from_array(array, row) {
        Ok(ScalarValue::IntervalMonthDayNano(Some(step))) => {
            i128::from(step.months) * 28 * DAY + i128::from(step.days) * DAY + i128::from(step.nanoseconds)
        }
        Ok(ScalarValue::IntervalDayTime(Some(step))) => {
            i128::from(step.days) * DAY + i128::from(step.milliseconds) * 1_000_000
        }
        Ok(ScalarValue::IntervalYearMonth(Some(months))) => i128::from(months) * 28 * DAY,
        Ok(ScalarValue::Int64(Some(step))) => return u128::from(step.unsigned_abs()),
        _ => return 1,
    };
    let unit = match of {
        DataType::Date32 => DAY,
        DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Second, _) => 1_000_000_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        _ => 1,
    };
    nanos.unsigned_abs() / unit as u128
}

fn array_repeat(args: &ScalarFunctionArgs) -> Result<u128> {
    let (Some(values), Some(times)) = (argument(args, 0)?, argument(args, 1)?) else { return Ok(0) };
    let counts = integers(&times)?;
    Ok(rows(args, |row| {
        let count = integer_at(&counts, times.at(row)).max(0) as u128;
        (ITEM + bytes_at(values.array(), values.at(row))).saturating_mul(count)
    }))
}

fn array_resize(args: &ScalarFunctionArgs) -> Result<u128> {
    let (Some(lists), Some(sizes)) = (argument(args, 0)?, argument(args, 1)?) else { return Ok(0) };
    let counts = integers(&sizes)?;
    let fill = argument(args, 2)?;
    Ok(rows(args, |row| {
        let count = integer_at(&counts, sizes.at(row)).max(0) as u128;
        let item = ITEM + fill.as_ref().map_or(0, |fill| bytes_at(fill.array(), fill.at(row)));
        bytes_at(lists.array(), lists.at(row)).saturating_add(count.saturating_mul(item))
    }))
}

fn array_to_string(args: &ScalarFunctionArgs) -> Result<u128> {
    /// Numbers and times in digits.
    const DIGITS: u128 = 40;
    let (Some(lists), Some(between)) = (argument(args, 0)?, argument(args, 1)?) else { return Ok(0) };
    Ok(rows(args, |row| {
        let list = bytes_at(lists.array(), lists.at(row));
        let items = list / ITEM;
        let between = bytes_at(between.array(), between.at(row));
        list.saturating_add(items.saturating_mul(between.saturating_add(DIGITS)))
    }))
}
