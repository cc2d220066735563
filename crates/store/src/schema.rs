//! The stored tables: their columns, keys and measures.
//!
//! A table is described here and nowhere else; writer, reader and SQL provider all derive what they
//! need from [`TableKind`]. There are three sorts: *series*, aggregates of one slice each, stored by UTC day;
//! *records*, which people state; and what Nines *derives* from both and keeps only to answer sooner. Columns are plain types that every Delta reader knows: no unsigned
//! integers, no durations, no dictionaries in the declared schema.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::common::ScalarValue;

use crate::partition::Partition;

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
    /// Samples of a measured value per slice and key.
    Gauges,
    /// Incidents with the instants of their phases. A record: one row per id.
    Incidents,
    /// Time that objectives and agreements do not count. A record: one row per id.
    Exclusions,
    /// What a customer pays for a service in a month. A record.
    Fees,
    /// Versions of objectives and agreements, as they were applied. A record, written by `nines apply`.
    Definitions,
    /// One timeline per objective and UTC day. Derived: what is in it can be computed again at any time.
    SloDays,
    /// Single numbers that evaluation found out about a subject in a period. Derived.
    SloFacts,
    /// What was issued, with its evidence. A record, written by `nines credits --issue`.
    Statements,
}

/// How a measure of two rows with the same key combines into one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// Counts and sums of what cannot be negative add; NULL is "not measured" and adds nothing.
    Sum,
    /// Numbers of either sign add.
    Total,
    /// The least counts.
    Min,
    /// The greatest counts.
    Max,
    /// The one that came last counts.
    Last,
    /// Exponential histograms merge bucket by bucket.
    Histogram,
    /// Exact cumulative counts at thresholds: counts add per threshold. Both rows must carry the same thresholds.
    CountsLe,
    /// A statement that a batch cannot make twice differently: both rows must agree.
    Same,
}

/// Digits of an amount of money, and how many of them follow the decimal point.
pub const MONEY: (u8, i8) = (24, 6);

/// Digits of a day's sum of slice ratios, and how many of them follow the decimal point.
pub const RATIOS: (u8, i8) = (38, 28);

impl TableKind {
    /// Every table, in the order in which they are listed to people.
    pub const ALL: &[TableKind] = &[
        TableKind::Requests,
        TableKind::Events,
        TableKind::Gauges,
        TableKind::Incidents,
        TableKind::Exclusions,
        TableKind::Fees,
        TableKind::Definitions,
        TableKind::SloDays,
        TableKind::SloFacts,
        TableKind::Statements,
    ];

    /// The tables that are loaded from files and take INSERTs, in the same order. The others are written by Nines
    /// itself: [`kept_by_nines`](Self::kept_by_nines).
    pub const INGESTED: &[TableKind] = &[
        TableKind::Requests,
        TableKind::Events,
        TableKind::Gauges,
        TableKind::Incidents,
        TableKind::Exclusions,
        TableKind::Fees,
    ];

