//! `drop_short_errors(timeline, min_run_seconds)`.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion_macros::user_doc;

use super::function::{Args, scalar_function};
use crate::types::timeline_type;

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "Takes runs of error slices shorter than a minimum for ok. Whatever is not an error ends a run.",
        syntax_example = "drop_short_errors(timeline, min_run_seconds)",
        sql_example = r#"```sql
> SELECT error_seconds(drop_short_errors(timeline(time, ok, 60), 180)) AS error_seconds FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+---------------+
| error_seconds |
+---------------+
| 0.0           |
+---------------+
```"#,
        argument(name = "timeline", description = "A timeline."),
        argument(name = "min_run_seconds", description = "The shortest run of errors that stays.")
    )]
    DropShortErrors, "drop_short_errors", 2, [("timeline", Timeline), ("min_run_seconds", Seconds)], timeline_type()
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    args.edit(|timeline, row| Ok(args.micros(1, row)?.map(|min_run| timeline.drop_short_errors(min_run))))
}
