//! How far a read has come, for a progress bar on another thread.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that a read advances and anybody may look at. They only grow.
#[derive(Debug, Default)]
pub struct Progress {
    total_bytes: AtomicU64,
    bytes_read: AtomicU64,
    rows_read: AtomicU64,
    rejected: AtomicU64,
}

impl Progress {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of all files opened so far, as they lie on disk; 0 where that is not known.
    pub fn total_bytes(&self) -> u64 {
        self.total_bytes.load(Relaxed)
    }

    /// Bytes read, as they lie on disk: of a compressed file, compressed bytes.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed)
    }

    /// Lines of a text format or rows of Parquet that were taken.
    pub fn rows_read(&self) -> u64 {
        self.rows_read.load(Relaxed)
    }

    /// Lines or rows that were refused.
    pub fn rejected(&self) -> u64 {
        self.rejected.load(Relaxed)
    }

    pub(crate) fn add_total(&self, bytes: u64) {
        self.total_bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.bytes_read.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_rows(&self, rows: u64) {
        self.rows_read.fetch_add(rows, Relaxed);
    }

    pub(crate) fn add_rejected(&self, rows: u64) {
        self.rejected.fetch_add(rows, Relaxed);
    }
}
