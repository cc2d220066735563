//! The table `annotations`.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;
use crate::schema::columns::{instant, text};
use crate::schema::description::{Description, Measure, Sort};

pub(crate) const TABLE: Description = Description {
    name: "annotations",
    sort: Sort::Record,
    kept_by_nines: None,
    partition: Partition::None,
    key: &["time", "service", "kind", "text"],
    group: 4,
    columns,
    measures: &[("link", Measure::Same)],
    later: &[],
    reserved: &[],
};

fn columns(_: i64) -> Vec<Field> {
    vec![instant("time"), text("service"), text("kind"), text("text"), text("link")]
}
