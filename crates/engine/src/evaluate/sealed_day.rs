//! What a sealed day of an objective says.

use nines_timeline::Run;

use super::keep::KeptDays;
use super::part::{Detail, Part};
use super::pieces::{Piece, Pieces};
use super::subject::Subject;

/// A row of `slo_days` that stays, and the subject that it is about.
pub(super) struct SealedDay<'a> {
    pub detail: Detail,
    pub number: usize,
    pub subject: &'a Subject,
    pub rows: &'a KeptDays<'a>,
    pub row: usize,
}

impl SealedDay<'_> {
    /// What it says of the pieces that are asked for, and their places; none of those for which it lacks something.
    pub fn parts(&self, pieces: &Pieces) -> Vec<(usize, Part)> {
        let (rows, row) = (self.rows, self.row);
        let Some(counts) = rows.counts(row, self.subject) else { return Vec::new() };
        let Some(timeline) = rows.timeline(row) else { return Vec::new() };
        if timeline.slice() != self.subject.spec.slice || self.detail.events_of(&self.subject.spec) {
            return Vec::new();
        }
        let part = |piece: Piece| {
            let whole = rows.part(row, &counts, &timeline, (self.number, piece.range));
            let span = timeline.span();
            if piece.interval == span {
                return Some(whole);
            }
            // Of a part of the day the slices are known, and not how many events there were.
            let inside = span.start <= piece.interval.start && piece.interval.end <= span.end;
            if !inside {
                return None;
            }
            let cut = |run: &Run| Run {
                start: run.start.max(piece.interval.start),
                end: run.end.min(piece.interval.end),
                state: run.state,
            };
            let runs = timeline.runs().iter().map(cut).filter(|run| run.start < run.end).collect();
            // Where data go on behind the part, they are taken to reach its end.
            let last_data = counts.last_data.map(|at| at.min(piece.interval.end));
            Some(Part {
                interval: piece.interval,
                runs,
                good: 0,
                total: 0,
                ratio_sum: 0.0,
                ratios: 0,
                assumed: 0,
                last_data,
                uncounted: true,
                ..whole
            })
        };
        let day = rows.date.value(row);
        pieces.on(day).filter_map(|(place, piece)| Some((place, part(piece)?))).collect()
    }
}
