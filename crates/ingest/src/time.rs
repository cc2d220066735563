//! Instants as people and programs write them, to microseconds since 1970 in UTC.
//!
//! Accepted: RFC 3339 with any offset (`T` or a blank between date and time, with or without seconds, offset `Z`, `±HH:MM`,
//! `±HHMM` or `±HH`); the same without an offset, taken in the options' time zone; and a number
//! since 1970, whole or with decimals, whose unit follows from its size:
//!
//! | number | unit | as seconds it would be after |
//! |---|---|---|
//! | below 10^11 | seconds | — |
//! | below 10^14 | milliseconds | the year 5138 |
//! | below 10^17 | microseconds | |
//! | from there | nanoseconds | |
//!
//! A local time that a clock change skips is an error, as is anything outside the years 1970 to 9999 or the limits that
//! the clock has. One that a clock change repeats is both of its instants: in a series the order of the rows tells
//! which ([`Order`](crate::order::Order)), in a record it is the earlier. Digits below a microsecond are cut off. A leap
//! second counts as the second before it.

use std::borrow::Cow;

use chrono::{LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use nines_store::END_OF_TIME;

use crate::error::quoted;
use crate::{IngestError, Limits, Result};

const EXPECTED: &str = "a time like 2026-10-01T12:00:00Z or 2026-10-01 12:00:00, or a number of seconds, ms, µs or ns \
                        since 1970";

const EXPECTED_OR_DATE: &str = "a time like 2026-10-01T12:00:00Z or 2026-10-01 12:00:00, a date, or a number of \
                                seconds, ms, µs or ns since 1970";

/// What a text denotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// An instant.
    At(i64),
    /// A local time that a clock change repeats, and its two instants, the earlier first.
    Repeated(NaiveDateTime, i64, i64),
}

impl When {
    /// The instant, of two the earlier.
    pub(crate) fn earlier(self) -> i64 {
        match self {
            When::At(micros) | When::Repeated(_, micros, _) => micros,
        }
    }
}

/// The numbers of days with which spreadsheets write the years 1954 to 2119.
const SERIALS: std::ops::RangeInclusive<f64> = 20_000.0..=80_000.0;

/// Days from a spreadsheet's day 0, which is 1899-12-30, to 1970.
const SERIAL_OF_1970: f64 = 25_569.0;

/// How the instants of a column are understood.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock<'a> {
    /// The column, as errors call it.
    column: &'a str,
    /// The time zone of times that are written without one.
    zone: Tz,
    /// Whether a date alone is its midnight. People write records so; a series of samples that does is a mistake.
    dates: bool,
    /// What is outside of these is refused.
    limits: Option<Limits>,
}

impl Clock<'static> {
    /// The times of a series.
    pub(crate) fn of_series(zone: Tz) -> Self {
        Self { column: "time", zone, dates: false, limits: None }
    }
}

impl<'a> Clock<'a> {
    /// The instants in a column of a record.
    pub(crate) fn of_record(column: &'a str, zone: Tz) -> Self {
        Self { column, zone, dates: true, limits: None }
    }

    /// The same clock that refuses what lies outside of these instants.
    pub(crate) fn within(self, limits: Option<Limits>) -> Self {
        Self { limits, ..self }
    }

    /// Whether its zone may set clocks back.
    pub(crate) fn is_set_back(&self) -> bool {
        self.zone != Tz::UTC
    }

