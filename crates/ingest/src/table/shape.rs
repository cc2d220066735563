//! The type of a column.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit};

/// The type of a column, or of a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    /// There is no value.
    Nothing,
    Boolean,
    Integer,
    Double,
    Decimal {
        precision: u8,
        scale: i8,
    },
    Date,
    /// What a clock showed, without its zone.
    Clock(TimeUnit),
    Instant(TimeUnit),
    Text,
    Struct(Vec<(String, Shape)>),
    List(Box<Shape>),
}

impl Shape {
    /// The type in Arrow, instants in this zone.
    pub fn data_type(&self, zone: &Arc<str>) -> DataType {
        match self {
            Shape::Nothing => DataType::Null,
            Shape::Boolean => DataType::Boolean,
            Shape::Integer => DataType::Int64,
            Shape::Double => DataType::Float64,
            Shape::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Shape::Date => DataType::Date32,
            Shape::Clock(unit) => DataType::Timestamp(*unit, None),
            Shape::Instant(unit) => DataType::Timestamp(*unit, Some(zone.clone())),
            Shape::Text => DataType::Utf8,
            Shape::Struct(fields) => DataType::Struct(struct_fields(fields, zone)),
            Shape::List(item) => DataType::List(Arc::new(Field::new_list_field(item.data_type(zone), true))),
        }
    }
}

/// The fields of a struct in Arrow.
pub(super) fn struct_fields(fields: &[(String, Shape)], zone: &Arc<str>) -> Fields {
    fields.iter().map(|(name, shape)| Field::new(name, shape.data_type(zone), true)).collect()
}
