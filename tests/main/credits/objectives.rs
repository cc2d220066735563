//! Agreements that judge by an objective's events, of gauges or events that know no customer.

use std::fmt::Write;

use super::due::Store;
use crate::{fails, nines};

/// Probes of ten minutes, of September and October 2026 but for what is left out; those of some ten minutes of 5 October fail.
fn probes(store: &Store, failing: std::ops::Range<i64>, left_out: std::ops::Range<i64>) {
    let begins = chrono::DateTime::parse_from_rfc3339("2026-09-01T00:00:00Z").unwrap().timestamp();
    let fifth = chrono::DateTime::parse_from_rfc3339("2026-10-05T00:00:00Z").unwrap().timestamp();
    let mut rows = "time,service,endpoint,name,value\n".to_string();
    for number in (0..62 * 144).filter(|number| !left_out.contains(number)) {
        let at = begins + number * 600;
        let fails = failing.contains(&((at - fifth) / 600)) && at >= fifth;
        let at = chrono::DateTime::from_timestamp(at, 0).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
        writeln!(rows, "{at},login-probe,/,up,{}", u8::from(!fails)).unwrap();
    }
    store.put("gauges", &rows);
}

fn objective(name: &str, more: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: login-probe\n  indicator:\n    metadata: {{name: \
         {name}}}\n    spec: {{thresholdMetric: {{metricSource: {{type: nines/gauge, spec: {{name: up{more}}}}}}}}}\n  budgetingMethod: \
         Timeslices\n  objectives: [{{op: gte, value: 1, target: 0.99, timeSliceTarget: 1, timeSliceWindow: 10m}}]\n"
    )
}

fn agreement(more: &str) -> String {
    format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a, annotations: {{nines/effective-from: 2026-09-01}}}}\nspec:\n  service: \
         login\n  objective: probes\n  period: {{duration: 1M, timeZone: UTC}}\n  slice: 10m\n  measure: BadSlices\n  bad: errorRate > \
         0%\n  commitment: 99.9%\n  credits: [{{below: 99.9%, percent: 10}}]\n{more}"
    )
}

fn store(folder: &std::path::Path, failing: std::ops::Range<i64>, left_out: std::ops::Range<i64>, more: &str) -> Store {
    let store = Store::new(folder);
    probes(&store, failing, left_out);
    store.fees(&["2026-10,acme,login,EUR,100,,", "2026-10,nova,login,EUR,50,,", "2026-10,nova,other,EUR,5,,"]);
    store.apply(&[objective("probes", more), agreement("  exclusions: [Maintenance]\n")]);
    store
}

const FIGURES: &str = "customer, slices, valid, failed, availability_exact, amount, complete";
const NOW: &str = "2026-11-03T00:00:00Z";

#[test]
fn every_customer_is_credited_for_what_a_probe_saw() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 60..72, 0..0, "");
    // Of 4464 ten minutes 12 failed.
    let rows = |customer: &str, failed: u32, exact: &str, amount: &str| {
        format!("{customer},4464,4464,{failed},{exact},{amount},true")
    };
    let as_counted = [rows("acme", 12, "371/372", "10.000000"), rows("nova", 12, "371/372", "5.000000")];
    assert_eq!(store.sql(FIGURES, "credits('2026-10') ORDER BY customer"), as_counted);
    let customer = "credits('2026-10') WHERE customer = 'nova'";
    assert_eq!(store.sql(FIGURES, customer), [as_counted[1].as_str()], "narrowed it is the same");
    let said = store.said_at(NOW, 0, &["2026-10", "--issue"]);
    assert!(said.contains("'nova' has a fee for other"), "{said}");
    let pages = folder.path().join("pages");
    store.said(0, &["2026-10", "--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-10-acme.md")).unwrap();
    for line in ["Those of the objective probes count", "4,464 events of the objective probes were counted"] {
        assert!(page.contains(line), "{line}: {page}");
    }
    store.said_at(NOW, 0, &["2026-10", "--verify"]);

    // What is excluded under the agreement alone, and what the objective itself leaves out.
    for (category, customer) in [("Maintenance", "nova"), ("Attack", "")] {
        let mut command = nines();
        command.arg("--store").arg(&store.0).args([
            "exclude",
            "2026-10-05T10:00Z",
            "2026-10-05T11:00Z",
            "--reason",
            "x",
        ]);
        command.args(["--category", category]);
        if !customer.is_empty() {
            command.args(["--customer", customer]);
        }
        crate::run(&mut command);
    }
    let half = [rows("acme", 12, "371/372", "10.000000"), rows("nova", 6, "743/744", "5.000000")];
    assert_eq!(
        store.sql(FIGURES, "credits('2026-10') ORDER BY customer"),
        half,
        "an attack is no exclusion of the agreement"
    );
}

