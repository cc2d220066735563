//! What a credit may be at best and at worst, where nothing was counted.

use nines_timeline::Share;

use super::{Credit, availability, payment, printed, tier_of};
use crate::agreement::{Covered, Measure};
use crate::credit::evidence::{CreditError, Evidence};
use crate::credit::fraction::Fraction;
use crate::credit::measured::Measured;
use crate::credit::slices::{Special, Tally, honoured, tally};

/// A credit under an assumption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Of 1.
    pub availability: Fraction,
    /// In 10⁻⁶ percent, rounded as [`Credit::availability_percent`] is.
    pub availability_percent: i64,
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
    /// Every slice without a request, unless excluded, was an outage, which joins runs of bad slices beside it.
    /// [`Measure::Occurrences`] knows no slices: there it is what was worked out.
    pub worst: Outcome,
}

/// The bounds of a credit that comes of this evidence, of which so much was measured before it was
/// [`compacted`](Evidence::compacted).
pub fn bounds(
    covered: &Covered<'_>,
    evidence: &Evidence,
    credit: &Credit,
    measured: &Measured,
) -> Result<Bounds, CreditError> {
    let terms = covered.terms;
    let outcome = |availability: Fraction| {
        let (_, percent) = tier_of(terms, &availability);
        let amount = evidence.fee.as_ref().map(|fee| payment(terms, percent, fee).map(|payment| payment.amount));
        let availability_percent = printed(terms, &availability);
        Ok(Outcome { availability, availability_percent, percent, amount: amount.transpose()? })
    };
    let honoured = honoured(covered, &evidence.exclusions)?;
    let best = match credit.lost_slices {
        0 => credit.availability.clone(),
        _ => {
            let special = Special::of(covered, &honoured, &[], &evidence.active);
            let tally = tally(covered, evidence, &special)?;
            let reason = "more requests than can be counted";
            let too_many = CreditError::Counts { start: covered.slices().start, reason };
            let valid = tally.valid.checked_add(measured.lost_valid).ok_or(too_many)?;
            availability(terms, &Tally { valid, ..tally }, &Fraction::zero())
        }
    };
    let special = Special::of(covered, &honoured, &evidence.lost, &evidence.active);
    let unmeasured =
        (special.judged_time() - special.excluded_time()) / terms.slice - credit.lost_slices - measured.slices;
    let worst = match terms.measure {
        Measure::Occurrences => credit.availability.clone(),
        _ if credit.slices == 0 => credit.availability.clone(),
        Measure::Downtime { .. } => {
            let down = measured.worst_downtime(covered, &special) / terms.slice;
            Fraction::one().minus(down.unsigned_abs(), credit.slices.unsigned_abs())
        }
        _ => credit.availability.minus(unmeasured.max(0).unsigned_abs(), credit.slices.unsigned_abs()),
    };
    // A loss that is estimated from days may come to less than what was counted in it.
    Ok(Bounds { best: outcome(best.max(credit.availability.clone()))?, worst: outcome(worst)? })
}
