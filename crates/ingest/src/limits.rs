//! The instants that samples may have.

/// The instants that samples may have: nothing was measured before there were services or will be after tomorrow, so that
/// a number in another unit, a day count or a typo shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    from: i64,
    until: i64,
}

impl Limits {
    /// From the year 1990 to a day after this instant, in µs.
    pub fn at(now: i64) -> Self {
        Self { from: YEAR_1990, until: now.saturating_add(MICROS_PER_DAY) }
    }

    /// The first instant, and the last.
    pub(crate) fn bounds(self) -> (i64, i64) {
        (self.from, self.until)
    }

    pub(crate) fn holds(self, micros: i64) -> bool {
        (self.from..=self.until).contains(&micros)
    }
}

const YEAR_1990: i64 = 631_152_000_000_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;
