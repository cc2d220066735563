//! The records of a text format, and the batches that come of them.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use datafusion::arrow::array::RecordBatch;

use crate::rows::Rows;
use crate::{IngestError, Progress, Rejected, Result};

/// The batches of one input.
pub(crate) type BatchesOfOne = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Records read between two looks at whether memory is full or somebody wants to stop.
const CHUNK: usize = 2048;

/// A text format: it reads one record after the other and adds each to the rows.
pub(crate) trait Records<R>: Send {
    /// Reads the next record; false at the end.
    fn read_one(&mut self, rows: &mut R) -> Result<bool>;

    /// The record that was read last, as it stands in the input.
    fn text(&self) -> Cow<'_, str>;
}

/// The records of a text input, as its table's rows hold them.
pub(crate) struct Combined<R> {
    name: String,
    records: Box<dyn Records<R>>,
    rows: R,
    ended: bool,
    handing_out: bool,
    rejected: Option<Arc<Rejected>>,
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
}

impl<R: Rows + 'static> Combined<R> {
    /// The batches of these records.
    pub(crate) fn batches(
        name: String,
        records: Box<dyn Records<R>>,
        rows: R,
        rejected: Option<Arc<Rejected>>,
        progress: &Arc<Progress>,
        stop: &Arc<AtomicBool>,
    ) -> BatchesOfOne {
        let (progress, stop) = (Arc::clone(progress), Arc::clone(stop));
        Box::new(Self { name, records, rows, ended: false, handing_out: false, rejected, progress, stop })
    }

    fn step(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.handing_out {
                match self.rows.next_batch().map_err(|e| e.in_file(&self.name)) {
                    Ok(Some(batch)) => return Ok(Some(batch)),
                    Ok(None) => self.handing_out = false,
                    Err(error) => {
                        // Rules about whole records are checked when they are handed out.
                        let Some(rejected) = self.rejected.as_ref().filter(|_| Rejected::takes(&error)) else {
                            return Err(error);
                        };
                        rejected.add(&error, "");
                        self.progress.take_row_back();
                        continue;
                    }
                }
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
        let mut taken = 0;
        for _ in 0..CHUNK {
            match self.records.read_one(&mut self.rows) {
                Ok(true) => taken += 1,
                Ok(false) => {
                    self.ended = true;
                    break;
                }
                Err(error) => match self.rejected.as_ref().filter(|_| Rejected::takes(&error)) {
                    Some(rejected) => rejected.add(&error.in_file(&self.name), &self.records.text()),
                    None => return Err(error),
                },
            }
        }
        self.progress.add_rows(taken);
        Ok(())
    }
}

impl<R: Rows + 'static> Iterator for Combined<R> {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
