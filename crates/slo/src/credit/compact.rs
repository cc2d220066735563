//! Evidence without what cannot change a figure: what a statement keeps.

use crate::agreement::{Covered, ExcludedTime};
use crate::credit::evidence::{Counts, CreditError, Evidence};
use crate::credit::measured::Measured;
use crate::credit::slices::{Special, honoured};
use crate::spans::contains;

impl Evidence {
    /// The same evidence with as few slices as it takes: those with failures, those that were lost in part, and those from which
    /// is estimated. The valid requests of the others are added to [`Evidence::other_valid`]. What comes of it is equal; what bounds need
    /// besides comes with it.
    pub fn compacted(mut self, covered: &Covered<'_>) -> Result<(Evidence, Measured), CreditError> {
        let honoured = honoured(covered, &self.exclusions)?;
        let special = Special::of(covered, &honoured, &self, &self.lost);
        let days: Vec<_> = special.outages.iter().filter_map(|(started, _)| covered.lookback(*started)).collect();
        let partly = special.partly_lost(&special.lost_time());
        let removed = covered.terms.excluded_time == ExcludedTime::Removed;
        let mut measured = Measured::default();
        let (slices, mut other_valid) = (std::mem::take(&mut self.slices), self.other_valid);
        // Where a sum did not fit.
        let mut too_many = None;
        let mut kept = Vec::new();
        let of = |counts: &Counts| special.slices.start_of(counts.start);
        for pieces in slices.chunk_by(|a, b| of(a) == of(b)) {
            measured.add(covered, &special, pieces);
            let start = of(&pieces[0]);
            let is_judged = contains(&special.judged, start);
            let decides = pieces.iter().any(|counts| counts.failed > 0) || partly.binary_search(&start).is_ok();
            for counts in pieces {
                let is_reference = days.iter().any(|days| days.start <= counts.start && counts.start < days.end);
                if is_reference || is_judged && decides {
                    kept.push(*counts);
                    continue;
                }
                let excluded = contains(&special.excluded, counts.start);
                let sum = match !excluded && contains(&special.lost, counts.start) {
                    true => &mut measured.lost_valid,
                    false => &mut other_valid,
                };
                if is_judged && !(excluded && removed) {
                    match sum.checked_add(counts.valid) {
                        Some(more) => *sum = more,
                        None => too_many = Some(counts.start),
                    }
                }
            }
        }
        if let Some(start) = too_many {
            return Err(CreditError::Counts { start, reason: "more requests than can be counted" });
        }
        Ok((Evidence { slices: kept, other_valid, ..self }, measured))
    }
}
