//! `assume_ok(timeline)`.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion_macros::user_doc;

use super::function::{Args, scalar_function};
use crate::types::timeline_type;

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "Takes unmeasured slices for ok: the best case.",
        syntax_example = "assume_ok(timeline)",
        sql_example = r#"```sql
> SELECT availability(assume_ok(timeline(time, ok, 60))) AS availability FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+--------------+
| availability |
+--------------+
| 0.6          |
+--------------+
```"#,
        argument(name = "timeline", description = "A timeline.")
    )]
    AssumeOk, "assume_ok", 1, [("timeline", Timeline)], timeline_type()
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    args.edit(|timeline, _| Ok(Some(timeline.assume_ok())))
}
