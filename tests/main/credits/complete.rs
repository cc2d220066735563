//! A period is complete for each service by itself: what is missing is named, and nothing is issued from it unawares.

use chrono_tz::Tz;
use nines_engine::slo::Month;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::due::{Store, agreement};
use super::{SECOND, silent, text};
use crate::{count, nines, run};

const NOW: &str = "2026-11-02T00:00:00Z";
const FEE: &str = "2026-10,acme,gateway,EUR,1000,,";

/// An agreement about a service of its own name.
fn about(name: &str, more: &str) -> String {
    agreement(name, "1M", more).replace("service: gateway", &format!("service: {name}"))
}

fn month(store: &Store, code: i32, more: &[&str]) -> String {
    store.said_at(NOW, code, &[&["2026-10"], more].concat())
}

#[test]
fn a_service_that_ends_early_is_refused_while_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    silent(&store.0, "gateway", "", "2026-10-01", 31);
    silent(&store.0, "login", "", "2026-10-01", 4);
    let fee = |service: &str| format!("2026-10,acme,{service},EUR,1000,,");
    store.fees(&[&fee("gateway"), &fee("login")]).apply(&[about("gateway", ""), about("login", "")]);
    assert_eq!(store.sql("service, complete", "credits('2026-10') ORDER BY 1"), ["gateway,true", "login,false"]);
    let said = month(&store, 1, &["--issue"]);
    assert!(said.starts_with("issued     1 statement and 0 revisions"), "the other is not kept waiting: {said}");
    let missing = "not complete for agreement login: of service login there is no row, exclusion or incident on 2026-10-05 to 2026-10-31 \
                   (its newest row is of 2026-10-04 12:00)";
    assert!(said.contains(missing), "{said}");
    assert_eq!(store.sql("agreement", "statements"), ["gateway"]);
    // A question about some is answered alike.
    let narrowed = ["agreement = 'login'", "customer = 'acme' AND service = 'login'"];
    for narrowed in narrowed.map(|narrowed| format!("credits('2026-10') WHERE {narrowed}")) {
        assert_eq!(store.sql("complete", &narrowed), ["false"], "{narrowed}");
    }
    assert!(month(&store, 1, &["--issue", "--customer", "acme"]).contains(missing));

    // On purpose, the statement says so.
    month(&store, 0, &["--issue", "--incomplete"]);
    assert_eq!(store.sql("agreement, complete", "statements ORDER BY 1"), ["gateway,true", "login,false"]);
    let pages = folder.path().join("pages");
    month(&store, 0, &["--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-10-acme.md")).unwrap();
    let told = "The data of the period were incomplete: of login, no row was stored for 2026-10-05 to 2026-10-31.";
    assert!(page.contains(told), "{page}");
    assert!(month(&store, 0, &["--verify"]).ends_with("2 statements hold\n"));
    assert!(month(&store, 3, &["--issue"]).contains("issued before"), "it waits for nothing any more");
    // The rest comes.
    silent(&store.0, "login", "", "2026-10-05", 27);
    let revised = month(&store, 0, &["--issue"]);
    assert!(revised.contains("Data of the period were incomplete before; now they are complete."), "{revised}");
}

/// The examples of the definition: each is what rows there are, and what is missing.
#[test]
fn complete_is_a_row_each_day_to_shortly_before_the_end() {
    let day = |day: &str| format!("2026-10-{day}:00Z,,gateway,/,acme,200,1");
    let every_day: Vec<String> = (1..31).map(|of| day(&format!("{of:02}T23:00"))).collect();
    let until = |last: &str| [every_day.clone(), vec![day(last)]].concat();
    let first = |days: &[&str]| days.iter().map(|of| day(of)).collect::<Vec<_>>();
    let cases = [
        (until("31T02:00"), None),
        (every_day.clone(), Some("2026-10-31")),
        (first(&["01T00:00", "02T00:00", "03T00:00", "04T00:00"]), Some("2026-10-05 to 2026-10-31")),
        (first(&["01T00:00", "04T00:00", "31T00:00"]), Some("2026-10-02 to 2026-10-03 and 2026-10-05 to 2026-10-30")),
        (until("31T02:00").split_off(1), Some("2026-10-01")),
    ];
    for (rows, missing) in cases {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        store.requests(&rows).fees(&[FEE]).apply(&[agreement("g", "1M", "")]);
        match missing {
            None => drop(month(&store, 0, &["--issue"])),
            Some(missing) => {
                let said = month(&store, 1, &["--issue"]);
                assert!(said.contains(&format!("exclusion or incident on {missing} (its newest")), "{missing}: {said}");
            }
        }
    }
}

