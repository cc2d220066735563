//! Base-2 exponential latency histograms of scale 5, as OpenTelemetry defines them.
//!
//! Bucket `i` counts observations in `(2^(i/32), 2^((i+1)/32)]` seconds, so a bucket's bounds are
//! about 2.2 % apart. Histograms merge exactly: adding counts is all there is to it. Quantiles
//! are nearest-rank and return the upper bound of the bucket that holds the rank.
//!
//! Source: OpenTelemetry metrics data model, "ExponentialHistogram".

use thiserror::Error;

/// Buckets per power of two: 2^scale, with scale 5.
const PER_OCTAVE: i32 = 32;

/// `2^(j/32)` for `j` in `0..32`, correctly rounded. A table, because `exp2` and `log2` differ in the
/// last digit from one platform to the next and a bound must be the same number everywhere.
#[expect(clippy::approx_constant, reason = "2^(16/32) is the square root of two, but the table is one piece")]
const BOUNDS: [f64; PER_OCTAVE as usize] = [
    1.0,
    1.0218971486541166,
    1.0442737824274138,
    1.0671404006768237,
    1.0905077326652577,
    1.1143867425958924,
    1.1387886347566916,
    1.1637248587775775,
    1.189207115002721,
    1.215247359980469,
    1.241857812073484,
    1.2690509571917332,
    1.2968395546510096,
    1.3252366431597413,
    1.3542555469368927,
    1.383909881963832,
    1.4142135623730951,
    1.4451808069770467,
    1.4768261459394993,
    1.5091644275934228,
    1.5422108254079407,
    1.5759808451078865,
    1.6104903319492543,
    1.645755478153965,
    1.681792830507429,
    1.718619298122478,
    1.7562521603732995,
    1.7947090750031072,
    1.8340080864093424,
    1.8741676341103,
    1.9152065613971474,
    1.9571441241754002,
];

/// Observations per bucket, sparse and ascending by bucket, with those at or below zero apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Observations of zero seconds (or less).
    pub zero: i64,
    /// (bucket, count), ascending by bucket, every count positive.
    pub buckets: Vec<(i32, i64)>,
}

/// Counts that add up to more than 2^63 − 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the counts of a histogram add up to more than a 64-bit integer holds")]
pub struct TooMany;

fn sum(a: i64, b: i64) -> Result<i64, TooMany> {
    a.checked_add(b).ok_or(TooMany)
}

impl Histogram {
    /// Counts `n` observations of this many seconds.
    pub fn record(&mut self, seconds: f64, n: i64) -> Result<(), TooMany> {
        match bucket(seconds) {
            Some(bucket) => self.add(bucket, n)?,
            None => self.zero = sum(self.zero, n)?,
        }
        Ok(())
    }

    /// Adds `n` to a bucket.
    pub fn add(&mut self, bucket: i32, n: i64) -> Result<(), TooMany> {
        match self.buckets.binary_search_by_key(&bucket, |&(b, _)| b) {
            Ok(at) => self.buckets[at].1 = sum(self.buckets[at].1, n)?,
            Err(at) => self.buckets.insert(at, (bucket, n)),
        }
        Ok(())
    }

    /// Adds all counts of another histogram: one pass over both.
    pub fn merge(&mut self, other: &Histogram) -> Result<(), TooMany> {
        self.zero = sum(self.zero, other.zero)?;
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
            return Ok(());
        }
        if other.buckets.len() <= 2 {
            return other.buckets.iter().try_for_each(|&(bucket, n)| self.add(bucket, n));
        }
        let mut merged = Vec::with_capacity(self.buckets.len() + other.buckets.len());
        let (mut a, mut b) = (self.buckets.iter().peekable(), other.buckets.iter().peekable());
        while let (Some(&&(i, n)), Some(&&(j, m))) = (a.peek(), b.peek()) {
            merged.push((i.min(j), sum(if i <= j { n } else { 0 }, if j <= i { m } else { 0 })?));
            if i <= j {
                a.next();
            }
            if j <= i {
                b.next();
            }
        }
        merged.extend(a);
        merged.extend(b);
        self.buckets = merged;
        Ok(())
    }

    /// Number of observations.
    pub fn count(&self) -> Result<i64, TooMany> {
        self.buckets.iter().try_fold(self.zero, |count, &(_, n)| sum(count, n))
    }

    /// Nearest-rank quantile in seconds: the upper bound of the bucket that holds rank ⌈q·count⌉.
    /// `None` for an empty histogram or `q` outside `[0, 1]`.
    pub fn quantile(&self, q: f64) -> Result<Option<f64>, TooMany> {
        let count = self.count()?;
        if count == 0 || !(0.0..=1.0).contains(&q) {
            return Ok(None);
        }
        let rank = rank(q, count);
        let mut below = self.zero;
        if rank <= below {
            return Ok(Some(0.0));
        }
        for &(bucket, n) in &self.buckets {
            below += n;
            if rank <= below {
                return Ok(Some(upper_bound(bucket)));
            }
        }
        Ok(None)
    }

    /// The bucket that holds rank ⌈share·count⌉, `Some(None)` where that is an observation of zero; `None` for an
    /// empty histogram.
    pub fn quantile_bucket(&self, share: crate::Share) -> Result<Option<Option<i32>>, TooMany> {
        let count = self.count()?;
        if count == 0 {
            return Ok(None);
        }
        let rank = share.rank_of(count);
        let mut below = self.zero;
        if rank <= below {
            return Ok(Some(None));
        }
        Ok(self.buckets.iter().find_map(|&(bucket, n)| {
            below += n;
            (rank <= below).then_some(Some(bucket))
        }))
    }

    /// Observations of at most `le` seconds. Exact where `le` is a bucket bound (or below zero);
    /// otherwise `le` rounds up to the bound of its bucket, and the second value says so.
    pub fn count_le(&self, le: f64) -> Result<(i64, bool), TooMany> {
        if le < 0.0 {
            return Ok((0, true));
        }
        let Some(last) = bucket(le) else { return Ok((self.zero, true)) };
        let mut below = self.buckets.iter().take_while(|&&(b, _)| b <= last);
        let count = below.try_fold(self.zero, |count, &(_, n)| sum(count, n))?;
        Ok((count, upper_bound(last) == le))
    }
}

