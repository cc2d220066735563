//! What a credit may be at best and at worst, where nothing was counted.

use nines_timeline::{Interval, normalize};

use super::{Credit, availability, payment, percent, printed};
use crate::agreement::{Covered, Downtime, ExcludedTime, Measure};
use crate::credit::estimate::estimates;
use crate::credit::evidence::{CreditError, Evidence};
use crate::credit::judged::{Judged, JudgedSlice};
use crate::credit::measured::Measured;
use crate::credit::slices::{Special, honoured};
use crate::credit::sum::Sum;
use crate::fraction::Fraction;
use crate::spans::{contains, intersect, subtract};

/// A credit under an assumption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Of 1.
    pub availability: Fraction,
    /// In 10⁻⁶ percent, rounded as [`Credit::availability_percent`] is.
    pub availability_percent: i64,
    /// The share of the fee base that would be credited.
    pub percent: Fraction,
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
    let outcome = |availability: Fraction, downtime: &Downtime| {
        let percent = percent(covered, &availability, downtime);
        let amount = evidence.fee.as_ref().map(|fee| payment(terms, &percent, fee).map(|payment| payment.amount));
        let availability_percent = printed(terms, &availability);
        Ok(Outcome { availability, availability_percent, percent, amount: amount.transpose()? })
    };
    let honoured = honoured(covered, &evidence.exclusions)?;
    let special = Special::of(covered, &honoured, evidence, &evidence.lost);
    let as_counted = Outcome {
        availability: credit.availability.clone(),
        availability_percent: credit.availability_percent,
        percent: credit.percent.clone(),
        amount: credit.amount,
    };
    let best = match credit.lost_slices {
        0 => as_counted.clone(),
        _ => {
            let nothing_lost = Special::of(covered, &honoured, evidence, &[]);
            let judged = Judged::of(covered, evidence, &nothing_lost, &[])?;
            let reason = "more requests than can be counted";
            let too_many = CreditError::Counts { start: covered.slices().start, reason };
            let valid = judged.valid.checked_add(measured.lost_valid).ok_or(too_many)?;
            let judged = Judged { valid, ..judged };
            let best = outcome(availability(terms, &judged, &Fraction::zero()), &judged.downtime(terms))?;
            // A loss that is estimated from days may come to less than what was counted in it.
            if best.availability < as_counted.availability { as_counted.clone() } else { best }
        }
    };
    let time = denominator(covered, &special);
    let worst = match terms.measure {
        Measure::Occurrences => as_counted,
        _ if time == 0 => as_counted,
        Measure::Downtime { .. } => {
            let down = measured.worst_downtime(covered, &special);
            outcome(Fraction::one().minus(down.time.unsigned_abs(), time.unsigned_abs()), &down)?
        }
        Measure::MeanErrorRate | Measure::BadSlices(_) | Measure::Proportional(_) => {
            let silent = silent(covered, &special, evidence, measured)?;
            let silent = silent.times(terms.slice.unsigned_abs(), time.unsigned_abs());
            outcome(credit.availability.less(&silent), &Downtime::default())?
        }
    };
    Ok(Bounds { best, worst })
}

/// µs of the denominator.
fn denominator(covered: &Covered<'_>, special: &Special) -> i64 {
    let removed = match covered.terms.excluded_time {
        ExcludedTime::ErrorFree => 0,
        ExcludedTime::Removed => special.excluded_time().into_iter().map(Interval::duration).sum(),
    };
    special.judged_time() - removed
}

/// What slices without a request would take, were they outages, beside what is taken for lost telemetry in them; in slices.
fn silent(
    covered: &Covered<'_>,
    special: &Special,
    evidence: &Evidence,
    measured: &Measured,
) -> Result<Fraction, CreditError> {
    let slice = covered.terms.slice;
    let lost = special.lost_time();
    let plain = subtract(&subtract(&special.judged, &special.excluded), &lost);
    let touched = normalize(plain.into_iter().map(|span| special.slices.touched(span)).collect());
    let whole: i64 = touched.iter().map(|span| span.duration()).sum();
    let removed: i64 = match covered.terms.excluded_time {
        ExcludedTime::ErrorFree => 0,
        ExcludedTime::Removed => intersect(&special.excluded, &touched).into_iter().map(Interval::duration).sum(),
    };
    let silent = (whole - removed - measured.time).max(0);
    let silent = Fraction::new(silent.unsigned_abs(), slice.unsigned_abs());
    let estimates = estimates(covered, evidence, special);
    let judged = Judged::of(covered, evidence, special, &estimates)?;
    let mut taken = Sum::default();
    let begins_plain = |own: &&JudgedSlice| own.outside == 0 && own.estimate.is_some() && contains(&touched, own.start);
    judged.slices.iter().filter(begins_plain).for_each(|own| own.add_to(&mut taken, covered.terms.measure, slice));
    Ok(silent.less(&taken.total()))
}
