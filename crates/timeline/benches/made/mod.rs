//! Timelines to measure with.

use nines_timeline::{Interval, MICROS, Run, State, Timeline};

const MINUTE: i64 = 60 * MICROS;

/// So many minutes with `failures` runs of error, at places that differ by `seed`.
pub fn timeline(minutes: i64, failures: i64, seed: i64) -> Timeline {
    let gap = minutes / failures;
    let runs = (0..failures).map(|k| {
        let start = (k * gap + (seed * 7919 + k * 104_729) % (gap / 2)) * MINUTE;
        let end = start + (1 + (seed + k) % (gap / 2).clamp(1, 30)) * MINUTE;
        Run { start, end, state: State::Error }
    });
    Timeline::new(Interval::new(0, minutes * MINUTE), MINUTE, runs.collect()).unwrap_or_else(|error| panic!("{error}"))
}
