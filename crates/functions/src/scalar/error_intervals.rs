//! `error_intervals(timeline)`.

use super::function::{Args, scalar_function};
use crate::arrays::IntervalListBuilder;
use crate::types::interval_list_type;
use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion_macros::user_doc;
use nines_timeline::State;
use std::sync::Arc;

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "The runs of error slices, ascending: a list of {started, ended}.",
        syntax_example = "error_intervals(timeline)",
        sql_example = r#"```sql
> SELECT unnest(error_intervals(timeline(time, ok, 60)))['ended'] AS ended FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+----------------------+
| ended                |
+----------------------+
| 2026-10-01T00:03:00Z |
+----------------------+
```"#,
        argument(name = "timeline", description = "A timeline.")
    )]
    ErrorIntervals, "error_intervals", 1, [("timeline", Timeline)], interval_list_type()
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let timelines = args.timelines()?;
    let mut built = IntervalListBuilder::default();
    for row in 0..args.rows {
        match timelines.value(row)? {
            Some(timeline) => built.append(timeline.intervals(State::Error)),
            None => built.append_null(),
        }
    }
    Ok(Arc::new(built.finish()))
}
