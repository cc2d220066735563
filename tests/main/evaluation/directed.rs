//! What a change must leave as it was.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{DAY, HOUR, SECOND, day, instant};
use super::check::Cell;
use super::define::{From, Goal, Indicator, Kind, Method, NoData, Op, Share, Version};
use super::rows::{Gauge, Request, Rows};
use super::world::{World, now, told};

const MINUTE: i64 = 60 * SECOND;

fn indicator(kind: Kind) -> Indicator {
    Indicator { kind, businesses: Vec::new(), endpoints: Vec::new(), customers: Vec::new(), no_data: None }
}

fn slo(indicator: Indicator, target: Share, slice: i64) -> Version {
    let level = matches!(indicator.kind, Kind::Gauge { .. }).then_some((Op::Gte, 1.0));
    Version {
        from: From::Ever,
        until: None,
        service: "door",
        method: Method::Timeslices,
        zone: None,
        time_of_day: 0,
        vela: None,
        target: None,
        shared: Some(indicator),
        goals: vec![Goal { name: None, target, slice_target: None, slice, level, own: None }],
    }
}

fn availability() -> Indicator {
    indicator(Kind::Availability { party: None, causes: Vec::new() })
}

/// One request row.
fn requests(time: i64, good: i64, bad: i64, micros: i64) -> Rows {
    let unit = (time, String::new(), "door".to_string(), "/".to_string(), String::new(), "test".to_string());
    let of_status = |requests| Request { requests, latencies: Some([(micros, requests)].into()), agreed: None };
    let mut of_unit = BTreeMap::from([((200, String::new()), of_status(good))]);
    if bad > 0 {
        of_unit.insert((500, String::new()), Request { requests: bad, ..Request::default() });
    }
    Rows { requests: BTreeMap::from([(unit, of_unit)]), ..Rows::default() }
}

/// One sample.
fn sample(time: i64, value: f64) -> Rows {
    let key = (time, String::new(), "door".to_string(), "/".to_string(), "up".to_string(), "test".to_string());
    let gauge = Gauge { samples: 1, sum: value, min: value, max: value, last: value };
    Rows { gauges: BTreeMap::from([(key, gauge)]), ..Rows::default() }
}

/// Rows of a day: every hour one request in ten is bad and there is a sample; one request in twelve is slow.
fn of_day(start: i64) -> Rows {
    let mut rows = Rows::default();
    for minute in (0..24 * 60).step_by(20) {
        let time = start + minute * MINUTE;
        let micros = if minute % 240 == 20 { 500_000 } else { 100_000 };
        rows.replace(&requests(time, 9, i64::from(minute % 60 == 0), micros));
        if minute % 60 == 0 {
            rows.replace(&sample(time, 1.0));
        }
    }
    rows
}

/// The answers of each day, by objective and day.
async fn by_day(world: &mut World, from: i64, to: i64) -> BTreeMap<(String, String), Vec<Cell>> {
    // All at once first, so that whole days are kept.
    world.rows(&format!("SELECT * FROM timelines({})", told((from, to)))).await;
    let mut answers = BTreeMap::new();
    for day in super::figures::days(from, to) {
        let model = world.model.clone();
        world.all_timelines(&model.evaluate(), day).await;
        for row in world.rows(&format!("SELECT * FROM timelines({})", told(day))).await {
            let Cell::Text(objective) = row[2].clone() else { panic!("{row:?}") };
            answers.insert((objective, instant(day.0)[..10].to_string()), row);
        }
    }
    answers
}

