//! A minute of requests of 1,000 series.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray, new_null_array,
};
use nines_store::Table;

pub const SERIES: usize = 1_000;

/// The rows of a minute, counted from 2026-10-01.
pub fn minute(table: &Table, minute: i64) -> RecordBatch {
    let text =
        |of: &dyn Fn(usize) -> String| -> ArrayRef { Arc::new(StringViewArray::from_iter_values((0..SERIES).map(of))) };
    let times = vec![1_790_812_800_000_000 + minute * 60_000_000; SERIES];
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "time" => Arc::new(TimestampMicrosecondArray::from(times.clone()).with_timezone("UTC")) as ArrayRef,
        "service" => text(&|series| format!("service-{:02}", series / 50)),
        "endpoint" => text(&|series| format!("/endpoint/{:02}", series % 50)),
        "status" => Arc::new(Int32Array::from(vec![200; SERIES])),
        "requests" => Arc::new(
            (0..SERIES as i64).map(|series| Some((series * 7 + minute * 13) % 101 + 1)).collect::<Int64Array>(),
        ),
        _ if field.is_nullable() => new_null_array(field.data_type(), SERIES),
        _ => text(&|_| String::new()),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}
