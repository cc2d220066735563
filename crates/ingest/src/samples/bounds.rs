//! From the bounds of a native histogram's buckets, which is all that text and JSON show, back to schema and index.

use std::collections::BTreeMap;

use super::NativeHistogram;
use super::native::SCHEMAS;

/// A bucket as it is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shown {
    pub lower: f64,
    pub upper: f64,
    pub count: f64,
}

/// The histogram with these buckets; otherwise what is wrong. Buckets below zero, and the one around it, count as zero.
pub(super) fn histogram(count: f64, sum: f64, shown: &[Shown]) -> Result<NativeHistogram, String> {
    let mut histogram = NativeHistogram { schema: *SCHEMAS.end(), count, sum, ..NativeHistogram::default() };
    let (above, zero): (Vec<Shown>, Vec<Shown>) = shown.iter().partition(|bucket| bucket.lower > 0.0);
    histogram.zero = zero.iter().map(|bucket| bucket.count).sum();
    histogram.zero_threshold = zero.iter().map(|bucket| bucket.upper).fold(0.0, f64::max);
    let Some(schema) = above.iter().map(|bucket| schema(*bucket)).collect::<Result<Vec<_>, _>>()?.into_iter().max()
    else {
        return Ok(histogram);
    };
    let mut buckets = BTreeMap::new();
    for bucket in &above {
        *buckets.entry(index(*bucket, schema)?).or_insert(0.0) += bucket.count;
    }
    buckets.retain(|_, count| *count != 0.0);
    Ok(NativeHistogram { schema, buckets, ..histogram })
}

/// The schema by the ratio of the bounds, 2^(2^-schema).
fn schema(bucket: Shown) -> Result<i32, String> {
    // The last bucket may end at infinity and is as wide as all others.
    if bucket.upper.is_infinite() {
        return Ok(*SCHEMAS.start());
    }
    let width = (bucket.upper / bucket.lower).log2();
    let schema = -width.log2();
    let whole = schema.round();
    match (schema - whole).abs() < 1e-3 && SCHEMAS.contains(&(whole as i32)) {
        true => Ok(whole as i32),
        false => Err(other(bucket)),
    }
}

/// Bucket *i* ends at 2^((i+1)·2^-schema).
fn index(bucket: Shown, schema: i32) -> Result<i32, String> {
    let at = bucket.lower.log2() * f64::from(schema).exp2();
    let whole = at.round();
    match (at - whole).abs() < 1e-2 {
        true => Ok(whole as i32),
        false => Err(other(bucket)),
    }
}

fn other(bucket: Shown) -> String {
    format!(
        "the bucket from {} to {} is none of an exponential histogram; histograms with bounds of their own are read by their \
         classic series, …_bucket",
        bucket.lower, bucket.upper
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_every_schema_are_known_again() {
        for schema in SCHEMAS {
            let base = f64::from(-schema).exp2();
            let bound = |i: i32| (f64::from(i) * base).exp2();
            let all = [-300, -33, -1, 0, 1, 32, 100].map(|i| i / (1 << (4 - schema.min(4)).max(0)));
            let shown: Vec<Shown> =
                all.iter().map(|&i| Shown { lower: bound(i), upper: bound(i + 1), count: 2.0 }).collect();
            let read = histogram(14.0, 1.0, &shown).unwrap();
            assert_eq!(read.schema, schema);
            assert!(all.iter().all(|i| read.buckets.contains_key(i)), "{schema}: {read:?}");
        }
    }

    #[test]
    fn what_is_no_power_of_two_is_refused() {
        let shown = [Shown { lower: 0.1, upper: 0.25, count: 1.0 }];
        assert!(histogram(1.0, 0.1, &shown).unwrap_err().starts_with("the bucket from 0.1 to 0.25 is none of"));
        let around_zero = [Shown { lower: -0.001, upper: 0.001, count: 3.0 }];
        assert_eq!(histogram(3.0, 0.0, &around_zero).unwrap().zero, 3.0);
    }
}
