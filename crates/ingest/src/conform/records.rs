//! Columns of records: what is not given becomes what the table has by default.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, StringViewArray, new_null_array,
};
use datafusion::arrow::compute::kernels::cmp::distinct;
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{cast, is_null};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{DataFusionError, ScalarValue};
use nines_store::{MONEY, time_type};

use super::cast::{bad_row, checked, impossible, internal, texts, whole};
use super::time;
use crate::columns::FieldType;
use crate::fields::{FLAG, flag, misplaced, missing};
use crate::money::{self, AMOUNT};
use crate::time::Clock;
use crate::{ErrorKind, IngestError, Options, Result};

/// A column of a record, given or not.
pub(super) fn field(
    (name, of): (&str, FieldType),
    given: Option<&ArrayRef>,
    rows: usize,
    options: &Options,
) -> Result<ArrayRef> {
    let default = options.default_of(name);
    let Some(array) = given else {
        let default = default.ok_or_else(|| misplaced(name))?;
        return default.to_array_of_size(rows).map_err(|e| unfilled(name, e));
    };
    let array = given_only(name, array)?;
    let values: ArrayRef = match of {
        _ if array.data_type() == &DataType::Null => new_null_array(&stored_type(of), rows),
        FieldType::Text => texts(name, &array)?,
        FieldType::Instant => Arc::new(time::instants(&array, Clock::of_record(name, options.time_zone))?),
        FieldType::Flag => Arc::new(flags(name, &array)?),
        FieldType::Money => Arc::new(amounts(name, &array)?),
    };
    filled(name, values, default)
}

fn stored_type(of: FieldType) -> DataType {
    match of {
        FieldType::Text => DataType::Utf8View,
        FieldType::Instant => time_type(),
        FieldType::Flag => DataType::Boolean,
        FieldType::Money => DataType::Decimal128(MONEY.0, MONEY.1),
    }
}

