//! The types of columns, beyond plain numbers and texts.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};

/// Field metadata of a stored `time` column: the store's slice width in whole seconds.
pub const SLICE_SECONDS: &str = "nines.slice_seconds";

/// The time zone in which instants are stored.
pub const UTC: &str = "UTC";

/// The type of an instant: `Timestamp(µs, UTC)`.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// The column `time` of a series.
pub(super) fn time_field(slice_seconds: i64) -> Field {
    Field::new("time", time_type(), false)
        .with_metadata(HashMap::from([(SLICE_SECONDS.to_string(), slice_seconds.to_string())]))
}

/// A latency histogram: `Struct<zero: Int64, buckets: List<Struct<bucket: Int32, count: Int64>>>`,
/// buckets ascending, base-2 exponential of scale 5 over seconds (OpenTelemetry's). Nested fields are nullable
/// as other programs write them, so that their histograms need no cast; the writer never writes NULL there.
pub fn histogram_type() -> DataType {
    let bucket = DataType::Struct(
        vec![Field::new("bucket", DataType::Int32, true), Field::new("count", DataType::Int64, true)].into(),
    );
    DataType::Struct(
        vec![Field::new("zero", DataType::Int64, true), Field::new("buckets", DataType::List(element(bucket)), true)]
            .into(),
    )
}

/// Exact cumulative counts: `List<Struct<le: Int64, count: Int64>>`, thresholds in µs, ascending.
pub fn counts_le_type() -> DataType {
    let count = DataType::Struct(
        vec![Field::new("le", DataType::Int64, true), Field::new("count", DataType::Int64, true)].into(),
    );
    DataType::List(element(count))
}

/// A timeline: `Struct<started, ended, slice_seconds: Int64, errors, no_data, excluded>`, the last three lists of
/// `Struct<started, ended>` and every instant `Timestamp(µs, UTC)`. Nested fields are nullable, as the functions
/// that make timelines declare them.
pub fn timeline_type() -> DataType {
    let instant = |name: &str| Field::new(name, time_type(), true);
    let interval = DataType::Struct(vec![instant("started"), instant("ended")].into());
    let intervals = |name: &str| Field::new(name, DataType::List(element(interval.clone())), true);
    DataType::Struct(
        vec![
            instant("started"),
            instant("ended"),
            Field::new("slice_seconds", DataType::Int64, true),
            intervals("errors"),
            intervals("no_data"),
            intervals("excluded"),
        ]
        .into(),
    )
}

/// The item field of a list, named as the Parquet specification and Delta name it.
fn element(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("element", data_type, true))
}

/// A list of texts.
pub(super) fn text_list_type() -> DataType {
    DataType::List(element(DataType::Utf8View))
}
