//! Columns, by what they hold.

use datafusion::arrow::datatypes::{DataType, Field};

use super::types::time_type;

/// Digits of an amount of money, and how many of them follow the decimal point.
pub const MONEY: (u8, i8) = (24, 6);

/// Digits of a day's sum of slice ratios, and how many of them follow the decimal point.
pub const RATIOS: (u8, i8) = (38, 28);

pub(super) fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8View, false)
}

pub(super) fn count(name: &str) -> Field {
    Field::new(name, DataType::Int64, false)
}

pub(super) fn number(name: &str) -> Field {
    Field::new(name, DataType::Float64, false)
}

pub(super) fn instant(name: &str) -> Field {
    Field::new(name, time_type(), false)
}

pub(super) fn flag(name: &str) -> Field {
    Field::new(name, DataType::Boolean, false)
}

pub(super) fn money(name: &str) -> Field {
    Field::new(name, DataType::Decimal128(MONEY.0, MONEY.1), false)
}
