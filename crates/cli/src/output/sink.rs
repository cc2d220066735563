//! What a format does with the batches of a result.

use datafusion::arrow::array::RecordBatch;

use crate::error::Result;

/// A format being written.
pub(super) trait Sink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()>;
    /// Writes what is still held.
    fn finish(self: Box<Self>) -> Result<()>;
}
