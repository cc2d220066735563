//! Periods of agreements as instants of a time zone: months and several of them, or so many days one after the other.

mod month;
mod name;

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::Range;

use chrono::{DateTime, Datelike, Days, NaiveDate};
use chrono_tz::Tz;
use nines_timeline::Interval;

use crate::instant::first_instant;
use crate::words::counted;

pub use month::Month;
pub use name::PeriodName;

/// How the periods of an agreement follow each other, without a gap. Cycles are equal if their periods are.
#[derive(Debug, Clone, Copy)]
pub enum Cycle {
    /// So many months, each from the same day of the month on.
    Months {
        /// 1, 2, 3, 4, 6 or 12, counted from January.
        months: u32,
        /// The day of the month on which they begin, 1 to 31; in a month that has fewer its last.
        from: u32,
    },
    /// So many days.
    Days {
        /// 7 to 366.
        days: u32,
        /// A day on which a period begins. Others follow it and precede it.
        from: NaiveDate,
    },
}

impl Cycle {
    /// Whole calendar months.
    pub fn calendar(months: u32) -> Cycle {
        Cycle::Months { months, from: 1 }
    }

    /// The period of this name: of months also by the name of a month that is not its first. `None` if none has it, and beyond the
    /// calendar.
    pub fn period(self, name: PeriodName, zone: Tz) -> Option<Period> {
        let name = match (self, name) {
            (Cycle::Months { months, .. }, PeriodName::Month(month)) => PeriodName::Month(month.first_of(months)),
            (Cycle::Days { days, from }, PeriodName::Day(day)) if since_begin(day, from, days) == 0 => name,
            (Cycle::Months { .. }, PeriodName::Day(_)) | (Cycle::Days { .. }, _) => return None,
        };
        self.named(name, zone)
    }

    /// The period in which an instant (µs) falls. `None` beyond the calendar.
    pub fn period_at(self, micros: i64, zone: Tz) -> Option<Period> {
        let Cycle::Days { days, from } = self else {
            return self.period(self.month_at(micros, zone)?.into(), zone);
        };
        let day = DateTime::from_timestamp_micros(micros)?.with_timezone(&zone).date_naive();
        let first = day.checked_sub_days(Days::new(since_begin(day, from, days).into()))?;
        let period = self.named(PeriodName::Day(first), zone)?;
        // Where clocks are set back over midnight, they show a day again that is over.
        if micros >= period.interval.end { self.named(period.next(), zone) } else { Some(period) }
    }

    /// The period so many before that in which an instant (µs) falls. `None` beyond the calendar.
    pub fn period_before(self, micros: i64, back: u32, zone: Tz) -> Option<Period> {
        let mut period = self.period_at(micros, zone)?;
        for _ in 0..back {
            period = self.period_at(period.interval.start - 1, zone)?;
        }
        Some(period)
    }

    /// The names of periods from that on in which an instant (µs) falls: of months all of them.
    pub fn names_from(self, micros: i64, zone: Tz) -> impl Iterator<Item = PeriodName> {
        let first = match self {
            Cycle::Months { .. } => self.month_at(micros, zone).map(PeriodName::Month),
            Cycle::Days { .. } => self.period_at(micros, zone).map(|period| period.name),
        };
        std::iter::successors(first, move |name| match (self, *name) {
            (Cycle::Days { days, .. }, PeriodName::Day(day)) => {
                day.checked_add_days(Days::new(days.into())).map(PeriodName::Day)
            }
            (_, name) => Some(name.month().plus(1).into()),
        })
    }

    /// The µs of which a fee of a month is: from the day of the month on which periods begin to the same of the next; where periods are
    /// of days, the calendar month.
    pub fn month(self, month: Month, zone: Tz) -> Option<Interval> {
        let from = match self {
            Cycle::Months { from, .. } => from,
            Cycle::Days { .. } => 1,
        };
        Cycle::Months { months: 1, from }.named(month.into(), zone).map(|period| period.interval)
    }

