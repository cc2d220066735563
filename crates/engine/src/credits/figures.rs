//! What is owed as rows of `credits(period)`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Decimal128Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result;
use nines_slo::{Fraction, Outcome, PERCENT_SCALE, PartCredit};
use nines_store::MONEY;

use super::Owed;
use crate::answers::columns::{count, counts, flag, flags, float, floats, instant, instants, text, texts};

/// Digits of a percent, and how many of them follow the decimal point.
const PERCENT: (u8, i8) = (9, PERCENT_SCALE as i8);

/// A column of amounts of money.
pub(super) fn money(name: &str) -> Field {
    Field::new(name, DataType::Decimal128(MONEY.0, MONEY.1), true)
}

/// A column of percents.
pub(super) fn percent(name: &str) -> Field {
    Field::new(name, DataType::Decimal128(PERCENT.0, PERCENT.1), true)
}

pub(super) fn schema(zone: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![
        text("agreement"),
        text("customer"),
        text("service"),
        text("period"),
        count("slices"),
        count("valid"),
        count("failed"),
        float("estimated"),
        float("excluded_seconds"),
        percent("availability"),
        text("availability_exact"),
        percent("credit_percent"),
        money("fee_base"),
        money("amount"),
        text("currency"),
        instant("claim_by", zone),
        text("business"),
        instant("started", zone),
        instant("ended", zone),
        flag("complete"),
        flag("kept"),
        count("lost_slices"),
        percent("availability_best"),
        percent("availability_worst"),
        money("amount_best"),
        money("amount_worst"),
        text("figure"),
    ]))
}

pub(super) fn batch(owed: &[Owed], zone: &str) -> Result<RecordBatch> {
    let text = |of: fn(&Owed) -> &str| texts(owed.iter().map(move |owed| Some(of(owed))));
    let number = |of: fn(&Owed) -> i64| counts(owed.iter().map(move |owed| Some(of(owed))));
    let exact: Vec<String> = owed.iter().map(|owed| owed.credit.availability.to_string()).collect();
    let deciding = |owed: &Owed| owed.credit.parts.iter().find(|part| part.decides).map(PartCredit::name);
    let figures: Vec<Option<String>> = owed.iter().map(deciding).collect();
    let outcome = |of: fn(&Owed) -> &Outcome| percents(owed.iter().map(move |owed| of(owed).availability_percent));
    Ok(RecordBatch::try_new(
        schema(zone),
        vec![
            text(|owed| &owed.agreement),
            text(|owed| &owed.customer),
            text(|owed| &owed.service),
            text(|owed| &owed.period),
            number(|owed| owed.credit.slices),
            number(|owed| owed.credit.valid),
            number(|owed| owed.credit.failed),
            floats(owed.iter().map(|owed| Some(owed.credit.estimated.to_f64()))),
            floats(owed.iter().map(|owed| Some(owed.credit.excluded_micros() as f64 / nines_timeline::MICROS as f64))),
            percents(owed.iter().map(|owed| owed.credit.availability_percent)),
            texts(exact.iter().map(|exact| Some(exact.as_str()))),
            percents(owed.iter().map(|owed| percent_of(&owed.credit.percent))),
            amounts(owed.iter().map(|owed| owed.credit.fee_base))?,
            amounts(owed.iter().map(|owed| owed.credit.amount))?,
            texts(owed.iter().map(|owed| owed.credit.currency.as_deref())),
            instants(owed.iter().map(|owed| owed.credit.claim_by), zone),
            text(|owed| &owed.business),
            instants(owed.iter().map(|owed| Some(owed.judged.start)), zone),
            instants(owed.iter().map(|owed| Some(owed.judged.end)), zone),
            flags(owed.iter().map(|owed| owed.complete)),
            flags(owed.iter().map(|owed| owed.credit.kept)),
            number(|owed| owed.credit.lost_slices),
            outcome(|owed| &owed.bounds.best),
            outcome(|owed| &owed.bounds.worst),
            amounts(owed.iter().map(|owed| owed.bounds.best.amount))?,
            amounts(owed.iter().map(|owed| owed.bounds.worst.amount))?,
            texts(figures.iter().map(Option::as_deref)),
        ],
    )?)
}

/// A share in 10⁻⁶ percent, half-even.
pub(super) fn percent_of(share: &Fraction) -> i64 {
    i64::try_from(share.rounded(100 * 10u64.pow(PERCENT_SCALE))).unwrap_or(i64::MAX)
}

pub(super) fn percents(values: impl Iterator<Item = i64>) -> ArrayRef {
    let values: Decimal128Array = values.map(|value| Some(i128::from(value))).collect();
    // 100 % has nine digits.
    Arc::new(values.with_data_type(DataType::Decimal128(PERCENT.0, PERCENT.1)))
}

pub(super) fn amounts(values: impl Iterator<Item = Option<i128>>) -> Result<ArrayRef> {
    let values: Decimal128Array = values.collect();
    Ok(Arc::new(values.with_precision_and_scale(MONEY.0, MONEY.1)?))
}
