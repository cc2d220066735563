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

    /// Its year.
    pub fn year(self) -> i32 {
        self.0.div_euclid(12)
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

/// How the periods of an agreement follow each other: so many months, each from the same day of the month on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cycle {
    /// 1, 2, 3, 4, 6 or 12, counted from January.
    pub months: u32,
    /// The day of the month on which they begin, 1 to 31; in a month that has fewer its last.
    pub from: u32,
}

impl Cycle {
    /// Whole calendar months.
    pub fn calendar(months: u32) -> Cycle {
        Cycle { months, from: 1 }
    }

    /// The period that a month names, or that is named by a month before it. `None` beyond the calendar.
    pub fn period(self, month: Month, zone: Tz) -> Option<Period> {
        let first = month.first_of(self.months);
        let start = first_instant(self.first_day(first)?, zone)?;
        let end = first_instant(self.first_day(first.plus(self.months))?, zone)?;
        Some(Period { first, cycle: self, interval: Interval::new(start, end) })
    }

    /// From the day of the month on which periods begin to the same of the next, in µs.
    pub fn month(self, month: Month, zone: Tz) -> Option<Interval> {
        Cycle { months: 1, ..self }.period(month, zone).map(|period| period.interval)
    }

    /// The month by whose name such a month is called in which an instant (µs) falls.
    pub fn month_at(self, micros: i64, zone: Tz) -> Option<Month> {
        let month = Month::of(micros, zone)?;
        let begins = self.month(month, zone)?.start;
        Some(if micros < begins { month.before() } else { month })
    }

    /// As a clause: `The calendar month`.
    pub(crate) fn clause(self) -> String {
        let shorter = if self.from > 28 { ", or on the last of a month that has fewer" } else { "" };
        match (self.from, self.months) {
            (..=1, 1) => "The calendar month".to_string(),
            (..=1, 3) => "The calendar quarter".to_string(),
            (..=1, 12) => "The calendar year".to_string(),
            (..=1, months) => format!("{months} calendar months"),
            (from, 1) => format!("A month that begins on day {from}{shorter},"),
            (from, 3) => format!("A quarter that begins on day {from} of its first month{shorter},"),
            (from, 12) => format!("A year that begins on day {from} of January{shorter},"),
            (from, months) => format!("{months} months that begin on day {from} of the first of them{shorter},"),
        }
    }

    fn first_day(self, month: Month) -> Option<NaiveDate> {
        let first = month.first_day()?;
        first.with_day(self.from.max(1)).or_else(|| month.plus(1).first_day()?.pred_opt())
    }
}

/// One or more months of a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// Its first month, by which it is named; where periods begin within a month, that in which it begins.
    pub first: Month,
    /// How it follows others.
    pub cycle: Cycle,
    /// From its first instant to that of the next, in µs. Months have their own lengths, with an hour less or more
    /// where clocks change.
    pub interval: Interval,
}

impl Period {
    /// The period of so many calendar months (1, 2, 3, 4, 6 or 12) in which a month falls. `None` beyond the calendar.
    pub fn of(month: Month, months: u32, zone: Tz) -> Option<Period> {
        Cycle::calendar(months).period(month, zone)
    }

    /// Its calendar days.
    pub fn days(&self) -> u32 {
        let ends = self.cycle.first_day(self.first).zip(self.cycle.first_day(self.next()));
        let days = ends.map(|(first, next)| (next - first).num_days());
        days.and_then(|days| u32::try_from(days).ok()).unwrap_or_default()
    }

    /// The month by which the period after it is named.
    pub fn next(&self) -> Month {
        self.first.plus(self.cycle.months)
    }

    /// Its months, in µs, each by its name.
    pub fn months(&self, zone: Tz) -> impl Iterator<Item = (Month, Interval)> {
        let (first, cycle) = (self.first, self.cycle);
        let months = (0..cycle.months).map(move |number| first.plus(number));
        months.filter_map(move |month| Some((month, cycle.month(month, zone)?)))
    }

    /// In words: `October 2026`, `October 2026 to December 2026`, `15 October 2026 to 14 November 2026`.
    pub fn words(&self) -> Option<String> {
        let (first, next) = (self.cycle.first_day(self.first)?, self.cycle.first_day(self.next())?);
        let last = next.pred_opt()?;
        Some(match (self.cycle.from, self.cycle.months) {
            (..=1, 1) => first.format("%B %Y").to_string(),
            (..=1, _) => format!("{} to {}", first.format("%B %Y"), last.format("%B %Y")),
            (2.., _) => format!("{} to {}", first.format("%-d %B %Y"), last.format("%-d %B %Y")),
        })
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
    fn periods_begin_on_the_day_that_is_said_or_on_the_last() {
        let berlin = chrono_tz::Europe::Berlin;
        let period = |from, month: &str| Cycle { months: 1, from }.period(month.parse().unwrap(), berlin).unwrap();
        let named = |from, month: &str| (period(from, month).words().unwrap(), period(from, month).days());
        assert_eq!(named(15, "2026-03"), ("15 March 2026 to 14 April 2026".into(), 31));
        assert_eq!(period(15, "2026-03").interval.duration() / 3_600_000_000, 31 * 24 - 1, "clocks change");
        assert_eq!(named(31, "2026-01"), ("31 January 2026 to 27 February 2026".into(), 28));
        assert_eq!(named(31, "2026-02"), ("28 February 2026 to 30 March 2026".into(), 31));
        assert_eq!(named(30, "2028-02"), ("29 February 2028 to 29 March 2028".into(), 30));
        for (from, month) in [(1, "2026-10"), (15, "2026-10"), (31, "2026-02"), (29, "2026-02")] {
            let (cycle, month) = (Cycle { months: 1, from }, month.parse().unwrap());
            let of = cycle.month(month, berlin).unwrap();
            let at = |micros| cycle.month_at(micros, berlin).unwrap();
            assert_eq!(
                [at(of.start - 1), at(of.start), at(of.end - 1), at(of.end)],
                [month.before(), month, month, month.plus(1)]
            );
            assert_eq!(cycle.month(month.plus(1), berlin).unwrap().start, of.end);
        }
        let quarter = Cycle { months: 3, from: 10 }.period("2026-05".parse().unwrap(), Tz::UTC).unwrap();
        assert_eq!(quarter.words().unwrap(), "10 April 2026 to 9 July 2026");
        assert_eq!(
            quarter.months(Tz::UTC).map(|(month, _)| month.to_string()).collect::<Vec<_>>(),
            ["2026-04", "2026-05", "2026-06"]
        );
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
