//! `increase(value) OVER (PARTITION BY series ORDER BY time)`: what a cumulative counter grew by since the sample before.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray, PrimitiveBuilder,
};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, Field, FieldRef, Float64Type, Int64Type, UInt64Type,
};
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{Documentation, PartitionEvaluator, Signature, Volatility, WindowUDFImpl};
use datafusion_macros::user_doc;

#[user_doc(
    doc_section(label = "Counters"),
    description = "What a cumulative counter grew by since the sample before, in a window with one series per partition, in the order of its times. A value below the one before is a reset: the counter began again, and the increase is the value. Exact, nothing is extrapolated. NULL for the first sample, of which nobody knows since when it counts, and for a sample that is NULL or NaN; the next one goes on from the last that is a number. A value below 0 is an error. To store what counters say, use `nines ingest prometheus`, `otlp` or `samples`, which go on from one file to the next.",
    syntax_example = "increase(value) OVER (PARTITION BY series ORDER BY time)",
    sql_example = r#"```sql
> SELECT t, increase(v) OVER (PARTITION BY pod ORDER BY t) AS more
  FROM (VALUES ('a', 1, 100), ('a', 2, 107), ('a', 3, 2), ('b', 1, 40), ('b', 4, 41)) AS s(pod, t, v) ORDER BY pod, t;
+---+------+
| t | more |
+---+------+
| 1 |      |
| 2 | 7    |
| 3 | 2    |
| 1 |      |
| 4 | 1    |
+---+------+
```"#,
    argument(name = "value", description = "The value of a counter: a number of at least 0.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Increase {
    signature: Signature,
}

impl Default for Increase {
    fn default() -> Self {
        Increase { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl WindowUDFImpl for Increase {
    fn name(&self) -> &str {
        "increase"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [given] = given else { return plan_err!("increase takes one argument: the value of a counter") };
        match given {
            DataType::Null => Ok(vec![DataType::Int64]),
            _ if given.is_unsigned_integer() => Ok(vec![DataType::UInt64]),
            _ if given.is_integer() => Ok(vec![DataType::Int64]),
            DataType::Decimal128(..) | DataType::Decimal256(..) => Ok(vec![given.clone()]),
            _ if given.is_numeric() => Ok(vec![DataType::Float64]),
            _ => plan_err!("increase: the value of a counter is a number, got {given}"),
        }
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let value = args.input_fields().first().map_or(DataType::Int64, |field| field.data_type().clone());
        Ok(Arc::new(Field::new(args.name(), value, true)))
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Increases))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}

/// The increases of one series.
#[derive(Debug)]
struct Increases;

impl PartitionEvaluator for Increases {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        let values = &values[0];
        match values.data_type() {
            DataType::Int64 => increases(values.as_primitive::<Int64Type>()),
            DataType::UInt64 => increases(values.as_primitive::<UInt64Type>()),
            DataType::Decimal128(..) => increases(values.as_primitive::<Decimal128Type>()),
            DataType::Decimal256(..) => increases(values.as_primitive::<Decimal256Type>()),
            _ => increases(values.as_primitive::<Float64Type>()),
        }
    }
}

/// One pass.
fn increases<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>) -> Result<ArrayRef> {
    let mut more = PrimitiveBuilder::<T>::with_capacity(values.len()).with_data_type(values.data_type().clone());
    let mut last: Option<T::Native> = None;
    for value in values {
        // NaN and infinity are no data: their difference from themselves is no number.
        let Some(value) = value.filter(|value| value.sub_wrapping(*value).is_zero()) else {
            more.append_null();
            continue;
        };
        if value.is_lt(T::Native::ZERO) && !value.is_zero() {
            return exec_err!("increase: a counter is at least 0, got {value:?}");
        }
        // No difference of two values of at least 0 overflows.
        more.append_option(last.map(|last| if value.is_lt(last) { value } else { value.sub_wrapping(last) }));
        last = Some(value);
    }
    Ok(Arc::new(more.finish()))
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Float64Array, UInt64Array};

    use super::*;

    #[test]
    fn gaps_are_no_data_and_a_fall_is_a_reset() {
        let values = Float64Array::from(vec![None, Some(5.0), Some(f64::NAN), Some(7.5), None, Some(1.0), Some(1.0)]);
        let expected = Float64Array::from(vec![None, None, None, Some(2.5), None, Some(1.0), Some(0.0)]);
        assert_eq!(increases(&values).unwrap().as_primitive::<Float64Type>(), &expected);
        let great = UInt64Array::from(vec![Some(0), Some(u64::MAX), Some(1)]);
        let expected = UInt64Array::from(vec![None, Some(u64::MAX), Some(1)]);
        assert_eq!(increases(&great).unwrap().as_primitive::<UInt64Type>(), &expected);
        let said = increases(&Float64Array::from(vec![1.0, -0.5])).unwrap_err().to_string();
        assert_eq!(said, "Execution error: increase: a counter is at least 0, got -0.5");
    }
}
