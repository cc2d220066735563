//! The table `gauges`.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{count, number, text};
use crate::schema::description::{Description, Measure, Sort};
use crate::schema::types::time_field;

pub(crate) const TABLE: Description = Description {
    name: "gauges",
    sort: Sort::Series,
    kept_by_nines: None,
    partition: Partition::Day,
    key: &["business", "service", "endpoint", "labels", "name", "source", "time"],
    group: 4,
    columns,
    measures: &[
        ("samples", Measure::Sum),
        ("sum", Measure::Total),
        ("min", Measure::Min),
        ("max", Measure::Max),
        ("last", Measure::Last),
    ],
    later: &["labels"],
    reserved: &[],
};

fn columns(slice_seconds: i64) -> Vec<Field> {
    vec![
        time_field(slice_seconds),
        text("business"),
        text("service"),
        text("endpoint"),
        text("name"),
        text("source"),
        count("samples"),
        number("sum"),
        number("min"),
        number("max"),
        number("last"),
        text("labels").with_nullable(true),
    ]
}
