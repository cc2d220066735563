//! Columns of latencies: structs and lists as stored, the same as JSON text, or one latency per row.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Int32Type, Int64Type};
use datafusion::arrow::error::ArrowError;
use nines_store::{counts_le_type, histogram_type};
use nines_timeline::histogram::Histogram;
use serde_json::Value;

use super::cast::{bad_row, checked, impossible, internal};
use crate::columns::Column;
use crate::fields::{Cell, json};
use crate::latency::{self, COUNTS_LE, CountsLeColumn, HISTOGRAM, HistogramColumn};
use crate::{IngestError, Result};

/// `latency` or `latency_sum` of rows whose requests all took the same time.
pub(super) fn observed(column: Column, seconds: &Float64Array, requests: &Int64Array) -> Result<ArrayRef> {
    let rows = seconds.iter().zip(requests.values()).map(|(seconds, &n)| seconds.filter(|_| n > 0).map(|s| (s, n)));
    if column == Column::LatencySum {
        return Ok(Arc::new(rows.map(|row| row.map(|(seconds, n)| seconds * n as f64)).collect::<Float64Array>()));
    }
    let mut histograms = HistogramColumn::default();
    let mut histogram = Histogram::default();
    for row in rows {
        histogram.zero = 0;
        histogram.buckets.clear();
        if let Some((seconds, n)) = row {
            histogram
                .record(seconds, n)
                .map_err(|e| internal("latency", ArrowError::from_external_error(Box::new(e))))?;
        }
        histograms.push(row.is_some().then_some(&histogram));
    }
    histograms.finish().map_err(|e| internal("latency", e))
}

/// Histograms as stored: ascending, without empty buckets.
pub(super) fn histograms(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    let mut column = HistogramColumn::default();
    if is_text(array) {
        each_json(name, array, HISTOGRAM, latency::histogram_from_json, |h| column.push(h.as_ref()))?;
        return column.finish().map_err(|e| internal(name, e));
    }
    let structs = nested(name, array, &histogram_type(), HISTOGRAM)?;
    let structs = structs.as_struct();
    let zeros = structs.column(0).as_primitive::<Int64Type>();
    let lists = structs.column(1).as_list::<i32>();
    let (buckets, counts) = members(lists);
    let (buckets, counts) = (buckets.as_primitive::<Int32Type>(), counts.as_primitive::<Int64Type>());
    for row in 0..structs.len() {
        if structs.is_null(row) {
            column.push(None);
            continue;
        }
        let items = items(lists, row);
        let nulls = zeros.is_null(row)
            || lists.is_null(row)
            || items.clone().any(|at| lists.values().is_null(at) || buckets.is_null(at) || counts.is_null(at));
        if nulls {
            return Err(bad_row(name, array, row, HISTOGRAM));
        }
        let pairs = items.map(|at| (buckets.value(at), counts.value(at)));
        let histogram =
            latency::histogram(zeros.value(row), pairs).map_err(|why| explain(name, array, row, &why, HISTOGRAM))?;
        column.push(Some(&histogram));
    }
    column.finish().map_err(|e| internal(name, e))
}

/// Cumulative counts as stored: ascending by threshold.
pub(super) fn counts_le(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    let mut column = CountsLeColumn::default();
    if is_text(array) {
        each_json(name, array, COUNTS_LE, latency::counts_le_from_json, |counts| column.push(counts.as_ref()))?;
        return column.finish().map_err(|e| internal(name, e));
    }
    let lists = nested(name, array, &counts_le_type(), COUNTS_LE)?;
    let lists = lists.as_list::<i32>();
    let (les, counts) = members(lists);
    let (les, counts) = (les.as_primitive::<Int64Type>(), counts.as_primitive::<Int64Type>());
    for row in 0..lists.len() {
        if lists.is_null(row) {
            column.push(None);
            continue;
        }
        let items = items(lists, row);
        if items.clone().any(|at| lists.values().is_null(at) || les.is_null(at) || counts.is_null(at)) {
            return Err(bad_row(name, array, row, COUNTS_LE));
        }
        let pairs = items.map(|at| (les.value(at), counts.value(at)));
        let counts = latency::counts_le(pairs).map_err(|why| explain(name, array, row, &why, COUNTS_LE))?;
        column.push(Some(&counts));
    }
    column.finish().map_err(|e| internal(name, e))
}

/// The two members of the structs in a list.
fn members(lists: &ListArray) -> (&ArrayRef, &ArrayRef) {
    let structs = lists.values().as_struct();
    (structs.column(0), structs.column(1))
}

/// Where the items of a row lie.
fn items(lists: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = lists.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

fn is_text(array: &ArrayRef) -> bool {
    match array.data_type() {
        DataType::Dictionary(_, values) => values.is_string(),
        other => other.is_string(),
    }
}

/// Reads every text as JSON; NULL and empty are "not given".
fn each_json<T>(
    name: &str,
    array: &ArrayRef,
    expected: &str,
    read: impl Fn(Value) -> Result<T, String>,
    mut push: impl FnMut(Option<T>),
) -> Result<()> {
    let texts = cast(array, &DataType::Utf8View).map_err(|e| internal(name, e))?;
    for (row, text) in texts.as_string_view().iter().enumerate() {
        push(match text.filter(|text| !text.trim_ascii().is_empty()) {
            Some(text) => {
                Some(json(name, Cell::Text(text.into()), expected, &read).map_err(|e| e.in_row(row as u64 + 1))?)
            }
            None => None,
        });
    }
    Ok(())
}

/// The nested array in the stored type, but with NULL allowed everywhere, so that each can be refused by row.
fn nested(name: &str, array: &ArrayRef, stored: &DataType, expected: &str) -> Result<ArrayRef> {
    if !has_members(array.data_type(), stored) {
        return Err(impossible(name, array, expected));
    }
    checked(name, array, &nullable(stored), expected)
}

/// Whether the structs in the first type have the members of those in the second: arrow would also cast by position.
fn has_members(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Null, _) => true,
        (DataType::Struct(from), DataType::Struct(to)) => {
            from.len() == to.len()
                && to.iter().all(|to| {
                    from.find(to.name()).is_some_and(|(_, from)| has_members(from.data_type(), to.data_type()))
                })
        }
        (DataType::List(from) | DataType::LargeList(from) | DataType::FixedSizeList(from, _), DataType::List(to)) => {
            has_members(from.data_type(), to.data_type())
        }
        (from, DataType::Int32 | DataType::Int64) => from.is_integer(),
        _ => false,
    }
}

fn nullable(data_type: &DataType) -> DataType {
    let field = |field: &Field| Field::new(field.name(), nullable(field.data_type()), true);
    match data_type {
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(|f| field(f)).collect()),
        DataType::List(item) => DataType::List(Arc::new(field(item))),
        other => other.clone(),
    }
}

fn explain(name: &str, array: &ArrayRef, row: usize, why: &str, expected: &str) -> IngestError {
    let shown = datafusion::arrow::util::display::array_value_to_string(array, row).unwrap_or_default();
    let shown = crate::error::quoted(&shown);
    IngestError::bad_line(format!("{name} is {shown} ({why})")).column(name).expected(expected).in_row(row as u64 + 1)
}
