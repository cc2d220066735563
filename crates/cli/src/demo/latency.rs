//! How long requests take: a log-normal distribution in a few bins, and the histogram column made of it.
//!
//! Requests are not sampled one by one. A row's requests fall into eight bins of the distribution, each bin
//! into one bucket that moves with the load, with what is broken and a little by chance; merged over an hour
//! the buckets fill up to a smooth distribution. Cost per row: one random number and at most eight buckets.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, ListArray, StructArray};
use datafusion::arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, Fields};
use nines_timeline::histogram::upper_bound;

use super::rng::Rng;

const BINS: usize = 8;

/// The part of all requests up to the end of each bin, and the normal quantile of each bin's middle.
const UP_TO: [f64; BINS] = [0.10, 0.30, 0.50, 0.70, 0.87, 0.96, 0.993, 1.0];
const MIDDLE: [f64; BINS] = [-1.645, -0.842, -0.253, 0.253, 0.789, 1.372, 1.987, 2.697];

/// Buckets by which chance moves a bin: a power of two, and fewer than lie between two bins' middles.
const JITTER: u64 = 8;

/// Buckets for which the middle is tabulated: 15 µs to 256 s.
const FIRST: i32 = -512;
const LAST: i32 = 256;

static MIDDLES: LazyLock<Vec<f64>> =
    LazyLock::new(|| (FIRST..=LAST).map(|bucket| upper_bound(bucket) / 2f64.powf(1.0 / 64.0)).collect());

/// Buckets by which latencies move when they become `factor` times as long.
pub(super) fn buckets_of_factor(factor: f64) -> i32 {
    (32.0 * factor.log2()).round() as i32
}

/// An endpoint's usual latencies: the lowest bucket of each bin.
pub(super) struct Profile([i32; BINS]);

impl Profile {
    /// Of this median (seconds) and standard deviation of the logarithm (at least 0.35).
    pub(super) fn new((median, spread): (f64, f64)) -> Self {
        let per_deviation = spread * 32.0 / std::f64::consts::LN_2;
        let center = 32.0 * median.log2() - JITTER as f64 / 2.0;
        Self(MIDDLE.map(|z| (center + z * per_deviation).round() as i32))
    }
}

/// The columns `latency` and `latency_sum` of a batch, row by row.
pub(super) struct Latencies {
    offsets: Vec<i32>,
    buckets: Vec<i32>,
    counts: Vec<i64>,
    sums: Vec<f64>,
    measured: Vec<bool>,
}

impl Latencies {
    pub(super) fn with_capacity(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self {
            offsets,
            buckets: Vec::with_capacity(rows * BINS),
            counts: Vec::with_capacity(rows * BINS),
            sums: Vec::with_capacity(rows),
            measured: Vec::with_capacity(rows),
        }
    }

    /// A row of `n` requests whose latencies are `shift` buckets away from the profile.
    pub(super) fn push(&mut self, profile: &Profile, n: i64, shift: i32, rng: &mut Rng) {
        let random = rng.next();
        // One common offset for all bins: every bin has its share on average, and the counts add up to n.
        let offset = (random >> 32) as f64 / (1u64 << 32) as f64;
        let (mut jitter, mut below, mut sum) = (random, 0, 0.0);
        for (bin, up_to) in UP_TO.iter().enumerate() {
            let end = if bin == BINS - 1 { n } else { (n as f64 * up_to + offset) as i64 };
            let count = end - below;
            if count > 0 {
                let bucket = (profile.0[bin] + shift + (jitter % JITTER) as i32).clamp(FIRST, LAST);
                self.buckets.push(bucket);
                self.counts.push(count);
                sum += count as f64 * MIDDLES[(bucket - FIRST) as usize];
            }
            jitter /= JITTER;
            below = end;
        }
        self.offsets.push(self.buckets.len() as i32);
        self.sums.push((sum * 1e6).round() / 1e6);
        self.measured.push(true);
    }

    /// A row without latencies.
    pub(super) fn push_null(&mut self) {
        self.offsets.push(self.buckets.len() as i32);
        self.sums.push(0.0);
        self.measured.push(false);
    }

    /// The columns `latency_sum` and `latency`, the latter of the store's histogram type.
    pub(super) fn finish(self, histogram: &DataType) -> (ArrayRef, ArrayRef) {
        let rows = self.measured.len();
        let nulls = NullBuffer::new(BooleanBuffer::from(self.measured));
        let sums = Float64Array::new(self.sums.into(), Some(nulls.clone()));
        let fields = struct_fields(histogram);
        let element = match fields.get(1).map(|f| f.data_type()) {
            Some(DataType::List(element)) => Arc::clone(element),
            _ => unreachable!("a histogram holds a list of buckets: {histogram}"),
        };
        let buckets: Vec<ArrayRef> =
            vec![Arc::new(Int32Array::from(self.buckets)), Arc::new(Int64Array::from(self.counts))];
        let buckets = StructArray::new(struct_fields(element.data_type()), buckets, None);
        let list = ListArray::new(element, OffsetBuffer::new(self.offsets.into()), Arc::new(buckets), None);
        let zeros = Int64Array::from(vec![0; rows]);
        let latency = StructArray::new(fields, vec![Arc::new(zeros), Arc::new(list)], Some(nulls));
        (Arc::new(sums), Arc::new(latency))
    }
}

fn struct_fields(data_type: &DataType) -> Fields {
    match data_type {
        DataType::Struct(fields) => fields.clone(),
        _ => unreachable!("histograms and their buckets are structs: {data_type}"),
    }
}

#[cfg(test)]
mod tests {
    use nines_timeline::histogram::Histogram;

    use super::*;

    fn rows(n: i64, shift: i32, rows: usize) -> (Latencies, Vec<Histogram>) {
        let (mut latencies, mut rng) = (Latencies::with_capacity(rows), Rng::of(3, [0, 0, 0]));
        let profile = Profile::new((0.1, 0.5));
        (0..rows).for_each(|_| latencies.push(&profile, n, shift, &mut rng));
        let of_row = |row: &[i32]| {
            let (from, to) = (row[0] as usize, row[1] as usize);
            let buckets = latencies.buckets[from..to].iter().copied().zip(latencies.counts[from..to].iter().copied());
            Histogram { zero: 0, buckets: buckets.collect() }
        };
        let histograms = latencies.offsets.windows(2).map(of_row).collect();
        (latencies, histograms)
    }

    #[test]
    fn buckets_ascend_and_hold_every_request() {
        for n in [1, 3, 40, 2_000] {
            let (latencies, histograms) = rows(n, 0, 500);
            for (h, sum) in histograms.iter().zip(&latencies.sums) {
                assert_eq!(h.count(), Ok(n));
                assert!(h.buckets.is_sorted_by(|a, b| a.0 < b.0) && h.buckets.iter().all(|b| b.1 > 0));
                assert!(*sum > 0.01 * n as f64 && *sum < n as f64);
            }
        }
    }

    #[test]
    fn the_median_is_where_the_profile_puts_it() {
        for (shift, median) in [(0, 0.1), (32, 0.2), (-32, 0.05)] {
            let mut all = Histogram::default();
            rows(25, shift, 4_000).1.iter().for_each(|h| all.merge(h).unwrap());
            let measured = all.quantile(0.5).unwrap().unwrap();
            assert!((measured / median - 1.0).abs() < 0.15, "median {measured}, not {median}");
            let p90 = all.quantile(0.9).unwrap().unwrap() / median;
            assert!((1.6..2.2).contains(&p90), "P90 is {p90} medians, not about exp(1.28 × 0.5) = 1.9");
        }
    }
}
