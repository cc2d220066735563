//! What a credit may be at best and at worst, where nothing was counted.

use nines_timeline::Share;

use super::{Credit, payment, tier_of};
use crate::agreement::{Covered, Measure};
use crate::credit::evidence::{CreditError, Evidence};
use crate::credit::fraction::Fraction;
use crate::credit::slices::{Special, honoured};
use crate::spans::{clip, contains};

/// A credit under an assumption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Of 1.
    pub availability: Fraction,
    /// The share of the fee base that would be credited.
    pub percent: Share,
    /// What would be owed, in 10⁻⁶ of the currency's unit; `None` without a fee.
    pub amount: Option<i128>,
}

/// The best and the worst that a period may have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Where telemetry was lost, nothing failed but what was counted.
    pub best: Outcome,
    /// Every slice without a request, unless excluded, was an outage. [`Measure::Occurrences`] knows no slices: there it is what was
    /// worked out.
    pub worst: Outcome,
}

/// The judged slices in which requests were counted, neither excluded nor lost: of all the evidence, before it is
/// [`compacted`](Evidence::compacted).
pub fn measured_slices(covered: &Covered<'_>, evidence: &Evidence) -> Result<i64, CreditError> {
    let honoured = honoured(covered.terms, &evidence.exclusions)?;
    let special = Special::of(covered, &honoured, &evidence.lost);
    let judged = covered.slices();
    let measured = evidence.slices.iter().filter(|counts| {
        counts.valid > 0
            && judged.start <= counts.start
            && counts.start < judged.end
            && !contains(&special.excluded, counts.start)
            && !contains(&special.lost, counts.start)
    });
    Ok(measured.count() as i64)
}

/// The bounds of a credit that comes of this evidence, if requests were counted in so many slices ([`measured_slices`]).
pub fn bounds(
    covered: &Covered<'_>,
    evidence: &Evidence,
    credit: &Credit,
    measured: i64,
) -> Result<Bounds, CreditError> {
    let (terms, judged) = (covered.terms, covered.slices());
    let outcome = |availability: Fraction| {
        let (_, percent) = tier_of(terms, &availability);
        let amount = evidence.fee.as_ref().map(|fee| payment(terms, percent, fee).map(|payment| payment.amount));
        Ok(Outcome { availability, percent, amount: amount.transpose()? })
    };
    let best = match credit.lost_slices {
        0 => credit.availability.clone(),
        _ => super::credit(covered, &Evidence { lost: Vec::new(), ..evidence.clone() })?.availability,
    };
    let honoured = honoured(terms, &evidence.exclusions)?;
    let special = Special::of(covered, &honoured, &evidence.lost);
    let excluded: i64 = clip(&special.excluded, judged).iter().map(|span| span.duration()).sum();
    let unmeasured = (judged.duration() - excluded) / terms.slice - credit.lost_slices - measured;
    let worst = match terms.measure {
        Measure::Occurrences => credit.availability.clone(),
        _ if credit.slices == 0 => credit.availability.clone(),
        _ => credit.availability.minus(unmeasured.max(0).unsigned_abs(), credit.slices.unsigned_abs()),
    };
    // A loss that is estimated from days may come to less than what was counted in it.
    Ok(Bounds { best: outcome(best.max(credit.availability.clone()))?, worst: outcome(worst)? })
}
