//! Failures: errors that belong together until the service has recovered.

use crate::{Interval, State, Timeline};

impl Timeline {
    /// The failures, ascending: each from the start of its first error slice to the end of its last.
    ///
    /// A failure begins at the first error slice, and at each error slice after a recovery. Recovery is
    /// reached once ok slices between errors add up to `recovery` microseconds, rounded up to whole
    /// slices, at least one. Unmeasured slices neither end nor prolong a failure. One pass over the runs.
    pub fn failures(&self, recovery: i64) -> Vec<Interval> {
        let slice = self.slice();
        let recovery = recovery.max(1).saturating_add(slice - 1) / slice * slice;
        let mut found = Vec::<Interval>::new();
        let mut ok = 0;
        for run in self.segments() {
            match run.state {
                State::Ok => ok += run.duration(),
                State::NoData | State::Excluded => {}
                State::Error => {
                    match found.last_mut() {
                        Some(last) if ok < recovery => last.end = run.end,
                        _ => found.push(run.interval()),
                    }
                    ok = 0;
                }
            }
        }
        found
    }

    /// Mean time to recovery in seconds: over failures, last error slice's end − first one's start.
    /// `None` when there was no failure.
    pub fn mttr(&self, recovery: i64) -> Option<f64> {
        let failures = self.failures(recovery);
        let total = failures.iter().map(|failure| i128::from(failure.duration())).sum::<i128>();
        per_failure(total, failures.len())
    }

    /// Mean time between failures in seconds: ok time / number of failures. `None` when there was none.
    pub fn mtbf(&self, recovery: i64) -> Option<f64> {
        per_failure(self.duration_in(State::Ok).into(), self.failures(recovery).len())
    }
}

fn per_failure(micros: i128, failures: usize) -> Option<f64> {
    let denominator = failures as i128 * i128::from(crate::MICROS);
    (failures > 0).then(|| crate::share::quotient(micros, denominator))
}
