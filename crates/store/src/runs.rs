//! Where neighbouring rows are of another key than the row before.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::partition;
use datafusion::arrow::datatypes::DataType;

/// The first row of each run of rows, up to `rows`, whose keys are the same. Rows of one key may be more runs than one.
pub fn run_starts(keys: &[ArrayRef], rows: usize) -> Vec<usize> {
    let mut starts = if rows > 0 { vec![0] } else { Vec::new() };
    for key in keys {
        differing(key, rows, &mut starts);
    }
    starts.sort_unstable();
    starts.dedup();
    starts
}

/// Adds the rows whose value is not that of the row before.
fn differing(key: &ArrayRef, rows: usize, starts: &mut Vec<usize>) {
    match key.data_type() {
        // Equal views are equal texts. Long texts may be equal though their views differ: that costs a run more.
        DataType::Utf8View => pairs(key.as_string_view().views().get(..rows).unwrap_or_default(), starts),
        DataType::BinaryView => pairs(key.as_binary_view().views().get(..rows).unwrap_or_default(), starts),
        fixed => {
            let data = key.to_data();
            match fixed.primitive_width() {
                Some(1) => pairs(data.buffer::<u8>(0).get(..rows).unwrap_or_default(), starts),
                Some(2) => pairs(data.buffer::<u16>(0).get(..rows).unwrap_or_default(), starts),
                Some(4) => pairs(data.buffer::<u32>(0).get(..rows).unwrap_or_default(), starts),
                Some(8) => pairs(data.buffer::<u64>(0).get(..rows).unwrap_or_default(), starts),
                _ => return by_comparison(key, rows, starts),
            }
        }
    }
    if let Some(nulls) = key.nulls().filter(|nulls| nulls.null_count() > 0) {
        starts.extend((1..rows).filter(|&row| nulls.is_null(row) != nulls.is_null(row - 1)));
    }
}

#[inline]
fn pairs<T: PartialEq>(values: &[T], starts: &mut Vec<usize>) {
    // Runs are long: mostly nothing differs, which shows soonest of many rows at once.
    const AT_ONCE: usize = 256;
    let mut row = 1;
    while row < values.len() {
        let end = values.len().min(row + AT_ONCE);
        if values[row..end] != values[row - 1..end - 1] {
            starts.extend((row..end).filter(|&row| values[row] != values[row - 1]));
        }
        row = end;
    }
}

/// Values of any type; where they cannot be compared, each row is a run.
fn by_comparison(key: &ArrayRef, rows: usize, starts: &mut Vec<usize>) {
    match partition(std::slice::from_ref(key)) {
        Ok(ranges) => starts.extend(ranges.ranges().into_iter().map(|range| range.start)),
        Err(_) => starts.extend(0..rows),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{BooleanArray, Int32Array, StringArray, StringViewArray, StructArray};
    use datafusion::arrow::datatypes::Field;

    use super::*;

    fn of(keys: Vec<ArrayRef>) -> Vec<usize> {
        let rows = keys.first().map_or(3, |key| key.len());
        run_starts(&keys, rows)
    }

    #[test]
    fn a_run_ends_where_any_key_differs() {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![
            Some("a"),
            Some("a"),
            Some("a"),
            Some(""),
            None,
            None,
            Some("long enough for a buffer"),
            Some("b"),
        ]));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 1, 2, 2, 2, 2, 2, 2]));
        let bools: ArrayRef = Arc::new(BooleanArray::from(vec![true, true, true, true, true, false, false, false]));
        let plain: ArrayRef = Arc::new(StringArray::from(vec!["x", "x", "x", "x", "x", "x", "x", "y"]));
        assert_eq!(of(vec![Arc::clone(&texts)]), [0, 3, 4, 6, 7]);
        assert_eq!(of(vec![Arc::clone(&numbers)]), [0, 2]);
        assert_eq!(of(vec![numbers.slice(1, 4), bools.slice(1, 4)]), [0, 1]);
        assert_eq!(of(vec![texts.slice(3, 3)]), [0, 1]);
        assert_eq!(of(vec![bools, plain]), [0, 5, 7]);
        assert_eq!(of(vec![]), [0]);
        assert!(run_starts(&[], 0).is_empty());
    }

    #[test]
    fn what_cannot_be_compared_is_in_runs_of_one_row() {
        let inner: ArrayRef = Arc::new(Int32Array::from(vec![1, 1, 1]));
        let field = Arc::new(Field::new("inner", inner.data_type().clone(), false));
        let nested: ArrayRef = Arc::new(StructArray::from(vec![(field, inner)]));
        let runs = of(vec![nested]);
        assert!(runs == [0, 1, 2] || runs == [0], "{runs:?}");
    }
}
