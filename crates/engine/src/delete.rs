//! Rows that are removed on purpose: which ones SQL says, and whether something was issued from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::DateTime;
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlan, cast};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use nines_slo::{IssuedStatement as Issued, Month};
use nines_store::{Condemned, Deleted, Deletion, TableKind};

use crate::credits::{Chosen, rows_behind};
use crate::{EngineError, Result, Session, times};

/// The longest time before an outage from which an agreement may estimate, and a day for its zone, in µs.
const LOOKBACK: i64 = 367 * 86_400_000_000;

/// How far the rows behind a statement may lie after the last month of its name, in µs: 31 days where periods begin on a day within a
/// month, and a day in which a run of bad slices is followed.
const FOLLOWED: i64 = 32 * 86_400_000_000;

/// Which rows to delete.
#[derive(Debug, Clone, Default)]
pub struct Deleting {
    /// A condition over the columns of the table, as behind WHERE.
    pub condition: String,
    /// Why, for whoever reads the log.
    pub reason: String,
    /// Whether nothing is done but to count.
    pub dry_run: bool,
    /// Whether rows go from which a statement was issued.
    pub issued: bool,
}

impl Session {
    /// Deletes rows of a table of slices. Rows from which statements were issued are refused, unless it is said that they shall go.
    pub async fn delete(&self, table: TableKind, how: &Deleting) -> Result<Deleted> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("there is no store to delete from".to_string()));
        };
        if !table.is_series() {
            let name = table.name();
            return Err(EngineError::Usage(format!(
                "rows of {name} are not deleted: a record is withdrawn or said anew"
            )));
        }
        let condition = self.condition(table, &how.condition).await?;
        if !how.issued {
            self.not_issued(table, &how.condition).await?;
        }
        let mut deletion = Deletion::default();
        deletion.dry_run = how.dry_run;
        deletion.told = vec![("predicate", how.condition.clone()), ("reason", how.reason.clone())];
        Ok(store.table(table).delete(&Condemned::Rows(condition), &deletion, self.task()).await?)
    }

    /// A condition over the stored columns of a table, as the session reads it.
    async fn condition(&self, table: TableKind, condition: &str) -> Result<Arc<dyn PhysicalExpr>> {
        let strange = || {
            EngineError::Usage(format!(
                "expected one condition over the columns of {}, as behind WHERE, and got: {condition}",
                table.name()
            ))
        };
        let [statement] = self
            .parse(&format!("SELECT * FROM {} WHERE {condition}", table.name()))?
            .try_into()
            .map_err(|_| strange())?;
        let plan = self.analyzed(&statement).await?;
        let LogicalPlan::Projection(projection) = plan else { return Err(strange()) };
        let LogicalPlan::Filter(filter) = projection.input.as_ref() else { return Err(strange()) };
        let LogicalPlan::TableScan(_) = filter.input.as_ref() else { return Err(strange()) };
        let store = self.store().map_or(nines_store::DEFAULT_SLICE_SECONDS, |store| store.slice_seconds());
        let schema = DFSchema::try_from(table.stored_schema(store).as_ref().clone())?;
        if has_query(&filter.predicate)? {
            return Err(EngineError::Usage(format!(
                "a condition for deleting may not hold a query: look the values up first, and name them ({condition})"
            )));
        }
        // Instants are shown in the session's zone and stored in UTC.
        let zone: Arc<str> = self.time_zone().name().into();
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some(zone));
        if filter.predicate.is_volatile() {
            return Err(EngineError::Usage(format!(
                "a condition for deleting must say the same of a row each time it is asked, and this does not: {condition}"
            )));
        }
        let predicate = filter.predicate.clone().transform(|expr| match expr {
            Expr::Column(column) => {
                let name = column.name;
                let stored = table.stored_schema(store);
                let is_instant =
                    matches!(stored.field_with_name(&name).map(|f| f.data_type()), Ok(DataType::Timestamp(..)));
                let column = datafusion::logical_expr::ident(&name);
                Ok(Transformed::yes(if is_instant { cast(column, instant.clone()) } else { column }))
            }
            other => Ok(Transformed::no(other)),
        })?;
        let state = self.context().state();
        let now = SimplifyContext::builder()
            .with_schema(Arc::new(schema.clone()))
            .with_config_options(Arc::clone(state.config_options()))
            .with_query_execution_start_time(DateTime::from_timestamp_micros(self.now()))
            .build();
        let predicate = ExprSimplifier::new(now).simplify(predicate.data)?;
        Ok(state.create_physical_expr(predicate, &schema)?)
    }

    /// Refuses rows from which a statement was issued.
    async fn not_issued(&self, table: TableKind, condition: &str) -> Result<()> {
        // Of other tables nobody is judged by its own rows. The type is that of the column.
        let customer = if table == TableKind::Requests { "customer" } else { "arrow_cast('', 'Utf8View')" };
        let rows = self
            .sql(&format!(
                "SELECT service, {customer}, min(time), max(time) FROM {} WHERE {condition} GROUP BY 1, 2, \
                 date_trunc('day', time)",
                table.name()
            ))
            .await?;
        // Day by day: what lies between two of them stays.
        let mut meant: BTreeMap<(String, String), Vec<(i64, i64)>> = BTreeMap::new();
        for batch in &rows {
            let (service, customer) = (batch.column(0).as_string_view(), batch.column(1).as_string_view());
            let (first, last) = (
                batch.column(2).as_primitive::<TimestampMicrosecondType>(),
                batch.column(3).as_primitive::<TimestampMicrosecondType>(),
            );
            for row in (0..batch.num_rows()).filter(|&row| first.is_valid(row)) {
                let of = (service.value(row).to_string(), customer.value(row).to_string());
                meant.entry(of).or_default().push((first.value(row), last.value(row)));
            }
        }
        let Some(range) = meant.values().flatten().copied().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return Ok(());
        };
        let issued = self.issued_over(range).await?;
        let definitions = self.definitions().await?;
        let touched = issued.iter().find(|(statement, from, to)| {
            let behind = rows_behind(statement, &definitions);
            behind.iter().filter(|rows| rows.table == table).any(|rows| {
                let is_meant = |customer: &str| !rows.of_customer || customer == statement.customer;
                let of = meant.iter().filter(|((service, customer), _)| *service == rows.service && is_meant(customer));
                of.flat_map(|(_, days)| days).any(|(first, last)| first < to && *last >= from - rows.lead_in)
            })
        });
        match touched {
            None => Ok(()),
            Some((statement, ..)) => Err(EngineError::Usage(format!(
                "a statement was issued from some of these rows: {} for '{}', {}, {}. Nothing was deleted. If they shall go all the \
                 same: --even-issued; the statement stays, with its evidence",
                statement.agreement, statement.customer, statement.service, statement.period
            ))),
        }
    }

    /// The statements, last revisions or not, that rows of a range of instants in µs may have decided, with the ends of what did.
    pub(crate) async fn issued_over(&self, (first, last): (i64, i64)) -> Result<Vec<(Issued, i64, i64)>> {
        // Later periods follow from days before them, by estimates and limits; runs of bad slices are followed beyond earlier ones.
        let mut months = Month::touching(first.saturating_sub(FOLLOWED), last.saturating_add(LOOKBACK));
        let Some(from) = months.next() else { return Ok(Vec::new()) };
        let statements = self.statements_of(from..=months.last().unwrap_or(from), &Chosen::default()).await?;
        let reads = statements.into_iter().filter_map(|statement| {
            let reads = statement.reads().ok()?;
            Some((statement, reads.start, reads.end))
        });
        Ok(reads.filter(|(_, start, end)| start.saturating_sub(LOOKBACK) <= last && first < *end).collect())
    }
}

fn has_query(condition: &Expr) -> Result<bool> {
    let is_query = |expr: &Expr| {
        matches!(expr, Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_) | Expr::SetComparison(_))
    };
    Ok(condition.exists(|expr| Ok(is_query(expr)))?)
}

impl Session {
    /// Plans a statement without running it, as far as types are checked.
    async fn analyzed(&self, statement: &crate::Statement) -> Result<LogicalPlan> {
        let mut statement = statement.0.clone();
        times::written(&mut statement);
        let state = self.context().state();
        let plan = state.statement_to_plan(statement).await?;
        Ok(state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {})?)
    }
}
