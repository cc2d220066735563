//! What other Delta writers put into a table.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectStore, ObjectStoreExt};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::physical_expr::expressions::{col, in_list, lit};
use datafusion::scalar::ScalarValue;
use futures::StreamExt;
use nines_store::{ByDay, Compaction, Condemned, Deletion, Provider, Sealed, StoreErrorKind, Table, TableKind};

use crate::fixture::{DAY, MINUTE, OCTOBER, answer, append, context, querying, requests, row};
use crate::model::fresh;

/// Adds rows to `requests` as another program does: a file of this day, and an entry that says no more than it must.
pub async fn put(objects: &Arc<InMemory>, version: u64, day: &str, rows: &RecordBatch) {
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, rows.schema(), None).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
    let (path, size) = (format!("date={day}/part-{version}.parquet"), file.len());
    objects.put(&Path::from(format!("requests/{path}")), file.into()).await.unwrap();
    let entry = format!(
        "{{\"add\":{{\"path\":\"{path}\",\"partitionValues\":{{\"date\":\"{day}\"}},\"size\":{size},\"modificationTime\":0,\
         \"dataChange\":true,\"stats\":\"{{\\\"numRecords\\\":{}}}\"}}}}\n\
         {{\"commitInfo\":{{\"timestamp\":1790812800000,\"operation\":\"WRITE\",\"engineInfo\":\"another\"}}}}\n",
        rows.num_rows()
    );
    let entry_at = Path::from(format!("requests/_delta_log/{version:020}.json"));
    objects.put(&entry_at, entry.into()).await.unwrap();
}

fn with(rows: RecordBatch, column: &str, values: ArrayRef) -> RecordBatch {
    let columns = rows.schema_ref().fields().iter().zip(rows.columns());
    let columns = columns.map(|(field, old)| {
        (field.name().as_str(), if field.name() == column { Arc::clone(&values) } else { Arc::clone(old) })
    });
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true))).unwrap()
}

async fn adopt(table: &Table) -> nines_store::Result<nines_store::Compacted> {
    adopted(table, false).await
}

async fn adopted(table: &Table, dry_run: bool) -> nines_store::Result<nines_store::Compacted> {
    let mut how = Compaction::default();
    (how.adopt, how.dry_run) = (true, dry_run);
    table.compact(&how, context().task_ctx()).await
}

/// A table with a row on the first, and one by another program on the second.
async fn with_foreign() -> Arc<InMemory> {
    let objects = Arc::new(InMemory::new());
    append(&fresh(&objects, TableKind::Requests).await, vec![requests(&[row(OCTOBER, "web", 1)])]).await.unwrap();
    put(&objects, 2, "2026-10-02", &requests(&[row(OCTOBER + DAY, "theirs", 7)])).await;
    objects
}

