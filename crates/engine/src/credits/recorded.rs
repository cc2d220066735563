//! Statements and drafts as they are read from a version of their tables.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{exec_datafusion_err, internal_datafusion_err};
use datafusion::logical_expr::{Expr, col, lit, not};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use nines_slo::{IssuedStatement, Month, Period, PeriodName};
use nines_store::Snapshot;

use super::name::{Name, name};
use super::period_terms::Chosen;
use crate::Result;
use crate::evaluate::texts;

/// Months of the longest period of months.
const LONGEST: u32 = 12;

/// Periods whose statements are read.
#[derive(Debug, Clone)]
pub(super) enum Periods {
    /// The one of this name.
    Named(PeriodName),
    /// All that lie in these months, or reach into them.
    In(RangeInclusive<Month>),
}

impl Periods {
    /// Which names are those of such periods, at least: names are ordered as their texts.
    fn names(&self) -> Expr {
        // A period of months lies within a year, and is named by its first month, so that the others need not be read.
        let first = |month: Month| lit(month.first_of(LONGEST).to_string());
        let period = || col("period");
        match self {
            Periods::Named(PeriodName::Month(month)) => period().between(first(*month), lit(month.to_string())),
            Periods::Named(day) => period().eq(lit(day.to_string())),
            Periods::In(months) => {
                // One of days may have begun a year before.
                let (first, end) = (first(months.start().minus(LONGEST)), months.end().plus(1).to_string());
                period().gt_eq(first).and(period().lt(lit(end)))
            }
        }
    }

    fn contain(&self, period: &Period) -> bool {
        match self {
            Periods::Named(name) => period.has_name(*name),
            Periods::In(months) => {
                let own = period.fee_months();
                own.start <= *months.end() && *months.start() < own.end
            }
        }
    }
}

/// Statements that were issued.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    /// Those of the period, by agreement, customer, service and revision.
    pub statements: Vec<IssuedStatement>,
    /// The keys of those whose period is named like it could be: agreement, customer, service and period, with the revision.
    pub keys: HashSet<([String; 4], i64)>,
    /// The version of the table.
    pub version: u64,
}

impl Recorded {
    /// What may not be recorded, because another statement has its key already.
    pub fn taken<'s>(&self, new: &'s [IssuedStatement]) -> Option<&'s IssuedStatement> {
        let of =
            |s: &IssuedStatement| [s.agreement.clone(), s.customer.clone(), s.service.clone(), s.period.to_string()];
        new.iter().find(|statement| self.keys.contains(&(of(statement), statement.revision.into())))
    }
}

/// Of drafts those that were not withdrawn.
pub(super) fn not_withdrawn() -> Expr {
    not(col("withdrawn"))
}

/// The statements of some periods in a version of their table, or the drafts in one of theirs, for which these conditions hold.
pub(super) async fn recorded_in(
    snapshot: Snapshot,
    context: &SessionContext,
    periods: Periods,
    chosen: &Chosen,
    conditions: &[Expr],
) -> Result<Recorded> {
    let mut found = Recorded { version: snapshot.version().unwrap_or_default(), ..Recorded::default() };
    let mut rows = context.read_table(Arc::new(nines_store::Provider::pinned(snapshot)))?.filter(periods.names())?;
    let one = [("agreement", &chosen.agreement), ("customer", &chosen.customer)];
    for (column, value) in one.into_iter().filter_map(|(column, value)| Some((column, value.as_ref()?))) {
        rows = rows.filter(col(column).eq(lit(value.as_str())))?;
    }
    for condition in conditions {
        rows = rows.filter(condition.clone())?;
    }
    let mut rows = rows.execute_stream().await?;
    while let Some(batch) = rows.next().await {
        read(&batch?, &periods, &mut found)?;
    }
    found.statements.retain(|statement| chosen.has(&statement.agreement));
    let key = |s: &IssuedStatement| (s.agreement.clone(), s.customer.clone(), s.service.clone(), s.period, s.revision);
    found.statements.sort_by_cached_key(key);
    Ok(found)
}

/// Of drafts those that are open: nothing of their key was issued.
pub(super) fn open(mut drafts: Vec<IssuedStatement>, issued: &[IssuedStatement]) -> Vec<IssuedStatement> {
    let mut next: HashMap<(Name, PeriodName), u32> = HashMap::new();
    for statement in issued {
        let next = next.entry((name(statement), statement.period)).or_default();
        *next = statement.revision.max(*next);
    }
    drafts.retain(|draft| {
        let last = next.get(&(name(draft), draft.period)).copied().unwrap_or_default();
        draft.revision == last.saturating_add(1)
    });
    drafts
}

fn read(batch: &RecordBatch, periods: &Periods, found: &mut Recorded) -> Result<()> {
    let (text, sha256) = (texts(batch, "text")?, texts(batch, "sha256")?);
    let names = ["agreement", "customer", "service", "period"].map(|name| texts(batch, name));
    let [agreement, customer, service, period] = names;
    let (agreement, customer, service, period) = (agreement?, customer?, service?, period?);
    let revision = batch.column_by_name("revision").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let revision = revision.ok_or_else(|| internal_datafusion_err!("revision was not read"))?;
    // A store of earlier versions has none, and drafts are not signed.
    let signature = batch.column_by_name("signature").and_then(|column| column.as_string_view_opt());
    let signature = |row: usize| signature.filter(|column| column.is_valid(row)).map(|column| column.value(row));
    for row in 0..batch.num_rows() {
        let key = [agreement, customer, service, period].map(|column| column.value(row).to_string());
        let [agreement, customer, service, period] = &key;
        let named = || format!("of {agreement} for {service}, '{customer}', {period}");
        let mut statement = IssuedStatement::from_json(text.value(row))
            .map_err(|error| exec_datafusion_err!("the statement {} cannot be read: {error}", named()))?;
        statement.signature = signature(row).map(str::to_string);
        if statement.sha256 != sha256.value(row) {
            return Err(exec_datafusion_err!("the statement {} is not what its row says it is", named()).into());
        }
        let agreement = statement.agreement().map_err(|error| exec_datafusion_err!("{}: {error}", named()))?;
        let period = statement.covered(&agreement).map(|covered| covered.period);
        found.keys.insert((key, revision.value(row)));
        if period.is_ok_and(|period| periods.contain(&period)) {
            found.statements.push(statement);
        }
    }
    Ok(())
}
