//! From what is credited: what was paid, as far as it is paid for what is judged.
//!
//! A fee is of a month. That of a period of months is the sum of theirs; of a period of days each month's counts with the part of its
//! days that lie in the period. A fee that a customer pays for a part of a month is spread over the days of that part, so that of each
//! fee all is the base of some period, once. Where fees are prorated, they are prices of whole months, of which the judged days count.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use nines_timeline::Interval;
use num_bigint::BigUint;

use crate::agreement::Covered;
use crate::credit::evidence::{CreditError, Evidence, Fee, MonthFee};
use crate::fraction::{Fraction, Rounding};
use crate::local_days::days;
use crate::money::{MONEY_SCALE, share_of};
use crate::period::Cycle;

/// What was paid, in 10⁻⁶ of the currency's unit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FeeBase {
    /// All that was paid for a period of months.
    Whole(i128),
    /// The part of that which is for the judged days.
    Judged {
        /// All.
        amount: i128,
        /// The judged share of the period's days.
        days: Fraction,
    },
    /// What was paid for a period of days, exactly.
    ByDay(Fraction),
}

impl FeeBase {
    /// Of the fee of a period.
    pub fn of(covered: &Covered<'_>, evidence: &Evidence, fee: &Fee) -> Result<FeeBase, CreditError> {
        let paid = |amount: i128, vouchers: i128| {
            if amount < 0 {
                return Err(CreditError::Fee { reason: "the fee is negative" });
            }
            if !(0..=amount).contains(&vouchers) {
                return Err(CreditError::Fee { reason: "vouchers pay between nothing and the whole fee" });
            }
            Ok(amount - if covered.terms.exclude_vouchers { vouchers } else { 0 })
        };
        let all = paid(fee.amount, fee.vouchers)?;
        if let Cycle::Months { .. } = covered.period.cycle {
            return match (evidence.month_fees.as_slice(), covered.paid_days(&evidence.active)) {
                ([], None) => Ok(FeeBase::Whole(all)),
                ([], Some(days)) => Ok(FeeBase::Judged { amount: all, days }),
                _ => Err(CreditError::Parts { reason: "fees of months stand beside a period of months" }),
            };
        }
        let (mut sum, mut amount, mut vouchers) = (Fraction::zero(), Some(0i128), Some(0i128));
        for own in &evidence.month_fees {
            let (counted, all) = fee_days(covered, &evidence.active, own);
            let paid = BigUint::from(paid(own.amount, own.vouchers)?.unsigned_abs());
            sum = sum.plus(&Fraction::new(paid * counted, all));
            amount = amount.and_then(|sum| sum.checked_add(own.amount));
            vouchers = vouchers.and_then(|sum| sum.checked_add(own.vouchers));
        }
        match (amount, vouchers) == (Some(fee.amount), Some(fee.vouchers)) {
            true => Ok(FeeBase::ByDay(sum)),
            false => Err(CreditError::Parts { reason: "the fee is not the sum of those of the months" }),
        }
    }

    /// Rounded for print.
    pub fn shown(&self) -> i128 {
        match self {
            FeeBase::Whole(amount) => *amount,
            FeeBase::Judged { .. } | FeeBase::ByDay(_) => self.share(&Fraction::one(), MONEY_SCALE, Rounding::HalfEven),
        }
    }

    /// The exact base of a period of days in the currency's unit, if it is not what is printed.
    pub fn unshown(&self) -> Option<Fraction> {
        match self {
            FeeBase::Whole(_) | FeeBase::Judged { .. } => None,
            FeeBase::ByDay(exact) => {
                let is_shown = exact.denominator() == &1u8.into();
                (!is_shown).then(|| exact.times(1, 10u64.pow(MONEY_SCALE)))
            }
        }
    }

    /// A share of it, rounded once to so many decimal places of the currency's unit.
    pub fn share(&self, share: &Fraction, places: u32, mode: Rounding) -> i128 {
        match self {
            FeeBase::Whole(amount) => share_of(*amount, share, places, mode),
            FeeBase::Judged { amount, days } => share_of(*amount, &days.product(share), places, mode),
            FeeBase::ByDay(exact) => share_of(1, &exact.product(share), places, mode),
        }
    }

    /// So many bases, rounded likewise: those of months as they are printed.
    pub fn fees(&self, fees: &Fraction, places: u32, mode: Rounding) -> i128 {
        match self {
            FeeBase::Whole(_) | FeeBase::Judged { .. } => share_of(self.shown(), fees, places, mode),
            FeeBase::ByDay(_) => self.share(fees, places, mode),
        }
    }
}

/// Of a month's fee that is paid for a period of days: how many of how many days count.
pub(crate) fn fee_days(covered: &Covered<'_>, active: &[Interval], fee: &MonthFee) -> (u32, u32) {
    let (terms, zone) = (covered.terms, covered.terms.time_zone);
    let Some(month) = terms.month(fee.month) else { return (0, 0) };
    let there = month.overlap(fee.active);
    let number = |days: BTreeSet<NaiveDate>| u32::try_from(days.len()).unwrap_or_default();
    match terms.prorate {
        false => (number(days(there.overlap(covered.period.interval), zone)), number(days(there, zone))),
        true => {
            let judged = covered.judged_days(active);
            (number(&days(there, zone) & &judged), number(days(month, zone)))
        }
    }
}
