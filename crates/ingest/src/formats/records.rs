//! The records of a text format, and the batches that come of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use datafusion::arrow::array::RecordBatch;

use crate::rows::Rows;
use crate::{IngestError, Progress, Result};

/// The batches of one input.
pub(crate) type BatchesOfOne = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Records read between two looks at whether memory is full or somebody wants to stop.
const CHUNK: usize = 2048;

/// A text format: it reads one record after the other and adds each to the rows.
pub(crate) trait Records<R>: Send {
    /// Reads the next record; false at the end.
    fn read_one(&mut self, rows: &mut R) -> Result<bool>;
}

/// The records of a text input, as its table's rows hold them.
pub(crate) struct Combined<R> {
    name: String,
    records: Box<dyn Records<R>>,
    rows: R,
    ended: bool,
    handing_out: bool,
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
}

impl<R: Rows + 'static> Combined<R> {
    /// The batches of these records.
    pub(crate) fn batches(
        name: String,
        records: Box<dyn Records<R>>,
        rows: R,
        progress: &Arc<Progress>,
        stop: &Arc<AtomicBool>,
    ) -> BatchesOfOne {
        let (progress, stop) = (Arc::clone(progress), Arc::clone(stop));
        Box::new(Self { name, records, rows, ended: false, handing_out: false, progress, stop })
    }

    fn step(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.handing_out {
                if let Some(batch) = self.rows.next_batch().map_err(|e| e.in_file(&self.name))? {
                    return Ok(Some(batch));
                }
                self.handing_out = false;
            }
            if self.ended {
                return Ok(None);
            }
            if self.stop.load(Relaxed) {
                return Err(IngestError::stopped());
            }
            self.read_chunk()?;
            self.handing_out = self.ended || self.rows.full();
        }
    }

    fn read_chunk(&mut self) -> Result<()> {
        for n in 0..CHUNK {
            if !self.records.read_one(&mut self.rows)? {
                self.ended = true;
                self.progress.add_rows(n as u64);
                return Ok(());
            }
        }
        self.progress.add_rows(CHUNK as u64);
        Ok(())
    }
}

impl<R: Rows + 'static> Iterator for Combined<R> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
