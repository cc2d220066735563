//! Whose credits a statement asks for, as far as its filters say so before anything is counted.
//!
//! Filters are applied again to the rows that come out. Here they keep those who are not asked for from being worked out, so that
//! what is wrong with them concerns nobody else.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_expr::PhysicalExpr;

use crate::evaluate::{speaks_of, unqualified};

/// The columns of `credits(period)` that are known of a row before anything is counted.
pub(super) const NAMES: [&str; 3] = ["agreement", "customer", "service"];

/// Conditions on [`NAMES`].
#[derive(Debug)]
pub(super) struct Wanted {
    schema: SchemaRef,
    /// On the agreement alone.
    agreement: Option<Arc<dyn PhysicalExpr>>,
    /// All of them.
    names: Option<Arc<dyn PhysicalExpr>>,
}

impl Wanted {
    /// Those of these filters that speak of nothing but names.
    pub fn new(session: &dyn Session, filters: &[Expr]) -> Result<Wanted> {
        let schema = Arc::new(Schema::new(NAMES.map(|name| Field::new(name, DataType::Utf8View, true)).to_vec()));
        let expression = |columns: &[&str]| {
            let own = filters.iter().filter(|filter| speaks_of(filter, columns)).cloned();
            let Some(filter) = conjunction(own) else { return Ok(None) };
            let schema = DFSchema::try_from(Arc::clone(&schema))?;
            session.create_physical_expr(unqualified(filter)?, &schema).map(Some)
        };
        let (agreement, names) = (expression(&NAMES[..1])?, expression(&NAMES)?);
        Ok(Wanted { schema, agreement, names })
    }

    /// Whether rows of an agreement may be asked for.
    pub fn agreement(&self, name: &str) -> bool {
        self.passes(self.agreement.as_ref(), [name, "", ""])
    }

    /// Whether the row of an agreement, a customer and a service is asked for.
    pub fn row(&self, names: [&str; 3]) -> bool {
        self.passes(self.names.as_ref(), names)
    }

    /// What cannot be decided may pass: the filter that is applied to the rows that come out says why it cannot.
    fn passes(&self, filter: Option<&Arc<dyn PhysicalExpr>>, names: [&str; 3]) -> bool {
        let Some(filter) = filter else { return true };
        let decide = || -> Result<bool> {
            let columns = names.map(|name| Arc::new(StringViewArray::from(vec![name])) as _);
            let row = RecordBatch::try_new(Arc::clone(&self.schema), columns.to_vec())?;
            let passed = filter.evaluate(&row)?.into_array(1)?;
            let passed = passed.as_boolean_opt();
            Ok(passed.is_none_or(|passed| passed.is_valid(0) && passed.value(0)))
        };
        decide().unwrap_or(true)
    }
}

/// Whether a row in which a column has this value may pass those of these filters that speak of this column alone.
pub(super) fn may_pass(session: &dyn Session, filters: &[Expr], column: &str, value: &str) -> Result<bool> {
    let own = filters.iter().filter(|filter| speaks_of(filter, &[column])).cloned();
    let Some(filter) = conjunction(own) else { return Ok(true) };
    let schema = Arc::new(Schema::new(vec![Field::new(column, DataType::Utf8View, true)]));
    let filter = session.create_physical_expr(unqualified(filter)?, &DFSchema::try_from(Arc::clone(&schema))?)?;
    let row = RecordBatch::try_new(schema, vec![Arc::new(StringViewArray::from(vec![value])) as _])?;
    // What cannot be decided may pass: the filter that is applied to the rows that come out says why it cannot.
    let Ok(passed) = filter.evaluate(&row).and_then(|passed| passed.into_array(1)) else { return Ok(true) };
    Ok(passed.as_boolean_opt().is_none_or(|passed| passed.is_valid(0) && passed.value(0)))
}
