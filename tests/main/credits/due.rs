//! What is due when: business, months of a fee, agreements side by side, data that are not there yet.

use std::path::{Path, PathBuf};

use super::{apply, silent};
use crate::{fails, nines, query, run};

pub(super) struct Store(pub PathBuf);

impl Store {
    pub fn new(folder: &Path) -> Self {
        Store(folder.join("store"))
    }

    /// Stores rows, the header first.
    pub fn put(&self, table: &str, rows: &str) -> &Self {
        let file = self.0.with_extension(format!("{table}.csv"));
        std::fs::write(&file, rows).unwrap();
        run(nines().arg("--store").arg(&self.0).args(["ingest", table, "--any-time"]).arg(&file));
        self
    }

    pub fn requests(&self, rows: &[&str]) -> &Self {
        self.put("requests", &format!("time,business,service,endpoint,customer,status,requests\n{}\n", rows.join("\n")))
    }

    pub fn fees(&self, rows: &[&str]) -> &Self {
        self.put(
            "fees",
            &format!("period,customer,service,currency,amount,active_from,active_until\n{}\n", rows.join("\n")),
        )
    }

    pub fn silent(&self, business: &str, from: &str, days: u64) -> &Self {
        silent(&self.0, "gateway", business, from, days);
        self
    }

    pub fn lost(&self, row: &str) -> &Self {
        self.put("incidents", &format!("id,business,service,title,started,fixed,telemetry_lost\n{row},true\n"))
    }

    pub fn apply(&self, definitions: &[String]) -> &Self {
        apply(&self.0, &definitions.join("---\n"));
        self
    }

    pub fn said(&self, code: i32, arguments: &[&str]) -> String {
        self.said_at("", code, arguments)
    }

    /// The same at a time.
    pub fn said_at(&self, now: &str, code: i32, arguments: &[&str]) -> String {
        let mut command = nines();
        command.env("NINES_NOW", now).arg("--store").arg(&self.0).arg("credits").args(arguments);
        let done = command.output().unwrap();
        let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert_eq!(done.status.code(), Some(code), "{text}");
        text
    }

    pub fn sql(&self, columns: &str, from: &str) -> Vec<String> {
        query(&self.0, &format!("SELECT {columns} FROM {from}"))
    }
}

pub(super) fn agreement(name: &str, duration: &str, more: &str) -> String {
    format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: {name}, annotations: {{nines/effective-from: 2020-01-01}}}}\n\
         spec:\n  service: gateway\n  period: {{duration: {duration}, timeZone: UTC}}\n  slice: 1h\n  measure: MeanErrorRate\n  \
         commitment: 99.9%\n  credits: [{{below: 99.9%, percent: 10}}, {{below: 90%, percent: 50}}]\n{more}"
    )
}

fn service(business: &str, from: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: Service\nmetadata: {{name: gateway, labels: {{business: {business}}}, annotations: \
         {{nines/effective-from: {from}}}}}\nspec: {{}}\n"
    )
}

const LOST: &str = "  lostTelemetry: {estimateFrom: 7d}\n";

#[test]
fn a_new_label_of_a_service_rewrites_no_past_month() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&[
        "2026-01-01T00:00:00Z,retail,gateway,/,acme,503,100",
        "2026-01-31T23:59:00Z,retail,gateway,/,acme,200,100",
    ]);
    store.fees(&["2026-01,acme,gateway,EUR,1000,,"]);
    store.silent("retail", "2026-01-01", 31);
    store.apply(&[agreement("g", "1M", ""), service("retail", "2020-01-01")]);
    store.said(0, &["2026-01", "--issue"]);
    store.apply(&[service("wholesale", "2026-02-01")]);
    assert_eq!(store.sql("business, failed", "credits('2026-01')"), ["retail,100"]);
    assert!(store.said(0, &["2026-01", "--verify"]).ends_with("1 statements hold\n"));
    // Changed inside a month, the rows go with it.
    store.apply(&[service("games", "2026-01-15")]);
    store.requests(&[
        "2026-01-20T00:00:00Z,games,gateway,/,acme,200,7",
        "2026-01-20T01:00:00Z,retail,gateway,/,acme,200,9",
    ]);
    assert_eq!(store.sql("business, valid", "credits('2026-01')"), ["retail,107"]);
}

