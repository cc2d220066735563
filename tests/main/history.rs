//! Versions of tables: listed, and read again.

use std::path::Path;

use crate::{fails, nines, query, run};

/// Rows of minutes of 1 October, stored from a file.
fn ingest(store: &Path, rows: &[(u32, u32)], more: &[&str]) {
    let file = store.with_extension("csv");
    let rows = rows.iter().map(|(minute, good)| format!("2026-10-01T10:{minute:02}:00Z,login,sign-in,{good},10\n"));
    std::fs::write(&file, format!("time,service,name,good,total\n{}", rows.collect::<String>())).unwrap();
    run(nines()
        .env("NINES_NO_COMPACT", "1")
        .arg("--store")
        .arg(store)
        .args(["ingest", "events"])
        .arg(&file)
        .args(more));
}

fn log(store: &Path, more: &[&str]) -> String {
    run(nines().arg("--store").arg(store).arg("log").args(more))
}

/// These columns of the log as CSV.
fn listed(store: &Path, columns: &[&str], more: &[&str]) -> Vec<String> {
    let text = log(store, &[more, &["--format", "csv"]].concat());
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let at = columns.iter().map(|name| header.iter().position(|column| column == name).unwrap()).collect::<Vec<_>>();
    lines.map(|cells| at.iter().map(|at| cells[*at]).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_log_says_who_did_what() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    assert!(fails(2, nines().arg("--store").arg(&store).arg("log")).contains("there is no store at"));
    ingest(&store, &[(0, 10), (1, 10), (2, 10)], &["--batch", "monday", "--source", "edge"]);
    ingest(&store, &[(1, 7)], &["--source", "edge"]);
    query(
        &store,
        "INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-10', 'acme', 'web', 'EUR', 1)",
    );
    let columns = ["table", "version", "operation", "origin", "rows_added", "rows_removed"];
    let expected = [
        "fees 1 WRITE nines 1 0",
        "fees 0 CREATE TABLE nines 0 0",
        "events 2 MERGE nines 3 3",
        "events 1 WRITE nines 3 0",
        "events 0 CREATE TABLE nines 0 0",
    ];
    assert_eq!(listed(&store, &columns, &[]), expected);
    assert_eq!(listed(&store, &columns, &["events", "--last", "2"]), expected[2..4]);
    assert_eq!(listed(&store, &columns, &["--last", "3"]), expected[..3]);
    assert_eq!(fails(3, nines().arg("--store").arg(&store).args(["log", "statements"])).lines().count(), 1);
    assert!(
        fails(2, nines().arg("--store").arg(&store).args(["log", "event"]))
            .contains("expected one of requests, events")
    );

    // Another Delta writer, whose clock goes wrong: the order of versions is that of the log.
    let entry = |version: u64| store.join(format!("events/_delta_log/{version:020}.json"));
    std::fs::write(
        entry(3),
        r#"{"commitInfo":{"timestamp":1000,"operation":"SET TBLPROPERTIES","engineInfo":"Apache-Spark/4.0"}}"#,
    )
    .unwrap();
    let text = log(&store, &["events"]);
    let row = text.lines().find(|line| line.contains("SET TBLPROPERTIES")).unwrap();
    assert!(row.contains("1970-01-01 00:00:01Z") && row.contains("another Delta writer: Apache-Spark/4.0"), "{text}");
    assert!(text.lines().any(|line| line.contains("WRITE") && line.contains("batch monday of edge")), "{text}");
    assert_eq!(listed(&store, &["table", "version"], &["--last", "4"]), ["fees 1", "fees 0", "events 3", "events 2"]);

    // What is not as it was written is named, here as well.
    let sound = std::fs::read_to_string(entry(1)).unwrap();
    std::fs::write(entry(1), sound.replace("WRITE", "WRIT3")).unwrap();
    assert!(fails(1, nines().arg("--store").arg(&store).args(["log", "events"])).contains("00000000000000000001.json"));
}
