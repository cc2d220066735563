//! Native histograms of Prometheus: buckets whose bounds are powers of 2^(2^-schema).

use std::collections::BTreeMap;

use nines_timeline::histogram::Histogram;

/// The scale of stored histograms.
const STORED: i32 = 5;

/// Schemas that Prometheus has.
pub(crate) const SCHEMAS: std::ops::RangeInclusive<i32> = -4..=8;

/// Below this latency, in seconds, nothing can be told apart: thresholds are whole microseconds.
const FINEST: f64 = 1e-6;

/// A native histogram of Prometheus, or an exponential one of OpenTelemetry, of latencies. Bucket *i* covers (2^(i·2^-schema), 2^((i+1)·2^-schema)], as OpenTelemetry counts them;
/// Prometheus calls it i+1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NativeHistogram {
    /// How fine the buckets are: 2^schema per power of two.
    pub schema: i32,
    /// All observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// Observations at about zero, or below.
    pub zero: f64,
    /// What about zero is: at most this.
    pub zero_threshold: f64,
    /// Observations per bucket; none is zero.
    pub buckets: BTreeMap<i32, f64>,
}

impl NativeHistogram {
    /// The same with coarser buckets, exactly: each lies within one of the coarser ones.
    #[must_use]
    pub fn at(&self, schema: i32) -> Self {
        let shift = (self.schema - schema).max(0);
        let mut buckets = BTreeMap::new();
        for (bucket, count) in &self.buckets {
            *buckets.entry(bucket >> shift).or_insert(0.0) += count;
        }
        NativeHistogram { schema: self.schema - shift, buckets, ..self.clone() }
    }

    /// The same with what is at most a greater threshold counted as zero.
    fn with_zero(&self, threshold: f64) -> Self {
        let mut wider = self.clone();
        if threshold <= self.zero_threshold {
            return wider;
        }
        wider.zero_threshold = threshold;
        let width = f64::from(-self.schema).exp2();
        wider.buckets.retain(|bucket, count| {
            let is_above = (f64::from(*bucket) * width).exp2() >= threshold;
            wider.zero += if is_above { 0.0 } else { *count };
            is_above
        });
        wider
    }

    /// Adds another one, at the coarser schema of the two.
    pub fn add(&mut self, other: &NativeHistogram) {
        let schema = self.schema.min(other.schema);
        let zero = self.zero_threshold.max(other.zero_threshold);
        let (mut sum, other) = (self.at(schema).with_zero(zero), other.at(schema).with_zero(zero));
        sum.count += other.count;
        sum.sum += other.sum;
        sum.zero += other.zero;
        for (bucket, count) in &other.buckets {
            *sum.buckets.entry(*bucket).or_insert(0.0) += count;
        }
        *self = sum;
    }

    /// What was observed since an earlier histogram of the same series; `None` if it began again meanwhile: there is less of
    /// something, or the buckets are finer, which happens only where counting begins anew.
    pub fn since(&self, before: &NativeHistogram) -> Option<NativeHistogram> {
        if self.schema > before.schema {
            return None;
        }
        let before = before.at(self.schema).with_zero(self.zero_threshold);
        let mut more = self.clone();
        more.count -= before.count;
        more.sum -= before.sum;
        more.zero -= before.zero;
        for (bucket, count) in &before.buckets {
            *more.buckets.entry(*bucket).or_insert(0.0) -= count;
        }
        more.buckets.retain(|_, count| *count != 0.0);
        let is_less = more.count < 0.0 || more.zero < 0.0 || more.buckets.values().any(|count| *count < 0.0);
        (!is_less).then_some(more)
    }

    /// The stored histogram, if the observations are seconds; `None` if its buckets are coarser than those that are stored: nobody
    /// knows into which of the finer ones to put the observations. `Err` with a count that is not whole.
    pub fn stored(&self) -> Option<Result<Histogram, f64>> {
        if self.schema < STORED || self.zero > 0.0 && self.zero_threshold > FINEST {
            return None;
        }
        let merged = self.at(STORED);
        let buckets = merged.buckets.iter().map(|(bucket, count)| Ok((*bucket, whole(*count)?)));
        let stored = buckets.collect::<Result<Vec<_>, f64>>();
        Some(stored.and_then(|buckets| Ok(Histogram { zero: whole(merged.zero)?, buckets })))
    }

