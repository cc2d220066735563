//! Instants as people write them, in a time zone.

use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;
pub(crate) use nines_recurrence::first_instant_at;

/// The effective date that is recorded for "since ever": 0001-01-01T00:00:00Z, in µs since the epoch.
pub const SINCE_EVER: i64 = -62_135_596_800_000_000;

/// Reads RFC 3339, `2026-10-01 12:30[:00]` or a date, in µs since the epoch. What has no zone is in `zone`: a time
/// that the clock shows twice is the first, one that it skips is an error; a date begins at its first instant.
pub(crate) fn read(text: &str, zone: Tz) -> Result<i64, String> {
    let spaced = text.trim().replacen(['T', 't'], " ", 1);
    if let Ok(date) = NaiveDate::parse_from_str(&spaced, "%Y-%m-%d") {
        return bounded(first_instant(date, zone), text);
    }
    let zoned = spaced.strip_suffix(['Z', 'z']).map_or(spaced.clone(), |utc| format!("{utc}+00:00"));
    let zoned = ["%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%d %H:%M%:z"]
        .iter()
        .find_map(|format| DateTime::parse_from_str(&zoned, format).ok());
    if let Some(instant) = zoned {
        return bounded(Some(instant.timestamp_micros()), text);
    }
    let Some(local) = local(&spaced) else {
        return Err(format!(
            "'{text}' is no instant: expected a date such as 2026-10-01, with a time 2026-10-01 12:30, or with a zone \
             2026-10-01T12:30:00+08:00"
        ));
    };
    match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) => bounded(Some(instant.timestamp_micros()), text),
        LocalResult::Ambiguous(first, _) => bounded(Some(first.timestamp_micros()), text),
        LocalResult::None => Err(format!("there is no {text} in {zone}: the clock skips it")),
    }
}

/// The time of day (µs after midnight) that a time says: of a date alone midnight, of an instant what clocks show in `zone`. A
/// time that clocks skip once a year is a time of day all the same.
pub(crate) fn time_of_day(text: &str, zone: Tz) -> Result<i64, String> {
    let spaced = text.trim().replacen(['T', 't'], " ", 1);
    let time = match (local(&spaced), read(text, Tz::UTC)?) {
        (Some(local), _) => local.time(),
        (None, _) if NaiveDate::parse_from_str(&spaced, "%Y-%m-%d").is_ok() => NaiveTime::MIN,
        (None, at) => DateTime::from_timestamp_micros(at).map_or(NaiveTime::MIN, |at| at.with_timezone(&zone).time()),
    };
    Ok(i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1000))
}

/// A date and a time without a zone.
pub(crate) fn local(text: &str) -> Option<NaiveDateTime> {
    let formats = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
}

/// The first instant of a day in a time zone, in µs: midnight, or what the clock shows next where it skips midnight. `None` beyond the
/// calendar.
pub fn first_instant(date: NaiveDate, zone: Tz) -> Option<i64> {
    first_instant_at(date.and_time(NaiveTime::MIN), zone)
}

/// Years 1 to 9999: what the definitions table and people can print.
fn bounded(instant: Option<i64>, text: &str) -> Result<i64, String> {
    const END: i64 = 253_402_300_800_000_000;
    match instant {
        Some(instant) if (SINCE_EVER..END).contains(&instant) => Ok(instant),
        _ => Err(format!("'{text}' is out of range: expected a year from 1 to 9999")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str, zone: Tz) -> String {
        match read(text, zone) {
            Ok(micros) => DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339(),
            Err(error) => error,
        }
    }

    #[test]
    fn a_time_of_day_is_that_of_clocks() {
        let of = |text: &str, zone| time_of_day(text, zone).map(|micros| micros / 60_000_000);
        let york = chrono_tz::America::New_York;
        assert_eq!(of("2025-01-01", york), Ok(0));
        assert_eq!(of("2025-01-01 06:30:00", york), Ok(390));
        assert_eq!(of("2026-03-08 02:30", york), Ok(150), "skipped on that day alone");
        assert_eq!(of("2025-01-01T12:30:00Z", chrono_tz::Asia::Kolkata), Ok(18 * 60));
        assert!(of("noon", york).is_err());
    }

    #[test]
    fn instants_are_read_as_people_write_them() {
        let (shanghai, york) = (chrono_tz::Asia::Shanghai, chrono_tz::America::New_York);
        assert_eq!(utc("2026-10-01", Tz::UTC), "2026-10-01T00:00:00+00:00");
        assert_eq!(utc("2026-10-01", shanghai), "2026-09-30T16:00:00+00:00");
        assert_eq!(utc("2026-10-01 12:30", shanghai), "2026-10-01T04:30:00+00:00");
        assert_eq!(utc("2026-10-01T12:30:15", shanghai), "2026-10-01T04:30:15+00:00");
        assert_eq!(utc("2026-10-01T12:30:00+02:00", shanghai), "2026-10-01T10:30:00+00:00");
        assert_eq!(utc("2026-10-01T12:30Z", shanghai), "2026-10-01T12:30:00+00:00");
        assert_eq!(utc("2026-11-01 01:30", york), "2026-11-01T05:30:00+00:00", "the first of two");
        assert_eq!(
            utc("2026-03-08 02:30", york),
            "there is no 2026-03-08 02:30 in America/New_York: the clock skips it"
        );
        assert_eq!(utc("2018-11-04", chrono_tz::America::Sao_Paulo), "2018-11-04T03:00:00+00:00", "no midnight");
        assert_eq!(utc("0001-01-01", Tz::UTC), "0001-01-01T00:00:00+00:00");
        assert_eq!(utc("0000-06-01", Tz::UTC), "'0000-06-01' is out of range: expected a year from 1 to 9999");
        for far in ["+262142-12-31", "-262143-01-01", "+262142-12-31 23:59", "-262143-01-01T00:00:00+14:00"] {
            for zone in [Tz::UTC, shanghai, york] {
                assert!(read(far, zone).is_err(), "{far}");
            }
        }
        assert!(utc("1 October", Tz::UTC).contains("is no instant"));
    }
}
