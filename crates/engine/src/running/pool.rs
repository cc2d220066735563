//! A statement's share of the session's memory pool.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

use super::token::Token;

/// The pool of the session, seen by one statement: it counts what the statement holds, and gives nothing to one that was ended.
#[derive(Debug)]
pub(crate) struct StatementPool {
    pool: Arc<dyn MemoryPool>,
    token: Arc<Token>,
}

impl StatementPool {
    pub fn new(pool: Arc<dyn MemoryPool>, token: Arc<Token>) -> Self {
        StatementPool { pool, token }
    }
}

impl fmt::Display for StatementPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pool.fmt(f)
    }
}

impl MemoryPool for StatementPool {
    fn name(&self) -> &str {
        self.pool.name()
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.pool.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.pool.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.pool.grow(reservation, additional);
        self.token.held.fetch_add(additional, Relaxed);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.pool.shrink(reservation, shrink);
        self.token.held.fetch_sub(shrink, Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.token.check()?;
        self.pool.try_grow(reservation, additional)?;
        self.token.held.fetch_add(additional, Relaxed);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.pool.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.pool.memory_limit()
    }
}