#[test]
fn probes_that_are_missing_are_told_or_fail() {
    let folder = tempfile::tempdir().unwrap();
    // 20 October has none.
    let day = 49 * 144..50 * 144;
    let silent = store(&folder.path().join("."), 0..0, day.clone(), "");
    let said = silent.said_at(NOW, 1, &["2026-10", "--issue"]);
    let why = "of objective probes there is no row, exclusion or incident on 2026-10-20";
    assert!(said.contains(why), "{said}");
    assert_eq!(silent.sql("valid, failed, complete", "credits('2026-10') LIMIT 1"), ["4320,0,false"]);
    // Or the objective says that it is an error when there are none.
    let folder = tempfile::tempdir().unwrap();
    let strict = store(folder.path(), 0..0, day.start..day.start + 3, ", noData: error");
    assert_eq!(strict.sql("valid, failed, complete", "credits('2026-10') LIMIT 1"), ["4464,3,true"]);
}

#[test]
fn rows_behind_an_objective_are_rows_behind_statements() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 60..72, 0..0, "");
    // Another agreement, of requests, does not suffer.
    super::silent(&store.0, "gateway", "", "2026-10-01", 31);
    store.apply(&[super::due::agreement("other", "1M", "")]);
    store.fees(&["2026-10,acme,gateway,EUR,100,,"]);
    store.said_at(NOW, 0, &["2026-10", "--issue"]);
    let run = |arguments: &[&str]| {
        let output = nines().arg("--store").arg(&store.0).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code(), text)
    };
    let (code, said) =
        run(&["delete", "gauges", "--where", "time < TIMESTAMP '2026-10-05T12:00:00Z'", "--reason", "x"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("a statement was issued from some of these rows: a for 'acme', login, 2026-10"), "{said}");
    let gauge =
        |value: u32| format!("time,service,endpoint,name,value\n2026-10-05T10:00:00Z,login-probe,/,up,{value}\n");
    store.put("gauges", &gauge(1));
    let said = store.said(0, &["2026-10", "--moved"]);
    assert!(
        said.contains(
            "days of login-probe, 2026-10, 2 statements: 30 of 31 are final, unchanged since version 1 of gauges"
        ),
        "{said}"
    );
    assert!(said.contains("days of gateway, 2026-10, 1 statement: 31 of 31 are final"), "{said}");
    assert!(said.contains("2 of 3 statements moved since issued"), "{said}");
    store.put("gauges", &gauge(0));

    // A year later.
    let (code, said) = run(&["retain", "gauges", "1d"]);
    assert_eq!(code, Some(0), "{said}");
    let said = store.said(4, &["2026-10", "--verify"]);
    assert!(said.contains("follow from rows of gauges that were removed"), "{said}");
    assert_eq!(store.sql("amount", "credits('2026-10') WHERE agreement = 'other'"), ["0.000000"]);
}

#[test]
fn a_store_of_gauges_alone_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 60..72, 0..0, "");
    // Rows from which nothing was issued stay.
    let retain =
        nines().env("NINES_NOW", NOW).arg("--store").arg(&store.0).args(["retain", "gauges", "30d"]).output().unwrap();
    let said = String::from_utf8(retain.stderr).unwrap();
    assert!(
        said.contains("the credit of agreement a for 'acme', login, 2026-10 was not issued yet; nothing was removed"),
        "{said}"
    );
    // An incident that goes on loses telemetry up to the newest sample.
    store.put("incidents", "id,service,title,started,telemetry_lost\nI,login,x,2026-10-20T00:00:00Z,true\n");
    store.apply(&[agreement("  lostTelemetry: {estimateFrom: 7d}\n")]);
    let from = "credits('2026-10') WHERE customer = 'acme'";
    assert_eq!(store.sql("lost_slices, complete", from), ["1728,true"]);
    store.put(
        "incidents",
        "id,service,title,started,telemetry_lost,withdrawn\nI,login,x,2026-10-20T00:00:00Z,true,true\n",
    );
    let said = store.said_at(NOW, 0, &["--pending"]);
    assert!(said.contains("issued     2 statements and 0 revisions for 2026-10"), "{said}");
    assert_eq!(store.sql("count(*)", "statements"), ["2"]);
    assert!(store.said_at(NOW, 3, &["--pending"]).contains("nothing is pending"));
}