/// The array without a dictionary, NULL where a text is blank.
fn given_only(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    let values = match array.data_type() {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    if !values.is_string() {
        return cast(array, values).map_err(|e| internal(name, e));
    }
    let texts = cast(array, &DataType::Utf8View).map_err(|e| internal(name, e))?;
    let given = texts.as_string_view().iter().map(|text| text.filter(|text| !text.trim_ascii().is_empty()));
    Ok(Arc::new(given.collect::<StringViewArray>()))
}

/// The array with the default where it is NULL.
fn filled(name: &str, array: ArrayRef, default: Option<ScalarValue>) -> Result<ArrayRef> {
    let Some(row) = (0..array.len()).find(|&row| array.is_null(row)) else { return Ok(array) };
    match default {
        None => Err(missing(name).in_row(row as u64 + 1)),
        Some(default) if default.is_null() => Ok(array),
        Some(default) => {
            let default = default.to_scalar().map_err(|e| unfilled(name, e))?;
            is_null(&array).and_then(|nulls| zip(&nulls, &default, &array)).map_err(|e| internal(name, e))
        }
    }
}

fn unfilled(name: &str, error: DataFusionError) -> IngestError {
    IngestError::new(ErrorKind::Internal, format!("{name} could not be filled: {error}")).column(name).caused_by(error)
}

fn flags(name: &str, array: &ArrayRef) -> Result<BooleanArray> {
    match array.data_type() {
        DataType::Boolean => Ok(array.as_boolean().clone()),
        from if from.is_string() => each(name, array, array.as_string_view().iter(), flag, FLAG),
        from if from.is_integer() => {
            let flag = |number| [false, true].get(usize::try_from(number).ok()?).copied();
            each(name, array, whole(name, array, FLAG)?.iter(), flag, FLAG)
        }
        _ => Err(impossible(name, array, FLAG)),
    }
}

/// How many good events each row of one event is: one if it went well.
pub(super) fn ok(given: Option<&ArrayRef>) -> Result<ArrayRef> {
    let name = "ok";
    let Some(array) = given else { return Err(misplaced(name)) };
    let flags = flags(name, &given_only(name, array)?)?;
    match (0..flags.len()).find(|&row| flags.is_null(row)) {
        Some(row) => Err(bad_row(name, array, row, FLAG)),
        None => Ok(Arc::new(Int64Array::from_iter_values(flags.values().iter().map(i64::from)))),
    }
}

fn amounts(name: &str, array: &ArrayRef) -> Result<Decimal128Array> {
    let amounts: Decimal128Array = match array.data_type() {
        from if from.is_decimal() => return exact(name, array),
        from if from.is_string() => each(name, array, array.as_string_view().iter(), money::parse, AMOUNT)?,
        from if from.is_integer() => {
            each(name, array, whole(name, array, AMOUNT)?.iter(), money::from_integer, AMOUNT)?
        }
        from if from.is_floating() => {
            let numbers = checked(name, array, &DataType::Float64, AMOUNT)?;
            each(name, array, numbers.as_primitive::<Float64Type>().iter(), money::from_float, AMOUNT)?
        }
        _ => return Err(impossible(name, array, AMOUNT)),
    };
    amounts.with_precision_and_scale(MONEY.0, MONEY.1).map_err(|e| internal(name, e))
}

/// Decimals of another scale, none rounded.
fn exact(name: &str, array: &ArrayRef) -> Result<Decimal128Array> {
    let amounts = checked(name, array, &stored_type(FieldType::Money), AMOUNT)?;
    let back =
        cast(&amounts, array.data_type()).and_then(|back| distinct(&back, array)).map_err(|e| internal(name, e))?;
    match (0..back.len()).find(|&row| back.value(row)) {
        Some(row) => Err(bad_row(name, array, row, AMOUNT)),
        None => Ok(amounts.as_primitive().clone()),
    }
}

/// Converts value by value, NULL stays NULL; an error names its row.
fn each<T, U, A: FromIterator<Option<U>>>(
    name: &str,
    array: &ArrayRef,
    values: impl Iterator<Item = Option<T>>,
    convert: impl Fn(T) -> Option<U>,
    expected: &str,
) -> Result<A> {
    let converted = values.enumerate().map(|(row, value)| match value {
        Some(value) => convert(value).map(Some).ok_or_else(|| bad_row(name, array, row, expected)),
        None => Ok(None),
    });
    converted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform;
    use crate::testing::{REMEDY, of, shown};
    use datafusion::arrow::array::*;
    use datafusion::arrow::datatypes::Int32Type;
    use nines_store::TableKind;

    fn fit(kind: TableKind, columns: Vec<(&str, ArrayRef)>) -> Result<Vec<String>> {
        let columns = columns.into_iter().map(|(name, array)| (name, array, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        conform(&batch, &of(kind)).map(|batch| {
            assert_eq!(batch.schema(), kind.schema(60));
            shown(&[batch])
        })
    }

    fn texts(values: Vec<Option<&str>>) -> ArrayRef {
        Arc::new(StringArray::from(values))
    }

    fn fee(amount: ArrayRef) -> Result<Vec<String>> {
        let rows = amount.len();
        let columns = vec![
            ("period", texts(vec![Some("2026-10"); rows])),
            ("currency", texts(vec![Some("EUR"); rows])),
            ("amount", amount),
        ];
        fit(TableKind::Fees, columns)
    }

    #[test]
    fn defaults_stand_for_missing_columns_and_null() {
        let dictionary: DictionaryArray<Int32Type> = [Some("登录"), None].into_iter().collect();
        let rows = fit(
            TableKind::Incidents,
            vec![
                ("id", Arc::new(Int64Array::from(vec![7, 8]))),
                ("started", Arc::new(Date32Array::from(vec![1, 2]))),
                ("service", Arc::new(dictionary)),
                ("title", texts(vec![Some(" "), Some("late")])),
                ("detected", texts(vec![None, Some("1970-01-03 00:00:01")])),
                ("fixed", Arc::new(TimestampSecondArray::from(vec![None, Some(200_000)]))),
                ("located", Arc::new(NullArray::new(2))),
                ("telemetry_lost", Arc::new(BooleanArray::from(vec![None, Some(true)]))),
            ],
        );
        assert_eq!(
            rows.unwrap(),
            [
                "id=7 service=登录 started=1970-01-02T00:00:00Z telemetry_lost=false withdrawn=false",
                "id=8 title=late started=1970-01-03T00:00:00Z detected=1970-01-03T00:00:01Z fixed=1970-01-03T07:33:20Z \
                 telemetry_lost=true withdrawn=false",
            ]
        );
    }

    #[test]
    fn every_type_of_flag() {
        let flags: Vec<ArrayRef> = vec![
            texts(vec![Some("TRUE"), Some("no"), None]),
            Arc::new(UInt8Array::from(vec![Some(1), Some(0), None])),
            Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        ];
        for flag in flags {
            let columns = vec![
                ("id", texts(vec![Some("a"), Some("b"), Some("c")])),
                ("category", texts(vec![Some("Attack"); 3])),
                ("started", Arc::new(Int64Array::from(vec![0; 3])) as ArrayRef),
                ("ended", Arc::new(Int64Array::from(vec![60; 3]))),
                ("withdrawn", flag),
            ];
            let shown = fit(TableKind::Exclusions, columns).unwrap();
            let withdrawn: Vec<_> = shown.iter().map(|row| row.ends_with("withdrawn=true")).collect();
            assert_eq!(withdrawn, [true, false, false]);
        }
    }

    #[test]
    fn every_type_of_amount_is_exact_or_refused() {
        let amounts: Vec<ArrayRef> = vec![
            texts(vec![Some("12.5")]),
            Arc::new(Float64Array::from(vec![12.5])),
            Arc::new(Float32Array::from(vec![12.5])),
            Arc::new(Decimal128Array::from(vec![125]).with_precision_and_scale(4, 1).unwrap()),
            Arc::new(Decimal128Array::from(vec![12_500_000_000]).with_precision_and_scale(20, 9).unwrap()),
            Arc::new(
                Decimal256Array::from(vec![datafusion::arrow::datatypes::i256::from_i128(125)])
                    .with_precision_and_scale(50, 1)
                    .unwrap(),
            ),
        ];
        for amount in amounts {
            let shown = fee(Arc::clone(&amount)).unwrap();
            let expected = "period=2026-10 currency=EUR amount=12.500000 voucher_amount=0.000000";
            assert_eq!(shown, [expected], "{}", amount.data_type());
        }
        assert!(fee(Arc::new(Int32Array::from(vec![3]))).unwrap()[0].contains("amount=3.000000"));
        let wrong: Vec<(ArrayRef, &str)> = vec![
            (texts(vec![Some("1"), Some("1.0000001")]), "1.0000001"),
            (Arc::new(Float64Array::from(vec![1.0, 0.1 + 0.2])), "0.30000000000000004"),
            (Arc::new(Float64Array::from(vec![1.0, f64::NAN])), "NaN"),
            (Arc::new(Decimal128Array::from(vec![0, 1]).with_precision_and_scale(10, 7).unwrap()), "0.0000001"),
            (
                Arc::new(Decimal128Array::from(vec![0, 10_i128.pow(20)]).with_precision_and_scale(38, 0).unwrap()),
                "100000000000000000000",
            ),
            (Arc::new(UInt64Array::from(vec![0, u64::MAX])), "18446744073709551615"),
            (Arc::new(Int64Array::from(vec![0, i64::MAX])), "9223372036854775807"),
        ];
        for (amount, shown) in wrong {
            assert_eq!(
                fee(amount).unwrap_err().to_string(),
                format!("row 2: amount is \"{shown}\"; expected {AMOUNT}. {REMEDY}")
            );
        }
        assert_eq!(
            fee(Arc::new(BooleanArray::from(vec![true]))).unwrap_err().to_string(),
            format!("amount is of type Boolean; expected {AMOUNT}. Convert it with --select")
        );
    }

    #[test]
    fn what_a_record_cannot_do_without_is_refused_by_row() {
        let incident = |ids: Vec<Option<&str>>, started: Vec<Option<i64>>, fixed: Vec<Option<i64>>| {
            let columns = vec![
                ("id", texts(ids)),
                ("started", Arc::new(Int64Array::from(started)) as ArrayRef),
                ("fixed", Arc::new(Int64Array::from(fixed))),
            ];
            fit(TableKind::Incidents, columns).unwrap_err().to_string()
        };
        let none = || vec![None, None];
        assert_eq!(
            incident(vec![Some("a"), Some("")], vec![Some(0); 2], none()),
            format!("row 2: id is missing. {REMEDY}")
        );
        assert_eq!(
            incident(vec![Some("a"); 2], vec![Some(0), None], none()),
            format!("row 2: started is missing. {REMEDY}")
        );
        assert_eq!(
            incident(vec![Some("a"); 2], vec![Some(0), Some(60)], vec![None, Some(59)]),
            format!(
                "row 2: column fixed: 1970-01-01T00:00:59+00:00 must not be before started, which is \
                 1970-01-01T00:01:00+00:00. {REMEDY}"
            )
        );
        assert_eq!(
            incident(vec![Some("a"); 2], vec![Some(0), Some(-60)], none()),
            format!("row 2: started is \"-60\"; expected a time in the years 1970 to 9999. {REMEDY}")
        );
        let flagged = vec![
            ("id", texts(vec![Some("a")])),
            ("started", Arc::new(Int64Array::from(vec![0])) as ArrayRef),
            ("withdrawn", Arc::new(Int64Array::from(vec![2]))),
        ];
        assert_eq!(
            fit(TableKind::Incidents, flagged).unwrap_err().to_string(),
            format!("row 1: withdrawn is \"2\"; expected {FLAG}. {REMEDY}")
        );
    }
}
