//! What recurs is what stepping through days and minutes finds.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone, Weekday};
use chrono_tz::Tz;
use nines_recurrence::{Recurrence, first_instant_at};
use nines_timeline::Interval;
use proptest::prelude::*;

const ZONES: [Tz; 6] = [
    chrono_tz::Europe::Berlin,
    chrono_tz::America::New_York,
    chrono_tz::Australia::Lord_Howe,
    chrono_tz::America::Sao_Paulo,
    chrono_tz::Asia::Kathmandu,
    Tz::UTC,
];
const DAYS: [Weekday; 7] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];
const SHORT: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const MINUTE: i64 = 60_000_000;

/// On which dates, decided for each date by itself.
#[derive(Debug, Clone)]
enum On {
    /// Every so many days.
    Days(u32),
    /// These days of every so many weeks, which begin on Monday.
    Weekdays(Vec<usize>, u32),
    /// The nth of a day of the month; from its end where it is negative.
    Nth(i8, usize),
    /// This day of every so many months, from their ends where it is negative.
    Date(i8, u32),
}

impl On {
    fn rule(&self) -> String {
        match self {
            On::Days(every) => format!("FREQ=DAILY;INTERVAL={every}"),
            On::Weekdays(days, every) => {
                let days: Vec<&str> = days.iter().map(|day| SHORT[*day]).collect();
                format!("FREQ=WEEKLY;INTERVAL={every};BYDAY={}", days.join(","))
            }
            On::Nth(nth, day) => format!("FREQ=MONTHLY;BYDAY={nth}{}", SHORT[*day]),
            On::Date(date, every) => format!("FREQ=MONTHLY;INTERVAL={every};BYMONTHDAY={date}"),
        }
    }

    fn has(&self, date: NaiveDate, first: NaiveDate) -> bool {
        let monday = |date: NaiveDate| date - Days::new(date.weekday().num_days_from_monday().into());
        let month_end = date.with_day(1).unwrap() + Months::new(1) - Days::new(1);
        match self {
            On::Days(every) => (date - first).num_days() % i64::from(*every) == 0,
            On::Weekdays(days, every) => {
                let weeks = (monday(date) - monday(first)).num_days() / 7;
                weeks % i64::from(*every) == 0 && days.iter().any(|day| DAYS[*day] == date.weekday())
            }
            On::Nth(nth, day) => {
                let from_start = i8::try_from((date.day() - 1) / 7 + 1).unwrap();
                let from_end = -i8::try_from((month_end.day() - date.day()) / 7 + 1).unwrap();
                date.weekday() == DAYS[*day] && (*nth == from_start || *nth == from_end)
            }
            On::Date(day, every) => {
                let months = (date.year() - first.year()) * 12 + date.month() as i32 - first.month() as i32;
                let from_end = i64::from(date.day()) - i64::from(month_end.day()) - 1;
                months.unsigned_abs().is_multiple_of(*every)
                    && (i64::from(*day) == i64::from(date.day()) || i64::from(*day) == from_end)
            }
        }
    }
}

fn on() -> impl Strategy<Value = On> {
    let some_days = proptest::sample::subsequence((0..7).collect::<Vec<usize>>(), 1..5);
    prop_oneof![
        (1..5u32).prop_map(On::Days),
        (some_days, 1..4u32).prop_map(|(days, every)| On::Weekdays(days, every)),
        (prop_oneof![-4..=-1i8, 1..=5i8], 0..7usize).prop_map(|(nth, day)| On::Nth(nth, day)),
        (prop_oneof![-31..=-1i8, 1..=31i8], 1..4u32).prop_map(|(date, every)| On::Date(date, every)),
    ]
}

fn shown(at: i64, zone: Tz) -> NaiveDateTime {
    let utc = DateTime::from_timestamp_micros(at).unwrap().naive_utc();
    utc + TimeDelta::seconds(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc().into())
}

/// The first minute at which the clock shows so much, or more where it never shows it.
fn first_minute(local: NaiveDateTime, zone: Tz) -> i64 {
    let from = local.and_utc().timestamp_micros() - 15 * 60 * MINUTE;
    let minutes = || (0..30 * 60).map(|minute| from + minute * MINUTE);
    let exact = minutes().find(|at| shown(*at, zone) == local);
    exact.unwrap_or_else(|| minutes().find(|at| shown(*at, zone) > local).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn occurrences_are_those_of_a_walk_through_days(
        on in on(), zone in 0..ZONES.len(), day in 0..1500u64, start in 0..288i64, length in 1..400i64, year in 2015..2030i32,
    ) {
        let zone = ZONES[zone];
        let from = NaiveDate::from_ymd_opt(year, 1, 1).unwrap() + Days::new(day % 365);
        // The first date that there is; for what counts from its first date any will do.
        let first = (0..800).map(|day| from + Days::new(day)).find(|date| on.has(*date, *date));
        prop_assume!(first.is_some());
        let first = first.unwrap();
        let local = |date: NaiveDate| {
            let start = date.and_hms_opt(0, 0, 0).unwrap() + TimeDelta::minutes(5 * start);
            (start, start + TimeDelta::minutes(5 * length))
        };
        let (starts, ends) = local(first);
        let recorded = [first_minute(starts, zone), first_minute(ends, zone)];
        prop_assume!(shown(recorded[0], zone) == starts && shown(recorded[1], zone) == ends);
        let recurrence = Recurrence::new(&on.rule(), zone.name(), recorded, None).unwrap();
        let dates = (0..150).map(|day| first + Days::new(day)).filter(|date| on.has(*date, first));
        let expected = dates.map(|date| {
            let (start, end) = local(date);
            (date, Interval::new(first_minute(start, zone), first_minute(end, zone)))
        });
        let expected: Vec<_> = expected.filter(|(_, interval)| !interval.is_empty()).collect();
        let found: Vec<_> = recurrence.occurrences().take(expected.len()).map(|one| (one.date, one.interval)).collect();
        prop_assert_eq!(&found, &expected);
        // Each of them by its date, those before a time, and none between.
        for (date, interval) in expected.iter().take(5) {
            prop_assert_eq!(recurrence.occurrence(*date).map(|one| one.interval), Some(*interval));
            prop_assert_eq!(recurrence.before(interval.start).count(), found.iter().filter(|(_, own)| own.start < interval.start).count());
            let next = date.succ_opt().unwrap();
            prop_assert_eq!(recurrence.occurrence(next).is_some(), on.has(next, first) && found.iter().any(|(own, _)| *own == next));
        }
        if let Some((_, third)) = expected.get(2) {
            let ended = Recurrence::new(&on.rule(), zone.name(), recorded, Some(third.start)).unwrap();
            prop_assert_eq!(ended.occurrences().count(), 2);
        }
    }

    #[test]
    fn later_local_times_have_no_earlier_instants(zone in 0..ZONES.len(), at in 0..20 * 525_600i64, step in 1..3000i64) {
        let start = NaiveDate::from_ymd_opt(2010, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        let (one, other) = (start + TimeDelta::minutes(at), start + TimeDelta::minutes(at + step));
        let instant = |local| first_instant_at(local, ZONES[zone]).unwrap();
        prop_assert!(instant(one) <= instant(other));
        prop_assert_eq!(instant(one), first_minute(one, ZONES[zone]));
    }
}
