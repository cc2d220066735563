//! A store as the last version left it: read, written, and grown by what this version adds.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{fails, nines, query, run};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { _ = fs::copy(&path, &to).unwrap() }
    }
}

/// A copy to write to.
fn store() -> (TempDir, PathBuf) {
    store_of("format-1")
}

fn store_of(format: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format).join("store"), &store);
    (folder, store)
}

fn does(store: &Path, arguments: &[&str]) -> String {
    run(nines().arg("--store").arg(store).args(arguments))
}

const REPORT: &str =
    "SELECT objective, slo, measured_seconds, slo_error_time, lost_seconds FROM report('2026-08-01', '2026-08-05')";

#[test]
fn a_store_of_the_last_format_is_read_as_it_was_written() {
    let (_folder, store) = store();
    for (sql, expected) in [
        ("SELECT count(*), sum(requests) FROM requests", "25,2017"),
        ("SELECT service, sum(requests) FROM requests WHERE service = 'web' GROUP BY 1", "web,1"),
        ("SELECT service, good, total FROM events WHERE total > good", "支付,9,10"),
        ("SELECT name, samples, sum, last FROM gauges", "queue,2,8.0,5.0"),
        ("SELECT id, title FROM incidents", "INC-1,slow"),
        ("SELECT category, reason FROM exclusions", "Scheduled Maintenance,moved"),
        ("SELECT customer, amount FROM fees", "acme,1000.000000"),
        ("SELECT count(*) FROM definitions", "2"),
        ("SELECT count(*), sum(good) FROM slo_days", "4,1494"),
        ("SELECT count(*) FROM annotations", "0"),
        ("SELECT agreement, amount, rules FROM statements", "gateway,100.000000,"),
        (REPORT, "login,0.9992982456140351,342000.0,240.0,0.0"),
    ] {
        assert_eq!(query(&store, sql), [expected], "{sql}");
    }
    assert_eq!(does(&store, &["slos"]).matches("login").count(), 2);
}

#[test]
fn a_store_of_the_last_format_is_written_and_grows() {
    let (folder, store) = store();
    let csv = folder.path().join("rows.csv");
    let ingest = |table: &str, text: &str| {
        fs::write(&csv, text).unwrap();
        does(&store, &["ingest", table, csv.to_str().unwrap(), "--source", "edge"])
    };
    let header = "time,business,service,endpoint,customer,status,cause,requests\n";
    let said = ingest("requests", &format!("{header}2026-08-03T00:00:00Z,shop,login,/login,acme,200,,50\n"));
    assert!(said.contains("0 added, 1 replaced"), "a correction replaces what the last version stored: {said}");
    let said = ingest("requests", &format!("{header}2026-08-06T00:00:00Z,shop,login,/login,acme,200,,50\n"));
    assert!(said.contains("1 added"), "{said}");
    assert_eq!(query(&store, "SELECT sum(requests) FROM requests"), ["2018"]);
    does(&store, &["incident", "INC-1", "--title", "slow, then gone"]);
    does(
        &store,
        &["sql", "INSERT INTO annotations (time, service, kind, text) VALUES ('2026-08-03', 'login', 'release', 'v2')"],
    );
    assert_eq!(query(&store, "SELECT kind, text, link FROM annotations"), ["release,v2,"]);
    assert_eq!(query(&store, REPORT).len(), 1);
    let issued = does(&store, &["credits", "2026-08", "--issue", "--incomplete"]);
    assert!(issued.contains("1 revision"), "{issued}");
    let rules = "SELECT revision, rules FROM statements ORDER BY 1";
    assert_eq!(query(&store, rules), ["1,", "2,2"], "a column is NULL in what was stored before it came");
    does(&store, &["credits", "2026-08", "--verify"]);
    // What the last version wrote stays as it is; the store demands nothing new.
    assert_eq!(fs::read_to_string(store.join("nines.json")).unwrap(), "{\"format\":1,\"slice_seconds\":60}\n");
}

#[test]
fn days_that_an_earlier_version_sealed_stay_what_they_were() {
    let (_folder, store) = store_of("format-2");
    let report =
        "SELECT objective, slo, slo_error_time, measured_seconds FROM report('2026-08-01', '2026-08-07', 'objective')";
    let figures = ["login,0.9985508996498007,720.0,496860.0"];
    assert_eq!(query(&store, report), figures);
    assert_eq!(query(&store, "SELECT count(*), min(time) FROM requests"), ["20,2026-08-04T00:00:00Z"]);
    assert_eq!(query(&store, "SELECT count(*) FROM slo_days WHERE sealed"), ["3"]);
    assert!(does(&store, &["check"]).contains("all of it is as it was written"));
    // Sealed once more, the table says which days it holds, and one that is lost is missed.
    let to_keep = chrono::Utc::now().date_naive() - chrono::NaiveDate::from_ymd_opt(2026, 8, 5).unwrap();
    does(&store, &["retain", "requests", &format!("{}d", to_keep.num_days())]);
    assert_eq!(query(&store, report), figures);
    fs::remove_dir_all(store.join("slo_days")).unwrap();
    let said = fails(1, nines().arg("--store").arg(&store).args(["sql", report]));
    assert!(said.contains("slo_days") && said.contains("backup"), "{said}");
}
