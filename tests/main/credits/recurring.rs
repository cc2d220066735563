//! What recurs is what its occurrences, recorded one by one, are: the same answers, credits and statements, before and after corrections.

use std::path::Path;

use super::due::{Store, agreement};
use crate::{fails, nines, query, run};

const NOW: &str = "2026-12-02T09:00:00Z";
/// Sundays, with the instant at which their clock in Berlin shows 02:00 first.
const SUNDAYS: [(&str, &str); 9] = [
    ("2026-10-04", "2026-10-04T00:00:00Z"),
    ("2026-10-11", "2026-10-11T00:00:00Z"),
    ("2026-10-18", "2026-10-18T00:00:00Z"),
    // An hour longer: clocks go back at 03:00.
    ("2026-10-25", "2026-10-25T00:00:00Z"),
    ("2026-11-01", "2026-11-01T01:00:00Z"),
    ("2026-11-08", "2026-11-08T01:00:00Z"),
    ("2026-11-15", "2026-11-15T01:00:00Z"),
    ("2026-11-22", "2026-11-22T01:00:00Z"),
    ("2026-11-29", "2026-11-29T01:00:00Z"),
];

fn minute(instant: &str, minutes: i64) -> String {
    let at: chrono::DateTime<chrono::Utc> = instant.parse().unwrap();
    (at + chrono::TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// From 02:00 to 05:00 a request a minute; failures from 02:30 to 02:40 (in the night with two such hours in the first of them) and from
/// 04:30 to 04:35.
fn rows() -> Vec<String> {
    let mut rows = Vec::new();
    for (day, start) in SUNDAYS {
        let longer = if day == "2026-10-25" { 60 } else { 0 };
        for at in 0..180 + longer {
            let fails = (30..40).contains(&at) || (150 + longer..155 + longer).contains(&at);
            let status = if fails { 503 } else { 200 };
            rows.push(format!("{},,gateway,/,acme,{status},{}", minute(start, at), 7 + at % 5));
        }
    }
    rows
}

const OBJECTIVE: &str = "apiVersion: openslo/v1
kind: SLO
metadata: {name: up, annotations: {nines/effective-from: 2020-01-01}}
spec:
  service: gateway
  indicator: {metadata: {name: up}, spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/availability, spec: {}}}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.99}]
";

/// The clauses that ask of exclusions, each in an agreement of its own.
fn definitions() -> Vec<String> {
    let of = |name: &str, exclusions: &str, more: &str| {
        let text = agreement(name, "1M", &format!("  exclusions: {exclusions}\n{more}"));
        text.replace("timeZone: UTC", "timeZone: Europe/Berlin")
    };
    let downtime = |text: String| {
        let text = text.replace("measure: MeanErrorRate", "measure: Downtime\n  bad: errorRate > 10%\n  minRun: 2m");
        text.replace("slice: 1h", "slice: 1m")
    };
    vec![
        of("plain", "[Maintenance]", ""),
        of("removed", "[Maintenance]", "  excludedTime: removed\n"),
        of("whole", "{categories: [Maintenance], granularity: slice}", ""),
        of("noticed", "[{category: Maintenance, announced: 5d}]", ""),
        of("at-most", "[{category: Maintenance, atMost: 5h per 1M}]", ""),
        of("yearly", "[{category: Maintenance, atMost: 9h per 1Y}]", ""),
        downtime(of("bridged", "{categories: [Maintenance], bridge: true}", "")),
        downtime(of("down", "[Maintenance]", "")),
        OBJECTIVE.to_string(),
    ]
}

