//! Evidence without what cannot change a figure: what a statement keeps.

use crate::agreement::{Covered, ExcludedTime};
use crate::credit::evidence::{CreditError, Evidence};
use crate::credit::measured::Measured;
use crate::credit::slices::{Special, honoured};
use crate::spans::contains;

impl Evidence {
    /// Whether the rules can judge what is laid over counts: an error where exclusions overlap and the rules do not unite them.
    pub fn check(&self, covered: &Covered<'_>) -> Result<(), CreditError> {
        honoured(covered, &self.exclusions).map(drop)
    }

    /// The same evidence with as few slices as it takes: those with failures, and those from which is estimated. The
    /// valid requests of the others are added to [`Evidence::other_valid`]. What comes of it is equal; what bounds need
    /// besides comes with it.
    pub fn compacted(mut self, covered: &Covered<'_>) -> Result<(Evidence, Measured), CreditError> {
        let honoured = honoured(covered, &self.exclusions)?;
        let special = Special::of(covered, &honoured, &self.lost, &self.active);
        let days: Vec<_> = special.outages.iter().filter_map(|(started, _)| covered.lookback(*started)).collect();
        let removed = covered.terms.excluded_time == ExcludedTime::Removed;
        let mut measured = Measured::default();
        let (mut slices, mut other_valid) = (std::mem::take(&mut self.slices), self.other_valid);
        // Where a sum did not fit.
        let mut too_many = None;
        slices.retain(|counts| {
            measured.add(covered, &special, counts);
            let inside = contains(&special.judged, counts.start);
            if days.iter().any(|days| days.start <= counts.start && counts.start < days.end) {
                return true;
            }
            if !inside || counts.failed > 0 {
                return inside;
            }
            let excluded = contains(&special.excluded, counts.start);
            if !excluded && contains(&special.lost, counts.start) {
                match measured.lost_valid.checked_add(counts.valid) {
                    Some(sum) => measured.lost_valid = sum,
                    None => too_many = Some(counts.start),
                }
            } else if !(excluded && removed) {
                match other_valid.checked_add(counts.valid) {
                    Some(sum) => other_valid = sum,
                    None => too_many = Some(counts.start),
                }
            }
            false
        });
        if let Some(start) = too_many {
            return Err(CreditError::Counts { start, reason: "more requests than can be counted" });
        }
        Ok((Evidence { slices, other_valid, ..self }, measured))
    }
}
