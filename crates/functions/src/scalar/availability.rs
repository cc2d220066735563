//! `availability(timeline)`.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion_macros::user_doc;

use super::function::{Args, scalar_function};

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "1 − error time / measured time, a share from 0 to 1. NULL when nothing was measured.",
        syntax_example = "availability(timeline)",
        sql_example = r#"```sql
> SELECT availability(timeline(time, ok, 60)) AS availability FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+--------------+
| availability |
+--------------+
| 0.5          |
+--------------+
```"#,
        argument(name = "timeline", description = "A timeline.")
    )]
    Availability, "availability", 1, [("timeline", Timeline)], DataType::Float64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    args.figure(|timeline, _| Ok(timeline.availability()))
}
