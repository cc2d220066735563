//! What customers paid for a period, and since when and until when they were customers.

use std::collections::BTreeMap;
use std::ops::Range;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::{exec_datafusion_err, exec_err, internal_datafusion_err};
use datafusion::error::Result;
use nines_slo::{Covered, Cycle, Fee, Month, MonthFee, Period, Terms};
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
    /// What the customer pays for, as agreements call it; empty where nothing is said.
    pub plan: String,
    pub fee: Fee,
    /// From when until when the customer was one, in µs.
    pub active: Interval,
}

/// What was paid for what is judged.
#[derive(Debug, Default)]
pub(super) struct Paid {
    /// `None`: nothing was paid, or not yet for all of it.
    pub fee: Option<Fee>,
    /// Of a period of days the fees of its months.
    pub months: Vec<MonthFee>,
    /// Months of a period of days that have no row, beside others that have.
    pub unpaid: Vec<Month>,
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

    /// When a customer was one under some terms, as the rows of these months say; always, if there are none.
    ///
    /// The rows of a month speak for it: the customer was there when one of them says so. A month without a row is as its
    /// neighbours say: the customer was there, unless those before it say that they left, or those after it that they came
    /// later. That a row is missing does not say so.
    ///
    /// Terms of plans mean only rows of such plans: in a month whose rows are all of others the customer was not there, and never, if no
    /// month has a row of them.
    pub fn presence(&self, customer: &str, service: &str, months: Range<Month>, terms: &Terms) -> Vec<Interval> {
        let rows: Vec<&Row> = self.of(customer, service, months).collect();
        presence(&rows, |month| terms.month(month), |plan| terms.matches_plan(plan))
    }

    /// The fee of what is judged: that of the rows whose time is judged in part, of the months of the period. Of a period of days
    /// every month in which the customer was there has its row before there is a fee: two months nearly always have a part in it.
    pub fn paid(&self, customer: &str, service: &str, covered: &Covered<'_>, active: &[Interval]) -> Result<Paid> {
        let period = covered.period;
        let mut paid: Option<(&Row, Interval, Fee)> = None;
        let mut months = Vec::new();
        let rows = self.of(customer, service, period.fee_months());
        for row in rows.filter(|row| covered.terms.matches_plan(&row.plan)) {
            let Some(month) = covered.terms.month(row.month) else { continue };
            let active = row.active.overlap(month);
            if active.overlap(covered.interval).is_empty() {
                continue;
            }
            named(row)?;
            if let Cycle::Days { .. } = period.cycle {
                let Fee { amount, vouchers, .. } = row.fee;
                months.push(MonthFee { month: row.month, amount, vouchers, active: row.active });
            }
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
        let fee = paid.map(|(_, _, paid)| paid);
        let unpaid = match period.cycle {
            Cycle::Days { .. } if fee.is_some() => self.unpaid(customer, service, covered, active),
            Cycle::Days { .. } | Cycle::Months { .. } => Vec::new(),
        };
        Ok(if unpaid.is_empty() { Paid { fee, months, unpaid } } else { Paid { unpaid, ..Paid::default() } })
    }

    /// The months in which a customer was there, in a part that is judged, of which no row speaks.
    fn unpaid(&self, customer: &str, service: &str, covered: &Covered<'_>, active: &[Interval]) -> Vec<Month> {
        let months = covered.period.fee_months();
        let is_judged = |month: &Month| {
            let judged = covered.terms.month(*month).map(|month| month.overlap(covered.interval));
            judged.is_some_and(|judged| active.iter().any(|active| !active.overlap(judged).is_empty()))
        };
        let is_silent = |month: &Month| self.of(customer, service, *month..month.plus(1)).next().is_none();
        months.start.until(months.end).filter(|month| is_judged(month) && is_silent(month)).collect()
    }

    fn of(&self, customer: &str, service: &str, months: Range<Month>) -> impl Iterator<Item = &Row> {
        let rows = self.0.get(&(customer.to_string(), service.to_string()));
        rows.into_iter().flatten().filter(move |row| months.contains(&row.month))
    }

    /// All of them.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.0.values().flatten()
    }

