//! The days of a zone, how long they are, and where they begin: what slices that are laid from local midnight must fit.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use nines_timeline::{Interval, gcd};

use crate::duration::DAY;

/// Zones had other clocks in the last century, of which nobody has requests any more.
const SINCE: i64 = 946_684_800_000_000;
/// 2100-01-01: nobody knows what clocks do then.
const UNTIL: i64 = 4_102_444_800_000_000;
/// No clock changes and changes back within so many days.
const STEP: i64 = 5 * DAY;
const SECOND: i64 = 1_000_000;

/// The local days that lie in a stretch of time, if only in part.
pub(crate) fn days(span: Interval, zone: Tz) -> BTreeSet<NaiveDate> {
    let date = |at: i64| DateTime::from_timestamp_micros(at).map(|at| at.with_timezone(&zone).date_naive());
    let ends = (!span.is_empty()).then(|| date(span.start).zip(date(span.end - 1))).flatten();
    ends.into_iter().flat_map(|(first, last)| first.iter_days().take_while(move |day| *day <= last)).collect()
}

/// The widest slice (µs) that divides every local day of a zone from an instant (µs) on: a day, less where clocks change.
pub fn day_unit(zone: Tz, from: i64) -> i64 {
    let offsets = offsets(zone, from);
    let changes = offsets.windows(2).map(|pair| pair[1] - pair[0]);
    widest(changes)
}

/// The widest slice (µs), counted from the epoch, that begins at every local midnight of a zone from an instant (µs) on.
pub fn midnight_unit(zone: Tz, from: i64) -> i64 {
    widest(offsets(zone, from).into_iter())
}

/// An instant (µs) at which a local day begins that is in a zone from `from` (µs) on, if days begin at a time of day (µs after
/// midnight). Not the nearest one: where wide slices are laid from it, any is as good as the other.
pub(crate) fn day_start(zone: Tz, time_of_day: i64, from: i64) -> i64 {
    let at = DateTime::from_timestamp_micros(from.clamp(SINCE, UNTIL - STEP));
    let ahead = at.map_or(0, |at| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc());
    time_of_day - i64::from(ahead) * SECOND
}

fn widest(shifts: impl Iterator<Item = i64>) -> i64 {
    let unit = shifts.fold(DAY.unsigned_abs(), |unit, shift| gcd(unit.into(), shift.unsigned_abs().into()) as u64);
    unit as i64
}

/// The distances (µs) of local time from UTC, in their order, without repetitions.
fn offsets(zone: Tz, from: i64) -> Vec<i64> {
    let mut found = Vec::new();
    let mut at = from.clamp(SINCE, UNTIL - STEP);
    while at < UNTIL {
        if let Some(at) = DateTime::from_timestamp_micros(at) {
            let offset = zone.offset_from_utc_datetime(&at.naive_utc()).fix();
            found.push(i64::from(offset.local_minus_utc()) * SECOND);
        }
        at += STEP;
    }
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60 * SECOND;

    #[test]
    fn days_of_zones() {
        let zones = [
            (Tz::UTC, DAY, DAY),
            (chrono_tz::Asia::Kolkata, DAY, 30 * MINUTE),
            (chrono_tz::Asia::Shanghai, DAY, 480 * MINUTE),
            (chrono_tz::Asia::Kathmandu, DAY, 15 * MINUTE),
            (chrono_tz::America::New_York, 60 * MINUTE, 60 * MINUTE),
            (chrono_tz::America::St_Johns, 60 * MINUTE, 30 * MINUTE),
            (chrono_tz::Australia::Lord_Howe, 30 * MINUTE, 30 * MINUTE),
        ];
        for (zone, day, midnight) in zones {
            let day_unit = day_unit(zone, i64::MIN);
            assert_eq!((day_unit, midnight_unit(zone, i64::MIN)), (day, midnight), "{zone}");
        }
        // Clocks went back by half an hour in 2007 and forth in 2016.
        let (caracas, year) = (chrono_tz::America::Caracas, 1_767_225_600_000_000);
        assert_eq!((day_unit(caracas, i64::MIN), day_unit(caracas, year)), (30 * MINUTE, DAY));
        assert_eq!(day_unit(caracas, i64::MAX), DAY);
    }
}