    /// The table's name in SQL and its folder in the store.
    pub fn name(self) -> &'static str {
        match self {
            TableKind::Requests => "requests",
            TableKind::Events => "events",
            TableKind::Gauges => "gauges",
            TableKind::Incidents => "incidents",
            TableKind::Exclusions => "exclusions",
            TableKind::Fees => "fees",
            TableKind::Definitions => "definitions",
            TableKind::SloDays => "slo_days",
            TableKind::SloFacts => "slo_facts",
            TableKind::Statements => "statements",
        }
    }

    /// The table of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// How rows come into a table that is not loaded from files and takes no INSERT; `None` for one that is and does.
    pub fn kept_by_nines(self) -> Option<&'static str> {
        match self {
            TableKind::Definitions => Some("record definitions with: nines apply FILE"),
            TableKind::Statements => Some("issue statements with: nines credits PERIOD --issue"),
            TableKind::SloDays | TableKind::SloFacts => {
                Some("nines derives its rows from definitions and counts, and keeps them to answer sooner")
            }
            _ => None,
        }
    }

    /// Whether its rows are aggregates of one slice each, with a `time`. The others are records, which people
    /// write by hand, or derived.
    pub fn is_series(self) -> bool {
        matches!(self, TableKind::Requests | TableKind::Events | TableKind::Gauges)
    }

    /// By what its files are put into folders.
    pub fn partition(self) -> Partition {
        match self {
            TableKind::Requests | TableKind::Events | TableKind::Gauges => Partition::Day,
            TableKind::SloDays => Partition::Month,
            _ => Partition::None,
        }
    }

    /// The columns that identify a row, in sort order: `time` last, so that a series is one run of rows.
    pub fn key(self) -> &'static [&'static str] {
        match self {
            TableKind::Requests => {
                &["business", "service", "endpoint", "customer", "status", "cause", "source", "time"]
            }
            TableKind::Events => &["business", "service", "endpoint", "customer", "name", "source", "time"],
            TableKind::Gauges => &["business", "service", "endpoint", "name", "source", "time"],
            TableKind::Incidents | TableKind::Exclusions => &["id"],
            TableKind::Fees => &["period", "customer", "service"],
            TableKind::Definitions => &["kind", "name", "effective_from"],
            TableKind::SloDays => &["objective", "definition", "date"],
            TableKind::SloFacts => &["fact", "subject", "period"],
            TableKind::Statements => &["agreement", "customer", "service", "period", "revision"],
        }
    }

    /// The columns that identify a *unit*: what a batch says of a unit replaces all that was said of it before. It
    /// is the key without what a correction may relabel.
    pub fn unit(self) -> impl Iterator<Item = &'static str> {
        self.key().iter().copied().filter(|name| !matches!(*name, "status" | "cause"))
    }

    /// How many of the first columns of the key are the same in all rows of a unit, so that rows sorted by key have
    /// their units side by side as far as these columns go.
    pub(crate) fn group(self) -> usize {
        match self {
            TableKind::Requests | TableKind::Events => 4,
            TableKind::Gauges => 3,
            TableKind::Incidents | TableKind::Exclusions => 1,
            TableKind::Fees | TableKind::Definitions | TableKind::SloDays | TableKind::SloFacts => 3,
            TableKind::Statements => 5,
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
            TableKind::Gauges => &[
                ("samples", Measure::Sum),
                ("sum", Measure::Total),
                ("min", Measure::Min),
                ("max", Measure::Max),
                ("last", Measure::Last),
            ],
            TableKind::Incidents => &[
                ("business", Measure::Same),
                ("service", Measure::Same),
                ("title", Measure::Same),
                ("severity", Measure::Same),
                ("started", Measure::Same),
                ("detected", Measure::Same),
                ("located", Measure::Same),
                ("fixed", Measure::Same),
                ("verified", Measure::Same),
                ("telemetry_lost", Measure::Same),
                ("link", Measure::Same),
                ("withdrawn", Measure::Same),
            ],
            TableKind::Exclusions => &[
                ("business", Measure::Same),
                ("service", Measure::Same),
                ("customer", Measure::Same),
                ("category", Measure::Same),
                ("started", Measure::Same),
                ("ended", Measure::Same),
                ("reason", Measure::Same),
                ("announced", Measure::Same),
                ("withdrawn", Measure::Same),
            ],
            TableKind::Fees => &[
                ("currency", Measure::Same),
                ("amount", Measure::Same),
                ("voucher_amount", Measure::Same),
                ("active_from", Measure::Same),
                ("active_until", Measure::Same),
            ],
            TableKind::Definitions => {
                &[("text", Measure::Same), ("sha256", Measure::Same), ("applied_at", Measure::Same)]
            }
            TableKind::SloDays => &[
                ("key", Measure::Same),
                ("timeline", Measure::Same),
                ("good", Measure::Same),
                ("total", Measure::Same),
                ("ratio_sum", Measure::Same),
                ("approximate", Measure::Same),
                ("ratios", Measure::Same),
                ("assumed", Measure::Same),
                ("bound_below", Measure::Same),
                ("bound_above", Measure::Same),
                ("last_data", Measure::Same),
            ],
            TableKind::SloFacts => &[("key", Measure::Same), ("value", Measure::Same), ("text", Measure::Same)],
            TableKind::Statements => &[
                ("issued_at", Measure::Same),
                ("complete", Measure::Same),
                ("availability_exact", Measure::Same),
                ("amount", Measure::Same),
                ("currency", Measure::Same),
                ("text", Measure::Same),
                ("sha256", Measure::Same),
            ],
        }
    }

    /// The columns that a table of an earlier version may lack: its next version has them, NULL in what was stored before.
    pub(crate) fn later(self) -> &'static [&'static str] {
        match self {
            TableKind::SloDays => &["ratios", "assumed", "bound_below", "bound_above", "last_data"],
            _ => &[],
        }
    }

    /// What stands in a column that a writer leaves out, `None` where a row is nothing without it. NULL is the
    /// default of a nullable column.
    pub fn default_of(self, column: &str) -> Option<ScalarValue> {
        let data_type = self.schema(1).field_with_name(column).ok().map(|field| field.data_type().clone())?;
        match (column, &data_type) {
            ("id" | "period" | "category" | "currency", _) => None,
            (_, DataType::Utf8View) => Some(ScalarValue::Utf8View(Some(String::new()))),
            (_, DataType::Boolean) => Some(ScalarValue::Boolean(Some(false))),
            ("status", _) => Some(ScalarValue::Int32(Some(0))),
            ("voucher_amount", _) => Some(ScalarValue::Decimal128(Some(0), MONEY.0, MONEY.1)),
            _ if self.schema(1).field_with_name(column).is_ok_and(Field::is_nullable) => {
                ScalarValue::try_from(&data_type).ok()
            }
            _ => None,
        }
    }

    /// The table's columns as SQL sees them, for a store of this slice width.
    pub fn schema(self, slice_seconds: i64) -> SchemaRef {
        let text = |name: &str| Field::new(name, DataType::Utf8View, false);
        let count = |name: &str| Field::new(name, DataType::Int64, false);
        let number = |name: &str| Field::new(name, DataType::Float64, false);
        let instant = |name: &str| Field::new(name, time_type(), false);
        let flag = |name: &str| Field::new(name, DataType::Boolean, false);
        let money = |name: &str| Field::new(name, DataType::Decimal128(MONEY.0, MONEY.1), false);
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
            TableKind::Gauges => vec![
                time_field(slice_seconds),
                text("business"),
                text("service"),
                text("endpoint"),
                text("name"),
                text("source"),
                count("samples"),
                number("sum"),
                number("min"),
                number("max"),
                number("last"),
            ],
            TableKind::Incidents => vec![
                text("id"),
                text("business"),
                text("service"),
                text("title"),
                text("severity"),
                instant("started"),
                instant("detected").with_nullable(true),
                instant("located").with_nullable(true),
                instant("fixed").with_nullable(true),
                instant("verified").with_nullable(true),
                flag("telemetry_lost"),
                text("link"),
                flag("withdrawn"),
            ],
            TableKind::Exclusions => vec![
                text("id"),
                text("business"),
                text("service"),
                text("customer"),
                text("category"),
                instant("started"),
                instant("ended"),
                text("reason"),
                instant("announced").with_nullable(true),
                flag("withdrawn"),
            ],
            TableKind::Fees => vec![
                text("period"),
                text("customer"),
                text("service"),
                text("currency"),
                money("amount"),
                money("voucher_amount"),
                instant("active_from").with_nullable(true),
                instant("active_until").with_nullable(true),
            ],
            TableKind::Definitions => vec![
                text("kind"),
                text("name"),
                instant("effective_from"),
                text("text"),
                text("sha256"),
                instant("applied_at"),
            ],
            TableKind::SloDays => vec![
                text("objective"),
                text("definition"),
                Field::new("date", DataType::Date32, false),
                count("key"),
                Field::new("timeline", timeline_type(), true),
                count("good").with_nullable(true),
                count("total").with_nullable(true),
                number("ratio_sum").with_nullable(true),
                flag("approximate"),
                Field::new("ratios", DataType::Decimal128(RATIOS.0, RATIOS.1), true),
                count("assumed").with_nullable(true),
                count("bound_below").with_nullable(true),
                count("bound_above").with_nullable(true),
                instant("last_data").with_nullable(true),
            ],
            TableKind::SloFacts => {
                vec![
                    text("fact"),
                    text("subject"),
                    text("period"),
                    count("key"),
                    count("value").with_nullable(true),
                    text("text"),
                ]
            }
            TableKind::Statements => vec![
                text("agreement"),
                text("customer"),
                text("service"),
                text("period"),
                count("revision"),
                instant("issued_at"),
                flag("complete"),
                text("availability_exact"),
                money("amount").with_nullable(true),
                text("currency"),
                text("text"),
                text("sha256"),
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
