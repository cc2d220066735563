//! Ticks of time: where the calendar of a zone divides it, from seconds to decades.

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;

use crate::moment::{self, Range};

/// A way to divide time.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Seconds(i64),
    Days(u32),
    /// Mondays.
    Weeks,
    Months(u32),
    Years(i32),
}

const STEPS: &[Step] = &[
    Step::Seconds(1),
    Step::Seconds(5),
    Step::Seconds(15),
    Step::Seconds(30),
    Step::Seconds(60),
    Step::Seconds(300),
    Step::Seconds(600),
    Step::Seconds(1800),
    Step::Seconds(3600),
    Step::Seconds(2 * 3600),
    Step::Seconds(3 * 3600),
    Step::Seconds(6 * 3600),
    Step::Seconds(12 * 3600),
    Step::Days(1),
    Step::Days(2),
    Step::Weeks,
    Step::Days(10),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(4),
    Step::Months(6),
    Step::Years(1),
    Step::Years(2),
    Step::Years(5),
    Step::Years(10),
    Step::Years(50),
];

/// At most so many ticks in a range, and what is written at each: only what the ticks differ in, with the day where one
/// begins and the year where one does.
pub(crate) fn ticks(range: Range, zone: Tz, most: usize) -> Vec<(i64, String)> {
    let found = STEPS.iter().filter(|step| step.seconds() * most as f64 >= (range.1 - range.0) as f64 / 1e6);
    found.map(|step| (step, step.within(range, zone))).find(|(_, ticks)| ticks.len() <= most).map_or_else(
        Vec::new,
        |(step, ticks)| {
            let text = |at: &i64| Some(step.text(moment::local(*at, zone)?.naive_local()));
            ticks.iter().filter_map(|at| Some((*at, text(at)?))).collect()
        },
    )
}

impl Step {
    /// About how long it is.
    fn seconds(self) -> f64 {
        match self {
            Step::Seconds(seconds) => seconds as f64,
            Step::Days(days) => f64::from(days) * 86_400.0,
            Step::Weeks => 7.0 * 86_400.0,
            Step::Months(months) => f64::from(months) * 30.0 * 86_400.0,
            Step::Years(years) => f64::from(years) * 365.0 * 86_400.0,
        }
    }

    /// The ticks, both ends of the range included.
    fn within(self, range: Range, zone: Tz) -> Vec<i64> {
        let mut ticks = Vec::new();
        let Some(mut at) = moment::local(range.0, zone).and_then(|time| self.before(time.naive_local())) else {
            return ticks;
        };
        // One before the range at first, and perhaps two where clocks change.
        for _ in 0..10_000 {
            let Some(tick) = moment::instant(at, zone).filter(|tick| *tick <= range.1) else { break };
            if tick >= range.0 && ticks.last() != Some(&tick) {
                ticks.push(tick);
            }
            let Some(next) = self.after(at) else { break };
            at = next;
        }
        ticks
    }

    fn before(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let day = time.date();
        let begin = match self {
            Step::Seconds(seconds) => {
                let since = (time - day.and_time(NaiveTime::MIN)).num_seconds();
                return Some(day.and_time(NaiveTime::MIN) + TimeDelta::seconds(since - since % seconds));
            }
            // Counted within the month, so that it begins with a tick.
            Step::Days(days) => day.with_day0(day.day0() - day.day0() % days)?,
            Step::Weeks => day - TimeDelta::days(day.weekday().num_days_from_monday().into()),
            Step::Months(months) => NaiveDate::from_ymd_opt(day.year(), day.month0() - day.month0() % months + 1, 1)?,
            Step::Years(years) => NaiveDate::from_ymd_opt(day.year() - day.year().rem_euclid(years), 1, 1)?,
        };
        Some(begin.and_time(NaiveTime::MIN))
    }

    fn after(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        let months = |n| time.checked_add_months(Months::new(n));
        match self {
            Step::Seconds(seconds) => time.checked_add_signed(TimeDelta::seconds(seconds)),
            Step::Days(days) => {
                let next = time.checked_add_signed(TimeDelta::days(days.into()))?;
                // The last days of a month are left without a tick rather than crowded.
                let crowded = next.month() != time.month() || next.day() > 30 && days > 1;
                if crowded { months(1)?.with_day(1) } else { Some(next) }
            }
            Step::Weeks => time.checked_add_signed(TimeDelta::weeks(1)),
            Step::Months(n) => months(n),
            Step::Years(years) => months(years.unsigned_abs() * 12),
        }
    }

    fn text(self, time: NaiveDateTime) -> String {
        let format = match self {
            Step::Seconds(_) if time.time() == NaiveTime::MIN => "%m-%d",
            Step::Seconds(seconds) if seconds < 60 => "%H:%M:%S",
            Step::Seconds(_) => "%H:%M",
            Step::Days(_) | Step::Weeks => "%m-%d",
            Step::Months(_) => "%Y-%m",
            Step::Years(_) => "%Y",
        };
        time.format(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;

    fn texts(range: &str, zone: Tz, most: usize) -> String {
        let moment = Moment { now: 0, zone };
        ticks(moment.range(range).unwrap(), zone, most).into_iter().map(|(_, text)| text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_the_calendars() {
        let shanghai = Tz::Asia__Shanghai;
        assert_eq!(texts("2026", shanghai, 8), "2026-01 2026-03 2026-05 2026-07 2026-09 2026-11 2027-01");
        assert_eq!(texts("2026-10", shanghai, 8), "10-05 10-12 10-19 10-26");
        assert_eq!(texts("2026-10-03", shanghai, 10), "10-03 03:00 06:00 09:00 12:00 15:00 18:00 21:00 10-04");
        assert_eq!(
            texts("2026-10-03 10:00..2026-10-03 11:00", shanghai, 8),
            "10:00 10:10 10:20 10:30 10:40 10:50 11:00"
        );
        assert_eq!(texts("2010..2026", shanghai, 6), "2010 2015 2020 2025");
        assert_eq!(texts("2026-10-30..2026-11-03", shanghai, 6), "10-30 10-31 11-01 11-02 11-03");
        // Clocks go back at 02:00 and forward at 02:00.
        let new_york = Tz::America__New_York;
        assert_eq!(texts("2026-11-01", new_york, 10), "11-01 03:00 06:00 09:00 12:00 15:00 18:00 21:00 11-02");
        assert_eq!(texts("2026-03-08 00:00..2026-03-08 05:00", new_york, 6), "03-08 01:00 03:00 04:00 05:00");
    }

    proptest::proptest! {
        #[test]
        fn there_are_never_too_many(from in 0..4_000_000_000i64, length in 1..1_000_000_000i64, most in 2..20usize) {
            let range = (from * 1_000_000, (from + length) * 1_000_000);
            for zone in [Tz::America__New_York, Tz::Asia__Kathmandu] {
                let ticks = ticks(range, zone, most);
                proptest::prop_assert!(ticks.len() <= most);
                proptest::prop_assert!(ticks.iter().all(|(at, _)| range.0 <= *at && *at <= range.1));
                proptest::prop_assert!(ticks.is_sorted_by(|a, b| a.0 < b.0));
            }
        }
    }
}
