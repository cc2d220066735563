//! What lies between evidence and credit: which exclusions count, what becomes of slices, what the others add up to.

use nines_timeline::{Interval, normalize};

use crate::agreement::Covered;
use crate::credit::evidence::{CreditError, Evidence, Excluded};
use crate::credit::slices::{Special, Tally, honoured, tally};
use crate::spans::{clip, intersect, subtract};

/// The workings of a credit.
pub(crate) struct Workings<'e> {
    /// The exclusions that count, by start.
    pub honoured: Vec<&'e Excluded>,
    pub special: Special,
    pub tally: Tally,
    /// By exclusion that counts: the judged slices that are its own.
    owned: Vec<Vec<Interval>>,
}

impl<'e> Workings<'e> {
    pub fn of(covered: &Covered<'_>, evidence: &'e Evidence) -> Result<Self, CreditError> {
        let honoured = honoured(covered, &evidence.exclusions)?;
        let special = Special::of(covered, &honoured, &evidence.lost, &evidence.active);
        let tally = tally(covered, evidence, &special)?;
        let owned = owned(covered, &honoured, &special);
        Ok(Workings { honoured, special, tally, owned })
    }

    /// Judged µs that an exclusion takes and no other.
    pub fn excluded_by(&self, exclusion: &Excluded) -> i64 {
        let own = self.honoured.iter().position(|honoured| *honoured == exclusion);
        own.map_or(0, |own| self.owned[own].iter().copied().map(Interval::duration).sum())
    }

    /// Judged µs that begin in an exclusion and are counted for another.
    pub fn shared_by(&self, covered: &Covered<'_>, exclusion: &Excluded) -> i64 {
        let all = beginning(covered, &self.special, exclusion);
        all.into_iter().map(Interval::duration).sum::<i64>() - self.excluded_by(exclusion)
    }
}

/// The excluded judged slices that begin in an exclusion.
fn beginning(covered: &Covered<'_>, special: &Special, exclusion: &Excluded) -> Vec<Interval> {
    let judged = intersect(&special.excluded, &special.judged);
    clip(&judged, covered.grid().beginning(exclusion.interval))
}

/// Which excluded slices are counted for which exclusion, each once: a slice that several make up is that one's in which
/// it begins; one that begins in several is of the category that the agreement names first, then of the earliest.
fn owned(covered: &Covered<'_>, honoured: &[&Excluded], special: &Special) -> Vec<Vec<Interval>> {
    let mut owned: Vec<Vec<Interval>> = honoured.iter().map(|own| beginning(covered, special, own)).collect();
    if honoured.windows(2).all(|pair| pair[0].interval.end <= pair[1].interval.start) {
        return owned;
    }
    let categories = &covered.terms.exclusions;
    let category = |own: &Excluded| categories.iter().position(|clause| clause.category == own.category);
    let mut order: Vec<usize> = (0..honoured.len()).collect();
    order.sort_by_key(|at| (category(honoured[*at]), *at));
    let mut taken: Vec<Interval> = Vec::new();
    for at in order {
        owned[at] = subtract(&owned[at], &taken);
        taken.extend(&owned[at]);
        taken = normalize(taken);
    }
    owned
}
