//! Where slices are cut: counts of excluded or lost time are kept apart from those of the rest of a slice.

use nines_timeline::{Grid, Interval};

use crate::agreement::Covered;
use crate::credit::evidence::{Counts, CreditError, Evidence};
use crate::credit::slices::{Special, honoured};

/// The slices of an agreement, cut where excluded or lost time begins or ends inside one.
#[derive(Debug, Clone)]
pub struct Pieces {
    grid: Grid,
    /// Ascending, in µs; none of them begins a slice.
    cuts: Vec<i64>,
}

/// Counts by the slice in which they lie, with its start (µs), which is asked of the first of each slice. Counts ascend.
pub(crate) fn by_slice(
    mut counts: &[Counts],
    width: i64,
    slice_of: impl Fn(i64) -> i64,
) -> impl Iterator<Item = (i64, &[Counts])> {
    std::iter::from_fn(move || {
        let start = slice_of(counts.first()?.start);
        // Most slices are counted in one piece: the next one is looked at first.
        let more = counts[1..].iter().take_while(|next| next.start - start < width).count();
        let (own, rest) = counts.split_at(1 + more);
        counts = rest;
        Some((start, own))
    })
}

impl Covered<'_> {
    /// How this evidence cuts slices; its counts do not matter. An error where the rules cannot judge it.
    pub fn pieces(&self, evidence: &Evidence) -> Result<Pieces, CreditError> {
        let honoured = honoured(self, &evidence.exclusions)?;
        Ok(Pieces::of(self, evidence, &Special::of(self, &honoured, evidence, &evidence.lost)))
    }
}

impl Pieces {
    pub(crate) fn of(covered: &Covered<'_>, evidence: &Evidence, special: &Special) -> Pieces {
        let grid = covered.grid();
        let days = special.outages.iter().filter_map(|(started, _)| covered.lookback(*started));
        let days: Vec<Interval> = days.collect();
        // A customer's coming and going matters where is estimated from days before.
        let active = evidence.active.iter().filter(|_| !days.is_empty());
        let active = active.flat_map(|span| [special.losing.first_from(span.start), special.losing.start_of(span.end)]);
        let edges = special.excluded.iter().chain(&special.lost).chain(&days).flat_map(|span| [span.start, span.end]);
        let hours: Vec<Interval> = days.iter().flat_map(|days| covered.in_service(vec![*days], *days)).collect();
        let edges = edges.chain(hours.iter().flat_map(|span| [span.start, span.end]));
        let reads = covered.reads_alone(&evidence.lost);
        let within = |at: &i64| reads.start < *at && *at < reads.end;
        let mut cuts: Vec<i64> = edges.chain(active).filter(within).filter(|at| !grid.begins(*at)).collect();
        cuts.sort_unstable();
        cuts.dedup();
        Pieces { grid, cuts }
    }

    /// Start (µs) of the piece in which an instant lies.
    #[inline]
    pub fn start_of(&self, instant: i64) -> i64 {
        let start = self.grid.start_of(instant);
        if self.cuts.is_empty() {
            return start;
        }
        let after = self.cuts.partition_point(|cut| *cut <= instant);
        self.cuts[..after].last().map_or(start, |cut| start.max(*cut))
    }

    /// Start (µs) of the slice of which this is the start of a piece.
    #[inline]
    pub fn slice_of(&self, piece: i64) -> i64 {
        match self.cuts.is_empty() {
            true => piece,
            false => self.grid.start_of(piece),
        }
    }

    /// Counts of pieces by the slice in which they lie, with its start (µs). Counts ascend.
    pub(crate) fn by_slice<'c>(&self, counts: &'c [Counts]) -> impl Iterator<Item = (i64, &'c [Counts])> {
        by_slice(counts, self.grid.width(), |piece| self.slice_of(piece))
    }

    /// Whether no slice is cut.
    pub(crate) fn are_slices(&self) -> bool {
        self.cuts.is_empty()
    }

    /// The agreement's slices.
    pub fn slices(&self) -> Grid {
        self.grid
    }

    /// Whether a piece begins at an instant (µs).
    pub(crate) fn begins(&self, instant: i64) -> bool {
        self.grid.begins(instant) || self.cuts.binary_search(&instant).is_ok()
    }
}
