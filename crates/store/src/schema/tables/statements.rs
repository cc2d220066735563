//! The table `statements`.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{count, flag, instant, money, text};
use crate::schema::description::{Description, Measure, Sort};

pub(crate) const TABLE: Description = Description {
    name: "statements",
    sort: Sort::Record,
    kept_by_nines: Some("issue statements with: nines credits PERIOD --issue"),
    partition: Partition::None,
    key: &["agreement", "customer", "service", "period", "revision"],
    group: 5,
    columns,
    measures: &[
        ("issued_at", Measure::Same),
        ("complete", Measure::Same),
        ("availability_exact", Measure::Same),
        ("amount", Measure::Same),
        ("currency", Measure::Same),
        ("text", Measure::Same),
        ("sha256", Measure::Same),
        ("rules", Measure::Same),
        ("number", Measure::Same),
        ("side", Measure::Same),
        ("signature", Measure::Same),
        ("status", Measure::Same),
    ],
    later: &["rules", "number", "side", "signature", "status"],
    // Every row is issued: what is not stands in `drafts`.
    reserved: &["status"],
};

fn columns(_: i64) -> Vec<Field> {
    vec![
        text("agreement"),
        text("customer"),
        text("service"),
        text("period"),
        count("revision"),
        instant("issued_at"),
        flag("complete"),
        text("availability_exact"),
        money("amount").with_nullable(true),
        text("currency"),
        text("text"),
        text("sha256"),
        count("rules").with_nullable(true),
        text("number").with_nullable(true),
        text("side").with_nullable(true),
        text("signature").with_nullable(true),
        text("status").with_nullable(true),
    ]
}
