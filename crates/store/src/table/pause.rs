//! Waiting for other writers.

use std::time::Duration;

/// How long to wait after a lost race: longer each time, and not in step with the other writers.
pub(crate) fn pause(attempt: u32) -> Duration {
    let most = 1 << attempt.min(7);
    // A random UUID is all the randomness that this needs.
    let random = uuid::Uuid::new_v4().as_u128() as u64;
    Duration::from_millis(random % (most + 1))
}
