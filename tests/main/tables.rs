//! Every table of the store is filled from files and read back.

use std::fs;

use tempfile::TempDir;

use crate::{fails, nines, query, run};

/// Ingests a text into a table of a new store; the folder and what was said.
fn ingest(table: &str, file: &str, text: &str, more: &[&str]) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(file), text).unwrap();
    let said = run(nines().current_dir(folder.path()).args(["ingest", table, file]).args(more));
    (folder, said)
}

fn stored(folder: &TempDir, sql: &str) -> Vec<String> {
    query(&folder.path().join("nines"), sql)
}

#[test]
fn gauges() {
    let (folder, said) = ingest(
        "gauges",
        "g.csv",
        "time,service,name,value\n2026-10-01T00:00:50Z,db,lag,3\n2026-10-01T00:00:10Z,db,lag,1.5\n\
         2026-10-01T00:01:00Z,db,lag,-2\n",
        &["--source", "probe"],
    );
    assert!(said.contains("written     2 aggregates in 1 file,"), "{said}");
    assert!(said.contains("time range  2026-10-01"), "{said}");
    let sql = "SELECT * FROM gauges ORDER BY time";
    let rows = [
        "2026-10-01T00:00:00Z,,db,,lag,probe,2,4.5,1.5,3.0,3.0,",
        "2026-10-01T00:01:00Z,,db,,lag,probe,1,-2.0,-2.0,-2.0,-2.0,",
    ];
    assert_eq!(stored(&folder, sql), rows);
    // The same rows again as Parquet: samples that are raw, and aggregates as they were stored.
    let mut export = nines();
    run(export.current_dir(folder.path()).args(["sql", sql, "-o", "g.parquet"]));
    let again = folder.path().join("again");
    run(nines().arg("--store").arg(&again).args(["ingest", "gauges"]).arg(folder.path().join("g.parquet")));
    assert_eq!(query(&again, sql), rows);
    let mapped = folder.path().join("mapped");
    let select = "SELECT time, service, name, 'probe' AS source, value FROM input";
    run(nines()
        .current_dir(folder.path())
        .arg("--store")
        .arg(&mapped)
        .args(["ingest", "gauges", "g.csv"])
        .args(["--select", select]));
    assert_eq!(query(&mapped, sql), rows);
}

const INCIDENT: &str =
    "SELECT id, service, title, started, fixed, telemetry_lost, withdrawn FROM incidents ORDER BY id";

#[test]
fn incidents() {
    let rows = [
        "a,登录,\"late, slow\",2026-10-01T12:00:07Z,2026-10-01T16:00:00Z,true,false",
        "b,登录,,2026-10-03T00:00:00.500Z,,false,false",
    ];
    let (folder, said) = ingest(
        "incidents",
        "i.csv",
        "id,title,started,fixed,telemetry_lost\n\
         a,\"late, slow\",2026-10-01T12:00:07Z,2026-10-02,yes\nb,,2026-10-03T08:00:00.5,,\n",
        &["--service", "登录", "--time-zone", "Asia/Shanghai"],
    );
    assert!(said.contains("written     2 rows in 1 file,"), "{said}");
    assert!(!said.contains("time range"), "{said}");
    assert_eq!(stored(&folder, INCIDENT), rows);
    let (folder, _) = ingest(
        "incidents",
        "i.jsonl",
        "{\"id\":\"a\",\"service\":\"登录\",\"title\":\"late, slow\",\"started\":1790856007,\
         \"fixed\":\"2026-10-01T16:00:00Z\",\"telemetry_lost\":true}\n\
         {\"id\":\"b\",\"service\":\"登录\",\"started\":\"2026-10-03T00:00:00.5Z\",\"fixed\":null}\n",
        &[],
    );
    assert_eq!(stored(&folder, INCIDENT), rows);
}

#[test]
fn exclusions() {
    let (folder, _) = ingest(
        "exclusions",
        "planned",
        "id;category;started;ended;announced\nm1;Scheduled Maintenance;2026-10-01;2026-10-02;2026-09-01T10:00:00Z\n",
        &["--service", "gateway"],
    );
    assert_eq!(
        stored(&folder, "SELECT id, service, category, started, ended, announced, withdrawn FROM exclusions"),
        ["m1,gateway,Scheduled Maintenance,2026-10-01T00:00:00Z,2026-10-02T00:00:00Z,2026-09-01T10:00:00Z,false"]
    );
}

#[test]
fn fees() {
    let text =
        "period,customer,service,currency,amount\n2026-10,Acme,gateway,EUR,1234.50\n2026-11,Acme,gateway,EUR,20\n";
    let (folder, _) = ingest("fees", "f.csv", text, &[]);
    let sql = "SELECT period, customer, currency, amount, voucher_amount FROM fees ORDER BY period";
    let rows = ["2026-10,Acme,EUR,1234.500000,0.000000", "2026-11,Acme,EUR,20.000000,0.000000"];
    assert_eq!(stored(&folder, sql), rows);
    // Numbers as a query infers them.
    let mapped = folder.path().join("mapped");
    let mut command = nines();
    command.current_dir(folder.path()).arg("--store").arg(&mapped).args(["ingest", "fees", "f.csv", "--select"]);
    run(command.arg("SELECT period, customer, service, currency, amount FROM input"));
    assert_eq!(query(&mapped, sql), rows);
}

#[test]
fn a_record_that_contradicts_itself_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("e.csv"), "id,category,started,ended\na,Attack,60,120\nb,Attack,60,60\n").unwrap();
    let said = fails(1, nines().current_dir(folder.path()).args(["ingest", "exclusions", "e.csv"]));
    assert_eq!(
        said,
        "error: e.csv:3: column ended: 1970-01-01T00:01:00+00:00 must be after started, which is \
         1970-01-01T00:01:00+00:00. Correct or remove it and ingest the input again: a batch is stored whole or not at all.\n"
    );
    let said = fails(1, nines().current_dir(folder.path()).args(["ingest", "exclusions", "e.csv", "--source", "me"]));
    assert_eq!(said, "error: the table exclusions has no column \"source\" to fill. Leave --source out\n");
    assert!(query(&folder.path().join("nines"), "SELECT id FROM exclusions").is_empty());
}
