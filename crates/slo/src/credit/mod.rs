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
mod fee_base;
mod judged;
mod measured;
mod members;
mod parts;
mod pieces;
mod slices;
mod sum;
mod workings;

pub use bounds::{Bounds, Outcome, bounds};
pub use compact::{Compacted, Compactor};
pub use estimate::Estimate;
pub use evidence::{Counts, CreditError, Credited, Evidence, Excluded, Fee, MonthFee, Part};
pub use measured::Measured;
pub use parts::PartCredit;
pub use pieces::Pieces;

pub(crate) use fee_base::{FeeBase, fee_days};
pub(crate) use judged::{Fate, Judged, JudgedSlice, available};
pub(crate) use parts::{Parted, parted, together};
use parts::{Weighed, deciding};
pub(crate) use sum::Sum;
pub(crate) use workings::Workings;

use std::borrow::Cow;

use nines_timeline::Share;

use crate::agreement::{Cap, Covered, Downtime, Figures, Measure, Money, Terms, YearCap};
use crate::fraction::{Fraction, PERCENT_SCALE, Rounding};
use crate::money::minor_digits;

/// What is owed for a period, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Slices in the denominator: all that lie wholly in the covered part of the period, less those that are removed whole.
    pub slices: i64,
    /// Valid requests that were counted; those of lost and of removed slices are dropped.
    pub valid: i64,
    /// Failed requests that were counted, outside of excluded and lost slices.
    pub failed: i64,
    /// Judged slices whose failures could not be counted, in part or whole.
    pub lost_slices: i64,
    /// Failed requests that are assumed there, outage by outage: added to failed and to valid, of all for
    /// [`Measure::Occurrences`], else of the slice of which a part was lost. One that was lost whole has error rate 1.
    pub estimates: Vec<Estimate>,
    /// The sum of the estimates.
    pub estimated: Fraction,
    /// Excluded time by category, in µs, each counted once, in the order of the agreement; only what is not 0.
    pub excluded: Vec<(String, i64)>,
    /// Of 1.
    pub availability: Fraction,
    /// The availability in 10⁻⁶ percent, rounded for print: 99.884259 % is 99,884,259. Half-even, but down where that
    /// would reach a bound (a tier, the commitment, 100 %) that was missed.
    pub availability_percent: i64,
    /// Whether the commitment was kept; of several metrics those of all.
    pub kept: bool,
    /// Which of the agreement's tiers applies, where credits go by tiers.
    pub tier: Option<usize>,
    /// The share of the fee base that is credited: at most the cap where that is a share, and at most all of it.
    pub percent: Fraction,
    /// The fee without what vouchers paid, if they are excluded, and for the judged days, if it is prorated; in 10⁻⁶ of the
    /// currency's unit.
    pub fee_base: Option<i128>,
    /// What is owed, in 10⁻⁶ of the currency's unit; `None` without a fee.
    pub amount: Option<i128>,
    /// Whether an amount was below the least that is paid out, so that it is 0.
    pub below_min_payout: bool,
    /// The fee's currency.
    pub currency: Option<String>,
    /// The instant (µs) before which the credit must be claimed.
    pub claim_by: Option<i64>,
    /// Where there are several figures, all of them, by metric and member: one of them decides, and the figures above are its own.
    pub parts: Vec<PartCredit>,
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
    let parts = parted(covered, evidence)?;
    let mut figures = Vec::with_capacity(parts.len());
    for part in &parts {
        figures.push(figure(&part.covered, &part.evidence)?);
    }
    let all = || parts.iter().zip(&figures);
    let weighed: Vec<Weighed<'_>> = all().map(|(part, figure)| figure.weighed(part.metric)).collect();
    let decides = deciding(&weighed);
    let share = together(covered.terms, all().map(|(part, figure)| (part.metric, &figure.share)));
    let percent = capped(covered.terms, share);
    let payment = evidence.fee.as_ref().map(|fee| payment(covered, &percent, evidence, fee)).transpose()?;
    let part_credits = all().enumerate().map(|(at, (part, figure))| PartCredit {
        metric: part.covered.terms.metric.clone(),
        member: part.member.map(str::to_string),
        slices: figure.credit.slices,
        valid: figure.credit.valid,
        failed: figure.credit.failed,
        availability: figure.credit.availability.clone(),
        availability_percent: figure.credit.availability_percent,
        kept: figure.credit.kept,
        share: figure.share.clone(),
        decides: at == decides,
    });
    let part_credits = if covered.terms.has_parts() { part_credits.collect() } else { Vec::new() };
    let kept = figures.iter().all(|figure| figure.credit.kept);
    let first_outage = figures.iter().filter_map(|figure| figure.first_outage).min();
    Ok(Credit {
        kept,
        percent,
        fee_base: payment.as_ref().map(|payment| payment.base),
        amount: payment.as_ref().map(|payment| payment.amount),
        below_min_payout: payment.as_ref().is_some_and(|payment| payment.below_min),
        currency: evidence.fee.as_ref().map(|fee| fee.currency.clone()),
        claim_by: covered.claim_by(first_outage),
        parts: part_credits,
        ..figures.swap_remove(decides).credit
    })
}

