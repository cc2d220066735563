//! How periods are named.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use crate::instant::first_instant;
use crate::period::month::Month;

/// More days than any period has, and the days by which zones differ.
const LONGEST: u64 = 368;

/// What names a period: of months its first month (on a command line any of its months), of days its first day. Ordered by when they
/// begin, which is the order of their texts, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeriodName {
    /// `2026-10`
    Month(Month),
    /// `2026-10-05`
    Day(NaiveDate),
}

impl PeriodName {
    /// The month in which what it names begins.
    pub fn month(self) -> Month {
        match self {
            PeriodName::Month(month) => month,
            PeriodName::Day(day) => Month::of_day(day),
        }
    }

    /// The year in which it begins.
    pub fn year(self) -> i32 {
        self.month().year()
    }

    /// The first instant of its month or day in a time zone, in µs. `None` beyond the calendar.
    pub fn begins(self, zone: Tz) -> Option<i64> {
        first_instant(self.first_day()?, zone)
    }

    /// An instant (µs) at which no period of this name goes on any more, in whatever time zone. `None` beyond the calendar.
    pub fn over_by(self) -> Option<i64> {
        match self {
            PeriodName::Month(month) => month.plus(12).interval(Tz::UTC).map(|month| month.end),
            PeriodName::Day(day) => first_instant(day.checked_add_days(chrono::Days::new(LONGEST))?, Tz::UTC),
        }
    }

    /// The first day of what it names.
    pub(crate) fn first_day(self) -> Option<NaiveDate> {
        match self {
            PeriodName::Month(month) => month.first_day(),
            PeriodName::Day(day) => Some(day),
        }
    }

    fn order(self) -> (Month, u32) {
        match self {
            PeriodName::Month(month) => (month, 0),
            PeriodName::Day(day) => (Month::of_day(day), day.day()),
        }
    }
}

impl Ord for PeriodName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for PeriodName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<Month> for PeriodName {
    fn from(month: Month) -> Self {
        PeriodName::Month(month)
    }
}

impl fmt::Display for PeriodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeriodName::Month(month) => month.fmt(f),
            PeriodName::Day(day) => write!(f, "{}-{:02}", Month::of_day(*day), day.day()),
        }
    }
}

impl FromStr for PeriodName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = text.rsplit_once('-').and_then(|(month, day)| {
            let month: Month = month.parse().ok()?;
            let day = Some(day).filter(|day| day.len() == 2 && day.bytes().all(|byte| byte.is_ascii_digit()))?;
            month.first_day()?.with_day(day.parse().ok()?)
        });
        day.map(PeriodName::Day).or_else(|| text.parse().ok().map(PeriodName::Month)).ok_or_else(|| {
            format!("'{text}' is no period: expected a month such as 2026-10, or the first day of a period of days such as 2026-10-05")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_months_and_days() {
        let name = |text: &str| text.parse::<PeriodName>();
        for text in ["2026-10", "2026-10-05", "2028-02-29", "0001-01-01"] {
            assert_eq!(name(text).unwrap().to_string(), text);
        }
        for bad in [
            "2026",
            "2026-1",
            "2026-10-5",
            "2026-10-32",
            "2026-02-29",
            "2026-10-05-01",
            "+026-10-05",
            "2026-10-+5",
            "05",
            "",
        ] {
            assert!(name(bad).unwrap_err().contains("is no period"), "{bad}");
        }
        assert_eq!(
            (name("2026-10-05").unwrap().month(), name("2026-10").unwrap().year()),
            ("2026-10".parse().unwrap(), 2026)
        );
    }

    #[test]
    fn they_are_ordered_as_their_texts_are() {
        let mut names = ["2026-10-05", "2026-11", "2026-10", "2025-12-31", "2026-10-30", "2026-01"]
            .map(|text| text.parse::<PeriodName>().unwrap());
        names.sort();
        let texts = names.map(|name| name.to_string());
        assert!(texts.is_sorted(), "{texts:?}");
    }
}
