//! The statements that were issued, as they are stored.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::{exec_datafusion_err, internal_datafusion_err};
use datafusion::logical_expr::{col, lit};
use futures::StreamExt;
use nines_slo::{IssuedStatement, Month};
use nines_store::TableKind;

use super::period_terms::Chosen;
use crate::evaluate::texts;
use crate::{Result, Session};

/// Months of the longest period.
const LONGEST: u32 = 12;

/// Statements that were issued.
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

impl Session {
    /// The statements of a period that were issued, every revision of them, by agreement, customer, service and revision. What
    /// cannot be read is an error that names it.
    pub async fn statements(&self, month: Month, chosen: &Chosen) -> Result<Vec<IssuedStatement>> {
        self.statements_of(month..=month, chosen).await
    }

    /// The same of all periods that lie in these months, or reach into them.
    pub(crate) async fn statements_of(
        &self,
        months: RangeInclusive<Month>,
        chosen: &Chosen,
    ) -> Result<Vec<IssuedStatement>> {
        Ok(self.recorded_statements(months, chosen).await?.statements)
    }

    /// The same, and what else is known of the table.
    pub(super) async fn recorded_statements(&self, months: RangeInclusive<Month>, chosen: &Chosen) -> Result<Recorded> {
        let mut found = Recorded { statements: Vec::new(), keys: HashSet::new(), version: 0 };
        let Some(store) = self.store() else { return Ok(found) };
        let snapshot = self.snapshot(&store.table(TableKind::Statements)).await?;
        found.version = snapshot.version().unwrap_or_default();
        // A period is named by its first month and lies within a year, so that the others need not be read.
        let first = months.start().first_of(LONGEST).to_string();
        let periods = col("period").between(lit(first), lit(months.end().to_string()));
        let mut rows =
            self.reading().await?.read_table(Arc::new(nines_store::Provider::pinned(snapshot)))?.filter(periods)?;
        let conditions = [("agreement", &chosen.agreement), ("customer", &chosen.customer)];
        for (column, value) in conditions.into_iter().filter_map(|(column, value)| Some((column, value.as_ref()?))) {
            rows = rows.filter(col(column).eq(lit(value.as_str())))?;
        }
        let mut rows = rows.execute_stream().await?;
        while let Some(batch) = rows.next().await {
            read(&batch?, &months, &mut found)?;
        }
        found.statements.retain(|statement| chosen.has(&statement.agreement));
        let key =
            |s: &IssuedStatement| (s.agreement.clone(), s.customer.clone(), s.service.clone(), s.period, s.revision);
        found.statements.sort_by_cached_key(key);
        Ok(found)
    }
}

impl Session {
    /// Agreement, customer, service and first month of the period of every statement, without the statements.
    pub(super) async fn issued_keys(&self) -> Result<Vec<(String, String, String, Month)>> {
        let Some(store) = self.store() else { return Ok(Vec::new()) };
        let snapshot = self.snapshot(&store.table(TableKind::Statements)).await?;
        let rows = self.reading().await?.read_table(Arc::new(nines_store::Provider::pinned(snapshot)))?;
        let batches =
            rows.select_columns(&["agreement", "customer", "service", "period"])?.distinct()?.collect().await?;
        let mut found = Vec::new();
        for batch in &batches {
            let columns = ["agreement", "customer", "service", "period"].map(|name| texts(batch, name));
            let [agreement, customer, service, period] = columns;
            let (agreement, customer, service, period) = (agreement?, customer?, service?, period?);
            for row in 0..batch.num_rows() {
                let of = |column: &StringViewArray| column.value(row).to_string();
                let month = period.value(row).parse().map_err(|error: String| exec_datafusion_err!("{error}"))?;
                found.push((of(agreement), of(customer), of(service), month));
            }
        }
        Ok(found)
    }
}

fn read(batch: &RecordBatch, months: &RangeInclusive<Month>, found: &mut Recorded) -> Result<()> {
    let (text, sha256) = (texts(batch, "text")?, texts(batch, "sha256")?);
    let names = ["agreement", "customer", "service", "period"].map(|name| texts(batch, name));
    let [agreement, customer, service, period] = names;
    let (agreement, customer, service, period) = (agreement?, customer?, service?, period?);
    let revision = batch.column_by_name("revision").and_then(|column| column.as_primitive_opt::<Int64Type>());
    let revision = revision.ok_or_else(|| internal_datafusion_err!("revision was not read"))?;
    for row in 0..batch.num_rows() {
        let key = [agreement, customer, service, period].map(|column| column.value(row).to_string());
        let [agreement, customer, service, period] = &key;
        let named = || format!("of {agreement} for {service}, '{customer}', {period}");
        let statement = IssuedStatement::from_json(text.value(row))
            .map_err(|error| exec_datafusion_err!("the statement {} cannot be read: {error}", named()))?;
        if statement.sha256 != sha256.value(row) {
            return Err(exec_datafusion_err!("the statement {} is not what its row says it is", named()).into());
        }
        let agreement = statement.agreement().map_err(|error| exec_datafusion_err!("{}: {error}", named()))?;
        let period = statement.covered(&agreement).map(|covered| covered.period);
        found.keys.insert((key, revision.value(row)));
        if period.is_ok_and(|period| period.first <= *months.end() && *months.start() < period.next()) {
            found.statements.push(statement);
        }
    }
    Ok(())
}
