//! `timeline(time, ok [, slice_seconds [, from, to]])`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use datafusion_macros::user_doc;

use super::single::Single;
use super::slices::{Rows, Slices};
use crate::types::{Kind, Parameters, timeline_type};

#[user_doc(
    doc_section(label = "Timelines"),
    description = "A timeline from rows that say whether a slice was ok. A slice is ok only if all its rows are; a slice without rows, or only with NULL, is no data. Rows in any order. The span is `[from, to)`, else from the first to the last slice of which a row speaks.",
    syntax_example = "timeline(time, ok [, slice_seconds [, from, to]])",
    sql_example = r#"```sql
> SELECT availability(timeline(time, ok, 60)) AS availability
  FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false), ('2026-10-01T00:03:00Z', true),
               ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+--------------+
| availability |
+--------------+
| 0.75         |
+--------------+
```"#,
    argument(
        name = "time",
        description = "Any instant in the slice. Zoneless text and times are read in the session's time zone."
    ),
    argument(name = "ok", description = "Whether the slice was ok."),
    argument(
        name = "slice_seconds",
        description = "The slice width in whole seconds. Without it, the width of the store from which the time column comes."
    ),
    argument(name = "from", description = "Start of the span; a slice counts if it lies wholly inside. A constant."),
    argument(name = "to", description = "End of the span, exclusive. A constant.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Timeline {
    signature: Signature,
    parameters: Parameters,
}

impl Timeline {
    pub fn new(time_zone: Arc<str>) -> Self {
        let all = &[
            ("time", Kind::Time),
            ("ok", Kind::Bool),
            ("slice_seconds", Kind::Slice),
            ("from", Kind::Time),
            ("to", Kind::Time),
        ];
        Timeline {
            signature: Signature::user_defined(Volatility::Immutable),
            parameters: Parameters { function: "timeline", required: 2, all, time_zone },
        }
    }
}

impl AggregateUDFImpl for Timeline {
    fn name(&self) -> &str {
        self.parameters.function
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.parameters.coerce(given)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(timeline_type())
    }

    fn return_field(&self, arguments: &[FieldRef]) -> Result<FieldRef> {
        Rows::Ok.check_width(arguments)?;
        Ok(Arc::new(Field::new(self.name(), timeline_type(), true)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(Rows::Ok.state_fields(args.name))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single::new(Slices::new(Rows::Ok, &args)?)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Slices::new(Rows::Ok, &args)?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
