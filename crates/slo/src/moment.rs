//! Times as people write them, against a given `now` and in a time zone.
//!
//! | text | range `[from, to)` |
//! |---|---|
//! | `today`, `this week`, `this month`, `this quarter`, `this year` | from its beginning to now |
//! | `yesterday`, `last week`, `last month`, `last quarter`, `last year` | the whole one before this one |
//! | `month before last` (any of the units) | the whole one before that |
//! | `last 7 days` (also minutes, hours, weeks, months, quarters, years) | from the same local time so long ago to now |
//! | `last 7 whole days` | so many whole ones, up to the beginning of this one |
//! | `2026`, `2026-10`, `2026-Q4`, `2026-W42`, `2026-10-03` | that year, month, quarter, week, day |
//! | `A to B`, `A..B` | from the beginning of A to the beginning of B, both any of these, or `now` or an instant |
//!
//! As a single time each of them is its beginning, `now` and an instant themselves. Weeks begin on Monday. Days, weeks and
//! longer units are the calendar's, so a day on which clocks change has 23 or 25 hours. `now` counts in whole minutes: a range
//! that ends within a slice would show half of it.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::period::{Month, Period};

/// An instant and the time zone in which days begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Now, in µs since the epoch.
    pub now: i64,
    /// Where days begin.
    pub zone: Tz,
}

/// A half-open range of instants in µs.
pub type Range = (i64, i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

impl Unit {
    fn read(word: &str) -> Option<Self> {
        Some(match word.strip_suffix('s').unwrap_or(word) {
            "minute" => Unit::Minute,
            "hour" => Unit::Hour,
            "day" => Unit::Day,
            "week" => Unit::Week,
            "month" => Unit::Month,
            "quarter" => Unit::Quarter,
            "year" => Unit::Year,
            _ => return None,
        })
    }

    /// Hours and minutes are physical: the last two hours are 120 minutes whatever the clock did.
    fn micros(self) -> Option<i64> {
        match self {
            Unit::Minute => Some(60_000_000),
            Unit::Hour => Some(3_600_000_000),
            _ => None,
        }
    }

    /// Goes so many of the calendar's units forth or back; months keep the day where they have it.
    fn step(self, time: NaiveDateTime, n: i32) -> Option<NaiveDateTime> {
        let months = |n: i32| match n {
            0.. => time.checked_add_months(Months::new(n.unsigned_abs())),
            _ => time.checked_sub_months(Months::new(n.unsigned_abs())),
        };
        let days = |n: i32| match n {
            0.. => time.checked_add_days(Days::new(n.unsigned_abs().into())),
            _ => time.checked_sub_days(Days::new(n.unsigned_abs().into())),
        };
        match self {
            Unit::Minute => time.checked_add_signed(TimeDelta::minutes(n.into())),
            Unit::Hour => time.checked_add_signed(TimeDelta::hours(n.into())),
            Unit::Day => days(n),
            Unit::Week => days(n.checked_mul(7)?),
            Unit::Month => months(n),
            Unit::Quarter => months(n.checked_mul(3)?),
            Unit::Year => months(n.checked_mul(12)?),
        }
    }

    /// The beginning of the unit in which a time lies.
    fn begin(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let day = time.date();
        let begin = match self {
            Unit::Minute | Unit::Hour => {
                let whole = if self == Unit::Minute { 60 } else { 3600 };
                let seconds = chrono::Timelike::num_seconds_from_midnight(&time.time());
                let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds / whole * whole, 0)?;
                return Some(day.and_time(time));
            }
            Unit::Day => day,
            Unit::Week => day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))?,
            Unit::Month => day.with_day(1)?,
            Unit::Quarter => NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1)?,
            Unit::Year => NaiveDate::from_ymd_opt(day.year(), 1, 1)?,
        };
        Some(begin.and_time(NaiveTime::MIN))
    }
}

impl Moment {
    /// Now, at the last whole minute.
    fn now(&self) -> i64 {
        self.now - self.now.rem_euclid(60_000_000)
    }

    /// When the unit began in which now lies. Of an hour that clocks show twice it is the one that is now.
    fn begin(&self, unit: Unit) -> Option<i64> {
        let now = self.local_now()?;
        let begin = unit.begin(now)?;
        match unit.micros() {
            Some(_) => Some(self.now() - (now - begin).num_microseconds()?),
            None => instant(begin, self.zone),
        }
    }

    fn local_now(&self) -> Option<NaiveDateTime> {
        Some(local(self.now(), self.zone)?.naive_local())
    }

