//! The table `slo_facts`.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{count, text};
use crate::schema::description::{DERIVED, Description, Measure, Sort};

pub(crate) const TABLE: Description = Description {
    name: "slo_facts",
    sort: Sort::Derived,
    kept_by_nines: Some(DERIVED),
    partition: Partition::None,
    key: &["fact", "subject", "period"],
    group: 3,
    columns,
    measures: &[("key", Measure::Same), ("value", Measure::Same), ("text", Measure::Same)],
    later: &[],
    reserved: &[],
};

fn columns(_: i64) -> Vec<Field> {
    vec![text("fact"), text("subject"), text("period"), count("key"), count("value").with_nullable(true), text("text")]
}
