//! What the demo's history must show, checked on four generated weeks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use nines_store::TableKind;

use super::*;

/// Four weeks up to Sunday, 1 November 2026.
const SPEC: Spec = Spec { seed: 42, days: 28, end: 20_758 * DAY, slice_seconds: 60 };

/// Good and bad requests of each service, minute by minute.
static HISTORY: LazyLock<HashMap<String, Vec<[i64; 2]>>> = LazyLock::new(|| {
    let mut history = HashMap::new();
    for batch in requests(&SPEC) {
        let (service, cause) = (batch["service"].as_string_view(), batch["cause"].as_string_view());
        let status = batch["status"].as_primitive::<Int32Type>().values();
        let requests = batch["requests"].as_primitive::<Int64Type>().values();
        for (row, time) in batch["time"].as_primitive::<TimestampMicrosecondType>().values().iter().enumerate() {
            let service = service.value(row);
            let bad = match cause.value(row) {
                "" => status[row] >= 500,
                "auth_unavailable" | "auth_timeout" => service == "gateway",
                cause => ["upstream_timeout", "route_misconfigured", "request_too_large"].contains(&cause),
            };
            if bad || (200..300).contains(&status[row]) {
                if !history.contains_key(service) {
                    history.insert(service.to_string(), vec![[0; 2]; 28 * 1440]);
                }
                let minutes: &mut Vec<[i64; 2]> = history.get_mut(service).unwrap();
                minutes[minute(*time)][usize::from(bad)] += requests[row];
            }
        }
    }
    history
});

fn minute(time: i64) -> usize {
    ((time - SPEC.start()) / MINUTE) as usize
}

fn in_error([good, bad]: [i64; 2]) -> bool {
    good * 100 < (good + bad) * 99
}

fn error_minutes(service: &str, from: usize, to: usize) -> usize {
    HISTORY[service][from..to].iter().filter(|counts| in_error(**counts)).count()
}

/// The key of each row, time last.
fn keys(kind: TableKind, batch: &RecordBatch) -> Vec<Vec<String>> {
    let text = |name: &str, row| match name {
        "time" => format!("{:020}", batch[name].as_primitive::<TimestampMicrosecondType>().value(row)),
        "status" => format!("{:03}", batch[name].as_primitive::<Int32Type>().value(row)),
        "labels" => String::new(),
        _ => batch[name].as_string_view().value(row).to_string(),
    };
    let stored = kind.key().iter().filter(|name| !kind.reserved().contains(name));
    (0..batch.num_rows()).map(|row| stored.clone().map(|name| text(name, row)).collect()).collect()
}

#[test]
fn the_same_seed_gives_the_same_rows() {
    let days = |spec: &Spec| {
        let batches = requests(spec).take(2).chain(events(spec).take(2)).chain(gauges(spec).take(2));
        batches.collect::<Vec<_>>()
    };
    assert_eq!(days(&SPEC), days(&SPEC));
    assert_ne!(days(&SPEC), days(&Spec { seed: 43, ..SPEC }));
}

#[test]
fn a_longer_history_adds_only_older_incidents() {
    let strip = |days| -> Vec<Incident> {
        incidents(&Spec { days, ..SPEC }).into_iter().map(|i| Incident { id: String::new(), ..i }).collect()
    };
    let (short, long) = (strip(40), strip(400));
    assert!(long.ends_with(&short) && long.len() > 5 * short.len());
}

#[test]
fn a_day_is_sorted_by_key_and_no_key_occurs_twice() {
    for (kind, batch) in [
        (TableKind::Requests, requests(&SPEC).nth(1)),
        (TableKind::Events, events(&SPEC).nth(1)),
        (TableKind::Gauges, gauges(&SPEC).nth(1)),
    ] {
        let batch = batch.unwrap();
        assert_eq!(batch.schema(), kind.schema(60));
        assert!(keys(kind, &batch).is_sorted_by(|a, b| a < b), "{}", kind.name());
        let time = batch["time"].as_primitive::<TimestampMicrosecondType>().values();
        let day = SPEC.start() + DAY;
        assert!(time.iter().all(|t| (day..day + DAY).contains(t) && t % MINUTE == 0));
    }
}

#[test]
fn fifteen_second_slices_hold_the_same_traffic() {
    let total = |slice_seconds| {
        let batch = requests(&Spec { slice_seconds, ..SPEC }).next().unwrap();
        batch["requests"].as_primitive::<Int64Type>().values().iter().sum::<i64>() as f64
    };
    assert!((total(15) / total(60) - 1.0).abs() < 0.02);
}

