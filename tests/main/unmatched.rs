//! Definitions and records that no stored row matches: told when they are applied and recorded, and by `slos`, with the nearest names.

use std::path::{Path, PathBuf};

use crate::{nines, query, run};

const ROWS: &str = "time,service,endpoint,customer,status,cause,requests
2026-10-03T09:00:00Z,login,/token,acme,200,,10
2026-10-03T09:01:00Z,login,/login,acme,503,upstream_timeout,1
2026-10-03T09:02:00Z,upload,/put,umbrella,0,,1
";

/// An SLO of the service over rows of requests.
fn slo(name: &str, service: &str, more: &str) -> String {
    format!(
        "---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: {service}\n  indicator:\n    metadata: \
         {{name: i}}\n    spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {{type: nines/availability, spec: {{party: \
         service{more}}}}}}}}}}}\n  budgetingMethod: Timeslices\n  objectives: [{{target: 0.9}}]\n"
    )
}

fn gauge(name: &str) -> String {
    format!(
        "---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: queue}}\nspec:\n  service: login\n  indicator:\n    metadata: {{name: \
         i}}\n    spec: {{thresholdMetric: {{metricSource: {{type: nines/gauge, spec: {{name: {name}}}}}}}}}\n  budgetingMethod: \
         Timeslices\n  objectives: [{{target: 0.9, op: lte, value: 5}}]\n"
    )
}

fn store(folder: &Path) -> PathBuf {
    let store = folder.join("nines");
    for (table, rows) in
        [("requests", ROWS), ("gauges", "time,service,name,value\n2026-10-03T09:00:00Z,login,queue-depth,1\n")]
    {
        let file = folder.join(format!("{table}.csv"));
        std::fs::write(&file, rows).unwrap();
        run(nines().arg("--store").arg(&store).args(["ingest", table]).arg(&file));
    }
    store
}

/// What a command that succeeds says beside its answer.
fn said(store: &Path, arguments: &[&str]) -> String {
    let done = nines().arg("--store").arg(store).args(arguments).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{said}");
    said
}

fn apply(store: &Path, definitions: &str) -> String {
    let file = store.with_extension("yaml");
    std::fs::write(&file, definitions).unwrap();
    said(store, &["apply", file.to_str().unwrap()])
}

#[test]
fn objectives_that_match_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let right = slo("right", "login", ", endpoint: [/token, \"/lo*\"], customer: acme");
    let told = apply(&store, &format!("{right}{}", gauge("queue-depth")));
    assert_eq!(told, "", "what matches is not told of");

    let wrong = [
        slo("service", "lgoin", ""),
        slo("endpoint", "login", ", endpoint: [/token, /tokne, \"/x*\"]"),
        slo("customer", "login", ", customer: acmee"),
        slo("cause", "login", ", causes: {upstream_timeot: nobody}"),
        slo("status", "upload", ""),
        gauge("queue-dept"),
    ];
    let told = apply(&store, &wrong.concat());
    for sentence in [
        "no row of requests has a service 'lgoin'; did you mean 'login'?",
        "no row of requests of service 'login' has an endpoint '/tokne'; did you mean '/token'?",
        "no row of requests of service 'login' has an endpoint that matches '/x*'; there are '/login', '/token'",
        "no row of requests of service 'login' has a customer 'acmee'; did you mean 'acme'?",
        "no row of requests of service 'login' has a cause 'upstream_timeot'; did you mean 'upstream_timeout'?",
        "no row of requests of service 'upload' has a status of 2xx, which the indicator counts",
        "no row of gauges of service 'login' has a name 'queue-dept'; did you mean 'queue-depth'?",
    ] {
        assert!(told.contains("nines.yaml:") && told.contains(sentence), "{sentence}: {told}");
    }
    assert_eq!(told.lines().count(), 7, "{told}");
    assert_eq!(apply(&store, &wrong.concat()), "", "what is recorded already was told of");

    let listed = query(&store, "SELECT objective FROM slos WHERE unmatched IS NOT NULL ORDER BY objective");
    assert_eq!(listed, ["cause", "customer", "endpoint", "queue", "service", "status"]);
    let slos = said(&store, &["slos"]);
    assert!(slos.contains("note: service: no row of requests has a service 'lgoin'; did you mean 'login'?"), "{slos}");
}

#[test]
fn agreements_exclusions_and_incidents() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let told = said(
        &store,
        &[
            "exclude",
            "2026-10-03 09:00",
            "2026-10-03 10:00",
            "--category",
            "Attack",
            "--reason",
            "x",
            "--service",
            "upolad",
        ],
    );
    assert!(told.contains("note: no stored row has a service 'upolad'; did you mean 'upload'?"), "{told}");
    let told = said(&store, &["incident", "INC-1", "--started", "2026-10-03 09:00", "--service", "logn"]);
    assert!(told.contains("note: no stored row has a service 'logn'; did you mean 'login'?"), "{told}");
    let agreement = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: gold}\nspec:\n  service: [login, \"log*\", uplod]\n  \
                     customer: [acme, umbrela]\n  valid: {except: [404, rate_limited]}\n  period: {duration: 1M, timeZone: UTC}\n  \
                     slice: 1m\n  measure: MeanErrorRate\n  commitment: 99.9%\n  credits: []\n  exclusions: [Attack, Atack]\n";
    let told = apply(&store, agreement);
    for sentence in [
        "no row of requests has a service 'uplod'; did you mean 'upload'?",
        "no row of requests of its services has a customer 'umbrela'",
        "no row of requests of its services has the status 404",
        "no row of requests of its services has a cause 'rate_limited'",
        "no exclusion is recorded in the category 'Atack'; did you mean 'Attack'?",
    ] {
        assert!(told.contains(sentence), "{sentence}: {told}");
    }
    assert!(told.contains("no credits are agreed yet"), "{told}");
    assert_eq!(told.lines().count(), 6, "{told}");
}

#[test]
fn what_was_not_looked_up_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("nines");
    let told = apply(&store, &slo("first", "login", ""));
    assert_eq!(told, "note: nothing is stored in requests yet, so that no names were looked up there\n");
}
