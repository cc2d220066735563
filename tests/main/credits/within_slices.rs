//! Exclusions and lost telemetry that do not fall on the agreement's slices count by the store's.

use std::path::Path;

use crate::{nines, query, run};

/// An agreement by the hour.
fn hourly(clauses: &str) -> String {
    format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a, annotations: {{nines/effective-from: 2026-10-01}}}}\nspec:\n  \
         service: gateway\n  period: {{duration: 1M, timeZone: UTC}}\n  slice: 1h\n  measure: MeanErrorRate\n  commitment: 99.9%\n  \
         credits: [{{below: 99.9%, percent: 10}}]\n{clauses}"
    )
}

/// One-minute data of some hours in October, in which minutes failed, with a fee of 1,000.
fn store(folder: &Path, minutes: std::ops::Range<i64>, failed: std::ops::Range<i64>) -> std::path::PathBuf {
    const START: i64 = 1_790_812_800_000_000;
    let store = folder.join("store");
    let slices: Vec<super::Slice> = minutes
        .map(|minute| (START + minute * 60_000_000, 10, if failed.contains(&minute) { 10 } else { 0 }))
        .collect();
    super::ingest(&store, 60, "acme", &slices);
    super::fees(&store, "2026-10,acme,gateway,USD,1000,,,\n");
    store
}

fn exclude(store: &Path, from: &str, to: &str) -> String {
    run(nines().arg("--store").arg(store).args(["exclude", from, to, "--category", "Attack", "--reason", "x"]))
}

const FIGURES: &str =
    "SELECT valid, failed, excluded_seconds, availability_exact, credit_percent, amount FROM credits('2026-10')";

#[test]
fn an_outage_in_an_exclusion_inside_an_hour_is_no_outage() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 540..720, 605..655);
    super::apply(&store, &hourly("  exclusions: [Attack]\n"));
    let figures = || query(&store, FIGURES);
    assert_eq!(figures(), ["1800,500,0.0,4459/4464,10.000000,100.000000"]);
    exclude(&store, "2026-10-01 10:05", "2026-10-01 10:55");
    assert_eq!(figures(), ["1800,0,3000.0,1/1,0.000000,0.000000"]);
    let issued = run(nines().arg("--store").arg(&store).args(["credits", "2026-10", "--issue", "--incomplete"]));
    assert!(issued.contains("issued     1 statement"), "{issued}");
    let verified = run(nines().arg("--store").arg(&store).args(["credits", "2026-10", "--verify"]));
    assert!(verified.contains("1 statements hold"), "{verified}");
    let text = query(&store, "SELECT text FROM statements").join("\n").trim_matches('"').replace("\"\"", "\"");
    let statement = nines_engine::slo::IssuedStatement::from_json(&text).unwrap();
    let page = nines_engine::slo::markdown(&[statement], nines_engine::slo::Standing::Issued).unwrap();
    for says in [
        "Attack: 50 min.",
        "What fails in that time does not count; its requests do, and the number of slices stays whole.",
        "500 failed requests in it are not counted.",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }

    // Terms that void whole slices leave the hour as it is.
    let voiding = hourly("  exclusions: {categories: [Attack], granularity: slice}\n");
    super::apply(&store, &voiding);
    assert_eq!(figures(), ["1800,500,0.0,4459/4464,10.000000,100.000000"]);
}

#[test]
fn telemetry_lost_for_two_minutes_of_an_hour_is_estimated_into_it() {
    let folder = tempfile::tempdir().unwrap();
    const DAY: i64 = 1440;
    let store = store(folder.path(), -8 * DAY..5000, 0..0);
    run(nines().arg("--store").arg(&store).args(["delete", "requests", "--where"]).args([
        "time >= '2026-10-01 16:40:00' AND time < '2026-10-01 16:42:00'",
        "--reason",
        "lost",
    ]));
    super::apply(&store, &hourly("  lostTelemetry: {estimateFrom: 7d}\n"));
    let incident = folder.path().join("incidents.csv");
    let rows = "id,service,started,fixed,telemetry_lost\nI,gateway,2026-10-01T16:40:00Z,2026-10-01T16:42:00Z,true\n";
    std::fs::write(&incident, rows).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "incidents"]).arg(&incident));
    let sql = "SELECT availability_exact, estimated, lost_slices, amount FROM credits('2026-10')";
    assert_eq!(query(&store, sql), ["22319/22320,20.0,1,0.000000"]);
}

/// What was recorded by an earlier version keeps what it was agreed by: applied again, the same terms count by stored slices.
#[test]
fn agreements_of_an_earlier_version_void_whole_slices() {
    let folder = tempfile::tempdir().unwrap();
    let store = super::earlier::store(folder.path());
    let sql = "SELECT customer, valid, failed, excluded_seconds, availability_exact FROM credits('2026-05') \
               WHERE agreement = 'blob' ORDER BY 1";
    let before = query(&store, sql);
    assert!(before.iter().any(|row| !row.ends_with("1/1")), "something failed: {before:?}");
    // Every hour but for ten minutes of it, none of them whole; half an hour of an exclusion was inside one before.
    for hour in ["03 05:10:00", "03 06:10:00", "03 07:10:00"] {
        let (day, time) = hour.split_once(' ').unwrap();
        let end = time.replace(":10:", ":59:");
        let mut exclude = nines();
        exclude.arg("--store").arg(&store).arg("exclude");
        exclude.args([format!("2026-05-{day}T{time}+05:30"), format!("2026-05-{day}T{end}+05:30")]);
        run(exclude.args(["--category", "Scheduled Maintenance", "--service", "blob", "--reason", "inside an hour"]));
    }
    assert_eq!(query(&store, sql), before);
    let rules = "SELECT DISTINCT coalesce(rules, 2) FROM definitions";
    assert_eq!(query(&store, rules), ["2"]);

    let text = query(&store, "SELECT text FROM definitions WHERE name = 'blob'").join("\n");
    let again = text.trim_matches('"').replace("2026-01-01", "2026-01-02");
    super::apply(&store, &again);
    let after = query(&store, sql);
    let all_have = |rows: &[String], seconds| rows.iter().all(|row| row.contains(seconds));
    assert!(all_have(&before, ",3600.0,") && all_have(&after, ",14220.0,"), "{before:?}, {after:?}");
    assert_eq!(query(&store, &format!("{rules} ORDER BY 1")), ["2", "3"]);
}
