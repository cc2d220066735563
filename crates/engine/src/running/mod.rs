//! Statements while they run, so that they can be ended: by whoever asked for them, or because the process holds too much
//! memory.
//!
//! A statement has a [`Token`]. Ending it lets its stream fail at the next step and drops all that it was made of, whose tasks
//! end with that. DataFusion's operators end when they next wait for something; those that compute long without waiting are
//! watched ([`watched`]): they look at the token on their way.
//!
//! What must hold: a second after a statement was ended or its stream was dropped, none of its tasks is alive and it holds
//! nothing of the memory pool.

mod constant;
mod memory;
mod pool;
mod sliced;
mod stream;
#[cfg(test)]
mod tests;
mod watched;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::DataFrame;
use tokio::sync::Notify;

pub use memory::watch_memory;

use crate::place::Place;
use pool::StatementPool;
use stream::Ending;

/// All statements that run in this process: the memory that they share is the process's.
static RUNNING: Mutex<Vec<Weak<Token>>> = Mutex::new(Vec::new());

/// A statement that runs.
#[derive(Debug)]
pub(crate) struct Token {
    /// Whose it is: sessions that share it are ended together.
    place: Arc<Place>,
    /// The limit of its memory pool.
    limit: Option<usize>,
    /// Bytes of that pool which it holds.
    held: AtomicUsize,
    ended: OnceLock<Why>,
    wakes: Notify,
}

/// Why a statement was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody said so, or nobody waits for it any longer.
    Cancelled,
    /// The process held this many bytes, with this limit.
    Memory { used: usize, limit: usize },
}

impl Token {
    /// For a statement that begins now.
    pub fn begin(place: &Arc<Place>, limit: Option<usize>) -> Arc<Token> {
        let token = Arc::new(Token {
            place: Arc::clone(place),
            limit,
            held: AtomicUsize::new(0),
            ended: OnceLock::new(),
            wakes: Notify::new(),
        });
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|other| other.strong_count() > 0);
        running.push(Arc::downgrade(&token));
        drop(running);
        memory::awake();
        token
    }

    /// Ends the statement; the first reason counts.
    pub fn end(&self, why: Why) {
        let _ = self.ended.set(why);
        self.wakes.notify_waiters();
    }

    /// An error once the statement was ended.
    pub fn check(&self) -> Result<()> {
        match self.ended.get() {
            None => Ok(()),
            Some(why) => Err(why.error()),
        }
    }

    /// Ends when the statement was ended.
    pub async fn ended(&self) {
        let wakes = self.wakes.notified();
        tokio::pin!(wakes);
        // Before the look: what ends it after that must wake.
        wakes.as_mut().enable();
        if self.ended.get().is_none() {
            wakes.await;
        }
    }

    pub fn held(&self) -> usize {
        self.held.load(Relaxed)
    }
}

impl Why {
    fn error(self) -> DataFusionError {
        match self {
            Why::Cancelled => DataFusionError::External(Box::new(Cancelled)),
            Why::Memory { used, limit } => {
                let mib = |bytes: usize| bytes >> 20;
                DataFusionError::ResourcesExhausted(format!(
                    "The program held {} MiB with a limit of {} MiB, and this statement the most; it was ended.",
                    mib(used),
                    mib(limit)
                ))
            }
        }
    }
}

/// The error of a statement that somebody ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled")
    }
}

impl std::error::Error for Cancelled {}

/// The statements that run, none of which was ended yet.
fn running() -> Vec<Arc<Token>> {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.iter().filter_map(Weak::upgrade).filter(|token| token.ended.get().is_none()).collect()
}

/// Ends all statements of the sessions that share a place.
pub(crate) fn cancel(place: &Arc<Place>) {
    for token in running().iter().filter(|token| Arc::ptr_eq(&token.place, place)) {
        token.end(Why::Cancelled);
    }
}

/// Plans and starts a statement under its token.
pub(crate) async fn start(frame: DataFrame, token: &Arc<Token>) -> Result<SendableRecordBatchStream> {
    let task = frame.task_ctx();
    let plan = frame.create_physical_plan().await?;
    let plan = watched::watched(plan, token)?;
    let environment = task.runtime_env();
    let pool = StatementPool::new(Arc::clone(&environment.memory_pool), Arc::clone(token));
    let environment = RuntimeEnv { memory_pool: Arc::new(pool), ..environment.as_ref().clone() };
    let task = task.with_runtime(Arc::new(environment));
    let rows = execute_stream(plan, Arc::new(task))?;
    Ok(Box::pin(Ending::new(rows, Arc::clone(token))))
}
