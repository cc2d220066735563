//! What recurs is what dateutil and zoneinfo say: `tests/recurrences.py` wrote `vectors.txt`.

use chrono::{DateTime, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use nines_recurrence::Recurrence;

const VECTORS: &str = include_str!("../vectors.txt");

fn local(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap()
}

#[test]
fn occurrences_are_those_of_dateutil() {
    let (mut compared, mut changed) = (0, 0);
    for line in VECTORS.lines() {
        let [rule, zone, start, end, until, expected] = line.split("; ").collect::<Vec<_>>().try_into().unwrap();
        let clock: Tz = zone.parse().unwrap();
        let instant = |text: &str| clock.from_local_datetime(&local(text)).earliest().unwrap().timestamp_micros();
        let until = (until != "-").then(|| local(until).and_utc().timestamp_micros());
        let recurrence = Recurrence::new(rule, zone, [instant(start), instant(end)], until).unwrap();
        let expected: Vec<&str> = expected.split(' ').collect();
        let shown = |micros: i64| DateTime::from_timestamp_micros(micros).unwrap().format("%Y-%m-%dT%H:%M").to_string();
        let found = recurrence.occurrences().take(expected.len());
        let found: Vec<_> =
            found.map(|one| format!("{}/{}", shown(one.interval.start), shown(one.interval.end))).collect();
        assert_eq!(found, expected, "{line}");
        // A rule that ends has no more of them.
        if expected.len() < 16 {
            assert_eq!(recurrence.occurrences().count(), expected.len(), "{line}");
        }
        let lengths = recurrence.occurrences().take(16).map(|one| one.interval.duration());
        let lengths: std::collections::BTreeSet<i64> = lengths.collect();
        changed += usize::from(lengths.len() > 1);
        compared += expected.len();
    }
    assert!(compared > 2500 && changed > 10, "{compared} occurrences, {changed} rules with a longer or shorter one");
}
