//! What clocks show.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// No clock changes twice within so many µs.
const AROUND: i64 = 2 * 86_400 * 1_000_000;

/// The first instant (µs since the epoch) at which the clock of a zone shows a local time: of one that it shows twice the first; where
/// it skips the time, the instant at which it skips it. `None` beyond the calendar.
///
/// Later local times never have earlier instants.
pub fn first_instant_at(local: NaiveDateTime, zone: Tz) -> Option<i64> {
    match zone.from_local_datetime(&local).earliest() {
        Some(instant) => Some(instant.timestamp_micros()),
        None => skipped(local, zone),
    }
}

/// The instant at which a clock skips a local time: before it shows less, from then on more.
fn skipped(local: NaiveDateTime, zone: Tz) -> Option<i64> {
    let near = local.and_utc().timestamp_micros();
    let (mut before, mut after) = (near.checked_sub(AROUND)?, near.checked_add(AROUND)?);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if shown(middle, zone)? < local {
            before = middle;
        } else {
            after = middle;
        }
    }
    Some(after)
}

/// What the clock of a zone shows at an instant (µs).
pub(crate) fn shown(at: i64, zone: Tz) -> Option<NaiveDateTime> {
    let utc = DateTime::from_timestamp_micros(at)?.naive_utc();
    utc.checked_add_offset(zone.offset_from_utc_datetime(&utc).fix())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(local: &str, zone: Tz) -> String {
        let local = NaiveDateTime::parse_from_str(local, "%Y-%m-%d %H:%M:%S%.f").expect("a time");
        let at = first_instant_at(local, zone).and_then(DateTime::from_timestamp_micros).expect("an instant");
        at.format("%Y-%m-%d %H:%M:%S%.f").to_string()
    }

    #[test]
    fn skipped_times_are_the_instant_at_which_they_are_skipped() {
        use chrono_tz::{America, Australia, Europe, Pacific};
        for time in ["02:00:00", "02:20:00", "02:59:59.999999", "03:00:00"] {
            assert_eq!(first(&format!("2026-03-29 {time}"), Europe::Berlin), "2026-03-29 01:00:00", "{time}");
        }
        assert_eq!(first("2026-03-08 02:17:00", America::New_York), "2026-03-08 07:00:00");
        // By half an hour, at midnight, by a whole day.
        assert_eq!(first("2026-10-04 02:10:00", Australia::Lord_Howe), "2026-10-03 15:30:00");
        assert_eq!(first("2018-11-04 00:00:00", America::Sao_Paulo), "2018-11-04 03:00:00");
        assert_eq!(first("2011-12-30 12:00:00", Pacific::Apia), "2011-12-30 10:00:00");
    }

    #[test]
    fn of_times_that_are_twice_the_first_counts() {
        use chrono_tz::{America, Europe};
        assert_eq!(first("2026-10-25 02:30:00", Europe::Berlin), "2026-10-25 00:30:00");
        assert_eq!(first("2026-10-25 03:00:00", Europe::Berlin), "2026-10-25 02:00:00");
        assert_eq!(first("2026-11-01 01:00:00", America::New_York), "2026-11-01 05:00:00");
        assert_eq!(first("1970-01-01 00:00:00", Tz::UTC), "1970-01-01 00:00:00");
    }

    #[test]
    fn beyond_the_calendar_there_is_nothing() {
        assert_eq!(shown(i64::MAX, Tz::UTC), None);
        assert_eq!(shown(0, Tz::UTC), Some(DateTime::UNIX_EPOCH.naive_utc()));
    }
}
