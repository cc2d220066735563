//! The table `fees`.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{flag, instant, money, text};
use crate::schema::description::{Description, Measure, Sort};

pub(crate) const TABLE: Description = Description {
    name: "fees",
    sort: Sort::Record,
    kept_by_nines: None,
    partition: Partition::None,
    key: &["period", "customer", "service", "span"],
    group: 4,
    columns,
    measures: &[
        ("currency", Measure::Same),
        ("amount", Measure::Same),
        ("voucher_amount", Measure::Same),
        ("active_from", Measure::Same),
        ("active_until", Measure::Same),
        ("withdrawn", Measure::Same),
        ("plan", Measure::Same),
    ],
    later: &["span", "withdrawn", "plan"],
    reserved: &[],
};

fn columns(_: i64) -> Vec<Field> {
    vec![
        text("period"),
        text("customer"),
        text("service"),
        text("currency"),
        money("amount"),
        money("voucher_amount"),
        instant("active_from").with_nullable(true),
        instant("active_until").with_nullable(true),
        text("span").with_nullable(true),
        flag("withdrawn").with_nullable(true),
        text("plan").with_nullable(true),
    ]
}
