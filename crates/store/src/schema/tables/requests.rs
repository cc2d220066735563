//! The table `requests`.

use datafusion::arrow::datatypes::{DataType, Field};

use crate::partition::Partition;
use crate::schema::columns::{count, text};
use crate::schema::description::{Description, Measure, Sort};
use crate::schema::types::{counts_le_type, histogram_type, time_field};

pub(crate) const TABLE: Description = Description {
    name: "requests",
    sort: Sort::Series,
    kept_by_nines: None,
    partition: Partition::Day,
    key: &["business", "service", "endpoint", "customer", "labels", "status", "cause", "source", "time"],
    group: 5,
    columns,
    measures: &[
        ("requests", Measure::Sum),
        ("latency_sum", Measure::Sum),
        ("latency", Measure::Histogram),
        ("latency_le", Measure::CountsLe),
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
        text("customer"),
        Field::new("status", DataType::Int32, false),
        text("cause"),
        text("source"),
        count("requests"),
        Field::new("latency_sum", DataType::Float64, true),
        Field::new("latency", histogram_type(), true),
        Field::new("latency_le", counts_le_type(), true),
        text("labels").with_nullable(true),
    ]
}
