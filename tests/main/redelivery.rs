//! The same batch twice, and its name with other content.

use std::fs;

use assert_cmd::Command;

use crate::{fails, nines, query, run};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn ingest(&self, text: &str, more: &[&str]) -> Command {
        fs::write(self.0.path().join("a.csv"), text).unwrap();
        let mut command = nines();
        command.current_dir(self.0.path()).args(["--store", "store", "ingest", "requests", "a.csv"]).args(more);
        command
    }

    fn requests(&self) -> Vec<String> {
        query(&self.0.path().join("store"), "SELECT status, requests FROM requests ORDER BY time, status, requests")
    }
}

const FIRST: &str = "time,status,requests\n2026-10-01T00:00:00Z,200,5\n2026-10-01T00:01:00Z,200,6\n";
const CORRECTED: &str = "time,status,requests\n2026-10-01T00:00:00Z,200,5\n2026-10-01T00:01:00Z,200,60\n";
const AGAIN: &str = "already ingested at version 1 of requests; nothing changed\n";

#[test]
fn the_same_file_again_changes_nothing() {
    let place = Place::new();
    let said = run(&mut place.ingest(FIRST, &[]));
    assert!(said.contains("changed     2 added, 0 replaced, 0 unchanged\n"), "{said}");
    assert_eq!(run(&mut place.ingest(FIRST, &[])), AGAIN);
    // Nor does it when it was corrected since: it is an old batch, not a newer one.
    let said = run(&mut place.ingest(CORRECTED, &[]));
    assert!(said.contains("changed     0 added, 1 replaced, 1 unchanged\n"), "{said}");
    assert_eq!(run(&mut place.ingest(FIRST, &[])), AGAIN);
    assert_eq!(place.requests(), ["200,5", "200,60"]);
    let mapped = &["--select", "SELECT time, status, requests FROM input"];
    run(&mut place.ingest(CORRECTED, mapped));
    assert!(run(&mut place.ingest(CORRECTED, mapped)).starts_with("already ingested "));
    assert_eq!(place.requests(), ["200,5", "200,60"]);
}

#[test]
fn a_batch_keeps_its_content() {
    let place = Place::new();
    run(&mut place.ingest(FIRST, &["--batch", "monday"]));
    assert_eq!(run(&mut place.ingest(FIRST, &["--batch", "monday"])), AGAIN);
    let said = fails(1, &mut place.ingest(CORRECTED, &["--batch", "monday"]));
    assert!(said.contains("monday"), "{said}");
    assert_eq!(place.requests(), ["200,5", "200,6"]);
    let said = run(&mut place.ingest(FIRST, &["--batch", "tuesday"]));
    assert!(said.contains("changed     nothing: all 2 aggregates are stored already\n"), "{said}");
    // Another source has batches of its own.
    run(&mut place.ingest(CORRECTED, &["--batch", "monday", "--source", "edge"]));
    assert_eq!(place.requests(), ["200,5", "200,5", "200,6", "200,60"]);
}

#[test]
fn a_named_batch_holds_its_logs_too() {
    let place = Place::new();
    let line = "h - - [01/Oct/2026:00:05:00 +0000] \"GET / HTTP/1.1\" 200 1\n";
    let log = place.0.path().join("b.log");
    fs::write(&log, line).unwrap();
    let both = &["b.log", "--batch", "monday"];
    run(&mut place.ingest(FIRST, both));
    assert!(run(&mut place.ingest(FIRST, both)).ends_with(AGAIN));
    fs::write(&log, line.repeat(2)).unwrap();
    fails(1, &mut place.ingest(FIRST, both));
    assert_eq!(place.requests(), ["200,5", "200,6", "200,1"]);
}

#[test]
fn a_file_named_twice_counts_once() {
    let place = Place::new();
    std::os::unix::fs::symlink(place.0.path().join("a.csv"), place.0.path().join("today.csv")).unwrap();
    let said = run(&mut place.ingest(FIRST, &["./a.csv", "today.csv"]));
    assert!(said.contains("changed     2 added, 0 replaced, 0 unchanged\n"), "{said}");
    assert!(said.contains("already ingested: today.csv holds nothing new\n"), "{said}");
    assert_eq!(place.requests(), ["200,5", "200,6"]);
}

#[test]
fn mapped_files_are_read_by_the_names_of_their_columns() {
    let place = Place::new();
    // A bare path with brackets would be a pattern, and match the other file.
    fs::write(place.0.path().join("b[1].csv"), "requests,status,time\n60,503,2026-10-01T00:05:00Z\n").unwrap();
    fs::write(place.0.path().join("b1.csv"), "requests,status,time\n7,500,2026-10-01T00:06:00Z\n").unwrap();
    run(&mut place.ingest(FIRST, &["b[1].csv", "--select", "SELECT time, status, requests FROM input"]));
    assert_eq!(place.requests(), ["200,5", "200,6", "503,60"]);
}
