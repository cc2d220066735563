//! What customers paid for a period, and since when and until when they were customers.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono_tz::Tz;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::{exec_datafusion_err, exec_err, internal_datafusion_err};
use datafusion::error::Result;
use nines_slo::{Covered, Fee, Month, Period};
use nines_store::MONEY;
use nines_timeline::{Interval, normalize};

use crate::evaluate::{flags, instants, texts};

/// A row of `fees` that was not withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub month: Month,
    pub customer: String,
    pub service: String,
    /// Which of several of the month, customer and service; empty where nothing is said.
    pub span: String,
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
        fees.values_mut().for_each(|rows| rows.sort_by_key(|row| (row.month, row.active.start, row.active.end)));
        Ok(Fees(fees))
    }

    /// When a customer was one, as the rows of these months say; always, if there are none.
    ///
    /// The rows of a month speak for it: the customer was there when one of them says so. A month without a row is as its
    /// neighbours say: the customer was there, unless those before it say that they left, or those after it that they came
    /// later. That a row is missing does not say so.
    pub fn presence(&self, customer: &str, service: &str, months: Range<Month>, zone: Tz) -> Vec<Interval> {
        let mut spans = Vec::new();
        let (mut told_until, mut left) = (i64::MIN, None);
        let rows: Vec<&Row> = self.of(customer, service, months).collect();
        for of_month in rows.chunk_by(|a, b| a.month == b.month) {
            let Some(month) = of_month.first().and_then(|row| row.month.interval(zone)) else { continue };
            let came = of_month.iter().map(|row| row.active.start).min().filter(|came| *came != i64::MIN);
            spans.extend(untold(Interval::new(told_until, month.start), left, came));
            spans.extend(of_month.iter().map(|row| row.active.overlap(month)));
            told_until = month.end;
            left = of_month.iter().map(|row| row.active.end).max().filter(|left| *left != i64::MAX);
        }
        spans.extend(untold(Interval::new(told_until, i64::MAX), left, None));
        normalize(spans)
    }

    /// The fee of what is judged: that of the rows whose time is judged in part, of the months of the period. `None`: nothing
    /// was paid.
    pub fn paid(&self, customer: &str, service: &str, covered: &Covered<'_>) -> Result<Option<Fee>> {
        let period = covered.period;
        let mut paid: Option<(&Row, Interval, Fee)> = None;
        for row in self.of(customer, service, period.first..period.next()) {
            let Some(month) = row.month.interval(covered.terms.time_zone) else { continue };
            let active = row.active.overlap(month);
            if active.overlap(covered.interval).is_empty() {
                continue;
            }
            named(row)?;
            match &mut paid {
                None => paid = Some((row, active, row.fee.clone())),
                Some((_, _, paid)) if row.fee.currency != paid.currency => {
                    return exec_err!(
                        "the fees of '{customer}' for {service} are in {} and, for {}, in {}; one period is paid in one currency",
                        paid.currency,
                        row.month,
                        row.fee.currency
                    );
                }
                // Rows are in the order in which their times begin.
                Some((before, until, _)) if !until.overlap(active).is_empty() => {
                    return exec_err!(
                        "two fees of '{customer}' for {service} in {} are for the same time, those of span {} and {}: end one \
                         with active_until before the other begins, or withdraw it",
                        row.month,
                        quoted(before),
                        quoted(row)
                    );
                }
                Some((last, until, paid)) => {
                    (*last, *until) = (row, active);
                    paid.amount += row.fee.amount;
                    paid.vouchers += row.fee.vouchers;
                }
            }
        }
        Ok(paid.map(|(_, _, paid)| paid))
    }

    fn of(&self, customer: &str, service: &str, months: Range<Month>) -> impl Iterator<Item = &Row> {
        let rows = self.0.get(&(customer.to_string(), service.to_string()));
        rows.into_iter().flatten().filter(move |row| months.contains(&row.month))
    }

    /// All of them.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.0.values().flatten()
    }

    /// Who paid for what in the months of a period.
    pub fn payers(&self, period: Period) -> Vec<(&str, &str)> {
        let is_in = |row: &Row| row.month >= period.first && row.month < period.next();
        let paying = self.0.iter().filter(|(_, rows)| rows.iter().any(is_in));
        paying.map(|((customer, service), _)| (customer.as_str(), service.as_str())).collect()
    }
}

fn quoted(row: &Row) -> String {
    format!("'{}'", row.span)
}

/// Refuses a fee that is nobody's, or for nothing.
fn named(row: &Row) -> Result<()> {
    for (what, name) in [("customer", &row.customer), ("service", &row.service)] {
        if name.is_empty() {
            return exec_err!(
                "a fee of {} {} for {} names no {what}: fill in the column {what} of its row in fees",
                decimal(row.fee.amount),
                row.fee.currency,
                row.month
            );
        }
    }
    Ok(())
}

