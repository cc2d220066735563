//! What was evaluated is not evaluated again: two calls of a statement over the same days, and the cells of a notebook, count them once.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard as Guard, PoisonError};

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use nines_store::TableKind;
use nines_timeline::Interval;
use tokio::sync::{Mutex as Turn, MutexGuard};

use super::part::{Detail, Part};
use super::subject::Subject;

/// Parts that were counted, for whoever asks for them next.
#[derive(Debug, Default)]
pub(crate) struct Evaluated {
    /// Where statements to come will ask, too, the memory of their session.
    lasting: Option<Arc<dyn MemoryPool>>,
    /// How many calls were planned that ask.
    calls: AtomicUsize,
    /// Had by the call that counts. Who asks for the same meanwhile waits, and takes it.
    turn: Turn<()>,
    known: Mutex<Known>,
}

/// A subject ([`Subject::evaluated_name`]) and a stretch of time.
pub(super) type PartName = (u64, Interval);

/// A part that was counted.
#[derive(Debug)]
struct Left {
    detail: Detail,
    part: Part,
    /// Whether its day is kept, or need not be.
    kept: bool,
}

/// The share of the memory that may be taken, so that there is room for whoever asks.
const SHARE: usize = 8;
/// What may be taken where memory has no limit.
const AT_MOST: usize = 256 << 20;

#[derive(Debug, Default)]
struct Known {
    /// The versions of tables of which they are.
    versions: BTreeMap<TableKind, Option<u64>>,
    parts: HashMap<PartName, Left>,
    memory: Option<MemoryReservation>,
}

impl Evaluated {
    /// For several statements, of whose session this is the memory.
    pub fn lasting(pool: &Arc<dyn MemoryPool>) -> Self {
        Evaluated { lasting: Some(Arc::clone(pool)), ..Evaluated::default() }
    }

    /// Another call was planned.
    pub fn planned(&self) {
        self.calls.fetch_add(1, Relaxed);
    }

    /// Whether anybody is to come who asks for the same, so that it is worth the memory.
    pub fn is_shared(&self) -> bool {
        self.lasting.is_some() || self.calls.load(Relaxed) > 1
    }

    /// Waits until no other call counts.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// What is known of these versions of tables; what is known of others is let go of.
    pub fn known(&self, versions: &BTreeMap<TableKind, Option<u64>>) -> KnownParts<'_> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.versions != *versions {
            *known = Known { versions: versions.clone(), ..Known::default() };
        }
        KnownParts(known)
    }

    /// Leaves what was counted of these versions, as far as it is little beside the memory that there is.
    pub fn leave(
        &self,
        versions: &BTreeMap<TableKind, Option<u64>>,
        subjects: &[Arc<Subject>],
        (detail, counted): (Detail, &[Part]),
        pool: &Arc<dyn MemoryPool>,
    ) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Another statement may have asked for other versions meanwhile.
        if known.versions != *versions {
            return;
        }
        let Known { parts, memory, .. } = &mut *known;
        let pool = self.lasting.as_ref().unwrap_or(pool);
        let memory = memory.get_or_insert_with(|| MemoryConsumer::new("evaluated").register(pool));
        let most = match pool.memory_limit() {
            MemoryLimit::Finite(limit) => limit / SHARE,
            MemoryLimit::Infinite | MemoryLimit::Unknown => AT_MOST,
        };
        let mut names: HashMap<usize, u64> = HashMap::new();
        for part in counted {
            let name = *names.entry(part.subject).or_insert_with(|| subjects[part.subject].evaluated_name());
            let size = taken(part);
            if memory.size() + size > most || memory.try_grow(size).is_err() {
                tracing::debug!(target: "nines", "what was evaluated takes too much memory to be shared");
                return;
            }
            let left = Left { detail, part: part.clone(), kept: false };
            if let Some(before) = parts.insert((name, part.interval), left) {
                memory.shrink(taken(&before.part));
            }
        }
    }

    /// Whether a part was counted and its day is not kept yet.
    pub fn is_unkept(&self, name: &PartName) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.parts.get(name).is_none_or(|left| !left.kept)
    }

    /// The days of these parts are kept.
    pub fn kept(&self, names: impl IntoIterator<Item = PartName>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if let Some(left) = known.parts.get_mut(&name) {
                left.kept = true;
            }
        }
    }
}

/// About how many bytes a part takes here.
fn taken(part: &Part) -> usize {
    const ENTRY: usize = 64;
    part.size() + ENTRY
}

/// Parts that were counted, of the versions that are read.
pub(crate) struct KnownParts<'a>(Guard<'a, Known>);

impl KnownParts<'_> {
    /// The part of this name, with so much detail, and whether its day is kept.
    pub fn part(&self, name: &PartName, detail: Detail) -> Option<(Part, bool)> {
        let Left { detail: held, part, kept } = self.0.parts.get(name)?;
        match (*held == detail, detail) {
            (true, _) => Some((part.clone(), *kept)),
            (false, Detail::None) => Some((Part { details: None, ..part.clone() }, *kept)),
            (false, _) => None,
        }
    }
}
