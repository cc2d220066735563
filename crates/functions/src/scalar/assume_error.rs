//! `assume_error(timeline)`.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion_macros::user_doc;

use super::function::{Args, scalar_function};
use crate::types::timeline_type;

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "Takes unmeasured slices for errors: the worst case.",
        syntax_example = "assume_error(timeline)",
        sql_example = r#"```sql
> SELECT error_seconds(assume_error(timeline(time, ok, 60))) AS error_seconds FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+---------------+
| error_seconds |
+---------------+
| 180.0         |
+---------------+
```"#,
        argument(name = "timeline", description = "A timeline.")
    )]
    AssumeError, "assume_error", 1, [("timeline", Timeline)], timeline_type()
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    args.edit(|timeline, _| Ok(Some(timeline.assume_error())))
}
