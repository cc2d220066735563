//! Versions of tables: listed, and read again.

use std::path::Path;

use crate::growth::DEFINITION;
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

/// What a command prints as of an earlier time, and what it says beside it.
fn as_of(store: &Path, text: &str, command: &[&str]) -> (String, String) {
    let done = nines().arg("--store").arg(store).args(command).args(["--as-of", text]).output().unwrap();
    let errors = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.success(), "{command:?} as of {text}: {errors}");
    (String::from_utf8(done.stdout).unwrap(), errors)
}

/// Now, later than everything that is logged, and earlier than everything to come.
fn now() -> String {
    std::thread::sleep(std::time::Duration::from_millis(2));
    let now = chrono::Utc::now();
    std::thread::sleep(std::time::Duration::from_millis(2));
    now.to_rfc3339()
}

/// Version by version, all that is stored in a table.
fn entries(store: &Path, table: &str) -> usize {
    std::fs::read_dir(store.join(table).join("_delta_log")).map_or(0, Iterator::count)
}

#[test]
fn earlier_figures_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let (definition, notebook) = (folder.path().join("slo.yaml"), folder.path().join("page.md"));
    std::fs::write(&definition, DEFINITION).unwrap();
    let cell = "SELECT objective, slo, slo_error_time FROM report('2026-10-01', '2026-10-02')";
    std::fs::write(&notebook, format!("# Page\n\n```sql\n{cell}\n```\n")).unwrap();
    let before_all = now();
    ingest(&store, &[(0, 10), (1, 10), (2, 10), (3, 10)], &[]);
    run(nines().arg("--store").arg(&store).arg("apply").arg(&definition));
    run(nines().arg("--store").arg(&store).arg("refresh"));
    let commands: [&[&str]; 4] = [
        &["sql", "--format", "csv", "SELECT time, good FROM events ORDER BY time"],
        &["sql", "--format", "csv", cell],
        &["run", notebook.to_str().unwrap(), "-o", "-"],
        &["slos"],
    ];
    let shown = |command: &[&str]| run(nines().arg("--store").arg(&store).args(command));
    let page_body = |text: &str| text.split("Made at").next().unwrap().to_string();
    let first: Vec<String> = commands.iter().map(|command| page_body(&shown(command))).collect();
    let between = now();
    ingest(&store, &[(1, 5), (4, 10)], &[]);
    std::fs::write(&definition, DEFINITION.replace("target: 0.99,", "target: 0.5,")).unwrap();
    run(nines().arg("--store").arg(&store).arg("apply").arg(&definition));
    run(nines().arg("--store").arg(&store).arg("refresh"));
    let second: Vec<String> = commands.iter().map(|command| page_body(&shown(command))).collect();
    assert!(first.iter().zip(&second).all(|(first, second)| first != second), "{second:?}");

    let kept = [entries(&store, "slo_days"), entries(&store, "slo_facts")];
    for (command, expected) in commands.iter().zip(&first) {
        for text in ["events=1,definitions=1", between.as_str()] {
            let (printed, said) = as_of(&store, text, command);
            assert_eq!(&page_body(&printed), expected, "{command:?} as of {text}");
            let line = said.lines().last().unwrap_or_default();
            assert!(line.starts_with("as of ") && line.contains("1"), "{command:?}: {said}");
        }
        assert_eq!(
            &page_body(&as_of(&store, &now(), command).0),
            &second[commands.iter().position(|c| c == command).unwrap()]
        );
    }
    let (_, said) = as_of(&store, "events=1", commands[1]);
    assert_eq!(said, "as of events=1: events 1, definitions 2\n");
    let (page, said) = as_of(&store, "events=1,definitions=1", commands[2]);
    assert!(page.contains("Read as of events=1,definitions=1: events 1, definitions 1."), "{page}");
    assert_eq!(said, "as of events=1,definitions=1: events 1, definitions 1\n");
    let (nothing, said) = as_of(&store, &before_all, commands[0]);
    assert_eq!((nothing.as_str(), said.ends_with(": nothing was stored yet\n")), ("time,good\n", true), "{said}");
    assert_eq!([entries(&store, "slo_days"), entries(&store, "slo_facts")], kept, "what is so now stays kept");
    assert_eq!(shown(commands[1]), second[1]);

    let command = |more: &[&str], code| {
        let mut nines = nines();
        nines.arg("--store").arg(&store).args(more);
        fails(code, &mut nines)
    };
    let missing = command(&["sql", "SELECT 1", "--as-of", "events=7"], 1);
    assert!(missing.contains(" has no version 7; it has versions 0 to ") && missing.lines().count() == 1, "{missing}");
    let insert =
        "INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-10', 'a', 'b', 'EUR', 1)";
    let written = command(&["sql", insert, "--as-of", "events=1"], 1);
    assert_eq!(written, "error: nothing is written as of an earlier time; do it without --as-of\n");
    assert!(command(&["sql", "SELECT 1", "--as-of", "event=1"], 2).contains("expected one of requests, "));
    assert!(command(&["credits", "2026-10", "--issue", "--as-of", "events=1"], 1).contains("nothing is written"));
    assert!(!store.join("fees").exists());

    // What was given up is no longer read, and said by name.
    run(nines().arg("--store").arg(&store).args(["gc", "events", "--now"]));
    for text in ["events=1", between.as_str()] {
        let gone = command(&["sql", "SELECT count(*) FROM events", "--as-of", text], 1);
        assert!(gone.contains("events in file:") && gone.contains("no longer retained"), "{gone}");
    }
    assert_eq!(shown(commands[1]), second[1]);
}