fn filled(folder: &Path, name: &str) -> Store {
    std::fs::create_dir(folder.join(name)).unwrap();
    let store = Store::new(&folder.join(name));
    let rows = rows();
    store.requests(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    store.silent("", "2026-10-01", 62);
    store.fees(&["2026-10,acme,gateway,EUR,1000,,", "2026-11,acme,gateway,EUR,1000,,"]);
    store.apply(&definitions());
    store
}

fn exclude(store: &Store, args: &[&str]) -> String {
    run(nines().env("NINES_NOW", NOW).arg("--store").arg(&store.0).arg("exclude").args(args))
}

const BERLIN: [&str; 6] = ["--time-zone", "Europe/Berlin", "--category", "Maintenance", "--reason", "disks"];

/// Occurrences as records of their own, from so many hours after 02:00 on for two hours.
fn one_by_one(store: &Store, id: &str, of: &[(&str, &str)], from: i64, withdrawn: bool) {
    let line = |(day, start): &(&str, &str)| {
        let longer = if *day == "2026-10-25" { 1 } else { 0 };
        let (started, ended) = (minute(start, 60 * from), minute(start, 60 * (from + 2 + longer)));
        format!("{id}@{day},gateway,Maintenance,{started},{ended},disks,2026-09-29T12:00:00Z,{withdrawn}\n")
    };
    let rows: String = of.iter().map(line).collect();
    store.put("exclusions", &format!("id,service,category,started,ended,reason,announced,withdrawn\n{rows}"));
}

/// All that is asked of both, by what is asked.
fn answers(store: &Store) -> Vec<(String, Vec<String>)> {
    let questions = [
        "SELECT * FROM report('2026-10-01', '2026-12-01', 'objective')",
        "SELECT * FROM slices('2026-10-25', '2026-10-26')",
        "SELECT * FROM slices('2026-11-01', '2026-11-02')",
        "SELECT objective, started, ended, seconds, excluded_seconds FROM failures('2026-10-01', '2026-12-01')",
        "SELECT * FROM report('2026-12-01', '2027-01-01', 'objective')",
        "SELECT * FROM review('2026-11-01', '2026-12-01')",
        "SELECT * FROM credits('2026-10') ORDER BY agreement",
        "SELECT * FROM credits('2026-11') ORDER BY agreement",
        "SELECT id, business, service, customer, category, started, ended, reason, announced FROM excluded('2026-10-01', '2026-12-20')",
        "SELECT agreement, period, revision, issued_at, complete, availability_exact, amount, rules FROM statements ORDER BY 1, 2, 3",
    ];
    // One process, in which a line stands between answers.
    let all = questions.join("; SELECT 'next' AS next; ");
    let text = run(nines().env("NINES_NOW", NOW).arg("--store").arg(&store.0).args(["sql", "--format", "csv", &all]));
    let answers: Vec<&str> = text.split("next\nnext\n").collect();
    assert_eq!(answers.len(), questions.len(), "{text}");
    let lines = |answer: &str| answer.lines().map(str::to_string).collect();
    questions.iter().zip(answers).map(|(question, answer)| (question.to_string(), lines(answer))).collect()
}

/// What statements say, without which versions of tables they were worked out from and without what depends on that.
fn evidence(store: &Store) -> Vec<serde_json::Value> {
    let rows = run(nines().arg("--store").arg(&store.0).args([
        "sql",
        "--format",
        "jsonl",
        "SELECT text FROM statements ORDER BY agreement, period, revision",
    ]));
    let mut found = Vec::new();
    for line in rows.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut statement: serde_json::Value = serde_json::from_str(row["text"].as_str().unwrap()).unwrap();
        for field in ["tables", "before", "sha256"] {
            statement.as_object_mut().unwrap().remove(field);
        }
        found.push(statement);
    }
    found
}

fn error_seconds(store: &Store) -> Vec<String> {
    query(&store.0, "SELECT slo_error_time FROM report('2026-10-01', '2026-12-01', 'objective')")
}

