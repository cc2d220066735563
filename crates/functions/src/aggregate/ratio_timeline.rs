//! `ratio_timeline(time, good, total, slice_target [, slice_seconds [, from, to]])`.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use datafusion::common::{Result, exec_err};
use datafusion_macros::user_doc;

use super::by_run::GroupRun;
use super::function::aggregate_function;
use super::slice_counts::SliceCounts;
use super::slices::{Clock, Rows, Slices};
use crate::share_column::ShareColumn;
use crate::types::timeline_type;

aggregate_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "A timeline from counts: a slice is ok if good ≥ slice_target × total, compared exactly. Counts of rows in the same slice add, and are an error beyond 2^63 − 1; total = 0 is no data. Rows in any order. The span is `[from, to)`, else from the first to the last slice of which a row speaks.",
        syntax_example = "ratio_timeline(time, good, total, slice_target [, slice_seconds [, from, to]])",
        sql_example = r#"```sql
> SELECT error_seconds(ratio_timeline(time, good, total, 0.99, 60)) AS error_seconds
  FROM (VALUES ('2026-10-01T00:00:10Z', 90, 100), ('2026-10-01T00:00:50Z', 900, 900), ('2026-10-01T00:01:00Z', 99, 100),
               ('2026-10-01T00:02:00Z', 98, 100)) AS v(time, good, total);
+---------------+
| error_seconds |
+---------------+
| 60.0          |
+---------------+
```"#,
        argument(
            name = "time",
            description = "Any instant in the slice. Zoneless text and times are read in the session's time zone."
        ),
        argument(name = "good", description = "Good events. NULL counts nothing."),
        argument(name = "total", description = "All events. NULL counts nothing."),
        argument(
            name = "slice_target",
            description = "The share of good events that makes a slice ok: a decimal, or a float taken as the decimal it prints as. The same in all rows of a group."
        ),
        argument(
            name = "slice_seconds",
            description = "The slice width in whole seconds. Without it, the width of the store from which the time column comes."
        ),
        argument(name = "from", description = "Start of the span; the slices that begin inside count, whole. A constant."),
        argument(name = "to", description = "End of the span, exclusive. A constant.")
    )]
    RatioTimeline, "ratio_timeline", 4, [("time", Time), ("good", Count), ("total", Count), ("slice_target", Share), ("slice_seconds", Slice), ("from", Time), ("to", Time)], timeline_type(), Slices<CountRows>
}

/// `good, total, slice_target`: counts of a slice add.
pub(super) struct CountRows;

impl Rows for CountRows {
    const FUNCTION: &'static str = "ratio_timeline";
    const LEADING: usize = 4;
    const IDEMPOTENT: bool = false;

    /// One pass, no allocation per row; a row in time order costs no division.
    fn update(
        groups: &mut [SliceCounts],
        mut clock: Clock,
        values: &[ArrayRef],
        kept: impl Fn(usize) -> bool,
        group_of: &[usize],
    ) -> Result<()> {
        let times = values[0].as_primitive::<TimestampMicrosecondType>();
        let (good, total) = (values[1].as_primitive::<Int64Type>(), values[2].as_primitive::<Int64Type>());
        let mut targets = ShareColumn::new(&values[3], Self::FUNCTION);
        let constant = targets.constant()?;
        let nulls = good.null_count() + total.null_count() > 0;
        let (good_values, total_values) = (good.values(), total.values());
        // Whose target was set last, and to what.
        let mut known = (usize::MAX, None);
        for (row, &group) in group_of.iter().enumerate() {
            if !kept(row) {
                continue;
            }
            let Some(slice) = clock.slice(times.value(row)) else { continue };
            let counts = &mut groups[group];
            let target = if constant.is_some() { constant } else { targets.value(row)? };
            if known != (group, target) {
                match target {
                    Some(target) => counts.set_target(target, Self::FUNCTION)?,
                    None => return exec_err!("ratio_timeline: slice_target must not be NULL"),
                }
                known = (group, target);
            }
            if nulls && (good.is_null(row) || total.is_null(row)) {
                counts.touch(slice);
                continue;
            }
            let (good, total) = (good_values[row], total_values[row]);
            if good < 0 || total < 0 {
                return exec_err!("ratio_timeline: counts must not be negative, got good = {good}, total = {total}");
            }
            counts.add(slice, good, total);
        }
        Ok(())
    }

    /// Slices that follow each other are added as arrays.
    fn update_runs(
        groups: &mut [SliceCounts],
        clock: &Clock,
        values: &[ArrayRef],
        runs: &[GroupRun],
    ) -> Result<Option<usize>> {
        let times = values[0].as_primitive::<TimestampMicrosecondType>().values();
        let good = values[1].as_primitive::<Int64Type>().values();
        let total = values[2].as_primitive::<Int64Type>().values();
        let Some(target) = ShareColumn::new(&values[3], Self::FUNCTION).constant()? else { return Ok(None) };
        if good.iter().zip(total).fold(0, |all, (good, total)| all | good | total) < 0 {
            return Ok(None);
        }
        let mut grown = 0;
        for GroupRun { group, rows } in runs {
            let counts = &mut groups[*group];
            let before = counts.size();
            let mut from = rows.start;
            while from < rows.end {
                let (slice, to) = clock.following(times, from, rows.end);
                if let Some(slice) = slice {
                    counts.set_target(target, Self::FUNCTION)?;
                    counts.add_all(slice, &good[from..to], &total[from..to]);
                }
                from = to;
            }
            grown += counts.size() - before;
        }
        Ok(Some(grown))
    }
}
