//! `budget_remaining(timeline, target)`.

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
        description = "The share of the error budget that is left, by time and with nothing ahead: 1 − burn rate of the time measured, negative when overspent. NULL when the target is 1 or nothing was measured. The budget of a period that has not ended, of events, or of a target that changed is `budget_remaining` in report().",
        syntax_example = "budget_remaining(timeline, target)",
        sql_example = r#"```sql
> SELECT budget_remaining(timeline(time, ok, 60), 0.9) AS budget_remaining FROM (VALUES ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false),
               ('2026-10-01T00:02:00Z', false), ('2026-10-01T00:04:00Z', true)) AS v(time, ok);
+------------------+
| budget_remaining |
+------------------+
| -4.0             |
+------------------+
```"#,
        argument(name = "timeline", description = "A timeline."),
        argument(name = "target", description = "The objective, a share such as 0.999: a decimal, or a float taken as the decimal it prints as.")
    )]
    BudgetRemaining, "budget_remaining", 2, [("timeline", Timeline), ("target", Share)], DataType::Float64
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let targets = RefCell::new(ShareColumn::new(&args.columns[1], args.function));
    args.figure(|timeline, row| {
        Ok(targets.borrow_mut().value(row)?.and_then(|target| timeline.budget_remaining(target)))
    })
}
