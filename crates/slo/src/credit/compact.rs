//! Evidence without what cannot change a figure: what a statement keeps.

use nines_timeline::Interval;

use crate::agreement::{Covered, ExcludedTime};
use crate::credit::evidence::{Counts, CreditError, Evidence, Part};
use crate::credit::measured::{Measured, SliceSums};
use crate::credit::pieces::Pieces;
use crate::credit::slices::{Special, honoured};
use crate::spans::{contains, subtract};

/// Which counts decide, worked out once from all of the evidence but its counts, for counts that come day after day.
#[derive(Debug)]
pub struct Compactor {
    /// Where counts are cut.
    pub pieces: Pieces,
    special: Special,
    /// Lost time that is not excluded.
    lost: Vec<Interval>,
    /// The days from which is estimated.
    days: Vec<Interval>,
    /// The starts of the slices that were lost in part.
    partly: Vec<i64>,
    /// Where the months of a period of several begin, in µs.
    months: Vec<i64>,
    /// Whether nothing is excluded, lost, estimated from or followed beside what is judged, and months are not told apart.
    is_plain: bool,
}

/// What is kept of counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compacted {
    /// What decides, as in [`Evidence::slices`].
    pub slices: Vec<Counts>,
    /// Valid requests of the judged slices that are not listed, as in [`Evidence::other_valid`].
    pub other_valid: i64,
    /// The same by month, as in [`Evidence::other_valid_months`].
    pub other_valid_months: Vec<i64>,
    /// What bounds need of the slices that are not listed.
    pub measured: Measured,
}

impl Covered<'_> {
    /// Which counts decide beside this evidence; its own do not matter. An error where the rules cannot judge it.
    pub fn compactor(&self, evidence: &Evidence) -> Result<Compactor, CreditError> {
        let honoured = honoured(self, &evidence.exclusions)?;
        let special = Special::of(self, &honoured, evidence, &evidence.lost);
        let days: Vec<Interval> = special.outages.iter().filter_map(|(started, _)| self.lookback(*started)).collect();
        let (pieces, months) = (Pieces::of(self, evidence, &special), months(self));
        let is_plain = special.excluded.is_empty()
            && special.lost.is_empty()
            && days.is_empty()
            && months.is_empty()
            && special.beside.is_empty()
            && pieces.are_slices();
        Ok(Compactor {
            pieces,
            lost: subtract(&special.lost, &special.excluded),
            days,
            partly: special.partly_lost(&special.lost_time()),
            special,
            months,
            is_plain,
        })
    }
}

/// Where the months of a period of several begin.
fn months(covered: &Covered<'_>) -> Vec<i64> {
    covered.period.months(covered.terms.time_zone).into_iter().map(|(_, month)| month.start).collect()
}

