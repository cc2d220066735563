//! Columns of answers from iterators.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListBuilder, StringViewArray, StringViewBuilder,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, TimeUnit};
use nines_timeline::Share;

pub(crate) fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringViewArray>())
}

pub(crate) fn counts(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

pub(crate) fn floats(values: impl Iterator<Item = Option<f64>>) -> ArrayRef {
    Arc::new(values.collect::<Float64Array>())
}

pub(crate) fn flags(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<BooleanArray>())
}

pub(crate) fn maybe_flags(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

/// Instants in µs, told in a time zone.
pub(crate) fn instants(values: impl Iterator<Item = Option<i64>>, zone: &str) -> ArrayRef {
    Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone(zone))
}

pub(crate) fn text_lists<'a>(rows: impl Iterator<Item = Vec<&'a str>>) -> ArrayRef {
    let mut lists = ListBuilder::new(StringViewBuilder::new()).with_field(element());
    for row in rows {
        for text in row {
            lists.values().append_value(text);
        }
        lists.append(true);
    }
    Arc::new(lists.finish())
}

fn element() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8View, true))
}

pub(crate) fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8View, true)
}

pub(crate) fn count(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

pub(crate) fn float(name: &str) -> Field {
    Field::new(name, DataType::Float64, true)
}

pub(crate) fn flag(name: &str) -> Field {
    Field::new(name, DataType::Boolean, true)
}

pub(crate) fn instant(name: &str, zone: &str) -> Field {
    Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into())), true)
}

pub(crate) fn text_list(name: &str) -> Field {
    Field::new(name, DataType::List(element()), true)
}

/// A share as the float nearest to it.
pub(crate) fn float_of(share: Share) -> f64 {
    share.numerator() as f64 / share.denominator() as f64
}
