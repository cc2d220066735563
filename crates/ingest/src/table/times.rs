//! Whether the times of a column are instants, readings of a clock or dates.
//!
//! Times are written as in time.rs. With `Z` or an offset they are instants; without, what a clock showed, which is an
//! instant only once a time zone is known. A column has one of the two, and microseconds, or nanoseconds where some
//! are written.

use chrono::{NaiveDate, NaiveDateTime};
use datafusion::arrow::datatypes::TimeUnit;

use super::shape::Shape;
use crate::time::{date, split};

/// Where the fraction of a second stands.
const FRACTION: usize = 19;
const DIGITS_OF_MICROS: usize = 6;
const DIGITS_OF_NANOS: usize = 9;

/// What all times of a column have been so far.
#[derive(Debug, Default, Clone)]
pub(super) struct Times {
    has_dates: bool,
    has_clocks: bool,
    has_instants: bool,
    has_nanos: bool,
    /// Some lie outside of what nanoseconds in 64 bits reach.
    has_far: bool,
}

impl Times {
    /// Takes in a text if it is a time.
    pub fn add(&mut self, text: &str) -> bool {
        if text.len() == 10 && date(text.as_bytes()).is_some() {
            self.has_dates = true;
            return true;
        }
        let Some(time) = Time::of(text) else { return false };
        match time.is_instant {
            true => self.has_instants = true,
            false => self.has_clocks = true,
        }
        self.has_nanos |= time.nanos % 1000 != 0;
        self.has_far |= time.local.and_utc().timestamp_nanos_opt().is_none();
        true
    }

    pub fn is_any(&self) -> bool {
        self.has_dates || self.has_clocks || self.has_instants
    }

    pub fn shape(&self) -> Shape {
        let unit = if self.has_nanos { TimeUnit::Nanosecond } else { TimeUnit::Microsecond };
        if self.has_nanos && self.has_far {
            return Shape::Text;
        }
        match (self.has_dates, self.has_clocks, self.has_instants) {
            (true, false, false) => Shape::Date,
            (false, true, false) => Shape::Clock(unit),
            (false, false, true) => Shape::Instant(unit),
            _ => Shape::Text,
        }
    }
}

/// The days from 1970 to a date.
pub(super) fn days(text: &str) -> Option<i32> {
    let date = date(text.as_bytes()).filter(|_| text.len() == 10)?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// The time in this unit since 1970: of an instant in UTC, of a clock's reading on that clock.
pub(super) fn since_1970(text: &str, unit: TimeUnit, is_instant: bool) -> Option<i64> {
    let time = Time::of(text).filter(|time| time.is_instant == is_instant)?;
    let micros = time.local.and_utc().timestamp_micros();
    match unit {
        TimeUnit::Nanosecond => micros.checked_mul(1000)?.checked_add(time.nanos % 1000),
        _ => Some(micros),
    }
}

struct Time {
    /// Cut to microseconds; of an instant, in UTC.
    local: NaiveDateTime,
    is_instant: bool,
    /// The fraction of the second.
    nanos: i64,
}

impl Time {
    fn of(text: &str) -> Option<Time> {
        let bytes = text.as_bytes();
        if bytes.get(4) != Some(&b'-') {
            return None;
        }
        let (local, offset) = split(bytes)?;
        let fraction = match bytes.get(FRACTION) {
            Some(b'.' | b',') => &bytes[FRACTION + 1..],
            _ => &[],
        };
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let nanos = match digits {
            0..=DIGITS_OF_MICROS => 0,
            // More would be cut.
            _ if digits > DIGITS_OF_NANOS && fraction[DIGITS_OF_NANOS..digits].iter().any(|&byte| byte != b'0') => {
                return None;
            }
            _ => (0..DIGITS_OF_NANOS)
                .fold(0, |nanos, at| nanos * 10 + i64::from(fraction[..digits].get(at).map_or(0, |byte| byte - b'0'))),
        };
        let offset_micros = chrono::TimeDelta::seconds(i64::from(offset.unwrap_or_default()));
        let local = local.checked_sub_signed(offset_micros)?;
        Some(Time { local, is_instant: offset.is_some(), nanos })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROS: TimeUnit = TimeUnit::Microsecond;
    const NANOS: TimeUnit = TimeUnit::Nanosecond;

    fn shape(texts: &[&str]) -> Shape {
        let mut times = Times::default();
        texts.iter().for_each(|text| assert!(times.add(text), "{text}"));
        times.shape()
    }

    #[test]
    fn a_column_is_of_instants_clocks_or_dates() {
        let (instant, clock) = ("2026-10-14T04:00:00Z", "2026-10-14 04:00:00");
        for (texts, expected) in [
            (&[instant, "2026-10-14 13:00:00.5+09:00"][..], Shape::Instant(MICROS)),
            (&[clock, "2026-10-14T04:00:00.123456"], Shape::Clock(MICROS)),
            (&[instant, "2026-10-14T04:00:00.123456789Z"], Shape::Instant(NANOS)),
            (&["2026-10-14T04:00:00.123456789Z", "9999-01-01T00:00:00Z"], Shape::Text),
            (&["2026-10-14", "2026-10-15"], Shape::Date),
            (&[instant, clock], Shape::Text),
            (&["2026-10-14", clock], Shape::Text),
        ] {
            assert_eq!(shape(texts), expected, "{texts:?}");
        }
        for text in ["2026-10-14T04:00", "2026-13-01", "14/10/2026", "2026-10-14T04:00:00.1234567891Z", "2026-1-1"] {
            assert!(!Times::default().add(text), "{text}");
        }
    }

    #[test]
    fn times_are_exact() {
        assert_eq!(since_1970("1970-01-01T09:00:01.5+09:00", MICROS, true), Some(1_500_000));
        assert_eq!(since_1970("1970-01-01T00:00:00.000001007Z", NANOS, true), Some(1007));
        assert_eq!(since_1970("1969-12-31T23:59:59.999999999Z", NANOS, true), Some(-1));
        assert_eq!(since_1970("1970-01-01 00:00:02", NANOS, false), Some(2_000_000_000));
        assert_eq!(since_1970("1970-01-01 00:00:02", NANOS, true), None);
        assert_eq!((days("1970-01-02"), days("1969-12-31"), days("1970-01-02T")), (Some(1), Some(-1), None));
    }
}
