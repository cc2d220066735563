//! `slice_ok(good, total, slice_target)`.

use super::function::{Args, scalar_function};
use crate::share_column::ShareColumn;
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::{Array, AsArray, BooleanArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::Result;
use datafusion::common::exec_err;
use datafusion_macros::user_doc;
use std::sync::Arc;

scalar_function! {
    #[user_doc(
        doc_section(label = "Counts"),
        description = "Whether a slice is ok: good ≥ slice_target × total, compared exactly. NULL when total is 0: no data.",
        syntax_example = "slice_ok(good, total, slice_target)",
        sql_example = r#"```sql
> SELECT slice_ok(good, total, 0.999) AS ok FROM (VALUES (999, 1000), (998, 1000)) AS v(good, total);
+-------+
| ok    |
+-------+
| true  |
| false |
+-------+
```"#,
        argument(name = "good", description = "Good events."),
        argument(name = "total", description = "All events."),
        argument(name = "slice_target", description = "The share of good events that makes the slice ok.")
    )]
    SliceOk, "slice_ok", 3, [("good", Count), ("total", Count), ("slice_target", Share)], DataType::Boolean
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let count = |at: usize| args.columns[at].as_primitive::<Int64Type>();
    let (good, total) = (count(0), count(1));
    let mut targets = ShareColumn::new(&args.columns[2], args.function);
    let mut ok = |row| {
        let Some(target) = targets.value(row)? else { return Ok(None) };
        if good.is_null(row) || total.is_null(row) || total.value(row) == 0 {
            return Ok(None);
        }
        let (good, total) = (good.value(row), total.value(row));
        if good < 0 || total < 0 {
            return exec_err!("slice_ok: counts must not be negative, got good = {good}, total = {total}");
        }
        Ok(Some(target.met_by(good, total)))
    };
    Ok(Arc::new((0..args.rows).map(&mut ok).collect::<Result<BooleanArray>>()?))
}
