//! A year later: rows that statements were issued from are gone, and the statements are not.

use std::path::Path;
use std::process::Command;

use super::due::{Store, agreement};
const NOW: &str = "2026-11-02T00:00:00Z";

/// A store with the rows of October from a day on.
fn filled(folder: &Path, name: &str, first: u64) -> Store {
    let folder = folder.join(name);
    std::fs::create_dir(&folder).unwrap();
    let store = Store::new(&folder);
    store.silent("", &format!("2026-10-{first:02}"), 32 - first);
    let failed = [("03", "acme"), ("30", "nova")].into_iter().filter(|(day, _)| day.parse::<u64>().unwrap() >= first);
    let failed = failed.map(|(day, customer)| format!("2026-10-{day}T00:00:00Z,,gateway,/,{customer},503,100"));
    store.requests(&failed.collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>());
    store.fees(&["2026-10,acme,gateway,EUR,1000,,", "2026-10,nova,gateway,EUR,500,,"]);
    store.apply(&[agreement("g", "1M", "")]);
    store
}

fn month(store: &Store, code: i32, more: &[&str]) -> String {
    store.said_at(NOW, code, &[&["2026-10"], more].concat())
}

/// Another store with the statements of a first one, and rows of fewer days.
fn later(folder: &Path) -> Store {
    let first = filled(folder, "first", 1);
    month(&first, 0, &["--issue"]);
    let later = filled(folder, "later", 20);
    let copied = Command::new("cp").arg("-r").arg(first.0.join("statements")).arg(&later.0).status().unwrap();
    assert!(copied.success());
    later
}

#[test]
fn rows_that_are_gone_make_no_difference_and_no_revision() {
    let folder = tempfile::tempdir().unwrap();
    let store = later(folder.path());
    let amounts = || store.sql("customer, revision, amount", "statements ORDER BY 1, 2");
    let issued = ["acme,1,100.000000", "nova,1,50.000000"];
    assert_eq!(amounts(), issued);
    let verified = month(&store, 4, &["--verify"]);
    let gone = "evidence holds; today's data no longer cover the period";
    assert_eq!(verified.matches(gone).count(), 2, "{verified}");
    assert!(!verified.contains("DIFFER"), "{verified}");
    assert!(verified.contains("of service gateway there is no row on 2026-10-01 to 2026-10-19 any more"), "{verified}");
    for how in [&["--issue"][..], &["--issue", "--incomplete"]] {
        let said = month(&store, 3, how);
        assert_eq!(said.matches("stays as it was issued").count(), 2, "{said}");
        assert_eq!(amounts(), issued);
    }
    assert!(store.said_at(NOW, 3, &["--pending"]).contains("nothing is pending"));
    let said = month(&store, 0, &["--moved"]);
    assert_eq!(said.matches("unknown: today's data no longer cover the period").count(), 2, "{said}");
    // On purpose.
    month(&store, 1, &["--issue", "--even-deleted"]);
    let revised = month(&store, 0, &["--issue", "--incomplete", "--even-deleted"]);
    assert!(revised.contains("2 revisions"), "{revised}");
}

#[test]
fn rows_of_another_writer_are_compared_with_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(folder.path(), "store", 1);
    month(&store, 0, &["--issue"]);
    let log = store.0.join("requests/_delta_log");
    let entries = std::fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let last = entries.filter(|name| name.ends_with(".json")).max().unwrap();
    let entry = std::fs::read_to_string(log.join(&last)).unwrap();
    let added = entry.lines().find(|line| line.starts_with("{\"add\"")).unwrap();
    let added: serde_json::Value = serde_json::from_str(added).unwrap();
    // It wrote a file of ours anew, under a name of its own.
    let path = added["add"]["path"].as_str().unwrap();
    let other = format!("{}/part-00000-other.parquet", path.rsplit_once('/').unwrap().0);
    std::fs::copy(store.0.join("requests").join(path), store.0.join("requests").join(&other)).unwrap();
    let mut add = added.clone();
    add["add"]["path"] = other.into();
    let remove = serde_json::json!({"remove": {
        "path": path, "dataChange": true, "deletionTimestamp": 0, "partitionValues": added["add"]["partitionValues"],
    }});
    let info = serde_json::json!({"commitInfo": {"timestamp": 0, "operation": "DELETE", "engineInfo": "other"}});
    let version: u64 = last.trim_end_matches(".json").parse().unwrap();
    std::fs::write(log.join(format!("{:020}.json", version + 1)), format!("{info}\n{remove}\n{add}\n")).unwrap();

    let verified = month(&store, 4, &["--verify"]);
    assert_eq!(verified.matches("evidence holds; today's data cannot be read").count(), 2, "{verified}");
    assert!(verified.contains("another Delta writer's") && verified.contains("--adopt"), "{verified}");
    assert!(month(&store, 1, &["--issue"]).contains("--adopt"), "nothing is issued from it");
}
