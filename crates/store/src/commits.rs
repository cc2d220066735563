//! What this process has committed to a store, or is about to: for whoever must say what was stored when work ends early.
//!
//! A commit that has begun goes on when nobody waits for its append any longer ([`Table::append`](crate::Table::append)
//! dropped by Ctrl-C, say), so that what became of it is known after a moment.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::schema::TableKind;

/// A commit that changes rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Begun {
    /// The table.
    pub table: TableKind,
    /// The version that it becomes or became.
    pub version: u64,
    /// What is known of it.
    pub known: Known,
}

/// What is known of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Its entry is being written.
    Underway,
    /// It is stored, durably.
    Stored,
    /// Nobody can tell whether it is stored: the objects failed while the entry was written and when it was looked for.
    Unknown,
}

/// The commits of a process to one store, in the order in which they began. Those that came to nothing are not among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Commits {
    begun: Arc<Mutex<Vec<(u64, Begun)>>>,
    ended: Arc<Notify>,
}

impl Commits {
    pub(crate) fn all(&self) -> Vec<Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(_, begun)| *begun).collect()
    }

    /// Ends when no commit is under way.
    pub(crate) async fn settled(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            // Before the look: what ends after it must wake.
            ended.as_mut().enable();
            if self.all().iter().all(|begun| begun.known != Known::Underway) {
                return;
            }
            ended.await;
        }
    }

    pub(crate) fn begin(&self, table: TableKind, version: u64) -> Underway {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let number = begun.last().map_or(0, |(number, _)| number + 1);
        begun.push((number, Begun { table, version, known: Known::Underway }));
        Underway { commits: self.clone(), number, known: Some(Known::Unknown) }
    }
}

/// A commit under way. Dropped before it is said what became of it, that is unknown.
pub(crate) struct Underway {
    commits: Commits,
    number: u64,
    known: Option<Known>,
}

impl Underway {
    /// Says what became of it: `None` if nothing did and nothing will.
    pub(crate) fn end(mut self, known: Option<Known>) {
        self.known = known;
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let mut begun = self.commits.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = begun.iter().rposition(|(number, _)| *number == self.number) {
            match self.known {
                Some(known) => begun[at].1.known = known,
                None => {
                    begun.remove(at);
                }
            }
        }
        drop(begun);
        self.commits.ended.notify_waiters();
    }
}
