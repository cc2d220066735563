//! The memory of the whole process, which no pool knows: what operators and functions allocate without asking.
//!
//! The program that allocates tells how much is in use ([`watch_memory`]). While statements run, a thread looks at it every
//! few milliseconds; beyond a quarter more than the limit it ends the statement that holds the most.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{OnceLock, PoisonError};
use std::time::Duration;

use super::token::{BEGUN, Why, running};

/// How often the memory is looked at while statements run.
const EVERY: Duration = Duration::from_millis(2);
/// How long the statement that was ended has to give its memory back before the next one is.
const GRACE: Duration = Duration::from_millis(200);
/// What the program may hold whatever the limit: it needs some memory for itself.
const AT_LEAST: usize = 192 << 20;

/// What the program knows of its memory.
#[derive(Debug, Clone, Copy)]
struct Memory {
    in_use: fn() -> usize,
    most: &'static AtomicUsize,
}

static MEMORY: OnceLock<Memory> = OnceLock::new();
/// Ends the largest statement when the process holds a quarter more than the memory limit. `in_use` says how many bytes the
/// process has allocated. `most` is set to the bytes at which the allocator itself has to stop the process, because one
/// allocation would take it there before any statement could be ended; `usize::MAX` while none runs.
///
/// Called once, by the program that owns the allocator.
pub fn watch_memory(in_use: fn() -> usize, most: &'static AtomicUsize) {
    if MEMORY.set(Memory { in_use, most }).is_ok() {
        let watch = std::thread::Builder::new().name("memory".to_string()).stack_size(256 << 10);
        // Without the thread there is the pool's limit all the same.
        if let Err(error) = watch.spawn(look) {
            tracing::warn!(target: "nines", %error, "nothing watches what the process allocates");
        }
    }
}

/// The limit at which a statement is ended.
fn soft(limit: usize) -> usize {
    limit.saturating_add(limit / 4).max(AT_LEAST)
}

/// The limit at which the process is.
fn hard(limit: usize) -> usize {
    limit.saturating_add(limit / 2).max(2 * AT_LEAST)
}

fn look() {
    let Some(Memory { in_use, most }) = MEMORY.get().copied() else { return };
    loop {
        let running = running();
        let Some(limit) = running.iter().map(|token| token.limit.unwrap_or(usize::MAX)).max() else {
            most.store(usize::MAX, Relaxed);
            drop(running);
            let mut begun = BEGUN.0.lock().unwrap_or_else(PoisonError::into_inner);
            while !*begun {
                begun = BEGUN.1.wait(begun).unwrap_or_else(PoisonError::into_inner);
            }
            *begun = false;
            continue;
        };
        most.store(hard(limit), Relaxed);
        let used = in_use();
        if used > soft(limit)
            && let Some(largest) = running.iter().max_by_key(|token| token.held())
        {
            largest.end(Why::Memory { used, limit });
            drop(running);
            std::thread::sleep(GRACE);
            continue;
        }
        drop(running);
        std::thread::sleep(EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_leave_room_for_the_program_itself() {
        assert_eq!((soft(256 << 20), hard(256 << 20)), (320 << 20, 384 << 20));
        assert_eq!((soft(1 << 20), hard(1 << 20)), (192 << 20, 384 << 20));
        assert_eq!((soft(usize::MAX), hard(usize::MAX)), (usize::MAX, usize::MAX));
    }
}
