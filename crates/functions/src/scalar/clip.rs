//! `clip(timeline, from, to)`.

use super::function::{Args, scalar_function};
use crate::types::timeline_type;
use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion_macros::user_doc;
use nines_timeline::Interval;

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "The timeline over [from, to): it keeps the slices that begin inside, whole, and is no data where the range reaches beyond its span. Ranges that follow each other share no slice and lose none.",
        syntax_example = "clip(timeline, from, to)",
        sql_example = r#"```sql
> SELECT error_seconds(clip(timeline(time, ok, 60), '2026-10-01T00:00:00Z', '2026-10-01T00:02:00Z')) AS error_seconds FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+---------------+
| error_seconds |
+---------------+
| 60.0          |
+---------------+
```"#,
        argument(name = "timeline", description = "A timeline."),
        argument(name = "from", description = "Start of the range; zoneless text and times are read in the session's time zone."),
        argument(name = "to", description = "End of the range, exclusive.")
    )]
    Clip, "clip", 3, [("timeline", Timeline), ("from", Time), ("to", Time)], timeline_type()
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    args.edit(|timeline, row| {
        let range = args.instant(1, row).zip(args.instant(2, row));
        Ok(range.map(|(from, to)| timeline.clip(Interval::new(from, to))))
    })
}
