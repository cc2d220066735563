//! `burn_rate(timeline, target)`.

use super::function::{Args, scalar_function};
use crate::share_column::ShareColumn;
use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion_macros::user_doc;
use std::cell::RefCell;

scalar_function! {
    #[user_doc(
        doc_section(label = "Timelines"),
        description = "How fast the error budget is spent: (error time / measured time) / (1 − target). 1 spends it exactly. NULL when the target is 1 or nothing was measured.",
        syntax_example = "burn_rate(timeline, target)",
        sql_example = r#"```sql
> SELECT burn_rate(timeline(time, ok, 60), 0.9) AS burn_rate FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+-----------+
| burn_rate |
+-----------+
| 5.0       |
+-----------+
```"#,
        argument(name = "timeline", description = "A timeline."),
        argument(name = "target", description = "The objective, a share such as 0.999: a decimal, or a float taken as the decimal it prints as.")
    )]
    BurnRate, "burn_rate", 2, [("timeline", Timeline), ("target", Share)], DataType::Float64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let targets = RefCell::new(ShareColumn::new(&args.columns[1], args.function));
    args.figure(|timeline, row| Ok(targets.borrow_mut().value(row)?.and_then(|target| timeline.burn_rate(target))))
}
