//! Functions that make instants: `to_timestamp` and its kin, `from_unixtime`.

use std::sync::Arc;

use datafusion::arrow::array::make_array;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::functions::datetime::{from_unixtime, to_timestamp as ts};
use datafusion::logical_expr::sort_properties::{ExprProperties, SortProperties};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

/// Makes DataFusion's function for a configuration.
type Make = fn(&ConfigOptions) -> ScalarUDF;

/// All of them, for a session in this time zone.
pub(super) fn all(zone: &Arc<str>) -> Vec<ScalarUDF> {
    let makes: [Make; 6] = [
        |config| ts::ToTimestampFunc::new_with_config(config).into(),
        |config| ts::ToTimestampSecondsFunc::new_with_config(config).into(),
        |config| ts::ToTimestampMillisFunc::new_with_config(config).into(),
        |config| ts::ToTimestampMicrosFunc::new_with_config(config).into(),
        |config| ts::ToTimestampNanosFunc::new_with_config(config).into(),
        |_| from_unixtime::FromUnixtimeFunc::new().into(),
    ];
    makes.into_iter().map(|make| ScalarUDF::new_from_impl(Instants::new(make, zone))).collect()
}

/// A configuration whose time zone is this one.
pub(super) fn in_zone(zone: &str) -> ConfigOptions {
    let mut config = ConfigOptions::default();
    config.execution.time_zone = Some(zone.to_string());
    config
}

/// A function that makes instants of text, in the session's time zone where it names none, and of numbers since the epoch.
#[derive(Debug)]
pub(super) struct Instants {
    make: Make,
    zone: Arc<str>,
    signature: Signature,
    inner: ScalarUDF,
}

impl Instants {
    fn new(make: Make, zone: &Arc<str>) -> Self {
        let inner = make(&in_zone(zone));
        let signature = Signature::user_defined(inner.signature().volatility);
        Instants { make, zone: Arc::clone(zone), signature, inner }
    }
}

/// One function per name and zone.
impl PartialEq for Instants {
    fn eq(&self, other: &Self) -> bool {
        (&self.inner, &self.zone) == (&other.inner, &other.zone)
    }
}

impl Eq for Instants {}

impl std::hash::Hash for Instants {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.inner, &self.zone).hash(state);
    }
}

impl ScalarUDFImpl for Instants {
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
        let field = |data_type: &DataType| -> FieldRef {
            Arc::new(datafusion::arrow::datatypes::Field::new("", data_type.clone(), true))
        };
        let coerced = fields_with_udf(&given.iter().map(field).collect::<Vec<_>>(), &self.inner)?;
        Ok(coerced.iter().map(|field| field.data_type().clone()).collect())
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        self.inner.return_type(arguments)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let field = self.inner.return_field_from_args(arguments)?;
        Ok(match field.data_type() {
            DataType::Timestamp(unit, None) => {
                let zoned = DataType::Timestamp(*unit, Some(Arc::clone(&self.zone)));
                Arc::new(field.as_ref().clone().with_data_type(zoned))
            }
            _ => field,
        })
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let zone = config.execution.time_zone.as_deref()?.into();
        Some(ScalarUDF::new_from_impl(Instants::new(self.make, &zone)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        // The zone is the plan's, which may have been made in another session than the one that runs it.
        let zone = match arguments.return_field.data_type() {
            DataType::Timestamp(_, zone) => zone.clone(),
            _ => None,
        };
        let number = arguments.args.first().is_some_and(|argument| argument.data_type().is_numeric());
        let instants = match &zone {
            // To make an instant of a number no clock is asked.
            _ if number => (self.make)(&in_zone("UTC")).inner().invoke_with_args(arguments)?,
            Some(zone) if *zone != self.zone => (self.make)(&in_zone(zone)).inner().invoke_with_args(arguments)?,
            _ => self.inner.inner().invoke_with_args(arguments)?,
        };
        relabelled(instants, zone.as_ref())
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

/// The same instants as times of another zone.
fn relabelled(value: ColumnarValue, zone: Option<&Arc<str>>) -> Result<ColumnarValue> {
    use ScalarValue as S;
    let zone = zone.cloned();
    Ok(match value {
        ColumnarValue::Array(array) => match array.data_type() {
            DataType::Timestamp(unit, _) => {
                let to = DataType::Timestamp(*unit, zone);
                ColumnarValue::Array(make_array(array.to_data().into_builder().data_type(to).build()?))
            }
            _ => ColumnarValue::Array(array),
        },
        ColumnarValue::Scalar(scalar) => ColumnarValue::Scalar(match scalar {
            S::TimestampSecond(at, _) => S::TimestampSecond(at, zone),
            S::TimestampMillisecond(at, _) => S::TimestampMillisecond(at, zone),
            S::TimestampMicrosecond(at, _) => S::TimestampMicrosecond(at, zone),
            S::TimestampNanosecond(at, _) => S::TimestampNanosecond(at, zone),
            other => other,
        }),
    })
}
