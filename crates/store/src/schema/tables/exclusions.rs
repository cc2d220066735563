//! The table `exclusions`.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{flag, instant, text};
use crate::schema::description::{Description, Measure, Sort};

pub(crate) const TABLE: Description = Description {
    name: "exclusions",
    sort: Sort::Record,
    kept_by_nines: None,
    partition: Partition::None,
    key: &["id"],
    group: 1,
    columns,
    measures: &[
        ("business", Measure::Same),
        ("service", Measure::Same),
        ("customer", Measure::Same),
        ("category", Measure::Same),
        ("started", Measure::Same),
        ("ended", Measure::Same),
        ("reason", Measure::Same),
        ("announced", Measure::Same),
        ("withdrawn", Measure::Same),
        ("every", Measure::Same),
        ("time_zone", Measure::Same),
        ("until", Measure::Same),
    ],
    later: &["every", "time_zone", "until"],
    reserved: &[],
};

fn columns(_: i64) -> Vec<Field> {
    vec![
        text("id"),
        text("business"),
        text("service"),
        text("customer"),
        text("category"),
        instant("started"),
        instant("ended"),
        text("reason"),
        instant("announced").with_nullable(true),
        flag("withdrawn"),
        // What recurs: the rule of its dates, whose clock it goes by, and before which instant occurrences start.
        text("every").with_nullable(true),
        text("time_zone").with_nullable(true),
        instant("until").with_nullable(true),
    ]
}