    /// The column, as errors call it.
    pub(crate) fn column(&self) -> &'a str {
        self.column
    }

    /// The instant that a text denotes, of two the earlier.
    pub(crate) fn parse(&self, text: &str) -> Result<i64> {
        self.read(text).map(When::earlier)
    }

    /// What a text denotes.
    pub(crate) fn read(&self, text: &str) -> Result<When> {
        let text = text.trim_ascii();
        let expected = if self.dates { EXPECTED_OR_DATE } else { EXPECTED };
        let found = match text.as_bytes() {
            [_, _, _, _, b'-', ..] => self.civil(&with_seconds(text))?,
            _ => decimal(text).map(When::At),
        };
        let found = found.ok_or_else(|| self.bad(text, expected))?;
        if let (When::At(_), Ok(number)) = (found, text.parse()) {
            self.refuse_serial(number, text)?;
        }
        self.when_in_range(found, || text.to_string())
    }

    /// The instant that a whole number denotes.
    pub(crate) fn integer(&self, number: i64) -> Result<i64> {
        self.refuse_serial(number as f64, &number.to_string())?;
        self.in_range(scale(number, "").unwrap_or(-1), || number.to_string())
    }

    /// The instant that a decimal number denotes, taken as the decimal that it prints as.
    pub(crate) fn float(&self, number: f64) -> Result<i64> {
        self.parse(&number.to_string())
    }

    /// The instants of a time that a clock in this zone shows.
    pub(crate) fn local(&self, local: NaiveDateTime) -> Result<When> {
        let found = match self.zone.from_local_datetime(&local) {
            _ if self.zone == Tz::UTC => When::At(local.and_utc().timestamp_micros()),
            LocalResult::Single(time) => When::At(time.timestamp_micros()),
            LocalResult::Ambiguous(a, b) => {
                let (a, b) = (a.timestamp_micros(), b.timestamp_micros());
                When::Repeated(local, a.min(b), a.max(b))
            }
            LocalResult::None => {
                return Err(self.bad(
                    &local.to_string(),
                    format!("a time that exists in {}: clocks skip this one, so write it with its offset", self.zone),
                ));
            }
        };
        self.when_in_range(found, || local.to_string())
    }

    fn when_in_range(&self, when: When, text: impl FnOnce() -> String) -> Result<When> {
        self.in_range(when.earlier(), text).map(|_| when)
    }

    /// Refuses an instant, shown as one, outside the years 1970 to 9999, or the limits.
    pub(crate) fn instant_in_range(&self, micros: i64) -> Result<i64> {
        self.in_range(micros, || {
            let at = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
            at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
        })
    }

    /// Refuses an instant outside the years 1970 to 9999, or the limits.
    pub(crate) fn in_range(&self, micros: i64, text: impl FnOnce() -> String) -> Result<i64> {
        if !(0..END_OF_TIME).contains(&micros) {
            return Err(self.bad(&text(), "a time in the years 1970 to 9999"));
        }
        match self.limits {
            Some(limits) if !limits.holds(micros) => Err(self.out_of_limits(limits, micros, &text())),
            _ => Ok(micros),
        }
    }

    fn out_of_limits(&self, limits: Limits, micros: i64, text: &str) -> IngestError {
        let shown = |micros| chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default();
        let (from, until) = limits.bounds();
        let is = match shown(micros).format("%Y-%m-%dT%H:%M:%SZ").to_string() {
            same if same == text => String::new(),
            other => format!(", which is {other}"),
        };
        let (from, until) = (shown(from).format("%Y"), shown(until).format("%Y-%m-%d %H:%MZ"));
        IngestError::bad_line(format!("{} is {}{is}", self.column, quoted(text)))
            .column(self.column)
            .expected(format!("a time from {from} to {until}, a day from now"))
            .advice("Correct it, or take any time: --any-time")
    }

    /// Refuses a number that spreadsheets write for a day of our time, and says how to read it. In a record it is never a number
    /// of seconds: nobody announces maintenance of 1970.
    fn refuse_serial(&self, number: f64, text: &str) -> Result<()> {
        if !SERIALS.contains(&number) || self.limits.is_none() && !self.dates {
            return Ok(());
        }
        let micros = ((number - SERIAL_OF_1970) * 86_400.0).round() as i64 * 1_000_000;
        let date = chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%Y-%m-%d %H:%M:%S");
        Err(IngestError::bad_line(format!("{} is {}", self.column, quoted(text)))
            .column(self.column)
            .expected(format!("{EXPECTED}: in a spreadsheet this number is {date}"))
            .advice(format!(
                "Read it with --select \"SELECT round(({0} - 25569) * 86400) AS {0}, … FROM input\", which takes the \
                 spreadsheet's clock as UTC{1}",
                self.column,
                if self.dates { ", or write it as a time" } else { "; --any-time takes it as seconds since 1970" }
            )))
    }

    /// `YYYY-MM-DD HH:MM:SS[.frac][offset]`, or a date; `None` if the text is not of that shape.
    fn civil(&self, text: &str) -> Result<Option<When>> {
        if let Some(date) = date(text.as_bytes()).filter(|_| self.dates && text.len() == 10) {
            return self.local(date.and_time(NaiveTime::MIN)).map(Some);
        }
        let Some((local, offset)) = split(text.as_bytes()) else { return Ok(None) };
        match offset {
            Some(seconds) => Ok(Some(When::At(local.and_utc().timestamp_micros() - i64::from(seconds) * 1_000_000))),
            None => self.local(local).map(Some),
        }
    }

    fn bad(&self, text: &str, expected: impl Into<String>) -> IngestError {
        IngestError::bad_value(self.column, text, expected)
    }
}

