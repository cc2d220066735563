//! A statement that runs, and its end.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use datafusion::error::{DataFusionError, Result};
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};

/// All statements that run in this process: the memory that they share is the process's.
static RUNNING: Mutex<Vec<Weak<Token>>> = Mutex::new(Vec::new());

/// Whether statements began since the thread looked, and what wakes it.
pub(super) static BEGUN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

/// Which session of this process a statement is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionId(u64);

impl SessionId {
    /// Another one each time.
    pub fn next() -> SessionId {
        static LAST: AtomicU64 = AtomicU64::new(0);
        SessionId(LAST.fetch_add(1, Relaxed))
    }
}

/// A statement that runs.
#[derive(Debug)]
pub(crate) struct Token {
    /// Whose it is.
    session: SessionId,
    /// The limit of its memory pool.
    pub(super) limit: Option<usize>,
    /// Bytes of that pool which it holds.
    pub(super) held: AtomicUsize,
    ended: OnceLock<Why>,
    wakes: Notify,
    /// Its place among the statements that the session may run at once.
    _permit: Option<OwnedSemaphorePermit>,
    /// Dropped with the statement, so that nobody waits for its time to be over.
    _timed: Option<oneshot::Sender<()>>,
}

/// Why a statement was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Somebody said so, or nobody waits for it any longer.
    Cancelled,
    /// The process held this many bytes, with this limit.
    Memory { used: usize, limit: usize },
    /// It ran for as long as it may.
    Time(Duration),
}

impl Token {
    /// For a statement that begins now, of a session with this memory limit and this time for each statement.
    pub fn begin(
        session: SessionId,
        limit: Option<usize>,
        time: Option<Duration>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Arc<Token> {
        let (alive, over) = time.map(|_| oneshot::channel::<()>()).unzip();
        let token = Arc::new(Token {
            session,
            limit,
            held: AtomicUsize::new(0),
            ended: OnceLock::new(),
            wakes: Notify::new(),
            _permit: permit,
            _timed: alive,
        });
        if let Some((time, over)) = time.zip(over) {
            let timed = Arc::downgrade(&token);
            tokio::spawn(async move {
                if tokio::time::timeout(time, over).await.is_err()
                    && let Some(token) = timed.upgrade()
                {
                    token.end(Why::Time(time));
                }
            });
        }
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|other| other.strong_count() > 0);
        running.push(Arc::downgrade(&token));
        drop(running);
        *BEGUN.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        BEGUN.1.notify_one();
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
            Why::Time(time) => DataFusionError::ResourcesExhausted(format!(
                "The statement ran for {} s, which is as long as this session's may; it was ended.",
                time.as_secs_f64()
            )),
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
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("cancelled")]
pub(crate) struct Cancelled;

/// The statements that run, none of which was ended yet.
pub(super) fn running() -> Vec<Arc<Token>> {
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.iter().filter_map(Weak::upgrade).filter(|token| token.ended.get().is_none()).collect()
}

/// Ends all statements of a session.
pub(crate) fn cancel(session: SessionId) {
    for token in running().iter().filter(|token| token.session == session) {
        token.end(Why::Cancelled);
    }
}
