//! Counts of a day, by slot.

use std::sync::Arc;

use super::subject::Between;

/// Counts of one lane over a day, a (good, total) per slot of the store's width.
#[derive(Debug, Clone)]
pub(crate) struct Lane {
    pub counts: Vec<[i64; 2]>,
    /// By slot, whether a threshold was rounded down; empty as long as none was.
    rounded: Vec<bool>,
    /// Where these thresholds lie.
    pub(super) between: Option<Between>,
    pub overflow: bool,
}

impl Lane {
    pub fn new(slots: usize) -> Self {
        Lane { counts: vec![[0, 0]; slots], rounded: Vec::new(), between: None, overflow: false }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.counts.fill([0, 0]);
        self.rounded.clear();
        self.between = None;
        self.overflow = false;
    }

    /// Notes that a threshold was rounded down.
    pub fn round(&mut self, slot: usize, between: Between) {
        self.between = Between::joined(self.between, Some(between));
        if self.rounded.is_empty() {
            self.rounded.resize(self.counts.len(), false);
        }
        self.rounded[slot] = true;
    }

    #[inline]
    pub(super) fn is_rounded(&self, slots: &Slots) -> bool {
        slots.iter().any(|slots| self.rounded.get(slots.clone()).is_some_and(|slots| slots.contains(&true)))
    }

    #[inline]
    pub fn add(&mut self, slot: usize, good: i64, total: i64) {
        let count = &mut self.counts[slot];
        let (good, over) = count[0].overflowing_add(good);
        let (total, beyond) = count[1].overflowing_add(total);
        *count = [good, total];
        self.overflow |= over | beyond;
    }

    /// Good and total of a slice, whose sum over all lanes [`part`] has found to fit.
    #[inline]
    pub(super) fn sum(&self, slots: &Slots) -> (i64, i64) {
        let mut sum = (0i64, 0i64);
        for slots in slots {
            for count in &self.counts[slots.clone()] {
                sum = (sum.0.saturating_add(count[0]), sum.1.saturating_add(count[1]));
            }
        }
        sum
    }
}

/// The stored slices that are left of a slice, as places in a lane.
pub(super) type Slots = [std::ops::Range<usize>];

/// A lane with what it holds apart.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Apart<'a> {
    pub lane: &'a Lane,
    pub endpoint: Option<&'a Arc<str>>,
    pub cause: Option<&'a Arc<str>>,
}
