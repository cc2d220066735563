//! Calendar months of a time zone as instants.

use chrono::{DateTime, Datelike, LocalResult, NaiveDate, TimeZone};
use chrono_tz::Tz;
use nines_timeline::Interval;

/// A month, counted from January of year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Month(pub i32);

impl Month {
    /// The month in which an instant falls.
    pub fn of(micros: i64, zone: Tz) -> Option<Month> {
        let local = DateTime::from_timestamp_micros(micros)?.with_timezone(&zone);
        Some(Month(local.year() * 12 + local.month0() as i32))
    }

    pub fn before(self) -> Month {
        Month(self.0 - 1)
    }

    pub fn after(self) -> Month {
        Month(self.0 + 1)
    }

    /// From its first instant to that of the next. Months have their own lengths, with an hour less or more where clocks
    /// change.
    pub fn interval(self, zone: Tz) -> Option<Interval> {
        Some(Interval::new(self.start(zone)?, self.after().start(zone)?))
    }

    fn start(self, zone: Tz) -> Option<i64> {
        let date = NaiveDate::from_ymd_opt(self.0.div_euclid(12), self.0.rem_euclid(12) as u32 + 1, 1)?;
        midnight(date, zone)
    }

    /// `2026-10`.
    pub fn name(self) -> String {
        format!("{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }

    /// The month of a name.
    pub fn named(name: &str) -> Option<Month> {
        let first = format!("{name}-01").parse::<NaiveDate>().ok()?;
        Some(Month(first.year() * 12 + first.month0() as i32))
    }
}

/// The first instant of a day in a time zone. Where clocks skip midnight it is the first instant after.
pub(crate) fn midnight(date: NaiveDate, zone: Tz) -> Option<i64> {
    let local = date.and_hms_opt(0, 0, 0)?;
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.timestamp_micros()),
        LocalResult::None => {
            // A gap is at most a few hours long and begins on a quarter of an hour.
            let quarters = (1..24 * 4).map(|quarter| local + chrono::Duration::minutes(15 * quarter));
            let mut there = quarters.filter_map(|local| zone.from_local_datetime(&local).earliest());
            there.next().map(|at| at.timestamp_micros())
        }
    }
}
