//! `failure_intervals(timeline [, recovery_seconds])`.

use super::function::{Args, scalar_function};
use crate::arrays::failures_array;
use crate::types::failure_list_type;
use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion_macros::user_doc;

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "The failures, ascending, each from the start of its first error slice to the end of its last: a list of {started, ended, seconds}. `seconds` is how long the failure lasted: its ok and error slices; slices without data and excluded ones neither end nor prolong it.",
        syntax_example = "failure_intervals(timeline [, recovery_seconds])",
        sql_example = r#"```sql
> SELECT unnest(failure_intervals(timeline(time, ok, 60), 180))['started'] AS started FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+----------------------+
| started              |
+----------------------+
| 2026-10-01T00:01:00Z |
+----------------------+
```"#,
        argument(name = "timeline", description = "A timeline."),
        argument(name = "recovery_seconds", description = "How much ok time between errors ends a failure, in seconds, rounded up to whole slices; one slice if it is left out.")
    )]
    FailureIntervals, "failure_intervals", 1, [("timeline", Timeline), ("recovery_seconds", Seconds)], failure_list_type()
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let timelines = args.timelines()?;
    let failures = |row| Ok(timelines.value(row)?.zip(args.micros(1, row)?).map(|(timeline, r)| timeline.failures(r)));
    Ok(failures_array((0..args.rows).map(failures).collect::<Result<Vec<_>>>()?))
}
