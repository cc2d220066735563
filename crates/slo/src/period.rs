//! Calendar periods of a time zone as instants.

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

    /// So many months later.
    pub fn plus(self, months: u32) -> Month {
        Month(self.0.saturating_add_unsigned(months))
    }

    /// The month before it.
    pub fn before(self) -> Month {
        Month(self.0.saturating_sub(1))
    }

    /// The months up to a later one, both included.
    pub fn up_to(self, last: Month) -> impl Iterator<Item = Month> + use<> {
        (self.0..=last.0).map(Month)
    }

    /// From its first instant in a time zone to that of the next, in µs: months have their own lengths, with an hour less or more where
    /// clocks change. `None` beyond the calendar.
    pub fn interval(self, zone: Tz) -> Option<Interval> {
        Period::of(self, 1, zone).map(|period| period.interval)
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

/// One or more calendar months of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// Its first month, by which it is named.
    pub first: Month,
    /// How many months.
    pub months: u32,
    /// From its first instant to that of the next, in µs. Months have their own lengths, with an hour less or more
    /// where clocks change.
    pub interval: Interval,
}

impl Period {
    /// The period of so many months (1, 2, 3, 4, 6 or 12) in which a month falls. `None` beyond the calendar.
    pub fn of(month: Month, months: u32, zone: Tz) -> Option<Period> {
        let first = month.first_of(months);
        let start = first_instant(first.first_day()?, zone)?;
        let end = first_instant(first.plus(months).first_day()?, zone)?;
        Some(Period { first, months, interval: Interval::new(start, end) })
    }

    /// Its calendar days.
    pub fn days(&self) -> u32 {
        let days = self.first.first_day().zip(self.next().first_day()).map(|(first, next)| (next - first).num_days());
        days.and_then(|days| u32::try_from(days).ok()).unwrap_or_default()
    }

    /// The month after it.
    pub fn next(&self) -> Month {
        self.first.plus(self.months)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_have_their_own_lengths() {
        let hours = |month: &str, zone| {
            let period = Period::of(month.parse().unwrap(), 1, zone).unwrap();
            period.interval.duration() / 3_600_000_000
        };
        let york = chrono_tz::America::New_York;
        assert_eq!(hours("2026-02", Tz::UTC), 28 * 24);
        assert_eq!(hours("2026-03", york), 31 * 24 - 1);
        assert_eq!(hours("2026-11", york), 30 * 24 + 1);
        assert_eq!(hours("2026-11", chrono_tz::Asia::Shanghai), 30 * 24);
    }

    #[test]
    fn quarters_count_from_january() {
        let period = Period::of("2026-05".parse().unwrap(), 3, Tz::UTC).unwrap();
        assert_eq!((period.first.to_string(), period.next().to_string()), ("2026-04".into(), "2026-07".into()));
    }

    #[test]
    fn months_are_read_strictly() {
        for bad in ["2026", "2026-13", "2026-00", "26-10", "2026-1", "+026-10", "0000-01", "2026-10-01", ""] {
            assert!(bad.parse::<Month>().is_err(), "{bad}");
        }
        let month = Month::of(1_790_784_000_000_000, chrono_tz::Asia::Shanghai).unwrap();
        assert_eq!(month, "2026-10".parse().unwrap());
        assert_eq!(Month::of(i64::MAX, Tz::UTC), None);
    }
}