#[tokio::test]
async fn rows_that_an_append_refuses_are_not_adopted() {
    let of = |time: i64, count: i64| requests(&[row(time, "good", 1), row(time + MINUTE, "bad", count)]);
    let one: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let no_service: ArrayRef = Arc::new(StringArray::from(vec![Some("bad"), None]));
    let cases = [
        ("2026-10-03", of(OCTOBER, 1), "belongs to the folder of 2026-10-01"),
        ("2026-10-01", of(OCTOBER, -1), "count and cannot be -1"),
        ("2026-10-01", of(OCTOBER + 1, 1), "does not start a slice"),
        ("2026-10-01", requests(&[row(OCTOBER, "web", 9)]), "it counts twice"),
        ("2026-10-04", requests(&[row(OCTOBER + 3 * DAY, "bad", 9), row(OCTOBER + 3 * DAY, "bad", 9)]), "twice in it"),
        ("2026-10-01", with(of(OCTOBER, 1), "requests", one), "column requests must not be NULL"),
        ("2026-10-01", with(of(OCTOBER, 1), "service", no_service), "column service must not be NULL"),
    ];
    for (day, rows, why) in cases {
        let objects = with_foreign().await;
        put(&objects, 3, day, &rows).await;
        let table = fresh(&objects, TableKind::Requests).await;
        let before = objects.list(None).collect::<Vec<_>>().await.len();
        let refused = adopt(&table).await.unwrap_err();
        let told = refused.to_string();
        assert_eq!(refused.kind(), StoreErrorKind::InvalidRows, "{told}");
        assert_eq!(adopted(&table, true).await.unwrap_err().to_string(), told, "a dry run says what the run would");
        assert!(told.contains("part-3.parquet") && told.contains(why) && told.contains("/login"), "{told}");
        assert!(told.contains("nines restore"), "{told}");
        let snapshot = table.snapshot().await.unwrap();
        assert_eq!((snapshot.version(), objects.list(None).collect::<Vec<_>>().await.len()), (Some(3), before));
        // Merging what is ours does not touch it.
        table.compact(&Compaction::default(), context().task_ctx()).await.unwrap();
        assert_eq!(table.snapshot().await.unwrap().files().filter(|file| file.foreign()).count(), 2);
    }
    let objects = with_foreign().await;
    put(&objects, 3, "2026-10-01", &of(OCTOBER, 3)).await;
    let table = fresh(&objects, TableKind::Requests).await;
    assert_eq!(adopt(&table).await.unwrap().version, Some(4));
    let snapshot = table.snapshot().await.unwrap();
    assert_eq!((snapshot.files().filter(|file| file.foreign()).count(), snapshot.rows()), (0, Some(4)));
}

/// A column that another program adds stops writing, and going back takes it away.
#[tokio::test]
async fn a_column_that_another_program_added_can_be_taken_back() {
    let objects = Arc::new(InMemory::new());
    let table = fresh(&objects, TableKind::Requests).await;
    append(&table, vec![requests(&[row(OCTOBER, "web", 1)])]).await.unwrap();
    let at = |version: u64| Path::from(format!("requests/_delta_log/{version:020}.json"));
    let entry = objects.get(&at(0)).await.unwrap().bytes().await.unwrap();
    let mut lines = entry.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let metadata = lines.find_map(|line| {
        let action: serde_json::Value = serde_json::from_slice(line).unwrap();
        action.get("metaData").cloned()
    });
    let mut metadata = metadata.unwrap();
    let mut schema: serde_json::Value = serde_json::from_str(metadata["schemaString"].as_str().unwrap()).unwrap();
    let column = serde_json::json!({"name": "rack", "type": "string", "nullable": true, "metadata": {}});
    schema["fields"].as_array_mut().unwrap().push(column);
    metadata["schemaString"] = schema.to_string().into();
    let told =
        "{\"commitInfo\":{\"timestamp\":1790812800000,\"operation\":\"ADD COLUMNS\",\"engineInfo\":\"another\"}}";
    let added = format!("{}\n{told}\n", serde_json::json!({ "metaData": metadata }));
    objects.put(&at(2), added.into()).await.unwrap();
    let table = fresh(&objects, TableKind::Requests).await;
    assert_eq!(table.snapshot().await.unwrap().rows(), Some(1));
    let more = || vec![requests(&[row(OCTOBER + MINUTE, "web", 2)])];
    let refused = append(&table, more()).await.unwrap_err().to_string();
    assert!(refused.contains("column rack") && refused.contains("nines restore requests --to VERSION"), "{refused}");
    assert_eq!(table.restore(1, false).await.unwrap().version, Some(3));
    append(&table, more()).await.unwrap();
    assert_eq!(fresh(&objects, TableKind::Requests).await.snapshot().await.unwrap().rows(), Some(2));
    assert_eq!(table.restore(2, false).await.unwrap().version, Some(5), "its rows, without the column");
    assert_eq!(table.snapshot().await.unwrap().rows(), Some(1));
}

