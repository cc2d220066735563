//! What would be stored, before it is.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

use crate::{fails, nines, query, run};

fn ingest(folder: &Path, table: &str, file: &str, options: &[&str]) -> Command {
    let mut command = nines();
    command.current_dir(folder).args(["--store", "store", "ingest", table, file]).args(options);
    command
}

#[test]
fn a_dry_run_says_what_would_be_stored_and_stores_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let line = |minute: u32, path: &str, status: u32| {
        format!("h - - [14/Oct/2026:12:{minute:02}:01 +0000] \"GET {path} HTTP/1.1\" {status} 5 \"-\" \"agent\" 0.5\n")
    };
    let log = line(0, "/a", 200) + &line(0, "/a", 200) + &line(1, "/users/7", 500);
    fs::write(place.join("a.log"), &log).unwrap();
    let said = run(&mut ingest(place, "requests", "a.log", &["--service", "web", "--dry-run"]));
    for expected in [
        "read        3 rows\n",
        "would write 2 aggregates",
        "changed     2 added, 0 replaced, 0 unchanged\n",
        "time range  2026-10-14 12:00:00Z to 2026-10-14 12:02:00Z\n",
        "stored      nothing: this was a dry run\n",
        "│ web     ┆ /a          ┆    1 ┆        2 │",
        "│ web     ┆ /users/{id} ┆    1 ┆        1 │",
        "The first rows:",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!place.join("store").exists(), "not even a store");

    run(&mut ingest(place, "requests", "a.log", &["--service", "web"]));
    let listed = |folder: &Path| {
        let mut all: Vec<_> = walk(folder);
        all.sort();
        all
    };
    let before = listed(&place.join("store"));
    // Only what is new would be.
    fs::write(place.join("a.log"), log + &line(2, "/b", 200)).unwrap();
    let said = run(&mut ingest(place, "requests", "a.log", &["--service", "web", "--dry-run"]));
    assert!(said.starts_with("read        1 row\n") && said.contains("changed     1 added"), "{said}");
    // What would be replaced is said.
    let csv = "time,service,name,good,total\n2026-10-14T12:00:00Z,web,orders,1,2\n";
    fs::write(place.join("e.csv"), csv).unwrap();
    let said = run(&mut ingest(place, "events", "e.csv", &["--dry-run"]));
    assert!(said.contains("│ web     ┆          ┆ orders ┆    1 ┆    1 ┆     2 │"), "{said}");
    assert_eq!(listed(&place.join("store")), before, "nothing was left");
    run(&mut ingest(place, "events", "e.csv", &[]));
    fs::write(place.join("e.csv"), csv.replace(",1,2", ",2,2")).unwrap();
    let said = run(&mut ingest(place, "events", "e.csv", &["--dry-run"]));
    assert!(said.contains("changed     0 added, 1 replaced, 0 unchanged\n"), "{said}");
    assert_eq!(query(&place.join("store"), "SELECT good FROM events"), ["1"]);
    let said = run(&mut ingest(
        place,
        "requests",
        "a.log",
        &["--service", "web", "--select", "SELECT now() AS time, 'x' AS service FROM input", "--dry-run"],
    ));
    assert!(said.contains("stored      nothing: this was a dry run"), "{said}");
    assert_eq!(query(&place.join("store"), "SELECT sum(requests) FROM requests"), ["3"]);
    let said = fails(1, &mut ingest(place, "gauges", "e.csv", &["--dry-run", "--slice", "15s"]));
    assert!(said.contains("60"), "{said}");
}

fn walk(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(walk(&path)),
            false => all.push(path.display().to_string()),
        }
    }
    all
}
