//! `credit_statements(period)` in SQL.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::exec_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlan;
use nines_slo::PeriodName;
use nines_store::TableKind;

use super::exported::{self, Asked, READ, STATUS, exported};
use super::naming::refused;
use super::period_terms::Chosen;
use super::table::PERIOD;
use super::wanted::NAMES;
use crate::EngineError;
use crate::answers::{Arguments, Signature};
use crate::deferred_function::{DeferredFunction, rows};
use crate::evaluate::{Evaluation, Evaluator};
use crate::table_call::TableCall;

/// The statements of a period.
#[derive(Debug, Clone)]
pub(crate) struct StatementsOf(PeriodName);

#[async_trait]
impl DeferredFunction for StatementsOf {
    const SIGNATURE: Signature = Signature { function: "credit_statements", parameters: &[PERIOD] };
    const DOCUMENTATION: [&'static str; 3] = [
        "Agreements",
        "The statements of a period such as '2026-10', 'last month' (of the session's time zone) or '2026-10-05' (the first day of a period of days), a row for each, for \
                       accounting. status is 'issued', 'superseded' (a later revision was issued), 'draft' (it waits for approval, \
                       issued_at is NULL), or 'waiting' (worked out and complete, and there is no fee yet: nothing is issued, so revision, number, issued_at, amounts and sha256 \
                       are NULL). [period_start, period_end) is what is judged, claim_by the time before which the credit must be \
                       claimed, time_zone the agreement's. side is 'owed' where the issuer owes the credit, 'claimed' where the \
                       issuer claims it. number is the issuer's. availability is in percent, rounded for print, \
                       availability_exact the fraction of 1 that decided. With a condition on status that leaves 'waiting' out, \
                       no requests are read.",
        "SELECT customer, service, revision, amount, currency FROM credit_statements('2026-10') WHERE status = 'issued'",
    ];
    const CHOOSING: &'static [&'static str] = &[NAMES[0], NAMES[1], NAMES[2], STATUS];
    const BESIDE: &'static [TableKind] = &READ;

    fn of(arguments: &Arguments<'_>) -> Result<Self> {
        arguments.period(PERIOD.name).map(StatementsOf)
    }

    fn schema(zone: &str) -> SchemaRef {
        exported::schema(zone)
    }

    async fn plan(
        &self,
        evaluation: &Evaluation,
        evaluator: &Evaluator<'_>,
        call: &TableCall,
        zone: &Arc<str>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let StatementsOf(period) = *self;
        let asked = Asked { period, chosen: &Chosen::default(), filters: &call.filters, zone };
        let found = exported(evaluation, evaluator, &asked).await.map_err(|error| match error {
            EngineError::Sql(error) => error,
            other => DataFusionError::External(Box::new(other)),
        })?;
        if found.rows.num_rows() == 0
            && let (PeriodName::Day(_), Some(why)) = (period, refused(period, evaluator.definitions.agreements.iter()))
        {
            return exec_err!("{why}");
        }
        if let (Some(why), Some(store)) = (found.unknown, &evaluator.store) {
            store.notice(format!("what waits for a fee in {period} is not known, or not all of it: {why}"));
        }
        rows(found.rows, evaluation, call).await
    }
}
