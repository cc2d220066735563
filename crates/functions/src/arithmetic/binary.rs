//! `checked_add`, `checked_subtract`, `checked_multiply`, `checked_divide`: what `+`, `-` and `*` on integers and on decimals, and `/` on
//! decimals, are planned as.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{ArrayRef, AsArray, Datum};
use datafusion::arrow::compute::kernels::numeric::{add, div, mul, sub};
use datafusion::arrow::datatypes::{
    DataType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Field, FieldRef,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_MATH;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
    Volatility,
};

/// An operator that may leave its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    Add,
    Subtract,
    Multiply,
    /// Of decimals only: a quotient of integers always fits but one, which DataFusion refuses.
    Divide,
}

impl Operation {
    pub const ALL: [Operation; 4] = [Operation::Add, Operation::Subtract, Operation::Multiply, Operation::Divide];

    /// The operation of an operator, if it is one.
    pub fn of(operator: Operator) -> Option<Operation> {
        Operation::ALL.into_iter().find(|operation| operation.operator() == operator)
    }

    fn operator(self) -> Operator {
        match self {
            Operation::Add => Operator::Plus,
            Operation::Subtract => Operator::Minus,
            Operation::Multiply => Operator::Multiply,
            Operation::Divide => Operator::Divide,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Operation::Add => "checked_add",
            Operation::Subtract => "checked_subtract",
            Operation::Multiply => "checked_multiply",
            Operation::Divide => "checked_divide",
        }
    }

    /// Whether it is planned for operands of these types: checked here, and nowhere else.
    pub fn is_for(self, left: &DataType, right: &DataType) -> bool {
        match self {
            Operation::Divide => are_decimals(left, right),
            Operation::Add | Operation::Subtract | Operation::Multiply => {
                left.is_integer() && left == right || are_decimals(left, right)
            }
        }
    }

    fn documentation(self) -> &'static Documentation {
        static ALL: LazyLock<[Documentation; 4]> = LazyLock::new(|| Operation::ALL.map(Operation::described));
        &ALL[self as usize]
    }

    fn described(self) -> Documentation {
        let (name, operator) = (self.name(), self.operator());
        let (arguments, result) = match self {
            Operation::Add => ("6, 2", "8"),
            Operation::Subtract => ("6, 2", "4"),
            Operation::Multiply => ("6, 2", "12"),
            Operation::Divide => ("CAST(6 AS DECIMAL(3, 1)), CAST(2 AS DECIMAL(3, 1))", "3.00000"),
        };
        let of = if self == Operation::Divide { "decimals" } else { "integers of the same type, or of two decimals" };
        let description = format!(
            "`a {operator} b` of two {of}; an error if the result does not fit in its type. The operator is planned as this \
             function."
        );
        let width = result.len().max("result".len());
        let line = "-".repeat(width + 2);
        Documentation::builder(DOC_SECTION_MATH, description, format!("{name}(a, b)"))
            .with_sql_example(format!(
                "```sql\n> SELECT {name}({arguments}) AS result;\n+{line}+\n| {:<width$} |\n+{line}+\n| {result:<width$} |\n+{line}+\n```",
                "result"
            ))
            .with_argument("a", "A number.")
            .with_argument("b", "A number.")
            .build()
    }
}

/// Whether both are decimals of the same width in bytes.
fn are_decimals(left: &DataType, right: &DataType) -> bool {
    left.is_decimal() && std::mem::discriminant(left) == std::mem::discriminant(right)
}

/// Numbers that have as many digits as their type says.
fn within_precision(numbers: ArrayRef) -> Result<ArrayRef, ArrowError> {
    match numbers.data_type() {
        DataType::Decimal32(digits, _) => {
            numbers.as_primitive::<Decimal32Type>().validate_decimal_precision(*digits)?
        }
        DataType::Decimal64(digits, _) => {
            numbers.as_primitive::<Decimal64Type>().validate_decimal_precision(*digits)?
        }
        DataType::Decimal128(digits, _) => {
            numbers.as_primitive::<Decimal128Type>().validate_decimal_precision(*digits)?;
        }
        DataType::Decimal256(digits, _) => {
            numbers.as_primitive::<Decimal256Type>().validate_decimal_precision(*digits)?;
        }
        _ => {}
    }
    Ok(numbers)
}

/// The function of an operation.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Binary {
    operation: Operation,
    signature: Signature,
}

impl Binary {
    pub fn new(operation: Operation) -> Self {
        Binary { operation, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Binary {
    fn name(&self) -> &str {
        self.operation.name()
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let [left, right] = args else { return internal_err!("{} takes two arguments", self.name()) };
        // As DataFusion names the operator, without cloning the operands: chains of hundreds of terms are named often.
        Ok(format!("{} {} {}", left.schema_name(), self.operation.operator(), right.schema_name()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [left, right] if self.operation.is_for(left, right) => Ok(given.to_vec()),
            _ => plan_err!("{} takes two integers or decimals of the same type, got {given:?}", self.name()),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            // As the operator's: wide enough for a sum of two.
            [left, right] => BinaryTypeCoercer::new(left, &self.operation.operator(), right).get_result_type(),
            _ => internal_err!("{} takes two arguments", self.name()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let types: Vec<DataType> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, nullable)))
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else { return internal_err!("{} takes two arguments", self.name()) };
        let compute = |left: &dyn Datum, right: &dyn Datum| {
            let result = match self.operation {
                Operation::Add => add(left, right),
                Operation::Subtract => sub(left, right),
                Operation::Multiply => mul(left, right),
                Operation::Divide => div(left, right),
            };
            // Arrow's own check is that the digits fit in the bytes, not that they are as many as the type says.
            result.and_then(within_precision).map_err(|error| {
                let (data_type, operator) = (left.get().0.data_type(), self.operation.operator());
                DataFusionError::Execution(format!("a result of {operator} does not fit in {data_type}: {error}"))
            })
        };
        Ok(match (left, right) {
            (ColumnarValue::Array(left), ColumnarValue::Array(right)) => ColumnarValue::Array(compute(left, right)?),
            (ColumnarValue::Array(left), ColumnarValue::Scalar(right)) => {
                ColumnarValue::Array(compute(left, &right.to_scalar()?)?)
            }
            (ColumnarValue::Scalar(left), ColumnarValue::Array(right)) => {
                ColumnarValue::Array(compute(&left.to_scalar()?, right)?)
            }
            (ColumnarValue::Scalar(left), ColumnarValue::Scalar(right)) => {
                let result = compute(&left.to_scalar()?, &right.to_scalar()?)?;
                ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
            }
        })
    }

    /// As the operator's, whose order holds because nothing wraps.
    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        let [left, right] = inputs else { return Ok(SortProperties::Unordered) };
        let (left, right) = (&left.sort_properties, &right.sort_properties);
        Ok(match self.operation {
            Operation::Add => left.add(right),
            Operation::Subtract => left.sub(right),
            Operation::Multiply | Operation::Divide => match (left, right) {
                (SortProperties::Singleton, SortProperties::Singleton) => SortProperties::Singleton,
                _ => SortProperties::Unordered,
            },
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.operation.documentation())
    }
}
