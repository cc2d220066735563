//! States as text, one character per slice: o ok, E error, . no data, x excluded.

use nines_timeline::{Builder, Interval, State, Timeline};

pub fn state(c: char) -> State {
    match c {
        'o' => State::Ok,
        'E' => State::Error,
        '.' => State::NoData,
        'x' => State::Excluded,
        other => panic!("no state is written {other:?}"),
    }
}

/// A timeline that starts at `start` slices after the epoch.
pub fn timeline(states: &str, start: i64, slice: i64) -> Timeline {
    laid_from(states, start * slice, slice)
}

/// A timeline that starts at an instant.
pub fn laid_from(states: &str, start: i64, slice: i64) -> Timeline {
    let span = Interval::new(start, start + states.len() as i64 * slice);
    let mut builder = Builder::new(span, slice).unwrap();
    for (i, c) in (0..).zip(states.chars()) {
        builder.push(start + i * slice, start + (i + 1) * slice, state(c));
    }
    builder.finish()
}

/// The inverse of [`timeline`].
pub fn text(timeline: &Timeline) -> String {
    let letter = |state| match state {
        State::Ok => "o",
        State::Error => "E",
        State::NoData => ".",
        State::Excluded => "x",
    };
    timeline.segments().map(|run| letter(run.state).repeat((run.duration() / timeline.slice()) as usize)).collect()
}
