//! Where slices lie: one after the other, of one width, from some instant on.

use crate::Interval;

/// The beginnings of all slices: `beginning + k × width`.
///
/// Stored slices are laid from the epoch, wider ones from local midnight of a time zone; of days that are a multiple of the
/// width long all midnights lie in one grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grid {
    width: i64,
    /// The first beginning at or after the epoch.
    offset: i64,
}

impl Grid {
    /// Slices of so many µs (positive; else 1), one of which begins at `origin` (µs).
    pub fn new(origin: i64, width: i64) -> Grid {
        let width = width.max(1);
        Grid { width, offset: origin.rem_euclid(width) }
    }

    /// Width of a slice in µs.
    pub fn width(self) -> i64 {
        self.width
    }

    /// The first beginning at or after the epoch, less than the width.
    pub fn offset(self) -> i64 {
        self.offset
    }

    /// Whether a slice begins at an instant.
    #[inline]
    pub fn begins(self, instant: i64) -> bool {
        self.past(instant) == 0
    }

    /// How much of its slice is past at an instant. No subtraction, which may overflow at the ends of time.
    #[inline]
    fn past(self, instant: i64) -> i64 {
        let past = instant.rem_euclid(self.width) - self.offset;
        if past < 0 { past + self.width } else { past }
    }

    /// The last beginning at or before an instant. At the ends of time, where there is none, the end.
    #[inline]
    pub fn start_of(self, instant: i64) -> i64 {
        instant.saturating_sub(self.past(instant))
    }

    /// The first beginning at or after an instant. At the ends of time, where there is none, the end.
    pub fn first_from(self, instant: i64) -> i64 {
        match self.past(instant) {
            0 => instant,
            past => instant.saturating_add(self.width - past),
        }
    }

    /// The slices that begin inside an interval, whole: the last one may end after it. Intervals that follow each other
    /// share no slice and lose none.
    pub fn beginning(self, interval: Interval) -> Interval {
        let start = self.first_from(interval.start);
        Interval::new(start, self.first_from(interval.end).max(start))
    }

    /// The slices that lie wholly inside an interval. May be empty.
    pub fn inside(self, interval: Interval) -> Interval {
        let start = self.first_from(interval.start);
        Interval::new(start, self.start_of(interval.end).max(start))
    }

    /// The slices that an interval touches; an empty one touches none.
    pub fn touched(self, interval: Interval) -> Interval {
        match interval.is_empty() {
            true => interval,
            false => Interval::new(self.start_of(interval.start), self.first_from(interval.end)),
        }
    }

    /// The first instant at or after another at which a slice of both begins; `None` if there is none, because the
    /// beginnings of the two are never the same.
    pub fn meets(self, other: Grid, from: i64) -> Option<i64> {
        let (wide, narrow) = if self.width >= other.width { (self, other) } else { (other, self) };
        // Of as many slices as the other is wide in common measures one begins with one of the other, or none ever does.
        let steps = narrow.width / common(wide.width, narrow.width);
        let mut at = wide.first_from(from);
        for _ in 0..steps {
            if narrow.begins(at) {
                return Some(at);
            }
            at = at.checked_add(wide.width)?;
        }
        None
    }

    /// The widest grid in which the slices of both are whole slices.
    pub fn common(self, other: Grid) -> Grid {
        let width = common(self.width, other.width);
        Grid::new(self.offset, common(width, self.offset - other.offset))
    }
}

/// The greatest common divisor; of 0 and a number the number.
pub(crate) fn common(a: i64, b: i64) -> i64 {
    crate::gcd(a.unsigned_abs().into(), b.unsigned_abs().into()) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const I: fn(i64, i64) -> Interval = Interval::new;

    #[test]
    fn slices_begin_before_the_epoch_too() {
        let grid = Grid::new(-30, 60);
        assert_eq!((grid.offset(), grid.start_of(0), grid.first_from(0)), (30, -30, 30));
        assert!(grid.begins(-30) && grid.begins(90) && !grid.begins(0));
        assert_eq!(grid.inside(I(1, 130)), I(30, 90));
        assert_eq!(grid.beginning(I(1, 130)), I(30, 150));
        assert_eq!(grid.touched(I(1, 130)), I(-30, 150));
        assert!(grid.inside(I(31, 149)).duration() == 0 && grid.touched(I(7, 7)).is_empty());
        assert_eq!(Grid::new(0, 60).beginning(I(10, 50)), I(60, 60));
    }

    #[test]
    fn ranges_that_follow_each_other_share_no_slice_and_lose_none() {
        let grid = Grid::new(30, 60);
        for cut in -200..200 {
            let (before, after) = (grid.beginning(I(-200, cut)), grid.beginning(I(cut, 200)));
            assert_eq!(before.end, after.start);
            assert_eq!(I(before.start, after.end), grid.beginning(I(-200, 200)));
        }
    }

    #[test]
    fn the_ends_of_time_are_no_panic() {
        let grid = Grid::new(1800, 3600);
        for at in [i64::MIN, i64::MIN + 1, i64::MAX, i64::MAX - 1] {
            assert!(grid.start_of(at) <= at && grid.first_from(at) >= at);
        }
        assert_eq!((grid.first_from(i64::MAX), grid.start_of(i64::MIN)), (i64::MAX, i64::MIN));
    }

    #[test]
    fn two_grids_meet_where_both_begin() {
        let (hours, odd) = (Grid::new(0, 3600), Grid::new(900, 2700));
        assert_eq!(hours.meets(odd, 1), Some(3600));
        assert_eq!(odd.meets(hours, 3601), Some(3600 + 10_800));
        assert_eq!(hours.meets(Grid::new(1800, 3600), 0), None);
        assert_eq!(hours.common(Grid::new(1800, 3600)), Grid::new(0, 1800));
        assert_eq!(hours.common(odd), Grid::new(0, 900));
        assert_eq!(Grid::new(7, 60).common(Grid::new(7, 60)), Grid::new(7, 60));
    }
}
