//! `credits(period)` in SQL.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::plan_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{DocSection, Documentation, Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use nines_slo::Month;
use nines_store::{ByDay, TableKind};

use super::exec::CreditsExec;
use super::fees::Fees;
use super::figures;
use super::judging::{Chosen, Judging};
use super::pass::COLUMNS;
use crate::answers::Arguments;
use crate::evaluate::{DAY, Evaluator, Read, speaks_of};
use crate::place::Place;

const NAME: &str = "credits";
const SYNTAX: &str = "credits(period)";
/// Columns of the answer that rows of `requests` have too.
const SHARED: [&str; 2] = ["customer", "service"];

/// What the function is, for the table `functions`.
pub(crate) fn documentation(name: &str) -> Option<Documentation> {
    let section = DocSection { include: true, label: "Agreements", description: None };
    let description = "What each customer is owed for a period such as '2026-10', by agreement, customer and service: a row for \
                       each that has a fee or a valid request in it. availability is in percent, rounded for print, \
                       availability_exact the fraction of 1 that decides. amount is credit_percent of fee_base, rounded once, \
                       half to even, at the currency's minor unit; NULL without a fee. complete says whether all of the \
                       judged time, [started, ended), is stored. availability_best and _worst are the bounds where nothing was \
                       counted: at best no failure was missed, at worst every slice without a request was an outage.";
    let documentation = Documentation::builder(section, description, SYNTAX).with_sql_example(
        "SELECT agreement, customer, service, availability, amount, currency FROM credits('2026-10')",
    );
    (name == NAME).then(|| documentation.build())
}

/// Makes the function known to a session.
pub(crate) fn register(context: &SessionContext, place: &Arc<Place>, read: &Arc<Read>, zone: &str) {
    let (place, read, zone) = (Arc::clone(place), Arc::clone(read), zone.into());
    context.register_udtf(NAME, Arc::new(Function { place, read, zone }));
}

#[derive(Debug)]
struct Function {
    place: Arc<Place>,
    read: Arc<Read>,
    zone: Arc<str>,
}

impl TableFunctionImpl for Function {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments { function: NAME, syntax: SYNTAX, given: args.exprs(), zone: &self.zone };
        arguments.check(1..=1)?;
        let period = arguments.text(0, "period")?.unwrap_or_default();
        let month: Month = period.parse().map_err(|reason| plan_datafusion_err!("{NAME}: {reason}"))?;
        let (place, read, zone) = (Arc::clone(&self.place), Arc::clone(&self.read), Arc::clone(&self.zone));
        Ok(Arc::new(Credits { month, place, read, zone }))
    }
}

/// The credits of a period as a table.
#[derive(Debug)]
struct Credits {
    month: Month,
    place: Arc<Place>,
    read: Arc<Read>,
    zone: Arc<str>,
}

#[async_trait]
impl TableProvider for Credits {
    fn schema(&self) -> SchemaRef {
        figures::schema(&self.zone)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    /// Whose rows are not read has no credit; filters are applied again to what comes out.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match speaks_of(filter, &SHARED) {
            true => TableProviderFilterPushDown::Inexact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let evaluator = Evaluator::new(session, &self.place, &self.read).await?;
        let filters: Vec<Expr> = filters.iter().filter(|filter| speaks_of(filter, &SHARED)).cloned().collect();
        Ok(Arc::new(plan(evaluator, self.month, Chosen::default(), &filters, projection.cloned(), &self.zone).await?))
    }
}

/// Plans the credits of a period: reads the small tables, and which rows of `requests` are needed.
pub(super) async fn plan(
    evaluator: Evaluator<'_>,
    month: Month,
    chosen: Chosen,
    filters: &[Expr],
    projection: Option<Vec<usize>>,
    zone: &Arc<str>,
) -> Result<CreditsExec> {
    let fees = Fees::new(&evaluator.rows(TableKind::Fees, None, &[]).await?)?;
    let inputs = Arc::clone(evaluator.inputs(TableKind::Requests)?);
    let judging = Judging {
        month,
        chosen,
        definitions: Arc::clone(&evaluator.definitions),
        fees,
        exclusions: evaluator.exclusions.clone(),
        lost: evaluator.incidents.iter().filter(|incident| incident.telemetry_lost).cloned().collect(),
        watermark: inputs.watermark,
        slot: evaluator.slot,
    };
    judging.check_begun(evaluator.now)?;
    let scan = match (&inputs.snapshot, judging.reads()?) {
        (Some(snapshot), Some((reads, services))) => {
            let (first, last) = (reads.start.div_euclid(DAY) as i32, (reads.end - 1).div_euclid(DAY) as i32);
            let days: Vec<i32> = inputs.days_in(first..=last).collect();
            let mut conditions = filters.to_vec();
            if !services.is_empty() {
                conditions.push(col("service").in_list(services.into_iter().map(lit).collect(), false));
            }
            if let Some(customer) = &judging.chosen.customer {
                conditions.push(col("customer").eq(lit(customer.as_str())));
            }
            let mut decided = Vec::new();
            for condition in conditions {
                if snapshot.filters_by_day(evaluator.session, &condition)? {
                    decided.push(condition);
                }
            }
            let partitions = evaluator.session.config().target_partitions();
            let by_day = ByDay { days: &days, columns: &COLUMNS, filter: conjunction(decided), partitions, lead_in: 0 };
            match days.is_empty() {
                true => None,
                false => Some(snapshot.scan_by_day(evaluator.session, &by_day)?.plan),
            }
        }
        _ => None,
    };
    CreditsExec::new(judging, scan, projection, zone)
}