#[test]
fn figures_do_not_depend_on_whose_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&[
        "2026-01-01T00:00:00Z,retail,gateway,/,acme,200,100",
        "2026-01-31T23:59:00Z,retail,gateway,/,acme,200,100",
    ]);
    store.fees(&["2026-01,acme,gateway,EUR,1000,,", "2026-01,nova,gateway,EUR,1000,,"]);
    store.lost("I1,retail,gateway,x,2026-01-10T00:00:00Z,2026-01-12T00:00:00Z");
    store.apply(&[agreement("g", "1M", LOST)]);
    let nova = "nova,retail,48,100.000000";
    let columns = "customer, business, lost_slices, amount";
    assert_eq!(store.sql(columns, "credits('2026-01') ORDER BY customer")[1], nova);
    assert_eq!(store.sql(columns, "credits('2026-01') WHERE customer = 'nova'"), [nova]);
    store.said(0, &["2026-01", "--issue", "--incomplete"]);
    assert!(store.said(0, &["2026-01", "--verify", "--customer", "nova"]).ends_with("1 statements hold\n"));
}

/// Where nothing depends on it, the pass itself notices of which business a service is; of all of its customers it must be told.
#[test]
fn the_business_of_a_silent_customer_is_that_of_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&["2026-01-01T00:00:00Z,retail,gateway,/,acme,200,100"]);
    store.fees(&["2026-01,acme,gateway,EUR,1000,,", "2026-01,nova,gateway,EUR,1000,,"]);
    store.apply(&[agreement("g", "1M", "")]);
    let all = store.sql("customer, business", "credits('2026-01') ORDER BY customer");
    assert_eq!(all, ["acme,retail", "nova,retail"]);
    for narrowed in
        ["customer = 'nova'", "customer = 'nova' OR service = 'other'", "customer LIKE 'n%' AND service = 'gateway'"]
    {
        let nova = store.sql("customer, business", &format!("credits('2026-01') WHERE {narrowed}"));
        assert_eq!(nova, ["nova,retail"], "{narrowed}");
    }
}

#[test]
fn only_rows_that_count_say_of_which_business_a_service_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&[
        "2026-01-01T00:00:00Z,alpha,gateway,/b,acme,200,100",
        "2026-01-02T00:00:00Z,beta,gateway,/a,acme,200,100",
        "2026-02-01T00:00:00Z,gamma,gateway,/a,acme,200,100",
    ]);
    store.apply(&[agreement("g", "1M", "  endpoint: /a\n")]);
    assert_eq!(store.sql("business, valid", "credits('2026-01')"), ["beta,100"]);
    assert_eq!(store.sql("business, valid", "credits('2026-02')"), ["gamma,100"]);
    store.requests(&["2026-01-03T00:00:00Z,alpha,gateway,/a,nova,200,100"]);
    let narrowed = "SELECT * FROM credits('2026-01') WHERE customer = 'acme'";
    let said = fails(1, nines().arg("--store").arg(&store.0).args(["sql", narrowed]));
    assert!(said.contains("service gateway in two businesses, 'alpha' and 'beta'"), "{said}");
}

#[test]
fn a_statement_never_replaces_another() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&["2026-01-01T00:00:00Z,,gateway,/,acme,503,100", "2026-03-31T23:59:00Z,,gateway,/,acme,200,100"]);
    store.fees(&["2026-01,acme,gateway,EUR,1000,,"]);
    store.silent("", "2026-01-01", 90);
    store.apply(&[agreement("g", "1M", "")]);
    store.said(0, &["2026-01", "--issue"]);
    // A correction, not another version: the quarter is named like the month.
    store.apply(&[agreement("g", "1Q", "")]);
    for month in ["2026-03", "2026-01"] {
        let said = store.said(1, &[month, "--issue", "--agreement", "g"]);
        assert!(said.contains("was issued for other months") && said.contains("a name of its own"), "{said}");
    }
    assert_eq!(store.sql("period, revision, availability_exact", "statements"), ["2026-01,1,743/744"]);
    assert!(store.said(4, &["2026-01", "--verify"]).contains("evidence holds"));
}

