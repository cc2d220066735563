//! `checked_negate`: what unary minus on integers is planned as.

use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::compute::kernels::numeric::neg;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion_macros::user_doc;

#[user_doc(
    doc_section(label = "Math Functions"),
    description = "`-a` of a signed integer; an error if the result does not fit in its type. The operator is planned as this function.",
    syntax_example = "checked_negate(a)",
    sql_example = r#"```sql
> SELECT checked_negate(6) AS result;
+--------+
| result |
+--------+
| -6     |
+--------+
```"#,
    argument(name = "a", description = "A signed integer.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Negate {
    signature: Signature,
}

impl Negate {
    pub fn new() -> Self {
        Negate { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Negate {
    fn name(&self) -> &str {
        "checked_negate"
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [value] = args else { return internal_err!("checked_negate takes one argument") };
        Ok(Expr::Negative(Box::new(value.clone())).schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [value] if value.is_signed_integer() => Ok(given.to_vec()),
            _ => plan_err!("checked_negate takes a signed integer, got {given:?}"),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [value] => Ok(value.clone()),
            _ => internal_err!("checked_negate takes one argument"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let [value] = args.arg_fields else { return internal_err!("checked_negate takes one argument") };
        Ok(Arc::new(Field::new(self.name(), value.data_type().clone(), value.is_nullable())))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else { return internal_err!("checked_negate takes one argument") };
        let negated = |array: &dyn Array| {
            neg(array).map_err(|error| {
                DataFusionError::Execution(format!("a result of - does not fit in {}: {error}", array.data_type()))
            })
        };
        Ok(match value {
            ColumnarValue::Array(array) => ColumnarValue::Array(negated(array)?),
            ColumnarValue::Scalar(value) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&negated(&value.to_array()?)?, 0)?)
            }
        })
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        Ok(inputs.first().map_or(SortProperties::Unordered, |value| -value.sort_properties))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
