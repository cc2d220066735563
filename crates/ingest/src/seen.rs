//! The times of the rows that were read, as they stood in the input: whether aggregates fill their first and last slice.

use std::sync::{Mutex, PoisonError};

/// The times of all rows read with the same options. Shared by their clones.
#[derive(Debug, Default)]
pub struct Seen(Mutex<Option<Times>>);

/// Times in µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    first: i64,
    last: i64,
    /// The latest time before the last one.
    before: Option<i64>,
}

impl Times {
    /// Of one row.
    pub(crate) fn of(micros: i64) -> Self {
        Self { first: micros, last: micros, before: None }
    }

    /// With another row. One comparison for a row between others.
    pub(crate) fn add(&mut self, micros: i64) {
        if micros > self.last {
            self.before = Some(self.last);
            self.last = micros;
        } else if micros < self.last && self.before.is_none_or(|before| before < micros) {
            self.before = Some(micros);
        }
        self.first = self.first.min(micros);
    }
}

impl Seen {
    pub(crate) fn add(&self, times: Times) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let all = seen.get_or_insert(times);
        [Some(times.first), times.before, Some(times.last)].into_iter().flatten().for_each(|micros| all.add(micros));
    }

    /// The first row's time, if slices of this width begin elsewhere, and the last row's, if the row does not fill up its
    /// slice: neither it nor the distance to the row before ends where a slice begins or ends.
    pub fn off_grid(&self, slice_seconds: i64) -> (Option<i64>, Option<i64>) {
        let Some(times) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else { return (None, None) };
        let width = slice_seconds.saturating_mul(1_000_000).max(1);
        let on_grid = |micros: i64| micros.rem_euclid(width) == 0;
        let fills_up = |before: i64| on_grid(times.last.saturating_add(times.last - before));
        let ends_well = on_grid(times.last) || times.before.is_some_and(fills_up);
        ((!on_grid(times.first)).then_some(times.first), (!ends_well).then_some(times.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn off_grid(seconds: &[i64]) -> (Option<i64>, Option<i64>) {
        let seen = Seen::default();
        for part in seconds.chunks(2) {
            let mut times = Times::of(part[0] * 1_000_000);
            part[1..].iter().for_each(|second| times.add(second * 1_000_000));
            seen.add(times);
        }
        let (first, last) = seen.off_grid(60);
        (first.map(|micros| micros / 1_000_000), last.map(|micros| micros / 1_000_000))
    }

    #[test]
    fn a_slice_that_is_filled_in_part_is_told() {
        assert_eq!(off_grid(&[]), (None, None));
        assert_eq!(off_grid(&[60, 120, 180]), (None, None));
        assert_eq!(off_grid(&[110, 60, 70, 80, 90, 100]), (None, None), "six rows of ten seconds fill a minute");
        assert_eq!(off_grid(&[60, 70, 80, 90]), (None, Some(90)));
        assert_eq!(off_grid(&[90, 100, 110]), (Some(90), None));
        assert_eq!(off_grid(&[90, 150]), (Some(90), Some(150)), "labelled by the middle of the minute");
        assert_eq!(off_grid(&[61]), (Some(61), Some(61)));
        assert_eq!(off_grid(&[60, 60, 120, 120]), (None, None));
    }
}
