//! A day ingested again: what changed is replaced, what did not stays, and the program says which.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::{nines, query, run};

const DAY: i64 = 1_790_812_800;
const SERIES: usize = 20;

/// A day of minutes of some series. Of each hundred rows, one is corrected.
fn day(corrected: bool) -> String {
    let mut text = "time,business,service,endpoint,status,cause,requests\n".to_string();
    for series in 0..SERIES {
        for minute in 0..1440 {
            let wrong = corrected && (series * 1440 + minute) % 100 == 0;
            let requests = 10 + (series + minute) % 7 + if wrong { 1000 } else { 0 };
            let time = DAY + minute as i64 * 60;
            writeln!(text, "{time},业务,service-{},/{},200,,{requests}", series % 4, series / 4).unwrap();
        }
    }
    text
}

fn ingest(store: &Path, file: &Path, more: &[&str]) -> String {
    run(nines().arg("--store").arg(store).args(["ingest", "requests"]).arg(file).args(more))
}

#[test]
fn a_day_with_one_percent_corrected_replaces_exactly_that() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (folder.path().join("store"), folder.path().join("day.csv"));
    let sum = |store: &Path| query(store, "SELECT count(*), sum(requests) FROM requests").remove(0);
    fs::write(&file, day(false)).unwrap();
    let said = ingest(&store, &file, &[]);
    assert!(said.contains("changed     28,800 added, 0 replaced, 0 unchanged\n"), "{said}");
    let before = sum(&store);

    fs::write(&file, day(true)).unwrap();
    let said = ingest(&store, &file, &[]);
    assert!(said.contains("changed     0 added, 288 replaced, 28,512 unchanged\n"), "{said}");
    let after = sum(&store);
    let number = |text: &str| text.split(',').nth(1).unwrap().parse::<i64>().unwrap();
    assert_eq!(number(&after) - number(&before), 288_000);
    assert!(after.starts_with("28800,"), "{after}");

    let said = ingest(&store, &file, &[]);
    assert_eq!(said, "already ingested at version 2 of requests; nothing changed\n");
    // Another batch that says the same, in another order.
    let mut lines: Vec<&str> = fs::read_to_string(&file).unwrap().leak().lines().collect();
    lines[1..].reverse();
    fs::write(&file, lines.join("\n")).unwrap();
    let said = ingest(&store, &file, &[]);
    assert!(said.contains("changed     nothing: all 28,800 aggregates are stored already\n"), "{said}");
    assert_eq!(sum(&store), after);
}

#[test]
fn a_relabelled_cause_leaves_no_old_row() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (folder.path().join("store"), folder.path().join("minute.csv"));
    let row =
        |status: u16, cause: &str| format!("time,service,status,cause,requests\n{DAY},login,{status},{cause},7\n");
    fs::write(&file, row(504, "") + &format!("{DAY},login,200,,90\n{},login,504,,3\n", DAY + 60)).unwrap();
    ingest(&store, &file, &["--source", "gateway"]);
    // The same minute again, whole, with the failures relabelled; the next minute is not spoken of.
    fs::write(&file, row(499, "client_abort") + &format!("{DAY},login,200,,90\n")).unwrap();
    let said = ingest(&store, &file, &["--source", "gateway"]);
    assert!(said.contains("changed     1 added, 0 replaced, 1 unchanged, 1 removed\n"), "{said}");
    let rows = |sql: &str| query(&store, sql);
    let all = "SELECT status, cause, requests FROM requests ORDER BY time, status";
    assert_eq!(rows(all), ["200,,90", "499,client_abort,7", "504,,3"]);
    // Another source adds.
    fs::write(&file, row(504, "")).unwrap();
    let said = ingest(&store, &file, &["--source", "probe"]);
    assert!(said.contains("changed     1 added, 0 replaced, 0 unchanged\n"), "{said}");
    assert_eq!(rows("SELECT count(*), sum(requests) FROM requests"), ["4,107"]);
}
