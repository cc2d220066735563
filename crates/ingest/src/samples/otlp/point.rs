//! A point that was checked: one shape for all kinds.

use std::collections::BTreeMap;

use super::messages::{ExponentialHistogramDataPoint, HistogramDataPoint, KeyValue, NumberDataPoint, SummaryDataPoint};
use crate::samples::NativeHistogram;

/// Scales that there are.
const SCALES: std::ops::RangeInclusive<i32> = -10..=20;

/// The flag of a point that says only that there is none.
const NO_RECORDED_VALUE: u32 = 1;

/// A point.
#[derive(Debug, PartialEq)]
pub(super) struct Point {
    pub attributes: Vec<KeyValue>,
    /// Nanoseconds since 1970; 0 if it is not told.
    pub start: u64,
    /// The same; never 0.
    pub time: u64,
    pub value: PointValue,
}

#[derive(Debug, PartialEq)]
pub(super) enum PointValue {
    /// No value: a gap.
    Nothing,
    Number(f64),
    Buckets {
        count: u64,
        sum: Option<f64>,
        /// Ascending.
        bounds: Vec<f64>,
        /// One more than bounds, or none.
        counts: Vec<u64>,
    },
    Exponential(NativeHistogram),
    Summary {
        count: u64,
        sum: f64,
    },
}

impl Point {
    fn new(times: (u64, u64), flags: u32, attributes: Vec<KeyValue>, value: PointValue) -> Result<Self, String> {
        let (start, time) = times;
        if time == 0 {
            return Err("the point has no time; expected timeUnixNano".to_string());
        }
        let value = if flags & NO_RECORDED_VALUE == 0 { value } else { PointValue::Nothing };
        Ok(Point { attributes, start, time, value })
    }
}

impl TryFrom<NumberDataPoint> for Point {
    type Error = String;

    fn try_from(of: NumberDataPoint) -> Result<Self, String> {
        let value = of.as_double.or(of.as_int.map(|whole| whole as f64));
        let value = value.map_or(PointValue::Nothing, PointValue::Number);
        Point::new((of.start_time_unix_nano, of.time_unix_nano), of.flags, of.attributes, value)
    }
}

impl TryFrom<HistogramDataPoint> for Point {
    type Error = String;

    fn try_from(of: HistogramDataPoint) -> Result<Self, String> {
        let (bounds, counts) = (of.explicit_bounds, of.bucket_counts);
        let has_none = bounds.is_empty() && counts.is_empty();
        if !has_none && counts.len() != bounds.len() + 1 {
            let (counts, bounds) = (counts.len(), bounds.len());
            return Err(format!("{counts} bucket counts for {bounds} bounds; expected {}", bounds + 1));
        }
        if bounds.iter().any(|bound| !bound.is_finite()) || !bounds.is_sorted_by(|a, b| a < b) {
            return Err("the bounds of the buckets do not ascend".to_string());
        }
        if !has_none {
            adds_up(of.count, counts.iter().copied())?;
        }
        let value = PointValue::Buckets { count: of.count, sum: of.sum, bounds, counts };
        Point::new((of.start_time_unix_nano, of.time_unix_nano), of.flags, of.attributes, value)
    }
}

impl TryFrom<ExponentialHistogramDataPoint> for Point {
    type Error = String;

    fn try_from(of: ExponentialHistogramDataPoint) -> Result<Self, String> {
        if !SCALES.contains(&of.scale) {
            return Err(format!("the scale is {}; expected -10 to 20", of.scale));
        }
        let negative = of.negative.unwrap_or_default().bucket_counts;
        if negative.iter().any(|count| *count > 0) {
            return Err("a bucket below zero counts something; expected latencies, which are not negative".to_string());
        }
        if of.zero_threshold.is_nan() || of.zero_threshold < 0.0 {
            return Err(format!("the zero threshold is {}; expected at least 0", of.zero_threshold));
        }
        let positive = of.positive.unwrap_or_default();
        adds_up(of.count, positive.bucket_counts.iter().copied().chain([of.zero_count]))?;
        let mut buckets = BTreeMap::new();
        for (at, count) in positive.bucket_counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let bucket = i32::try_from(at).ok().and_then(|at| positive.offset.checked_add(at));
            let bucket = bucket.ok_or_else(|| format!("the buckets from {} on are too many", positive.offset))?;
            buckets.insert(bucket, *count as f64);
        }
        let histogram = NativeHistogram {
            schema: of.scale,
            count: of.count as f64,
            // Of nothing the sum is 0, told or not.
            sum: of.sum.unwrap_or(if of.count == 0 { 0.0 } else { f64::NAN }),
            zero: of.zero_count as f64,
            zero_threshold: of.zero_threshold,
            buckets,
        };
        let value = PointValue::Exponential(histogram);
        Point::new((of.start_time_unix_nano, of.time_unix_nano), of.flags, of.attributes, value)
    }
}

impl TryFrom<SummaryDataPoint> for Point {
    type Error = String;

    fn try_from(of: SummaryDataPoint) -> Result<Self, String> {
        let value = PointValue::Summary { count: of.count, sum: of.sum };
        Point::new((of.start_time_unix_nano, of.time_unix_nano), of.flags, of.attributes, value)
    }
}

fn adds_up(count: u64, mut parts: impl Iterator<Item = u64>) -> Result<(), String> {
    match parts.try_fold(0u64, u64::checked_add) {
        Some(sum) if sum == count => Ok(()),
        Some(sum) => Err(format!("the buckets count {sum} in all, and the count is {count}")),
        None => Err(format!("the buckets count more than 2^64 in all, and the count is {count}")),
    }
}
