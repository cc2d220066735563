//! What was found in fields that fill columns, and which of it was too much to keep.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

/// Different values of a label whose names are kept.
pub const MOST_VALUES: usize = 1_000;

/// What endpoints are called here.
pub(crate) const ENDPOINT: &str = "endpoint";

/// What a label is called here.
pub(crate) fn of_label(name: &str) -> String {
    format!("label {name}")
}

/// Shared by the clones of the options with which inputs are read.
#[derive(Debug, Default)]
pub struct Found(Mutex<What>);

#[derive(Debug, Default)]
struct What {
    /// By what is named: [`ENDPOINT`], or a [label](of_label).
    kept: BTreeMap<String, HashSet<Box<str>>>,
    /// The same: rows whose name was not kept.
    others: BTreeMap<String, u64>,
    /// By field: rows in which it said something.
    given: BTreeMap<String, u64>,
}

impl Found {
    /// Whether a name is one of the first so many of its kind.
    pub(crate) fn keeps(&self, what: &str, name: &str, most: usize) -> bool {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !found.kept.contains_key(what) {
            found.kept.insert(what.to_string(), HashSet::new());
        }
        let Some(kept) = found.kept.get_mut(what) else { return true };
        if kept.contains(name) {
            return true;
        }
        let is_kept = kept.len() < most;
        if is_kept {
            kept.insert(name.into());
        }
        is_kept
    }

    /// Adds rows whose name was not kept.
    pub(crate) fn add_others(&self, what: &str, rows: u64) {
        if rows > 0 {
            let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *found.others.entry(what.to_string()).or_default() += rows;
        }
    }

    pub(crate) fn add_given(&self, field: &str, rows: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).given.entry(field.to_string()).or_default() += rows;
    }

    /// By what is named, rows that are called `other` because there are too many names.
    pub fn others(&self) -> Vec<(String, u64)> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.others.iter().map(|(what, rows)| (what.clone(), *rows)).collect()
    }

    /// In how many rows a field said something.
    pub fn given(&self, field: &str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).given.get(field).copied().unwrap_or(0)
    }

    /// Forgets all but the names that are kept, because the rows are read again.
    pub fn again(&self) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.others.clear();
        found.given.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_names_are_kept() {
        let found = Found::default();
        let kept = ["a", "b", "c", "a", "d"].map(|name| found.keeps("endpoint", name, 2));
        assert_eq!(kept, [true, true, false, true, false]);
        assert!(found.keeps("region", "c", 2));
        found.add_others("endpoint", 2);
        assert_eq!(found.others(), [("endpoint".to_string(), 2)]);
        found.again();
        assert!(found.others().is_empty() && !found.keeps("endpoint", "c", 2));
    }
}
