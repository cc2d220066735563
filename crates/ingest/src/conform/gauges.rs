//! Columns of samples, one value each or the aggregates of several.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray, UInt64Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::cast::{bad_row, checked, impossible, internal};
use crate::Result;
use crate::fields::NUMBER;
use crate::rows::check_samples;

/// Measured numbers: finite, none missing.
pub(super) fn numbers(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    if array.data_type().is_temporal() || array.data_type() == &DataType::Boolean {
        return Err(impossible(name, array, NUMBER));
    }
    let numbers = checked(name, array, &DataType::Float64, NUMBER)?.as_primitive::<Float64Type>().clone();
    match (0..numbers.len()).find(|&row| numbers.is_null(row) || !numbers.value(row).is_finite()) {
        Some(row) => Err(bad_row(name, array, row, NUMBER)),
        None => Ok(Arc::new(numbers)),
    }
}

/// Refuses aggregates that no samples have.
pub(super) fn check(batch: &RecordBatch) -> Result<()> {
    let samples = batch["samples"].as_primitive::<Int64Type>().values();
    let (min, max) = (batch["min"].as_primitive::<Float64Type>(), batch["max"].as_primitive::<Float64Type>());
    for (row, ((&samples, &min), &max)) in samples.iter().zip(min.values()).zip(max.values()).enumerate() {
        check_samples(samples, min, max).map_err(|e| e.in_row(row as u64 + 1))?;
    }
    Ok(())
}

/// The rows in the order in which they were measured, as `last` is of the row that comes last in its slice.
pub(super) fn by_time(batch: RecordBatch, times: &TimestampMicrosecondArray) -> Result<RecordBatch> {
    let times = times.values();
    if times.is_sorted() {
        return Ok(batch);
    }
    let mut order: Vec<u64> = (0..times.len() as u64).collect();
    order.sort_by_key(|&row| times[row as usize]);
    take_record_batch(&batch, &UInt64Array::from(order)).map_err(|e| internal("time", e))
}
