//! The operator `||` of two texts as a function, so that what it makes can be bounded and constants folded under the bound.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column};

use super::{function::check, sizes};

/// The operator's name.
const NAME: &str = "||";

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Concatenate {
    signature: Signature,
    limit: usize,
}

impl Concatenate {
    pub fn new(limit: usize) -> Self {
        Concatenate { signature: Signature::any(2, Volatility::Immutable), limit }
    }
}

/// The operator itself, over two columns of these types.
fn operator(types: [&DataType; 2]) -> (BinaryExpr, Schema) {
    let schema =
        Schema::new(vec![Field::new("left", types[0].clone(), true), Field::new("right", types[1].clone(), true)]);
    let column = |name: &str, at| Arc::new(Column::new(name, at)) as Arc<dyn PhysicalExpr>;
    (BinaryExpr::new(column("left", 0), Operator::StringConcat, column("right", 1)), schema)
}

impl ScalarUDFImpl for Concatenate {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn schema_name(&self, args: &[Expr]) -> Result<String> {
        let names = args.iter().map(|arg| arg.schema_name().to_string()).collect::<Vec<_>>();
        Ok(names.join(" || "))
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let [left, right] = types else { return internal_err!("{NAME} takes two texts") };
        let (operator, schema) = operator([left, right]);
        operator.data_type(&schema)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let args = ScalarFunctionArgs { number_rows: rows, ..args };
        check(NAME, sizes::joined(&args)?, rows, self.limit)?;
        let [left, right] = args.args.as_slice() else { return exec_err!("{NAME} takes two texts") };
        let (operator, schema) = operator([&left.data_type(), &right.data_type()]);
        let columns = vec![left.to_array(rows)?, right.to_array(rows)?];
        let joined = operator.evaluate(&RecordBatch::try_new(Arc::new(schema), columns)?)?;
        match constant {
            true => Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&joined.into_array(1)?, 0)?)),
            false => Ok(joined),
        }
    }
}
