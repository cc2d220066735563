//! The columns of every table.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;

use super::types::{counts_le_type, histogram_type, text_list_type, time_field, time_type, timeline_type};
use super::{MONEY, RATIOS, TableKind};

impl TableKind {
    /// What stands in a column that a writer leaves out, `None` where a row is nothing without it. NULL is the
    /// default of a nullable column.
    pub fn default_of(self, column: &str) -> Option<ScalarValue> {
        let schema = self.stored_schema(1);
        let field = schema.field_with_name(column).ok()?;
        match (column, field.data_type()) {
            _ if field.is_nullable() => ScalarValue::try_from(field.data_type()).ok(),
            ("id" | "period" | "category" | "currency", _) => None,
            (_, DataType::Utf8View) => Some(ScalarValue::Utf8View(Some(String::new()))),
            (_, DataType::Boolean) => Some(ScalarValue::Boolean(Some(false))),
            ("status", _) => Some(ScalarValue::Int32(Some(0))),
            ("voucher_amount", _) => Some(ScalarValue::Decimal128(Some(0), MONEY.0, MONEY.1)),
            _ => None,
        }
    }

    /// The table's columns as SQL sees them, for a store of this slice width.
    pub fn schema(self, slice_seconds: i64) -> SchemaRef {
        let stored = self.stored_schema(slice_seconds);
        let shown = stored.fields().iter().filter(|field| !self.reserved().contains(&field.name().as_str()));
        Arc::new(Schema::new(shown.cloned().collect::<Vec<_>>()))
    }

    /// All columns that the store holds: those of [`schema`](Self::schema) first, then the [`reserved`](Self::reserved) ones.
    pub fn stored_schema(self, slice_seconds: i64) -> SchemaRef {
        let text = |name: &str| Field::new(name, DataType::Utf8View, false);
        let count = |name: &str| Field::new(name, DataType::Int64, false);
        let number = |name: &str| Field::new(name, DataType::Float64, false);
        let instant = |name: &str| Field::new(name, time_type(), false);
        let flag = |name: &str| Field::new(name, DataType::Boolean, false);
        let money = |name: &str| Field::new(name, DataType::Decimal128(MONEY.0, MONEY.1), false);
        let fields = match self {
            TableKind::Requests => vec![
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
            ],
            TableKind::Events => vec![
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
            ],
            TableKind::Gauges => vec![
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
            ],
            TableKind::Incidents => vec![
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
            ],
            TableKind::Exclusions => vec![
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
            ],
            TableKind::Fees => vec![
                text("period"),
                text("customer"),
                text("service"),
                text("currency"),
                money("amount"),
                money("voucher_amount"),
                instant("active_from").with_nullable(true),
                instant("active_until").with_nullable(true),
                text("span").with_nullable(true),
                text("plan").with_nullable(true),
                flag("withdrawn").with_nullable(true),
            ],
            TableKind::Annotations => vec![instant("time"), text("service"), text("kind"), text("text"), text("link")],
            TableKind::Definitions => vec![
                text("kind"),
                text("name"),
                instant("effective_from"),
                text("text"),
                text("sha256"),
                instant("applied_at"),
            ],
            TableKind::SloDays => vec![
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
            ],
            TableKind::SloFacts => {
                vec![
                    text("fact"),
                    text("subject"),
                    text("period"),
                    count("key"),
                    count("value").with_nullable(true),
                    text("text"),
                ]
            }
            TableKind::Statements => vec![
                text("agreement"),
                text("customer"),
                text("service"),
                text("period"),
                count("revision"),
                instant("issued_at"),
                flag("complete"),
                text("availability_exact"),
                money("amount").with_nullable(true),
                text("currency"),
                text("text"),
                text("sha256"),
                count("rules").with_nullable(true),
                text("status").with_nullable(true),
                text("number").with_nullable(true),
                text("side").with_nullable(true),
                text("signature").with_nullable(true),
            ],
        };
        Arc::new(Schema::new(fields))
    }
}
