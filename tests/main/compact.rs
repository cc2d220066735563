//! Fewer files: on request, and by themselves after writes.

use std::path::Path;

use crate::growth::DEFINITION;
use crate::{nines, query, run};

/// Ingests minutes of a day one by one.
fn minutes(store: &Path, day: u32, minutes: std::ops::Range<u32>, compacts: bool) {
    let file = store.with_extension("csv");
    for minute in minutes {
        let good = if minute % 3 == 0 { 5 } else { 10 };
        let row = format!("2026-10-{day:02}T10:{minute:02}:00Z,login,sign-in,{good},10");
        std::fs::write(&file, format!("time,service,name,good,total\n{row}\n")).unwrap();
        let mut ingest = nines();
        ingest.env("NINES_NO_COMPACT", if compacts { "" } else { "1" });
        run(ingest.arg("--store").arg(store).args(["ingest", "events"]).arg(&file));
    }
}

fn compact(store: &Path, more: &[&str]) -> String {
    run(nines().arg("--store").arg(store).arg("compact").args(more))
}

/// The operations of a table, version by version.
fn operations(store: &Path, table: &str) -> Vec<String> {
    let mut entries: Vec<_> =
        std::fs::read_dir(store.join(table).join("_delta_log")).unwrap().map(|e| e.unwrap().path()).collect();
    entries.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    entries.sort();
    let operation = |path: &std::path::PathBuf| {
        let entry = std::fs::read_to_string(path).unwrap();
        let info: serde_json::Value = serde_json::from_str(entry.lines().next().unwrap()).unwrap();
        info["commitInfo"]["operation"].as_str().unwrap().to_string()
    };
    entries.iter().map(operation).collect()
}

#[test]
fn what_was_evaluated_stays_good_in_fewer_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    minutes(&store, 1, 0..5, false);
    minutes(&store, 2, 0..3, false);
    minutes(&store, 3, 0..2, false);
    let file = folder.path().join("slo.yaml");
    std::fs::write(&file, DEFINITION).unwrap();
    run(nines().arg("--store").arg(&store).arg("apply").arg(&file));
    run(nines().arg("--store").arg(&store).arg("refresh"));
    let figures =
        || query(&store, "SELECT slo, slo_error_time, failures, mttr FROM report('2026-10-01', '2026-10-04')");
    let (before, kept) = (figures(), operations(&store, "slo_days"));

    let would = compact(&store, &["--dry-run"]);
    assert!(would.starts_with("events  8 files of 2 partitions, ") && would.ends_with(" would be merged\n"), "{would}");
    assert_eq!(operations(&store, "events").len(), 11);
    let done = compact(&store, &["events"]);
    assert!(done.contains("events  8 files of 2 partitions, ") && done.contains(" are 2 now, "), "{done}");
    assert!(done.ends_with("; version 11 of events\n"), "{done}");
    assert_eq!(operations(&store, "events").last().unwrap(), "OPTIMIZE");
    assert!(compact(&store, &[]).starts_with("nothing to merge"));

    assert_eq!(figures(), before);
    run(nines().arg("--store").arg(&store).arg("refresh"));
    assert_eq!(operations(&store, "slo_days"), kept, "no day was evaluated again");
    // And the first minute is corrected as ever.
    std::fs::write(
        store.with_extension("csv"),
        "time,service,name,good,total\n2026-10-01T10:00:00Z,login,sign-in,10,10\n",
    )
    .unwrap();
    let corrected = run(nines().arg("--store").arg(&store).args(["ingest", "events"]).arg(store.with_extension("csv")));
    assert!(corrected.contains("0 added, 1 replaced, 0 unchanged"), "{corrected}");
    assert_ne!(figures(), before);
}

#[test]
fn appends_keep_days_in_few_files() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    minutes(&store, 1, 0..20, true);
    minutes(&store, 2, 0..1, true);
    let merges = operations(&store, "events").iter().filter(|operation| *operation == "OPTIMIZE").count();
    assert!((2..=5).contains(&merges), "{merges} merges in 21 appends");
    assert!(compact(&store, &["--dry-run"]).starts_with("nothing to merge"), "the first day is one file");
    assert_eq!(query(&store, "SELECT count(*), sum(good) FROM events"), ["21,170"]);
}