#[test]
fn a_day_is_excused_by_an_exclusion_or_an_incident() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.silent("", "2026-10-01", 9).silent("", "2026-10-12", 20);
    store.requests(&["2026-10-01T05:00:00Z,,gateway,/,acme,200,1"]).fees(&[FEE]).apply(&[agreement("g", "1M", "")]);
    assert!(month(&store, 1, &["--issue"]).contains("on 2026-10-10 to 2026-10-11 "));
    let exclusion = "id,service,category,started,ended,reason\nE1,gateway,Maintenance,2026-10-10T08:00:00Z,2026-10-10T09:00:00Z,x\n";
    store.put("exclusions", exclusion);
    assert!(month(&store, 1, &["--issue"]).contains("on 2026-10-11 "));
    store.put("incidents", "id,service,title,started,fixed\nI1,login,x,2026-10-11T08:00:00Z,2026-10-11T09:00:00Z\n");
    assert!(month(&store, 1, &["--issue"]).contains("on 2026-10-11 "), "of another service");
    store.put("incidents", "id,service,title,started,fixed\nI2,gateway,x,2026-10-11T08:00:00Z,2026-10-11T09:00:00Z\n");
    month(&store, 0, &["--issue"]);
}

#[test]
fn days_are_those_of_the_agreement_and_the_last_may_be_shorter_or_longer() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    // At 23:00 in UTC it is the next day in Shanghai: rows of each UTC day there are, but none of 10 October in Shanghai.
    let rows: Vec<String> = (1..31)
        .map(|day| format!("2026-10-{day:02}T{}:00:00Z,,gateway,/,acme,200,1", if day == 10 { "16" } else { "15" }))
        .chain(["2026-09-30T20:00:00Z,,gateway,/,acme,200,1".to_string()])
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let shanghai = agreement("s", "1M", "").replace("timeZone: UTC", "timeZone: Asia/Shanghai");
    store.requests(&rows).fees(&[FEE]).apply(std::slice::from_ref(&shanghai));
    let said = month(&store, 1, &["--issue"]);
    assert!(said.contains("on 2026-10-10 and 2026-10-31 (its newest row is of 2026-10-30 23:00)"), "{said}");
    store.requests(&["2026-10-10T12:00:00Z,,gateway,/,acme,200,1"]);
    assert!(month(&store, 1, &["--issue"]).contains("on 2026-10-31"));
    store.apply(&[format!("{shanghai}  complete: 48h\n")]);
    month(&store, 0, &["--issue"]);
}

#[test]
fn what_is_not_over_is_not_complete() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.silent("", "2026-10-01", 31).fees(&["2026-10,acme,gateway,EUR,1000,,"]).apply(&[agreement("g", "1M", "")]);
    let said = store.said_at("2026-10-31T12:30:00Z", 1, &["2026-10", "--issue"]);
    assert!(said.contains("2026-10-31 12:01 to 2026-11-01 00:00"), "{said}");
    assert!(store.said_at("2026-10-31T12:30:00Z", 3, &["--pending"]).contains("nothing is pending"));
    month(&store, 0, &["--issue"]);
}

