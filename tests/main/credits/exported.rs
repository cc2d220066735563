//! Statements for accounting: one row each, of columns whose names and order do not change.

use std::path::{Path, PathBuf};

use super::{SECOND, apply, fees, ingest};
use crate::{nines, query, run};

/// Both sides of the service `gateway`: it is owed to customers, and claimed by `buyer`.
pub(super) const AGREEMENTS: &str = "apiVersion: nines/v1
kind: Agreement
metadata: {name: gateway, annotations: {nines/effective-from: 2026-01-01}}
spec:
  service: gateway
  business: core
  customer: [acme, 客户, late]
  issuer: {name: Vela Cloud, contact: sla@vela.example, number: \"SLA-{period}-{customer}.{revision}\"}
  period: {duration: 1M, timeZone: Asia/Shanghai}
  slice: 15s
  measure: MeanErrorRate
  commitment: 99.99%
  credits: [{below: 99.99%, percent: 10}, {below: 99.95%, percent: 25}]
  exclusions: []
  claimWithin: 60d
---
apiVersion: nines/v1
kind: Agreement
metadata: {name: vendor, annotations: {nines/effective-from: 2026-01-01}}
spec:
  service: gateway
  business: core
  customer: buyer
  side: claimed
  period: {duration: 1M, timeZone: America/New_York}
  slice: 15s
  measure: Occurrences
  commitment: 99%
  credits: [{below: 99%, percent: 50}]
  exclusions: []
  claimWithin: {within: 2 working days, from: period}
";

pub(super) fn at(slice: i64) -> i64 {
    let september = "2026-09-01T00:00:00+08:00".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    september.timestamp_micros() + slice * 15 * SECOND
}

/// A month in which `客户` lost 18 slices of 172,800, `buyer` lost 3 of 100 requests, and `late` has no fee yet.
pub(super) fn store(folder: &Path) -> PathBuf {
    let store = folder.join("store");
    let mut slices: Vec<_> = (0..18).map(|i| (at(1000 + i), 10, 10)).collect();
    slices.push((at(172_799), 10, 0));
    // Every day has a row, at noon, also of the month in New York.
    slices.extend((0..31).map(|day| (at(day * 5760 + 2880), 0, 0)));
    ingest(&store, 15, "客户", &slices);
    ingest(&store, 15, "acme", &[(at(5), 100, 0)]);
    ingest(&store, 15, "late", &[(at(9000), 4, 0)]);
    ingest(&store, 15, "buyer", &[(at(20_000), 100, 3)]);
    fees(
        &store,
        "2026-09,客户,gateway,CNY,1000.10,0,,\n2026-09,acme,gateway,CNY,50,,,\n2026-09,buyer,gateway,USD,200,,,\n",
    );
    apply(&store, AGREEMENTS);
    store
}

pub(super) fn credits(store: &Path, code: i32, more: &[&str]) -> String {
    let done = nines().arg("--store").arg(store).args(["credits", "2026-09"]).args(more).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(code), "{more:?}: {text}");
    text
}

/// A CSV with what no test can know put by name: the time of issue and the hash.
fn masked(store: &Path, csv: &str) -> String {
    let rows = query(
        store,
        "SELECT sha256, customer, revision FROM statements UNION ALL SELECT sha256, customer, revision FROM drafts",
    );
    let mut text = csv.to_string();
    for row in rows {
        let (hash, whose) = row.split_once(',').unwrap();
        text = text.replace(hash, &format!("<hash of {}>", whose.replace(',', " ")));
    }
    let lines = text.lines().map(|line| {
        let mut cells: Vec<String> = line.split(',').map(str::to_string).collect();
        if cells[10].starts_with("20") {
            let issued: chrono::DateTime<chrono::FixedOffset> = cells[10].parse().unwrap();
            assert!(cells[18] != "Asia/Shanghai" || issued.offset().local_minus_utc() == 8 * 3600, "{line}");
            cells[10] = "<issued>".to_string();
        }
        cells.join(",") + "\n"
    });
    lines.collect()
}

const HEADER: &str = "agreement,customer,service,business,side,period,period_start,period_end,revision,number,issued_at,availability,\
                      availability_exact,credit_percent,fee_base,amount,currency,claim_by,time_zone,sha256,status\n";

