//! A call of a table function where a statement has a table: from what the statement asks of it to a [`TableCall`].
//!
//! All table functions share it. Planning reads the logs of tables and nothing else, and what is asked is wholly described, so that
//! another process can plan it again.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableFunctionArgs, TableProvider};
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use nines_slo::moment::Moment;
use nines_store::TableKind;

use crate::evaluate::{Read, View, pushed_down};
use crate::location::StoreLocation;
use crate::statement::Pins;
use crate::table_call::TableCall;

/// What stands behind a [`CallTable`].
pub(crate) trait Called: fmt::Debug + Send + Sync + 'static {
    fn schema(&self) -> SchemaRef;

    /// The columns by whose filters is chosen what is worked out. Filters are applied again to what comes out.
    fn choosing(&self) -> Vec<&str>;

    /// The tables that it reads and an evaluation does not.
    fn beside(&self) -> &[TableKind] {
        &[]
    }

    /// The operators of a call.
    fn planned(&self, call: TableCall, view: View) -> Result<Arc<dyn ExecutionPlan>>;
}

/// What is called, as a table.
#[derive(Debug)]
pub(crate) struct CallTable<C> {
    /// Of the function.
    pub name: &'static str,
    /// The arguments.
    pub given: Vec<ScalarValue>,
    /// What time it is for the statement, and the session's time zone.
    pub at: Moment,
    pub called: C,
    pub place: Arc<StoreLocation>,
    pub read: Arc<Read>,
}

#[async_trait]
impl<C: Called> TableProvider for CallTable<C> {
    fn schema(&self) -> SchemaRef {
        self.called.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(pushed_down(filters, &self.called.choosing()))
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let view = View::of(session, &self.place, &self.read).await?;
        let pins = Pins::of(session)?;
        for kind in self.called.beside() {
            let table = self.place.store().map(|store| store.table(*kind));
            pins.snapshot(*kind, table.as_ref()).await?;
        }
        let call = TableCall {
            name: self.name.to_string(),
            given: self.given.clone(),
            at: self.at,
            projection: projection.cloned(),
            filters: filters.to_vec(),
            limit,
        };
        self.called.planned(call, view)
    }
}

/// The arguments of a call of a table function.
pub(crate) fn given(args: &TableFunctionArgs<'_, '_>) -> Result<Vec<ScalarValue>> {
    let constant = |argument: &Expr| match argument {
        Expr::Literal(value, _) => Ok(value.clone()),
        other => internal_err!("{other} is no constant"),
    };
    args.exprs().iter().map(constant).collect()
}
