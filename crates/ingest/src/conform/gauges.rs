//! Columns of samples, one value each or the aggregates of several.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray, UInt64Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{DataType, Float64Type};

use super::cast::{bad_row, checked, impossible, internal};
use crate::Result;
use crate::fields::NUMBER;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform;
    use crate::testing::{REMEDY, of, shown};
    use datafusion::arrow::array::{BooleanArray, Float64Array, Int64Array, StringArray};
    use nines_store::TableKind;

    fn fit(columns: Vec<(&str, ArrayRef)>) -> Result<Vec<String>> {
        let columns = columns.into_iter().map(|(name, array)| (name, array, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        conform(&batch, &of(TableKind::Gauges)).map(|batch| shown(&[batch]))
    }

    fn refused(columns: Vec<(&str, ArrayRef)>) -> String {
        fit(columns).unwrap_err().to_string()
    }

    fn ints<const N: usize>(values: [i64; N]) -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(values))
    }

    fn floats<const N: usize>(values: [f64; N]) -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(values))
    }

    #[test]
    fn a_value_is_one_sample_and_rows_come_out_by_time() {
        let values = Arc::new(StringArray::from(vec!["1", "2.5", "-3"]));
        assert_eq!(
            fit(vec![("time", ints([50, 0, 50])), ("value", values)]).unwrap(),
            [
                "time=1970-01-01T00:00:00Z samples=1 sum=2.5 min=2.5 max=2.5 last=2.5",
                "time=1970-01-01T00:00:00Z samples=1 sum=1.0 min=1.0 max=1.0 last=1.0",
                "time=1970-01-01T00:00:00Z samples=1 sum=-3.0 min=-3.0 max=-3.0 last=-3.0",
            ]
        );
    }

    fn aggregate(samples: i64, min: f64, max: f64) -> Vec<(&'static str, ArrayRef)> {
        vec![
            ("last", floats([1.0])),
            ("max", floats([max])),
            ("min", floats([min])),
            ("sum", ints([3])),
            ("samples", ints([samples])),
            ("time", ints([60])),
        ]
    }

    #[test]
    fn aggregates_are_as_they_are() {
        assert_eq!(
            fit(aggregate(2, 1.0, 2.0)).unwrap(),
            ["time=1970-01-01T00:01:00Z samples=2 sum=3.0 min=1.0 max=2.0 last=1.0"]
        );
    }

    #[test]
    fn wrong_values_and_columns_are_refused() {
        for (columns, message) in [
            (aggregate(0, 1.0, 2.0), "samples is \"0\"; expected at least one sample"),
            (aggregate(2, 3.0, 2.0), "min is 3 and max is 2; expected min to be at most max"),
            (aggregate(2, 1.0, f64::INFINITY), "max is \"inf\"; expected a finite number"),
            (
                vec![("time", ints([0])), ("value", Arc::new(Float64Array::from(vec![None])))],
                "value is NULL; expected a finite number",
            ),
            (vec![("time", ints([0])), ("value", floats([f64::NAN]))], "value is \"NaN\"; expected a finite number"),
        ] {
            assert_eq!(refused(columns), format!("row 1: {message}. {REMEDY}"));
        }
        assert_eq!(
            refused(vec![("time", ints([0])), ("value", Arc::new(BooleanArray::from(vec![true])))]),
            "value is of type Boolean; expected a finite number. Convert it with --select"
        );
        let mut both = aggregate(1, 1.0, 1.0);
        both.push(("value", floats([1.0])));
        assert!(refused(both).starts_with("there are columns \"value\" and \"last\"; "));
        assert!(refused(vec![("time", ints([0]))]).starts_with("there is no column \"value\"; "));
    }
}