#[test]
fn what_recurs_is_what_its_occurrences_are() {
    let folder = tempfile::tempdir().unwrap();
    let (rule, each) = (filled(folder.path(), "rule"), filled(folder.path(), "each"));
    // Days are kept before anything is excluded, and must not be taken for what they are afterwards: 15 minutes a Sunday.
    assert_eq!(error_seconds(&rule), [(9 * 900).to_string() + ".0"]);
    let scope = ["--service", "gateway", "--announced", "2026-09-29T14:00:00+02:00"];
    let record = |id: &str, from: &str, to: &str| {
        let more = ["--every", "Sunday", "--id", id];
        exclude(&rule, &[&[from, to][..], &more, &BERLIN, &scope].concat())
    };
    let mut revised = 0;
    let mut same = |seconds: i64, step: &str| {
        assert_eq!(error_seconds(&rule), [seconds.to_string() + ".0"], "{step}");
        for month in ["2026-10", "2026-11"] {
            let issued = [&rule, &each].map(|store| {
                let mut command = nines();
                let args = ["credits", month, "--issue"];
                let done = command.env("NINES_NOW", NOW).arg("--store").arg(&store.0).args(args).output().unwrap();
                (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap())
            });
            assert!(matches!(issued[0].0, 0 | 3), "{step}, {month}: {issued:?}");
            let without_version = |text: &str| text.split("; version").next().unwrap_or_default().to_string();
            let [(one, said), (other, also)] = &issued;
            assert_eq!((one, without_version(said)), (other, without_version(also)), "{step}, {month}");
            revised += usize::from(*one == 0);
            for store in [&rule, &each] {
                let verified = store.said_at(NOW, 0, &[month, "--verify"]);
                assert!(verified.ends_with("8 statements hold\n"), "{step}: {verified}");
            }
        }
        for ((question, found), (_, expected)) in answers(&rule).iter().zip(&answers(&each)) {
            assert_eq!(found, expected, "{step}: {question}");
            assert!(found.len() > 1, "{step}: {question} answers nothing");
        }
        assert_eq!(evidence(&rule), evidence(&each), "{step}");
    };

    let said = record("S", "2026-10-04 02:00", "2026-10-04 04:00");
    assert!(
        said.contains("next            S@2026-12-06  2026-12-06 02:00:00+01:00 to 2026-12-06 04:00:00+01:00"),
        "{said}"
    );
    assert!(said.contains("recurred        9 times by now"), "{said}");
    // Those of the winter, too: planned time is in no budget.
    let ahead = (1..=12).map(|week| minute(SUNDAYS[8].1, week * 7 * 24 * 60));
    let ahead: Vec<(String, String)> = ahead.map(|at| (at[..10].to_string(), at)).collect();
    let ahead: Vec<(&str, &str)> = ahead.iter().map(|(day, at)| (day.as_str(), at.as_str())).collect();
    one_by_one(&each, "S", &[&SUNDAYS[..], &ahead].concat(), 0, false);
    same(9 * 300, "recorded");

    exclude(&rule, &["--withdraw", "S@2026-10-11"]);
    exclude(&each, &["--withdraw", "S@2026-10-11"]);
    same(9 * 300 + 600, "one withdrawn");

    // From November on an hour later.
    let ended = exclude(&rule, &["--withdraw", "S", "--since", "2026-11-01", "--time-zone", "Europe/Berlin"]);
    assert!(ended.contains("until           2026-11-01 00:00:00+01:00  (was empty)"), "{ended}");
    record("T", "2026-11-01 03:00", "2026-11-01 05:00");
    let november: Vec<(&str, &str)> = SUNDAYS[4..].iter().chain(&ahead).copied().collect();
    one_by_one(&each, "S", &november, 0, true);
    one_by_one(&each, "T", &november, 1, false);
    same(4 * 300 + 600 + 5 * 600, "another time from November on");

    // All of it.
    exclude(&rule, &["--withdraw", "T"]);
    one_by_one(&each, "T", &november, 1, true);
    same(4 * 300 + 600 + 5 * 900, "withdrawn");
    assert!(revised >= 5, "each step revises a month: {revised}");
}

#[test]
fn a_day_with_an_occurrence_needs_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    // Nobody is there on Sundays.
    let days = (1..=31).filter(|day| (day - 4) % 7 != 0);
    let rows: Vec<String> = days.map(|day| format!("2026-10-{day:02}T12:00:00Z,,gateway,/,acme,200,9")).collect();
    store.requests(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    store.fees(&["2026-10,acme,gateway,EUR,1000,,"]);
    store.apply(&[agreement("g", "1M", "")]);
    let refused = store.said_at(NOW, 1, &["2026-10", "--issue"]);
    assert!(refused.contains("2026-10-04, 2026-10-11, 2026-10-18"), "{refused}");
    let args = [
        "2026-09-06 08:00",
        "2026-09-06 20:00",
        "--every",
        "week",
        "--id",
        "closed",
        "--category",
        "Closed",
        "--reason",
        "Sunday",
    ];
    exclude(&store, &args);
    assert_eq!(query(&store.0, "SELECT complete FROM credits('2026-10')"), ["true"]);
    exclude(&store, &["--withdraw", "closed@2026-10-18"]);
    let refused = store.said_at(NOW, 1, &["2026-10", "--issue"]);
    assert!(refused.contains("2026-10-18") && !refused.contains("2026-10-11"), "{refused}");
    exclude(
        &store,
        &[
            "2026-10-18 09:00",
            "2026-10-18 10:00",
            "--id",
            "closed@2026-10-18",
            "--category",
            "Closed",
            "--reason",
            "short",
        ],
    );
    store.said_at(NOW, 0, &["2026-10", "--issue"]);
}

#[test]
fn what_cannot_recur_is_refused_and_says_how_it_could() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let refused = |args: &[&str]| {
        let said = fails(2, nines().arg("--store").arg(&store.0).arg("exclude").args(args));
        assert!(!store.0.exists(), "{args:?}");
        said
    };
    let with = |more: &[&'static str]| {
        [&["2026-10-05 02:00", "2026-10-05 04:00", "--category", "M", "--reason", "r"], more].concat()
    };
    assert!(refused(&with(&["--every", "Sunday"])).contains("the first one that it yields is 2026-10-11 (Sun)"));
    assert!(refused(&with(&["--every", "often"])).contains("expected words such as day, weekday, week"));
    assert!(refused(&with(&["--every", "FREQ=HOURLY"])).contains("recurs within a day"));
    assert!(refused(&with(&["--every", "day", "--until", "2026-10-05"])).contains("--until: "));
    assert!(refused(&with(&["--until", "2026-10-09"])).contains("--every"));
}