#[test]
fn the_export_is_this_csv() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let file = folder.path().join("owed-{period}.csv");
    let issued = credits(&store, 0, &["--issue", "--statements", "-o", file.to_str().unwrap()]);
    assert!(issued.starts_with("issued     3 statements and 0 revisions for 2026-09, 0 unchanged"), "{issued}");
    let csv = std::fs::read_to_string(folder.path().join("owed-2026-09.csv")).unwrap();
    let shanghai = "2026-09,2026-09-01T00:00:00+08:00,2026-10-01T00:00:00+08:00";
    let lines = [
        format!("gateway,acme,gateway,core,owed,{shanghai},1,SLA-2026-09-acme.1,<issued>,100.000000,1/1,0.000000,50.000000,0.000000,CNY,2026-11-30T00:00:00+08:00,Asia/Shanghai,<hash of acme 1>,issued\n"),
        format!("gateway,late,gateway,core,owed,{shanghai},,,,100.000000,1/1,0.000000,,,,2026-11-30T00:00:00+08:00,Asia/Shanghai,,waiting\n"),
        // 18 / 172,800 = 1 / 9,600, and 10 % of 1,000.10.
        format!("gateway,客户,gateway,core,owed,{shanghai},1,SLA-2026-09-客户.1,<issued>,99.989583,9599/9600,10.000000,1000.100000,100.010000,CNY,2026-11-30T00:00:00+08:00,Asia/Shanghai,<hash of 客户 1>,issued\n"),
        // 1 October is a Thursday: the second working day after September ends with Friday.
        "vendor,buyer,gateway,core,claimed,2026-09,2026-09-01T00:00:00-04:00,2026-10-01T00:00:00-04:00,1,,<issued>,97.000000,97/100,50.000000,200.000000,100.000000,USD,2026-10-03T00:00:00-04:00,America/New_York,<hash of buyer 1>,issued\n".to_string(),
    ];
    assert_eq!(masked(&store, &csv), HEADER.to_string() + &lines.concat());

    // The fee that was missing comes, and an hour's failures are taken back: a statement, and a revision.
    fees(&store, "2026-09,late,gateway,CNY,80,,,\n");
    ingest(&store, 15, "客户", &[(at(1000), 10, 0)]);
    let told = credits(&store, 3, &["--statements", "--customer", "late"]);
    assert!(told.contains("note: 1 credit of 2026-09 is not issued yet: nines credits 2026-09 --issue"), "{told}");
    credits(&store, 0, &["--issue", "--statements", "-o", file.to_str().unwrap()]);
    let csv = std::fs::read_to_string(folder.path().join("owed-2026-09.csv")).unwrap();
    let mut after = lines.clone();
    after[1] = lines[1]
        .replace(
            ",,,,100.000000,1/1,0.000000,,,,",
            ",1,SLA-2026-09-late.1,<issued>,100.000000,1/1,0.000000,80.000000,0.000000,CNY,",
        )
        .replace(",,waiting", ",<hash of late 1>,issued");
    let second = lines[2]
        .replace(",1,SLA-2026-09-客户.1", ",2,SLA-2026-09-客户.2")
        // 17 / 172,800 lost.
        .replace(
            "99.989583,9599/9600,10.000000,1000.100000,100.010000",
            "99.990162,172783/172800,0.000000,1000.100000,0.000000",
        )
        .replace("<hash of 客户 1>", "<hash of 客户 2>");
    after[2] = lines[2].replace(",issued\n", ",superseded\n") + &second;
    assert_eq!(masked(&store, &csv), HEADER.to_string() + &after.concat());
    // Again: nothing to issue, and the file is the same.
    let again = folder.path().join("again.csv");
    credits(&store, 3, &["--issue", "--statements", "-o", again.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(again).unwrap(), csv);
}

