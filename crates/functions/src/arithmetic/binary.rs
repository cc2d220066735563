//! `checked_add`, `checked_subtract`, `checked_multiply`: what `+`, `-` and `*` on integers are planned as.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::Datum;
use datafusion::arrow::compute::kernels::numeric::{add, mul, sub};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DataFusionError, Result, ScalarValue, internal_err, plan_err};
use datafusion::logical_expr::scalar_doc_sections::DOC_SECTION_MATH;
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
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
}

impl Operation {
    pub const ALL: [Operation; 3] = [Operation::Add, Operation::Subtract, Operation::Multiply];

    /// The operation of an operator, if it is one.
    pub fn of(operator: Operator) -> Option<Operation> {
        Operation::ALL.into_iter().find(|operation| operation.operator() == operator)
    }

    fn operator(self) -> Operator {
        match self {
            Operation::Add => Operator::Plus,
            Operation::Subtract => Operator::Minus,
            Operation::Multiply => Operator::Multiply,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Operation::Add => "checked_add",
            Operation::Subtract => "checked_subtract",
            Operation::Multiply => "checked_multiply",
        }
    }

    fn documentation(self) -> &'static Documentation {
        static ALL: LazyLock<[Documentation; 3]> = LazyLock::new(|| Operation::ALL.map(Operation::described));
        &ALL[self as usize]
    }

    fn described(self) -> Documentation {
        let (name, operator) = (self.name(), self.operator());
        let result = match self {
            Operation::Add => 8,
            Operation::Subtract => 4,
            Operation::Multiply => 12,
        };
        let description = format!(
            "`a {operator} b` of two integers of the same type; an error if the result does not fit in it. \
             The operator is planned as this function."
        );
        Documentation::builder(DOC_SECTION_MATH, description, format!("{name}(a, b)"))
            .with_sql_example(format!(
                "```sql\n> SELECT {name}(6, 2) AS result;\n+--------+\n| result |\n+--------+\n| {result:<6} |\n+--------+\n```"
            ))
            .with_argument("a", "An integer.")
            .with_argument("b", "An integer of the same type.")
            .build()
    }
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
            [left, right] if left.is_integer() && left == right => Ok(given.to_vec()),
            _ => plan_err!("{} takes two integers of the same type, got {given:?}", self.name()),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match given {
            [left, _] => Ok(left.clone()),
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
            };
            result.map_err(|error| {
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
            Operation::Multiply => match (left, right) {
                (SortProperties::Singleton, SortProperties::Singleton) => SortProperties::Singleton,
                _ => SortProperties::Unordered,
            },
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(self.operation.documentation())
    }
}
