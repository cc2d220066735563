//! A program that embeds the store: open, append, query.
//!
//! `cargo run -p nines-engine --example embed`

use std::sync::Arc;

use nines_engine::datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use nines_engine::datafusion::arrow::util::pretty::print_batches;
use nines_engine::datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_engine::ingest::{Options, conform};
use nines_engine::store::{Once, TableKind};
use nines_engine::{Session, Settings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A store in memory; a path or file:// URL keeps it.
    let session = Session::open_or_create(Settings::new("memory://embed"), Some(60)).await?;
    let store = session.store().ok_or("open_or_create always has a store")?;

    // Ten minutes of sign-ins. Columns by name; what is missing is empty.
    let minutes = 0..10i64;
    let good = minutes.clone().map(|minute| if (4..6).contains(&minute) { 90 } else { 100 });
    let rows = RecordBatch::try_from_iter([
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from_iter_values(minutes.map(|m| m * 60_000_000)).with_timezone("UTC"))
                as ArrayRef,
        ),
        ("service", Arc::new(StringArray::from(vec!["login"; 10]))),
        ("name", Arc::new(StringArray::from(vec!["sign-in"; 10]))),
        ("good", Arc::new(Int64Array::from_iter_values(good))),
        ("total", Arc::new(Int64Array::from(vec![100; 10]))),
    ])?;
    let rows = conform(&rows, &Options::new(TableKind::Events, store.slice_seconds()))?;

    let stream = RecordBatchStreamAdapter::new(rows.schema(), futures::stream::iter([Ok(rows)]));
    let commit = store.table(TableKind::Events).append(Box::pin(stream), Once::default(), session.task()).await?;
    println!("version {:?}: {} rows", commit.outcome, commit.rows);

    let figures = session
        .sql(
            "SELECT name, availability(t) AS availability, mttr(t) AS mttr
             FROM (SELECT name, ratio_timeline(time, good, total, 0.99) AS t FROM events GROUP BY name)",
        )
        .await?;
    print_batches(&figures)?;
    Ok(())
}
