//! Columns of a query, fitted to those of a stored table: exactly, or refused.
//!
//! The store takes any string type, any width of integer and zoned instants; here the rest of what SQL yields becomes
//! one of these. Zoneless times are of the session's zone. Nothing is cut: 1.5 is no count, a nanosecond no instant.

use std::fmt::Display;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Int64Array, RecordBatch, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    DataType, Field, Float64Type, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::{exec_datafusion_err, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use nines_ingest::money;
use nines_store::{MONEY, TableKind, UTC, time_type};

/// What to do with each column, told from its type.
#[derive(Debug, Clone)]
pub(crate) struct Fit {
    schema: SchemaRef,
    zone: Tz,
}

impl Fit {
    pub fn new(kind: TableKind, input: &Schema, time_zone: &str) -> Result<Self> {
        let zone = time_zone.parse().map_err(|_| plan_datafusion_err!("{time_zone} is no time zone"))?;
        let table = kind.schema(nines_store::DEFAULT_SLICE_SECONDS);
        for field in input.fields() {
            let wanted = table.field_with_name(field.name());
            if wanted.is_ok_and(|wanted| wanted.data_type().is_temporal()) && field.data_type().is_numeric() {
                let name = field.name();
                return plan_err!(
                    "column {name} is a number; expected a time, as '2026-10-03T09:12:00Z' or to_timestamp(…)"
                );
            }
        }
        let fields = input.fields().iter().map(|field| match table.field_with_name(field.name()) {
            Ok(wanted) => Field::new(field.name(), fitted(wanted.data_type(), field.data_type()), true),
            // The store says that there is no such column.
            Err(_) => field.as_ref().clone(),
        });
        Ok(Fit { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), zone })
    }

    /// The columns as they come out.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// One pass per column whose type changes.
    pub fn batch(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let columns = self.schema.fields().iter().zip(batch.columns());
        let columns = columns.map(|(field, values)| self.column(field, values)).collect::<Result<_>>()?;
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }

    fn column(&self, field: &Field, values: &ArrayRef) -> Result<ArrayRef> {
        let name = field.name();
        if field.data_type() == values.data_type() {
            return Ok(values.clone());
        }
        match field.data_type() {
            DataType::Timestamp(..) => self.instants(name, values),
            DataType::Int64 => {
                let numbers = numbers(name, values, "a whole number", whole, |float| whole(&float.to_string()))?;
                Ok(Arc::new(Int64Array::from(numbers)))
            }
            DataType::Decimal128(..) => {
                let expected = format!("an amount of at most {} decimals", MONEY.1);
                let amounts = numbers(name, values, &expected, money::parse, money::from_float)?;
                Ok(Arc::new(Decimal128Array::from(amounts).with_precision_and_scale(MONEY.0, MONEY.1)?))
            }
            other => cast(name, values, other),
        }
    }

    fn instants(&self, name: &str, values: &ArrayRef) -> Result<ArrayRef> {
        let instants = |micros: Vec<Option<i64>>| -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(micros).with_timezone(UTC))
        };
        match values.data_type() {
            DataType::Timestamp(_, Some(_)) => cast(name, values, &time_type()),
            // What a clock shows, read as text so that all clocks are read by the same rules.
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => {
                let clock = cast(name, values, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
                let clock = clock.as_primitive::<TimestampMicrosecondType>();
                let micros = (0..clock.len()).map(|row| {
                    let shown = clock.is_valid(row).then(|| clock.value_as_datetime(row)).flatten();
                    shown.map(|shown| self.instant(name, &shown.to_string())).transpose()
                });
                Ok(instants(micros.collect::<Result<_>>()?))
            }
            _ => {
                let texts = cast(name, values, &DataType::Utf8View)?;
                let micros = texts.as_string_view().iter();
                let micros = micros.map(|text| text.map(|text| self.instant(name, text)).transpose());
                Ok(instants(micros.collect::<Result<_>>()?))
            }
        }
    }

    fn instant(&self, name: &str, text: &str) -> Result<i64> {
        nines_ingest::instant(text, self.zone)
            .map_err(|expected| exec_datafusion_err!("column {name} is {text:?}; expected {expected}"))
    }
}

/// The type in which a column is handed to the store. What cannot become the table's stays as it is, and the store
/// says so.
fn fitted(table: &DataType, from: &DataType) -> DataType {
    use DataType::*;
    let from = if let Dictionary(_, values) = from { values } else { from };
    match (table, from) {
        (_, Null) => table.clone(),
        (Timestamp(..), Timestamp(unit, Some(_))) if *unit != TimeUnit::Nanosecond => from.clone(),
        (Timestamp(..), Timestamp(..) | Date32 | Date64) => time_type(),
        (Timestamp(..), text) if text.is_string() => time_type(),
        (Int32 | Int64, number) if number.is_floating() || number.is_decimal() || number.is_string() => Int64,
        (Float64, number) if number.is_decimal() || number.is_string() => Float64,
        (Decimal128(..), number) if number.is_floating() || number.is_decimal() || number.is_string() => table.clone(),
        (Utf8View, number) if number.is_integer() => Utf8View,
        (Boolean, text) if text.is_string() => Boolean,
        _ => from.clone(),
    }
}

fn cast(name: &str, values: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    cast_with_options(values, to, &CastOptions { safe: false, ..Default::default() })
        .map_err(|error| exec_datafusion_err!("column {name}: {error}"))
}

/// Numbers, read from their text, or from what they are where they are floats.
fn numbers<T>(
    name: &str,
    values: &ArrayRef,
    expected: &str,
    of_text: impl Fn(&str) -> Option<T>,
    of_float: impl Fn(f64) -> Option<T>,
) -> Result<Vec<Option<T>>> {
    let refused = |text: &dyn Display| exec_datafusion_err!("column {name} is {text}; expected {expected}");
    if values.data_type().is_floating() {
        let floats = cast(name, values, &DataType::Float64)?;
        let floats = floats.as_primitive::<Float64Type>().iter();
        return floats
            .map(|float| float.map(|float| of_float(float).ok_or_else(|| refused(&float))).transpose())
            .collect();
    }
    let texts = cast(name, values, &DataType::Utf8View)?;
    let texts = texts.as_string_view().iter();
    texts.map(|text| text.map(|text| of_text(text).ok_or_else(|| refused(&text))).transpose()).collect()
}

/// `12.00` is 12; `None` if it is no whole number of 64 bits.
fn whole(text: &str) -> Option<i64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    whole.parse().ok().filter(|_| fraction.bytes().all(|digit| digit == b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_exact_or_nothing() {
        for (text, number) in [("12", 12), ("12.000", 12), (" -7 ", -7), ("9223372036854775807", i64::MAX)] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        let too_long = "9".repeat(60);
        for text in ["", "-", "1.5", "NaN", "inf", "1e3", "--1", ".", "１", "9223372036854775808", &too_long] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
