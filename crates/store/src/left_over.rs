//! What writers left that died.

use std::time::Duration;

/// How old a file that no entry names must be before it is taken for what a dead writer left: longer than any write takes.
pub(crate) const LEFT_OVER_AFTER: Duration = Duration::from_secs(24 * 3600);