/// The instant that a person means: a time as in a file, the same without its seconds, or a date alone for its
/// midnight. What has no offset is taken in `zone`. The error is what was expected instead.
pub fn instant(text: &str, zone: Tz) -> Result<i64, String> {
    Clock::of_record("time", zone).parse(text).map_err(|error| match error.expectation() {
        Some(EXPECTED_OR_DATE) | None => {
            format!("a time as 2026-10-03T09:12:00Z, or in {zone} as 2026-10-03 09:12 or 2026-10-03")
        }
        Some(expected) => expected.to_string(),
    })
}

/// A clock's time of which people left out the seconds, with them.
fn with_seconds(text: &str) -> Cow<'_, str> {
    match text.split_at_checked(16) {
        Some((minutes, offset)) if text.as_bytes()[13] == b':' && !offset.starts_with(':') => {
            Cow::Owned(format!("{minutes}:00{offset}"))
        }
        _ => Cow::Borrowed(text),
    }
}

/// The date with which a text begins.
pub(crate) fn date(b: &[u8]) -> Option<NaiveDate> {
    let b = b.get(..10).filter(|b| b[4] == b'-' && b[7] == b'-')?;
    NaiveDate::from_ymd_opt(digits(&b[..4])? as i32, digits(&b[5..7])?, digits(&b[8..])?)
}

/// The clock's time and its offset in seconds.
pub(crate) fn split(b: &[u8]) -> Option<(NaiveDateTime, Option<i32>)> {
    let head = b.get(..19)?;
    if !matches!(head[10], b'T' | b't' | b' ') || head[13] != b':' || head[16] != b':' {
        return None;
    }
    let date = date(head)?;
    let (hour, minute, second) = (digits(&head[11..13])?, digits(&head[14..16])?, digits(&head[17..])?);
    // A leap second stays in the minute that it ends.
    let second = if second == 60 { 59 } else { second };
    let mut rest = &b[19..];
    let mut micros = 0;
    if let [b'.' | b',', fraction @ ..] = rest {
        let end = fraction.iter().position(|c| !c.is_ascii_digit()).unwrap_or(fraction.len());
        micros = fraction_of(&fraction[..end], 6)? as u32;
        rest = &fraction[end..];
    }
    let local = date.and_hms_micro_opt(hour, minute, second, micros)?;
    if let [b' ', b'+' | b'-' | b'Z' | b'z', ..] = rest {
        rest = &rest[1..];
    }
    Some((local, offset_seconds(rest)?))
}

