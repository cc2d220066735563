//! Requests that fail because they took too long.

use std::path::{Path, PathBuf};

use crate::{nines, query, run};

/// 1,000 requests of an hour: some took a second, some 299 ms, which lies in one bucket with 300 ms, the rest 100 ms.
fn store(folder: &Path, seconds: i64, near: i64) -> PathBuf {
    let store = folder.join("store");
    let mut csv = "time,service,customer,status,requests,latency_seconds\n".to_string();
    for (minute, requests, latency) in [(0, seconds, "1.0"), (1, near, "0.299"), (2, 1000 - seconds - near, "0.1")] {
        if requests > 0 {
            csv += &format!("2026-10-05T10:0{minute}:00Z,gateway,acme,200,{requests},{latency}\n");
        }
    }
    let file = store.with_extension("csv");
    std::fs::write(&file, csv).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests", "--any-time"]).arg(&file));
    super::fees(&store, "2026-10,acme,gateway,USD,1000,,,\n");
    store
}

fn agreement(limit: &str) -> String {
    format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a, annotations: {{nines/effective-from: 2026-10-01}}}}\nspec:\n  \
         service: gateway\n  period: {{duration: 1M, timeZone: UTC}}\n  slice: 5m\n  failed: {{status: [5xx], slowerThan: {limit}}}\n  \
         measure: Occurrences\n  commitment: 99%\n  credits: [{{below: 99%, percent: 10}}, {{below: 95%, percent: 25}}]\n"
    )
}

const FIGURES: &str = "SELECT valid, failed, availability_exact, credit_percent, amount, availability_best, amount_best, amount_worst \
                       FROM credits('2026-10')";

#[test]
fn what_lies_about_the_limit_is_slower_and_the_other_bound_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 20, 10);
    super::apply(&store, &agreement("300ms"));
    assert_eq!(query(&store, FIGURES), ["1000,30,97/100,10.000000,100.000000,98.000000,100.000000,100.000000"]);
    let issued = run(nines().arg("--store").arg(&store).args(["credits", "2026-10", "--issue", "--incomplete"]));
    assert!(issued.contains("issued     1 statement"), "both bounds give the same credit: {issued}");
    let page = run(nines().arg("--store").arg(&store).args(["credits", "2026-10", "--verify"]));
    assert!(page.contains("today's data say the same"), "{page}");
    // A limit in whose bucket nothing lies is exact.
    super::apply(&store, &agreement("500ms"));
    assert_eq!(query(&store, FIGURES), ["1000,20,49/50,10.000000,100.000000,98.000000,100.000000,100.000000"]);
}

#[test]
fn a_credit_that_depends_on_it_is_not_issued() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 20, 40);
    super::apply(&store, &agreement("300ms"));
    let figures =
        "SELECT failed, credit_percent, amount, availability_best, amount_best, amount_worst FROM credits('2026-10')";
    assert_eq!(query(&store, figures), ["60,25.000000,,98.000000,100.000000,250.000000"]);
    let output =
        nines().arg("--store").arg(&store).args(["credits", "2026-10", "--issue", "--incomplete"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    for says in
        ["it is not known whether they took longer than 300 ms", "25 % if they did, and 10 % if not", "latency_le"]
    {
        assert!(said.contains(says), "{says}: {said}");
    }
    assert_eq!(query(&store, "SELECT count(*) FROM statements"), ["0"]);

    // Exact counts at the limit decide.
    let file = folder.path().join("exact.csv");
    let exact = r#""[{""le"": 300000, ""count"": 40}]""#;
    let near = r#""{""zero"": 0, ""buckets"": [{""bucket"": -56, ""count"": 40}]}""#;
    let rows = format!(
        "time,service,customer,status,requests,latency,latency_le\n2026-10-05T10:01:00Z,gateway,acme,200,40,{near},{exact}\n"
    );
    std::fs::write(&file, rows).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests", "--any-time"]).arg(&file));
    assert_eq!(query(&store, figures), ["20,10.000000,100.000000,98.000000,100.000000,100.000000"]);
}

#[test]
fn requests_without_a_latency_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 20, 0);
    let file = folder.path().join("without.csv");
    std::fs::write(&file, "time,service,customer,status,requests\n2026-10-06T10:00:00Z,gateway,acme,200,7\n").unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests", "--any-time"]).arg(&file));
    super::apply(&store, &agreement("300ms"));
    let output = nines().arg("--store").arg(&store).args(["credits", "2026-10"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("agreement a: 7 requests carry no latency; they count as not slower"), "{said}");
}
