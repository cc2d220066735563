//! What bounds need of slices that a statement does not keep: how many were measured, and where a run of bad ones must end.

use nines_timeline::Interval;

use crate::agreement::{Covered, Downtime, ExcludedTime, Measure};
use crate::credit::evidence::{Counts, CreditError, Evidence};
use crate::credit::judged::runs;
use crate::credit::slices::{Special, honoured};
use crate::spans::{clip, contains, intersect, subtract};

/// What was measured in a stretch of time. Stretches that follow each other add up ([`Measured::then`]); their size does not
/// grow with the requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// µs of the denominator in judged slices with a request that was neither excluded nor lost.
    pub time: i64,
    /// Whether a judged slice had a valid request, whatever became of the slice.
    pub used: bool,
    /// Valid requests of lost slices that are not listed, because they had no failure.
    pub(crate) lost_valid: i64,
    /// For [`Measure::Downtime`]: from the first to the last slice that was measured and was not bad.
    pub(crate) good: Option<Interval>,
    /// Runs between those that would be downtime, had nothing but them been good.
    pub(crate) down: Downtime,
}

impl Measured {
    /// Takes a slice into account, in the pieces in which it is counted. Slices ascend.
    pub(crate) fn add(&mut self, covered: &Covered<'_>, special: &Special, pieces: &[Counts]) {
        let Some(first) = pieces.first() else { return };
        let (terms, start) = (covered.terms, special.slices.start_of(first.start));
        if !contains(&special.judged, start) {
            return;
        }
        let slice = Interval::new(start, start + terms.slice);
        let is_lost = |at: i64| contains(&special.lost, at) && !contains(&special.excluded, at);
        let plain = |counts: &&Counts| !contains(&special.excluded, counts.start) && !is_lost(counts.start);
        let sum = |of: &dyn Fn(&Counts) -> i64| pieces.iter().filter(plain).map(of).fold(0, i64::saturating_add);
        self.used |= pieces.iter().any(|counts| counts.valid > 0);
        let (outside, failed) = (sum(&|counts| counts.valid), sum(&|counts| counts.failed));
        if outside == 0 {
            return;
        }
        self.time += weight(covered, special, slice);
        let Measure::Downtime { bad, .. } = terms.measure else { return };
        // What was lost in part is known only with the estimate, and is taken for down at worst.
        if !clip(&subtract(&special.lost, &special.excluded), slice).is_empty() {
            return;
        }
        let spared = |counts: &&Counts| {
            terms.excluded_time == ExcludedTime::ErrorFree && contains(&special.excluded, counts.start)
        };
        let valid = pieces.iter().filter(spared).map(|counts| counts.valid).fold(outside, i64::saturating_add);
        if !(failed > 0 && outside >= terms.min_requests && bad.holds(failed, valid)) {
            self.join(covered, special, slice);
        }
    }

    /// What was measured in this stretch and in a later one. Of the evidence all but its slices matters, which is that of both.
    pub fn then(&mut self, later: Measured, covered: &Covered<'_>, evidence: &Evidence) -> Result<(), CreditError> {
        self.time += later.time;
        self.used |= later.used;
        let reason = "more requests than can be counted";
        let too_many = CreditError::Counts { start: covered.slices().start, reason };
        self.lost_valid = self.lost_valid.checked_add(later.lost_valid).ok_or(too_many)?;
        self.down.then(later.down);
        if let Some(good) = later.good {
            let honoured = honoured(covered, &evidence.exclusions)?;
            self.join(covered, &Special::of(covered, &honoured, evidence, &evidence.lost), good);
        }
        Ok(())
    }

    fn join(&mut self, covered: &Covered<'_>, special: &Special, good: Interval) {
        if let Some(before) = self.good {
            self.down.then(down(covered, special, Interval::new(before.end, good.start)));
        }
        self.good = Some(Interval::new(self.good.map_or(good.start, |before| before.start), good.end));
    }

    /// Runs that would be downtime, had nothing been good but what was measured so.
    pub(crate) fn worst_downtime(&self, covered: &Covered<'_>, special: &Special) -> Downtime {
        let whole = covered.slices();
        let Some(good) = self.good else { return down(covered, special, whole) };
        let mut all = down(covered, special, Interval::new(whole.start, good.start));
        all.then(self.down.clone());
        all.then(down(covered, special, Interval::new(good.end, whole.end)));
        all
    }
}

/// µs of a judged slice in the denominator.
pub(crate) fn weight(covered: &Covered<'_>, special: &Special, slice: Interval) -> i64 {
    let excluded = || clip(&special.excluded, slice).into_iter().map(Interval::duration).sum::<i64>();
    match covered.terms.excluded_time {
        ExcludedTime::ErrorFree => slice.duration(),
        ExcludedTime::Removed => slice.duration() - excluded(),
    }
}

/// The downtime, were all of these slices bad that are judged and not excluded.
fn down(covered: &Covered<'_>, special: &Special, within: Interval) -> Downtime {
    let (terms, mut downtime) = (covered.terms, Downtime::default());
    let Some(min_run) = terms.measure.min_run() else { return downtime };
    if within.duration() < min_run.max(1) {
        return downtime;
    }
    let bad = intersect(&special.judged, &[within]);
    let runs = runs(&bad, special, min_run, terms.bridge);
    runs.iter().for_each(|outage| terms.credits.add(outage, terms.time_zone, &mut downtime));
    downtime
}