#[test]
fn a_quarter_counts_the_months_in_which_the_customer_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&[
        "2026-01-01T00:00:00Z,,gateway,/,acme,200,100",
        "2026-03-20T05:00:00Z,,gateway,/,acme,503,100",
        "2026-03-31T23:59:00Z,,gateway,/,acme,200,100",
    ]);
    store.silent("", "2026-01-01", 90);
    let quarter = |columns: &str| store.sql(columns, "credits('2026-01')");
    store.apply(&[agreement("q", "1Q", "")]);
    store.fees(&["2026-02,acme,gateway,EUR,1000,2026-02-15T00:00:00Z,", "2026-03,acme,gateway,EUR,2000,,"]);
    assert_eq!(quarter("started, slices, fee_base"), ["2026-02-15T00:00:00Z,1080,3000.000000"], "March says nothing");
    // Away from 11 January to 15 February: a gap, in which nothing is judged.
    store.fees(&["2026-01,acme,gateway,EUR,500,,2026-01-11T00:00:00Z"]);
    assert_eq!(quarter("started, slices, valid, fee_base"), ["2026-01-01T00:00:00Z,1320,300,3500.000000"]);
    store.said(0, &["2026-03", "--issue"]);
    assert!(store.said(0, &["2026-03", "--verify"]).ends_with("1 statements hold\n"));
    let pages = folder.path().join("pages");
    store.said(0, &["2026-02", "--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-01-to-2026-03-acme.md")).unwrap();
    for month in [
        "| 2026-01 | 100 | 0 | 0 of 240 slices | 100 % |",
        "| 2026-02 | 0 | 0 | 0 of 336 slices | 100 % |",
        "| 2026-03 | 200 | 100 | 1 of 744 slices | 99.865591 % |",
        "| all | 300 | 100 | 1 of 1,320 slices | 99.924242 % |",
    ] {
        assert!(page.contains(month), "{page}");
    }
    assert!(
        page.contains("Not judged is 2026-01-11 00:00 to 2026-02-15 00:00 (UTC): the customer was not there."),
        "{page}"
    );
    // An agreement that began in March has no claim to what was paid before.
    let later = agreement("q", "1Q", "").replace("name: q", "name: late").replace("2020-01-01", "2026-03-01");
    store.apply(&[later]);
    let late = store.sql("slices, fee_base", "credits('2026-01') WHERE agreement = 'late'");
    assert_eq!(late, ["744,2000.000000"]);
}

#[test]
fn an_estimate_looks_back_only_to_when_the_customer_came() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let hours =
        |day: &str| (0..24).map(move |hour| format!("{day}T{hour:02}:00:00Z,,gateway,/,acme,200,100")).collect();
    let rows: Vec<String> =
        ["2026-01-31", "2026-02-01", "2026-02-02"].iter().flat_map(|day| -> Vec<_> { hours(day) }).collect();
    let mut rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    rows.push("2026-02-28T23:59:00Z,,gateway,/,acme,503,1");
    store.requests(&rows);
    store.silent("", "2026-02-01", 28);
    store.lost("I1,,gateway,x,2026-02-02T00:00:00Z,2026-02-03T00:00:00Z");
    store.fees(&["2026-01,acme,gateway,EUR,1000,2026-01-31T00:00:00Z,", "2026-02,acme,gateway,EUR,1000,,"]);
    store.apply(&[agreement("g", "1M", LOST).replace("MeanErrorRate", "Occurrences")]);
    let month = |columns: &str| store.sql(columns, "credits('2026-02')");
    // 48 hours of 100 requests, 24 hours of them lost.
    assert_eq!(month("estimated, complete"), ["2400.0,true"]);
    // At best what was counted in the lost hours is all there was.
    assert_eq!(month("availability_exact, availability_best"), ["2400/4801,99.979171"]);
    // A customer since ever would have been there on days that were never stored.
    store.fees(&["2026-01,acme,gateway,EUR,1000,,"]);
    assert_eq!(month("complete"), ["false"]);
    let said = store.said(1, &["2026-02", "--issue"]);
    let missing = "of service gateway there is no row, exclusion or incident on 2026-01-26 to 2026-01-30";
    assert!(said.contains(missing), "{said}");
}

#[test]
fn an_incident_that_goes_on_revises_no_month_that_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&["2026-01-01T00:00:00Z,,gateway,/,acme,200,100", "2026-02-01T05:59:00Z,,gateway,/,acme,200,100"]);
    store.silent("", "2026-01-01", 31);
    store.lost("I1,,gateway,x,2026-01-31T20:00:00Z,");
    store.fees(&["2026-01,acme,gateway,EUR,1000,,"]);
    store.apply(&[agreement("g", "1M", LOST)]);
    store.said(0, &["2026-01", "--issue"]);
    store.requests(&["2026-02-02T00:00:00Z,,gateway,/,acme,200,100"]);
    assert!(store.said(0, &["2026-01", "--verify"]).ends_with("1 statements hold\n"));
    assert!(store.said(3, &["2026-01", "--issue"]).contains("nothing to issue"));
}

#[test]
fn a_month_of_which_no_data_are_there_is_not_one_without_anything_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&["2025-11-01T00:00:00Z,,gateway,/,acme,200,1", "2025-11-30T23:59:00Z,,gateway,/,acme,200,1"]);
    store.silent("", "2025-11-01", 30);
    let ended = agreement("old", "1M", "").replace("2020-01-01", "2020-01-01, nines/effective-until: 2021-01-01");
    store.apply(&[agreement("g", "1M", ""), ended]);
    for month in ["2025-12", "2025-10"] {
        let said = store.said(1, &[month, "--issue"]);
        assert!(said.contains("is not complete for agreement g"), "{said}");
    }
    assert!(store.said(1, &["2999-12"]).contains("2999-12 has not begun yet"));
    // Nothing is judged any more by what has ended, and nothing is missing.
    store.said(3, &["2025-12", "--issue", "--agreement", "old"]);
    store.said(3, &["2025-11", "--issue", "--agreement", "g", "--customer", "nova"]);
}

