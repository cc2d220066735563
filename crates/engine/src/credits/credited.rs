//! What was credited for earlier periods of a year, where an agreement limits what a year's credits come to.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Decimal128Type, Int64Type};
use datafusion::common::{exec_datafusion_err, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::{col, lit};
use nines_slo::{Credited, PeriodName};
use nines_store::TableKind;

use super::name::Name;
use crate::evaluate::{Evaluator, texts};

/// By agreement, customer and service what the last revisions of statements credit, by period.
#[derive(Debug, Default)]
pub(super) struct CreditedBefore(HashMap<Name, Vec<Credited>>);

impl CreditedBefore {
    /// What was issued for periods that began in the calendar year of this one, and not after it.
    pub async fn read(evaluator: &Evaluator<'_>, last: PeriodName) -> Result<CreditedBefore> {
        let first = PeriodName::Month(last.month().first_of(12));
        let periods = col("period").between(lit(first.to_string()), lit(last.to_string()));
        let mut revisions: HashMap<(Name, PeriodName), (i64, Option<Credited>)> = HashMap::new();
        for batch in evaluator.rows(TableKind::Statements, None, &[periods]).await? {
            for (key, revision, credited) in rows(&batch)? {
                // What is filtered may hold more than was asked for.
                if (first..=last).contains(&key.1) {
                    let known = revisions.entry(key).or_insert((revision, None));
                    if revision >= known.0 {
                        *known = (revision, credited);
                    }
                }
            }
        }
        let mut found: HashMap<Name, Vec<Credited>> = HashMap::new();
        for ((name, _), (_, credited)) in revisions {
            found.entry(name).or_default().extend(credited);
        }
        found.values_mut().for_each(|credited| credited.sort());
        Ok(CreditedBefore(found))
    }

    /// What was credited before a period.
    pub fn of(&self, name: &Name, period: PeriodName) -> Vec<Credited> {
        let of_year = self.0.get(name).into_iter().flatten();
        of_year.filter(|credited| credited.period < period).cloned().collect()
    }
}

type Row = ((Name, PeriodName), i64, Option<Credited>);

/// Whose each row is, its revision, and what it credits, if that is anything.
fn rows(batch: &RecordBatch) -> Result<Vec<Row>> {
    let names = ["agreement", "customer", "service"].map(|name| texts(batch, name));
    let [agreement, customer, service] = names;
    let names = [agreement?, customer?, service?];
    let (period, currency) = (texts(batch, "period")?, texts(batch, "currency")?);
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| internal_datafusion_err!("{name} was not read"));
    let (revision, amount) = (column("revision")?, column("amount")?);
    let (revision, amount) = (revision.as_primitive::<Int64Type>(), amount.as_primitive::<Decimal128Type>());
    let row = |row: usize| {
        let period: PeriodName = period.value(row).parse().map_err(|error: String| exec_datafusion_err!("{error}"))?;
        let amount = if amount.is_valid(row) { amount.value(row) } else { 0 };
        let credited = Credited { period, amount, currency: currency.value(row).to_string() };
        let name = names.each_ref().map(|column| column.value(row).to_string());
        Ok(((name, period), revision.value(row), Some(credited).filter(|credited| credited.amount > 0)))
    };
    (0..batch.num_rows()).map(row).collect()
}