impl Compactor {
    /// Takes counts of whole slices, ascending, after all that was taken before.
    pub fn take(&self, covered: &Covered<'_>, counts: &[Counts], into: &mut Compacted) -> Result<(), CreditError> {
        if self.is_plain {
            return self.take_plain(covered, counts, into);
        }
        let removed = covered.terms.excluded_time == ExcludedTime::Removed;
        let is_lost = |counts: &Counts| contains(&self.lost, counts.start);
        let is_excluded = |counts: &Counts| contains(&self.special.excluded, counts.start);
        for (start, pieces) in self.pieces.by_slice(counts) {
            let is_judged = contains(&self.special.judged, start);
            if is_judged {
                let sums = self.sums(pieces);
                into.measured.used |= pieces.iter().any(|counts| counts.valid > 0);
                into.measured.add(covered, &self.special, &self.lost, start, sums);
            }
            let is_beside = contains(&self.special.beside, start);
            if is_beside {
                into.measured.add_good(covered, &self.special, &self.lost, start, self.sums(pieces));
            }
            let decides = pieces.iter().any(|counts| counts.failed > 0) || self.partly.binary_search(&start).is_ok();
            for counts in pieces {
                let is_reference = contains(&self.days, counts.start);
                if is_reference || (is_judged || is_beside) && decides {
                    into.slices.push(*counts);
                } else if is_judged && !(removed && is_excluded(counts)) {
                    let too_many = || CreditError::too_many(start);
                    let add = |sum: &mut i64| -> Result<(), CreditError> {
                        *sum = sum.checked_add(counts.valid).ok_or_else(too_many)?;
                        Ok(())
                    };
                    if is_lost(counts) {
                        add(&mut into.measured.lost_valid)?;
                        continue;
                    }
                    add(&mut into.other_valid)?;
                    // A slice is its first instant's.
                    if let Some(month) = self.months.partition_point(|month| *month <= start).checked_sub(1) {
                        into.other_valid_months.resize(self.months.len(), 0);
                        into.other_valid_months.get_mut(month).map_or(Ok(()), add)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The same where no time is special, as for most customers: each of the counts is a slice, and only failures decide.
    fn take_plain(&self, covered: &Covered<'_>, counts: &[Counts], into: &mut Compacted) -> Result<(), CreditError> {
        for judged in &self.special.judged {
            let from = counts.partition_point(|counts| counts.start < judged.start);
            let until = counts.partition_point(|counts| counts.start < judged.end);
            for counts in &counts[from..until.max(from)] {
                let Counts { start, valid, failed } = *counts;
                into.measured.used |= valid > 0;
                let sums = SliceSums { outside: valid, failed, spared: 0 };
                into.measured.add(covered, &self.special, &[], start, sums);
                if failed > 0 {
                    into.slices.push(*counts);
                } else {
                    let sum = into.other_valid.checked_add(valid);
                    into.other_valid = sum.ok_or_else(|| CreditError::too_many(start))?;
                }
            }
        }
        Ok(())
    }

    /// What was counted in a slice, but for what was lost.
    pub(crate) fn sums(&self, pieces: &[Counts]) -> SliceSums {
        let mut sums = SliceSums::default();
        for counts in pieces.iter().filter(|counts| !contains(&self.lost, counts.start)) {
            sums.add(counts, contains(&self.special.excluded, counts.start));
        }
        sums
    }

    /// Takes what was kept of later counts.
    pub fn join(&self, covered: &Covered<'_>, into: &mut Compacted, later: Compacted) -> Result<(), CreditError> {
        // Of the first run of days nothing is copied; later ones grow to what they take and no further.
        if into.slices.is_empty() {
            into.slices = later.slices;
        } else {
            into.slices.reserve_exact(later.slices.len());
            into.slices.extend(later.slices);
        }
        let sum = into.other_valid.checked_add(later.other_valid);
        let too_many = || CreditError::too_many(covered.slices().start);
        into.other_valid = sum.ok_or_else(too_many)?;
        into.other_valid_months.resize(self.months.len(), 0);
        for (sum, later) in into.other_valid_months.iter_mut().zip(later.other_valid_months) {
            *sum = sum.checked_add(later).ok_or_else(too_many)?;
        }
        into.measured.then(later.measured, covered, &self.special)
    }
}

impl Evidence {
    /// The same evidence with as few slices as it takes: those with failures, those that were lost in part, and those from which
    /// is estimated. The valid requests of the others are added to [`Evidence::other_valid`]. What comes of it is equal; what bounds need
    /// besides comes with it, for each of its parts.
    pub fn compacted(mut self, covered: &Covered<'_>) -> Result<(Evidence, Vec<Measured>), CreditError> {
        if !covered.terms.has_parts() {
            let own = Part {
                slices: std::mem::take(&mut self.slices),
                other_valid: self.other_valid,
                other_valid_months: std::mem::take(&mut self.other_valid_months),
                ..Part::default()
            };
            let (Part { slices, other_valid, other_valid_months, .. }, measured) = own.compacted(covered, &self)?;
            return Ok((Evidence { slices, other_valid, other_valid_months, ..self }, vec![measured]));
        }
        let (metrics, parts) = (covered.metrics(), std::mem::take(&mut self.parts));
        let mut measured = Vec::with_capacity(parts.len());
        for part in parts {
            let by = metrics.get(part.metric).ok_or(CreditError::Parts { reason: "a figure of it is of no metric" })?;
            let (part, own) = part.compacted(by, &self)?;
            self.parts.push(part);
            measured.push(own);
        }
        Ok((self, measured))
    }
}

impl Part {
    /// The same with as few slices as it takes; of the evidence its counts do not matter.
    fn compacted(self, covered: &Covered<'_>, evidence: &Evidence) -> Result<(Part, Measured), CreditError> {
        let compactor = covered.compactor(evidence)?;
        let is_known = self.other_valid_months.len() == compactor.months.len();
        let summed_up = self.other_valid != 0;
        let mut kept = Compacted {
            other_valid: self.other_valid,
            other_valid_months: if is_known { self.other_valid_months } else { vec![0; compactor.months.len()] },
            ..Compacted::default()
        };
        compactor.take(covered, &self.slices, &mut kept)?;
        let Compacted { slices, other_valid, mut other_valid_months, measured } = kept;
        // Of requests that were summed up before nobody knows the month.
        if !is_known && summed_up {
            other_valid_months.clear();
        }
        let Part { metric, member, .. } = self;
        Ok((Part { metric, member, slices, other_valid, other_valid_months }, measured))
    }
}
