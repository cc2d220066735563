//! What a credit is computed from, and what keeps it from being computed.

use chrono::DateTime;
use nines_timeline::Interval;
use thiserror::Error;

use crate::money;
use crate::period::{Month, PeriodName};

/// All that a credit depends on besides the agreement: enough to compute it again years later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// What was counted, by start: slices of the agreement, or [`Pieces`](crate::Pieces) of them, each at most once, over at
    /// least [`Covered::reads`](crate::Covered::reads). What is not listed had no request.
    pub slices: Vec<Counts>,
    /// Width of the store's slices in µs, by which time inside the agreement's is excluded or lost; `None`: the agreement's own.
    pub stored_slice: Option<i64>,
    /// Valid requests of judged slices that need not be listed, because they had no failure and are neither lost nor
    /// removed.
    pub other_valid: i64,
    /// The same by month of a period of several, for information; empty for a period of one, and where it was not kept.
    pub other_valid_months: Vec<i64>,
    /// Of several metrics, and of members that are judged by themselves, what was counted, by metric and member; then nothing stands in
    /// `slices`, `other_valid` and `other_valid_months`. Empty where there is one figure.
    pub parts: Vec<Part>,
    /// Exclusions that were not withdrawn and are about this business, service and customer, of any category.
    pub exclusions: Vec<Excluded>,
    /// Incidents of this service in which telemetry was lost: `[started, fixed)` in µs, an open one up to the
    /// watermark.
    pub lost: Vec<Interval>,
    /// When the customer was active, in µs: only such slices are judged and estimated from. Empty: always.
    pub active: Vec<Interval>,
    /// What was paid for the period: for its months. For a period of days the sum of `month_fees`.
    pub fee: Option<Fee>,
    /// Of a period of days the fees of the months in which its days lie, by month and time: of each the part of its days counts.
    pub month_fees: Vec<MonthFee>,
    /// Where credits of a year are limited: what was credited for earlier periods of the year, by period.
    pub credited: Vec<Credited>,
}

/// What was credited for an earlier period.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credited {
    /// The period.
    pub period: PeriodName,
    /// In 10⁻⁶ of the currency's unit ([`MONEY_SCALE`](crate::MONEY_SCALE)).
    pub amount: i128,
    /// ISO 4217.
    pub currency: String,
}

/// What was counted for one metric, of one member where each is judged by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Which of [`Terms::metrics`](crate::Terms::metrics).
    pub metric: usize,
    /// Endpoint or business; empty where members count together.
    pub member: String,
    /// As in [`Evidence::slices`], by the metric's own slices.
    pub slices: Vec<Counts>,
    /// As in [`Evidence::other_valid`].
    pub other_valid: i64,
    /// As in [`Evidence::other_valid_months`].
    pub other_valid_months: Vec<i64>,
}

/// What was counted in a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counts {
    /// Start in µs: of a slice, as the agreement lays them ([`Covered::grid`](crate::Covered::grid)), or of what begins inside
    /// one where excluded or lost time begins or ends.
    pub start: i64,
    /// Valid requests.
    pub valid: i64,
    /// Those of them that failed and are charged to the party.
    pub failed: i64,
}

/// Time for which the party does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Excluded {
    /// Its id, to name it.
    pub id: String,
    /// What it is.
    pub category: String,
    /// `[started, ended)` in µs.
    pub interval: Interval,
    /// When it was announced, in µs.
    pub announced: Option<i64>,
}

/// What was paid, in 10⁻⁶ of the currency's unit ([`MONEY_SCALE`](crate::MONEY_SCALE)).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fee {
    /// ISO 4217.
    pub currency: String,
    /// All of it.
    pub amount: i128,
    /// The part that vouchers paid.
    pub vouchers: i128,
}

/// What was paid for a month, or for a customer's part of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MonthFee {
    /// The calendar month.
    pub month: Month,
    /// All of it, in 10⁻⁶ of the currency's unit.
    pub amount: i128,
    /// The part that vouchers paid.
    pub vouchers: i128,
    /// From when until when the customer was one, as the fee says, in µs; `i64::MIN` and `i64::MAX` where nothing is said.
    pub active: Interval,
}

/// Why a credit cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CreditError {
    /// Two exclusions that count claim the same time, and the rules do not unite them.
    #[error(
        "exclusions '{first}' and '{second}' overlap from {at} on; shorten or withdraw one of them",
        first = ids[0], second = ids[1], at = shown(*at)
    )]
    OverlappingExclusions {
        /// Ids and start (µs) of what overlaps.
        ids: [String; 2],
        /// Where the overlap starts, in µs.
        at: i64,
    },
    /// No such currency.
    #[error("unknown currency '{0}' of the fee; {hint}", hint = money::hint(.0))]
    UnknownCurrency(String),
    /// The agreement's minimum pay-out or cap is in other currencies than the fee.
    #[error(
        "the fee is in {paid}, but the agreement's {clause} is in {agreed}; make it an agreement of its own for customers who \
         pay in {paid}"
    )]
    OtherCurrency {
        /// Which clause.
        clause: &'static str,
        /// Currencies of the clause.
        agreed: String,
        /// Of the fee.
        paid: String,
    },
    /// The fee is negative, or less than what vouchers paid of it.
    #[error("{reason}; correct the row in fees")]
    Fee {
        /// What is wrong.
        reason: &'static str,
    },
    /// Evidence that is not of the agreement's form.
    #[error("the evidence does not fit the agreement: {reason}")]
    Parts {
        /// What is wrong.
        reason: &'static str,
    },
    /// Counts that cannot be.
    #[error("the slice at {at}: {reason}", at = shown(*start))]
    Counts {
        /// Start of the slice in µs.
        start: i64,
        /// What is wrong.
        reason: &'static str,
    },
}

impl CreditError {
    /// A sum that does not fit, at or after this start (µs) of a slice.
    pub(crate) fn too_many(start: i64) -> CreditError {
        CreditError::Counts { start, reason: "more requests than can be counted" }
    }
}

fn shown(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(String::new, |at| at.to_rfc3339())
}