#[tokio::test]
async fn rows_that_nobody_vouched_for_are_not_written_anew() {
    let objects = with_foreign().await;
    let table = fresh(&objects, TableKind::Requests).await;
    let theirs = OCTOBER + DAY;
    let refused = append(&table, vec![requests(&[row(theirs, "theirs", 8)])]).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Foreign);
    let told = refused.to_string();
    assert!(told.contains("part-2.parquet") && told.contains("nines compact requests --adopt"), "{told}");
    // What says nothing of its rows may stand beside it.
    append(&table, vec![requests(&[row(theirs, "web", 1), row(OCTOBER, "web", 2)])]).await.unwrap();
    // The rest of a file is not written anew; a file that goes as a whole leaves no rest.
    put(&objects, 4, "2026-10-03", &requests(&[row(theirs + DAY, "a", 1), row(theirs + DAY, "b", 2)])).await;
    let of = |services: &[&str]| {
        let column = col("service", &table.schema()).unwrap();
        let meant = services.iter().map(|service| lit(ScalarValue::Utf8View(Some((*service).to_string()))));
        Condemned::Rows(in_list(column, meant.collect(), &false, &table.schema()).unwrap())
    };
    let delete = async |services: &[&str], dry_run: bool| {
        let mut how = Deletion::default();
        how.dry_run = dry_run;
        table.delete(&of(services), &how, context().task_ctx()).await
    };
    for dry_run in [true, false] {
        let refused = delete(&["a", "web"], dry_run).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Foreign, "{refused}");
    }
    assert_eq!(delete(&["a", "b"], false).await.unwrap().rows, 2);
    let read = async || answer(&querying(Provider::newest(table.clone())), "select sum(requests) from t").await;
    assert_eq!(read().await, ["10"]);
    // Vouched for, they are rows like any.
    assert!(adopt(&table).await.unwrap().version.is_some());
    append(&table, vec![requests(&[row(theirs, "theirs", 8)])]).await.unwrap();
    let deleted = delete(&["web"], false).await.unwrap();
    assert_eq!((deleted.rows, table.last_delete().await.unwrap()), (2, deleted.version));
    assert_eq!(read().await, ["8"]);
    // Rows of days that are sealed are no such rows.
    let mut how = Deletion::default();
    let day = (theirs / DAY) as i32 + 1;
    how.seals = Some(Sealed { from: day - 1, rows_from: day, until: day, held: true });
    table.delete(&Condemned::Before(day), &how, context().task_ctx()).await.unwrap();
    assert_eq!((read().await, table.last_delete().await.unwrap()), (vec!["NULL".to_string()], deleted.version));
    // What counts again is not deleted.
    table.restore(deleted.version.unwrap() - 1, false).await.unwrap();
    assert_ne!(table.last_delete().await.unwrap(), deleted.version);
}

#[tokio::test]
async fn whoever_reads_files_that_cannot_be_verified_is_told_once() {
    let objects = with_foreign().await;
    let table = fresh(&objects, TableKind::Requests).await;
    let read = async || answer(&querying(Provider::newest(table.clone())), "select sum(requests) from t").await;
    assert_eq!(read().await, ["8"]);
    let notices = table.store().take_notices();
    assert!(
        notices.len() == 1 && notices[0].starts_with("1 file of requests was written by another program"),
        "{notices:?}"
    );
    assert!(notices[0].contains("nines compact requests --adopt"), "{notices:?}");
    put(&objects, 3, "2026-10-01", &requests(&[row(OCTOBER + MINUTE, "theirs", 7)])).await;
    assert_eq!(read().await, ["15"]);
    assert!(table.store().take_notices().is_empty());
    // Evaluation reads by day.
    let table = fresh(&objects, TableKind::Requests).await;
    let day = (OCTOBER / DAY) as i32;
    let request = ByDay { days: &[day], columns: &["requests"], filter: None, exact: true, partitions: 1, lead_in: 0 };
    table.snapshot().await.unwrap().scan_by_day(&context().state(), &request).unwrap();
    assert!(table.store().take_notices()[0].starts_with("2 files of requests were written by another program"));
    // What was looked at as a whole has said so.
    let table = fresh(&objects, TableKind::Requests).await;
    assert_eq!(table.check(&context().task_ctx(), &Arc::default()).await.unwrap().foreign_files.len(), 2);
    let read = answer(&querying(Provider::newest(table.clone())), "select count(*) from t").await;
    assert_eq!((read, table.store().take_notices()), (vec!["3".to_string()], Vec::new()));
}
