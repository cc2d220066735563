//! The table `drafts`: statements that wait for approval.
//!
//! They are kept apart from `statements`: whoever reads that table takes its rows for issued. That is so of earlier versions of Nines,
//! of queries that people wrote, and of other readers of Delta tables, which know nothing of `min_reader`. A draft is open until a
//! statement of its key is issued, or the draft is withdrawn; neither needs a commit to both tables.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{count, flag, instant, money, text};
use crate::schema::description::{Description, Measure, Sort};

pub(crate) const TABLE: Description = Description {
    name: "drafts",
    sort: Sort::Record,
    kept_by_nines: Some("draft statements with: nines credits PERIOD --issue --draft"),
    partition: Partition::None,
    key: &["agreement", "customer", "service", "period", "revision"],
    group: 5,
    columns,
    measures: &[
        ("drafted_at", Measure::Same),
        ("complete", Measure::Same),
        ("availability_exact", Measure::Same),
        ("amount", Measure::Same),
        ("currency", Measure::Same),
        ("text", Measure::Same),
        ("sha256", Measure::Same),
        ("rules", Measure::Same),
        ("number", Measure::Same),
        ("side", Measure::Same),
        ("withdrawn", Measure::Same),
    ],
    later: &[],
    reserved: &[],
};

fn columns(_: i64) -> Vec<Field> {
    vec![
        text("agreement"),
        text("customer"),
        text("service"),
        text("period"),
        count("revision"),
        instant("drafted_at"),
        flag("complete"),
        text("availability_exact"),
        money("amount").with_nullable(true),
        text("currency"),
        text("text"),
        text("sha256"),
        count("rules"),
        text("number").with_nullable(true),
        text("side"),
        flag("withdrawn"),
    ]
}
