//! When the disk is full, the store is read-only, descriptors or memory run out: an error that says so, and nothing left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::{nines, query, run};

/// A store with a day of rows and an objective over it, and a file of more rows.
fn place() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    let rows = |from: i64, minutes: i64| {
        let lines = (0..minutes).map(|m| format!("{},login,{}\n", from + m * 60, 100 + m % 7));
        "time,service,requests\n".to_string() + &lines.collect::<String>()
    };
    fs::write(place.path().join("day.csv"), rows(1_785_542_400, 1441)).unwrap();
    fs::write(place.path().join("more.csv"), rows(1_785_715_200, 20_000)).unwrap();
    let slo = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: login}\nspec:\n  service: login\n  indicator:\n    \
               metadata: {name: login}\n    spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: \
               nines/availability, spec: {party: service}}}}}\n  timeWindow: [{duration: 28d, isRolling: true}]\n  \
               budgetingMethod: Timeslices\n  objectives: [{target: 0.99, timeSliceTarget: 0.99, timeSliceWindow: 1m}]\n";
    fs::write(place.path().join("slo.yaml"), slo).unwrap();
    for arguments in [&["ingest", "requests", "day.csv"][..], &["apply", "slo.yaml"]] {
        run(nines().current_dir(place.path()).args(["--store", "store"]).args(arguments));
    }
    place
}

/// Runs the program under limits of the shell: `ulimit -n 20`.
fn limited(place: &Path, limits: &str, arguments: &str) -> Output {
    let program = nines().get_program().to_owned();
    let line = format!("{limits}; exec \"$0\" --store store {arguments}");
    Command::new("sh").args(["-c", &line]).arg(program).current_dir(place).env_remove("NINES_STORE").output().unwrap()
}

fn failed(done: &Output, said: &str) {
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.code().is_some_and(|code| code != 0), "{done:?}");
    assert!(error.contains(said), "{error}");
    assert!(!error.contains("panicked") && !error.contains("bug in"), "{error}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

#[test]
fn a_full_disk_is_said_and_nothing_is_left_behind() {
    let place = place();
    let store = place.path().join("store");
    let before = files(&store);
    // Blocks of 512 bytes: what a file may grow to, as a disk that is full or a quota that is used up.
    let done = limited(place.path(), "ulimit -f 2", "ingest requests more.csv");
    failed(&done, "there is no room left");
    assert_eq!(files(&store), before);
    assert_eq!(query(&store, "SELECT count(*) FROM requests"), ["1441"]);
    let said = run(nines().current_dir(place.path()).args(["--store", "store", "ingest", "requests", "more.csv"]));
    assert!(said.contains("20,000 added") || said.contains("20000 added"), "{said}");
}

#[test]
fn refresh_fails_where_it_cannot_keep_and_questions_do_not() {
    let place = place();
    let store = place.path().join("store");
    let report = "sql --format csv \"SELECT slo FROM report('2026-08-01', '2026-08-02')\"";
    let done = limited(place.path(), "ulimit -f 0", report);
    assert!(done.status.success(), "{done:?}");
    failed(&limited(place.path(), "ulimit -f 0", "refresh"), "there is no room left");
    assert_eq!(query(&store, "SELECT count(*) FROM slo_days"), ["0"]);
    assert!(files(&store).iter().all(|file| !file.to_str().unwrap().contains('#')), "temporaries are left");
    run(nines().arg("--store").arg(&store).arg("refresh"));
    assert_eq!(query(&store, "SELECT count(*) FROM slo_days"), ["1"]);
}

#[test]
fn running_out_of_descriptors_is_an_error() {
    let place = place();
    let before = files(&place.path().join("store"));
    for arguments in ["sql \"SELECT count(*) FROM requests\"", "ingest requests more.csv"] {
        let done = limited(place.path(), "ulimit -n 16", arguments);
        let error = String::from_utf8_lossy(&done.stderr);
        if done.status.success() {
            continue;
        }
        assert!(!error.contains("panicked") && !error.contains("bug in"), "{arguments}: {error}");
        assert_eq!(files(&place.path().join("store")), before, "{arguments}");
    }
}

/// Memory and threads can be refused anywhere, so that the program may end at any place: what was begun is stored whole or not at all,
/// and the next run completes it.
#[test]
fn running_out_of_memory_is_an_error() {
    let place = place();
    let store = place.path().join("store");
    for limit in [420_000, 480_000, 560_000, 620_000, 700_000] {
        let done = limited(place.path(), &format!("ulimit -v {limit}"), "ingest requests more.csv");
        let error = String::from_utf8_lossy(&done.stderr);
        if done.status.success() {
            continue;
        }
        assert!(!error.contains("panicked") && !error.contains("bug in"), "{limit}: {error}");
        let rows = query(&store, "SELECT count(*) FROM requests");
        assert!(rows == ["1441"] || rows == ["21441"], "{limit}: {rows:?}");
    }
    run(nines().current_dir(place.path()).args(["--store", "store", "ingest", "requests", "more.csv"]));
    assert_eq!(query(&store, "SELECT count(*) FROM requests"), ["21441"]);
}

/// A long table is not held as a whole, whatever the limit.
#[test]
fn a_long_table_comes_in_parts() {
    let text = run(nines()
        .args(["--store", "memory://none", "--memory-limit", "1MB", "sql"])
        .arg("SELECT * FROM generate_series(1, 25000)"));
    assert_eq!(text.matches("value").count(), 3, "a header for each 10,000 rows");
    assert!(text.ends_with("25,000 rows\n"), "{}", &text[text.len() - 100..]);
}
