//! What becomes of each slice that has failures, and why: the same decisions as the sum's, slice by slice.

use nines_timeline::{Interval, normalize};

use crate::agreement::{Covered, Measure};
use crate::credit::{Counts, Evidence, Special};
use crate::spans::contains;

/// What becomes of a slice with failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It lowers the availability.
    Counted,
    /// Too few requests for an error rate.
    TooFew,
    /// Its error rate does not make it bad.
    NotBad,
    /// Bad, but not for long enough.
    TooShort,
    /// Excluded.
    Excluded,
    /// Telemetry was lost in it, so that what was counted is dropped.
    Lost,
}

/// The judged slices with failures, by start.
pub(crate) struct Judged {
    pub slices: Vec<(Counts, Fate)>,
    /// Slices whose telemetry was lost and that lower the availability.
    pub lost: Vec<Interval>,
}

impl Judged {
    pub fn of(covered: &Covered<'_>, evidence: &Evidence, special: &Special) -> Self {
        let terms = covered.terms;
        let inside = evidence.slices.iter().filter(|c| c.failed > 0 && contains(&special.judged, c.start));
        let fate = |counts: &Counts| match terms.measure {
            _ if contains(&special.excluded, counts.start) => Fate::Excluded,
            _ if contains(&special.lost, counts.start) => Fate::Lost,
            Measure::Occurrences => Fate::Counted,
            _ if counts.valid < terms.min_requests => Fate::TooFew,
            measure if measure.bad().is_some_and(|bad| !bad.holds(counts.failed, counts.valid)) => Fate::NotBad,
            _ => Fate::Counted,
        };
        let mut slices: Vec<(Counts, Fate)> = inside.map(|counts| (*counts, fate(counts))).collect();
        let lost = special.outages.iter().flat_map(|(_, spans)| spans.iter().copied());
        let mut lost: Vec<Interval> = normalize(lost.collect());
        if let Measure::Downtime { min_run, .. } = terms.measure {
            let bad = slices.iter().filter(|(_, fate)| *fate == Fate::Counted);
            let bad = bad.map(|(counts, _)| Interval::new(counts.start, counts.start + terms.slice));
            let mut runs = normalize(bad.chain(lost.iter().copied()).collect());
            runs.retain(|run| run.duration() >= min_run);
            lost.retain(|span| contains(&runs, span.start));
            for (counts, fate) in &mut slices {
                if *fate == Fate::Counted && !contains(&runs, counts.start) {
                    *fate = Fate::TooShort;
                }
            }
        }
        Judged { slices, lost }
    }

    pub fn with_fate(&self, fate: Fate) -> impl Iterator<Item = Counts> {
        self.slices.iter().filter(move |(_, own)| *own == fate).map(|(counts, _)| *counts)
    }

    /// How many slices have this fate.
    pub fn count(&self, fate: Fate) -> i64 {
        self.with_fate(fate).count() as i64
    }
}
