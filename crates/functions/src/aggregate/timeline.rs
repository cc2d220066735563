//! `timeline(time, ok [, slice_seconds [, from, to]])`.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::Result;
use datafusion_macros::user_doc;

use super::function::aggregate_function;
use super::slice_counts::SliceCounts;
use super::slices::{Clock, Rows, Slices};
use crate::types::timeline_type;

aggregate_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "A timeline from rows that say whether a slice was ok. A slice is ok only if all its rows are; a slice without rows, or only with NULL, is no data. Rows in any order. The span is `[from, to)`, else from the first to the last slice of which a row speaks.",
        syntax_example = "timeline(time, ok [, slice_seconds [, from, to]])",
        sql_example = r#"```sql
> SELECT availability(timeline(time, ok, 60)) AS availability
  FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false), ('2026-10-01T00:03:00Z', true),
               ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+--------------+
| availability |
+--------------+
| 0.75         |
+--------------+
```"#,
        argument(
            name = "time",
            description = "Any instant in the slice. Zoneless text and times are read in the session's time zone."
        ),
        argument(name = "ok", description = "Whether the slice was ok."),
        argument(
            name = "slice_seconds",
            description = "The slice width in whole seconds. Without it, the width of the store from which the time column comes."
        ),
        argument(name = "from", description = "Start of the span; the slices that begin inside count, whole. A constant."),
        argument(name = "to", description = "End of the span, exclusive. A constant.")
    )]
    Timeline, "timeline", 2, [("time", Time), ("ok", Bool), ("slice_seconds", Slice), ("from", Time), ("to", Time)], timeline_type(), Slices<OkRows>
}

/// `ok`: the slice is ok only if all its rows are.
pub(super) struct OkRows;

impl Rows for OkRows {
    const FUNCTION: &'static str = "timeline";
    const LEADING: usize = 2;
    const IDEMPOTENT: bool = true;

    fn update(
        groups: &mut [SliceCounts],
        mut clock: Clock,
        values: &[ArrayRef],
        kept: impl Fn(usize) -> bool,
        group_of: &[usize],
    ) -> Result<()> {
        let (times, ok) = (values[0].as_primitive::<TimestampMicrosecondType>(), values[1].as_boolean());
        for (row, &group) in group_of.iter().enumerate() {
            if kept(row)
                && let Some(slice) = clock.slice(times.value(row))
            {
                let counts = &mut groups[group];
                if ok.is_null(row) { counts.touch(slice) } else { counts.add(slice, ok.value(row).into(), 1) }
            }
        }
        Ok(())
    }
}
