//! Tables get the columns that came in later with the first write that needs them.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::ReaderBuilder;
use nines_store::{Outcome, Provider, Store, StoreErrorKind, Table, TableKind};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{answer, append, querying};

async fn table(kind: TableKind) -> (TempDir, Table) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_or_create(folder.path().to_str().unwrap(), None).await.unwrap();
    (folder, store.table(kind))
}

/// Rows as lines of JSON.
fn rows(table: &Table, lines: &[&str]) -> RecordBatch {
    let reader = ReaderBuilder::new(table.schema()).build(Cursor::new(lines.join("\n"))).unwrap();
    reader.map(Result::unwrap).next().unwrap()
}

async fn store(table: &Table, lines: &[&str]) -> nines_store::Changes {
    append(table, vec![rows(table, lines)]).await.unwrap().changes
}

fn log(folder: &TempDir, table: &Table) -> PathBuf {
    folder.path().join(table.kind().name()).join("_delta_log")
}

fn entry(log: &Path, version: u64) -> Vec<Value> {
    let text = std::fs::read_to_string(log.join(format!("{version:020}.json"))).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The `metaData` of an entry, if it has one, and the columns that it states.
fn metadata(log: &Path, version: u64) -> Option<(Value, Vec<String>)> {
    let metadata = entry(log, version).into_iter().find_map(|action| action.get("metaData").cloned())?;
    let schema: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
    let names = schema["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_string());
    Some((metadata, names.collect()))
}

fn count(labels: &str, total: i64) -> String {
    let labels = if labels.is_empty() { String::new() } else { format!(r#""labels": {}, "#, Value::from(labels)) };
    format!(
        r#"{{{labels}"time": "2026-10-01T00:00:00Z", "business": "", "service": "s", "endpoint": "", "customer": "", "name": "n", "source": "a", "good": 0, "total": {total}}}"#
    )
}

#[tokio::test]
async fn the_first_write_that_needs_a_column_adds_it() {
    let (folder, table) = table(TableKind::Events).await;
    let log = log(&folder, &table);
    store(&table, &[&count("", 1)]).await;
    let (first, names) = metadata(&log, 0).unwrap();
    assert!(!names.contains(&"labels".to_string()), "{names:?}");
    assert_eq!(metadata(&log, 1), None);

    let (eu, us) = (r#"{"region":"eu"}"#, r#"{"region":"us"}"#);
    let changes = store(&table, &[&count(eu, 2), &count(us, 3)]).await;
    assert_eq!((changes.added, changes.replaced), (2, 0), "labels are part of what is replaced");
    let (grown, names) = metadata(&log, 2).unwrap();
    assert_eq!(names.last_chunk().unwrap(), &["total", "labels", "date"]);
    assert_eq!((&grown["id"], &grown["configuration"]), (&first["id"], &first["configuration"]));
    let adds: Vec<Value> = entry(&log, 2).into_iter().filter_map(|action| action.get("add").cloned()).collect();
    let stats: Value = serde_json::from_str(adds[0]["stats"].as_str().unwrap()).unwrap();
    assert_eq!((&stats["minValues"]["labels"], &stats["nullCount"]["labels"]), (&eu.into(), &0.into()));

    // NULL is one value: a correction replaces what has no labels, and nothing else.
    assert_eq!(store(&table, &[&count("", 10)]).await.replaced, 1);
    assert_eq!(store(&table, &[&count(us, 30), &count("", 10)]).await.replaced, 1);
    assert_eq!(metadata(&log, 4), None);
    let all = ["eu|2", "us|30", "NULL|10"];
    let sql = "select coalesce(substr(labels, 12, 2), 'NULL') || '|' || total from t order by labels nulls last";
    assert_eq!(answer(&querying(Provider::newest(table.clone())), sql).await, all);
    let labelled = format!("select total from t where labels = '{us}'");
    assert_eq!(answer(&querying(Provider::newest(table.clone())), &labelled).await, ["30"]);
    let unlabelled = "select total from t where labels is null";
    assert_eq!(answer(&querying(Provider::newest(table.clone())), unlabelled).await, ["10"]);
    assert_eq!(answer(&querying(Provider::at(table.clone(), 1)), "select total, labels from t").await, ["1|NULL"]);
    let fresh = Store::open(table.store().url().as_str()).await.unwrap().table(TableKind::Events);
    assert_eq!(answer(&querying(Provider::newest(fresh)), sql).await, all);
}

#[tokio::test]
async fn a_row_without_labels_and_one_with_do_not_combine() {
    let (_folder, table) = table(TableKind::Events).await;
    let eu = count(r#"{"region":"eu"}"#, 2);
    let commit = append(&table, vec![rows(&table, &[&count("", 1), &eu, &count("", 1), &eu])]).await.unwrap();
    assert_eq!((commit.rows, commit.files), (2, 1));
    let again = append(&table, vec![rows(&table, &[&count("", 2), &eu, &eu])]).await.unwrap();
    assert_eq!(again.outcome, Outcome::Unchanged);
    let refused = append(&table, vec![rows(&table, &[&count("region=eu", 1)])]).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::InvalidRows);
    assert!(refused.to_string().contains("a JSON object of texts"), "{refused}");
}

#[tokio::test]
async fn fees_of_spans_stand_beside_those_of_the_month() {
    let (folder, table) = table(TableKind::Fees).await;
    let fee = |more: &str, amount: &str| {
        format!(
            r#"{{"period": "2026-10", "customer": "acme", "service": "login", "currency": "EUR", "amount": "{amount}", "voucher_amount": "0"{more}}}"#
        )
    };
    store(&table, &[&fee("", "10")]).await;
    let first = fee(r#", "span": "1 to 15", "plan": "gold", "withdrawn": false"#, "3");
    let second = fee(r#", "span": "16 to 31""#, "4");
    assert_eq!(store(&table, &[&first, &second]).await.added, 2);
    assert_eq!(metadata(&log(&folder, &table), 2).unwrap().1.last_chunk().unwrap(), &["span", "withdrawn", "plan"]);
    assert_eq!(store(&table, &[&fee(r#", "span": "1 to 15", "withdrawn": true"#, "3")]).await.replaced, 1);
    let sql = "select span, amount, plan, withdrawn from t order by span nulls first";
    assert_eq!(
        answer(&querying(Provider::newest(table)), sql).await,
        ["NULL|10.000000|NULL|NULL", "1 to 15|3.000000|NULL|true", "16 to 31|4.000000|NULL|NULL"]
    );
}

#[tokio::test]
async fn every_column_to_come_is_held() {
    let incident = r#"{"id": "I-1", "business": "", "service": "login", "title": "", "severity": "", "started": "2026-10-01T00:00:00Z", "telemetry_lost": false, "link": "", "withdrawn": false, "services": ["login", "支付"]}"#;
    let statement = r#"{"agreement": "a", "customer": "c", "service": "s", "period": "2026-10", "revision": 0, "issued_at": "2026-11-01T00:00:00Z", "complete": true, "availability_exact": "1", "currency": "EUR", "text": "{}", "sha256": "", "rules": 2, "status": "issued", "number": "2026-1", "side": "customer", "signature": "abc"}"#;
    let day = r#"{"objective": "o", "definition": "d", "date": "2026-10-01", "key": 1, "approximate": false, "sealed": true}"#;
    let annotation =
        r#"{"time": "2026-10-01T00:00:07.5Z", "service": "login", "kind": "release", "text": "v2 业务", "link": ""}"#;
    let gauge = r#"{"time": "2026-10-01T00:00:00Z", "business": "", "service": "s", "endpoint": "", "name": "n", "source": "a", "samples": 1, "sum": 1, "min": 1, "max": 1, "last": 1, "labels": "{\"a\":\"1\"}"}"#;
    for (kind, line, sql, expected) in [
        (TableKind::Incidents, incident, "select services from t", "[login, 支付]"),
        (
            TableKind::Statements,
            statement,
            "select rules, status, number, side, signature from t",
            "2|issued|2026-1|customer|abc",
        ),
        (TableKind::SloDays, day, "select sealed, ratios from t", "true|NULL"),
        (
            TableKind::Annotations,
            annotation,
            "select time, kind, text from t",
            "2026-10-01T00:00:07.500Z|release|v2 业务",
        ),
        (TableKind::Gauges, gauge, "select labels, last from t", r#"{"a":"1"}|1.0"#),
    ] {
        let (_folder, table) = table(kind).await;
        assert_eq!(store(&table, &[line]).await.added, 1, "{kind:?}");
        assert_eq!(store(&table, &[line]).await.unchanged, 1, "{kind:?}");
        assert_eq!(answer(&querying(Provider::newest(table)), sql).await, [expected]);
    }
}

/// What another program has put into the metadata stays when columns are added, and entry 0 may be gone by then.
#[tokio::test]
async fn columns_are_added_to_the_metadata_in_force() {
    let (folder, table) = table(TableKind::Events).await;
    let log = log(&folder, &table);
    store(&table, &[&count("", 0)]).await;
    let mut set = metadata(&log, 0).unwrap().0;
    set["configuration"]["delta.logRetentionDuration"] = "interval 400 days".into();
    let actions = [json!({"commitInfo": {"engineInfo": "another"}}), json!({ "metaData": set })];
    let text: String = actions.iter().map(|action| format!("{action}\n")).collect();
    std::fs::write(log.join(format!("{:020}.json", 2)), text).unwrap();
    for total in 1..60 {
        store(&table, &[&count("", total)]).await;
    }
    for version in 0..50 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    let fresh = Store::open(table.store().url().as_str()).await.unwrap().table(TableKind::Events);
    store(&fresh, &[&count(r#"{"a":"1"}"#, 7)]).await;
    let (grown, names) = metadata(&log, 62).unwrap();
    assert!(names.contains(&"labels".to_string()));
    let same = ["id", "name", "format", "partitionColumns", "configuration", "createdTime"];
    assert!(same.iter().all(|field| grown[field] == set[field]), "{grown} {set}");
    assert_eq!(answer(&querying(Provider::newest(fresh)), "select sum(total) from t").await, ["66"]);
}

/// A column of a newer version: read without it, and never lost by a write.
#[tokio::test]
async fn a_column_that_this_version_does_not_know_is_left_alone() {
    let (folder, table) = table(TableKind::Events).await;
    let log = log(&folder, &table);
    store(&table, &[&count("", 5)]).await;
    let add = |nullable: bool, version: u64| {
        let mut metadata = metadata(&log, 0).unwrap().0;
        let mut schema: Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
        let column = json!({"name": "tier", "type": "string", "nullable": nullable, "metadata": {}});
        schema["fields"].as_array_mut().unwrap().push(column);
        metadata["schemaString"] = schema.to_string().into();
        let text = format!("{}\n", json!({ "metaData": metadata }));
        std::fs::write(log.join(format!("{version:020}.json")), text).unwrap();
    };
    add(true, 2);
    assert_eq!(answer(&querying(Provider::newest(table.clone())), "select sum(total) from t").await, ["5"]);
    let refused = append(&table, vec![rows(&table, &[&count("", 6)])]).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Incompatible);
    assert!(refused.to_string().contains("has a column tier that nines"), "{refused}");
    add(false, 3);
    let refused = table.snapshot().await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Incompatible);
    assert!(refused.to_string().contains("column tier is unknown"), "{refused}");
}

/// An exclusion with these columns more.
fn exclusion(id: &str, more: &str) -> String {
    format!(
        r#"{{"id": "{id}", "business": "", "service": "", "customer": "", "category": "M", "started": "2026-10-04T00:00:00Z", "ended": "2026-10-04T02:00:00Z", "reason": "", "withdrawn": false{more}}}"#
    )
}

/// A version that does not know the rule would exclude what recurs once: it must not read the store.
#[tokio::test]
async fn what_recurs_is_kept_from_older_versions() {
    let (folder, table) = table(TableKind::Exclusions).await;
    let marker = || std::fs::read_to_string(folder.path().join("nines.json")).unwrap();
    let first = marker();
    store(&table, &[&exclusion("once", "")]).await;
    assert_eq!(marker(), first, "what the first versions know is no reason");
    let recurs = r#", "every": "FREQ=WEEKLY;BYDAY=SU", "time_zone": "Europe/Berlin", "until": "2027-01-01T00:00:00Z""#;
    store(&table, &[&exclusion("sundays", recurs)]).await;
    let raised = "{\"format\":2,\"slice_seconds\":60,\"min_reader\":\"0.2.0\",\"min_writer\":\"0.2.0\"}\n";
    assert_eq!(marker(), raised);
    let url = table.store().url().to_string();
    let again = Store::open(&url).await.unwrap().table(TableKind::Exclusions);
    store(&again, &[&exclusion("another", "")]).await;
    let sql = "select id, every, time_zone, until from t order by id";
    assert_eq!(
        answer(&querying(Provider::newest(again)), sql).await,
        [
            "another|NULL|NULL|NULL",
            "once|NULL|NULL|NULL",
            "sundays|FREQ=WEEKLY;BYDAY=SU|Europe/Berlin|2027-01-01T00:00:00Z"
        ]
    );
    // Whoever lost it is told to write the same, where a table says how wide slices are.
    let events = table.store().table(TableKind::Events);
    store(&events, &[&count("", 1)]).await;
    std::fs::remove_file(folder.path().join("nines.json")).unwrap();
    let lost = Store::open(&url).await.unwrap_err().to_string();
    assert!(lost.contains(raised.trim_end()), "{lost}");
}

#[tokio::test]
async fn what_cannot_recur_is_refused_by_its_column() {
    let (_folder, table) = table(TableKind::Exclusions).await;
    for (more, column, why) in [
        (r#", "every": "FREQ=WEEKLY""#, "time_zone", "goes by the clock of a zone"),
        (r#", "time_zone": "UTC""#, "time_zone", "says nothing without every"),
        (r#", "until": "2027-01-01T00:00:00Z""#, "until", "says nothing without every"),
        (r#", "every": "sometimes", "time_zone": "UTC""#, "every", "expected a rule of RFC 5545"),
        (r#", "every": "FREQ=HOURLY", "time_zone": "UTC""#, "every", "recurs within a day"),
        (r#", "every": "FREQ=DAILY", "time_zone": "Mars""#, "time_zone", "expected an IANA name"),
        (
            r#", "every": "FREQ=WEEKLY;BYDAY=MO", "time_zone": "UTC""#,
            "every",
            "the first one that it yields is 2026-10-05",
        ),
        (r#", "every": "FREQ=DAILY", "time_zone": "UTC", "until": "2026-10-04T00:00:00Z""#, "until", "is not after"),
    ] {
        let refused = append(&table, vec![rows(&table, &[&exclusion("X", more)])]).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::InvalidRows, "{more}");
        let said = refused.to_string();
        assert!(said.contains(&format!("column {column}: ")) && said.contains(why), "{more}: {said}");
    }
}
