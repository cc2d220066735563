//! The stretches of days that a question is about.

use nines_timeline::Interval;

use super::DAY;
use super::subject::Subject;

/// The stretches of days that a subject has in the ranges, a day being the slices that begin on a UTC day. Only their ends are kept: a question may have hundreds of thousands
/// of pieces.
pub(super) struct Pieces {
    in_force: Interval,
    /// How long after midnight the first slice of a day begins.
    shift: i64,
    /// By range, what of it the subject answers for, and how many pieces there are before it.
    pub(super) spans: Vec<(usize, Interval, usize)>,
    pub(super) count: usize,
}

impl Pieces {
    /// All pieces, by range and day.
    pub(super) fn iter(&self) -> impl Iterator<Item = Piece> + '_ {
        self.spans
            .iter()
            .flat_map(move |&(range, span, _)| self.days(span).map(move |day| self.piece(range, span, day)))
    }

    /// The piece that is all of a day, and its place among all pieces.
    pub(super) fn whole(&self, day: i32) -> Option<(usize, Piece)> {
        self.spans.iter().find_map(|&(range, span, before)| {
            let days = self.days(span);
            let at = usize::try_from(day - days.start).ok().filter(|_| days.contains(&day))?;
            let piece = self.piece(range, span, day);
            piece.whole.then_some((before + at, piece))
        })
    }

    /// The pieces of a day, and their places among all pieces.
    pub(super) fn on(&self, day: i32) -> impl Iterator<Item = (usize, Piece)> + '_ {
        self.spans.iter().filter_map(move |&(range, span, before)| {
            let days = self.days(span);
            let at = usize::try_from(day - days.start).ok().filter(|_| days.contains(&day))?;
            Some((before + at, self.piece(range, span, day)))
        })
    }

    /// The days in which slices of a span begin; it is not empty.
    pub(super) fn days(&self, span: Interval) -> std::ops::Range<i32> {
        let day = |at: i64| (at - self.shift).div_euclid(DAY) as i32;
        day(span.start)..day(span.end - 1) + 1
    }

    fn piece(&self, range: usize, span: Interval, day: i32) -> Piece {
        let start = i64::from(day) * DAY + self.shift;
        let of_day = Interval::new(start, start + DAY);
        let clip = |of: Interval| Interval::new(of.start.max(of_day.start), of.end.min(of_day.end));
        let interval = clip(span);
        Piece { range, day, interval, whole: interval == clip(self.in_force) }
    }
}

/// A stretch of a day of a subject, before it is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub range: usize,
    pub day: i32,
    pub interval: Interval,
    /// Whether it is all that the subject has of that day.
    pub whole: bool,
}

/// The stretches of days that a subject has in the ranges.
pub(super) fn pieces(subject: &Subject, ranges: &[Interval], spoken: Interval) -> Pieces {
    let mut pieces = Pieces { in_force: subject.in_force, shift: subject.shift(), spans: Vec::new(), count: 0 };
    for (range, asked) in ranges.iter().enumerate() {
        let asked = subject.spec.slices.beginning(*asked);
        let span = Interval::new(asked.start.max(subject.in_force.start), asked.end.min(subject.in_force.end));
        let span = Interval::new(span.start.max(spoken.start), span.end.min(spoken.end));
        if !span.is_empty() {
            pieces.spans.push((range, span, pieces.count));
            pieces.count += pieces.days(span).len();
        }
    }
    pieces
}
