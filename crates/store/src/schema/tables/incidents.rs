//! The table `incidents`.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{flag, instant, text};
use crate::schema::description::{Description, Measure, Sort};
use crate::schema::types::text_list_type;

pub(crate) const TABLE: Description = Description {
    name: "incidents",
    sort: Sort::Record,
    kept_by_nines: None,
    partition: Partition::None,
    key: &["id"],
    group: 1,
    columns,
    measures: &[
        ("business", Measure::Same),
        ("service", Measure::Same),
        ("title", Measure::Same),
        ("severity", Measure::Same),
        ("started", Measure::Same),
        ("detected", Measure::Same),
        ("located", Measure::Same),
        ("fixed", Measure::Same),
        ("verified", Measure::Same),
        ("telemetry_lost", Measure::Same),
        ("link", Measure::Same),
        ("withdrawn", Measure::Same),
        ("services", Measure::Same),
    ],
    later: &["services"],
    reserved: &["services"],
};

fn columns(_: i64) -> Vec<Field> {
    vec![
        text("id"),
        text("business"),
        text("service"),
        text("title"),
        text("severity"),
        instant("started"),
        instant("detected").with_nullable(true),
        instant("located").with_nullable(true),
        instant("fixed").with_nullable(true),
        instant("verified").with_nullable(true),
        flag("telemetry_lost"),
        text("link"),
        flag("withdrawn"),
        Field::new("services", text_list_type(), true),
    ]
}