#[test]
fn samples_that_are_held_into_a_month_are_rows_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    // The night before October fails, and says nothing for half an hour.
    probes(&store, 0..0, 30 * 144..30 * 144 + 3);
    store.put("gauges", "time,service,endpoint,name,value\n2026-09-30T23:50:00Z,login-probe,/,up,0\n");
    store.fees(&["2026-10,acme,login,EUR,100,,"]);
    store.apply(&[objective("probes", ", hold: 30m"), agreement("")]);
    // An event for each minute of the store for which a sample stands.
    assert_eq!(store.sql("failed", "credits('2026-10')"), ["20"]);
    store.said_at(NOW, 0, &["2026-10", "--issue"]);
    let delete = ["delete", "gauges", "--where", "time = TIMESTAMP '2026-09-30T23:50:00Z'", "--reason", "x"];
    let said = fails(1, nines().arg("--store").arg(&store.0).args(delete));
    assert!(said.contains("a statement was issued from some of these rows"), "{said}");
}

#[test]
fn a_metric_may_be_an_objective_beside_requests() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 60..72, 0..0, "");
    super::silent(&store.0, "login", "", "2026-09-01", 61);
    store.requests(&["2026-10-07T00:00:00Z,,login,/,acme,503,1", "2026-10-07T00:01:00Z,,login,/,acme,200,9"]);
    let metrics = agreement(
        "  metrics:\n    - {name: probed}\n    - {name: errors, measure: Occurrences, credits: [{below: 99.9%, percent: 25}]}\n  together: \
         largest\n",
    );
    let text =
        metrics.replace("  objective: probes\n", "").replace("{name: probed}", "{name: probed, objective: probes}");
    let text = text
        .replace("  measure: BadSlices\n  bad: errorRate > 0%\n", "")
        .replace("objective: probes}", "objective: probes, measure: BadSlices, bad: errorRate > 0%}");
    store.apply(&[text]);
    assert_eq!(
        store.sql("customer, figure, valid, failed, amount", "credits('2026-10') ORDER BY customer"),
        ["acme,errors,10,1,25.000000", "nova,probed,4464,12,5.000000"]
    );
}

#[test]
fn what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), 0..0, 0..0, "");
    let file = folder.path().join("refused.yaml");
    for (clause, why) in [
        ("  party: gateway\n", "'party' means nothing beside 'objective', which says itself what counts"),
        ("  failed: {status: [5xx]}\n", "'failed' means nothing beside 'objective'"),
        ("  endpoint: /\n", "'endpoint' means nothing beside 'objective'"),
    ] {
        std::fs::write(&file, agreement(clause)).unwrap();
        let said = fails(1, nines().arg("--store").arg(&store.0).arg("apply").arg(&file));
        assert!(said.contains(why), "{clause}: {said}");
    }
    // Another name is told when it is applied, and whenever it is judged.
    std::fs::write(&file, agreement("").replace("objective: probes", "objective: probe")).unwrap();
    let output = nines().arg("--store").arg(&store.0).arg("apply").arg(&file).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("there is no objective 'probe' to judge by; did you mean 'probes'?"), "{said}");
    let said = store.said_at(NOW, 5, &["2026-10", "--issue"]);
    assert!(
        said.contains("agreement a cannot judge: there is no objective 'probe' to judge by; did you mean 'probes'?"),
        "{said}"
    );
    let part = |name: &str| {
        format!(
            "    - displayName: {name}\n      indicator: {{metadata: {{name: {name}}}, spec: {{thresholdMetric: {{metricSource: {{type: \
             nines/gauge, spec: {{name: up}}}}}}}}}}\n      op: gte\n      value: 1\n      target: 0.99\n      timeSliceTarget: 1\n      \
             timeSliceWindow: 10m\n"
        )
    };
    let two = format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: both}}\nspec:\n  service: login-probe\n  budgetingMethod: \
         Timeslices\n  objectives:\n{}{}",
        part("strict"),
        part("lax")
    );
    std::fs::write(&file, format!("{two}---\n{}", agreement("").replace("objective: probes", "objective: both")))
        .unwrap();
    let output = nines().arg("--store").arg(&store.0).arg("apply").arg(&file).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("'both' has several objectives, and an agreement judges by one of them: both/strict, both/lax"),
        "{said}"
    );
    // Slices that do not make up.
    store.apply(&[agreement("").replace("slice: 10m", "slice: 15m").replace("name: a,", "name: b,")]);
    let said = store.said_at(NOW, 5, &["2026-10", "--agreement", "b", "--issue"]);
    assert!(said.contains("slices of 900 s are not made up by those of objective 'probes', of 600 s"), "{said}");
}
