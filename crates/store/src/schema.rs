//! The stored tables: their columns, keys and measures.
//!
//! A table is described here and nowhere else; writer, reader and SQL provider all derive what they
//! need from [`TableKind`]. Columns are plain types that every Delta reader knows: no unsigned
//! integers, no durations, no dictionaries in the declared schema.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};

/// Field metadata of a stored `time` column: the store's slice width in whole seconds.
pub const SLICE_SECONDS: &str = "nines.slice_seconds";

/// The time zone in which instants are stored.
pub const UTC: &str = "UTC";

/// A table of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TableKind {
    /// Requests per slice, key, status and cause, with their latencies.
    Requests,
    /// Good and total events per slice and key.
    Events,
}

/// How a measure of two rows with the same key combines into one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// Numbers add; NULL is "not measured" and adds nothing.
    Sum,
    /// Exponential histograms merge bucket by bucket.
    Histogram,
    /// Exact cumulative counts at thresholds: counts add per threshold. Both rows must carry the same thresholds.
    CountsLe,
}

impl TableKind {
    /// Every table, in the order in which they are listed to people.
    pub const ALL: &[TableKind] = &[TableKind::Requests, TableKind::Events];

    /// The table's name in SQL and its folder in the store.
    pub fn name(self) -> &'static str {
        match self {
            TableKind::Requests => "requests",
            TableKind::Events => "events",
        }
    }

    /// The table of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The columns that identify a row, in sort order: `time` last, so that a series is one run of rows.
    pub fn key(self) -> &'static [&'static str] {
        match self {
            TableKind::Requests => {
                &["business", "service", "endpoint", "customer", "status", "cause", "source", "time"]
            }
            TableKind::Events => &["business", "service", "endpoint", "customer", "name", "source", "time"],
        }
    }

    /// The measured columns and how each combines.
    pub fn measures(self) -> &'static [(&'static str, Measure)] {
        match self {
            TableKind::Requests => &[
                ("requests", Measure::Sum),
                ("latency_sum", Measure::Sum),
                ("latency", Measure::Histogram),
                ("latency_le", Measure::CountsLe),
            ],
            TableKind::Events => &[("good", Measure::Sum), ("total", Measure::Sum)],
        }
    }

    /// The table's columns as SQL sees them, for a store of this slice width.
    pub fn schema(self, slice_seconds: i64) -> SchemaRef {
        let text = |name: &str| Field::new(name, DataType::Utf8View, false);
        let count = |name: &str| Field::new(name, DataType::Int64, false);
        let fields = match self {
            TableKind::Requests => vec![
                time_field(slice_seconds),
                text("business"),
                text("service"),
                text("endpoint"),
                text("customer"),
                Field::new("status", DataType::Int32, false),
                text("cause"),
                text("source"),
                count("requests"),
                Field::new("latency_sum", DataType::Float64, true),
                Field::new("latency", histogram_type(), true),
                Field::new("latency_le", counts_le_type(), true),
            ],
            TableKind::Events => vec![
                time_field(slice_seconds),
                text("business"),
                text("service"),
                text("endpoint"),
                text("customer"),
                text("name"),
                text("source"),
                count("good"),
                count("total"),
            ],
        };
        Arc::new(Schema::new(fields))
    }
}

/// The type of an instant: `Timestamp(µs, UTC)`.
pub fn time_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

fn time_field(slice_seconds: i64) -> Field {
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

/// The item field of a list, named as the Parquet specification and Delta name it.
fn element(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("element", data_type, true))
}
