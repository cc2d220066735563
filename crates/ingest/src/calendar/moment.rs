//! Dates, times and lengths as calendars write them.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use nines_recurrence::first_instant_at;

use super::content::Content;
use super::zones::Zones;
use crate::Result;

const EXPECTED: &str = "a date such as 20261014, or a time such as 20261014T020000Z";

/// A date or a time by the clock of a zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// What the clock shows; of a date its midnight.
    pub local: NaiveDateTime,
    pub zone: Tz,
    pub is_date: bool,
    /// In µs since 1970.
    pub at: i64,
}

impl Moment {
    /// The one value of a property.
    pub fn one(content: &Content, zones: &Zones) -> Result<Moment> {
        Moment::read(&content.value, content, zones)
    }

    /// The values of a property, which commas separate.
    pub fn all(content: &Content, zones: &Zones) -> Result<Vec<Moment>> {
        content.value.split(',').map(|value| Moment::read(value, content, zones)).collect()
    }

    /// The end of a rule: a time without a zone is by the clock by which the event starts.
    pub fn last_of(value: &str, rule: &Content, start: &Moment) -> Result<Moment> {
        Moment::by(value, rule, || Ok(start.zone))
    }

    fn read(value: &str, content: &Content, zones: &Zones) -> Result<Moment> {
        Moment::by(value, content, || zones.of(content))
    }

    fn by(value: &str, content: &Content, zone: impl Fn() -> Result<Tz>) -> Result<Moment> {
        let value = value.trim();
        let unread = || content.refuse(EXPECTED);
        let (plain, is_utc) = value.strip_suffix(['Z', 'z']).map_or((value, false), |plain| (plain, true));
        let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
        let (date, time) = match plain.split_once(['T', 't']) {
            Some((date, time)) if digits(time, 6) => (date, Some(time)),
            None if !is_utc => (plain, None),
            _ => return Err(unread()),
        };
        let day = || NaiveDate::parse_from_str(date, "%Y%m%d").ok().filter(|_| digits(date, 8));
        let day = day().ok_or_else(unread)?;
        let time_of_day = match time {
            None => NaiveTime::MIN,
            Some(time) => NaiveTime::parse_from_str(time, "%H%M%S").map_err(|_| unread())?,
        };
        let zone = if is_utc { Tz::UTC } else { zone()? };
        Moment::by_clock(day.and_time(time_of_day), zone, time.is_none()).ok_or_else(unread)
    }

    /// What a clock shows.
    pub fn by_clock(local: NaiveDateTime, zone: Tz, is_date: bool) -> Option<Moment> {
        Some(Moment { local, zone, is_date, at: first_instant_at(local, zone)? })
    }

    /// Later by days of the clock, then by seconds.
    pub fn after(&self, length: Length) -> Option<Moment> {
        let local = self.local.checked_add_days(Days::new(length.days))?;
        let later = Moment::by_clock(local, self.zone, self.is_date)?;
        if length.seconds == 0 {
            return Some(later);
        }
        let at = later.at.checked_add(length.seconds.checked_mul(1_000_000)?)?;
        let local = DateTime::from_timestamp_micros(at)?.with_timezone(&self.zone).naive_local();
        Some(Moment { local, at, ..later })
    }

    /// The date in another zone; a date stays what it is.
    pub fn date_in(&self, zone: Tz) -> NaiveDate {
        let there = DateTime::from_timestamp_micros(self.at).filter(|_| !self.is_date);
        there.map_or(self.local.date(), |at| at.with_timezone(&zone).date_naive())
    }
}

/// An instant as text.
pub(super) fn shown(at: i64) -> String {
    DateTime::from_timestamp_micros(at).map_or_else(String::new, |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// How long something is: days by the clock, and seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Length {
    pub days: u64,
    pub seconds: i64,
}

impl Length {
    pub const DAY: Length = Length { days: 1, seconds: 0 };

    /// `PT1H30M`, `P2D`, `P1W`.
    pub fn read(content: &Content) -> Result<Length> {
        length(&content.value).ok_or_else(|| content.refuse("a length such as PT1H30M, P2D or P1W"))
    }
}

fn length(text: &str) -> Option<Length> {
    let text = text.trim().to_uppercase();
    let text = text.strip_prefix('+').unwrap_or(&text).strip_prefix('P')?;
    let (mut length, mut number, mut in_time) = (Length::default(), String::new(), false);
    let mut seconds = TimeDelta::zero();
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            number.push(letter);
            continue;
        }
        if letter == 'T' && number.is_empty() && !in_time {
            in_time = true;
            continue;
        }
        let n: i64 = std::mem::take(&mut number).parse().ok().filter(|n| *n <= i64::from(u32::MAX))?;
        match (letter, in_time) {
            ('W', false) => length.days += n.unsigned_abs() * 7,
            ('D', false) => length.days += n.unsigned_abs(),
            ('H', true) => seconds += TimeDelta::hours(n),
            ('M', true) => seconds += TimeDelta::minutes(n),
            ('S', true) => seconds += TimeDelta::seconds(n),
            _ => return None,
        }
    }
    length.seconds = seconds.num_seconds();
    (number.is_empty() && length != Length::default()).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (text, days, seconds) in [
            ("PT1H30M", 0, 5400),
            ("P1D", 1, 0),
            ("p2w", 14, 0),
            ("P1DT2H", 1, 7200),
            ("PT90S", 0, 90),
            ("+PT15M", 0, 900),
        ] {
            assert_eq!(length(text), Some(Length { days, seconds }), "{text}");
        }
        for text in ["", "P", "PT", "1H", "PT1", "PT1D", "P1H", "-PT1H", "PTT1H", "PT0S", "P99999999999D"] {
            assert_eq!(length(text), None, "{text}");
        }
    }
}
