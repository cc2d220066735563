//! Latency histograms and exact cumulative counts: as JSON in text formats, and as Arrow columns.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, ListArray, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::arrow::error::ArrowError;
use nines_store::{counts_le_type, histogram_type};
use nines_timeline::histogram::Histogram;
use serde::Deserialize;
use serde_json::Value;

/// Exact cumulative counts: (threshold in µs, count), ascending.
pub(crate) type CountsLe = Vec<(i64, i64)>;

/// How a histogram is written in JSON.
pub(crate) const HISTOGRAM: &str =
    r#"{"zero": n, "buckets": [{"bucket": i, "count": n}, …]} with counts of at least 0"#;

/// How cumulative counts are written in JSON.
pub(crate) const COUNTS_LE: &str = r#"[{"le": µs, "count": n}, …] with counts that do not fall as thresholds rise"#;

/// First and last bucket that a number of seconds can fall into.
const BUCKETS: std::ops::RangeInclusive<i32> = -32_705..=32_767;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HistogramJson {
    #[serde(default)]
    zero: i64,
    #[serde(default)]
    buckets: Vec<BucketJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BucketJson {
    bucket: i32,
    count: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CountLeJson {
    le: i64,
    count: i64,
}

/// The histogram that a JSON value denotes; otherwise what is wrong with it.
pub(crate) fn histogram_from_json(json: Value) -> Result<Histogram, String> {
    let json: HistogramJson = serde_json::from_value(json).map_err(|e| e.to_string())?;
    histogram(json.zero, json.buckets.into_iter().map(|b| (b.bucket, b.count)))
}

/// The cumulative counts that a JSON value denotes; otherwise what is wrong with them.
pub(crate) fn counts_le_from_json(json: Value) -> Result<CountsLe, String> {
    let json: Vec<CountLeJson> = serde_json::from_value(json).map_err(|e| e.to_string())?;
    counts_le(json.into_iter().map(|c| (c.le, c.count)))
}

/// A histogram from counts in any order; buckets without observations are left out.
pub(crate) fn histogram(zero: i64, buckets: impl Iterator<Item = (i32, i64)>) -> Result<Histogram, String> {
    let mut total = zero;
    let mut histogram = Histogram { zero, buckets: Vec::new() };
    if zero < 0 {
        return Err(format!("zero is {zero}"));
    }
    for (bucket, count) in buckets {
        if count < 0 {
            return Err(format!("the count of bucket {bucket} is {count}"));
        }
        if !BUCKETS.contains(&bucket) {
            return Err(format!("bucket {bucket} holds no number of seconds"));
        }
        total = total.checked_add(count).ok_or("the counts add up to more than 2^63 - 1")?;
        if count > 0 {
            histogram.add(bucket, count).map_err(|error| error.to_string())?;
        }
    }
    Ok(histogram)
}

/// Cumulative counts in ascending order of threshold.
pub(crate) fn counts_le(counts: impl Iterator<Item = (i64, i64)>) -> Result<CountsLe, String> {
    let mut counts: CountsLe = counts.collect();
    counts.sort_unstable();
    let mut before = None;
    for &(le, count) in &counts {
        let (last_le, last_count) = before.unwrap_or((-1, 0));
        if le < 0 || count < 0 {
            return Err(format!("the count at {le} µs is {count}"));
        }
        if le == last_le {
            return Err(format!("the threshold {le} µs is there twice"));
        }
        if count < last_count {
            return Err(format!("the count falls from {last_count} at {last_le} µs to {count} at {le} µs"));
        }
        before = Some((le, count));
    }
    Ok(counts)
}

/// Collects histograms into a column of [`histogram_type`].
#[derive(Default)]
pub(crate) struct HistogramColumn {
    zero: Vec<i64>,
    lengths: Vec<usize>,
    bucket: Vec<i32>,
    count: Vec<i64>,
    valid: Vec<bool>,
}

impl HistogramColumn {
    pub(crate) fn push(&mut self, histogram: Option<&Histogram>) {
        match histogram {
            Some(histogram) => self.push_counts(histogram.zero, histogram.buckets.iter().copied()),
            None => {
                self.push_counts(0, std::iter::empty());
                if let Some(valid) = self.valid.last_mut() {
                    *valid = false;
                }
            }
        }
    }

    /// Counts as they are: ascending, every count positive.
    pub(crate) fn push_counts(&mut self, zero: i64, buckets: impl Iterator<Item = (i32, i64)>) {
        let before = self.bucket.len();
        for (bucket, count) in buckets {
            self.bucket.push(bucket);
            self.count.push(count);
        }
        self.zero.push(zero);
        self.lengths.push(self.bucket.len() - before);
        self.valid.push(true);
    }

    pub(crate) fn finish(self) -> Result<ArrayRef, ArrowError> {
        let fields = fields(&histogram_type())?;
        let list = list(
            item(fields[1].data_type())?,
            self.lengths,
            vec![Arc::new(Int32Array::from(self.bucket)), Arc::new(Int64Array::from(self.count))],
            None,
        )?;
        let zero = Arc::new(Int64Array::from(self.zero));
        Ok(Arc::new(StructArray::try_new(fields, vec![zero, Arc::new(list)], Some(self.valid.into()))?))
    }
}

/// Collects cumulative counts into a column of [`counts_le_type`].
#[derive(Default)]
pub(crate) struct CountsLeColumn {
    lengths: Vec<usize>,
    le: Vec<i64>,
    count: Vec<i64>,
    valid: Vec<bool>,
}

impl CountsLeColumn {
    pub(crate) fn push(&mut self, counts: Option<&CountsLe>) {
        for &(le, count) in counts.into_iter().flatten() {
            self.le.push(le);
            self.count.push(count);
        }
        self.lengths.push(counts.map_or(0, Vec::len));
        self.valid.push(counts.is_some());
    }

    pub(crate) fn finish(self) -> Result<ArrayRef, ArrowError> {
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(self.le)), Arc::new(Int64Array::from(self.count))];
        Ok(Arc::new(list(item(&counts_le_type())?, self.lengths, columns, Some(self.valid))?))
    }
}

