//! A recurrence and its occurrences.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use nines_timeline::Interval;

use crate::clock::{first_instant_at, shown};
use crate::rule::{Dates, Rule};

/// Local time that recurs on the dates of a rule, from its first occurrence on.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrence {
    rule: Rule,
    zone: Tz,
    /// The local start of the first occurrence.
    first: NaiveDateTime,
    /// From the local start to the local end, by the clock.
    length: TimeDelta,
    /// Occurrences start before this instant (µs); `None`: for ever.
    until: Option<i64>,
}

/// What recurs, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// The local date on which it starts by the rule, also where the clock skips that time.
    pub date: NaiveDate,
    /// When it is, in µs; never empty.
    pub interval: Interval,
}

/// Why a recurrence cannot be: the column of a record that is wrong, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{column}: {why}")]
pub struct Unfit {
    /// `every`, `time_zone`, `started`, `ended` or `until`.
    pub column: &'static str,
    pub why: String,
}

/// An occurrence lasts at most so many days: who looks for those that touch a time has to look no further back.
const LONGEST: i64 = 366;

impl Recurrence {
    /// What recurs by a rule and the clock of a zone, `[started, ended)` (µs) being the first occurrence. Occurrences start before
    /// `until` (µs).
    pub fn new(every: &str, zone: &str, [started, ended]: [i64; 2], until: Option<i64>) -> Result<Recurrence, Unfit> {
        let unfit = |column, why| Err(Unfit { column, why });
        let rule = match Rule::read(every) {
            Ok(rule) => rule,
            Err(error) => return unfit("every", error.to_string()),
        };
        let Ok(zone) = zone.parse::<Tz>() else {
            return unfit(
                "time_zone",
                format!("'{zone}' is no time zone: expected an IANA name such as Europe/Berlin"),
            );
        };
        let Some((first, last)) = shown(started, zone).zip(shown(ended, zone)) else {
            return unfit("started", "is beyond the calendar".to_string());
        };
        let length = last - first;
        if length <= TimeDelta::zero() || length > TimeDelta::days(LONGEST) {
            let why = format!(
                "by the clock of {zone} it is {last} and it starts {first}: expected after it, by at most {LONGEST} days"
            );
            return unfit("ended", why);
        }
        if until.is_some_and(|until| until <= started) {
            return unfit("until", format!("is not after the first occurrence starts, which is {first} in {zone}"));
        }
        let recurrence = Recurrence { rule, zone, first, length, until };
        let mut dates = match recurrence.rule.dates(first.date()) {
            Ok(dates) => dates,
            Err(error) => return unfit("every", error.to_string()),
        };
        match dates.next() {
            Some(date) if date == first.date() => {}
            date => {
                let next = date.map_or("it yields none".to_string(), |date| {
                    format!("the first one that it yields is {}", named(date))
                });
                let why = format!("{} yields no {}, on which it starts; {next}", recurrence.rule, named(first.date()));
                return unfit("every", why);
            }
        }
        match recurrence.on(first.date()) {
            Some(own) if own.interval == Interval::new(started, ended) => Ok(recurrence),
            _ => unfit(
                "started",
                format!("the clock of {zone} shows {first} or {last} twice; let it start on another date"),
            ),
        }
    }

    /// The rule of its dates.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Whose clock it goes by.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// All occurrences, in order of time.
    pub fn occurrences(&self) -> Occurrences<'_> {
        // The rule was valid from this date on when it was read.
        Occurrences { of: self, dates: self.rule.dates(self.first.date()).ok() }
    }

    /// Those that start before an instant (µs).
    pub fn before(&self, end: i64) -> impl Iterator<Item = Occurrence> + '_ {
        self.occurrences().take_while(move |occurrence| occurrence.interval.start < end)
    }

    /// The occurrence that starts on a local date; `None` if there is none.
    pub fn occurrence(&self, date: NaiveDate) -> Option<Occurrence> {
        self.occurrences().find(|occurrence| occurrence.date >= date).filter(|occurrence| occurrence.date == date)
    }

    /// What the clock makes of a date: nothing, where it skips all of it.
    fn on(&self, date: NaiveDate) -> Option<Occurrence> {
        let start = date.and_time(self.first.time());
        let end = start.checked_add_signed(self.length)?;
        let interval = Interval::new(first_instant_at(start, self.zone)?, first_instant_at(end, self.zone)?);
        (!interval.is_empty()).then_some(Occurrence { date, interval })
    }
}