const ZONES: [&str; 5] = ["UTC", "America/New_York", "Asia/Shanghai", "Asia/Kolkata", "Australia/Adelaide"];
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// What is drawn of a store: rows of two services, what excuses days, and who came and left when.
struct Drawn {
    rows: Vec<(&'static str, i64)>,
    excluded: Vec<(&'static str, i64, i64)>,
    incidents: Vec<(&'static str, i64, i64)>,
    came: i64,
    left: i64,
    complete: i64,
}

fn draw(rng: &mut StdRng, begins: i64) -> Drawn {
    let day = 24 * HOUR;
    let mut drawn = Drawn {
        rows: Vec::new(),
        excluded: Vec::new(),
        incidents: Vec::new(),
        came: begins + rng.random_range(2..10) * day + rng.random_range(0..1440) * MINUTE,
        left: begins + rng.random_range(15..28) * day + rng.random_range(0..1440) * MINUTE,
        complete: [24, 24, 6, 60][rng.random_range(0..4)] * HOUR,
    };
    for service in ["gateway", "login"] {
        let ends = if rng.random_bool(0.4) { rng.random_range(20..33) } else { 33 };
        let gap = if rng.random_bool(0.6) { rng.random_range(0..31) } else { 99 };
        for of in (-2..ends).filter(|of| *of != gap) {
            // Some days twice, some only around midnights of some zone.
            for _ in 0..rng.random_range(1..3) {
                drawn.rows.push((service, begins + of * day + rng.random_range(0..1440) * MINUTE));
            }
        }
        for excuses in [&mut drawn.excluded, &mut drawn.incidents] {
            let from = begins + (gap.min(30) * 24 + rng.random_range(-20..20)) * HOUR;
            if rng.random_bool(0.5) {
                excuses.push((service, from, from + rng.random_range(1..20) * HOUR));
            }
        }
    }
    drawn
}

/// Whether it is complete, day by day.
fn is_complete(drawn: &Drawn, service: &str, zone: Tz, judged: (i64, i64)) -> bool {
    let date = |at: i64| chrono::DateTime::from_timestamp_micros(at).unwrap().with_timezone(&zone).date_naive();
    let own: Vec<i64> = drawn.rows.iter().filter(|row| row.0 == service).map(|row| row.1).collect();
    let Some(newest) = own.iter().max().filter(|newest| **newest >= judged.1 - drawn.complete) else { return false };
    let excuses: Vec<_> = drawn.excluded.iter().chain(&drawn.incidents).filter(|own| own.0 == service).collect();
    let last = date(*newest).min(date(judged.1 - 1));
    date(judged.0).iter_days().take_while(|day| *day <= last).all(|day| {
        own.iter().any(|at| date(*at) == day)
            || excuses.iter().any(|(_, from, to)| date(*from) <= day && day <= date(to - 1))
    })
}

#[test]
fn complete_is_what_a_computation_day_by_day_says() {
    let (first, rounds) = (count("NINES_SEED", 0), count("NINES_COMPLETE", 8));
    let (mut compared, mut complete) = (0, 0);
    for seed in first..first + rounds {
        let rng = &mut StdRng::seed_from_u64(seed);
        // Clocks change in some of the zones.
        let month = ["2026-10", "2026-11", "2026-03", "2026-02"][rng.random_range(0..4)];
        let own: Month = month.parse().unwrap();
        let drawn = draw(rng, own.interval(Tz::UTC).unwrap().start);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let lines = |rows: Vec<String>| rows.join("\n");
        let rows = drawn.rows.iter().map(|(service, at)| format!("{},{service},0", text(*at))).collect();
        store.put("requests", &format!("time,service,requests\n{}\n", lines(rows)));
        let scoped = |rows: &[(&str, i64, i64)]| {
            let rows = rows
                .iter()
                .enumerate()
                .map(|(n, (service, from, to))| format!("I{n},{service},x,{},{}", text(*from), text(*to)));
            lines(rows.collect())
        };
        if !drawn.excluded.is_empty() {
            store.put("exclusions", &format!("id,service,category,started,ended\n{}\n", scoped(&drawn.excluded)));
        }
        if !drawn.incidents.is_empty() {
            store.put("incidents", &format!("id,service,title,started,fixed\n{}\n", scoped(&drawn.incidents)));
        }
        let (came, left) = (text(drawn.came), text(drawn.left));
        let fees: Vec<String> = ["gateway", "login"]
            .iter()
            .flat_map(|service| {
                [("all", "", ""), ("came", came.as_str(), ""), ("left", "", left.as_str())]
                    .map(|(who, from, until)| format!("{month},{who},{service},EUR,1,{from},{until}"))
            })
            .collect();
        store.fees(&fees.iter().map(String::as_str).collect::<Vec<_>>());
        let terms = |(n, zone): (usize, &&str)| {
            let more = format!("  complete: {}h\n", drawn.complete / HOUR);
            let terms = agreement(&format!("z{n}"), "1M", &more).replace("timeZone: UTC", &format!("timeZone: {zone}"));
            terms.replace("service: gateway", "service: [gateway, login]")
        };
        store.apply(&ZONES.iter().enumerate().map(terms).collect::<Vec<_>>());
        let mut expected = Vec::new();
        for (n, zone) in ZONES.iter().enumerate() {
            let zone: Tz = zone.parse().unwrap();
            let period = own.interval(zone).unwrap();
            let judged = [
                ("all", period.start, period.end),
                ("came", period.start.max(drawn.came), period.end),
                ("left", period.start, period.end.min(drawn.left)),
            ];
            for ((who, from, until), service) in judged.into_iter().flat_map(|of| ["gateway", "login"].map(|s| (of, s)))
            {
                let is_complete = is_complete(&drawn, service, zone, (from, until));
                complete += usize::from(is_complete);
                expected.push(format!("z{n},{who},{service},{is_complete}"));
            }
        }
        let columns = "agreement, customer, service, complete";
        let asked = |condition: &str| {
            let mut command = nines();
            command
                .env("NINES_NOW", "2026-12-20T00:00:00Z")
                .arg("--store")
                .arg(&store.0)
                .args(["sql", "--format", "csv"]);
            let question = format!("SELECT {columns} FROM credits('{month}') WHERE {condition} ORDER BY 1, 2, 3");
            run(command.arg(question)).lines().skip(1).map(str::to_string).collect::<Vec<_>>()
        };
        let found = asked("true");
        if found != expected {
            eprintln!("{}", store.said_at("2026-12-20T00:00:00Z", 1, &[month, "--issue"]));
        }
        assert_eq!(found, expected, "seed {seed}, {month}, came {came}, left {left}");
        // Narrowed, it says the same.
        let left: Vec<String> = expected.iter().filter(|row| row.contains(",left,")).cloned().collect();
        assert_eq!(asked("customer = 'left'"), left, "seed {seed}, {month}");
        compared += expected.len();
    }
    assert!(rounds < 8 || complete > compared / 8 && complete < compared * 7 / 8, "{complete} of {compared}");
    eprintln!("{rounds} stores from seed {first}: {compared} compared, {complete} of them complete");
}
