//! A counter that is a native histogram.

use std::sync::Arc;

use crate::samples::NativeHistogram;

/// What is known of a histogram after its samples so far. They come in the order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistogramCounter {
    /// The last sample: when, in µs, and what.
    last: Option<(i64, Arc<NativeHistogram>)>,
}

/// What a sample says: as [`Step`](super::Step) does.
#[derive(Debug, Clone, PartialEq)]
pub enum HistogramStep {
    /// The first one: reached, but nobody knows since when.
    First,
    /// What was observed since the sample before.
    More(NativeHistogram),
    /// What was observed since it began again.
    Reset(Arc<NativeHistogram>),
    /// Nothing: known already.
    Nothing,
}

impl HistogramCounter {
    /// Takes the next sample.
    pub fn step(&mut self, time: i64, histogram: &Arc<NativeHistogram>) -> HistogramStep {
        if self.last.as_ref().is_some_and(|(before, _)| time <= *before) || is_stale(histogram) {
            return HistogramStep::Nothing;
        }
        match self.last.replace((time, Arc::clone(histogram))) {
            None => HistogramStep::First,
            Some((_, before)) => match histogram.since(&before) {
                Some(more) => HistogramStep::More(more),
                None => HistogramStep::Reset(Arc::clone(histogram)),
            },
        }
    }
}

/// Prometheus marks the end of a series with a histogram of nothing whose sum is no number.
pub(crate) fn is_stale(histogram: &NativeHistogram) -> bool {
    histogram.count.is_nan() || histogram.count == 0.0 && histogram.sum.is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_that_holds_less_began_again() {
        let of = |counts: &[(i32, f64)]| {
            let count = counts.iter().map(|(_, count)| count).sum();
            Arc::new(NativeHistogram {
                schema: 5,
                count,
                buckets: counts.iter().copied().collect(),
                ..Default::default()
            })
        };
        let mut counter = HistogramCounter::default();
        assert_eq!(counter.step(1, &of(&[(0, 4.0)])), HistogramStep::First);
        let HistogramStep::More(more) = counter.step(2, &of(&[(0, 4.0), (9, 2.0)])) else { panic!() };
        assert_eq!(more, *of(&[(9, 2.0)]));
        assert_eq!(counter.step(2, &of(&[(0, 99.0)])), HistogramStep::Nothing);
        // As many in all, and less of the first bucket.
        let again = of(&[(0, 1.0), (9, 8.0)]);
        assert_eq!(counter.step(3, &again), HistogramStep::Reset(Arc::clone(&again)));
    }
}
