//! Which seeds a test runs, and how one that failed is run again.
//!
//! By default tests do what a minute allows. For the full run, in a release build:
//! `NINES_SEQUENCES=2000 NINES_FAULTS=10000 NINES_UPKEEP_FAULTS=10000 NINES_MEETINGS=5000 NINES_COMMITS=100 NINES_KILLS=2000`. What fails prints a
//! seed: `NINES_SEED=…` with the test's name runs that one alone. `NINES_PART=1 NINES_PARTS=2` runs the second half of numbered cases,
//! so that several processes share them.

use std::env;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// The seeds of a run: 0 up to what `variable` says, or `default`; only that of `NINES_SEED` where it is given.
pub fn seeds(variable: &str, default: u64) -> Vec<u64> {
    match number("NINES_SEED") {
        Some(seed) => vec![seed],
        None => (0..count(variable, default)).collect(),
    }
}

/// How much of something a run does: what `variable` says, or `default`.
pub fn count(variable: &str, default: u64) -> u64 {
    number(variable).unwrap_or(default)
}

/// Which of `all` numbered cases are run: as many as `variable` says, or `default`, the same each time and half of them
/// favoured ones; only that of `NINES_SEED` where it is given.
pub fn sample(variable: &str, default: u64, all: usize, favoured: impl Fn(usize) -> bool) -> Vec<usize> {
    if let Some(seed) = number("NINES_SEED") {
        return vec![seed as usize];
    }
    let mut cases: Vec<usize> = (0..all).collect();
    cases.shuffle(&mut StdRng::seed_from_u64(0));
    let (favoured, others): (Vec<usize>, Vec<usize>) = cases.into_iter().partition(|case| favoured(*case));
    let wanted = count(variable, default) as usize;
    let half = favoured.len().min(wanted.div_ceil(2)).max(wanted.saturating_sub(others.len()));
    let chosen = favoured.into_iter().take(half).chain(others.into_iter().take(wanted.saturating_sub(half)));
    let (part, parts) = (count("NINES_PART", 0) as usize, count("NINES_PARTS", 1) as usize);
    chosen.skip(part).step_by(parts).collect()
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {value:?}")))
}

/// Says how to run the same again, and what was done so far, if the test fails while this lives.
pub struct Replay {
    seed: u64,
    done: Vec<String>,
}

impl Replay {
    pub fn new(seed: u64) -> Self {
        Self { seed, done: Vec::new() }
    }

    /// Notes what is done next.
    pub fn note(&mut self, what: String) {
        self.done.push(what);
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with NINES_SEED={}, which runs it again; it did:", self.seed);
            for (step, what) in self.done.iter().enumerate() {
                eprintln!("  {step}: {what}");
            }
        }
    }
}