#[test]
fn a_day_has_about_sixty_thousand_rows_of_twelve_services() {
    for batch in requests(&SPEC).take(2) {
        assert!((50_000..62_000).contains(&batch.num_rows()), "{} rows", batch.num_rows());
        for (column, distinct) in [("business", 3), ("service", 12), ("endpoint", 20), ("customer", 5)] {
            let values: BTreeSet<_> = batch[column].as_string_view().iter().flatten().collect();
            assert_eq!(values.len(), distinct, "{column}: {values:?}");
        }
    }
    // Four events a minute, but for minutes at night without any upload.
    let events = events(&SPEC).next().unwrap().num_rows();
    assert!((4 * 1440 - 150..4 * 1440).contains(&events), "{events} rows");
    let gauges = gauges(&SPEC).next().unwrap().num_rows();
    assert_eq!(gauges, 1440 + 2 * 288);
}

#[test]
fn every_answer_below_400_has_its_latency_and_no_other_has() {
    let batch = requests(&SPEC).next().unwrap();
    let latency = batch["latency"].as_struct();
    let buckets = latency.column(1).as_list::<i32>();
    let sum = batch["latency_sum"].as_primitive::<Float64Type>();
    let status = batch["status"].as_primitive::<Int32Type>().values();
    for (row, requests) in batch["requests"].as_primitive::<Int64Type>().values().iter().enumerate() {
        assert!(*requests > 0);
        assert_eq!((latency.is_valid(row), sum.is_valid(row)), (status[row] < 400, status[row] < 400));
        if status[row] < 400 {
            let counts =
                buckets.value(row).as_struct().column(1).as_primitive::<Int64Type>().values().iter().sum::<i64>();
            assert_eq!(counts, *requests);
        }
    }
}

#[test]
fn slices_are_in_error_during_incidents_and_never_else() {
    let mut explained: HashMap<&str, BTreeSet<usize>> = HashMap::new();
    for incident in incidents(&SPEC) {
        let touched = minute(incident.started)..minute(incident.ended - 1) + 1;
        for service in &incident.services {
            explained.entry(service).or_default().extend(touched.clone());
            let measured = |m: &usize| HISTORY[*service][*m].iter().sum::<i64>() >= 50;
            let inside: Vec<_> = (touched.start + 3..touched.end - 1).filter(measured).collect();
            let broken = inside.iter().filter(|m| in_error(HISTORY[*service][**m])).count();
            match incident.kind {
                Kind::Slowdown | Kind::RateLimitStorm => {}
                Kind::Flapping => assert!(broken * 4 >= inside.len() && broken * 4 <= inside.len() * 3, "{incident:?}"),
                _ => assert!(broken * 10 >= inside.len() * 9, "{broken} of {}: {incident:?}", inside.len()),
            }
        }
    }
    for (service, minutes) in HISTORY.iter() {
        let unexplained = (0..minutes.len())
            .filter(|m| in_error(minutes[*m]))
            .find(|m| !explained.get(service.as_str()).is_some_and(|explained| explained.contains(m)));
        assert_eq!(unexplained, None, "{service}");
    }
}

#[test]
fn a_service_is_good_for_99_minutes_in_100_and_mostly_for_999_in_1000() {
    assert!(HISTORY["transcode"].contains(&[0, 0]), "a quiet service has minutes without requests");
    let shares: BTreeMap<_, _> = HISTORY
        .iter()
        .map(|(service, minutes)| {
            let measured = minutes.iter().filter(|counts| **counts != [0, 0]).count();
            (service, 1.0 - error_minutes(service, 0, minutes.len()) as f64 / measured as f64)
        })
        .collect();
    assert!(shares.values().all(|share| *share > 0.99 && *share < 1.0), "{shares:?}");
    assert!(shares.values().filter(|share| **share > 0.998).count() >= 9, "{shares:?}");
}

#[test]
fn the_worst_week_of_login_is_where_it_should_be() {
    let (from, to) = worst_login_week(&SPEC);
    assert!(from > SPEC.start() && to + 7 * DAY <= SPEC.end);
    let worst = error_minutes("login", minute(from), minute(to));
    let others = error_minutes("login", 0, 28 * 1440) - worst;
    assert!(worst > 150 && worst > 4 * others, "{worst} minutes in error in that week, {others} in all others");
}

#[test]
fn every_service_has_a_few_incidents_in_ninety_days() {
    for seed in 0..20 {
        let spec = Spec { seed, days: 90, ..SPEC };
        let incidents = incidents(&spec);
        for (_, service) in catalog::services() {
            let count = incidents.iter().filter(|i| i.services.contains(&service)).count();
            assert!((2..=18).contains(&count), "seed {seed}: {count} incidents of {service}");
        }
        for i in &incidents {
            assert!(i.started < i.detected && i.detected <= i.located && i.located < i.ended && i.ended < i.verified);
            assert!((2 * MINUTE..=3 * HOUR).contains(&(i.ended - i.started)), "{i:?}");
            assert!(spec.start() <= i.started && i.ended <= spec.end);
        }
    }
}

