//! Credits: what is owed for a period, exactly.
//!
//! [`credit`] takes what was counted in the slices of a period and computes what an agreement makes of it. Everything is
//! integers and fractions; only the amount is rounded, once, half-even at the currency's minor unit, and the percent
//! that is printed. Nothing is read and nothing is looked up: the [`Evidence`] is all that a figure depends on, so that a
//! figure can be verified by computing it again.

mod bounds;
mod compact;
mod estimate;
mod evidence;
mod fraction;
mod measured;
pub(crate) mod money;
mod slices;
mod sum;
mod workings;

use nines_timeline::Share;

pub use bounds::{Bounds, Outcome, bounds};
pub use estimate::Estimate;
pub use evidence::{Counts, CreditError, Evidence, Excluded, Fee};
pub use fraction::Fraction;
pub use measured::Measured;
pub use money::{MONEY_SCALE, minor_digits};

pub(crate) use fraction::half_even;
pub(crate) use slices::{Special, Tally};
pub(crate) use sum::Sum;
pub(crate) use workings::Workings;

use crate::agreement::{Covered, Measure, Terms};

/// Decimal places of a printed percent.
pub const PERCENT_SCALE: u32 = 6;

/// What is owed for a period, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Slices in the denominator: all that lie wholly in the covered part of the period, less removed ones.
    pub slices: i64,
    /// Valid requests that were counted; those of lost and of removed slices are dropped.
    pub valid: i64,
    /// Failed requests that were counted, outside of excluded and lost slices.
    pub failed: i64,
    /// Judged slices whose failures could not be counted.
    pub lost_slices: i64,
    /// Failed requests that are assumed in them, outage by outage. For [`Measure::Occurrences`] they are added to
    /// failed and to valid; other measures take the lost slices at error rate 1.
    pub estimates: Vec<Estimate>,
    /// The sum of the estimates.
    pub estimated: Fraction,
    /// Excluded time by category, in µs of whole slices, in the order of the agreement; only what is not 0.
    pub excluded: Vec<(String, i64)>,
    /// Of 1.
    pub availability: Fraction,
    /// The availability in 10⁻⁶ percent, rounded for print: 99.884259 % is 99,884,259. Half-even, but down where that
    /// would reach a bound (a tier, the commitment, 100 %) that was missed.
    pub availability_percent: i64,
    /// Whether the commitment was kept.
    pub kept: bool,
    /// Which of the agreement's tiers applies.
    pub tier: Option<usize>,
    /// The share of the fee base that is credited: the tier's percent, at most the cap.
    pub percent: Share,
    /// The fee without what vouchers paid, if they are excluded; in 10⁻⁶ of the currency's unit.
    pub fee_base: Option<i128>,
    /// What is owed, in 10⁻⁶ of the currency's unit; `None` without a fee.
    pub amount: Option<i128>,
    /// Whether an amount was below the least that is paid out, so that it is 0.
    pub below_min_payout: bool,
    /// The fee's currency.
    pub currency: Option<String>,
    /// The instant (µs) before which the credit must be claimed.
    pub claim_by: Option<i64>,
}

impl Credit {
    /// Excluded time of all categories, in µs.
    pub fn excluded_micros(&self) -> i64 {
        self.excluded.iter().map(|(_, micros)| micros).sum()
    }
}

/// Computes what is owed for a covered period.
///
/// A period without a whole slice or a request was available, and so is what was all removed.
pub fn credit(covered: &Covered<'_>, evidence: &Evidence) -> Result<Credit, CreditError> {
    let terms = covered.terms;
    let workings = Workings::of(covered, evidence)?;
    let Workings { special, tally, .. } = &workings;
    let estimates = estimate::estimates(covered, evidence, special);
    let estimated = estimates.iter().fold(Fraction::zero(), |sum, estimate| sum.plus(&estimate.failed));
    let availability = availability(terms, tally, &estimated);
    let (tier, percent) = tier_of(terms, &availability);
    let payment = evidence.fee.as_ref().map(|fee| payment(terms, percent, fee)).transpose()?;
    Ok(Credit {
        slices: tally.slices,
        valid: tally.valid,
        failed: tally.failed,
        lost_slices: special.lost_slices(terms.slice),
        excluded: by_category(covered, &workings),
        availability_percent: printed(terms, &availability),
        kept: !availability.is_below(terms.commitment),
        tier,
        percent,
        fee_base: payment.as_ref().map(|payment| payment.base),
        amount: payment.as_ref().map(|payment| payment.amount),
        below_min_payout: payment.as_ref().is_some_and(|payment| payment.below_min),
        currency: evidence.fee.as_ref().map(|fee| fee.currency.clone()),
        claim_by: covered.claim_by(),
        availability,
        estimates,
        estimated,
    })
}