    /// The range that a text stands for; `None` if it stands for none.
    pub fn range(&self, text: &str) -> Option<Range> {
        let text = text.trim();
        let parts = text.split_once("..").or_else(|| text.split_once(" to ")).or_else(|| text.split_once(" – "));
        if let Some((from, to)) = parts {
            let range = (self.instant(from)?, self.instant(to)?);
            return (range.0 <= range.1).then_some(range);
        }
        self.named(text)
    }

    /// The range that one word or one unit of the calendar names: `last week`, `2026-10`.
    pub fn named(&self, text: &str) -> Option<Range> {
        let text = text.trim();
        self.relative(text).or_else(|| self.calendar(text))
    }

    /// The month that a text names: `2026-10`, `last month`, `month before last`, `this month`.
    pub fn month(&self, text: &str) -> Option<Month> {
        let (from, to) = self.named(text)?;
        let month = Month::of(from, self.zone)?;
        let whole = Period::of(month, 1, self.zone)?.interval;
        let is_this = text.split_whitespace().map(str::to_ascii_lowercase).eq(["this", "month"]);
        (is_this || (from, to) == (whole.start, whole.end)).then_some(month)
    }

    /// The instant that a text stands for, for a range its beginning; `None` if it stands for none.
    pub fn instant(&self, text: &str) -> Option<i64> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("now") {
            return Some(self.now());
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(time.timestamp_micros());
        }
        let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
        if let Some(time) = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok()) {
            return instant(time, self.zone);
        }
        self.named(text).map(|range| range.0)
    }

    fn relative(&self, text: &str) -> Option<Range> {
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let whole = |unit: Unit, first: i32, last: i32| {
            if let Some(each) = unit.micros() {
                let begin = self.begin(unit)?;
                return Some((begin + i64::from(first) * each, begin + i64::from(last) * each));
            }
            let begin = unit.begin(self.local_now()?)?;
            let at = |n| instant(unit.step(begin, n)?, self.zone);
            Some((at(first)?, at(last)?))
        };
        let so_far = |unit: Unit| Some((self.begin(unit)?, self.now()));
        match words.as_slice() {
            ["today"] => so_far(Unit::Day),
            ["yesterday"] => whole(Unit::Day, -1, 0),
            ["this", unit] => so_far(Unit::read(unit)?),
            ["last" | "previous", unit] => whole(Unit::read(unit)?, -1, 0),
            [unit, "before", "last"] => whole(Unit::read(unit)?, -2, -1),
            ["last", n, "whole", unit] => whole(Unit::read(unit)?, -count(n)?, 0),
            ["last", n, unit] => {
                let (n, unit) = (count(n)?, Unit::read(unit)?);
                let from = match unit.micros() {
                    Some(each) => self.now() - i64::from(n) * each,
                    None => instant(unit.step(self.local_now()?, -n)?, self.zone)?,
                };
                Some((from, self.now()))
            }
            _ => None,
        }
    }

    /// A year, quarter, month, week or day.
    fn calendar(&self, text: &str) -> Option<Range> {
        let date = |year, month| NaiveDate::from_ymd_opt(year, month, 1);
        let digits = |text: &str, n| text.len() == n && text.bytes().all(|b| b.is_ascii_digit());
        let (first, unit) = match text.split_once('-') {
            None if digits(text, 4) => (date(text.parse().ok()?, 1)?, Unit::Year),
            Some((year, rest)) if digits(year, 4) => {
                let year = year.parse().ok()?;
                if let Some(quarter) = rest.strip_prefix(['Q', 'q']) {
                    let quarter: u32 = quarter.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
                    (date(year, quarter * 3 - 2)?, Unit::Quarter)
                } else if let Some(week) = rest.strip_prefix(['W', 'w']) {
                    (NaiveDate::from_isoywd_opt(year, week.parse().ok()?, chrono::Weekday::Mon)?, Unit::Week)
                } else if digits(rest, 2) {
                    (date(year, rest.parse().ok()?)?, Unit::Month)
                } else {
                    (NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10)?, Unit::Day)
                }
            }
            _ => return None,
        };
        let first = first.and_time(NaiveTime::MIN);
        Some((instant(first, self.zone)?, instant(unit.step(first, 1)?, self.zone)?))
    }
}

fn count(text: &str) -> Option<i32> {
    text.parse().ok().filter(|n| (1..=100_000).contains(n))
}

