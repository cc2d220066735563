//! The table `events`.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{count, text};
use crate::schema::description::{Description, Measure, Sort};
use crate::schema::types::time_field;

pub(crate) const TABLE: Description = Description {
    name: "events",
    sort: Sort::Series,
    kept_by_nines: None,
    partition: Partition::Day,
    key: &["business", "service", "endpoint", "customer", "labels", "name", "source", "time"],
    group: 5,
    columns,
    measures: &[("good", Measure::Sum), ("total", Measure::Sum)],
    later: &["labels"],
    reserved: &[],
};

fn columns(slice_seconds: i64) -> Vec<Field> {
    vec![
        time_field(slice_seconds),
        text("business"),
        text("service"),
        text("endpoint"),
        text("customer"),
        text("name"),
        text("source"),
        count("good"),
        count("total"),
        text("labels").with_nullable(true),
    ]
}
