//! `sum(expression)`, in the place of DataFusion's: that one adds wrapping, and floats in the order in which they come.

use datafusion::arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DurationMicrosecondType,
    DurationMillisecondType, DurationNanosecondType, DurationSecondType, FieldRef, Float64Type, Int64Type, TimeUnit,
    UInt64Type,
};
use datafusion::common::Result;
use datafusion::functions_aggregate::sum::Sum as DataFusions;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, SetMonotonicity, Signature,
};
use datafusion_macros::user_doc;

use super::distinct::{self, Distinct};
use super::function::any_order;
use super::single::Single;
use super::sliding::Sliding;
use super::summand::Summand;
use super::total::Total;
use super::totals::{Figure, Totals, state_fields};

/// DataFusion's types, and other arithmetic. Intervals, which have no one size, are left to DataFusion.
#[user_doc(
    doc_section(label = "General Functions"),
    description = "The sum of all values; NULLs are ignored, and the sum of no value is NULL. Integers, decimals and durations add up exactly: a sum that its type cannot hold is an error. Floats add up exactly, too, and are rounded once, so that neither the order of rows nor partitions show in the result.",
    syntax_example = "sum(expression)",
    sql_example = r#"```sql
> SELECT sum(requests) AS requests, sum(seconds) AS seconds
  FROM (VALUES (3, 0.1), (4, 0.2), (NULL, 0.3), (5, 1e100), (6, -1e100)) AS v(requests, seconds);
+----------+---------+
| requests | seconds |
+----------+---------+
| 18       | 0.6     |
+----------+---------+
```"#,
    argument(name = "expression", description = "Numbers or durations.")
)]
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Sum {
    like: DataFusions,
}

struct AsSum;

impl<S: Summand> Figure<S> for AsSum {
    const FUNCTION: &'static str = "sum";
    type Count = ();

    fn of(total: &S::Total, (): (), result: &DataType) -> Option<S::Native> {
        S::sum(total, result)
    }
}

/// `$made`, with `$type` as the Arrow type of the result, or `$other` for types of DataFusion's own.
macro_rules! by_type {
    ($result:expr, $type:ident => $made:expr, $other:expr) => {{
        macro_rules! with {
            ($arrow:ty) => {{
                type $type = $arrow;
                $made
            }};
        }
        match $result {
            DataType::Int64 => with!(Int64Type),
            DataType::UInt64 => with!(UInt64Type),
            DataType::Float64 => with!(Float64Type),
            DataType::Decimal32(..) => with!(Decimal32Type),
            DataType::Decimal64(..) => with!(Decimal64Type),
            DataType::Decimal128(..) => with!(Decimal128Type),
            DataType::Decimal256(..) => with!(Decimal256Type),
            DataType::Duration(TimeUnit::Second) => with!(DurationSecondType),
            DataType::Duration(TimeUnit::Millisecond) => with!(DurationMillisecondType),
            DataType::Duration(TimeUnit::Microsecond) => with!(DurationMicrosecondType),
            DataType::Duration(TimeUnit::Nanosecond) => with!(DurationNanosecondType),
            _ => $other,
        }
    }};
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        self.like.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.like.return_type(arguments)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        by_type!(args.return_field.data_type(), T => {
            if args.is_distinct {
                return Ok(vec![distinct::state_field(args.name, args.input_fields)]);
            }
            Ok(state_fields::<T, AsSum>(args.name))
        }, self.like.state_fields(args))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let result = args.return_field.data_type();
        by_type!(result, T => {
            if args.is_distinct {
                return Ok(Box::new(Single::new(Distinct::new(Totals::<T, AsSum>::new(result), args.expr_fields)?)));
            }
            Ok(Box::new(Total::<T, AsSum>::new(result)))
        }, self.like.accumulator(args))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let result = args.return_field.data_type();
        by_type!(result, T => {
            if args.is_distinct {
                return Ok(Box::new(Sliding::new(Distinct::new(Totals::<T, AsSum>::new(result), args.expr_fields)?)));
            }
            Ok(Box::new(Total::<T, AsSum>::new(result)))
        }, self.like.create_sliding_accumulator(args))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        let result = args.return_field.data_type();
        !matches!(result, DataType::Interval(_)) || self.like.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let result = args.return_field.data_type();
        by_type!(result, T => {
            if args.is_distinct {
                return Ok(Box::new(Distinct::new(Totals::<T, AsSum>::new(result), args.expr_fields)?));
            }
            Ok(Box::new(Totals::<T, AsSum>::new(result)))
        }, self.like.create_groups_accumulator(args))
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.like.set_monotonicity(data_type)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    any_order! {}
}