/// A list of structs with these item counts.
fn list(
    item: FieldRef,
    lengths: Vec<usize>,
    columns: Vec<ArrayRef>,
    valid: Option<Vec<bool>>,
) -> Result<ListArray, ArrowError> {
    let structs = StructArray::try_new(fields(item.data_type())?, columns, None)?;
    ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), Arc::new(structs), valid.map(Into::into))
}

fn fields(data_type: &DataType) -> Result<Fields, ArrowError> {
    match data_type {
        DataType::Struct(fields) => Ok(fields.clone()),
        other => Err(ArrowError::SchemaError(format!("{other} is not a struct"))),
    }
}

fn item(data_type: &DataType) -> Result<Arc<Field>, ArrowError> {
    match data_type {
        DataType::List(item) => Ok(Arc::clone(item)),
        other => Err(ArrowError::SchemaError(format!("{other} is not a list"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_histogram_may_come_in_any_order_and_with_empty_buckets() {
        let read = histogram_from_json(json!({"zero": 1, "buckets": [
            {"bucket": 3, "count": 2}, {"bucket": -1, "count": 5}, {"bucket": 0, "count": 0}, {"bucket": 3, "count": 1}
        ]}));
        assert_eq!(read, Ok(Histogram { zero: 1, buckets: vec![(-1, 5), (3, 3)] }));
        assert_eq!(histogram_from_json(json!({})), Ok(Histogram::default()));
    }

    #[test]
    fn what_no_histogram_can_be_is_explained() {
        let message = |json| histogram_from_json(json).unwrap_err();
        assert_eq!(message(json!({"zero": -1})), "zero is -1");
        assert_eq!(message(json!({"buckets": [{"bucket": 1, "count": -2}]})), "the count of bucket 1 is -2");
        assert_eq!(
            message(json!({"buckets": [{"bucket": 40_000, "count": 1}]})),
            "bucket 40000 holds no number of seconds"
        );
        assert_eq!(message(json!({"buckets": [{"bucket": 1}]})), "missing field `count`");
        assert_eq!(
            message(json!({"zero": i64::MAX, "buckets": [{"bucket": 1, "count": 1}]})),
            "the counts add up to more than 2^63 - 1"
        );
    }

    #[test]
    fn cumulative_counts_are_sorted_and_may_not_fall() {
        let read = |json| counts_le_from_json(json);
        assert_eq!(
            read(json!([{"le": 500_000, "count": 9}, {"le": 100_000, "count": 7}])),
            Ok(vec![(100_000, 7), (500_000, 9)])
        );
        assert_eq!(
            read(json!([{"le": 100, "count": 7}, {"le": 200, "count": 6}])),
            Err("the count falls from 7 at 100 µs to 6 at 200 µs".into())
        );
        assert_eq!(
            read(json!([{"le": 100, "count": 7}, {"le": 100, "count": 7}])),
            Err("the threshold 100 µs is there twice".into())
        );
        assert_eq!(read(json!([{"le": -5, "count": 7}])), Err("the count at -5 µs is 7".into()));
    }

    #[test]
    fn columns_have_the_stored_types() {
        let mut histograms = HistogramColumn::default();
        histograms.push(Some(&Histogram { zero: 2, buckets: vec![(1, 1), (5, 2)] }));
        histograms.push(None);
        let column = histograms.finish().unwrap();
        assert_eq!((column.data_type(), column.len(), column.null_count()), (&histogram_type(), 2, 1));
        let mut counts = CountsLeColumn::default();
        counts.push(None);
        counts.push(Some(&vec![(5, 1)]));
        let column = counts.finish().unwrap();
        assert_eq!((column.data_type(), column.len(), column.null_count()), (&counts_le_type(), 2, 1));
    }
}
