//! A counter that is a native histogram.

use std::sync::Arc;

use crate::samples::NativeHistogram;

/// What is known of a histogram after its samples so far. They come in the order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HistogramCounter {
    /// When the last sample was taken, in µs: what it says is counted.
    time: Option<i64>,
    /// What it was; `None` where only its time is known.
    last: Option<Arc<NativeHistogram>>,
    /// When it last began at 0, in µs, where that is told.
    began: Option<i64>,
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
    /// A histogram whose sample at this instant is counted, though not what it was.
    pub fn after(time: i64) -> Self {
        HistogramCounter { time: Some(time), ..Self::default() }
    }

    /// Notes when the histogram began at 0, in µs.
    pub fn began(&mut self, at: i64) {
        self.began = Some(at);
    }

    /// When the last sample was taken, in µs.
    pub fn time(&self) -> Option<i64> {
        self.time
    }

    /// Takes the next sample. `since` is what [`Counter::step`](super::Counter::step) asks for.
    pub fn step(&mut self, time: i64, histogram: &Arc<NativeHistogram>, since: i64) -> HistogramStep {
        let known = self.time;
        if is_stale(histogram) || known.is_some_and(|known| time < known || time == known && self.last.is_some()) {
            return HistogramStep::Nothing;
        }
        self.time = Some(time);
        let before = self.last.replace(Arc::clone(histogram));
        if known == Some(time) {
            return HistogramStep::Nothing;
        }
        let began = self.began.filter(|began| *began <= time);
        match (known, before) {
            (Some(known), _) if began.is_some_and(|began| began > known) => HistogramStep::Reset(Arc::clone(histogram)),
            (Some(_), Some(before)) => match histogram.since(&before) {
                Some(more) => HistogramStep::More(more),
                None => HistogramStep::Reset(Arc::clone(histogram)),
            },
            (None, _) if began.is_some_and(|began| began >= since) => {
                HistogramStep::More(NativeHistogram::clone(histogram))
            }
            _ => HistogramStep::First,
        }
    }

    /// Takes the next sample of a histogram whose samples say what was observed since the one before (delta temporality).
    pub fn delta(&mut self, time: i64, histogram: &Arc<NativeHistogram>) -> HistogramStep {
        if is_stale(histogram) || self.time.is_some_and(|known| time <= known) {
            return HistogramStep::Nothing;
        }
        self.time = Some(time);
        HistogramStep::More(NativeHistogram::clone(histogram))
    }
}

/// Prometheus marks the end of a series with a histogram of nothing whose sum is no number.
pub(crate) fn is_stale(histogram: &NativeHistogram) -> bool {
    histogram.count.is_nan() || histogram.count == 0.0 && histogram.sum.is_nan()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[(i32, f64)]) -> Arc<NativeHistogram> {
        let count = counts.iter().map(|(_, count)| count).sum();
        Arc::new(NativeHistogram { schema: 5, count, buckets: counts.iter().copied().collect(), ..Default::default() })
    }

    #[test]
    fn a_histogram_that_holds_less_began_again() {
        let mut counter = HistogramCounter::default();
        assert_eq!(counter.step(1, &of(&[(0, 4.0)]), 0), HistogramStep::First);
        let HistogramStep::More(more) = counter.step(2, &of(&[(0, 4.0), (9, 2.0)]), 0) else { panic!() };
        assert_eq!(more, *of(&[(9, 2.0)]));
        assert_eq!(counter.step(2, &of(&[(0, 99.0)]), 0), HistogramStep::Nothing);
        // As many in all, and less of the first bucket.
        let again = of(&[(0, 1.0), (9, 8.0)]);
        assert_eq!(counter.step(3, &again, 0), HistogramStep::Reset(Arc::clone(&again)));
    }

    #[test]
    fn what_is_counted_says_only_from_where_it_goes_on() {
        let mut counter = HistogramCounter::after(10);
        assert_eq!(counter.step(9, &of(&[(0, 1.0)]), 0), HistogramStep::Nothing);
        assert_eq!(counter.step(10, &of(&[(0, 2.0)]), 0), HistogramStep::Nothing);
        assert_eq!(counter.step(11, &of(&[(0, 5.0)]), 0), HistogramStep::More((*of(&[(0, 3.0)])).clone()));
        // Without that sample nobody knows what was counted of the next one.
        let mut counter = HistogramCounter::after(10);
        assert_eq!(counter.step(11, &of(&[(0, 5.0)]), 0), HistogramStep::First);
    }

    #[test]
    fn a_beginning_that_is_told_is_a_reset_even_where_more_was_counted_since() {
        let mut counter = HistogramCounter::after(10);
        counter.began(11);
        assert_eq!(counter.step(12, &of(&[(0, 5.0)]), 0), HistogramStep::Reset(of(&[(0, 5.0)])));
        let mut counter = HistogramCounter::default();
        counter.began(61);
        assert_eq!(counter.step(70, &of(&[(0, 5.0)]), 60), HistogramStep::More((*of(&[(0, 5.0)])).clone()));
    }

    #[test]
    fn increments_that_are_told_count_once_each() {
        let mut counter = HistogramCounter::after(10);
        assert_eq!(counter.delta(10, &of(&[(0, 5.0)])), HistogramStep::Nothing);
        assert_eq!(counter.delta(11, &of(&[(0, 5.0)])), HistogramStep::More((*of(&[(0, 5.0)])).clone()));
    }
}
