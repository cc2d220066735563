//! What lies between evidence and credit: which exclusions count, what becomes of slices, what the others add up to.

use nines_timeline::{Interval, normalize};

use crate::agreement::Covered;
use crate::credit::estimate::{Estimate, estimates};
use crate::credit::evidence::{CreditError, Evidence, Excluded};
use crate::credit::judged::{Judged, checked};
use crate::credit::slices::{Honoured, Special, honoured};
use crate::spans::{clip, subtract};

/// The workings of a credit.
pub(crate) struct Workings<'e> {
    /// The exclusions that count, by start.
    pub honoured: Vec<Honoured<'e>>,
    pub special: Special,
    /// What failed where nobody could count it, outage by outage.
    pub estimates: Vec<Estimate>,
    pub judged: Judged,
    /// By exclusion that counts: the judged slices that are its own.
    owned: Vec<Vec<Interval>>,
}

impl<'e> Workings<'e> {
    pub fn of(covered: &Covered<'_>, evidence: &'e Evidence) -> Result<Self, CreditError> {
        let honoured = honoured(covered, &evidence.exclusions)?;
        let special = Special::of(covered, &honoured, evidence, &evidence.lost);
        checked(covered, evidence, &special)?;
        let estimates = estimates(covered, evidence, &special);
        let judged = Judged::of(covered, evidence, &special, &estimates)?;
        let owned = owned(covered, &honoured, &special);
        Ok(Workings { honoured, special, estimates, judged, owned })
    }

    /// Judged µs that an exclusion takes and no other.
    pub fn excluded_by(&self, exclusion: &Excluded) -> i64 {
        let own = self.honoured.iter().position(|honoured| honoured.own == exclusion);
        own.map_or(0, |own| self.owned[own].iter().copied().map(Interval::duration).sum())
    }

    /// Whether an exclusion counts, in part at least.
    pub fn honours(&self, exclusion: &Excluded) -> bool {
        self.honoured.iter().any(|honoured| honoured.own == exclusion && !honoured.parts.is_empty())
    }

    /// What counts of an exclusion that counts in part because an allowance is used up; `None`: it counts as long as it is.
    pub fn cut_short(&self, exclusion: &Excluded) -> Option<&[Interval]> {
        let own = self.honoured.iter().find(|honoured| honoured.own == exclusion)?;
        (own.parts != [exclusion.interval]).then_some(own.parts.as_slice())
    }

    /// Judged µs that begin in an exclusion and are counted for another.
    pub fn shared_by(&self, exclusion: &Excluded) -> i64 {
        let own = self.honoured.iter().find(|honoured| honoured.own == exclusion);
        let all = own.map_or_else(Vec::new, |own| beginning(&self.special, own));
        all.into_iter().map(Interval::duration).sum::<i64>() - self.excluded_by(exclusion)
    }
}

/// The excluded judged slices that begin in what counts of an exclusion.
fn beginning(special: &Special, honoured: &Honoured<'_>) -> Vec<Interval> {
    let (excluded, parts) = (special.excluded_time(), &honoured.parts);
    parts.iter().flat_map(|part| clip(&excluded, special.excluding.beginning(*part))).collect()
}

/// Which excluded slices are counted for which exclusion, each once: a slice that several make up is that one's in which
/// it begins; one that begins in several is of the category that the agreement names first, then of the earliest.
fn owned(covered: &Covered<'_>, honoured: &[Honoured<'_>], special: &Special) -> Vec<Vec<Interval>> {
    let mut owned: Vec<Vec<Interval>> = honoured.iter().map(|own| beginning(special, own)).collect();
    if honoured.windows(2).all(|pair| pair[0].own.interval.end <= pair[1].own.interval.start) {
        return owned;
    }
    let categories = &covered.terms.exclusions;
    let category = |own: &Honoured<'_>| categories.iter().position(|clause| clause.category == own.own.category);
    let mut order: Vec<usize> = (0..honoured.len()).collect();
    order.sort_by_key(|at| (category(&honoured[*at]), *at));
    let mut taken: Vec<Interval> = Vec::new();
    for at in order {
        owned[at] = subtract(&owned[at], &taken);
        taken.extend(&owned[at]);
        taken = normalize(taken);
    }
    owned
}
