//! The error budget: what may go wrong over a range, and what went wrong.
//!
//! ```text
//! budget    = Σ (1 − target in force)      over the slices (or events) that count
//! spent     = Σ what was bad of them       error slices, 1 − ratio of each slice, or bad events
//! remaining = 1 − spent / budget
//! ```
//!
//! Which slices count is the caller's to say: those measured give the burn rate and decide whether a promise was kept, with
//! those that are still ahead they give what remains. Nothing is rounded before the one division of a figure, but for the
//! ratios of slices, which have [`RATIO`] as their unit.

use crate::Share;
use crate::share::{ALLOWANCE, quotient};

/// The unit in which ratios of slices are added up: so many of them are 1. Their sum does not depend on its order.
pub const RATIO: i128 = 10i128.pow(28);

/// A ratio in units of 1 / [`RATIO`], rounded to the nearest. `total` must be positive, and 0 ≤ good ≤ total.
pub fn ratio(good: i64, total: i64) -> i128 {
    /// Two steps, so that products stay inside 128 bits.
    const STEP: u128 = 10u128.pow(14);
    if good == total {
        return RATIO;
    }
    let (good, total) = (u128::from(good.unsigned_abs()), u128::from(total.unsigned_abs()));
    let high = good * STEP;
    let low = high % total * STEP;
    let digits = high / total * STEP + low / total;
    (digits + u128::from(low % total * 2 >= total)) as i128
}

/// Sums of a budget and of what was spent of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Σ (1 − target), in units of 1 / `unit`.
    allowed: i128,
    /// What was bad, in the same unit.
    spent: i128,
    /// Slices or events in `allowed`.
    count: i128,
    unit: i128,
}

impl Budget {
    /// Of slices or events, each of which was good or bad.
    pub fn of_counts() -> Self {
        Budget { allowed: 0, spent: 0, count: 0, unit: ALLOWANCE }
    }

    /// Of slices that are bad in part. Good for 10^10 slices.
    pub fn of_ratios() -> Self {
        Budget { unit: RATIO, ..Budget::of_counts() }
    }

    /// Adds slices or events of which this share was promised.
    pub fn promise(&mut self, target: Share, count: i64) {
        self.allowed += target.allowance() * (self.unit / ALLOWANCE) * i128::from(count);
        self.count += i128::from(count);
    }

    /// Adds bad slices or events.
    pub fn spend(&mut self, bad: i64) {
        self.spent += i128::from(bad) * self.unit;
    }

    /// Adds slices of which all were bad but a sum of ratios, in units of 1 / [`RATIO`].
    pub fn spend_but(&mut self, slices: i64, ratios: i128) {
        self.spent += (i128::from(slices) * RATIO - ratios) / (RATIO / self.unit);
    }

    /// Adds what another counts in the same way.
    pub fn add(&mut self, other: &Budget) {
        self.allowed += other.allowed;
        self.spent += other.spent;
        self.count += other.count;
    }

    /// The share that is promised of all that counts, as a float; `None` if nothing does.
    pub fn target(&self) -> Option<f64> {
        let all = self.count * self.unit;
        (self.count > 0).then(|| quotient(all - self.allowed, all))
    }

    /// Σ (1 − target): how many slices or events may be bad.
    pub fn allowed(&self) -> f64 {
        quotient(self.allowed, self.unit)
    }

    /// spent / budget; `None` when the budget is 0.
    pub fn burn_rate(&self) -> Option<f64> {
        (self.allowed > 0).then(|| quotient(self.spent, self.allowed))
    }

    /// 1 − spent / budget: negative when overspent, `None` when the budget is 0.
    pub fn remaining(&self) -> Option<f64> {
        (self.allowed > 0).then(|| quotient(self.allowed - self.spent, self.allowed))
    }

    /// Whether the promise is kept by what counts; `None` if nothing does. Exact, so that the target itself is met; sums of ratios
    /// to 28 decimal places of each.
    pub fn is_met(&self) -> Option<bool> {
        // Each ratio is off by half a unit at most.
        let rounded = if self.unit == RATIO { self.count } else { 0 };
        (self.count > 0).then(|| self.spent <= self.allowed + rounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    #[test]
    fn the_examples_of_the_definition() {
        let left = |promised: &[(&str, i64)], bad: i64| {
            let mut budget = Budget::of_counts();
            promised.iter().for_each(|(target, slices)| budget.promise(share(target), *slices));
            budget.spend(bad);
            budget.remaining().unwrap()
        };
        assert_eq!(left(&[("0.999", 30 * 1440)], 5), 382.0 / 432.0);
        assert_eq!(left(&[("0.999", 11 * 1440)], 20), -104.0 / 396.0);
        assert_eq!(left(&[("0.995", 28 * 1440), ("0.999", 2 * 1440)], 100), 10448.0 / 20448.0);
    }

    #[test]
    fn the_target_itself_is_met() {
        let met = |bad: i64| {
            let mut budget = Budget::of_counts();
            budget.promise(share("0.99"), 150);
            budget.promise(share("0.999"), 500);
            budget.spend(bad);
            budget.is_met()
        };
        assert_eq!((met(2), met(3)), (Some(true), Some(false)));
        assert_eq!(Budget::of_counts().is_met(), None);
        // Three thirds are one, whatever a third is.
        let mut budget = Budget::of_ratios();
        budget.promise(share("0.5"), 2);
        budget.spend_but(2, ratio(1, 7) + ratio(6, 7));
        assert_eq!(budget.is_met(), Some(true));
        budget.spend_but(1, RATIO - RATIO / 1_000_000);
        assert_eq!(budget.is_met(), Some(false));
    }

    #[test]
    fn ratios_are_rounded_to_the_nearest() {
        assert_eq!(ratio(1, 3), RATIO / 3);
        assert_eq!(ratio(2, 3), RATIO - RATIO / 3);
        assert_eq!((ratio(0, 5), ratio(5, 5), ratio(1, 2)), (0, RATIO, RATIO / 2));
        assert_eq!(ratio(i64::MAX - 1, i64::MAX), RATIO - RATIO / i128::from(i64::MAX));
    }
}
