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
    // What replaces an agreement inside a period waits for the next.
    let waits = "  agreement gold: what is in force from 2026-10-03 00:00 (UTC) on begins to count with the period 2026-11, at \
                 2026-11-01 00:00";
    assert!(said.contains(waits), "{said}");
    assert!(said.ends_with("nothing that is owed differs\nno amounts: nobody has a fee in these periods\n"), "{said}");
    let same = compare(folder.path(), &agreement(10).replace("kind: Agreement", "kind: Agreement # the same"));
    assert!(same.ends_with("the proposed definitions say the same of this range as those in force\n"), "{same}");
    let later = compare(
        folder.path(),
        &agreement(20).replace("{name: gold}", "{name: gold, annotations: {nines/effective-from: 2999-01-01}}"),
    );
    assert!(later.contains("agreement gold differs from 2026-10-03 00:00:00Z"), "{later}");
}

#[test]
fn what_is_owed_is_compared() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let rows = "time,service,customer,status,requests\n2026-09-01T00:00:00Z,login,acme,503,1\n\
                2026-10-31T23:59:00Z,login,acme,200,99\n2026-10-02T00:00:00Z,login,nova,503,100\n";
    std::fs::write(dir.join("r.csv"), rows).unwrap();
    let fees = "period,customer,service,currency,amount\n2026-09,acme,login,EUR,100\n2026-10,acme,login,EUR,100\n\
                2026-10,nova,login,EUR,300\n2026-10,lone,login,USD,8\n";
    std::fs::write(dir.join("f.csv"), fees).unwrap();
    run(nines().current_dir(dir).args(["ingest", "requests", "--any-time", "r.csv"]));
    run(nines().current_dir(dir).args(["ingest", "fees", "f.csv"]));
    let agreement = |name: &str, months: &str, percent: u32| {
        format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: {name}}}\nspec:\n  service: login\n  period: {{duration: \
             {months}, timeZone: UTC}}\n  slice: 1m\n  measure: Occurrences\n  commitment: 99.9%\n  credits: [{{below: 99.9%, \
             percent: {percent}}}]\n---\n"
        )
    };
    let both = |percent| {
        agreement("gold", "1M", percent) + &agreement("quarter", "1Q", percent + 1) + &agreement("same", "1M", 7)
    };
    std::fs::write(dir.join("agreement.yaml"), both(10)).unwrap();
    run(nines().current_dir(dir).args(["apply", "agreement.yaml"]));
    std::fs::write(dir.join("proposed.yaml"), both(20)).unwrap();
    let compared = |from_to: [&str; 2]| {
        run(nines().current_dir(dir).args(["apply", "--dry-run", "--compare"]).args(from_to).arg("proposed.yaml"))
    };
    let rows = |said: &str| -> Vec<String> {
        let rows = said.lines().filter(|line| line.contains('┆')).map(|line| line.split(['│', '┆']).map(str::trim));
        rows.map(|cells| cells.filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(",")).collect()
    };
    let said = compared(["2026-10-01", "2026-11-01"]);
    let names = |line: &String| line.starts_with("agreement");
    let figures: Vec<String> = rows(&said).into_iter().filter(|line| !names(line)).collect();
    assert_eq!(
        figures,
        [
            "gold,nova,login,2026-10,0.00,0.00,10.00,20.00,30.00,60.00,EUR",
            "quarter,nova,login,2026-10,0.00,0.00,11.00,21.00,33.00,63.00,EUR",
            "gold,2026-10,EUR,30.00,60.00",
            "gold,2026-10,USD,0.00,0.00",
            "quarter,2026-10,EUR,33.00,63.00",
            "quarter,2026-10,USD,0.00,0.00",
        ],
        "{said}"
    );
    // Two months, and the quarter that is part of both ranges once.
    let figures: Vec<String> =
        rows(&compared(["2026-09-01", "2026-11-01"])).into_iter().filter(|line| !names(line)).collect();
    let periods = |of: &str| figures.iter().filter(|row| row.starts_with(of)).count();
    assert_eq!(
        (periods("gold,2026-09,EUR"), periods("gold,2026-10,EUR"), periods("quarter,2026-10,EUR")),
        (1, 1, 1),
        "{figures:?}"
    );
    assert!(
        figures.contains(&"gold,acme,login,2026-09,0.00,0.00,10.00,20.00,10.00,20.00,EUR".to_string()),
        "{figures:?}"
    );
    // What has not begun is not compared.
    let later = compared(["2999-01-01", "2999-02-01"]);
    assert!(
        later.ends_with("what is owed is not compared: no agreement judges a period of this range that has begun\n"),
        "{later}"
    );
    assert_eq!(query(&dir.join("nines"), "SELECT count(*) FROM definitions"), ["3"]);
}
