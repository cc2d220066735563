//! What lies between evidence and credit: which exclusions count, what becomes of slices, what the others add up to.

use nines_timeline::Interval;

use crate::agreement::Covered;
use crate::credit::evidence::{CreditError, Evidence, Excluded};
use crate::credit::slices::{Special, Tally, honoured, tally};
use crate::spans::{clip, intersect};

/// The workings of a credit.
pub(crate) struct Workings<'e> {
    /// The exclusions that count, by start.
    pub honoured: Vec<&'e Excluded>,
    pub special: Special,
    pub tally: Tally,
}

impl<'e> Workings<'e> {
    pub fn of(covered: &Covered<'_>, evidence: &'e Evidence) -> Result<Self, CreditError> {
        let honoured = honoured(covered.terms, &evidence.exclusions)?;
        let special = Special::of(covered, &honoured, &evidence.lost, &evidence.active);
        let tally = tally(covered, evidence, &special)?;
        Ok(Workings { honoured, special, tally })
    }

    /// Judged µs that an exclusion takes. A slice that several make up is that one's in which it starts.
    pub fn excluded_by(&self, covered: &Covered<'_>, exclusion: &Excluded) -> i64 {
        let slice = covered.terms.slice;
        let up = |t: i64| t.saturating_add(slice - 1).div_euclid(slice).saturating_mul(slice);
        let started = Interval::new(up(exclusion.interval.start), up(exclusion.interval.end));
        let judged = intersect(&self.special.excluded, &self.special.judged);
        clip(&judged, started).into_iter().map(Interval::duration).sum()
    }
}
