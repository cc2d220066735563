//! What was survived and should be known to people: a checkpoint that was left out, days that had to be computed again.

use std::sync::{Mutex, PoisonError};

/// How many are kept until somebody takes them.
const MOST: usize = 100;

/// Notices of a store, each once.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    /// All there were, and how many of them were taken.
    all: Mutex<(Vec<String>, usize)>,
}

impl Notices {
    pub(crate) fn add(&self, notice: String) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.0.contains(&notice) && all.0.len() < MOST {
            tracing::warn!(target: "nines", "{notice}");
            all.0.push(notice);
        }
    }

    /// Those that were added since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let new = all.0[all.1..].to_vec();
        all.1 = all.0.len();
        new
    }
}

#[cfg(test)]
mod tests {
    use super::Notices;

    #[test]
    fn a_notice_is_given_once() {
        let notices = Notices::default();
        notices.add("a".to_string());
        notices.add("a".to_string());
        assert_eq!(notices.take(), ["a"]);
        notices.add("a".to_string());
        notices.add("b".to_string());
        assert_eq!(notices.take(), ["b"]);
        assert!(notices.take().is_empty());
    }
}