#[test]
fn events_fail_with_the_requests_behind_them() {
    let (from, to) = worst_login_week(&SPEC);
    let mut bad = BTreeMap::<bool, usize>::new();
    for batch in events(&SPEC) {
        let name = batch["name"].as_string_view();
        let (good, total) = (batch["good"].as_primitive::<Int64Type>(), batch["total"].as_primitive::<Int64Type>());
        for (row, time) in batch["time"].as_primitive::<TimestampMicrosecondType>().values().iter().enumerate() {
            let (good, total) = (good.value(row), total.value(row));
            assert!((0..=total).contains(&good) && total > 0);
            if name.value(row) == "authentication" && in_error([good, total - good]) {
                *bad.entry((from..to).contains(time)).or_default() += 1;
            }
        }
    }
    let (inside, outside) = (bad[&true], bad.get(&false).copied().unwrap_or(0));
    assert!(inside > 150 && inside > 4 * outside, "{inside} inside, {outside} outside");
}

/// The samples of a gauge, as (minute, last, max), of every place where it is measured.
fn gauge(wanted: &str) -> Vec<(usize, f64, f64)> {
    let mut found = Vec::new();
    for batch in gauges(&SPEC) {
        let (name, time) = (batch["name"].as_string_view(), batch["time"].as_primitive::<TimestampMicrosecondType>());
        let number = |column: &str, row| batch[column].as_primitive::<Float64Type>().value(row);
        for row in (0..batch.num_rows()).filter(|row| name.value(*row) == wanted) {
            assert!(number("min", row) <= number("last", row) && number("last", row) <= number("max", row));
            found.push((minute(time.value(row)), number("last", row), number("max", row)));
        }
    }
    found
}

#[test]
fn the_queue_is_long_in_incidents_and_drains_after_them() {
    let queue = gauge("queue length");
    assert_eq!(queue.len(), 28 * 1440);
    let broken: Vec<_> = incidents(&SPEC)
        .into_iter()
        .filter(|i| i.services.contains(&"transcode") && i.kind.fails_events())
        .map(|i| minute(i.started)..minute(i.ended) + 90)
        .collect();
    for (minute, _, longest) in &queue {
        let explained = broken.iter().any(|minutes| minutes.contains(minute));
        assert!(explained || *longest < 150.0, "{longest} tasks wait in minute {minute}");
    }
    let backlog = queue.iter().filter(|(_, _, longest)| *longest >= 200.0).count();
    assert!((1..400).contains(&backlog), "{backlog} minutes of backlog");
}

#[test]
fn a_queue_ends_its_day_empty_so_that_the_next_can_begin_so() {
    // Over several seeds: what a day leaves behind is lost.
    for seed in 0..5 {
        for batch in gauges(&Spec { seed, days: 40, ..SPEC }) {
            let name = batch["name"].as_string_view();
            let last = (0..batch.num_rows()).rfind(|row| name.value(*row) == "queue length").unwrap();
            let left = batch["last"].as_primitive::<Float64Type>().value(last);
            assert!(left < 40.0, "seed {seed}: {left} tasks are left");
        }
    }
}

#[test]
fn probes_fail_in_the_gateways_incidents_and_rarely_else() {
    let broken: Vec<_> = incidents(&SPEC)
        .into_iter()
        .filter(|i| i.reaches("gateway", "/v1/invoke", "") && i.kind.fails_events())
        .map(|i| minute(i.started)..minute(i.ended) + 1)
        .collect();
    let (mut inside, mut outside) = (0, 0);
    for (minute, up, _) in gauge("probe up") {
        assert!(up == 0.0 || up == 1.0);
        match broken.iter().any(|minutes| minutes.contains(&minute)) {
            _ if up == 1.0 => {}
            true => inside += 1,
            false => outside += 1,
        }
    }
    assert!(inside >= 2 && outside <= 25, "{inside} calls fail inside incidents, {outside} outside");
}

#[test]
fn vips_are_answered_sooner_and_playback_gets_quicker() {
    let median = |wanted: [&str; 2], customer: &str, spec: &Spec| {
        let batch = requests(spec).next().unwrap();
        let mut all = nines_timeline::histogram::Histogram::default();
        for row in 0..batch.num_rows() {
            let texts = ["service", "endpoint", "customer"].map(|c| batch[c].as_string_view().value(row).to_string());
            let latency = batch["latency"].as_struct();
            if texts == [wanted[0], wanted[1], customer] && latency.is_valid(row) {
                let buckets = latency.column(1).as_list::<i32>().value(row);
                let (bucket, count) = (buckets.as_struct().column(0), buckets.as_struct().column(1));
                let (bucket, count) = (bucket.as_primitive::<Int32Type>(), count.as_primitive::<Int64Type>());
                let buckets = bucket.values().iter().copied().zip(count.values().iter().copied()).collect();
                all.merge(&nines_timeline::histogram::Histogram { zero: 0, buckets }).unwrap();
            }
        }
        all.quantile(0.5).unwrap().unwrap()
    };
    let login = |customer| median(["login", "/login"], customer, &SPEC);
    assert!((0.65..0.85).contains(&(login("vip") / login(""))));
    let play = |days| median(["playback", "/play"], "", &Spec { days, ..SPEC });
    assert!((1.05..1.5).contains(&(play(180) / play(28))));
}
