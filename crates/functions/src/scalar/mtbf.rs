//! `mtbf(timeline [, recovery_seconds])`.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion_macros::user_doc;

use super::function::{Args, scalar_function};

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "Mean time between failures in seconds: ok time / number of failures. NULL when there was none.",
        syntax_example = "mtbf(timeline [, recovery_seconds])",
        sql_example = r#"```sql
> SELECT mtbf(timeline(time, ok, 60)) AS mtbf FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+-------+
| mtbf  |
+-------+
| 120.0 |
+-------+
```"#,
        argument(name = "timeline", description = "A timeline."),
        argument(name = "recovery_seconds", description = "How much ok time between errors ends a failure, in seconds, rounded up to whole slices; one slice if it is left out.")
    )]
    Mtbf, "mtbf", 1, [("timeline", Timeline), ("recovery_seconds", Seconds)], DataType::Float64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    args.figure(|timeline, row| Ok(args.micros(1, row)?.and_then(|recovery| timeline.mtbf(recovery))))
}