/// When a customer was there in a time of which no row speaks, between one that says when they left and one that says when
/// they came.
fn untold(between: Interval, left: Option<i64>, came: Option<i64>) -> Vec<Interval> {
    let before = |left: i64| between.overlap(Interval::new(i64::MIN, left));
    let after = |came: i64| between.overlap(Interval::new(came, i64::MAX));
    match (left, came) {
        (None, None) => vec![between],
        (Some(left), None) => vec![before(left)],
        (None, Some(came)) => vec![after(came)],
        (Some(left), Some(came)) => vec![before(left), after(came)],
    }
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
    let spans = texts(batch, "span")?;
    let withdrawn = flags(batch, "withdrawn")?;
    let mut found = Vec::with_capacity(batch.num_rows());
    for row in (0..batch.num_rows()).filter(|row| !withdrawn[*row]) {
        let month = period.value(row).parse::<Month>().map_err(|reason| {
            exec_datafusion_err!("the fee of '{}' for {}: {reason}", customer.value(row), service.value(row))
        })?;
        found.push(Row {
            month,
            customer: customer.value(row).to_string(),
            service: service.value(row).to_string(),
            span: if spans.is_valid(row) { spans.value(row).to_string() } else { String::new() },
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
    use super::*;

    /// Days of 2026 in which a customer was there from January to March, as rows of these months say.
    fn days(rows: &[(&str, Option<&str>, Option<&str>)]) -> Vec<(i64, i64)> {
        const DAY: i64 = 86_400_000_000;
        let at = |date: &str| {
            let date: chrono::NaiveDate = date.parse().unwrap();
            date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()
        };
        let row = |(month, from, until): &(&str, Option<&str>, Option<&str>)| Row {
            month: month.parse().unwrap(),
            customer: "acme".into(),
            service: "s".into(),
            span: String::new(),
            fee: Fee { currency: "EUR".into(), amount: 1, vouchers: 0 },
            active: Interval::new(from.map_or(i64::MIN, at), until.map_or(i64::MAX, at)),
        };
        let fees = Fees([(("acme".into(), "s".into()), rows.iter().map(row).collect())].into());
        let months = "2026-01".parse().unwrap().."2026-04".parse().unwrap();
        let quarter = Interval::new(at("2026-01-01"), at("2026-04-01"));
        let spans = fees.presence("acme", "s", months, Tz::UTC).into_iter().map(|span| span.overlap(quarter));
        let day = |at: i64| (at - quarter.start) / DAY;
        spans.filter(|span| !span.is_empty()).map(|span| (day(span.start), day(span.end))).collect()
    }

    #[test]
    fn a_row_speaks_for_its_month_and_neighbours_for_those_without() {
        let (came, left) = (Some("2026-02-10"), Some("2026-02-20"));
        assert_eq!(days(&[]), [(0, 90)]);
        assert_eq!(days(&[("2026-01", None, None)]), [(0, 90)], "two rows are missing");
        assert_eq!(days(&[("2026-01", None, None), ("2026-03", None, None)]), [(0, 90)], "one between is missing");
        assert_eq!(days(&[("2026-02", came, None), ("2026-03", None, None)]), [(40, 90)], "March does not repeat it");
        assert_eq!(days(&[("2026-02", came, None), ("2026-03", came, None)]), [(40, 90)]);
        assert_eq!(days(&[("2026-03", came, None)]), [(40, 90)]);
        assert_eq!(days(&[("2026-01", None, None), ("2026-02", None, left)]), [(0, 50)]);
        assert_eq!(days(&[("2026-01", None, left)]), [(0, 50)]);
        assert_eq!(days(&[("2026-02", came, left)]), [(40, 50)]);
        assert_eq!(days(&[("2026-01", None, None), ("2026-02", came, None)]), [(0, 31), (40, 90)], "a gap");
        let (first, back) = (("2026-02", None, Some("2026-02-11")), ("2026-02", Some("2026-02-21"), None));
        assert_eq!(days(&[first, back]), [(0, 41), (51, 90)], "left and returned within a month");
        let gone = ("2026-02", Some("2026-02-21"), Some("2026-02-25"));
        assert_eq!(days(&[first, gone]), [(0, 41), (51, 55)], "and left again");
        let (left, came) = (Some("2026-01-11"), Some("2026-03-11"));
        assert_eq!(days(&[("2026-01", None, left), ("2026-03", came, None)]), [(0, 10), (69, 90)]);
    }

    #[test]
    fn amounts_are_told_without_needless_zeros() {
        assert_eq!([12_500_000, 1_000_000, 0, -1_230_001, 10].map(decimal), ["12.5", "1", "0", "-1.230001", "0.00001"]);
    }
}
