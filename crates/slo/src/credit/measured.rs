//! What bounds need of slices that a statement does not keep: how many were measured, and where a run of bad ones must end.

use nines_timeline::Interval;

use crate::agreement::{Covered, Measure};
use crate::credit::evidence::{Counts, CreditError, Evidence};
use crate::credit::slices::{Special, honoured};
use crate::spans::{clip, contains, intersect, subtract};

/// What was measured in a stretch of time. Stretches that follow each other add up ([`Measured::then`]); their size does not
/// grow with the requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Judged slices with requests, neither excluded nor lost.
    pub slices: i64,
    /// Whether a judged slice had a valid request, whatever became of the slice.
    pub used: bool,
    /// Valid requests of lost slices that are not listed, because they had no failure.
    pub(crate) lost_valid: i64,
    /// For [`Measure::Downtime`]: from the first to the last slice that was measured and was not bad.
    pub(crate) good: Option<Interval>,
    /// µs of runs between those that would be downtime, had nothing but them been good.
    pub(crate) down: i64,
}

impl Measured {
    /// Takes a slice into account. Slices ascend.
    pub(crate) fn add(&mut self, covered: &Covered<'_>, special: &Special, counts: &Counts) {
        if counts.valid == 0 || !contains(&special.judged, counts.start) {
            return;
        }
        self.used = true;
        if contains(&special.excluded, counts.start) || contains(&special.lost, counts.start) {
            return;
        }
        self.slices += 1;
        let Measure::Downtime { bad, .. } = covered.terms.measure else { return };
        let is_bad =
            counts.failed > 0 && counts.valid >= covered.terms.min_requests && bad.holds(counts.failed, counts.valid);
        if !is_bad {
            let slice = Interval::new(counts.start, counts.start + covered.terms.slice);
            self.join(covered, special, slice);
        }
    }

    /// What was measured in this stretch and in a later one. Of the evidence all but its slices matters, which is that of both.
    pub fn then(&mut self, later: Measured, covered: &Covered<'_>, evidence: &Evidence) -> Result<(), CreditError> {
        self.slices += later.slices;
        self.used |= later.used;
        let reason = "more requests than can be counted";
        let too_many = CreditError::Counts { start: covered.slices().start, reason };
        self.lost_valid = self.lost_valid.checked_add(later.lost_valid).ok_or(too_many)?;
        self.down += later.down;
        if let Some(good) = later.good {
            let honoured = honoured(covered, &evidence.exclusions)?;
            self.join(covered, &Special::of(covered, &honoured, &evidence.lost, &evidence.active), good);
        }
        Ok(())
    }

    fn join(&mut self, covered: &Covered<'_>, special: &Special, good: Interval) {
        if let Some(before) = self.good {
            self.down += down(covered, special, Interval::new(before.end, good.start));
        }
        self.good = Some(Interval::new(self.good.map_or(good.start, |before| before.start), good.end));
    }

    /// µs of runs that would be downtime, had nothing been good but what was measured so.
    pub(crate) fn worst_downtime(&self, covered: &Covered<'_>, special: &Special) -> i64 {
        let whole = covered.slices();
        match self.good {
            None => down(covered, special, whole),
            Some(good) => {
                self.down
                    + down(covered, special, Interval::new(whole.start, good.start))
                    + down(covered, special, Interval::new(good.end, whole.end))
            }
        }
    }
}

/// µs of downtime, were all of these slices bad that are judged and not excluded.
fn down(covered: &Covered<'_>, special: &Special, within: Interval) -> i64 {
    let Measure::Downtime { min_run, .. } = covered.terms.measure else { return 0 };
    if within.duration() < min_run.max(1) {
        return 0;
    }
    let runs = subtract(&intersect(&special.judged, &[within]), &clip(&special.excluded, within));
    runs.into_iter().map(Interval::duration).filter(|run| *run >= min_run).sum()
}
