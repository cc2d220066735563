//! `nines apply --dry-run --compare`: what a proposed definition would have said.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use crate::{nines, query, run};

const FROM_TO: [&str; 2] = ["2026-10-03", "2026-10-04"];

/// An objective of one slice target.
fn definition(slice_target: &str, annotations: &str) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: sign-in, annotations: {{{annotations}}}}}
spec:
  service: login
  indicator:
    metadata: {{name: sign-in}}
    spec:
      ratioMetric:
        rawType: success
        raw: {{metricSource: {{type: nines/events, spec: {{name: sign-in, noData: ignore}}}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Timeslices
  objectives: [{{target: 0.9, timeSliceTarget: {slice_target}, timeSliceWindow: 1m}}]
"
    )
}

/// Two minutes, of which one is half good, and an objective that it does not meet.
fn store(folder: &Path) {
    let rows = "time,service,name,good,total\n2026-10-03T09:00:00Z,login,sign-in,5,10\n2026-10-03T18:00:00Z,login,sign-in,9,10\n";
    std::fs::write(folder.join("events.csv"), rows).unwrap();
    std::fs::write(folder.join("in-force.yaml"), definition("0.8", "")).unwrap();
    run(nines().current_dir(folder).args(["ingest", "events", "events.csv"]));
    run(nines().current_dir(folder).args(["apply", "in-force.yaml"]));
}

/// The last column of what is said of a proposal: error time as proposed.
fn compare(folder: &Path, proposed: &str) -> String {
    std::fs::write(folder.join("proposed.yaml"), proposed).unwrap();
    run(nines().current_dir(folder).args(["apply", "proposed.yaml", "--dry-run", "--compare"]).args(FROM_TO))
}

#[test]
fn a_proposal_is_judged_as_if_it_had_been_in_force() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path());
    let figures = |said: &str| -> Vec<String> {
        let row = said.lines().find(|line| line.starts_with("│ login")).unwrap();
        row.trim_matches('│').split('┆').map(|cell| cell.trim().to_string()).collect()
    };
    // Without a date and with one to come: what was in force, and what would have been said in its place.
    for annotations in ["", "nines/effective-from: 2999-01-01"] {
        let said = compare(folder.path(), &definition("0.4", annotations));
        assert_eq!(figures(&said)[4..8], ["0.5", "1", "60", "0"], "{said}");
    }
    // With a date inside the range: only from then on.
    let noon = "nines/effective-from: 2026-10-03T12:00:00Z";
    let said = compare(folder.path(), &definition("0.95", noon));
    assert_eq!(figures(&said)[4..8], ["0.5", "0", "60", "120"], "{said}");
    let said = compare(folder.path(), &definition("0.4", noon));
    assert!(said.ends_with("the proposed definitions say the same of this range as those in force\n"), "{said}");
    let said = compare(folder.path(), &definition("0.8", ""));
    assert!(said.ends_with("the proposed definitions say the same of this range as those in force\n"), "{said}");
    // Nothing was recorded.
    assert_eq!(query(&folder.path().join("nines"), "SELECT count(*) FROM definitions"), ["1"]);
}

/// Every file of a folder, how long it is and when it was changed.
fn files(folder: &Path, found: &mut BTreeMap<String, (u64, SystemTime)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let (path, about) = entry.map(|entry| (entry.path(), entry.metadata().unwrap())).unwrap();
        found.insert(path.display().to_string(), (about.len(), about.modified().unwrap()));
        if about.is_dir() {
            files(&path, found);
        }
    }
}

#[test]
fn a_dry_run_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path());
    std::fs::write(folder.path().join("proposed.yaml"), definition("0.4", "")).unwrap();
    let mut before = BTreeMap::new();
    files(&folder.path().join("nines"), &mut before);
    compare(folder.path(), &definition("0.4", ""));
    let mut after = BTreeMap::new();
    files(&folder.path().join("nines"), &mut after);
    assert_eq!(before, after, "neither days of objectives nor facts are kept");
    // And where there is no store, none is made.
    let none = folder.path().join("none");
    run(nines()
        .arg("--store")
        .arg(&none)
        .args(["apply", "--dry-run", "--compare"])
        .args(FROM_TO)
        .arg(folder.path().join("proposed.yaml")));
    assert!(!none.exists());
}

#[test]
fn an_agreement_that_differs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path());
    let agreement = |percent: u32| {
        format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: gold}}\nspec:\n  service: login\n  period: {{duration: 1M, \
             timeZone: UTC}}\n  slice: 1m\n  measure: MeanErrorRate\n  commitment: 99.9%\n  credits: [{{below: 99.9%, percent: \
             {percent}}}]\n"
        )
    };
    std::fs::write(folder.path().join("agreement.yaml"), agreement(10)).unwrap();
    run(nines().current_dir(folder.path()).args(["apply", "agreement.yaml"]));
    let said = compare(folder.path(), &agreement(20));
    assert!(said.contains("the proposed objectives say the same of this range as those in force\n"), "{said}");
    assert!(said.contains("agreement gold differs from 2026-10-03 00:00:00Z to 2026-10-04 00:00:00Z:\n"), "{said}");
    assert!(said.contains("Credits says “20 % below 99.9 % of the fee base”; before “10 % below"), "{said}");
    assert!(said.ends_with("What is owed is not compared.\n"), "{said}");
    let same = compare(folder.path(), &agreement(10).replace("kind: Agreement", "kind: Agreement # the same"));
    assert!(same.ends_with("the proposed definitions say the same of this range as those in force\n"), "{same}");
    let later = compare(
        folder.path(),
        &agreement(20).replace("{name: gold}", "{name: gold, annotations: {nines/effective-from: 2999-01-01}}"),
    );
    assert!(later.contains("agreement gold differs from 2026-10-03 00:00:00Z"), "{later}");
}