/// The objectives and days of which something is another.
fn changed<K: Ord + Clone, V: PartialEq>(before: &BTreeMap<K, V>, after: &BTreeMap<K, V>) -> BTreeSet<K> {
    let all: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    all.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

fn days_of(objective: &str, days: &[&str]) -> BTreeSet<(String, String)> {
    days.iter().map(|day| (objective.to_string(), format!("2025-{day}"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_target_leaves_the_past_as_it_was() {
    let mut world = World::empty(0, MINUTE).await;
    let first = day(2025, 11, 3) * DAY;
    for day in 0..4 {
        world.store(of_day(first + day * DAY)).await;
    }
    for (name, slice) in [("minutes", 60), ("hours", 3600)] {
        world.define(name, vec![slo(availability(), Share(9000), slice)]).await;
    }
    let effective = first + DAY + 10 * HOUR + 7 * MINUTE + 30 * SECOND;
    let until = (first, effective);
    let ask = async |world: &mut World, range| {
        let slices = world.rows(&format!("SELECT * FROM slices({}) ORDER BY time, objective", told(range))).await;
        let timelines = world.rows(&format!("SELECT * FROM timelines({})", told(range))).await;
        (slices, timelines)
    };
    let before = ask(&mut world, until).await;
    let days = by_day(&mut world, first, first + 4 * DAY).await;
    let keys = world.keys().await;
    for (name, slice) in [("minutes", 60), ("hours", 3600)] {
        let later = Version { from: From::At(effective), ..slo(availability(), Share(9500), slice) };
        world.define(name, vec![later]).await;
    }
    let after = ask(&mut world, until).await;
    assert_eq!(after.0, before.0);
    // The last target in a range is that of its last slice.
    assert_eq!(after.1, before.1);
    let ninth = |name| days_of(name, &["11-04", "11-05", "11-06"]);
    let later = by_day(&mut world, first, first + 4 * DAY).await;
    assert_eq!(changed(&days, &later), &ninth("minutes") | &ninth("hours"));
    let same = |(key, of): (&[String; 3], &i64)| (key[2] == "2025-11-03").then_some(*of);
    let of_first: Vec<i64> = keys.iter().filter_map(same).collect();
    assert_eq!(of_first, world.keys().await.iter().filter_map(same).collect::<Vec<i64>>());
    assert_eq!(of_first.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_row_changes_its_day_and_what_looks_back_to_it() {
    let mut world = World::empty(0, MINUTE).await;
    let first = day(2025, 10, 29) * DAY;
    let last = first + 5 * DAY;
    for day in 0..5 {
        world.store(of_day(first + day * DAY)).await;
    }
    let hold = indicator(Kind::Gauge { name: "up", statistic: None, hold: Some(HOUR) });
    let latency = |threshold| indicator(Kind::Latency { quantile: Share(9000), threshold, each: false });
    for (name, of) in
        [("requests", availability()), ("held", hold), ("agreed", latency(Some(250_000))), ("baseline", latency(None))]
    {
        world.define(name, vec![slo(of, Share(9000), 60)]).await;
    }
    let days = by_day(&mut world, first, last).await;
    let keys = world.keys().await;
    // Every objective on every day, but the newest, which still grows, and of the baseline what has no month before it.
    assert!(keys.len() >= 16, "{keys:#?}");

    // A late row in the middle changes its day; the month before November has another rank.
    world.store(requests(first + DAY + 90 * MINUTE + MINUTE, 1000, 1000, 2_000_000)).await;
    let after = by_day(&mut world, first, last).await;
    let november = days_of("baseline", &["11-01", "11-02"]);
    let own = &days_of("requests", &["10-30"]) | &days_of("agreed", &["10-30"]);
    assert_eq!(changed(&days, &after), &own | &november);
    let rekeyed = world.keys().await;
    let of: BTreeSet<(String, String)> =
        changed(&keys, &rekeyed).into_iter().map(|[name, _, date]| (name, date)).collect();
    let held = days_of("held", &["10-29", "10-30", "10-31", "11-01", "11-02"]);
    assert!(of.is_disjoint(&held), "a late request touches no gauge: {of:?}");
    let others = &days_of("requests", &["10-29", "10-31", "11-01"]) | &days_of("agreed", &["10-29", "10-31", "11-01"]);
    assert!(of.is_disjoint(&others), "other days keep their keys: {of:?}");

    // A sample shortly before midnight stands for an hour into the next day.
    let (days, keys) = (after, rekeyed);
    world.store(sample(first + 2 * DAY - 10 * MINUTE, 0.0)).await;
    let after = by_day(&mut world, first, last).await;
    assert_eq!(changed(&days, &after), days_of("held", &["10-30"]), "the sample at midnight ends it");
    let rekeyed = world.keys().await;
    let of: BTreeSet<(String, String)> =
        changed(&keys, &rekeyed).into_iter().map(|[name, _, date]| (name, date)).collect();
    assert!(of.is_subset(&days_of("held", &["10-30", "10-31"])), "{of:?}");
    let days = after;
    let mut elsewhere = sample(first + 2 * DAY - 10 * MINUTE, 0.0);
    elsewhere.gauges = elsewhere
        .gauges
        .into_iter()
        .map(|(mut key, gauge)| {
            key.3 = "/other".to_string();
            (key, gauge)
        })
        .collect();
    world.store(elsewhere).await;
    let after = by_day(&mut world, first, last).await;
    assert_eq!(changed(&days, &after), days_of("held", &["10-30", "10-31"]), "a series of its own ends nothing");

    // The first row ever and the newest uncover slices that are assumed.
    let days = after;
    world.store(requests(first - DAY + 12 * HOUR, 1, 0, 100_000)).await;
    let after = by_day(&mut world, first - DAY, last + DAY).await;
    let uncovered = &days_of("requests", &["10-28"]) | &days_of("agreed", &["10-28"]);
    let outside: BTreeSet<(String, String)> =
        after.keys().filter(|(_, date)| date == "2025-10-28" || date == "2025-11-03").cloned().collect();
    assert_eq!(&changed(&days, &after) - &outside, BTreeSet::new());
    // Not all of it is without data.
    let some = |row: &Vec<Cell>| matches!(&row[4], Cell::List(timeline) if timeline[4] != Cell::List(vec![Cell::List(timeline[..2].to_vec())]));
    let assumed = |answers: &BTreeMap<(String, String), Vec<Cell>>, date: &str| -> BTreeSet<(String, String)> {
        answers.iter().filter(|((_, of), row)| of == date && some(row)).map(|(key, _)| key.clone()).collect()
    };
    assert_eq!(assumed(&after, "2025-10-28"), uncovered);
    let days = after;
    world.store(requests(last + 6 * HOUR, 1, 0, 100_000)).await;
    let after = by_day(&mut world, first - DAY, last + DAY).await;
    let mut expected = days_of("requests", &["11-02", "11-03"]);
    expected.extend(days_of("agreed", &["11-02", "11-03"]));
    expected.extend(days_of("baseline", &["11-02", "11-03"]));
    assert_eq!(changed(&days, &after), expected, "up to the watermark nothing was an error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slices_without_data_are_errors_up_to_now() {
    let mut world = World::empty(0, 15 * SECOND).await;
    let silent = Indicator { no_data: Some(NoData::Error), ..availability() };
    world.define("heard", vec![slo(silent, Share(9000), 15)]).await;
    let start = super::calendar::floor(now(), 15 * SECOND) - 600 * SECOND;
    world.store(requests(start, 1, 0, 100_000)).await;
    for _ in 0..2 {
        let range = (start - 60 * SECOND, start + 1200 * SECOND);
        let before = now();
        let rows = world.rows(&format!("SELECT * FROM slices({}) ORDER BY time", told(range))).await;
        let after = now();
        let states: Vec<(i64, Cell)> = rows
            .iter()
            .map(|row| match row[0] {
                Cell::Int(time) => (time, row[9].clone()),
                _ => panic!("{row:?}"),
            })
            .collect();
        assert_eq!(states.len(), 84);
        for (time, state) in states {
            let expected = match time {
                _ if time == start => "ok",
                _ if time < start || time + 15 * SECOND > after => "no data",
                _ if time + 15 * SECOND <= before => "error",
                // It ended while the question was asked.
                _ => continue,
            };
            assert_eq!(state, Cell::text(expected), "{}", instant(time));
        }
    }
}

/// What an older version recorded loads as it did; what cannot be judged is listed, and takes nothing else with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_objective_that_does_not_fit_is_listed_as_not_measured_and_harms_no_other() {
    let mut world = World::empty(0, MINUTE).await;
    let first = day(2025, 11, 3) * DAY;
    world.store(of_day(first)).await;
    world.define("fits", vec![slo(availability(), Share(9000), 60)]).await;
    let wide = Version { zone: Some(super::calendar::Zone::NewYork), ..slo(availability(), Share(9000), 86_400) };
    let fine = slo(availability(), Share(9000), 15);
    world.record("SLO", "wide", &wide.yaml("wide")).await;
    world.record("SLO", "fine", &fine.yaml("fine")).await;
    let rows = world.rows("SELECT objective, not_measured FROM slos ORDER BY objective").await;
    let said = |row: &[Cell]| match &row[1] {
        Cell::Text(text) => text.split(',').next().unwrap().to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(
        rows.iter().map(|row| said(row)).collect::<Vec<_>>(),
        [
            "slices of 15 s cannot be judged in this store",
            "Null",
            "slices of 1 d do not divide every day of America/New_York"
        ]
    );
    let range = (first, first + DAY);
    let report = world.rows(&format!("SELECT objective, slo FROM report({}) ORDER BY objective", told(range))).await;
    let slos: Vec<&Cell> = report.iter().map(|row| &row[1]).collect();
    assert!(matches!(slos[..], [Cell::Null, Cell::Float(_), Cell::Null]), "{report:?}");
}
