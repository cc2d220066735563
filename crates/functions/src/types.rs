//! The Arrow types of the algebra, and which argument types are accepted for them.
//!
//! | value | type |
//! |---|---|
//! | instant | `Timestamp(µs, UTC)` |
//! | interval list | `List<Struct<started, ended>>` |
//! | failure list | `List<Struct<started, ended, seconds: Float64>>` |
//! | timeline | `Struct<started, ended, slice_seconds: Int64, errors, no_data, excluded>`, the last three interval lists |
//! | histogram | `Struct<zero: Int64, buckets: List<Struct<bucket: Int32, count: Int64>>>` |
//!
//! Plain named fields (nullable, as other programs write them), so that a timeline in a Parquet file makes sense to any reader and
//! `unnest(t['errors'])` works in SQL.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::common::{Result, plan_err};

/// Field metadata of a stored `time` column: the store's slice width in whole seconds.
pub const SLICE_SECONDS: &str = "nines.slice_seconds";

/// `Timestamp(µs, UTC)`.
pub fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The item field of a list, named as Parquet and Delta name it.
pub(crate) fn element(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("element", data_type, true))
}

/// `started`, `ended`.
pub(crate) fn interval_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        vec![Field::new("started", instant_type(), true), Field::new("ended", instant_type(), true)].into()
    });
    FIELDS.clone()
}

/// `List<Struct<started, ended>>`.
pub fn interval_list_type() -> DataType {
    DataType::List(element(DataType::Struct(interval_fields())))
}

/// `started`, `ended`, `seconds`.
pub(crate) fn failure_fields() -> Fields {
    let seconds = Field::new("seconds", DataType::Float64, true);
    interval_fields().iter().cloned().chain([Arc::new(seconds)]).collect()
}

/// `List<Struct<started, ended, seconds: Float64>>`.
pub(crate) fn failure_list_type() -> DataType {
    DataType::List(element(DataType::Struct(failure_fields())))
}

/// `started`, `ended`, `names`.
pub(crate) fn sources_fields() -> Fields {
    let names = Field::new("names", DataType::List(element(DataType::Utf8)), true);
    interval_fields().iter().cloned().chain([Arc::new(names)]).collect()
}

/// `List<Struct<started, ended, names: List<Utf8>>>`.
pub fn sources_type() -> DataType {
    DataType::List(element(DataType::Struct(sources_fields())))
}

/// The fields of a timeline.
pub(crate) fn timeline_fields() -> Fields {
    static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
        let list = |name| Field::new(name, interval_list_type(), true);
        vec![
            Field::new("started", instant_type(), true),
            Field::new("ended", instant_type(), true),
            Field::new("slice_seconds", DataType::Int64, true),
            list("errors"),
            list("no_data"),
            list("excluded"),
        ]
        .into()
    });
    FIELDS.clone()
}

/// The type of a timeline.
pub fn timeline_type() -> DataType {
    DataType::Struct(timeline_fields())
}

/// Whether values of a type are text.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Whether a type has the fields of a timeline, perhaps with other units or item names, as it does after
/// a trip through another program's file.
pub fn is_timeline(data_type: &DataType) -> bool {
    let DataType::Struct(fields) = data_type else { return false };
    let expected = timeline_fields();
    fields.len() == expected.len() && fields.iter().zip(&expected).all(|(a, b)| a.name() == b.name())
}

pub(crate) fn bucket_fields() -> Fields {
    vec![Field::new("bucket", DataType::Int32, true), Field::new("count", DataType::Int64, true)].into()
}

pub(crate) fn histogram_fields() -> Fields {
    let buckets = DataType::List(element(DataType::Struct(bucket_fields())));
    vec![Field::new("zero", DataType::Int64, true), Field::new("buckets", buckets, true)].into()
}

/// The type of a latency histogram.
pub fn histogram_type() -> DataType {
    DataType::Struct(histogram_fields())
}

/// What an argument is for; decides which types are taken and to what they are cast before the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// A timeline.
    Timeline,
    /// An instant; text and zoneless times are read in the session's time zone.
    Time,
    /// Whole seconds.
    Slice,
    /// A duration in seconds.
    Seconds,
    /// An integer count.
    Count,
    /// A truth value.
    Bool,
    /// An exact decimal or a float that stands for the decimal it prints as.
    Share,
    /// A list of structs with `started` and `ended`.
    Intervals,
    /// Text.
    Text,
    /// Labels as JSON, or the name of one.
    Labels,
    /// A latency histogram.
    Histogram,
    /// A float.
    Float,
}

