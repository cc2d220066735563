//! Bad input: each a clear error, nothing issued.

use std::path::Path;

use super::{SECOND, apply, fees, ingest, silent};
use crate::{fails, nines, query, run};

const AGREEMENT: &str = "apiVersion: nines/v1
kind: Agreement
metadata: {name: gateway}
spec:
  service: gateway
  period: {duration: 1M, timeZone: UTC}
  slice: 1m
  measure: MeanErrorRate
  commitment: 99.9%
  credits: [{below: 99.9%, percent: 10}, {below: 99%, percent: 25}]
  exclusions: [Attack, {category: Scheduled Maintenance, announced: before}]
";

fn store(folder: &Path) -> std::path::PathBuf {
    let store = folder.join("store");
    let september = "2026-09-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    // The last minute of the month too, so that its data are complete.
    let last = september + (30 * 1440 - 1) * 60 * SECOND;
    ingest(&store, 60, "acme", &[(september, 10, 5), (last, 10, 0)]);
    silent(&store, "gateway", "", "2026-09-01", 30);
    apply(&store, AGREEMENT);
    store
}

/// What is said when the month is shown, and when it is issued, and the exit code of both.
fn refusal(store: &Path, code: i32, period: &str) -> String {
    let command = |more: &[&str]| {
        let mut command = nines();
        command.arg("--store").arg(store).args(["credits", period]).args(more);
        command
    };
    let said = fails(code, &mut command(&[]));
    assert_eq!(fails(code, &mut command(&["--issue"])), said);
    assert!(query(store, "SELECT count(*) FROM statements") == ["0"]);
    said
}

#[test]
fn fees_of_nobody_or_in_no_currency() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    fees(&store, "2026-09,,gateway,EUR,100,,,\n");
    let said = refusal(&store, 5, "2026-09");
    assert!(said.contains("failed: gateway, , gateway: a fee of 100 EUR for 2026-09 names no customer"), "{said}");
    assert!(said.contains("1 credit could not be worked out"), "{said}");
    let rows = "period,customer,service,currency,amount\n2026-09,acme,gateway,EUR,1\n2026-10,acme,gateway,RMB,100\n";
    let file = folder.path().join("fees.csv");
    std::fs::write(&file, rows).unwrap();
    let said = fails(1, nines().arg("--store").arg(&store).args(["ingest", "fees"]).arg(&file));
    assert!(said.contains("fees.csv:3: column currency: \"RMB\" is no currency of ISO 4217; write CNY"), "{said}");
    assert_eq!(query(&store, "SELECT count(*) FROM fees"), ["1"], "all of a batch or nothing");
}

#[test]
fn periods_to_come_and_periods_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let said = refusal(&store, 1, "2999-01");
    assert!(said.contains("2999-01 has not begun yet"), "{said}");
    let said = fails(2, nines().arg("--store").arg(&store).args(["credits", "2026-13"]));
    assert!(said.contains("'2026-13' is no period"), "{said}");
}

#[test]
fn a_month_that_is_not_over_in_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    ingest(&store, 60, "acme", &[(1_790_812_800_000_000, 10, 0)]);
    fees(&store, "2026-10,acme,gateway,EUR,100,,,\n");
    let command = |more: &[&str]| {
        let mut command = nines();
        command.arg("--store").arg(&store).args(["credits", "2026-10", "--issue"]).args(more);
        command
    };
    let said = fails(1, &mut command(&[]));
    assert!(said.contains("2026-10 is not complete") && said.contains("nothing was issued"), "{said}");
    assert!(query(&store, "SELECT count(*) FROM statements") == ["0"]);
    let said = run(&mut command(&["--incomplete"]));
    assert!(said.starts_with("issued     1 statement and 0 revisions"), "{said}");
    assert_eq!(query(&store, "SELECT period, complete FROM statements"), ["2026-10,false"]);
}

#[test]
fn terms_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let file = folder.path().join("wrong.yaml");
    let wrong = AGREEMENT
        .replace("percent: 10}, {below: 99%", "percent: 10}, {below: 99.95%")
        .replace("slice: 1m", "slice: 15s");
    std::fs::write(&file, wrong).unwrap();
    let said = fails(1, nines().arg("--store").arg(&store).arg("apply").arg(&file));
    assert!(said.contains("wrong.yaml:10:"), "{said}");
    std::fs::write(&file, AGREEMENT.replace("slice: 1m", "slice: 15s")).unwrap();
    let said = fails(1, nines().arg("--store").arg(&store).arg("apply").arg(&file));
    assert!(said.contains("slices of 15 s cannot be judged in this store, whose slices are of 60 s"), "{said}");
    let said = fails(1, nines().arg("--store").arg(&store).args(["credits", "2026-09", "--agreement", "gatewya"]));
    assert!(said.contains("there is no agreement 'gatewya': there are gateway"), "{said}");
}

#[test]
fn one_service_in_two_businesses() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let rows = "time,business,service,customer,status,requests\n2026-09-02T00:00:00Z,shop,gateway,acme,200,1\n";
    let file = folder.path().join("more.csv");
    std::fs::write(&file, rows).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests", "--any-time"]).arg(&file));
    let said = refusal(&store, 5, "2026-09");
    assert!(said.contains("failed: gateway, acme, gateway: agreement gateway counts rows"), "{said}");
    assert!(said.contains("in two businesses"), "{said}");
    // A row that cannot be made is not missing in silence; who asks for others gets them.
    let sql = "SELECT count(*) FROM credits('2026-09')";
    let said = fails(1, nines().arg("--store").arg(&store).args(["sql", sql]));
    assert!(
        said.contains("agreement gateway, customer 'acme', service gateway: ") && said.contains("two businesses"),
        "{said}"
    );
    for others in ["customer > 'acme'", "agreement = 'other'", "service LIKE 'web%'"] {
        assert_eq!(query(&store, &format!("{sql} WHERE {others}")), ["0"], "{others}");
    }
}

#[test]
fn a_category_that_no_agreement_knows_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let exclude = |category: &str| {
        let mut command = nines();
        command.arg("--store").arg(&store).args(["exclude", "2026-09-01", "2026-09-02", "--reason", "x"]);
        let done = command.args(["--category", category]).output().unwrap();
        assert!(done.status.success());
        String::from_utf8(done.stderr).unwrap()
    };
    assert!(exclude("Atack").contains("no agreement knows the category 'Atack'"));
    assert_eq!(query(&store, "SELECT failed, excluded_seconds FROM credits('2026-09')"), ["5,0.0"]);
    assert_eq!(exclude("Attack"), "");
    assert_eq!(query(&store, "SELECT failed, excluded_seconds FROM credits('2026-09')"), ["0,86400.0"]);
}
