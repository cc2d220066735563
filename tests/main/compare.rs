//! `nines apply --dry-run --compare`: what a proposed definition would have said.

use std::path::Path;

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
