//! Functions of a time that take text and zoneless times, too: both are read in the session's time zone first.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::Result;
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use crate::types::is_text;

/// A function of DataFusion, whose arguments at some places are times.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct InZone {
    inner: Arc<ScalarUDF>,
    signature: Signature,
    zone: Arc<str>,
    /// Where times stand among the arguments.
    times: &'static [usize],
    /// Whether dates are times as well, and only a single argument is one: further ones are formats.
    dates: bool,
}

impl InZone {
    pub fn function(inner: Arc<ScalarUDF>, zone: &Arc<str>, times: &'static [usize]) -> ScalarUDF {
        ScalarUDF::new_from_impl(InZone::new(inner, zone, times, false))
    }

    /// A function of one time, which may be a date.
    pub fn with_dates(inner: Arc<ScalarUDF>, zone: &Arc<str>) -> ScalarUDF {
        ScalarUDF::new_from_impl(InZone::new(inner, zone, &[0], true))
    }

    fn new(inner: Arc<ScalarUDF>, zone: &Arc<str>, times: &'static [usize], dates: bool) -> Self {
        let signature = Signature::user_defined(inner.signature().volatility);
        InZone { inner, signature, zone: Arc::clone(zone), times, dates }
    }

    fn read(&self, at: usize, given: &DataType, of: usize) -> DataType {
        match given {
            _ if !self.times.contains(&at) || (self.dates && of > 1) => given.clone(),
            DataType::Timestamp(unit, None) => instant(*unit, &self.zone),
            DataType::Date32 | DataType::Date64 if self.dates => instant(TimeUnit::Second, &self.zone),
            text if is_text(text) => instant(TimeUnit::Nanosecond, &self.zone),
            other => other.clone(),
        }
    }
}

/// The type of instants in a zone.
fn instant(unit: TimeUnit, zone: &Arc<str>) -> DataType {
    DataType::Timestamp(unit, Some(Arc::clone(zone)))
}

impl ScalarUDFImpl for InZone {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let read = given.iter().enumerate().map(|(at, given_type)| self.read(at, given_type, given.len()));
        let fields: Vec<FieldRef> = read.map(|read| Arc::new(Field::new("", read, true))).collect();
        let coerced = fields_with_udf(&fields, self.inner.as_ref())?;
        Ok(coerced.iter().map(|field| field.data_type().clone()).collect())
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        self.inner.return_field_from_args(arguments)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let zone = config.execution.time_zone.as_deref()?.into();
        Some(ScalarUDF::new_from_impl(InZone::new(Arc::clone(&self.inner), &zone, self.times, self.dates)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.inner.invoke_with_args(arguments)
    }

    fn simplify(&self, arguments: Vec<Expr>, context: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.inner.simplify(arguments, context)
    }

    fn evaluate_bounds(&self, inputs: &[&Interval]) -> Result<Interval> {
        self.inner.evaluate_bounds(inputs)
    }

    fn output_ordering(&self, inputs: &[ExprProperties]) -> Result<SortProperties> {
        self.inner.output_ordering(inputs)
    }

    fn preserves_lex_ordering(&self, inputs: &[ExprProperties]) -> Result<bool> {
        self.inner.preserves_lex_ordering(inputs)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
