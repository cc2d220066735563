//! `now` and its kin where the clock stands still: in examples and tests.

use chrono::{DateTime, Utc};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct SetClock {
    inner: ScalarUDF,
    now: DateTime<Utc>,
}

impl SetClock {
    pub fn new(inner: ScalarUDF, now: DateTime<Utc>) -> Self {
        SetClock { inner, now }
    }
}

impl ScalarUDFImpl for SetClock {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = self.inner.inner().with_updated_config(config)?;
        Some(ScalarUDF::new_from_impl(SetClock::new(inner, self.now)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(arguments)
    }

    fn simplify(&self, arguments: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        // While a statement is prepared there is no now at all.
        if context.query_execution_start_time().is_none() {
            return Ok(ExprSimplifyResult::Original(arguments));
        }
        let context = SimplifyContext::builder()
            .with_schema(std::sync::Arc::clone(context.schema()))
            .with_config_options(std::sync::Arc::clone(context.config_options()))
            .with_query_execution_start_time(Some(self.now))
            .build();
        self.inner.simplify(arguments, &context)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