#[test]
fn a_quarter_is_issued_with_its_last_month() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&["2026-01-01T00:00:00Z,,gateway,/,acme,503,1", "2026-02-01T00:00:00Z,,gateway,/,acme,200,1"]);
    store.fees(&["2026-01,acme,gateway,EUR,1000,,", "2026-03,acme,gateway,EUR,1000,,"]);
    store.silent("", "2026-01-01", 31);
    store.apply(&[agreement("q", "1Q", ""), agreement("m", "1M", "")]);
    let file = folder.path().join("issued.csv");
    let said = store.said(0, &["2026-01", "--issue", "-o", file.to_str().unwrap()]);
    assert!(said.contains("issued     1 statement") && said.contains("left out q: its period is not over"), "{said}");
    let exported = std::fs::read_to_string(file).unwrap();
    assert!(exported.lines().count() == 2 && exported.contains("\nm,acme,"), "what was issued: {exported}");
    assert!(store.said(0, &["2026-01", "--verify"]).ends_with("1 statements hold\n"));
    assert!(store.said(1, &["2026-01", "--issue", "--agreement", "q"]).contains("not complete for agreement q"));
    // Over by the calendar, and not stored.
    assert!(store.said(1, &["2026-03", "--issue"]).contains("2026-03 is not complete"));
    store.requests(&["2026-03-31T23:59:00Z,,gateway,/,acme,200,1"]).silent("", "2026-02-01", 59);
    assert!(store.said(0, &["2026-03", "--issue"]).contains("issued     2 statements"));
    // The month and the quarter have a page each.
    let pages = folder.path().join("pages");
    store.said(0, &["2026-03", "--pages", pages.to_str().unwrap()]);
    for (page, period) in [("2026-03", "March 2026"), ("2026-01-to-2026-03", "January 2026 to March 2026")] {
        let page = std::fs::read_to_string(pages.join(format!("{page}-acme.html"))).unwrap();
        assert!(page.contains(period));
    }
}

#[test]
fn fees_of_other_services_are_no_matter_of_an_agreement() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.fees(&["2026-01,acme,login,EUR,1000,,", "2026-02,acme,login,USD,1000,,", "2026-02,acme,gateway,EUR,7,,"]);
    store.apply(&[agreement("q", "1Q", "")]);
    assert_eq!(store.sql("service, fee_base", "credits('2026-01')"), ["gateway,7.000000"]);
    store.fees(&["2026-01,acme,gateway,USD,7,,"]);
    let said = store.said(5, &["2026-01"]);
    assert!(said.contains("one period is paid in one currency"), "{said}");
}

#[test]
fn who_is_only_seen_in_lost_or_removed_slices_has_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.requests(&["2026-01-10T00:00:00Z,,gateway,/,acme,200,1", "2026-01-20T00:00:00Z,,gateway,/,nova,200,1"]);
    store.lost("I1,,gateway,x,2026-01-10T00:00:00Z,2026-01-11T00:00:00Z");
    store
        .put("exclusions", "id,category,started,ended,reason\nE1,Attack,2026-01-20T00:00:00Z,2026-01-21T00:00:00Z,x\n");
    store.apply(&[agreement("g", "1M", &format!("{LOST}  excludedTime: removed\n  exclusions: [Attack]\n"))]);
    assert_eq!(store.sql("customer, valid", "credits('2026-01') ORDER BY customer"), ["acme,0", "nova,0"]);
}

#[test]
fn at_worst_what_was_not_measured_joins_short_outages() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let every_other =
        (0..31 * 12).map(|i| format!("2026-01-{:02}T{:02}:00:00Z,,gateway,/,acme,503,9", i / 12 + 1, i % 12 * 2));
    let rows: Vec<String> = every_other.collect();
    let mut rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    rows.push("2026-01-31T23:59:00Z,,gateway,/,acme,200,1");
    store.requests(&rows);
    let terms = agreement("g", "1M", "  bad: errorRate > 10%\n  minRun: 5h\n").replace("MeanErrorRate", "Downtime");
    store.apply(&[terms]);
    // Only the last hour is known to have been good.
    let figures = store.sql("availability_exact, availability_worst", "credits('2026-01')");
    assert_eq!(figures, ["1/1,0.134409"]);
}
