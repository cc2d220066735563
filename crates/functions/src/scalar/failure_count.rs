//! `failure_count(timeline [, recovery_seconds])`.

use super::function::{Args, scalar_function};
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::Int64Array;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion_macros::user_doc;
use std::sync::Arc;

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "Number of failures. A failure begins at the first error slice, and at each error slice after a recovery; unmeasured slices neither end nor prolong it.",
        syntax_example = "failure_count(timeline [, recovery_seconds])",
        sql_example = r#"```sql
> SELECT failure_count(timeline(time, ok, 60)) AS failures FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+----------+
| failures |
+----------+
| 1        |
+----------+
```"#,
        argument(name = "timeline", description = "A timeline."),
        argument(name = "recovery_seconds", description = "How much ok time between errors ends a failure, in seconds, rounded up to whole slices; one slice if it is left out.")
    )]
    FailureCount, "failure_count", 1, [("timeline", Timeline), ("recovery_seconds", Seconds)], DataType::Int64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let timelines = args.timelines()?;
    let count = |row| {
        let (timeline, recovery) = (timelines.value(row)?, args.micros(1, row)?);
        Ok(timeline.zip(recovery).map(|(timeline, recovery)| timeline.failures(recovery).len() as i64))
    };
    Ok(Arc::new((0..args.rows).map(count).collect::<Result<Int64Array>>()?))
}
