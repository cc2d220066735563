//! Counts of a day, by slot.

use std::ops::Range;
use std::sync::Arc;

use super::subject::Between;

/// Counts of one lane over a day, a (good, total) per slot of the store's width.
///
/// A pass has a lane for each objective, more than a processor's cache holds. So a lane is not cleared before a day: the slots that were
/// counted in are known, and the others are set to 0 when all rows were seen ([`finish`](Lane::finish)).
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    counts: Vec<[i64; 2]>,
    /// The slots in which counts are of this day.
    known: Range<usize>,
    /// By slot, whether a threshold was rounded down; empty as long as none was.
    rounded: Vec<bool>,
    /// Where these thresholds lie.
    pub(super) between: Option<Between>,
    pub overflow: bool,
}

impl Lane {
    pub fn new(slots: usize) -> Self {
        // Written, so that the memory is there: zeros that are only promised are given a page at a time, and each is found missing twice.
        let mut counts = Vec::with_capacity(slots);
        counts.extend(std::iter::repeat_n([0, 0], slots));
        Lane { counts, known: 0..0, rounded: Vec::new(), between: None, overflow: false }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.known = 0..0;
        self.rounded.clear();
        self.between = None;
        self.overflow = false;
    }

    /// Ends counting: what was not counted is 0.
    pub fn finish(&mut self) {
        let all = self.counts.len();
        self.reach(0..all);
    }

    /// Counts by slot, once counting has ended.
    pub fn counts(&self) -> &[[i64; 2]] {
        debug_assert_eq!(self.known, 0..self.counts.len());
        &self.counts
    }

    /// Sets slots to 0 that are not known yet, so that all from the known ones to these are.
    #[inline]
    fn reach(&mut self, slots: Range<usize>) {
        if self.known.is_empty() {
            self.known = slots.start..slots.start;
        }
        if slots.start < self.known.start {
            self.counts[slots.start..self.known.start].fill([0, 0]);
            self.known.start = slots.start;
        }
        if slots.end > self.known.end {
            self.counts[self.known.end..slots.end].fill([0, 0]);
            self.known.end = slots.end;
        }
    }

    /// Notes that a threshold was rounded down.
    pub fn round(&mut self, slot: usize, between: Between) {
        self.between = Between::joined(self.between, Some(between));
        if self.rounded.is_empty() {
            self.rounded.resize(self.counts.len(), false);
        }
        self.rounded[slot] = true;
    }

    /// Whether a threshold was rounded down in any slot.
    pub(super) fn is_rounded_anywhere(&self) -> bool {
        !self.rounded.is_empty()
    }

    #[inline]
    pub(super) fn is_rounded(&self, slots: &Slots) -> bool {
        slots.iter().any(|slots| self.rounded.get(slots.clone()).is_some_and(|slots| slots.contains(&true)))
    }

    #[inline]
    pub fn add(&mut self, slot: usize, good: i64, total: i64) {
        self.reach(slot..slot + 1);
        let count = &mut self.counts[slot];
        let (good, over) = count[0].overflowing_add(good);
        let (total, beyond) = count[1].overflowing_add(total);
        *count = [good, total];
        self.overflow |= over | beyond;
    }

    /// Adds counts to this slot and those that follow.
    pub fn add_following(&mut self, slot: usize, counts: impl ExactSizeIterator<Item = (i64, i64)>) {
        let slots = slot..slot + counts.len();
        if self.known.is_empty() {
            self.known = slots.clone();
            for (count, (good, total)) in self.counts[slots].iter_mut().zip(counts) {
                *count = [good, total];
            }
            return;
        }
        self.reach(slots.clone());
        // No branch and no bound in the loop, so that several slots are added at once.
        let mut overflow = 0;
        for (count, (good, total)) in self.counts[slots].iter_mut().zip(counts) {
            let sums = [count[0].wrapping_add(good), count[1].wrapping_add(total)];
            // Negative if both have another sign than their sum.
            overflow |= (count[0] ^ sums[0]) & (good ^ sums[0]) | (count[1] ^ sums[1]) & (total ^ sums[1]);
            *count = sums;
        }
        self.overflow |= overflow < 0;
    }

    /// Good and total of a slice, whose sum over all lanes [`part`](super::judge::part) has found to fit.
    #[inline]
    pub(super) fn sum(&self, slots: &Slots) -> (i64, i64) {
        let mut sum = (0i64, 0i64);
        for slots in slots {
            for count in &self.counts()[slots.clone()] {
                sum = (sum.0.saturating_add(count[0]), sum.1.saturating_add(count[1]));
            }
        }
        sum
    }
}

/// The stored slices that are left of a slice, as places in a lane.
pub(super) type Slots = [Range<usize>];

/// A lane with what it holds apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Apart<'a> {
    pub lane: &'a Lane,
    pub endpoint: Option<&'a Arc<str>>,
    pub cause: Option<&'a Arc<str>>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A lane that is used again counts as one that is new, whatever was counted before and however rows follow each other.
        #[test]
        fn a_lane_is_what_is_added(
            days in prop::collection::vec(
                prop::collection::vec((0usize..12, prop::collection::vec((0i64..9, 0i64..9), 0..6), any::<bool>()), 0..6),
                1..4,
            ),
        ) {
            let mut lane = Lane::new(16);
            for day in days {
                let mut expected = [[0i64; 2]; 16];
                for (slot, counts, follow) in day {
                    for (at, &(good, total)) in counts.iter().enumerate() {
                        expected[slot + at % 5][0] += good;
                        expected[slot + at % 5][1] += total;
                        if !follow || counts.len() > 5 {
                            lane.add(slot + at % 5, good, total);
                        }
                    }
                    if follow && counts.len() <= 5 {
                        lane.add_following(slot, counts.into_iter());
                    }
                }
                lane.finish();
                prop_assert_eq!(lane.counts(), &expected);
                prop_assert!(!lane.overflow);
                lane.clear();
            }
        }

        /// What does not fit is told, in whichever way it was added.
        #[test]
        fn what_does_not_fit_is_told(
            (a, b) in (prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN)], any::<i64>()),
            good in any::<bool>(),
        ) {
            let of = |count| if good { (count, 0) } else { (0, count) };
            let (mut one, mut other) = (Lane::new(2), Lane::new(2));
            for count in [a, b] {
                one.add(1, of(count).0, of(count).1);
                other.add_following(1, [of(count)].into_iter());
            }
            prop_assert_eq!(one.overflow, a.checked_add(b).is_none());
            prop_assert_eq!(other.overflow, one.overflow);
        }
    }
}
