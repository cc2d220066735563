//! The tables that Nines keeps itself: definitions, days of objectives, facts.

use std::io::Cursor;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::ReaderBuilder;
use nines_store::{DataFile, Outcome, Provider, Store, StoreErrorKind, Table, TableKind};

use crate::fixture::{answer, append, file_store, querying};

/// Rows as lines of JSON, in the table's own columns.
fn rows(table: &Table, lines: &[&str]) -> RecordBatch {
    let reader = ReaderBuilder::new(table.schema()).build(Cursor::new(lines.join("\n"))).unwrap();
    reader.map(Result::unwrap).next().unwrap()
}

/// Appends; how many rows were added, replaced and unchanged.
async fn changed(table: &Table, lines: &[&str]) -> [u64; 3] {
    let changes = append(table, vec![rows(table, lines)]).await.unwrap().changes;
    assert_eq!(changes.removed, 0);
    [changes.added, changes.replaced, changes.unchanged]
}

fn names<'a>(files: impl Iterator<Item = &'a DataFile>) -> Vec<String> {
    files.map(|file| file.path().to_string()).collect()
}

fn day(objective: &str, date: &str, key: i64) -> String {
    format!(
        r#"{{"objective": "{objective}", "definition": "{objective}", "date": "{date}", "key": {key}, "good": 5, "total": 6, "approximate": false}}"#
    )
}

async fn days(table: &Table, all: &[(&str, &str, i64)]) -> [u64; 3] {
    let lines: Vec<String> = all.iter().map(|&(objective, date, key)| day(objective, date, key)).collect();
    changed(table, &lines.iter().map(String::as_str).collect::<Vec<_>>()).await
}

#[tokio::test]
async fn a_definition_recorded_again_replaces_itself() {
    let (_folder, store) = file_store().await;
    let table = store.table(TableKind::Definitions);
    let line = |name: &str, from: &str, text: &str| {
        format!(
            r#"{{"kind": "SLO", "name": "{name}", "effective_from": "{from}", "text": "{text}", "sha256": "ab", "applied_at": "2026-10-02T00:00:00Z"}}"#
        )
    };
    let (first, later) = (line("登录", "2026-10-01T00:00:00.000001Z", "a"), line("登录", "2026-10-02T00:00:00Z", "b"));
    let commit = append(&table, vec![rows(&table, &[&first, &later])]).await.unwrap();
    assert_eq!((commit.rows, commit.time_range), (2, None));
    assert_eq!(table.snapshot().await.unwrap().time_range(), None);
    let again = line("登录", "2026-10-02T00:00:00Z", "c");
    assert_eq!(changed(&table, &[&again]).await, [0, 1, 0]);
    // A µs before, which a bound in ms would hide.
    let before = line("登录", "2026-10-01T00:00:00Z", "d");
    assert_eq!(changed(&table, &[&before]).await, [1, 0, 0]);
    assert_eq!(changed(&table, &[&first]).await, [0, 0, 1]);
    let sql = "select name, effective_from, text from t order by effective_from";
    assert_eq!(
        answer(&querying(Provider::newest(table.clone())), sql).await,
        ["登录|2026-10-01T00:00:00Z|d", "登录|2026-10-01T00:00:00.000001Z|a", "登录|2026-10-02T00:00:00Z|c"]
    );
    let nameless = append(&table, vec![rows(&table, &[&line("", "2026-10-01T00:00:00Z", "e")])]).await.unwrap_err();
    assert_eq!(nameless.kind(), StoreErrorKind::InvalidRows, "{nameless}");
}

