//! From when until when a customer was there.

use nines_timeline::Interval;

/// From when until when a customer was there of whom this is known, as far as it concerns a period. Empty if they were not.
pub(super) fn hull(active: &[Interval], period: Interval) -> Interval {
    let mut own = active.iter().filter(|span| !span.overlap(period).is_empty());
    match (own.next(), own.next_back()) {
        (Some(first), last) => Interval::new(first.start, last.unwrap_or(first).end),
        (None, _) => Interval::new(period.end, period.end),
    }
}
