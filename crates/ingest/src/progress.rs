//! How far a read has come, for a progress bar on another thread.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::NoRequest;

/// Counters that a read advances and anybody may look at.
#[derive(Debug, Default)]
pub struct Progress {
    total_bytes: AtomicU64,
    bytes_read: AtomicU64,
    rows_read: AtomicU64,
    rejected: AtomicU64,
    without_unit: AtomicU64,
    /// The first such number.
    example: OnceLock<u64>,
    beside_unit: AtomicU64,
    turned_over: AtomicU64,
    headers: AtomicU64,
    no_requests: Mutex<BTreeMap<NoRequest, u64>>,
    /// The formats of logs that were known by their lines.
    told: Mutex<BTreeSet<String>>,
    /// Files that begin with zero bytes, and how many.
    holes: Mutex<BTreeMap<String, u64>>,
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

    /// Lines of logs that end in a whole number of no known unit, which is therefore no latency.
    pub fn without_unit(&self) -> u64 {
        self.without_unit.load(Relaxed)
    }

    /// The number at the end of the first of them.
    pub fn without_unit_example(&self) -> Option<u64> {
        self.example.get().copied()
    }

    /// Lines of logs whose number has a decimal point, so that it was read as seconds, while another unit was given for
    /// whole numbers.
    pub fn beside_unit(&self) -> u64 {
        self.beside_unit.load(Relaxed)
    }

    pub(crate) fn add_beside_unit(&self) {
        self.beside_unit.fetch_add(1, Relaxed);
    }

    /// Lines of logs that were skipped because they say that the log was turned over.
    pub fn turned_over(&self) -> u64 {
        self.turned_over.load(Relaxed)
    }

    /// Records that were skipped because they repeat the header.
    pub fn headers(&self) -> u64 {
        self.headers.load(Relaxed)
    }

    /// Adds to these.
    pub fn add_headers(&self, more: u64) {
        if more > 0 {
            self.headers.fetch_add(more, Relaxed);
        }
    }

    pub(crate) fn add_turned_over(&self) {
        self.turned_over.fetch_add(1, Relaxed);
    }

    /// Lines of logs that were skipped because they are no requests, by why they are none.
    pub fn no_requests(&self) -> BTreeMap<NoRequest, u64> {
        self.no_requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn add_no_request(&self, why: &NoRequest) {
        let mut lines = self.no_requests.lock().unwrap_or_else(PoisonError::into_inner);
        *lines.entry(why.clone()).or_default() += 1;
    }

    /// Files whose text begins after zero bytes, and how many these are: a truncation left them in the place of older lines.
    pub fn holes(&self) -> BTreeMap<String, u64> {
        self.holes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn add_hole(&self, name: &str, bytes: u64) {
        self.holes.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_string(), bytes);
    }

    /// The formats of logs that were known by their lines, where they are not the common or combined one.
    pub fn told_formats(&self) -> BTreeSet<String> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn add_told(&self, format: String) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(format);
    }

    /// Forgets what was counted of lines, because the lines are read again.
    pub fn forget_units(&self) {
        self.without_unit.store(0, Relaxed);
        self.beside_unit.store(0, Relaxed);
        self.turned_over.store(0, Relaxed);
        self.headers.store(0, Relaxed);
        self.no_requests.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.rejected.store(0, Relaxed);
    }

    pub(crate) fn add_without_unit(&self, number: u64) {
        self.without_unit.fetch_add(1, Relaxed);
        self.example.get_or_init(|| number);
    }

    /// Adds a file to what is to be read.
    pub fn expect_file(&self, path: &std::path::Path) -> crate::Result<()> {
        let metadata = std::fs::metadata(path);
        self.add_total(metadata.map_err(|error| crate::IngestError::io(&path.display().to_string(), error))?.len());
        Ok(())
    }

    pub(crate) fn add_total(&self, bytes: u64) {
        self.total_bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.bytes_read.fetch_add(bytes, Relaxed);
    }

    pub fn add_rows(&self, rows: u64) {
        self.rows_read.fetch_add(rows, Relaxed);
    }

    /// A row that was taken is refused after all.
    pub(crate) fn take_row_back(&self) {
        self.rows_read.fetch_sub(1, Relaxed);
    }

    pub(crate) fn add_rejected(&self) {
        self.rejected.fetch_add(1, Relaxed);
    }
}
