//! The union of timelines: every slice counts once, whoever lost it.

use crate::grid::common;
use crate::sweep::sweep;
use crate::{Builder, Grid, Interval, State, Timeline};

/// Slice by slice over the union of the spans: error if any is error, else ok if any is ok, else no data if
/// any is no data, else excluded. Outside its own span a timeline is no data.
///
/// The width is the greatest common divisor of the widths and of the distances between the beginnings of the spans, so that
/// all slices of all timelines are whole slices of the union; where an empty timeline begins does not matter. `None` for no
/// timelines. O(total runs × log n).
pub fn union(timelines: &[&Timeline]) -> Option<Timeline> {
    if let [one] = timelines {
        return Some((*one).clone());
    }
    let measured = || timelines.iter().filter(|t| !t.span().is_empty());
    let slice = timelines.iter().map(|t| t.slice()).reduce(common)?;
    let slice = match measured().map(|t| t.grid()).reduce(Grid::common) {
        Some(grid) => common(slice, grid.width()),
        None => slice,
    };
    let span = match (measured().map(|t| t.start()).min(), measured().map(|t| t.end()).max()) {
        (Some(start), Some(end)) => Interval::new(start, end),
        _ => timelines.iter().map(|t| t.span()).min()?,
    };
    let mut builder = Builder::new(span, slice).ok()?;
    let mut states = vec![State::NoData; timelines.len()];
    let mut count = Counts { error: 0, ok: 0, no_data: timelines.len() };
    let mut at = span.start;
    sweep(timelines, |time, which, state| {
        if time > at {
            builder.push(at, time, count.state());
            at = time;
        }
        count.leave(states[which]);
        count.enter(state);
        states[which] = state;
    });
    Some(builder.finish())
}

/// How many timelines are in each state now; the rest are excluded.
struct Counts {
    error: usize,
    ok: usize,
    no_data: usize,
}

impl Counts {
    fn slot(&mut self, state: State) -> Option<&mut usize> {
        match state {
            State::Error => Some(&mut self.error),
            State::Ok => Some(&mut self.ok),
            State::NoData => Some(&mut self.no_data),
            State::Excluded => None,
        }
    }

    fn enter(&mut self, state: State) {
        if let Some(slot) = self.slot(state) {
            *slot += 1;
        }
    }

    fn leave(&mut self, state: State) {
        if let Some(slot) = self.slot(state) {
            *slot -= 1;
        }
    }

    fn state(&self) -> State {
        if self.error > 0 {
            State::Error
        } else if self.ok > 0 {
            State::Ok
        } else if self.no_data > 0 {
            State::NoData
        } else {
            State::Excluded
        }
    }
}