#[tokio::test]
async fn a_day_of_an_objective_comes_back_as_it_was() {
    let (_folder, store) = file_store().await;
    let table = store.table(TableKind::SloDays);
    let whole = r#"{"objective": "o", "definition": "d", "date": "2026-10-31", "key": -7, "good": 9, "total": 10, "ratio_sum": 0.1, "approximate": false, "timeline": {"started": "2026-10-31T00:00:00Z", "ended": "2026-11-01T00:00:00Z", "slice_seconds": 60, "errors": [{"started": "2026-10-31T01:00:00Z", "ended": "2026-10-31T01:05:00Z"}], "no_data": [], "excluded": null}}"#;
    let nothing = r#"{"objective": "o", "definition": "d", "date": "2026-11-01", "key": 0, "approximate": false}"#;
    let commit = append(&table, vec![rows(&table, &[nothing, whole])]).await.unwrap();
    assert_eq!((commit.files, commit.time_range), (2, None));
    let context = querying(Provider::newest(table.clone()));
    assert_eq!(
        answer(&context, "select * from t order by date").await,
        [
            "o|d|2026-10-31|-7|{started: 2026-10-31T00:00:00Z, ended: 2026-11-01T00:00:00Z, slice_seconds: 60, \
             errors: [{started: 2026-10-31T01:00:00Z, ended: 2026-10-31T01:05:00Z}], no_data: [], excluded: NULL}\
             |9|10|0.1|false|NULL|NULL|NULL|NULL|NULL|NULL",
            "o|d|2026-11-01|0|NULL|NULL|NULL|NULL|false|NULL|NULL|NULL|NULL|NULL|NULL",
        ]
    );
    assert_eq!(answer(&context, "select key from t where date > '2026-10-31'").await, ["0"]);
    // The same again, timeline and all, is no change.
    let again = append(&table, vec![rows(&table, &[whole])]).await.unwrap();
    assert_eq!(again.outcome, Outcome::Unchanged);
    let other = whole.replace("01:05:00", "01:06:00");
    assert_eq!(changed(&table, &[&other]).await, [0, 1, 0]);
}

#[tokio::test]
async fn a_new_day_of_a_month_adds_a_file_and_a_changed_one_replaces_its_own() {
    let (_folder, store) = file_store().await;
    let table = store.table(TableKind::SloDays);
    days(&table, &[("a", "2026-10-01", 1), ("b", "2026-10-02", 1), ("a", "2026-09-30", 1)]).await;
    let before = table.snapshot().await.unwrap();
    let folders: Vec<_> = before.files().map(|file| file.path().to_string()).collect();
    assert!(folders[0].starts_with("slo_days/month=2026-09/k2-"), "{folders:?}");
    assert!(folders[1].starts_with("slo_days/month=2026-10/k2-") && folders.len() == 2, "{folders:?}");
    assert_eq!(before.files().nth(1).unwrap().first_day(), Some(20_727));
    assert_eq!((before.files_of(20_727).len(), before.days(), before.watermark()), (0, None, None));

    // The objectives lie between those of the first file; only the bounds of the dates tell the files apart.
    let added = days(&table, &[("a", "2026-10-03", 1), ("b", "2026-10-03", 1)]).await;
    assert_eq!(added, [2, 0, 0]);
    let grown = table.snapshot().await.unwrap();
    assert_eq!(grown.files().count(), 3);
    assert!(names(before.files()).iter().all(|old| names(grown.files()).contains(old)));

    let replaced = days(&table, &[("a", "2026-10-03", 2)]).await;
    assert_eq!(replaced, [0, 1, 0]);
    let now = table.snapshot().await.unwrap();
    assert!(names(before.files()).iter().all(|old| names(now.files()).contains(old)));
    assert_eq!(now.files().count(), 3);
    let sql = "select objective, date, key from t order by date, objective";
    assert_eq!(
        answer(&querying(Provider::newest(table.clone())), sql).await,
        ["a|2026-09-30|1", "a|2026-10-01|1", "b|2026-10-02|1", "a|2026-10-03|2", "b|2026-10-03|1"]
    );

    // Whoever knows only the log sees the same files with the same bounds.
    let fresh = Store::open(store.url().as_str()).await.unwrap().table(TableKind::SloDays);
    assert!(fresh.snapshot().await.unwrap().files().eq(now.files()));
    assert!(now.files().all(|file| file.bounds("date").is_some()));
}

#[tokio::test]
async fn a_fact_recorded_again_replaces_itself() {
    let (_folder, store) = file_store().await;
    let table = store.table(TableKind::SloFacts);
    let first =
        r#"{"fact": "baseline", "subject": "login", "period": "2026-09", "key": 1, "value": 275000, "text": ""}"#;
    let unknown = r#"{"fact": "baseline", "subject": "pay", "period": "2026-09", "key": 2, "text": ""}"#;
    changed(&table, &[first, unknown]).await;
    let again =
        r#"{"fact": "baseline", "subject": "login", "period": "2026-09", "key": 3, "value": 300000, "text": ""}"#;
    assert_eq!(changed(&table, &[again]).await, [0, 1, 0]);
    let sql = "select subject, key, value from t order by subject";
    assert_eq!(answer(&querying(Provider::newest(table)), sql).await, ["login|3|300000", "pay|2|NULL"]);
}