    /// The month by whose name such a month is called in which an instant (µs) falls.
    pub fn month_at(self, micros: i64, zone: Tz) -> Option<Month> {
        let month = Month::of(micros, zone)?;
        let begins = self.month(month, zone)?.start;
        Some(if micros < begins { month.before() } else { month })
    }

    /// How many days the shortest and the longest of its periods have, or some more and fewer.
    pub(crate) fn lengths(self) -> [u32; 2] {
        match self {
            Cycle::Months { months, .. } => [28 * months, 31 * months],
            Cycle::Days { days, .. } => [days; 2],
        }
    }

    /// `1 month`, `3 months from day 15`, `30 days from 2026-01-10`.
    pub fn words(self) -> String {
        match self {
            Cycle::Months { months, from: ..=1 } => counted(months.into(), "month"),
            Cycle::Months { months, from } => format!("{} from day {from}", counted(months.into(), "month")),
            Cycle::Days { days, from } => format!("{} from {from}", counted(days.into(), "day")),
        }
    }

    /// As a clause: `The calendar month`.
    pub(crate) fn clause(self) -> String {
        let (months, from) = match self {
            Cycle::Months { months, from } => (months, from),
            Cycle::Days { days, from } => {
                return format!(
                    "{} after {}, counted from {from},",
                    counted(days.into(), "day"),
                    counted(days.into(), "day")
                );
            }
        };
        let shorter = if from > 28 { ", or on the last of a month that has fewer" } else { "" };
        match (from, months) {
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

    /// The period of one of its names.
    fn named(self, name: PeriodName, zone: Tz) -> Option<Period> {
        let days = self.days_of(name)?;
        let interval = Interval::new(first_instant(days.start, zone)?, first_instant(days.end, zone)?);
        Some(Period { name, cycle: self, interval })
    }

    /// From the first day of the period of a name to that of the next.
    fn days_of(self, name: PeriodName) -> Option<Range<NaiveDate>> {
        let day = |month: Month, from: u32| {
            let first = month.first_day()?;
            first.with_day(from.max(1)).or_else(|| month.plus(1).first_day()?.pred_opt())
        };
        match (self, name) {
            (Cycle::Months { months, from }, name) => {
                Some(day(name.month(), from)?..day(name.month().plus(months), from)?)
            }
            (Cycle::Days { days, .. }, name) => {
                let first = name.first_day()?;
                Some(first..first.checked_add_days(Days::new(days.into()))?)
            }
        }
    }

    /// What tells cycles apart.
    fn key(self) -> [u32; 3] {
        match self {
            Cycle::Months { months, from } => [0, months, from],
            Cycle::Days { days, from } => [1, days, since_begin(NaiveDate::default(), from, days)],
        }
    }
}

/// How many days before a day a period began that is so many days long, and others of which begin on `from`.
fn since_begin(day: NaiveDate, from: NaiveDate, days: u32) -> u32 {
    let between = i64::from(day.num_days_from_ce()) - i64::from(from.num_days_from_ce());
    u32::try_from(between.rem_euclid(days.max(1).into())).unwrap_or_default()
}

impl PartialEq for Cycle {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Cycle {}

impl Ord for Cycle {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Cycle {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Cycle {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// One or more months of a time zone, or some days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Period {
    /// By which it is named: of months the first month, where periods begin within a month that in which it begins; of days the first
    /// day.
    pub name: PeriodName,
    /// How it follows others.
    pub cycle: Cycle,
    /// From its first instant to that of the next, in µs. Months have their own lengths, with an hour less or more
    /// where clocks change.
    pub interval: Interval,
}

impl Period {
    /// The period of so many calendar months (1, 2, 3, 4, 6 or 12) in which a month falls. `None` beyond the calendar.
    pub fn of(month: Month, months: u32, zone: Tz) -> Option<Period> {
        Cycle::calendar(months).period(month.into(), zone)
    }

    /// Its calendar days.
    pub fn days(&self) -> u32 {
        let days = self.cycle.days_of(self.name).map(|days| (days.end - days.start).num_days());
        days.and_then(|days| u32::try_from(days).ok()).unwrap_or_default()
    }

    /// The name of the period after it.
    pub fn next(&self) -> PeriodName {
        match self.cycle {
            Cycle::Months { months, .. } => self.name.month().plus(months).into(),
            Cycle::Days { .. } => self.cycle.days_of(self.name).map_or(self.name, |days| PeriodName::Day(days.end)),
        }
    }

    /// The last of the names under which it is known: of several months the last one.
    pub fn last_name(&self) -> PeriodName {
        match self.cycle {
            Cycle::Months { .. } => self.next().month().before().into(),
            Cycle::Days { .. } => self.name,
        }
    }

    /// Whether it is known under a name.
    pub fn has_name(&self, name: PeriodName) -> bool {
        match (self.cycle, name) {
            (Cycle::Months { .. }, PeriodName::Month(month)) => self.fee_months().contains(&month),
            (Cycle::Days { .. }, PeriodName::Day(_)) => self.name == name,
            (Cycle::Months { .. }, PeriodName::Day(_)) | (Cycle::Days { .. }, PeriodName::Month(_)) => false,
        }
    }

    /// The months of which fees are paid for it: its own, or those in which its days lie.
    pub fn fee_months(&self) -> Range<Month> {
        match self.cycle {
            Cycle::Months { .. } => self.name.month()..self.next().month(),
            Cycle::Days { .. } => {
                let days = self.cycle.days_of(self.name);
                let last = days.and_then(|days| days.end.pred_opt()).map_or(self.name.month(), Month::of_day);
                self.name.month()..last.plus(1)
            }
        }
    }

    /// The months of a period of several, in µs, each by its name. A period of days has none.
    pub fn months(&self, zone: Tz) -> Vec<(Month, Interval)> {
        match self.cycle {
            Cycle::Months { months: 2.., .. } => {
                let Range { start, end } = self.fee_months();
                start.until(end).filter_map(|month| Some((month, self.cycle.month(month, zone)?))).collect()
            }
            Cycle::Months { .. } | Cycle::Days { .. } => Vec::new(),
        }
    }

    /// In words: `October 2026`, `October 2026 to December 2026`, `15 October 2026 to 14 November 2026`.
    pub fn words(&self) -> Option<String> {
        let days = self.cycle.days_of(self.name)?;
        let (first, last) = (days.start, days.end.pred_opt()?);
        Some(match self.cycle {
            Cycle::Months { months: 1, from: ..=1 } => first.format("%B %Y").to_string(),
            Cycle::Months { from: ..=1, .. } => format!("{} to {}", first.format("%B %Y"), last.format("%B %Y")),
            Cycle::Months { .. } | Cycle::Days { .. } => {
                format!("{} to {}", first.format("%-d %B %Y"), last.format("%-d %B %Y"))
            }
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
        assert_eq!(
            [period.name, period.last_name(), period.next()].map(|name| name.to_string()),
            ["2026-04", "2026-06", "2026-07"]
        );
        let known = ["2026-03", "2026-04", "2026-06", "2026-07", "2026-04-01"]
            .map(|name| period.has_name(name.parse().unwrap()));
        assert_eq!(known, [false, true, true, false, false]);
    }

    #[test]
    fn periods_begin_on_the_day_that_is_said_or_on_the_last() {
        let berlin = chrono_tz::Europe::Berlin;
        let period =
            |from, month: &str| Cycle::Months { months: 1, from }.period(month.parse().unwrap(), berlin).unwrap();
        let named = |from, month: &str| (period(from, month).words().unwrap(), period(from, month).days());
        assert_eq!(named(15, "2026-03"), ("15 March 2026 to 14 April 2026".into(), 31));
        assert_eq!(period(15, "2026-03").interval.duration() / 3_600_000_000, 31 * 24 - 1, "clocks change");
        assert_eq!(named(31, "2026-01"), ("31 January 2026 to 27 February 2026".into(), 28));
        assert_eq!(named(31, "2026-02"), ("28 February 2026 to 30 March 2026".into(), 31));
        assert_eq!(named(30, "2028-02"), ("29 February 2028 to 29 March 2028".into(), 30));
        for (from, month) in [(1, "2026-10"), (15, "2026-10"), (31, "2026-02"), (29, "2026-02")] {
            let (cycle, month): (_, Month) = (Cycle::Months { months: 1, from }, month.parse().unwrap());
            let of = cycle.month(month, berlin).unwrap();
            let at = |micros| cycle.month_at(micros, berlin).unwrap();
            assert_eq!(
                [at(of.start - 1), at(of.start), at(of.end - 1), at(of.end)],
                [month.before(), month, month, month.plus(1)]
            );
            assert_eq!(cycle.month(month.plus(1), berlin).unwrap().start, of.end);
        }
        let quarter = Cycle::Months { months: 3, from: 10 }.period("2026-05".parse().unwrap(), Tz::UTC).unwrap();
        assert_eq!(quarter.words().unwrap(), "10 April 2026 to 9 July 2026");
        let months = quarter.months(Tz::UTC).into_iter().map(|(month, _)| month.to_string());
        assert_eq!(months.collect::<Vec<_>>(), ["2026-04", "2026-05", "2026-06"]);
    }

    /// By the day number of an independent count: 30 days after 30 days, whatever months and clocks do.
    #[test]
    fn days_follow_each_other_from_a_day_in_both_directions() {
        let zones = [Tz::UTC, chrono_tz::Europe::Berlin, chrono_tz::America::Santiago, chrono_tz::Pacific::Apia];
        for (days, zone) in [7, 30, 31, 366].into_iter().flat_map(|days| zones.map(|zone| (days, zone))) {
            let cycle = Cycle::Days { days, from: "2026-01-10".parse().unwrap() };
            let anchor = cycle.period("2026-01-10".parse().unwrap(), zone).unwrap();
            let mut last = cycle.period_at(anchor.interval.start - 1, zone).unwrap();
            assert_eq!(last.next(), anchor.name);
            for name in cycle.names_from(anchor.interval.start, zone).take(40) {
                let period = cycle.period(name, zone).unwrap();
                assert_eq!((period.name, period.days(), period.interval.start), (last.next(), days, last.interval.end));
                assert_eq!(
                    [period.interval.start, period.interval.end - 1].map(|at| cycle.period_at(at, zone)),
                    [Some(period); 2]
                );
                assert_eq!((period.last_name(), period.months(zone)), (name, Vec::new()));
                last = period;
            }
            for other in ["2026-01-11", "2026-01", "2026-01-09"] {
                assert_eq!(cycle.period(other.parse().unwrap(), zone), None, "{other}");
            }
        }
        let thirty = Cycle::Days { days: 30, from: "2026-01-10".parse().unwrap() };
        let period = |name: &str| thirty.period(name.parse().unwrap(), chrono_tz::Europe::Berlin).unwrap();
        assert_eq!(period("2026-03-11").interval.duration() / 3_600_000_000, 30 * 24 - 1, "clocks change");
        assert_eq!(period("2026-03-11").words().unwrap(), "11 March 2026 to 9 April 2026");
        let months = |name: &str| period(name).fee_months();
        let of = |from: &str, to: &str| from.parse::<Month>().unwrap()..to.parse().unwrap();
        assert_eq!(months("2026-01-10"), of("2026-01", "2026-03"));
        assert_eq!(months("2025-12-11"), of("2025-12", "2026-02"));
        let begins = |day: &str| Cycle::Days { days: 30, from: day.parse().unwrap() };
        assert_eq!(
            begins("2026-01-01").period("2026-01-01".parse().unwrap(), Tz::UTC).unwrap().fee_months(),
            of("2026-01", "2026-02")
        );
        assert_eq!(
            begins("2026-01-31").period("2026-01-31".parse().unwrap(), Tz::UTC).unwrap().fee_months(),
            of("2026-01", "2026-04")
        );
        assert!(begins("2026-01-10") == begins("2025-12-11") && begins("2026-01-10") != begins("2026-01-11"));
        assert_ne!(thirty, Cycle::Days { days: 15, from: "2026-01-10".parse().unwrap() });
    }
}
