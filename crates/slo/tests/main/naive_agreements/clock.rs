//! Clocks and calendars, minute by minute: what a clock shows, and when it shows it first.

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;

pub const DAY: i64 = 1440;

/// What the clock of a zone shows in a minute since the epoch: minutes since it showed midnight of 1 January 1970. No offset of
/// these years changes within a quarter of an hour that begins with one of UTC.
pub fn shown(minute: i64, zone: Tz) -> i64 {
    let utc = DateTime::from_timestamp(minute * 60, 0).unwrap().naive_utc();
    minute + i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()) / 60
}

/// The first minute since the epoch in which the clock shows a local time, or has passed it by.
pub fn first_at(local: i64, zone: Tz) -> i64 {
    let before = local - DAY;
    let mut at = (before - (shown(before, zone) - before) + DAY - 180).div_euclid(15) * 15;
    while shown(at, zone) + 14 < local {
        at += 15;
    }
    at + (local - shown(at, zone)).max(0)
}

/// A date as days since 1970.
pub fn days_of(date: NaiveDate) -> i64 {
    (date - NaiveDate::default()).num_days()
}

/// The number of the calendar month in which a day since 1970 lies.
pub fn month_of(day: i64) -> i64 {
    let date = NaiveDate::default() + chrono::TimeDelta::days(day);
    i64::from(date.year()) * 12 + i64::from(date.month0())
}

/// The day since 1970 that is a day of a month by its number, or the last day of a month that has fewer.
pub fn day_of_month(month: i64, day: u32) -> i64 {
    let first = |month: i64| NaiveDate::from_ymd_opt(month.div_euclid(12) as i32, month.rem_euclid(12) as u32 + 1, 1);
    let date = first(month).unwrap().with_day(day);
    date.map_or_else(|| days_of(first(month + 1).unwrap()) - 1, days_of)
}

/// From Monday on.
pub fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// The store's slices about a period.
#[derive(Clone)]
pub struct Slots {
    /// The minute since the epoch in which the first begins.
    pub first: i64,
    /// Minutes of each.
    pub width: i64,
    /// The latest local time that the clock has shown by the beginning of each: where clocks go back it stands still, so that each
    /// local time begins once.
    clock: Vec<i64>,
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} slots of {} min from minute {} on", self.len(), self.width, self.first)
    }
}

impl Slots {
    pub fn of(zone: Tz, from: i64, until: i64, width: i64) -> Slots {
        let first = from.div_euclid(15) * 15;
        let (mut clock, mut latest) = (Vec::new(), i64::MIN);
        for quarter in (first..until).step_by(15) {
            let at = shown(quarter, zone);
            for minute in (0..15).step_by(width as usize) {
                let reached = latest.max(at + minute);
                clock.push(reached);
                latest = latest.max(at + minute + width - 1);
            }
        }
        Slots { first, width, clock }
    }

    pub fn len(&self) -> usize {
        self.clock.len()
    }

    pub fn clock(&self, slot: usize) -> i64 {
        self.clock[slot]
    }

    /// The local day, since 1970.
    pub fn day(&self, slot: usize) -> i64 {
        self.clock[slot].div_euclid(DAY)
    }

    /// The slot in which a local day begins.
    pub fn midnight(&self, day: i64) -> usize {
        self.clock.partition_point(|clock| *clock < day * DAY)
    }

    /// The minute since the epoch in which a slot begins.
    pub fn minute(&self, slot: usize) -> i64 {
        self.first + slot as i64 * self.width
    }

    /// The slot in which a minute since the epoch lies, the nearest where there is none.
    pub fn at(&self, minute: i64) -> usize {
        (minute - self.first).div_euclid(self.width).clamp(0, self.len() as i64 - 1) as usize
    }
}

/// What recurs by the week: on some days of the week, of each so many weeks, from its first date on.
#[derive(Debug, Clone)]
pub struct Weekly {
    pub zone: Tz,
    /// The local day and time of the first start.
    pub first: i64,
    /// Minutes by the clock.
    pub long: i64,
    /// Besides the first date's own.
    pub weekday: i64,
    pub interval: i64,
    /// Minutes since the epoch: nothing starts from then on.
    pub until: Option<i64>,
}

const NAMES: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

impl Weekly {
    fn weekdays(&self) -> [i64; 2] {
        [weekday(self.first.div_euclid(DAY)), self.weekday]
    }

    /// As RFC 5545 writes it.
    pub fn rule(&self) -> String {
        let [first, other] = self.weekdays().map(|day| NAMES[day as usize]);
        let days = if first == other { first.to_string() } else { format!("{first},{other}") };
        format!("FREQ=WEEKLY;INTERVAL={};BYDAY={days}", self.interval)
    }

    /// The first occurrence, in minutes since the epoch.
    pub fn begins(&self) -> [i64; 2] {
        [self.first, self.first + self.long].map(|local| first_at(local, self.zone))
    }

    /// Starts and ends of what starts before a minute, day after day. A time that the first occurrence skips is not its time.
    pub fn occurrences(&self, before: i64) -> Vec<[i64; 2]> {
        let [first, end] = self.begins().map(|minute| shown(minute, self.zone));
        let (date, long) = (first.div_euclid(DAY), end - first);
        let monday = date - weekday(date);
        let mut found = Vec::new();
        for day in date.. {
            if (day - monday).div_euclid(7) % self.interval != 0 || !self.weekdays().contains(&weekday(day)) {
                continue;
            }
            let local = day * DAY + first.rem_euclid(DAY);
            let [start, end] = [local, local + long].map(|local| first_at(local, self.zone));
            if start >= before || self.until.is_some_and(|until| start >= until) {
                break;
            }
            if start < end {
                found.push([start, end]);
            }
        }
        found
    }
}
