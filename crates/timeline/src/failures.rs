//! Failures: errors that belong together until the service has recovered.

use crate::{Interval, MICROS, State, Timeline};

/// A failure, from the start of its first error slice to the end of its last, and how much of that time was what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// From the first error slice to the last.
    pub interval: Interval,
    /// Microseconds of ok and error slices in it: how long the failure lasted.
    pub measured: i64,
    /// Microseconds in it without data.
    pub unmeasured: i64,
    /// Microseconds in it that do not count.
    pub excluded: i64,
}

impl Failure {
    /// How long the failure lasted, in seconds: its measured time.
    pub fn seconds(&self) -> f64 {
        crate::share::quotient(self.measured.into(), MICROS.into())
    }
}

impl Timeline {
    /// The failures, ascending.
    ///
    /// A failure begins at the first error slice, and at each error slice after a recovery. Recovery is
    /// reached once ok slices between errors add up to `recovery` microseconds, rounded up to whole
    /// slices, at least one. Unmeasured and excluded slices neither end a failure nor prolong it. One pass over the runs.
    pub fn failures(&self, recovery: i64) -> Vec<Failure> {
        let slice = self.slice();
        let recovery = recovery.max(1).saturating_add(slice - 1) / slice * slice;
        let mut found = Vec::<Failure>::new();
        // Since the last error.
        let (mut ok, mut unmeasured, mut excluded) = (0, 0, 0);
        for run in self.segments() {
            match run.state {
                State::Ok => ok += run.duration(),
                State::NoData => unmeasured += run.duration(),
                State::Excluded => excluded += run.duration(),
                State::Error => {
                    match found.last_mut() {
                        Some(last) if ok < recovery => {
                            last.interval.end = run.end;
                            last.measured += ok + run.duration();
                            last.unmeasured += unmeasured;
                            last.excluded += excluded;
                        }
                        _ => found.push(Failure {
                            interval: run.interval(),
                            measured: run.duration(),
                            unmeasured: 0,
                            excluded: 0,
                        }),
                    }
                    (ok, unmeasured, excluded) = (0, 0, 0);
                }
            }
        }
        found
    }

    /// Mean time to recovery in seconds: the mean of the failures' measured time. `None` when there was no failure.
    pub fn mttr(&self, recovery: i64) -> Option<f64> {
        let failures = self.failures(recovery);
        let total = failures.iter().map(|failure| i128::from(failure.measured)).sum::<i128>();
        per_failure(total, failures.len())
    }

    /// Mean time between failures in seconds: ok time / number of failures. `None` when there was none.
    pub fn mtbf(&self, recovery: i64) -> Option<f64> {
        per_failure(self.duration_in(State::Ok).into(), self.failures(recovery).len())
    }
}

fn per_failure(micros: i128, failures: usize) -> Option<f64> {
    let denominator = failures as i128 * i128::from(MICROS);
    (failures > 0).then(|| crate::share::quotient(micros, denominator))
}