/// ⌈q·count⌉, at least 1. `q` is taken as the decimal it prints as: 0.07 × 100 is rank 7, not 8.
fn rank(q: f64, count: i64) -> i64 {
    match crate::Share::from_f64(q) {
        Ok(q) => q.rank_of(count),
        Err(_) => ((q * count as f64).ceil() as i64).clamp(1, count),
    }
}

/// The bucket that counts an observation of this many seconds; `None` for zero and below, and for NaN.
/// Infinity falls into the last bucket. Exact: the mantissa is compared with the table of bounds.
pub fn bucket(seconds: f64) -> Option<i32> {
    if seconds.is_nan() || seconds <= 0.0 {
        return None;
    }
    let seconds = seconds.clamp(f64::MIN_POSITIVE, f64::MAX);
    let bits = seconds.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32 - 1023;
    let mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
    // Bounds below the mantissa: the bucket's lower bound is the last of them, exclusive.
    let below = BOUNDS.partition_point(|&bound| bound < mantissa) as i32;
    Some(exponent * PER_OCTAVE + below - 1)
}

/// The bucket's upper bound, inclusive, in seconds: `2^((bucket+1)/32)`.
pub fn upper_bound(bucket: i32) -> f64 {
    let above = bucket + 1;
    let octave = above.div_euclid(PER_OCTAVE);
    BOUNDS[above.rem_euclid(PER_OCTAVE) as usize] * 2f64.powi(octave)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        for i in -640..640 {
            let bound = upper_bound(i);
            assert_eq!(bucket(bound), Some(i), "bound {bound}");
            assert_eq!(bucket(bound * (1.0 + f64::EPSILON)), Some(i + 1), "just above {bound}");
        }
    }

    #[test]
    fn one_second_is_the_upper_bound_of_bucket_minus_one() {
        assert_eq!(bucket(1.0), Some(-1));
        assert_eq!(upper_bound(-1), 1.0);
        assert_eq!(upper_bound(31), 2.0);
        assert_eq!(bucket(0.0), None);
        assert_eq!(bucket(f64::NAN), None);
    }

    #[test]
    fn quantiles_are_nearest_rank() {
        let mut h = Histogram::default();
        h.record(0.0, 1).unwrap();
        h.record(0.5, 8).unwrap();
        h.record(2.0, 1).unwrap();
        assert_eq!(h.quantile(0.0), Ok(Some(0.0)));
        assert_eq!(h.quantile(0.1), Ok(Some(0.0)));
        assert_eq!(h.quantile(0.9), Ok(Some(0.5)));
        assert_eq!(h.quantile(0.91), Ok(Some(2.0)));
        assert_eq!(h.count_le(0.5), Ok((9, true)));
        assert_eq!(h.count_le(0.49), Ok((9, false)));
        assert_eq!(h.count_le(-1.0), Ok((0, true)));
    }

    #[test]
    fn merging_adds_bucket_by_bucket() {
        let (mut a, mut b) = (Histogram::default(), Histogram::default());
        let mut both = Histogram::default();
        for k in 0..500 {
            let seconds = f64::from(k) * 0.013;
            if k % 3 == 0 { &mut a } else { &mut b }.record(seconds, 1).unwrap();
            both.record(seconds, 1).unwrap();
        }
        a.merge(&b).unwrap();
        assert_eq!(a, both);
    }

    #[test]
    fn counts_beyond_64_bits_are_an_error() {
        let most = Histogram { zero: i64::MAX, buckets: vec![(1, 1)] };
        assert_eq!(most.count(), Err(TooMany));
        assert_eq!(most.quantile(0.5), Err(TooMany));
        assert_eq!(most.count_le(0.0), Ok((i64::MAX, true)));
        assert_eq!(most.count_le(upper_bound(1)), Err(TooMany));
        assert_eq!(most.clone().merge(&most), Err(TooMany));
        let buckets = |n| Histogram { zero: 0, buckets: (0..4).map(|bucket| (bucket, n)).collect() };
        assert_eq!(buckets(i64::MAX).merge(&buckets(1)), Err(TooMany));
        assert_eq!(buckets(i64::MAX).record(1.1, 1), Ok(()));
        assert_eq!(buckets(i64::MAX).record(1.01, 1), Err(TooMany));
    }
}
