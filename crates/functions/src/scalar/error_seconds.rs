//! `error_seconds(timeline)`.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion_macros::user_doc;

use super::function::{Args, scalar_function};

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "Error time: error slices × slice width, in seconds.",
        syntax_example = "error_seconds(timeline)",
        sql_example = r#"```sql
> SELECT error_seconds(timeline(time, ok, 60)) AS error_seconds FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+---------------+
| error_seconds |
+---------------+
| 120.0         |
+---------------+
```"#,
        argument(name = "timeline", description = "A timeline.")
    )]
    ErrorSeconds, "error_seconds", 1, [("timeline", Timeline)], DataType::Float64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    args.figure(|timeline, _| Ok(Some(timeline.error_seconds())))
}
