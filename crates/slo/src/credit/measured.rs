//! What bounds need of slices that a statement does not keep: how many were measured, and where a run of bad ones must end.

use nines_timeline::Interval;

use crate::agreement::{Covered, Downtime, ExcludedTime, Measure};
use crate::credit::evidence::{Counts, CreditError};
use crate::credit::judged::runs;
use crate::credit::slices::Special;
use crate::spans::clip;

/// What was measured in a stretch of time. Stretches that follow each other add up ([`Compactor::join`](crate::Compactor::join)); their size does not
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
    /// Takes a judged slice into account, by its start; `lost` is the lost time that is not excluded. Slices ascend.
    pub(crate) fn add(
        &mut self,
        covered: &Covered<'_>,
        special: &Special,
        lost: &[Interval],
        start: i64,
        sums: SliceSums,
    ) {
        if sums.outside > 0 {
            self.time += weight(covered, special, Interval::new(start, start + covered.terms.slice));
            self.add_good(covered, special, lost, start, sums);
        }
    }

    /// Takes a slice into account that is judged, or lies beside those that are.
    pub(crate) fn add_good(
        &mut self,
        covered: &Covered<'_>,
        special: &Special,
        lost: &[Interval],
        start: i64,
        sums: SliceSums,
    ) {
        let (terms, SliceSums { outside, failed, spared }) = (covered.terms, sums);
        if outside == 0 {
            return;
        }
        let slice = Interval::new(start, start + terms.slice);
        let Measure::Downtime { bad, .. } = terms.measure else { return };
        // What was lost in part is known only with the estimate, and is taken for down at worst.
        if !clip(lost, slice).is_empty() {
            return;
        }
        let valid = match terms.excluded_time {
            ExcludedTime::ErrorFree => outside.saturating_add(spared),
            ExcludedTime::Removed => outside,
        };
        if !(failed > 0 && outside >= terms.min_requests && bad.holds(failed, valid)) {
            self.join(covered, special, slice);
        }
    }

    /// What was measured in this stretch and in a later one.
    pub(crate) fn then(
        &mut self,
        later: Measured,
        covered: &Covered<'_>,
        special: &Special,
    ) -> Result<(), CreditError> {
        self.time += later.time;
        self.used |= later.used;
        let sum = self.lost_valid.checked_add(later.lost_valid);
        self.lost_valid = sum.ok_or(CreditError::too_many(covered.slices().start))?;
        self.down.then(later.down);
        if let Some(good) = later.good {
            self.join(covered, special, good);
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
        let whole = special.reach();
        let Some(good) = self.good else { return down(covered, special, whole) };
        let mut all = down(covered, special, Interval::new(whole.start, good.start));
        all.then(self.down.clone());
        all.then(down(covered, special, Interval::new(good.end, whole.end)));
        all
    }
}

/// What was counted in a slice, but for what was lost.
#[derive(Default)]
pub(crate) struct SliceSums {
    /// Valid requests outside of excluded time.
    pub outside: i64,
    /// Failed ones of these.
    pub failed: i64,
    /// Valid requests in excluded time.
    pub spared: i64,
}

impl SliceSums {
    pub fn add(&mut self, counts: &Counts, excluded: bool) {
        if excluded {
            self.spared = self.spared.saturating_add(counts.valid);
        } else {
            self.outside = self.outside.saturating_add(counts.valid);
            self.failed = self.failed.saturating_add(counts.failed);
        }
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

/// The downtime, were all of these slices bad that are not excluded: those that are judged, and those beside them.
fn down(covered: &Covered<'_>, special: &Special, within: Interval) -> Downtime {
    let (terms, mut downtime) = (covered.terms, Downtime::default());
    let Some(min_run) = terms.measure.min_run() else { return downtime };
    if within.duration() < min_run.max(1) {
        return downtime;
    }
    let bad = special.followed(within);
    let runs = runs(&bad, special, min_run, terms.bridge);
    runs.iter().for_each(|outage| terms.credits.add(outage, terms.time_zone, &mut downtime));
    downtime
}
