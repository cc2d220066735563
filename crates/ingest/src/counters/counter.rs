//! A counter that is one number.

/// What is known of a counter after its samples so far. They come in the order of time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counter {
    /// The last sample: when, in µs, and what.
    last: Option<(i64, f64)>,
    /// When it last began at 0, in µs, where that is told.
    began: Option<i64>,
}

/// What a sample says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// The first one: reached, but nobody knows since when.
    First,
    /// So many more than at the sample before.
    More(f64),
    /// So many since it began again at 0.
    Reset(f64),
    /// Nothing: no number, or known already.
    Nothing,
    /// Another value at the instant of the sample before, whose value is counted: this one counts nothing.
    Again,
}

impl Counter {
    /// A counter whose last sample is known from before.
    pub fn after(time: i64, value: f64) -> Self {
        Counter { last: Some((time, value)), began: None }
    }

    /// Notes when the counter began at 0 (`_created` of OpenMetrics), in µs.
    pub fn began(&mut self, at: i64) {
        self.began = Some(at);
    }

    /// The last sample: when, in µs, and what.
    pub fn last(&self) -> Option<(i64, f64)> {
        self.last
    }

    /// Takes the next sample. `since` is the instant, in µs, after which a counter must have begun to count wholly with its
    /// first sample: the start of the slice that the sample's increment goes to.
    pub fn step(&mut self, time: i64, value: f64, since: i64) -> Step {
        if value.is_nan() {
            return Step::Nothing;
        }
        let Some((before, last)) = self.last else {
            self.last = Some((time, value));
            return if self.began.is_some_and(|began| began >= since && began <= time) {
                Step::More(value)
            } else {
                Step::First
            };
        };
        if time <= before {
            return if time == before && value != last { Step::Again } else { Step::Nothing };
        }
        self.last = Some((time, value));
        match value < last || self.began.is_some_and(|began| began > before && began <= time) {
            true => Step::Reset(value),
            false => Step::More(value - last),
        }
    }

    /// Takes the next sample of a counter whose samples say what was counted since the one before (delta temporality).
    pub fn delta(&mut self, time: i64, more: f64) -> Step {
        if more.is_nan() {
            return Step::Nothing;
        }
        if let Some((before, known)) = self.last.filter(|(before, _)| time <= *before) {
            return if time == before && more != known { Step::Again } else { Step::Nothing };
        }
        self.last = Some((time, more));
        Step::More(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Prometheus writes where a series ended.
    const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

    fn steps(counter: &mut Counter, samples: &[(i64, f64)]) -> Vec<Step> {
        samples.iter().map(|&(time, value)| counter.step(time, value, 0)).collect()
    }

    #[test]
    fn what_it_grew_by_is_the_difference_or_all_of_it_after_a_reset() {
        let mut counter = Counter::default();
        let samples = [(1, 100.0), (2, 100.0), (3, 107.0), (4, 2.0), (5, 2.0), (9, 5.0)];
        let expected =
            [Step::First, Step::More(0.0), Step::More(7.0), Step::Reset(2.0), Step::More(0.0), Step::More(3.0)];
        assert_eq!(steps(&mut counter, &samples), expected);
        assert_eq!(counter.last(), Some((9, 5.0)));
    }

    #[test]
    fn a_series_goes_on_after_a_gap_or_a_mark_of_staleness() {
        let mut counter = Counter::default();
        let samples = [(1, 10.0), (2, STALE), (3, f64::NAN), (50, 12.0), (51, STALE), (60, 1.0)];
        let nothing = Step::Nothing;
        let expected = [Step::First, nothing, nothing, Step::More(2.0), nothing, Step::Reset(1.0)];
        assert_eq!(steps(&mut counter, &samples), expected);
    }

    #[test]
    fn what_is_known_counts_once() {
        let mut counter = Counter::after(10, 5.0);
        let expected = [Step::Nothing, Step::Nothing, Step::Again, Step::More(3.0)];
        assert_eq!(steps(&mut counter, &[(9, 4.0), (10, 5.0), (10, 6.0), (11, 8.0)]), expected);
    }

    #[test]
    fn increments_that_are_told_count_once_each() {
        let mut counter = Counter::after(10, 5.0);
        let steps = [(9, 4.0), (10, 5.0), (10, 7.0), (11, 2.0), (11, 2.0), (12, f64::NAN), (13, 0.0)]
            .map(|(time, more)| counter.delta(time, more));
        let nothing = Step::Nothing;
        let expected = [nothing, nothing, Step::Again, Step::More(2.0), nothing, nothing, Step::More(0.0)];
        assert_eq!(steps, expected);
        assert_eq!(Counter::default().delta(1, 3.0), Step::More(3.0), "the first one, too");
    }

    #[test]
    fn a_beginning_that_is_told_is_a_reset_even_where_more_was_counted_since() {
        let mut counter = Counter::after(10, 5.0);
        counter.began(15);
        assert_eq!(counter.step(20, 7.0, 0), Step::Reset(7.0));
        assert_eq!(counter.step(30, 8.0, 0), Step::More(1.0), "it began before the last sample");
        // The first sample counts if the counter began within its slice, and only then.
        for (began, step) in [(59, Step::First), (60, Step::More(3.0)), (70, Step::More(3.0)), (71, Step::First)] {
            let mut counter = Counter::default();
            counter.began(began);
            assert_eq!(counter.step(70, 3.0, 60), step, "{began}");
        }
    }
}
