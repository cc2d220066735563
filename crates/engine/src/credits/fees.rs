//! What customers paid for a period, and since when and until when they were customers.

use std::collections::BTreeMap;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::{exec_datafusion_err, exec_err, internal_datafusion_err};
use datafusion::error::Result;
use nines_slo::{Fee, Month, Period};
use nines_store::MONEY;
use nines_timeline::Interval;

use crate::evaluate::{instants, texts};

/// A row of `fees`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub month: Month,
    pub customer: String,
    pub service: String,
    pub fee: Fee,
    /// From when until when the customer was one, in µs.
    pub active: Interval,
}

/// All rows of `fees`, by customer and service.
#[derive(Debug, Default)]
pub(super) struct Fees(BTreeMap<(String, String), Vec<Row>>);

impl Fees {
    /// Reads rows of the table. A fee is somebody's, for something.
    pub fn new(batches: &[RecordBatch]) -> Result<Fees> {
        let mut fees: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
        for batch in batches {
            for row in rows(batch)? {
                fees.entry((row.customer.clone(), row.service.clone())).or_default().push(row);
            }
        }
        fees.values_mut().for_each(|rows| rows.sort_by_key(|row| row.month));
        Ok(Fees(fees))
    }

    /// The fee of a period: that of its months together. `None`: nothing was paid.
    pub fn of(&self, customer: &str, service: &str, period: Period) -> Result<Option<Paid>> {
        let Some(rows) = self.0.get(&(customer.to_string(), service.to_string())) else { return Ok(None) };
        let mut rows = rows.iter().filter(|row| row.month >= period.first && row.month < period.next());
        let Some(first) = rows.next() else { return Ok(None) };
        let mut paid = Paid { fee: first.fee.clone(), active: first.active };
        for row in rows {
            if row.fee.currency != paid.fee.currency {
                return exec_err!(
                    "the fees of '{customer}' for {service} are in {} and, for {}, in {}; one period is paid in one currency",
                    paid.fee.currency,
                    row.month,
                    row.fee.currency
                );
            }
            paid.fee.amount += row.fee.amount;
            paid.fee.vouchers += row.fee.vouchers;
            paid.active = Interval::new(paid.active.start.min(row.active.start), paid.active.end.max(row.active.end));
        }
        Ok(Some(paid))
    }

    /// Who paid for what in the months of a period.
    pub fn payers(&self, period: Period) -> Result<Vec<(&str, &str)>> {
        let mut found = Vec::new();
        for ((customer, service), rows) in &self.0 {
            let Some(row) = rows.iter().find(|row| row.month >= period.first && row.month < period.next()) else {
                continue;
            };
            for (what, name, column) in [("customer", customer, "customer"), ("service", service, "service")] {
                if name.is_empty() {
                    return exec_err!(
                        "a fee of {} {} for {} names no {what}: fill in the column {column} of its row in fees",
                        decimal(row.fee.amount),
                        row.fee.currency,
                        row.month
                    );
                }
            }
            if nines_slo::minor_digits(&row.fee.currency).is_none() {
                return exec_err!(
                    "the fee of '{customer}' for {service} in {} is in '{}', which is no currency of ISO 4217 such as CNY, EUR \
                     or USD; correct the row in fees",
                    row.month,
                    row.fee.currency
                );
            }
            found.push((customer.as_str(), service.as_str()));
        }
        Ok(found)
    }
}

/// What was paid for a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paid {
    pub fee: Fee,
    pub active: Interval,
}

/// An amount as people write it.
pub(super) fn decimal(amount: i128) -> String {
    let scale = 10i128.pow(MONEY.1.unsigned_abs().into());
    let text = format!("{}.{:06}", amount / scale, (amount % scale).abs());
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').unwrap_or(text).to_string()
}

fn rows(batch: &RecordBatch) -> Result<Vec<Row>> {
    let text = |name: &str| texts(batch, name);
    let (period, customer, service, currency) =
        (text("period")?, text("customer")?, text("service")?, text("currency")?);
    let money = |name: &str| {
        let column = batch.column_by_name(name).ok_or_else(|| internal_datafusion_err!("{name} was not read"))?;
        let amounts = cast(column, &DataType::Decimal128(MONEY.0, MONEY.1))?;
        Ok::<_, datafusion::error::DataFusionError>(amounts.as_primitive::<Decimal128Type>().clone())
    };
    let (amount, vouchers) = (money("amount")?, money("voucher_amount")?);
    let (from, until) = (instants(batch, "active_from")?, instants(batch, "active_until")?);
    let mut found = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let month = period.value(row).parse::<Month>().map_err(|reason| {
            exec_datafusion_err!("the fee of '{}' for {}: {reason}", customer.value(row), service.value(row))
        })?;
        found.push(Row {
            month,
            customer: customer.value(row).to_string(),
            service: service.value(row).to_string(),
            fee: Fee {
                currency: currency.value(row).to_string(),
                amount: amount.value(row),
                vouchers: vouchers.value(row),
            },
            active: Interval::new(from[row].unwrap_or(i64::MIN), until[row].unwrap_or(i64::MAX)),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn amounts_are_told_without_needless_zeros() {
        assert_eq!([12_500_000, 1_000_000, 0, -1_230_001, 10].map(decimal), ["12.5", "1", "0", "-1.230001", "0.00001"]);
    }
}
