//! Months of the calendar.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use nines_timeline::Interval;

use crate::duration::DAY;
use crate::instant::first_instant;

/// A month of the calendar, `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// The month in which an instant (µs) falls. `None` beyond the calendar.
    pub fn of(micros: i64, zone: Tz) -> Option<Month> {
        let local = DateTime::from_timestamp_micros(micros)?.with_timezone(&zone);
        Some(Month(local.year() * 12 + local.month0() as i32))
    }

    /// The months in which instants of a range (in µs, both ends included) lie, in whatever time zone; none where a date cannot
    /// be written.
    pub fn touching(first: i64, last: i64) -> impl Iterator<Item = Month> {
        // No zone is a day or more away from UTC.
        let ends = Month::of(first.saturating_sub(DAY), Tz::UTC).zip(Month::of(last.saturating_add(DAY), Tz::UTC));
        ends.into_iter().flat_map(|(first, last)| (first.0..=last.0).map(Month))
    }

    /// The month in which a day lies.
    pub fn of_day(day: NaiveDate) -> Month {
        Month(day.year() * 12 + day.month0() as i32)
    }

    /// So many months later.
    pub fn plus(self, months: u32) -> Month {
        Month(self.0.saturating_add_unsigned(months))
    }

    /// Its year.
    pub fn year(self) -> i32 {
        self.0.div_euclid(12)
    }

    /// The month before it.
    pub fn before(self) -> Month {
        self.minus(1)
    }

    /// So many months earlier.
    pub fn minus(self, months: u32) -> Month {
        Month(self.0.saturating_sub_unsigned(months))
    }

    /// How many months later it is than another; less than 0 where it is earlier.
    pub fn since(self, earlier: Month) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// The months up to a later one, both included.
    pub fn up_to(self, last: Month) -> impl Iterator<Item = Month> + use<> {
        (self.0..=last.0).map(Month)
    }

    /// The months from it up to a later one, which is not among them.
    pub fn until(self, end: Month) -> impl Iterator<Item = Month> + use<> {
        (self.0..end.0).map(Month)
    }

    /// From its first instant in a time zone to that of the next, in µs: months have their own lengths, with an hour less or more where
    /// clocks change. `None` beyond the calendar.
    pub fn interval(self, zone: Tz) -> Option<Interval> {
        let start = first_instant(self.first_day()?, zone)?;
        Some(Interval::new(start, first_instant(self.plus(1).first_day()?, zone)?))
    }

    /// The first month of the period of so many months that it is part of; periods count from January.
    pub fn first_of(self, months: u32) -> Month {
        let months = i32::try_from(months).unwrap_or(12).max(1);
        Month(self.0.div_euclid(12) * 12 + self.0.rem_euclid(12) / months * months)
    }

    /// Its first day.
    pub(crate) fn first_day(self) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(self.0.div_euclid(12), self.0.rem_euclid(12) as u32 + 1, 1)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = |text: &str, n: usize| {
            let right = text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
            if right { text.parse::<i32>().ok() } else { None }
        };
        let parts = text.split_once('-').and_then(|(year, month)| Some((digits(year, 4)?, digits(month, 2)?)));
        match parts {
            Some((year @ 1.., month @ 1..=12)) => Ok(Month(year * 12 + month - 1)),
            _ => Err(format!("'{text}' is no month: expected one such as 2026-10")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_read_strictly() {
        for bad in ["2026", "2026-13", "2026-00", "26-10", "2026-1", "+026-10", "0000-01", "2026-10-01", ""] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
        let month = Month::of(1_790_784_000_000_000, chrono_tz::Asia::Shanghai).unwrap();
        assert_eq!(month, "2026-10".parse().unwrap());
        assert_eq!(Month::of(i64::MAX, Tz::UTC), None);
    }

    #[test]
    fn months_are_counted() {
        let month = |text: &str| text.parse::<Month>().unwrap();
        assert_eq!((month("2026-01").minus(13), month("2026-01").since(month("2025-11"))), (month("2024-12"), 2));
        assert_eq!(month("2025-12").until(month("2026-02")).collect::<Vec<_>>(), [month("2025-12"), month("2026-01")]);
    }
}
