//! What a credit may be at best and at worst, where nothing was counted.

use nines_timeline::{Interval, normalize};

use super::parts::{Weighed, deciding, parted, together};
use super::{Credit, Figure, Parted, availability, capped, figure, is_kept, payment, printed, share};
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
/// [`compacted`](Evidence::compacted): once, or for each of its [`parts`](Evidence::parts).
pub fn bounds(
    covered: &Covered<'_>,
    evidence: &Evidence,
    credit: &Credit,
    measured: &[Measured],
) -> Result<Bounds, CreditError> {
    let parts = parted(covered, evidence)?;
    let [mut best, mut worst] = [Vec::with_capacity(parts.len()), Vec::with_capacity(parts.len())];
    let nothing = Measured::default();
    for part in &parts {
        let own = part.counted.and_then(|at| measured.get(at)).unwrap_or(&nothing);
        let [at_best, at_worst] = match covered.terms.has_parts() {
            false => alone(&part.covered, &part.evidence, credit, credit.percent.clone(), own)?,
            true => {
                let Figure { credit, share, .. } = figure(&part.covered, &part.evidence)?;
                alone(&part.covered, &part.evidence, &credit, share, own)?
            }
        };
        best.push(at_best);
        worst.push(at_worst);
    }
    let outcome = |figures: Vec<Alone>| {
        let all = || parts.iter().zip(&figures);
        let weighed: Vec<Weighed<'_>> = all().map(|(part, own)| own.weighed(part)).collect();
        let percent =
            capped(covered.terms, together(covered.terms, all().map(|(part, own)| (part.metric, &own.share))));
        let fee = evidence.fee.as_ref();
        let amount = fee.map(|fee| payment(covered, &percent, evidence, fee).map(|payment| payment.amount));
        let decides = &figures[deciding(&weighed)];
        let (availability, availability_percent) = (decides.availability.clone(), decides.availability_percent);
        Ok(Outcome { availability, availability_percent, percent, amount: amount.transpose()? })
    };
    Ok(Bounds { best: outcome(best)?, worst: outcome(worst)? })
}

/// A figure under an assumption.
struct Alone {
    availability: Fraction,
    availability_percent: i64,
    share: Fraction,
    kept: bool,
}

impl Alone {
    fn weighed<'a>(&'a self, part: &Parted<'_>) -> Weighed<'a> {
        Weighed { metric: part.metric, share: &self.share, kept: self.kept, availability: &self.availability }
    }
}

/// One figure at best and at worst.
fn alone(
    covered: &Covered<'_>,
    evidence: &Evidence,
    credit: &Credit,
    share_as_counted: Fraction,
    measured: &Measured,
) -> Result<[Alone; 2], CreditError> {
    let terms = covered.terms;
    let figure = |availability: Fraction, downtime: &Downtime| Alone {
        availability_percent: printed(terms, &availability),
        share: share(covered, &availability, downtime),
        kept: is_kept(terms, &availability),
        availability,
    };
    let honoured = honoured(covered, &evidence.exclusions)?;
    let special = Special::of(covered, &honoured, evidence, &evidence.lost);
    let as_counted = || Alone {
        availability: credit.availability.clone(),
        availability_percent: credit.availability_percent,
        share: share_as_counted.clone(),
        kept: credit.kept,
    };
    let best = match credit.lost_slices == 0 && special.lost_beside().is_empty() {
        true => as_counted(),
        false => {
            let nothing_lost = Special::of(covered, &honoured, evidence, &[]);
            let judged = Judged::of(covered, evidence, &nothing_lost, &[])?;
            let valid = judged.valid.checked_add(measured.lost_valid);
            let valid = valid.ok_or(CreditError::too_many(covered.slices().start))?;
            let judged = Judged { valid, ..judged };
            let best = figure(availability(terms, &judged, &Fraction::zero()), &judged.downtime(terms));
            // A loss that is estimated from days may come to less than what was counted in it.
            if best.availability < credit.availability { as_counted() } else { best }
        }
    };
    let time = denominator(covered, &special);
    let worst = match terms.measure {
        Measure::Occurrences => as_counted(),
        _ if time == 0 => as_counted(),
        Measure::Downtime { .. } => {
            let down = measured.worst_downtime(covered, &special);
            figure(Fraction::one().minus(down.time.unsigned_abs(), time.unsigned_abs()), &down)
        }
        Measure::MeanErrorRate | Measure::BadSlices(_) | Measure::Proportional(_) => {
            let silent = silent(covered, &special, evidence, measured)?;
            let silent = silent.times(terms.slice.unsigned_abs(), time.unsigned_abs());
            figure(credit.availability.less(&silent), &Downtime::default())
        }
    };
    Ok([best, worst])
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
    if lost.is_empty() {
        return Ok(silent);
    }
    let estimates = estimates(covered, evidence, special);
    let judged = Judged::of(covered, evidence, special, &estimates)?;
    let mut taken = Sum::default();
    let begins_plain = |own: &&JudgedSlice| own.outside == 0 && own.estimate.is_some() && contains(&touched, own.start);
    judged.slices.iter().filter(begins_plain).for_each(|own| own.add_to(&mut taken, covered.terms.measure, slice));
    Ok(silent.less(&taken.total()))
}
