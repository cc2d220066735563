//! `avg(expression)`, in the place of DataFusion's: that one adds floats in the order in which they come, and
//! durations wrapping.

use datafusion::arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, FieldRef,
    Float64Type, TimeUnit,
};
use datafusion::common::Result;
use datafusion::functions_aggregate::average::Avg as DataFusions;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature};
use datafusion_macros::user_doc;

use super::distinct::{self, Distinct};
use super::function::any_order;
use super::single::Single;
use super::sliding::Sliding;
use super::summand::Summand;
use super::total::Total;
use super::totals::{Figure, Totals, state_fields};

/// DataFusion's types, and other arithmetic. Decimals are left to DataFusion, which has room for 10^9 of them.
#[user_doc(
    doc_section(label = "General Functions"),
    description = "The mean of all values; NULLs are ignored, and the mean of no value is NULL. Floats and integers add up exactly and are rounded once before the division, so that neither the order of rows nor partitions show in the result.",
    syntax_example = "avg(expression)",
    sql_example = r#"```sql
> SELECT avg(seconds) AS seconds FROM (VALUES (0.1), (0.2), (0.3), (NULL), (1e100), (-1e100)) AS v(seconds);
+---------+
| seconds |
+---------+
| 0.12    |
+---------+
```"#,
    argument(name = "expression", description = "Numbers or durations.")
)]
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Avg {
    like: DataFusions,
}

struct AsMean;

impl<S: Summand> Figure<S> for AsMean {
    const FUNCTION: &'static str = "avg";
    type Count = u64;

    fn of(total: &S::Total, count: u64, _: &DataType) -> Option<S::Native> {
        S::mean(total, count)
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
            DataType::Float64 => with!(Float64Type),
            DataType::Duration(TimeUnit::Second) => with!(DurationSecondType),
            DataType::Duration(TimeUnit::Millisecond) => with!(DurationMillisecondType),
            DataType::Duration(TimeUnit::Microsecond) => with!(DurationMicrosecondType),
            DataType::Duration(TimeUnit::Nanosecond) => with!(DurationNanosecondType),
            _ => $other,
        }
    }};
}

impl AggregateUDFImpl for Avg {
    fn name(&self) -> &str {
        "avg"
    }

    fn aliases(&self) -> &[String] {
        self.like.aliases()
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
            Ok(state_fields::<T, AsMean>(args.name))
        }, self.like.state_fields(args))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let result = args.return_field.data_type();
        by_type!(result, T => {
            if args.is_distinct {
                return Ok(Box::new(Single::new(Distinct::new(Totals::<T, AsMean>::new(result), args.expr_fields)?)));
            }
            Ok(Box::new(Total::<T, AsMean>::new(result)))
        }, self.like.accumulator(args))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let result = args.return_field.data_type();
        by_type!(result, T => {
            if args.is_distinct {
                return Ok(Box::new(Sliding::new(Distinct::new(Totals::<T, AsMean>::new(result), args.expr_fields)?)));
            }
            Ok(Box::new(Total::<T, AsMean>::new(result)))
        }, self.like.create_sliding_accumulator(args))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        let ours = matches!(args.return_field.data_type(), DataType::Float64 | DataType::Duration(_));
        ours || self.like.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let result = args.return_field.data_type();
        by_type!(result, T => {
            if args.is_distinct {
                return Ok(Box::new(Distinct::new(Totals::<T, AsMean>::new(result), args.expr_fields)?));
            }
            Ok(Box::new(Totals::<T, AsMean>::new(result)))
        }, self.like.create_groups_accumulator(args))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }

    any_order! {}
}
