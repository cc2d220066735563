//! The table `slo_days`.

use datafusion::arrow::datatypes::{DataType, Field};

use crate::partition::Partition;
use crate::schema::columns::RATIOS;
use crate::schema::columns::{count, flag, instant, number, text};
use crate::schema::description::{DERIVED, Description, Measure, Sort};
use crate::schema::types::timeline_type;

pub(crate) const TABLE: Description = Description {
    name: "slo_days",
    sort: Sort::Derived,
    kept_by_nines: Some(DERIVED),
    partition: Partition::Month,
    key: &["objective", "definition", "date"],
    group: 3,
    columns,
    measures: &[
        ("key", Measure::Same),
        ("timeline", Measure::Same),
        ("good", Measure::Same),
        ("total", Measure::Same),
        ("ratio_sum", Measure::Same),
        ("approximate", Measure::Same),
        ("ratios", Measure::Same),
        ("assumed", Measure::Same),
        ("bound_below", Measure::Same),
        ("bound_above", Measure::Same),
        ("last_data", Measure::Same),
        ("sealed", Measure::Same),
    ],
    later: &["ratios", "assumed", "bound_below", "bound_above", "last_data", "sealed"],
    reserved: &[],
};

fn columns(_: i64) -> Vec<Field> {
    vec![
        text("objective"),
        text("definition"),
        Field::new("date", DataType::Date32, false),
        count("key"),
        Field::new("timeline", timeline_type(), true),
        count("good").with_nullable(true),
        count("total").with_nullable(true),
        number("ratio_sum").with_nullable(true),
        flag("approximate"),
        Field::new("ratios", DataType::Decimal128(RATIOS.0, RATIOS.1), true),
        count("assumed").with_nullable(true),
        count("bound_below").with_nullable(true),
        count("bound_above").with_nullable(true),
        instant("last_data").with_nullable(true),
        flag("sealed").with_nullable(true),
    ]
}
