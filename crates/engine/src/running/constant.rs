//! A long constant in a list of columns, which is copied for every row of a batch.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::resources_err;
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;

use crate::bounded::bytes_at;

/// Bytes up to which a constant is short, however many rows a batch has.
const SHORT: u128 = 256;

/// A constant that is refused where its copies would be too large.
#[derive(Debug, Clone)]
pub(super) struct Constant {
    literal: Literal,
    bytes: u128,
    limit: usize,
}

impl Constant {
    /// `None` if it is short.
    pub fn if_long(literal: &Literal, limit: usize) -> Option<Constant> {
        let bytes = literal.value().to_array().map_or(0, |array| bytes_at(array.as_ref(), 0));
        (bytes > SHORT).then(|| Constant { literal: literal.clone(), bytes, limit })
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.literal == other.literal
    }
}

impl Eq for Constant {}

impl Hash for Constant {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.literal.hash(state);
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.literal.fmt(f)
    }
}

impl PhysicalExpr for Constant {
    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.literal.return_field(schema)
    }

    fn data_type(&self, schema: &Schema) -> Result<datafusion::arrow::datatypes::DataType> {
        self.literal.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.literal.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let rows = batch.num_rows();
        let bytes = self.bytes.saturating_mul(rows as u128);
        if bytes > self.limit as u128 {
            return resources_err!(
                "a constant of {} MiB for each of {rows} rows would take {} MiB; with the session's limit of memory it may take \
                 {} MiB at once",
                self.bytes >> 20,
                bytes >> 20,
                self.limit >> 20
            );
        }
        self.literal.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        Vec::new()
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(self)
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.literal.fmt_sql(f)
    }
}
