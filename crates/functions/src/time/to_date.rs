//! `to_date`: the day on the session's calendar. DataFusion's own takes the day in UTC where a text has a time and an offset.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{Array, AsArray, Date32Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
use datafusion::arrow::datatypes::{DataType, Date32Type, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::config::ConfigOptions;
use datafusion::functions::datetime::to_date::ToDateFunc;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::types::is_text;

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct ToDate {
    inner: ScalarUDF,
    signature: Signature,
    zone: Arc<str>,
}

impl ToDate {
    pub fn new(zone: &Arc<str>) -> Self {
        ToDate {
            inner: ToDateFunc::new().into(),
            signature: Signature::user_defined(Volatility::Immutable),
            zone: Arc::clone(zone),
        }
    }

    pub fn zone(&self) -> &str {
        &self.zone
    }
}

/// The day of a text with a time and an offset, on the calendar of `zone`; `None` for any other text.
fn day(text: &str, zone: Tz) -> Option<chrono::NaiveDate> {
    let text = text.trim();
    let (_, time) = text.split_at_checked(10)?;
    let has_offset = time.ends_with(['Z', 'z']) || time.contains(['+', '-']);
    has_offset.then(|| string_to_datetime(&zone, text).ok()).flatten().map(|at| at.date_naive())
}

impl ScalarUDFImpl for ToDate {
    fn name(&self) -> &str {
        "to_date"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let field = |data_type: &DataType| -> FieldRef { Arc::new(Field::new("", data_type.clone(), true)) };
        let coerced = fields_with_udf(&given.iter().map(field).collect::<Vec<_>>(), &self.inner)?;
        Ok(coerced.iter().map(|field| field.data_type().clone()).collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Date32)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        Some(ScalarUDF::new_from_impl(ToDate::new(&config.execution.time_zone.as_deref()?.into())))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [given] = arguments.args.as_slice() else { return self.inner.invoke_with_args(arguments) };
        if !is_text(&given.data_type()) {
            return self.inner.invoke_with_args(arguments);
        }
        let zone: Tz = self.zone.parse().map_err(|_| exec_datafusion_err!("{} is no time zone", self.zone))?;
        let constant = matches!(given, ColumnarValue::Scalar(_));
        let texts = cast(&given.to_array(if constant { 1 } else { arguments.number_rows })?, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>();
        let days: Vec<Option<i32>> =
            texts.iter().map(|text| text.and_then(|text| day(text, zone)).map(|day| day.to_epoch_days())).collect();
        // The rest is what it is in every zone.
        let rest: Vec<Option<&str>> =
            texts.iter().zip(&days).map(|(text, day)| text.filter(|_| day.is_none())).collect();
        let rest = ColumnarValue::Array(Arc::new(datafusion::arrow::array::StringArray::from(rest)));
        let field = Arc::new(Field::new("", DataType::Utf8, true));
        let number_rows = texts.len();
        let rest = ScalarFunctionArgs { args: vec![rest], arg_fields: vec![field], number_rows, ..arguments };
        let rest = self.inner.invoke_with_args(rest)?.to_array(number_rows)?;
        let rest = rest.as_primitive::<Date32Type>();
        let days: Date32Array = days.into_iter().zip(rest.iter()).map(|(day, rest)| day.or(rest)).collect();
        Ok(match constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&days, 0)?),
            false => ColumnarValue::Array(Arc::new(days)),
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}
