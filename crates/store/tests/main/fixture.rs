//! Rows and stores to test with.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int32Builder, Int64Array, Int64Builder, ListBuilder, RecordBatch, StringArray,
    StructArray, StructBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryPool, MemoryReservation, UnboundedMemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::{SessionConfig, SessionContext};
use futures::stream;
use nines_store::{Commit, Once, Provider, Result, Store, Table, TableKind, counts_le_type, histogram_type};
use tempfile::TempDir;

/// 2026-10-01T00:00:00Z in µs.
pub const OCTOBER: i64 = 1_790_812_800_000_000;
pub const MINUTE: i64 = 60_000_000;
pub const DAY: i64 = 1440 * MINUTE;

/// A row of `requests`.
#[derive(Debug, Clone)]
pub struct Row {
    pub time: i64,
    pub business: &'static str,
    pub service: &'static str,
    pub endpoint: String,
    pub status: i32,
    pub requests: i64,
    pub latency_sum: Option<f64>,
    pub latency: Option<Histogram>,
    pub latency_le: Option<CountsLe>,
}

/// Zero count and (bucket, count).
pub type Histogram = (i64, Vec<(i32, i64)>);
/// (threshold in µs, count).
pub type CountsLe = Vec<(i64, i64)>;

pub fn row(time: i64, service: &'static str, requests: i64) -> Row {
    Row {
        time,
        business: "shop",
        service,
        endpoint: "/login".into(),
        status: 200,
        requests,
        latency_sum: None,
        latency: None,
        latency_le: None,
    }
}

pub fn requests(rows: &[Row]) -> RecordBatch {
    let text = |value: fn(&Row) -> &str| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(value(row).to_owned())).collect::<StringArray>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("time", Arc::new(times(rows.iter().map(|row| row.time)))),
        ("business", text(|row| row.business)),
        ("service", text(|row| row.service)),
        ("endpoint", text(|row| &row.endpoint)),
        ("customer", text(|_| "")),
        ("status", Arc::new(rows.iter().map(|row| Some(row.status)).collect::<Int32Array>())),
        ("cause", text(|_| "")),
        ("source", text(|_| "test")),
        ("requests", Arc::new(rows.iter().map(|row| Some(row.requests)).collect::<Int64Array>())),
        ("latency_sum", Arc::new(rows.iter().map(|row| row.latency_sum).collect::<Float64Array>())),
        ("latency", histograms(rows.iter().map(|row| row.latency.as_ref()))),
        ("latency_le", counts_le(rows.iter().map(|row| row.latency_le.as_ref()))),
    ];
    batch(columns)
}

pub fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<_> =
        columns.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true)).collect();
    let columns = columns.into_iter().map(|(_, values)| values).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

pub fn times(times: impl Iterator<Item = i64>) -> TimestampMicrosecondArray {
    TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")
}

pub fn histograms<'a>(values: impl Iterator<Item = Option<&'a Histogram>>) -> ArrayRef {
    let DataType::Struct(fields) = histogram_type() else { panic!() };
    let DataType::List(element) = fields[1].data_type().clone() else { panic!() };
    let DataType::Struct(entry) = element.data_type().clone() else { panic!() };
    let entries = StructBuilder::new(entry, vec![Box::new(Int32Builder::new()), Box::new(Int64Builder::new())]);
    let mut lists = ListBuilder::new(entries).with_field(element);
    let (mut zeros, mut valid) = (Vec::new(), Vec::new());
    for value in values {
        for (bucket, count) in value.iter().flat_map(|(_, buckets)| buckets) {
            let entries = lists.values();
            entries.field_builder::<Int32Builder>(0).unwrap().append_value(*bucket);
            entries.field_builder::<Int64Builder>(1).unwrap().append_value(*count);
            entries.append(true);
        }
        lists.append(true);
        zeros.push(value.map_or(0, |(zero, _)| *zero));
        valid.push(value.is_some());
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(zeros)), Arc::new(lists.finish())];
    Arc::new(StructArray::new(fields, columns, Some(NullBuffer::from(valid))))
}

pub fn counts_le<'a>(values: impl Iterator<Item = Option<&'a CountsLe>>) -> ArrayRef {
    let DataType::List(element) = counts_le_type() else { panic!() };
    let DataType::Struct(entry) = element.data_type().clone() else { panic!() };
    let entries = StructBuilder::new(entry, vec![Box::new(Int64Builder::new()), Box::new(Int64Builder::new())]);
    let mut lists = ListBuilder::new(entries).with_field(element);
    for value in values {
        for (le, count) in value.into_iter().flatten() {
            let entries = lists.values();
            entries.field_builder::<Int64Builder>(0).unwrap().append_value(*le);
            entries.field_builder::<Int64Builder>(1).unwrap().append_value(*count);
            entries.append(true);
        }
        lists.append(value.is_some());
    }
    Arc::new(lists.finish())
}

pub fn stream_of(batches: Vec<RecordBatch>) -> SendableRecordBatchStream {
    let schema = batches[0].schema();
    Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches.into_iter().map(Ok))))
}

pub async fn append(table: &Table, batches: Vec<RecordBatch>) -> Result<Commit> {
    table.append(stream_of(batches), Once::default(), context().task_ctx()).await
}

/// A session with two partitions, whatever the machine.
pub fn context() -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2))
}

/// Sessions that write the same rows by other ways: with more workers than there are rows to share, and without the memory to hold rows
/// until all are there.
pub fn contexts() -> Vec<SessionContext> {
    let of = |partitions: usize| SessionConfig::new().with_target_partitions(partitions);
    let short = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(Short::default())).build_arc().unwrap();
    let tight = SessionContext::new_with_config_rt(of(2), short);
    vec![context(), SessionContext::new_with_config(of(1)), SessionContext::new_with_config(of(7)), tight]
}

/// Memory for everything but many rows that wait.
#[derive(Debug, Default)]
struct Short(UnboundedMemoryPool);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl MemoryPool for Short {
    fn name(&self) -> &str {
        "short"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.0.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.0.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> datafusion::error::Result<()> {
        if reservation.consumer().name().starts_with("rows to write") && reservation.size() + additional > 1500 {
            return Err(DataFusionError::ResourcesExhausted("there is no more".to_string()));
        }
        self.0.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.0.reserved()
    }
}

/// A session in which the table is `t`.
pub fn querying(provider: Provider) -> SessionContext {
    let context = context();
    context.register_table("t", Arc::new(provider)).unwrap();
    context
}

/// The answer as text, one line per row, cells separated by `|`.
pub async fn answer(context: &SessionContext, sql: &str) -> Vec<String> {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    lines(&batches)
}

pub fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let options = datafusion::arrow::util::display::FormatOptions::default().with_null("NULL");
    let mut lines = Vec::new();
    for batch in batches {
        let cells: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| datafusion::arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            lines.push(cells.iter().map(|cell| cell.value(row).to_string()).collect::<Vec<_>>().join("|"));
        }
    }
    lines
}

/// A store in a folder whose name a URL has to escape.
pub async fn file_store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("业务 %20 store#1");
    let store = Store::open_or_create(path.to_str().unwrap(), None).await.unwrap();
    (folder, store)
}

pub async fn requests_table() -> (TempDir, Table) {
    let (folder, store) = file_store().await;
    (folder, store.table(TableKind::Requests))
}