#[test]
fn sql_says_the_same_as_instants() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let nothing = credits(&store, 0, &["--statements"]);
    assert!(
        nothing.contains("waiting") && nothing.contains("note: 3 credits of 2026-09 are not issued yet"),
        "{nothing}"
    );
    credits(&store, 0, &["--issue"]);
    let sql =
        "SELECT customer, period_start, claim_by, amount, status FROM credit_statements('2026-09') ORDER BY customer";
    assert_eq!(
        query(&store, sql),
        [
            "acme,2026-08-31T16:00:00Z,2026-11-29T16:00:00Z,0.000000,issued",
            "buyer,2026-09-01T04:00:00Z,2026-10-03T04:00:00Z,100.000000,issued",
            "late,2026-08-31T16:00:00Z,2026-11-29T16:00:00Z,,waiting",
            "客户,2026-08-31T16:00:00Z,2026-11-29T16:00:00Z,100.010000,issued",
        ]
    );
    // With what was issued alone, and joined with what is owed today.
    let issued = "SELECT s.customer, s.amount = c.amount FROM credit_statements(period => '2026-09') s JOIN credits('2026-09') c \
                  USING (agreement, customer, service) WHERE s.status = 'issued' AND s.agreement = 'gateway' ORDER BY 1";
    assert_eq!(query(&store, issued), ["acme,true", "客户,true"]);
    let types = run(nines().arg("--store").arg(&store).args(["sql", "--format", "csv",
        "SELECT arrow_typeof(period_start), arrow_typeof(amount), arrow_typeof(revision) FROM credit_statements('2026-09') LIMIT 1"]));
    assert!(
        types.contains("Timestamp(µs, \"\"UTC\"\")") && types.contains("Decimal128(24, 6)") && types.contains("Int64"),
        "{types}"
    );
    let none = "SELECT count(*) FROM credit_statements('2026-08') WHERE status <> 'waiting'";
    assert_eq!(query(&store, none), ["0"]);
    // Months of which nothing is stored have none.
    assert!(
        credits(&store, 3, &["--statements", "--customer", "nobody"]).contains("there is no statement for 2026-09")
    );
    let text = credits(&store, 0, &["--statements", "--format", "json", "--customer", "buyer"]);
    assert!(
        text.contains("\"claim_by\":\"2026-10-03T00:00:00-04:00\"") && text.contains("\"side\":\"claimed\""),
        "{text}"
    );
}

/// What was issued is exported long after the rows behind it are gone, and after its agreement cannot be read any more.
#[test]
fn what_was_issued_is_exported_without_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    credits(&store, 0, &["--issue"]);
    let csv = credits(&store, 0, &["--statements", "--format", "csv"]);
    let reason = ["--reason", "test", "--even-issued"];
    run(nines().arg("--store").arg(&store).args(["delete", "requests", "--where", "true"]).args(reason));
    let after = credits(&store, 0, &["--statements", "--format", "csv"]);
    let issued =
        |text: &str| text.lines().filter(|line| line.ends_with(",issued")).map(str::to_string).collect::<Vec<_>>();
    assert_eq!(issued(&after), issued(&csv));
    assert_eq!(issued(&after).len(), 3, "{after}");
}

/// Two names that differ in case alone: both wait, whoever is asked for.
#[test]
fn whose_fee_it_is_does_not_depend_on_the_question() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    fees(&store, "2026-09,Late,gateway,CNY,80,,,\n");
    apply(&store, &AGREEMENTS.replace("2026-01-01", "2026-09-01").replace("late]", "late, Late]"));
    let sql = |more: &str| {
        query(&store, &format!("SELECT customer, amount, status FROM credit_statements('2026-09') {more} ORDER BY 1"))
    };
    assert_eq!(sql(""), ["Late,,waiting", "late,,waiting"]);
    assert_eq!(sql("WHERE customer = 'Late'"), ["Late,,waiting"]);
    assert!(credits(&store, 0, &["--statements", "--customer", "Late"]).contains("waiting"));
}

/// A spreadsheet runs a cell that begins as a formula does.
#[test]
fn names_that_a_spreadsheet_would_run_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut slices = vec![(at(172_799), 10, 0)];
    slices.extend((0..30).map(|day| (at(day * 5760 + 2880), 0, 0)));
    slices.sort_unstable();
    ingest(&store, 15, "=1+1", &slices);
    fees(&store, "2026-09,=1+1,gateway,CNY,10,,,\n");
    apply(&store, &AGREEMENTS.replace("[acme, 客户, late]", "\"=1+1\"").replace("  business: core\n", ""));
    let file = folder.path().join("owed.csv");
    let told = credits(&store, 0, &["--issue", "--agreement", "gateway", "--statements", "-o", file.to_str().unwrap()]);
    assert!(told.contains("note: a name begins as a formula does, the first is '=1+1'"), "{told}");
}
