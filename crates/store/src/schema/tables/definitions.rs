//! The table `definitions`.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{count, instant, text};
use crate::schema::description::{Description, Measure, Sort};

pub(crate) const TABLE: Description = Description {
    name: "definitions",
    sort: Sort::Record,
    kept_by_nines: Some("record definitions with: nines apply FILE"),
    partition: Partition::None,
    key: &["kind", "name", "effective_from"],
    group: 3,
    columns,
    measures: &[
        ("text", Measure::Same),
        ("sha256", Measure::Same),
        ("applied_at", Measure::Same),
        ("rules", Measure::Same),
    ],
    later: &["rules"],
    reserved: &[],
};

fn columns(_: i64) -> Vec<Field> {
    vec![
        text("kind"),
        text("name"),
        instant("effective_from"),
        text("text"),
        text("sha256"),
        instant("applied_at"),
        count("rules").with_nullable(true),
    ]
}
