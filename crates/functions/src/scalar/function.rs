//! A scalar function, made of how one row is computed.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{Float64Type, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use nines_timeline::{MICROS, Timeline};

use crate::arrays::{TimelineArrayBuilder, TimelineReader};

/// Arguments as columns of one length.
pub(crate) struct Args {
    pub function: &'static str,
    pub columns: Vec<ArrayRef>,
    pub rows: usize,
}

/// Calls `evaluate` on columns; constants in give a constant out, so that calls on literals fold.
pub(crate) fn invoke(
    function: &'static str,
    args: &ScalarFunctionArgs,
    evaluate: impl FnOnce(&Args) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
    let rows = if constant { 1 } else { args.number_rows };
    let columns = args.args.iter().map(|arg| arg.to_array(rows)).collect::<Result<Vec<_>>>()?;
    let result = evaluate(&Args { function, columns, rows })?;
    if constant {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
    }
    Ok(ColumnarValue::Array(result))
}

impl Args {
    pub fn timelines(&self) -> Result<TimelineReader<'_>> {
        TimelineReader::new(&self.columns[0])
    }

    /// A float of each row's timeline, the first argument.
    pub fn figure(&self, figure: impl Fn(&Timeline, usize) -> Result<Option<f64>>) -> Result<ArrayRef> {
        let timelines = self.timelines()?;
        let value = |row| timelines.value(row)?.map_or(Ok(None), |timeline| figure(&timeline, row));
        Ok(Arc::new((0..self.rows).map(value).collect::<Result<Float64Array>>()?))
    }

    /// A timeline from each row's timeline, the first argument.
    pub fn edit(&self, edit: impl Fn(&Timeline, usize) -> Result<Option<Timeline>>) -> Result<ArrayRef> {
        let timelines = self.timelines()?;
        let mut built = TimelineArrayBuilder::default();
        for row in 0..self.rows {
            let edited = timelines.value(row)?.map_or(Ok(None), |timeline| edit(&timeline, row))?;
            built.append(edited.as_ref());
        }
        Ok(Arc::new(built.finish()))
    }

    /// The duration that argument `at` gives in seconds, in microseconds; 0 when it was left out.
    pub fn micros(&self, at: usize, row: usize) -> Result<Option<i64>> {
        let Some(column) = self.columns.get(at) else { return Ok(Some(0)) };
        if column.is_null(row) {
            return Ok(None);
        }
        let seconds = column.as_primitive::<Float64Type>().value(row);
        // A thousand years: beyond it, microseconds would leave their 64 bits.
        if !(0.0..=3.2e10).contains(&seconds) {
            return exec_err!("{}: expected a duration of at least 0 seconds, got {seconds}", self.function);
        }
        Ok(Some((seconds * MICROS as f64).round() as i64))
    }

    /// The instant in argument `at`.
    pub fn instant(&self, at: usize, row: usize) -> Option<i64> {
        let column = self.columns[at].as_primitive::<TimestampMicrosecondType>();
        column.is_valid(row).then(|| column.value(row))
    }
}

/// Defines a scalar function: `#[user_doc(…)] Type, "name", required, [(parameter, kind), …], result type`.
/// The file's own `evaluate(&Args) -> Result<ArrayRef>` computes it.
macro_rules! scalar_function {
    ($(#[$doc:meta])* $type:ident, $name:literal, $required:literal, [$($parameter:expr),* $(,)?], $returns:expr) => {
        crate::function::function_type! { $(#[$doc])* $type, $name, $required, [$($parameter),*] }

        impl datafusion::logical_expr::ScalarUDFImpl for $type {
            crate::function::common_methods! { $name, $returns }

            fn invoke_with_args(
                &self,
                args: datafusion::logical_expr::ScalarFunctionArgs,
            ) -> datafusion::common::Result<datafusion::logical_expr::ColumnarValue> {
                crate::scalar::function::invoke($name, &args, evaluate)
            }
        }
    };
}
pub(crate) use scalar_function;