    /// Exact cumulative counts at those bounds of buckets that are whole microseconds, if so many units of the observations make a
    /// second: powers of two from 2^-6 s or 2^-3 ms on. Every schema from 0 on has them as bounds; lower ones have some. `Err` with a
    /// count that is not whole.
    pub fn at_whole_micros(&self, in_a_second: u64) -> Result<Vec<(i64, i64)>, f64> {
        // Up to 2^14 s, more than four hours.
        let longest = 2f64.powi(14) * 1e6;
        let (merged, mut below) = (self.at(0), self.zero);
        let octaves = 1 << (-merged.schema).max(0);
        let mut counts = Vec::new();
        let mut buckets = merged.buckets.iter().peekable();
        for exponent in (-6..=34).filter(|exponent| exponent % octaves == 0) {
            let micros = 2f64.powi(exponent) * 1e6 / in_a_second as f64;
            // The bucket that ends at 2^exponent.
            let last = exponent / octaves - 1;
            while let Some((_, count)) = buckets.next_if(|(bucket, _)| **bucket <= last) {
                below += count;
            }
            let is_known = self.zero == 0.0 || 2f64.powi(exponent) >= self.zero_threshold;
            if micros.fract() == 0.0 && micros <= longest && is_known {
                counts.push((micros as i64, whole(below)?));
            }
        }
        Ok(counts)
    }
}

/// A whole number; `Err` with what is none.
pub(crate) fn whole(count: f64) -> Result<i64, f64> {
    // 2^63, exactly.
    match count.fract() == 0.0 && (0.0..9_223_372_036_854_775_808.0).contains(&count) {
        true => Ok(count as i64),
        false => Err(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(schema: i32, buckets: &[(i32, f64)]) -> NativeHistogram {
        let count = buckets.iter().map(|(_, count)| count).sum();
        NativeHistogram { schema, count, buckets: buckets.iter().copied().collect(), ..NativeHistogram::default() }
    }

    #[test]
    fn coarser_buckets_hold_the_finer_ones_whole() {
        let fine = of(7, &[(-5, 1.0), (-4, 2.0), (-1, 3.0), (0, 4.0), (3, 5.0), (4, 6.0)]);
        assert_eq!(fine.at(5), of(5, &[(-2, 1.0), (-1, 5.0), (0, 9.0), (1, 6.0)]));
        let stored = fine.stored().unwrap().unwrap();
        assert_eq!(stored, Histogram { zero: 0, buckets: vec![(-2, 1), (-1, 5), (0, 9), (1, 6)] });
        assert_eq!(of(4, &[(0, 1.0)]).stored(), None);
        assert_eq!(of(5, &[(0, 1.5)]).stored(), Some(Err(1.5)));
    }

    #[test]
    fn what_was_observed_since_is_a_difference_at_the_coarser_schema() {
        let (before, after) = (of(3, &[(0, 1.0), (1, 2.0)]), of(2, &[(0, 5.0), (7, 1.0)]));
        let more = after.since(&before).unwrap();
        assert_eq!(more, of(2, &[(0, 2.0), (7, 1.0)]));
        assert_eq!(before.since(&after), None, "finer than before: it began again");
        assert_eq!(of(3, &[(0, 9.0)]).since(&before), None, "a bucket holds less");
    }

    #[test]
    fn coarse_ones_are_exact_at_powers_of_two() {
        // (0.25, 0.5], (0.5, 1] and (1, 2].
        let counts = of(0, &[(-2, 3.0), (-1, 4.0), (0, 5.0)]).at_whole_micros(1).unwrap();
        let at = |micros: i64| counts.iter().find(|(le, _)| *le == micros).unwrap().1;
        assert_eq!((at(15_625), at(250_000), at(500_000), at(1_000_000), at(2_000_000)), (0, 0, 3, 7, 12));
        // Bounds of schema -1 are powers of four: (0.25, 1], (1, 4].
        let coarser = of(-1, &[(-1, 1.0), (0, 2.0)]).at_whole_micros(1).unwrap();
        assert!(coarser.contains(&(1_000_000, 1)) && coarser.contains(&(4_000_000, 3)));
        assert!(!coarser.iter().any(|(le, _)| *le == 2_000_000));
        let milliseconds = of(5, &[(-97, 3.0), (-96, 4.0)]).at_whole_micros(1_000).unwrap();
        assert_eq!(milliseconds[..3], [(125, 3), (250, 7), (500, 7)]);
        assert_eq!(of(5, &[(0, 1.0)]).at_whole_micros(1_000_000_000).unwrap(), [], "2^k ns are no whole µs");
    }

    #[test]
    fn what_is_about_zero_is_known_from_its_threshold_on() {
        let wide = NativeHistogram { zero: 2.0, zero_threshold: 0.3, ..of(5, &[(0, 1.0)]) };
        assert_eq!(wide.stored(), None);
        assert_eq!(wide.at_whole_micros(1).unwrap()[..2], [(500_000, 2), (1_000_000, 2)]);
        assert!(NativeHistogram { zero_threshold: 1e-9, ..wide.clone() }.stored().is_some());
        // Buckets below a threshold that grew are in it.
        let before = of(5, &[(-64, 2.0), (0, 1.0)]);
        let after = NativeHistogram { zero: 3.0, zero_threshold: 0.5, count: 5.0, ..of(5, &[(0, 2.0)]) };
        let more = after.since(&before).unwrap();
        assert_eq!((more.zero, more.buckets), (1.0, [(0, 1.0)].into()));
    }
}
