use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use nines_store::StoreErrorKind;

use crate::fixture::{MINUTE, OCTOBER, Row, append, batch, requests, requests_table, row};

/// Appends and gives the message of the refusal.
async fn refusal(batches: Vec<RecordBatch>) -> String {
    let (_folder, table) = requests_table().await;
    let error = append(&table, batches).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::InvalidRows, "{error}");
    assert_eq!(table.snapshot().await.unwrap().version(), None, "nothing is stored");
    error.to_string()
}

fn with(name: &str, values: ArrayRef) -> Vec<RecordBatch> {
    let rows = requests(&[row(OCTOBER, "login", 1)]);
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, column)| {
        (field.name().as_str(), Arc::clone(if field.name() == name { &values } else { column }))
    });
    vec![batch(columns.collect())]
}

#[tokio::test]
async fn a_time_that_does_not_start_a_slice() {
    let rows = [row(OCTOBER, "login", 1), row(OCTOBER + MINUTE / 2, "login", 1)];
    let message = refusal(vec![requests(&rows)]).await;
    assert!(message.contains("2026-10-01T00:00:30+00:00 does not start a slice"), "{message}");
    assert!(message.contains("60 s"), "{message}");
}

#[tokio::test]
async fn nulls_negative_counts_and_wrong_types() {
    let message = refusal(with("service", Arc::new(StringArray::from(vec![None::<&str>])))).await;
    assert_eq!(message, "column service must not be NULL");
    let message = refusal(with("requests", Arc::new(Int64Array::from(vec![-1])))).await;
    assert_eq!(message, "column requests is a count and cannot be -1");
    let message = refusal(with("time", Arc::new(Int64Array::from(vec![OCTOBER])))).await;
    assert!(message.starts_with("column time must be Timestamp(µs, \"UTC\"), not Int64"), "{message}");
    let message = refusal(with("status", Arc::new(Int64Array::from(vec![1 << 40])))).await;
    assert!(message.starts_with("column status: "), "{message}");
}

#[tokio::test]
async fn missing_and_unknown_columns() {
    let mut rows = requests(&[row(OCTOBER, "login", 1)]);
    rows.remove_column(3);
    assert_eq!(refusal(vec![rows]).await, "column endpoint of requests is missing");
    let rows = requests(&[row(OCTOBER, "login", 1)]);
    let (schema, mut columns, _) = rows.into_parts();
    let mut fields = schema.fields().to_vec();
    fields.push(Arc::new(fields[8].as_ref().clone().with_name("errors")));
    columns.push(Arc::clone(&columns[8]));
    let rows = RecordBatch::try_new(Arc::new(datafusion::arrow::datatypes::Schema::new(fields)), columns).unwrap();
    assert_eq!(refusal(vec![rows]).await, "table requests has no column errors");
}

#[tokio::test]
async fn a_bad_row_at_the_end_refuses_the_whole_stream() {
    let good: Vec<Row> = (0..20_000).map(|i| row(OCTOBER + i * MINUTE, "login", 1)).collect();
    let mut batches: Vec<_> = good.chunks(1000).map(requests).collect();
    batches.push(requests(&[row(OCTOBER + 1, "login", 1)]));
    refusal(batches).await;
}

#[tokio::test]
async fn broken_histograms_and_thresholds_that_differ() {
    let unsorted = Row { latency: Some((0, vec![(3, 1), (2, 1)])), ..row(OCTOBER, "login", 2) };
    let message = refusal(vec![requests(&[unsorted])]).await;
    assert_eq!(message, "column latency must have buckets ascending, each once and with a positive count");
    let falling = Row { latency_le: Some(vec![(1, 2), (2, 1)]), ..row(OCTOBER, "login", 2) };
    let message = refusal(vec![requests(&[falling])]).await;
    assert_eq!(message, "column latency_le must have thresholds ascending, each once, and counts that do not fall");
    let le = |threshold| Row { latency_le: Some(vec![(threshold, 1)]), ..row(OCTOBER, "login", 2) };
    let message = refusal(vec![requests(&[le(1000), le(2000)])]).await;
    assert!(message.contains("two rows of the same key count at different thresholds"), "{message}");
}
