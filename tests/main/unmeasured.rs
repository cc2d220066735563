//! Objectives that are defined and that Nines does not measure: listed with the reason, by whatever shows objectives.

use std::path::Path;

use crate::{nines, query, run};

const DEFINITIONS: &str = "apiVersion: openslo/v1
kind: SLO
metadata: {name: latency-elsewhere}
spec:
  service: login
  indicator:
    metadata: {name: i}
    spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: up}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.95, op: lte, value: 1}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: sign-in}
spec:
  service: login
  indicator:
    metadata: {name: i}
    spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/events, spec: {name: sign-in}}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: orders}
spec:
  service: shop
  indicator:
    metadata: {name: i}
    spec:
      ratioMetric:
        good: {metricSource: {metricSourceRef: datadog, spec: {query: a}}}
        total: {metricSource: {metricSourceRef: datadog, spec: {query: b}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
";

fn store(folder: &Path) -> std::path::PathBuf {
    let (store, rows, file) = (folder.join("nines"), folder.join("events.csv"), folder.join("slo.yaml"));
    std::fs::write(&rows, "time,service,name,good,total\n2026-10-03T09:00:00Z,login,sign-in,5,10\n").unwrap();
    std::fs::write(&file, DEFINITIONS).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "events"]).arg(&rows));
    let done = nines().arg("--store").arg(&store).arg("apply").arg(&file).output().unwrap();
    let warned = String::from_utf8(done.stderr).unwrap();
    assert!(warned.contains("does not measure indicators of type Prometheus"), "{warned}");
    store
}

#[test]
fn what_is_not_measured_is_listed_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let columns =
        "objective, service, target, indicator, starts_with(not_measured, 'Nines does not measure indicators of')";
    assert_eq!(
        query(&store, &format!("SELECT {columns} FROM slos ORDER BY objective")),
        ["latency-elsewhere,login,0.95,,true", "orders,shop,0.9,,true", "sign-in,login,0.9,nines/events,"]
    );
    let done = nines().arg("--store").arg(&store).arg("slos").output().unwrap();
    let (slos, notes) = (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap());
    assert!(slos.contains("latency-elsewhere") && slos.contains("┆ not measured"), "{slos}");
    assert!(
        notes.contains("note: latency-elsewhere: not measured: Nines does not measure indicators of type"),
        "{notes}"
    );

    let report = |by: &str, columns: &str| {
        query(
            &store,
            &format!("SELECT {columns} FROM report('2026-10-01', '2026-11-01', '{by}') ORDER BY service, objective"),
        )
    };
    assert_eq!(
        report("objective", "service, objective, slo, slo_error_time, target, failures, not_measured IS NOT NULL"),
        ["login,latency-elsewhere,,,0.95,,true", "login,sign-in,0.0,60.0,0.9,1,false", "shop,orders,,,0.9,,true"]
    );
    let why = "regexp_replace(not_measured, ': .*', '')";
    assert_eq!(report("service", &format!("service, slo, {why}")), ["login,0.0,latency-elsewhere", "shop,,orders"]);
    let both = report("company", "not_measured").join("");
    assert!(both.contains("latency-elsewhere: ") && both.contains("orders: "), "a union says what it lacks: {both}");
    let one = "SELECT service FROM report('2026-10-01', '2026-11-01', 'objective') WHERE objective = 'orders'";
    assert_eq!(query(&store, one), ["shop"]);
}

#[test]
fn the_shell_says_so_of_an_objective() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path());
    let mut shell = nines();
    shell.current_dir(folder.path()).arg("shell").write_stdin("\\slo orders\n\\slo\n");
    let said = run(&mut shell);
    assert!(said.contains("measured  not: Nines does not measure indicators of metric source datadog"), "{said}");
    assert!(said.contains("not measured: Nines does not measure indicators of type Prometheus"), "{said}");
}
