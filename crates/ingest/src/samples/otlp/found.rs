//! What a file is found to be while it is read.

/// What was found beside metrics.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Messages of traces, logs or profiles.
    pub others: u64,
    /// Whether messages with lengths were packed, and whether they were JSON.
    pub packed: bool,
    pub json: bool,
}