/// One figure, before anything is paid.
pub(crate) struct Figure {
    /// Without an amount; its percent is limited by the cap.
    pub credit: Credit,
    /// The share that it credits, without the cap.
    pub share: Fraction,
    /// When its first outage ended.
    first_outage: Option<i64>,
}

impl Figure {
    fn weighed(&self, metric: usize) -> Weighed<'_> {
        Weighed { metric, share: &self.share, kept: self.credit.kept, availability: &self.credit.availability }
    }
}

/// What evidence of one figure comes to.
pub(crate) fn figure(covered: &Covered<'_>, evidence: &Evidence) -> Result<Figure, CreditError> {
    let terms = covered.terms;
    let workings = Workings::of(covered, evidence)?;
    let Workings { special, judged, estimates, .. } = &workings;
    let estimated = estimates.iter().fold(Fraction::zero(), |sum, estimate| sum.plus(&estimate.failed));
    let availability = availability(terms, judged, &estimated);
    let share = share(covered, &availability, &judged.downtime(terms));
    let first_outage = judged.outages.first().and_then(|outage| outage.last()).map(|span| span.end);
    let credit = Credit {
        slices: judged.number,
        valid: judged.valid,
        failed: judged.failed,
        lost_slices: special.lost_slices(),
        excluded: by_category(covered, &workings),
        availability_percent: printed(terms, &availability),
        kept: is_kept(terms, &availability),
        tier: tier_of(terms, &availability),
        percent: capped(terms, share.clone()),
        fee_base: None,
        amount: None,
        below_min_payout: false,
        currency: None,
        claim_by: None,
        availability,
        estimates: estimates.clone(),
        estimated,
        parts: Vec::new(),
    };
    Ok(Figure { credit, share, first_outage })
}

/// Whether the commitment is kept.
fn is_kept(terms: &Terms, availability: &Fraction) -> bool {
    !decisive(terms, availability).is_below(terms.commitment)
}

/// The availability that decides: rounded where the agreement rounds it.
pub(crate) fn decisive<'a>(terms: &Terms, availability: &'a Fraction) -> Cow<'a, Fraction> {
    terms.round.map_or(Cow::Borrowed(availability), |round| Cow::Owned(round.availability(availability)))
}

/// Which tier applies, where credits go by tiers.
fn tier_of(terms: &Terms, availability: &Fraction) -> Option<usize> {
    terms.credits.applying(&decisive(terms, availability))
}

/// What the agreement's form of credits reads.
pub(crate) fn figures<'a>(covered: &Covered<'_>, decisive: &'a Fraction, downtime: &'a Downtime) -> Figures<'a> {
    Figures { availability: decisive, commitment: covered.terms.commitment, downtime, days: covered.period.days() }
}

/// The share of the fee base that a figure credits, without the cap.
fn share(covered: &Covered<'_>, availability: &Fraction, downtime: &Downtime) -> Fraction {
    let decisive = decisive(covered.terms, availability);
    covered.terms.credits.share(figures(covered, &decisive, downtime))
}

/// A share of the fee base, as far as the cap and the fee go.
pub(crate) fn capped(terms: &Terms, share: Fraction) -> Fraction {
    let most = match terms.cap {
        Some(Cap::Share(share)) => Fraction::from(share),
        Some(Cap::Money(_)) | None => Fraction::one(),
    };
    share.min(most)
}

fn availability(terms: &Terms, judged: &Judged, estimated: &Fraction) -> Fraction {
    match terms.measure {
        Measure::Occurrences => of_requests(judged.failed, judged.valid, estimated),
        Measure::MeanErrorRate | Measure::BadSlices(_) | Measure::Downtime { .. } | Measure::Proportional(_) => {
            judged.availability(terms.slice)
        }
    }
}

/// The share of valid requests that did not fail, with those that are assumed to have failed; 1 where there was none.
pub(crate) fn of_requests(failed: i64, valid: i64, estimated: &Fraction) -> Fraction {
    let part = |counted: i64| estimated.numerator() + estimated.denominator() * counted.unsigned_abs();
    let (failed, valid) = (part(failed), part(valid));
    if valid == Default::default() { Fraction::one() } else { Fraction::new(&valid - failed, valid) }
}

