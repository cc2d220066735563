//! Exclusions that overlap are one time, and nobody's month waits for somebody to shorten them.

use crate::{nines, query, run};

const AGREEMENT: &str = "apiVersion: nines/v1
kind: Agreement
metadata: {name: net, annotations: {nines/effective-from: 2026-06-01}}
spec:
  service: net
  period: {duration: 1M, timeZone: UTC}
  slice: 1m
  measure: MeanErrorRate
  commitment: 99.9%
  credits: [{below: 99.9%, percent: 10}]
  exclusions: [{category: Scheduled Maintenance, announced: before}, Attack]
";

#[test]
fn overlapping_exclusions_are_united() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut rows = "time,service,customer,status,requests\n".to_string();
    for day in 1..=30 {
        rows.push_str(&format!("2026-06-{day:02}T00:00:00Z,net,acme,200,10\n"));
    }
    rows.push_str("2026-06-20T11:30:00Z,net,acme,500,10\n2026-06-30T23:59:00Z,net,acme,200,10\n");
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, rows).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests"]).arg(&file));
    super::fees(&store, "2026-06,acme,net,EUR,1000,,,\n");
    super::apply(&store, AGREEMENT);
    let exclude = |from: &str, to: &str, more: &[&str]| {
        let mut exclude = nines();
        exclude.arg("--store").arg(&store).args(["exclude", from, to, "--reason", "x"]).args(more);
        run(&mut exclude);
    };
    let maintenance = ["--category", "Scheduled Maintenance", "--announced", "2026-06-01"];
    exclude("2026-06-20 10:00", "2026-06-20 12:00", &[&maintenance[..], &["--service", "net"]].concat());
    exclude("2026-06-20 11:00", "2026-06-20 13:00", &maintenance);
    let columns = "valid, failed, excluded_seconds, availability, amount";
    let asked = format!("SELECT {columns} FROM credits('2026-06')");
    assert_eq!(query(&store, &asked), ["320,0,10800.0,100.000000,0.000000"]);

    // Of two categories the time that both claim is the first one's of the agreement; what does not count takes nothing.
    exclude("2026-06-20 09:00", "2026-06-20 14:00", &["--category", "Attack"]);
    exclude("2026-06-20 08:00", "2026-06-20 20:00", &["--category", "Scheduled Maintenance"]);
    assert_eq!(query(&store, &asked), ["320,0,18000.0,100.000000,0.000000"]);
    let issued = run(nines().arg("--store").arg(&store).args(["credits", "2026-06", "--issue"]));
    assert!(issued.starts_with("issued     1 statement and 0 revisions for 2026-06"), "{issued}");
    let text = query(&store, "SELECT text FROM statements").join("\n").trim_matches('"').replace("\"\"", "\"");
    let statement = nines_engine::slo::IssuedStatement::from_json(&text).unwrap();
    const HOUR: i64 = 3_600_000_000;
    let by_category = [("Scheduled Maintenance".to_string(), 3 * HOUR), ("Attack".to_string(), 2 * HOUR)];
    assert_eq!(statement.credit.excluded, by_category);
    let page = nines_engine::slo::markdown(&[statement], nines_engine::slo::Standing::Issued).unwrap();
    assert!(page.contains("120 slices; 180 more count for another exclusion"), "{page}");
    assert!(page.contains("does not count: not announced before it starts"), "{page}");
}
