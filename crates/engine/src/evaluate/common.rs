//! What evaluations leave for the next ones, in a session and in an engine.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::execution::SessionState;
use nines_slo::Definitions;

use crate::EngineError;

/// What the evaluations of all sessions of an engine share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Common {
    /// Definitions as last read, with the version that they were read at: reading them again is most of what a small question would
    /// cost.
    pub(super) definitions: Arc<Mutex<AtVersion>>,
    /// The days that some session is keeping.
    pub(super) keeping: Keeping,
}

type AtVersion = Option<(u64, Arc<Definitions>)>;

/// What a session's evaluations begin with, and leave.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(super) common: Common,
    /// Why what was evaluated could not be kept.
    pub unkept: Unkept,
    /// The session that evaluations begin with.
    pub(super) session: Mutex<Option<SessionState>>,
}

impl Read {
    pub fn of(common: &Common) -> Self {
        Read { common: common.clone(), ..Read::default() }
    }
}

/// Why days or facts could not be kept, the newest reason. A question is answered without, but whoever evaluates in order to
/// keep must know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unkept(Arc<Mutex<Option<EngineError>>>);

impl Unkept {
    pub(super) fn say(&self, why: EngineError) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// The reason, once.
    pub fn take(&self) -> Option<EngineError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The days that some session of an engine is keeping. Whoever counted one of them, too, leaves it to that one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keeping(Arc<Mutex<HashSet<DayName>>>);

/// Objective, definition, day and key.
pub(super) type DayName = (Arc<str>, u64, i32, i64);

/// The days that nobody else keeps until it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    keeping: Keeping,
    pub(super) days: HashSet<DayName>,
}

impl Keeping {
    /// Of these days those that nobody keeps.
    pub(super) fn claim(&self, mut days: Vec<DayName>) -> Claim {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        days.retain(|day| kept.insert(day.clone()));
        Claim { keeping: self.clone(), days: days.into_iter().collect() }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut kept = self.keeping.0.lock().unwrap_or_else(PoisonError::into_inner);
        for day in &self.days {
            kept.remove(day);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_kept_by_one_at_a_time() {
        let keeping = Keeping::default();
        let day = |day: i32| -> DayName { ("up".into(), 1, day, 7) };
        let first = keeping.claim(vec![day(1), day(2)]);
        let second = keeping.clone().claim(vec![day(2), day(3)]);
        assert_eq!((first.days.len(), second.days.iter().collect::<Vec<_>>()), (2, vec![&day(3)]));
        drop(first);
        assert_eq!(keeping.claim(vec![day(1), day(2), day(3)]).days.len(), 2, "the third is still being kept");
        drop(second);
        assert_eq!(keeping.claim(vec![day(3)]).days.len(), 1);
    }
}