/// Which tier applies, and the share that is credited for it.
fn tier_of(terms: &Terms, availability: &Fraction) -> (Option<usize>, Share) {
    let tier = terms.tiers.iter().rposition(|tier| availability.is_below(tier.below));
    let nothing = Share::from_ratio(0, 1).unwrap_or(Share::ONE);
    let percent = tier.and_then(|tier| terms.tiers.get(tier)).map_or(nothing, |tier| capped(tier.percent, terms.cap));
    (tier, percent)
}

fn availability(terms: &Terms, tally: &Tally, estimated: &Fraction) -> Fraction {
    match terms.measure {
        Measure::Occurrences => {
            let part = |counted: i64| estimated.numerator() + estimated.denominator() * counted.unsigned_abs();
            let (failed, valid) = (part(tally.failed), part(tally.valid));
            if valid == Default::default() { Fraction::one() } else { Fraction::new(&valid - failed, valid) }
        }
        _ if tally.slices == 0 => Fraction::one(),
        _ => tally.lost_time.complement(tally.slices.unsigned_abs()),
    }
}

/// The lesser of a percent and the cap.
fn capped(percent: Share, cap: Option<Share>) -> Share {
    let product = |a: Share, b: Share| u128::from(a.numerator()) * u128::from(b.denominator());
    cap.filter(|cap| product(*cap, percent) < product(percent, *cap)).unwrap_or(percent)
}

fn printed(terms: &Terms, availability: &Fraction) -> i64 {
    let scale = 100 * 10u64.pow(PERCENT_SCALE);
    let rounded = availability.rounded(scale);
    let shown = Fraction::new(rounded.clone(), scale);
    let mut bounds = terms.tiers.iter().map(|tier| tier.below).chain([terms.commitment, Share::ONE]);
    let deceives = bounds.any(|bound| availability.is_below(bound) && !shown.is_below(bound));
    let percent = if deceives { availability.floor(scale) } else { rounded };
    i64::try_from(percent).unwrap_or(i64::MAX)
}

struct Payment {
    base: i128,
    amount: i128,
    below_min: bool,
}

fn payment(terms: &Terms, percent: Share, fee: &Fee) -> Result<Payment, CreditError> {
    let unknown = || CreditError::UnknownCurrency(fee.currency.clone());
    let digits = minor_digits(&fee.currency).ok_or_else(unknown)?;
    if fee.amount < 0 {
        return Err(CreditError::Fee { reason: "the fee is negative" });
    }
    if !(0..=fee.amount).contains(&fee.vouchers) {
        return Err(CreditError::Fee { reason: "vouchers pay between nothing and the whole fee" });
    }
    let base = fee.amount - if terms.exclude_vouchers { fee.vouchers } else { 0 };
    let amount = money::share_of(base, percent, digits);
    let min = terms.min_payout.as_ref();
    if let Some(min) = min.filter(|min| min.currency != fee.currency) {
        return Err(CreditError::MinPayoutCurrency { agreed: min.currency.clone(), paid: fee.currency.clone() });
    }
    let below_min = amount > 0 && min.is_some_and(|min| amount < min.amount);
    Ok(Payment { base, amount: if below_min { 0 } else { amount }, below_min })
}

/// Excluded time that is judged, by category.
fn by_category(covered: &Covered<'_>, workings: &Workings<'_>) -> Vec<(String, i64)> {
    let of = |category: &str| -> i64 {
        let own = workings.honoured.iter().filter(|exclusion| exclusion.category == category);
        own.map(|exclusion| workings.excluded_by(exclusion)).sum()
    };
    let categories = covered.terms.exclusions.iter().map(|exclude| (exclude.category.clone(), of(&exclude.category)));
    categories.filter(|(_, micros)| *micros > 0).collect()
}