/// The instant of a local time. One that clocks skip is when they were set forward, one that they show twice the first.
pub fn instant(time: NaiveDateTime, zone: Tz) -> Option<i64> {
    if let Some(found) = zone.from_local_datetime(&time).earliest() {
        return Some(found.timestamp_micros());
    }
    // The gap ends where the offset before it, kept on, would read the time that was asked for minus what was skipped.
    let beside = |hours| time.checked_add_signed(TimeDelta::hours(hours));
    let before = zone.offset_from_local_datetime(&beside(-3)?).earliest()?;
    let after = zone.offset_from_local_datetime(&beside(3)?).earliest()?;
    let skipped = after.fix().local_minus_utc() - before.fix().local_minus_utc();
    let mut low = (time - TimeDelta::seconds((before.fix().local_minus_utc() + skipped).into())).and_utc().timestamp();
    let mut high = (time - TimeDelta::seconds(before.fix().local_minus_utc().into())).and_utc().timestamp();
    let offset = |seconds: i64| {
        Some(zone.offset_from_utc_datetime(&DateTime::from_timestamp(seconds, 0)?.naive_utc()).fix().local_minus_utc())
    };
    while low < high {
        let middle = low + (high - low) / 2;
        if offset(middle)? == before.fix().local_minus_utc() {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Some(low * 1_000_000)
}

/// An instant as the zone's clocks show it; `None` beyond what a calendar can tell.
pub fn local(micros: i64, zone: Tz) -> Option<DateTime<Tz>> {
    Some(DateTime::<Utc>::from_timestamp_micros(micros)?.with_timezone(&zone))
}

/// A range for a person: `2026`, `2026-10`, `2026-10-03`, `2026-10-01 – 2026-10-07` if it is whole days (the last one
/// included), else both ends with their time.
pub fn range_text((from, to): Range, zone: Tz) -> String {
    let text = || {
        let (first, end) = (local(from, zone)?.naive_local(), local(to, zone)?.naive_local());
        for (unit, format) in [(Unit::Year, "%Y"), (Unit::Month, "%Y-%m"), (Unit::Day, "%Y-%m-%d")] {
            if unit.begin(first)? == first && unit.step(first, 1)? == end {
                return Some(first.format(format).to_string());
            }
        }
        if from < to && [first, end].iter().all(|time| time.time() == NaiveTime::MIN) {
            let last = end.date().pred_opt()?;
            return Some(format!("{} – {last}", first.date()));
        }
        Some(format!("{} – {}", first.format("%Y-%m-%d %H:%M"), end.format("%Y-%m-%d %H:%M")))
    };
    text().unwrap_or_else(|| format!("{from} – {to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(now: &str, zone: Tz) -> Moment {
        Moment { now: DateTime::parse_from_rfc3339(now).unwrap().timestamp_micros(), zone }
    }

    fn shown(moment: Moment, text: &str) -> String {
        let Some((from, to)) = moment.range(text) else { return "none".to_string() };
        let show = |micros| local(micros, moment.zone).unwrap().format("%Y-%m-%dT%H:%M%:z").to_string();
        format!("{} {}", show(from), show(to))
    }

    #[test]
    fn ranges_in_shanghai() {
        // Already the 22nd there.
        let at = moment("2026-11-21T23:30:40.5Z", Tz::Asia__Shanghai);
        for (text, expected) in [
            ("today", "2026-11-22T00:00+08:00 2026-11-22T07:30+08:00"),
            ("yesterday", "2026-11-21T00:00+08:00 2026-11-22T00:00+08:00"),
            // The 22nd is a Sunday.
            ("this week", "2026-11-16T00:00+08:00 2026-11-22T07:30+08:00"),
            ("last week", "2026-11-09T00:00+08:00 2026-11-16T00:00+08:00"),
            ("Last  Month", "2026-10-01T00:00+08:00 2026-11-01T00:00+08:00"),
            ("month before last", "2026-09-01T00:00+08:00 2026-10-01T00:00+08:00"),
            ("last quarter", "2026-07-01T00:00+08:00 2026-10-01T00:00+08:00"),
            ("last year", "2025-01-01T00:00+08:00 2026-01-01T00:00+08:00"),
            ("last 7 days", "2026-11-15T07:30+08:00 2026-11-22T07:30+08:00"),
            ("last 7 whole days", "2026-11-15T00:00+08:00 2026-11-22T00:00+08:00"),
            ("last 90 minutes", "2026-11-22T06:00+08:00 2026-11-22T07:30+08:00"),
            ("2026-10", "2026-10-01T00:00+08:00 2026-11-01T00:00+08:00"),
            ("2026-Q4", "2026-10-01T00:00+08:00 2027-01-01T00:00+08:00"),
            ("2026-W01", "2025-12-29T00:00+08:00 2026-01-05T00:00+08:00"),
            ("2026-10-03", "2026-10-03T00:00+08:00 2026-10-04T00:00+08:00"),
            ("2026-10-01..2026-10-08", "2026-10-01T00:00+08:00 2026-10-08T00:00+08:00"),
            ("2026-10-01T12:00:00Z to now", "2026-10-01T20:00+08:00 2026-11-22T07:30+08:00"),
            ("2026-10-08..2026-10-01", "none"),
            ("last 0 days", "none"),
            ("login", "none"),
            ("2026-13", "none"),
            ("2026-1-1", "none"),
        ] {
            assert_eq!(shown(at, text), expected, "{text}");
        }
    }

    #[test]
    fn days_on_which_clocks_change_are_the_calendars() {
        let new_york = Tz::America__New_York;
        let hours = |now: &str, text: &str| {
            let (from, to) = moment(now, new_york).range(text).unwrap();
            (to - from) as f64 / 3.6e9
        };
        assert_eq!(hours("2026-03-09T16:00:00Z", "yesterday"), 23.0);
        assert_eq!(hours("2026-11-02T17:00:00Z", "yesterday"), 25.0);
        assert_eq!(hours("2026-11-02T17:00:00Z", "last 1 days"), 24.0);
        assert_eq!(hours("2026-11-01T17:00:00Z", "last 1 day"), 25.0);
        assert_eq!(hours("2026-11-01T17:00:00Z", "last 24 hours"), 24.0);
        assert_eq!(hours("2026-03-20T17:00:00Z", "last 28 days"), 28.0 * 24.0 - 1.0);
        assert_eq!(hours("2026-04-20T17:00:00Z", "last month"), 31.0 * 24.0 - 1.0);
    }

    #[test]
    fn the_hour_that_clocks_show_twice_is_the_one_that_is_now() {
        // 01:30 for the second time; the first one began at 05:00Z.
        let at = moment("2026-11-01T06:30:00Z", Tz::America__New_York);
        for (text, expected) in [
            ("this hour", "2026-11-01T01:00-05:00 2026-11-01T01:30-05:00"),
            ("last hour", "2026-11-01T01:00-04:00 2026-11-01T01:00-05:00"),
            ("hour before last", "2026-11-01T00:00-04:00 2026-11-01T01:00-04:00"),
            ("last 2 whole hours", "2026-11-01T00:00-04:00 2026-11-01T01:00-05:00"),
            ("last minute", "2026-11-01T01:29-05:00 2026-11-01T01:30-05:00"),
        ] {
            assert_eq!(shown(at, text), expected, "{text}");
        }
        let at = moment("2026-11-01T06:30:00Z", Tz::Asia__Kathmandu);
        assert_eq!(shown(at, "this hour"), "2026-11-01T12:00+05:45 2026-11-01T12:15+05:45");
    }

    #[test]
    fn a_time_that_clocks_skip_is_when_they_were_set() {
        let at = moment("2026-11-22T00:00:00Z", Tz::America__New_York);
        let set = DateTime::parse_from_rfc3339("2026-03-08T07:00:00Z").unwrap().timestamp_micros();
        assert_eq!(at.instant("2026-03-08 02:30"), Some(set));
        assert_eq!(at.instant("2026-03-08 02:00"), Some(set));
        // Midnight itself is skipped in Santiago.
        let at = moment("2026-11-22T00:00:00Z", Tz::America__Santiago);
        let set = DateTime::parse_from_rfc3339("2026-09-06T04:00:00Z").unwrap().timestamp_micros();
        assert_eq!(at.instant("2026-09-06"), Some(set));
        // And one that they show twice is the first.
        let at = moment("2026-11-22T00:00:00Z", Tz::America__New_York);
        let first = DateTime::parse_from_rfc3339("2026-11-01T05:30:00Z").unwrap().timestamp_micros();
        assert_eq!(at.instant("2026-11-01 01:30"), Some(first));
    }

    #[test]
    fn months_have_words() {
        let shanghai: Moment = moment("2026-10-31T16:30:00Z", chrono_tz::Asia::Shanghai);
        let month = |text: &str| shanghai.month(text).map(|month| month.to_string());
        for (text, expected) in [
            ("2026-09", "2026-09"),
            ("this month", "2026-11"),
            ("Last  Month", "2026-10"),
            ("month before last", "2026-09"),
            ("last 1 whole months", "2026-10"),
        ] {
            assert_eq!(month(text).as_deref(), Some(expected), "{text}");
        }
        for none in ["2026-11-01", "today", "last quarter", "2026", "last week", "this quarter", "soon"] {
            assert_eq!(month(none), None, "{none}");
        }
    }

    #[test]
    fn ranges_are_told_in_the_calendars_words() {
        let at = moment("2026-11-22T05:00:00Z", Tz::Asia__Shanghai);
        let text = |range: &str| range_text(at.range(range).unwrap(), at.zone);
        assert_eq!(text("last year"), "2025");
        assert_eq!(text("last month"), "2026-10");
        assert_eq!(text("yesterday"), "2026-11-21");
        assert_eq!(text("last week"), "2026-11-09 – 2026-11-15");
        assert_eq!(text("today"), "2026-11-22 00:00 – 2026-11-22 13:00");
    }
}
