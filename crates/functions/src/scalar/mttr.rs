//! `mttr(timeline [, recovery_seconds])`.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion_macros::user_doc;

use super::function::{Args, scalar_function};

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "Mean time to recovery in seconds: the mean over failures of the measured time (ok and error slices) from the first error slice to the last. NULL when there was no failure.",
        syntax_example = "mttr(timeline [, recovery_seconds])",
        sql_example = r#"```sql
> SELECT mttr(timeline(time, ok, 60)) AS mttr FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+-------+
| mttr  |
+-------+
| 120.0 |
+-------+
```"#,
        argument(name = "timeline", description = "A timeline."),
        argument(name = "recovery_seconds", description = "How much ok time between errors ends a failure, in seconds, rounded up to whole slices; one slice if it is left out.")
    )]
    Mttr, "mttr", 1, [("timeline", Timeline), ("recovery_seconds", Seconds)], DataType::Float64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    args.figure(|timeline, row| Ok(args.micros(1, row)?.and_then(|recovery| timeline.mttr(recovery))))
}