/// An availability in 10⁻⁶ percent, rounded for print.
pub(crate) fn printed(terms: &Terms, availability: &Fraction) -> i64 {
    let scale = 100 * 10u64.pow(PERCENT_SCALE);
    let rounded = availability.rounded(scale);
    let shown = Fraction::new(rounded.clone(), scale);
    let mut bounds = vec![(Share::ONE, false)];
    // What the agreement rounds decides as it is printed then, not as it is here.
    if terms.round.is_none() {
        bounds.push((terms.commitment, false));
        bounds.extend(terms.credits.bounds());
    }
    let raised = |bound: Share| availability.is_below(bound) && !shown.is_below(bound);
    let lowered = |bound: Share| availability.cmp_share(bound).is_gt() && shown.cmp_share(bound).is_le();
    let percent = if bounds.iter().any(|(bound, at_too)| !at_too && raised(*bound)) {
        availability.floor(scale)
    } else if bounds.iter().any(|(bound, at_too)| *at_too && lowered(*bound)) {
        rounded + 1u8
    } else {
        rounded
    };
    i64::try_from(percent).unwrap_or(i64::MAX)
}

struct Payment {
    base: i128,
    amount: i128,
    below_min: bool,
}

fn payment(covered: &Covered<'_>, percent: &Fraction, evidence: &Evidence, fee: &Fee) -> Result<Payment, CreditError> {
    let terms = covered.terms;
    let unknown = || CreditError::UnknownCurrency(fee.currency.clone());
    minor_digits(&fee.currency).ok_or_else(unknown)?;
    let paid = FeeBase::of(covered, evidence, fee)?;
    let (places, mode) = amount_rounding(terms, &fee.currency);
    // Rounded once: from what was paid, not from the base that is shown.
    let base = paid.shown();
    let mut amount = paid.share(percent, places, mode);
    if let Some(Cap::Money(cap)) = &terms.cap {
        amount = in_currency(std::slice::from_ref(cap), fee, "cap")?.map_or(amount, |most| amount.min(most));
    }
    if let Some(left) = left_of_year(terms, evidence, fee, &paid, mode)? {
        amount = amount.min(left);
    }
    let least = in_currency(&terms.min_payout, fee, "minPayout")?;
    let below_min = amount > 0 && least.is_some_and(|least| amount < least);
    Ok(Payment { base, amount: if below_min { 0 } else { amount }, below_min })
}

/// What the cap of a year leaves after earlier periods of the year; `None` without such a cap.
pub(crate) fn left_of_year(
    terms: &Terms,
    evidence: &Evidence,
    fee: &Fee,
    paid: &FeeBase,
    mode: Rounding,
) -> Result<Option<i128>, CreditError> {
    let Some(cap) = &terms.cap_of_year else { return Ok(None) };
    let places = minor_digits(&fee.currency).unwrap_or(2);
    let most = match cap {
        YearCap::Money(most) => in_currency(std::slice::from_ref(most), fee, "cap of a year")?,
        YearCap::Share(_) | YearCap::Fees(_) => cap.fees().map(|fees| paid.fees(&fees, places, mode)),
    };
    if evidence.credited.iter().any(|credited| credited.currency != fee.currency) {
        return Err(CreditError::Fee {
            reason: "credits of earlier periods of the year are in another currency, so that what its cap leaves cannot be told",
        });
    }
    let before: i128 = evidence.credited.iter().map(|credited| credited.amount).sum();
    Ok(most.map(|most| most.saturating_sub(before).max(0)))
}

/// To how many decimal places an amount is rounded, and how: to what can be paid, and half-even, unless it is agreed.
pub(crate) fn amount_rounding(terms: &Terms, currency: &str) -> (u32, Rounding) {
    let digits = minor_digits(currency).unwrap_or(2);
    terms.round_amount.map_or((digits, Rounding::HalfEven), |rounded| (rounded.places.min(digits), rounded.mode))
}

/// Of amounts in several currencies the one in the fee's.
fn in_currency(amounts: &[Money], fee: &Fee, clause: &'static str) -> Result<Option<i128>, CreditError> {
    match amounts.iter().find(|own| own.currency == fee.currency) {
        Some(own) => Ok(Some(own.amount)),
        None if amounts.is_empty() => Ok(None),
        None => {
            let agreed: Vec<&str> = amounts.iter().map(|own| own.currency.as_str()).collect();
            Err(CreditError::OtherCurrency { clause, agreed: agreed.join(", "), paid: fee.currency.clone() })
        }
    }
}

/// Excluded time that is judged, by category.
fn by_category(covered: &Covered<'_>, workings: &Workings<'_>) -> Vec<(String, i64)> {
    let of = |category: &str| -> i64 {
        let own = workings.honoured.iter().filter(|honoured| honoured.own.category == category);
        own.map(|honoured| workings.excluded_by(honoured.own)).sum()
    };
    let categories = covered.terms.exclusions.iter().map(|exclude| (exclude.category.clone(), of(&exclude.category)));
    categories.filter(|(_, micros)| *micros > 0).collect()
}
