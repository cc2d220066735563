//! `exclude(timeline, intervals)`.

use super::function::{Args, scalar_function};
use crate::arrays::IntervalListReader;
use crate::types::timeline_type;
use datafusion::arrow::array::Array;
use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion_macros::user_doc;

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "Excludes every slice that lies wholly inside the intervals, which may overlap: it counts neither as ok nor as error.",
        syntax_example = "exclude(timeline, intervals)",
        sql_example = r#"```sql
> SELECT error_seconds(exclude(timeline(time, ok, 60), make_array(
    named_struct('started', '2026-10-01T00:01:00Z', 'ended', '2026-10-01T00:02:30Z')))) AS error_seconds
  FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+---------------+
| error_seconds |
+---------------+
| 60.0          |
+---------------+
```"#,
        argument(name = "timeline", description = "A timeline."),
        argument(name = "intervals", description = "A list of structs with `started` and `ended`, as the functions on timelines return them.")
    )]
    Exclude, "exclude", 2, [("timeline", Timeline), ("intervals", Intervals)], timeline_type()
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let intervals = IntervalListReader::new(&args.columns[1])?;
    args.edit(|timeline, row| {
        let known = args.columns[1].is_valid(row);
        Ok(known.then(|| timeline.exclude(&intervals.value(row).collect::<Vec<_>>())))
    })
}