    /// The plans for which somebody paid in the months of a period, a plan for each row; empty where a row names none.
    pub fn plans(&self, customer: &str, service: &str, period: Period) -> impl Iterator<Item = &str> {
        self.of(customer, service, period.fee_months()).map(|row| row.plan.as_str())
    }

    /// Who paid for what in the months of a period, for a plan that is meant. A period of days has a part of some months: who was there
    /// in others of their days is not meant.
    pub fn payers(&self, covered: &Covered<'_>, is_meant: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
        let period = covered.period;
        self.payers_of(period.fee_months(), |row| {
            let has_part = || {
                let there = covered.terms.month(row.month).map(|month| month.overlap(row.active));
                there.is_some_and(|there| !there.overlap(period.interval).is_empty())
            };
            is_meant(&row.plan) && (matches!(period.cycle, Cycle::Months { .. }) || has_part())
        })
    }

    /// Who paid for what in some months, by rows for which a condition holds.
    pub fn payers_of(&self, months: Range<Month>, is_meant: impl Fn(&Row) -> bool) -> Vec<(&str, &str)> {
        let is_in = |row: &Row| months.contains(&row.month) && is_meant(row);
        let paying = self.0.iter().filter(|(_, rows)| rows.iter().any(is_in));
        paying.map(|((customer, service), _)| (customer.as_str(), service.as_str())).collect()
    }
}

/// When a customer was there, as rows say of which those of some plans are meant: [`Fees::presence`].
fn presence(rows: &[&Row], time: impl Fn(Month) -> Option<Interval>, is_meant: impl Fn(&str) -> bool) -> Vec<Interval> {
    let mut spans = Vec::new();
    let (mut told_until, mut left) = (i64::MIN, None);
    if !is_meant("") && !rows.iter().any(|row| is_meant(&row.plan)) {
        return spans;
    }
    for of_month in rows.chunk_by(|a, b| a.month == b.month) {
        let Some(month) = of_month.first().and_then(|row| time(row.month)) else { continue };
        let of_month: Vec<&&Row> = of_month.iter().filter(|row| is_meant(&row.plan)).collect();
        if of_month.is_empty() {
            spans.extend(untold(Interval::new(told_until, month.start), left, None));
            (told_until, left) = (month.end, Some(month.end));
            continue;
        }
        let came = of_month.iter().map(|row| row.active.start).min().filter(|came| *came != i64::MIN);
        spans.extend(untold(Interval::new(told_until, month.start), left, came));
        spans.extend(of_month.iter().map(|row| row.active.overlap(month)));
        told_until = month.end;
        left = of_month.iter().map(|row| row.active.end).max().filter(|left| *left != i64::MAX);
    }
    spans.extend(untold(Interval::new(told_until, i64::MAX), left, None));
    normalize(spans)
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
    let (spans, plans) = (texts(batch, "span")?, texts(batch, "plan")?);
    let said = |column: &StringViewArray, row: usize| {
        if column.is_valid(row) { column.value(row).to_string() } else { String::new() }
    };
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
            span: said(spans, row),
            plan: said(plans, row),
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
    use chrono_tz::Tz;

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
            plan: String::new(),
            fee: Fee { currency: "EUR".into(), amount: 1, vouchers: 0 },
            active: Interval::new(from.map_or(i64::MIN, at), until.map_or(i64::MAX, at)),
        };
        let rows: Vec<Row> = rows.iter().map(row).collect();
        let quarter = Interval::new(at("2026-01-01"), at("2026-04-01"));
        let rows: Vec<&Row> = rows.iter().collect();
        let spans = presence(&rows, |month| month.interval(Tz::UTC), |plan| plan != "other");
        let spans = spans.into_iter().map(|span| span.overlap(quarter));
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
