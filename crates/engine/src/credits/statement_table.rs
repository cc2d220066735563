//! `credit_statements(period)` in SQL.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{DocSection, Documentation};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use nines_slo::Month;
use nines_store::TableKind;

use super::exported::{self, Asked, READ, STATUS, exported};
use super::period_terms::Chosen;
use super::table::{PERIOD, month_of};
use super::wanted::NAMES;
use crate::EngineError;
use crate::answers::Arguments;
use crate::answers::signature::Signature;
use crate::call_table::{CallTable, Called, given};
use crate::deferred::{DeferredExec, Planner};
use crate::evaluate::{Evaluator, Read, View};
use crate::location::StoreLocation;
use crate::table_call::TableCall;

pub(super) const NAME: &str = "credit_statements";
/// What the function takes.
pub(super) const SIGNATURE: Signature = Signature { function: NAME, parameters: &[PERIOD] };

/// What the function is, for the table `functions`.
pub(super) fn documentation(name: &str) -> Option<Documentation> {
    let section = DocSection { include: true, label: "Agreements", description: None };
    let description = "The statements of a period such as '2026-10' or 'last month' (of the session's time zone), a row for each, for \
                       accounting. status is 'issued', 'superseded' (a later revision was issued), 'draft' (it waits for approval, \
                       issued_at is NULL), or 'waiting' (worked out and complete, and there is no fee yet: nothing is issued, so revision, number, issued_at, amounts and sha256 \
                       are NULL). [period_start, period_end) is what is judged, claim_by the time before which the credit must be \
                       claimed, time_zone the agreement's. side is 'owed' where the issuer owes the credit, 'claimed' where the \
                       issuer claims it. number is the issuer's. availability is in percent, rounded for print, \
                       availability_exact the fraction of 1 that decided. With a condition on status that leaves 'waiting' out, \
                       no requests are read.";
    let documentation = Documentation::builder(section, description, SIGNATURE.to_string()).with_sql_example(
        "SELECT customer, service, revision, amount, currency FROM credit_statements('2026-10') WHERE status = 'issued'",
    );
    (name == NAME).then(|| documentation.build())
}

/// Makes the function known to a session.
pub(super) fn register(context: &SessionContext, place: &Arc<StoreLocation>, read: &Arc<Read>) {
    let (place, read) = (Arc::clone(place), Arc::clone(read));
    context.register_udtf(NAME, Arc::new(Function { place, read }));
}

#[derive(Debug)]
struct Function {
    place: Arc<StoreLocation>,
    read: Arc<Read>,
}

impl TableFunctionImpl for Function {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of(SIGNATURE, &args)?;
        let (month, at) = (arguments.month(PERIOD.name)?, arguments.at);
        let called = StatementsOf { month, zone: arguments.zone() };
        let (place, read) = (Arc::clone(&self.place), Arc::clone(&self.read));
        Ok(Arc::new(CallTable { name: NAME, given: given(&args)?, at, called, place, read }))
    }
}

/// The statements of a period as a table.
#[derive(Debug)]
struct StatementsOf {
    month: Month,
    /// In which times are shown.
    zone: Arc<str>,
}

impl Called for StatementsOf {
    fn schema(&self) -> SchemaRef {
        exported::schema(&self.zone)
    }

    fn choosing(&self) -> Vec<&str> {
        NAMES.into_iter().chain([STATUS]).collect()
    }

    fn beside(&self) -> &[TableKind] {
        &READ
    }

    fn planned(&self, call: TableCall, view: View) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(deferred(call, self.month, view)?))
    }
}

/// The operators of a call that another process has planned.
pub(super) fn planned(call: TableCall, view: View) -> Result<DeferredExec> {
    let month = month_of(&call, SIGNATURE)?;
    deferred(call, month, view)
}

fn deferred(call: TableCall, month: Month, view: View) -> Result<DeferredExec> {
    let zone: Arc<str> = call.at.zone.name().into();
    let schema = match &call.projection {
        Some(columns) => Arc::new(exported::schema(&zone).project(columns)?),
        None => exported::schema(&zone),
    };
    let (call, view) = (Arc::new(call), Arc::new(view));
    let (seen, wanted) = (Arc::clone(&view), Arc::clone(&call));
    let planner: Planner = Arc::new(move |context| {
        let (view, call, zone) = (Arc::clone(&seen), Arc::clone(&wanted), Arc::clone(&zone));
        Box::pin(async move {
            let evaluation = view.evaluation.within(&context);
            let evaluator = Evaluator::new(&evaluation, &view.place, &view.read).await?;
            let asked = Asked { month, chosen: &Chosen::default(), filters: &call.filters, zone: &zone };
            let found = exported(&evaluation, &evaluator, &asked).await.map_err(|error| match error {
                EngineError::Sql(error) => error,
                other => DataFusionError::External(Box::new(other)),
            })?;
            if let (Some(why), Some(store)) = (found.unknown, &evaluator.store) {
                store.notice(format!("what waits for a fee in {month} is not known, or not all of it: {why}"));
            }
            let rows = MemTable::try_new(found.rows.schema(), vec![vec![found.rows]])?;
            rows.scan(evaluation.state(), call.projection.as_ref(), &call.filters, call.limit).await
        })
    });
    Ok(DeferredExec::new(call, view, schema, planner))
}
