//! What the statements of a session may take, each and together.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// Limits of a session; `None` where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Rows of an answer. One that has more fails.
    pub rows: Option<u64>,
    /// How long a statement may run.
    pub time: Option<Duration>,
    /// Bytes that all statements of the session and the results that it keeps may hold, within the engine's limit.
    pub memory: Option<usize>,
    /// Statements at once. One more is refused.
    pub statements: Option<usize>,
}

/// A session's share of the engine's memory.
#[derive(Debug)]
pub(crate) struct SessionPool {
    pool: Arc<dyn MemoryPool>,
    most: usize,
    held: AtomicUsize,
}

impl SessionPool {
    pub fn new(pool: Arc<dyn MemoryPool>, most: usize) -> Self {
        SessionPool { pool, most, held: AtomicUsize::new(0) }
    }
}

impl fmt::Display for SessionPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session({} of {} bytes) of {}", self.held.load(Relaxed), self.most, self.pool)
    }
}

impl MemoryPool for SessionPool {
    fn name(&self) -> &str {
        "session"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.pool.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.pool.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.pool.grow(reservation, additional);
        self.held.fetch_add(additional, Relaxed);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.pool.shrink(reservation, shrink);
        self.held.fetch_sub(shrink, Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        // Taken first, so that two at once cannot both have the last of it.
        let held = self.held.fetch_add(additional, Relaxed);
        let granted = match held.saturating_add(additional) > self.most {
            true => Err(resources_datafusion_err!(
                "{} asks for {additional} bytes more, and the session's statements and results hold {held} of {} bytes",
                reservation.consumer().name(),
                self.most
            )),
            false => self.pool.try_grow(reservation, additional),
        };
        if granted.is_err() {
            self.held.fetch_sub(additional, Relaxed);
        }
        granted
    }

    fn reserved(&self) -> usize {
        self.held.load(Relaxed)
    }

    fn memory_limit(&self) -> MemoryLimit {
        match self.pool.memory_limit() {
            MemoryLimit::Finite(limit) => MemoryLimit::Finite(limit.min(self.most)),
            _ => MemoryLimit::Finite(self.most),
        }
    }
}
