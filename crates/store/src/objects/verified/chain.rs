//! Entries of logs: each must hold by itself, or by its head, and follow the one before where both were read.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::log::{Examined, LogPlace, Origin};

/// Entries of a table that are remembered: far more than a reader meets between two checkpoints.
const MOST: usize = 4096;

/// What was read of the logs in this process.
#[derive(Debug, Default)]
pub(super) struct Chain {
    tables: Mutex<HashMap<String, BTreeMap<u64, Examined>>>,
}

impl Chain {
    /// Adds an entry to those that were read. An error is the version that is not what its neighbour was written after or before, and why.
    pub(super) fn add(&self, place: &LogPlace, entry: Examined) -> Result<(), (u64, String)> {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let read = tables.entry(place.table.clone()).or_default();
        let version = place.version;
        let neighbours =
            [(version.checked_sub(1), entry.previous, None), (version.checked_add(1), None, Some(entry.hash))];
        for (neighbour, before, after) in neighbours {
            let Some((at, other)) = neighbour.and_then(|at| Some((at, *read.get(&at)?))) else { continue };
            let follows = match (before, after) {
                (Some(before), _) => before == other.hash,
                (None, Some(hash)) => other.previous.is_none_or(|before| before == hash),
                (None, None) => true,
            };
            if follows {
                continue;
            }
            // Both are read again when they are needed.
            read.remove(&at);
            let (earlier, later) = (version.min(at), version.max(at));
            let by_itself = if earlier == version { entry.origin } else { other.origin } == Origin::Nines;
            let wrong = if by_itself { later } else { earlier };
            return Err((wrong, format!("entry {later} was not written after entry {earlier} as it is now")));
        }
        read.insert(version, entry);
        while read.len() > MOST {
            read.pop_first();
        }
        Ok(())
    }

    /// What was read of an entry.
    pub(super) fn read(&self, place: &LogPlace) -> Option<Examined> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).get(&place.table)?.get(&place.version).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_follows_the_one_before_whichever_was_read_first() {
        let place = |version| LogPlace { table: "t".to_string(), version };
        let entry = |hash: u8, previous: u8| Examined {
            origin: Origin::Nines,
            hash: [hash; 32],
            previous: (previous > 0).then_some([previous; 32]),
        };
        let chain = Chain::default();
        assert_eq!(chain.add(&place(2), entry(2, 1)), Ok(()));
        assert_eq!(chain.add(&place(1), entry(1, 0)), Ok(()));
        assert_eq!(chain.add(&place(3), entry(3, 2)), Ok(()));
        assert_eq!(chain.add(&place(4), entry(4, 9)).unwrap_err().0, 4);
        assert_eq!(chain.read(&place(3)), None);
        assert_eq!(chain.add(&place(4), entry(4, 9)), Ok(()));
        assert_eq!(chain.add(&place(3), entry(3, 2)).unwrap_err().0, 4);
        let older = Examined { origin: Origin::Older, ..entry(8, 1) };
        assert_eq!(chain.add(&place(2), entry(2, 1)), Ok(()));
        assert_eq!(chain.add(&place(3), entry(3, 2)), Ok(()));
        assert_eq!(chain.add(&place(2), older).unwrap_err().0, 2, "what holds by itself is right");
        // Another Delta writer says nothing of the one before.
        assert_eq!(chain.add(&place(5), Examined { origin: Origin::Foreign, ..entry(5, 0) }), Ok(()));
        assert_eq!(chain.add(&place(6), entry(6, 5)), Ok(()));
    }
}