impl Kind {
    /// The type to which an argument of this type is cast.
    fn coerced(self, given: &DataType, time_zone: &str) -> Option<DataType> {
        use DataType as T;
        let null = given.is_null();
        let text = is_text(given);
        let number = given.is_numeric() || null;
        match self {
            Kind::Timeline => (is_timeline(given) || null).then(timeline_type),
            Kind::Time => match given {
                T::Timestamp(_, Some(zone)) => Some(T::Timestamp(TimeUnit::Microsecond, Some(zone.clone()))),
                T::Timestamp(_, None) | T::Date32 | T::Date64 | T::Null => {
                    Some(T::Timestamp(TimeUnit::Microsecond, Some(time_zone.into())))
                }
                _ => text.then(|| T::Timestamp(TimeUnit::Microsecond, Some(time_zone.into()))),
            },
            Kind::Slice => (given.is_integer() || null).then_some(T::Int64),
            Kind::Count => (given.is_integer() || null || matches!(given, T::Decimal128(_, 0))).then_some(T::Int64),
            Kind::Seconds | Kind::Float => number.then_some(T::Float64),
            Kind::Bool => (matches!(given, T::Boolean) || null).then_some(T::Boolean),
            Kind::Share => match given {
                T::Decimal128(..) | T::Float32 | T::Float64 => Some(given.clone()),
                _ if given.is_integer() => Some(T::Int64),
                _ => null.then_some(T::Float64),
            },
            Kind::Intervals => match given {
                T::List(item) | T::LargeList(item) | T::FixedSizeList(item, _) => match item.data_type() {
                    T::Struct(fields) if fields.find("started").is_some() && fields.find("ended").is_some() => {
                        let bound = |name: &str| name == "started" || name == "ended";
                        let coerced = fields.iter().map(|field| match bound(field.name()) {
                            true => Kind::Time
                                .coerced(field.data_type(), time_zone)
                                .map(|time| Arc::new(field.as_ref().clone().with_data_type(time))),
                            false => Some(field.clone()),
                        });
                        let fields = coerced.collect::<Option<Fields>>()?;
                        Some(T::List(Arc::new(item.as_ref().clone().with_data_type(T::Struct(fields)))))
                    }
                    T::Null => Some(interval_list_type()),
                    _ => None,
                },
                _ => null.then(interval_list_type),
            },
            Kind::Text => (text || null).then_some(T::Utf8),
            Kind::Labels => (text || null).then_some(T::Utf8View),
            Kind::Histogram => match given {
                T::Struct(fields) if fields.find("zero").is_some() && fields.find("buckets").is_some() => {
                    Some(histogram_type())
                }
                _ => null.then(histogram_type),
            },
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Kind::Timeline => "a timeline, as timeline(), ratio_timeline() and error_union() make",
            Kind::Time => "a time",
            Kind::Slice => "whole seconds",
            Kind::Seconds => "a number of seconds",
            Kind::Count => "an integer count",
            Kind::Bool => "a truth value",
            Kind::Share => "a share such as 0.999",
            Kind::Intervals => "a list of intervals: structs with the fields started and ended",
            Kind::Text | Kind::Labels => "text",
            Kind::Histogram => "a latency histogram",
            Kind::Float => "a number",
        }
    }
}

/// A function's parameters, in order: name and kind. The first `required` must be given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Parameters {
    pub function: &'static str,
    pub required: usize,
    pub all: &'static [(&'static str, Kind)],
    /// Where zoneless times are. Only planning reads it: the cast it leads to is part of the plan.
    pub time_zone: Arc<str>,
}

impl Parameters {
    /// Checks number and types of arguments; the types to which they are cast.
    pub fn coerce(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let Parameters { function, required, all, time_zone } = self;
        if given.len() < *required || given.len() > all.len() {
            let names = all
                .iter()
                .enumerate()
                .map(|(i, (name, _))| if i < *required { (*name).to_string() } else { format!("[{name}]") });
            let names = names.collect::<Vec<_>>().join(", ");
            let takes =
                if *required == all.len() { required.to_string() } else { format!("{required} to {}", all.len()) };
            return plan_err!("{function}({names}) takes {takes} arguments, got {}", given.len());
        }
        let coerced = given.iter().zip(*all).map(|(given, (name, kind))| match kind.coerced(given, time_zone) {
            Some(coerced) => Ok(coerced),
            None => plan_err!("{function}: {name} must be {}, got {given}", kind.expected()),
        });
        coerced.collect()
    }
}
