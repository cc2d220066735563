//! `ratio_timeline(time, good, total, slice_target [, slice_seconds [, from, to]])`.

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
    description = "A timeline from counts: a slice is ok if good ≥ slice_target × total, compared exactly. Counts of rows in the same slice add; total = 0 is no data. Rows in any order. The span is `[from, to)`, else from the first to the last slice of which a row speaks.",
    syntax_example = "ratio_timeline(time, good, total, slice_target [, slice_seconds [, from, to]])",
    sql_example = r#"```sql
> SELECT error_seconds(ratio_timeline(time, good, total, 0.99, 60)) AS error_seconds
  FROM (VALUES ('2026-10-01T00:00:10Z', 90, 100), ('2026-10-01T00:00:50Z', 900, 900), ('2026-10-01T00:01:00Z', 99, 100),
               ('2026-10-01T00:02:00Z', 98, 100)) AS v(time, good, total);
+---------------+
| error_seconds |
+---------------+
| 60.0          |
+---------------+
```"#,
    argument(
        name = "time",
        description = "Any instant in the slice. Zoneless text and times are read in the session's time zone."
    ),
    argument(name = "good", description = "Good events. NULL counts nothing."),
    argument(name = "total", description = "All events. NULL counts nothing."),
    argument(
        name = "slice_target",
        description = "The share of good events that makes a slice ok: a decimal, or a float taken as the decimal it prints as. The same in all rows of a group."
    ),
    argument(
        name = "slice_seconds",
        description = "The slice width in whole seconds. Without it, the width of the store from which the time column comes."
    ),
    argument(name = "from", description = "Start of the span; a slice counts if it lies wholly inside. A constant."),
    argument(name = "to", description = "End of the span, exclusive. A constant.")
)]
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RatioTimeline {
    signature: Signature,
    parameters: Parameters,
}

impl RatioTimeline {
    pub fn new(time_zone: Arc<str>) -> Self {
        let all = &[
            ("time", Kind::Time),
            ("good", Kind::Count),
            ("total", Kind::Count),
            ("slice_target", Kind::Share),
            ("slice_seconds", Kind::Slice),
            ("from", Kind::Time),
            ("to", Kind::Time),
        ];
        RatioTimeline {
            signature: Signature::user_defined(Volatility::Immutable),
            parameters: Parameters { function: "ratio_timeline", required: 4, all, time_zone },
        }
    }
}

impl AggregateUDFImpl for RatioTimeline {
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
        Rows::Counts.check_width(arguments)?;
        Ok(Arc::new(Field::new(self.name(), timeline_type(), true)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(Rows::Counts.state_fields(args.name))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single::new(Slices::new(Rows::Counts, &args)?)))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Slices::new(Rows::Counts, &args)?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.doc()
    }
}
