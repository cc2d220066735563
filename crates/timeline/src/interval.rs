//! Half-open intervals of time.

/// `[start, end)` in microseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    /// First instant inside.
    pub start: i64,
    /// First instant after; an interval with `end <= start` is empty.
    pub end: i64,
}

impl Interval {
    /// `[start, end)`.
    pub fn new(start: i64, end: i64) -> Self {
        Interval { start, end }
    }

    /// Length in microseconds, 0 when empty.
    pub fn duration(self) -> i64 {
        (self.end - self.start).max(0)
    }

    /// Whether it holds no instant.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// What lies in both; empty if nothing does.
    pub fn overlap(self, other: Interval) -> Interval {
        Interval { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// The part that consists of whole slices, slices aligned to the epoch. May be empty.
    pub fn whole_slices(self, slice: i64) -> Interval {
        let up = |t: i64| t.div_euclid(slice).saturating_add(i64::from(t.rem_euclid(slice) != 0)).saturating_mul(slice);
        let start = up(self.start);
        let end = self.end.div_euclid(slice).saturating_mul(slice);
        Interval { start, end: end.max(start) }
    }
}

/// Sorts intervals, drops empty ones, and joins those that overlap or touch.
pub fn normalize(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.retain(|i| !i.is_empty());
    intervals.sort_unstable();
    intervals.dedup_by(|next, last| {
        let joined = next.start <= last.end;
        if joined {
            last.end = last.end.max(next.end);
        }
        joined
    });
    intervals
}

/// What of some intervals lies in none of others; both ascending and apart, as [`normalize`] makes them.
pub fn without(intervals: &[Interval], others: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::with_capacity(intervals.len());
    for interval in intervals {
        let mut start = interval.start;
        let first = others.partition_point(|other| other.end <= interval.start);
        for other in others[first..].iter().take_while(|other| other.start < interval.end) {
            left.push(Interval::new(start, other.start));
            start = other.end;
        }
        left.push(Interval::new(start, interval.end));
    }
    left.retain(|interval| !interval.is_empty());
    left
}

/// What is in both: of two lists of ascending intervals that do not overlap within a list. O(both).
pub fn intersection(
    left: impl IntoIterator<Item = Interval>,
    right: impl IntoIterator<Item = Interval>,
) -> Vec<Interval> {
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut both = Vec::new();
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let common = Interval::new(a.start.max(b.start), a.end.min(b.end));
        let left_ends = a.end <= b.end;
        both.extend((!common.is_empty()).then_some(common));
        match left_ends {
            true => left.next(),
            false => right.next(),
        };
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_intervals() {
        let i = Interval::new;
        let others = [i(0, 2), i(4, 6), i(9, 30)];
        assert_eq!(without(&[i(1, 5), i(6, 7), i(8, 10), i(12, 20)], &others), [i(2, 4), i(6, 7), i(8, 9)]);
        assert_eq!(without(&[i(-5, 40)], &others), [i(-5, 0), i(2, 4), i(6, 9), i(30, 40)]);
        assert_eq!(without(&[i(1, 5)], &[]), [i(1, 5)]);
    }

    #[test]
    fn overlapping_and_touching_intervals_join() {
        let i = Interval::new;
        assert_eq!(normalize(vec![i(5, 9), i(1, 3), i(3, 4), i(6, 7), i(8, 8), i(12, 10)]), vec![i(1, 4), i(5, 9)]);
    }

    #[test]
    fn what_is_in_both() {
        let i = Interval::new;
        let (left, right) = ([i(0, 4), i(6, 9), i(9, 20)], [i(2, 7), i(8, 10), i(12, 13), i(19, 30)]);
        let both = vec![i(2, 4), i(6, 7), i(8, 9), i(9, 10), i(12, 13), i(19, 20)];
        assert_eq!(intersection(left, right), both);
        assert_eq!(intersection(right, left), both);
    }

    #[test]
    fn whole_slices_round_inwards_before_the_epoch_too() {
        assert_eq!(Interval::new(1, 130).whole_slices(60), Interval::new(60, 120));
        assert_eq!(Interval::new(-61, -1).whole_slices(60), Interval::new(-60, -60));
        assert_eq!(Interval::new(-120, 60).whole_slices(60), Interval::new(-120, 60));
        assert!(Interval::new(10, 50).whole_slices(60).is_empty());
    }
}