impl Occurrence {
    /// Its name among those of a record of this id: `ID@2026-10-04`.
    pub fn id(&self, of: &str) -> String {
        format!("{of}@{}", self.date)
    }
}

/// The id of the record and the date, if an id may be that of an occurrence.
pub fn series_of(id: &str) -> Option<(&str, NaiveDate)> {
    let (of, date) = id.rsplit_once('@')?;
    let date: NaiveDate = date.parse().ok().filter(|parsed: &NaiveDate| parsed.to_string() == date)?;
    (!of.is_empty()).then_some((of, date))
}

fn named(date: NaiveDate) -> String {
    format!("{date} ({})", date.weekday())
}

/// Occurrences in order of time.
#[derive(Debug)]
pub struct Occurrences<'a> {
    of: &'a Recurrence,
    dates: Option<Dates>,
}

impl Iterator for Occurrences<'_> {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        for date in self.dates.as_mut()? {
            let Some(occurrence) = self.of.on(date) else { continue };
            if self.of.until.is_some_and(|until| occurrence.interval.start >= until) {
                self.dates = None;
                return None;
            }
            return Some(occurrence);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).expect("an instant").timestamp_micros()
    }

    fn refused(every: &str, zone: &str, started: &str, ended: &str, until: Option<&str>) -> String {
        let made = Recurrence::new(every, zone, [at(started), at(ended)], until.map(at));
        made.map(|made| made.rule().to_string()).expect_err(every).to_string()
    }

    #[test]
    fn what_cannot_recur_is_refused_by_column() {
        let (start, end) = ("2026-10-04T00:00:00Z", "2026-10-04T02:00:00Z");
        let berlin = "Europe/Berlin";
        assert!(
            refused("FREQ=HOURLY", berlin, start, end, None).starts_with("every: 'FREQ=HOURLY' recurs within a day")
        );
        assert!(refused("FREQ=DAILY", "Berlin", start, end, None).starts_with("time_zone: 'Berlin' is no time zone"));
        assert_eq!(
            refused("FREQ=WEEKLY;BYDAY=MO", berlin, start, end, None),
            "every: FREQ=WEEKLY;BYDAY=MO yields no 2026-10-04 (Sun), on which it starts; the first one that it yields is 2026-10-05 (Mon)"
        );
        assert!(
            refused("FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30", berlin, start, end, None).ends_with("; it yields none")
        );
        assert!(refused("FREQ=YEARLY", berlin, start, "2028-01-01T00:00:00Z", None).contains("by at most 366 days"));
        assert!(refused("FREQ=DAILY", berlin, start, end, Some(start)).starts_with("until: is not after"));
        // 02:30 is twice that night, and this is the second one.
        let (start, end) = ("2026-10-25T01:30:00Z", "2026-10-25T03:00:00Z");
        assert!(refused("FREQ=WEEKLY", berlin, start, end, None).contains("let it start on another date"));
    }

    #[test]
    fn ids_of_occurrences() {
        let date = NaiveDate::from_ymd_opt(2026, 10, 4);
        assert_eq!(series_of("X-1@2026-10-04"), date.map(|date| ("X-1", date)));
        assert_eq!(series_of("a@b@2026-10-04").map(|(of, _)| of), Some("a@b"));
        for id in ["X-1", "@2026-10-04", "X-1@2026-10-4", "X-1@soon", "X-1@2026-02-30"] {
            assert_eq!(series_of(id), None, "{id}");
        }
    }
}