/// Seconds east of UTC: `Some(None)` for no offset at all, `None` for something else.
fn offset_seconds(b: &[u8]) -> Option<Option<i32>> {
    let (sign, b) = match b {
        [] => return Some(None),
        [b'Z' | b'z'] => return Some(Some(0)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match b {
        [h, i] => (digits(&[*h, *i])?, 0),
        [h, i, m, n] | [h, i, b':', m, n] => (digits(&[*h, *i])?, digits(&[*m, *n])?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(Some(sign * (hours * 3600 + minutes * 60) as i32))
}

/// A number of seconds, ms, µs or ns with optional decimals; `None` if it is not one.
fn decimal(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || !fraction.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    scale(whole.parse().ok()?, fraction)
}

/// Microseconds of `whole.fraction` units, the unit told by the size of `whole`.
fn scale(whole: i64, fraction: &str) -> Option<i64> {
    let fraction = fraction.as_bytes();
    match whole {
        ..0 => Some(-1),
        0..100_000_000_000 => Some(whole * 1_000_000 + fraction_of(fraction, 6)?),
        100_000_000_000..100_000_000_000_000 => Some(whole * 1_000 + fraction_of(fraction, 3)?),
        100_000_000_000_000..100_000_000_000_000_000 => Some(whole),
        _ => Some(whole / 1_000),
    }
}

/// The first `places` digits of a fraction as a number: `"5"` in six places is 500,000.
fn fraction_of(fraction: &[u8], places: usize) -> Option<i64> {
    (0..places).try_fold(0, |value, at| match fraction.get(at) {
        Some(c) if c.is_ascii_digit() => Some(value * 10 + i64::from(c - b'0')),
        Some(_) => None,
        None => Some(value * 10),
    })
}

/// An unsigned number of a fixed number of digits.
pub(crate) fn digits(b: &[u8]) -> Option<u32> {
    b.iter().try_fold(0, |value, c| c.is_ascii_digit().then(|| value * 10 + u32::from(c - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn utc(text: &str) -> i64 {
        parse(text, Tz::UTC).unwrap()
    }

    fn parse(text: &str, zone: Tz) -> Result<i64> {
        Clock::of_series(zone).parse(text)
    }

    fn message(text: &str, zone: Tz) -> String {
        parse(text, zone).unwrap_err().to_string()
    }

    #[test]
    fn every_accepted_shape() {
        let noon = 1_790_856_000_000_000;
        for text in [
            "2026-10-01T12:00:00Z",
            "2026-10-01t12:00:00z",
            "2026-10-01 12:00:00",
            " 2026-10-01 12:00:00 ",
            "2026-10-01T20:00:00+08:00",
            "2026-10-01 20:00:00+08",
            "2026-10-01 06:30:00 -0530",
            "2026-10-01 12:00",
            "2026-10-01T20:00+08:00",
            "2026-10-01T12:00:00.0000009Z",
            "1790856000",
            "1790856000.0",
            "1790856000000",
            "1790856000000.000",
            "1790856000000000",
            "1790856000000000000",
        ] {
            assert_eq!(utc(text), noon, "{text}");
        }
        assert_eq!(utc("2026-10-01T12:00:00.5Z"), noon + 500_000);
        assert_eq!(utc("1790856000.123456789"), noon + 123_456);
        assert_eq!(utc("1790856000123.5"), noon + 123_500);
        assert_eq!(utc("2016-12-31T23:59:60Z"), utc("2016-12-31T23:59:59Z"));
        assert_eq!(Clock::of_series(Tz::UTC).integer(1_790_856_000).unwrap(), noon);
        assert_eq!(Clock::of_series(Tz::UTC).float(1_790_856_000.25).unwrap(), noon + 250_000);
    }

    #[test]
    fn a_repeated_local_time_is_the_earlier_one_and_a_skipped_one_is_an_error() {
        let berlin = Tz::Europe__Berlin;
        assert_eq!(parse("2026-10-25 02:30:00", berlin).unwrap(), utc("2026-10-25T00:30:00Z"));
        assert_eq!(parse("2026-10-25 02:30:00+01:00", berlin).unwrap(), utc("2026-10-25T01:30:00Z"));
        assert_eq!(
            message("2026-03-29 02:30:00", berlin),
            "time is \"2026-03-29 02:30:00\"; expected a time that exists in Europe/Berlin: clocks skip this one, so \
             write it with its offset. Correct or remove it and ingest the input again: a batch is stored whole or not \
             at all."
        );
    }

    #[test]
    fn people_leave_out_seconds_and_hours() {
        let shanghai = Tz::Asia__Shanghai;
        for text in ["2026-10-03", "2026-10-03 00:00", "2026-10-02T16:00Z", "2026-10-02 18:00+02:00", "1790956800"] {
            assert_eq!(instant(text, shanghai), Ok(utc("2026-10-02T16:00:00Z")), "{text}");
        }
        for text in ["", "tomorrow", "2026-10-32", "2026-10-03 9:12", "2026-10-0 业务业务", "03.10.2026"] {
            let expected = "a time as 2026-10-03T09:12:00Z, or in Asia/Shanghai as 2026-10-03 09:12 or 2026-10-03";
            assert_eq!(instant(text, shanghai), Err(expected.to_string()), "{text}");
        }
        let skipped = instant("2026-03-29 02:30", Tz::Europe__Berlin).unwrap_err();
        assert!(skipped.starts_with("a time that exists in Europe/Berlin"), "{skipped}");
    }

    #[test]
    fn a_record_may_name_a_date() {
        let clock = Clock::of_record("started", Tz::Asia__Shanghai);
        assert_eq!(clock.parse(" 2026-10-01 ").unwrap(), utc("2026-09-30T16:00:00Z"));
        assert_eq!(clock.parse("2026-10-01T00:00:00Z").unwrap(), utc("2026-10-01T00:00:00Z"));
        for serial in ["46318.72917", "46318"] {
            let refused = clock.parse(serial).unwrap_err().to_string();
            assert!(refused.contains("in a spreadsheet this number is 2026-10-2"), "{refused}");
        }
        assert!(clock.integer(46_318).is_err() && clock.float(46_318.5).is_err());
        assert!(instant("46318.5", Tz::UTC).unwrap_err().contains("2026-10-23 12:00:00"));
        let refused = clock.parse("2026-02-30").unwrap_err().to_string();
        let expected = "started is \"2026-02-30\"; expected a time like 2026-10-01T12:00:00Z or 2026-10-01 12:00:00, a \
                        date, or a number of seconds, ms, µs or ns since 1970. ";
        assert!(refused.starts_with(expected), "{refused}");
    }

    #[test]
    fn what_is_not_a_time() {
        for text in [
            "",
            "now",
            "2026-10-01",
            "2026-13-01 00:00:00",
            "2026-02-30T00:00:00Z",
            "2026-10-01 24:00:00",
            "2026-10-01T12:00:00+0",
            "2026-10-01T12:00:00 CET",
            "2026-10-01T12:00:00+25:00",
            "1.2.3",
            "12e9",
            "NaN",
            "99999999999999999999",
        ] {
            assert!(message(text, Tz::UTC).contains("; expected a time like 2026-10-01T12:00:00Z"), "{text}");
        }
        for text in ["-1", "1969-12-31 23:59:59", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00+01:00"] {
            assert!(message(text, Tz::UTC).contains("; expected a time in the years 1970 to 9999."), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_instant_reads_back_whatever_its_offset(micros in 86_400_000_000..END_OF_TIME - 86_400_000_000, minutes in -1439i32..1440) {
            let offset = chrono::FixedOffset::east_opt(minutes * 60).unwrap();
            let time = chrono::DateTime::from_timestamp_micros(micros).unwrap().with_timezone(&offset);
            prop_assert_eq!(utc(&time.to_rfc3339()), micros);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", number in any::<f64>(), integer in any::<i64>()) {
            let _ = parse(&text, Tz::Asia__Shanghai);
            let _ = instant(&text, Tz::Asia__Shanghai);
            let _ = Clock::of_series(Tz::UTC).float(number);
            let _ = Clock::of_series(Tz::UTC).integer(integer);
        }
    }
}
