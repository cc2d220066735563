//! The statements that were issued, as they are stored.

use std::ops::RangeInclusive;

use datafusion::arrow::array::StringViewArray;
use datafusion::common::exec_datafusion_err;
use nines_slo::{IssuedStatement, Month, PeriodName};
use nines_store::TableKind;

use super::period_terms::Chosen;
use super::recorded::{Periods, Recorded, recorded_in};
use crate::evaluate::texts;
use crate::{Result, Session};

impl Session {
    /// The statements of a period that were issued, every revision of them, by agreement, customer, service and revision. What
    /// cannot be read is an error that names it.
    pub async fn statements(&self, period: PeriodName, chosen: &Chosen) -> Result<Vec<IssuedStatement>> {
        Ok(self.recorded_statements(Periods::Named(period), chosen).await?.statements)
    }

    /// The same of all periods that lie in these months, or reach into them.
    pub(crate) async fn statements_of(
        &self,
        months: RangeInclusive<Month>,
        chosen: &Chosen,
    ) -> Result<Vec<IssuedStatement>> {
        Ok(self.recorded_statements(Periods::In(months), chosen).await?.statements)
    }

    /// The same, and what else is known of the table.
    pub(super) async fn recorded_statements(&self, periods: Periods, chosen: &Chosen) -> Result<Recorded> {
        let Some(store) = self.store() else { return Ok(Recorded::default()) };
        let snapshot = self.snapshot(&store.table(TableKind::Statements)).await?;
        recorded_in(snapshot, &self.reading().await?, periods, chosen, &[]).await
    }
}

impl Session {
    /// Agreement, customer, service and period of every statement, without the statements.
    pub(super) async fn issued_keys(&self) -> Result<Vec<(String, String, String, PeriodName)>> {
        let Some(store) = self.store() else { return Ok(Vec::new()) };
        let snapshot = self.snapshot(&store.table(TableKind::Statements)).await?;
        let rows = self.reading().await?.read_table(std::sync::Arc::new(nines_store::Provider::pinned(snapshot)))?;
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
