//! Evidence without what cannot change a figure: what a statement keeps.

use crate::agreement::{Covered, ExcludedTime};
use crate::credit::evidence::{CreditError, Evidence};
use crate::credit::slices::{Special, honoured};
use crate::spans::contains;

impl Evidence {
    /// The same evidence with as few slices as it takes: those with failures, and those from which is estimated. The
    /// valid requests of the others are added to [`Evidence::other_valid`]. What comes of it is equal.
    pub fn compacted(&self, covered: &Covered<'_>) -> Result<Evidence, CreditError> {
        let honoured = honoured(covered.terms, &self.exclusions)?;
        let special = Special::of(covered, &honoured, &self.lost);
        let days: Vec<_> = special.outages.iter().filter_map(|(started, _)| covered.lookback(*started)).collect();
        let judged = covered.slices();
        let removed = covered.terms.excluded_time == ExcludedTime::Removed;
        let mut other_valid = self.other_valid;
        let mut slices = self.slices.clone();
        slices.retain(|counts| {
            let inside = judged.start <= counts.start && counts.start < judged.end;
            if days.iter().any(|days| days.start <= counts.start && counts.start < days.end) {
                return true;
            }
            if !inside || counts.failed > 0 {
                return inside;
            }
            let excluded = contains(&special.excluded, counts.start);
            let dropped = if excluded { removed } else { contains(&special.lost, counts.start) };
            other_valid = other_valid.saturating_add(if dropped { 0 } else { counts.valid });
            false
        });
        Ok(Evidence { slices, other_valid, ..self.clone() })
    }
}
