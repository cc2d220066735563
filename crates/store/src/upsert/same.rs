//! Whether rows of a batch are stored already, every one with the same values: then nothing has to be merged.
//!
//! Both sides come sorted by key, so that equal rows stand at equal places. They are compared a column at a time, which costs little
//! more than reading them, and not beyond the first difference.

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::scan::Scan;
use crate::error::Result;
use crate::log::{DataFile, NewFile};

/// Whether the rows of a batch in a partition are the stored ones of the same units, no more and no less.
pub(super) async fn same(scan: &Scan<'_>, new: &[NewFile], stored: &[&DataFile]) -> Result<bool> {
    let rows: u64 = new.iter().map(|file| file.rows).sum();
    if stored.iter().filter_map(|file| file.rows()).sum::<u64>() < rows {
        return Ok(false);
    }
    let range = scan.range_of(new, stored)?;
    let (mut ours, mut theirs) = (Rows::new(scan.rows(new, &[])?), Rows::new(scan.rows_in(stored, range)?));
    loop {
        match (ours.more().await?, theirs.more().await?) {
            (0, 0) => return Ok(true),
            (0, _) | (_, 0) => return Ok(false),
            (one, other) => {
                let rows = one.min(other);
                if ours.take(rows) != theirs.take(rows) {
                    return Ok(false);
                }
            }
        }
    }
}

/// The rows of a stream, as many at a time as are wanted.
struct Rows {
    stream: SendableRecordBatchStream,
    left: RecordBatch,
}

impl Rows {
    fn new(stream: SendableRecordBatchStream) -> Self {
        let left = RecordBatch::new_empty(stream.schema());
        Self { stream, left }
    }

    /// How many rows are at hand; none are left if there is not one.
    async fn more(&mut self) -> Result<usize> {
        while self.left.num_rows() == 0 {
            match self.stream.next().await.transpose()? {
                Some(batch) => self.left = batch,
                None => break,
            }
        }
        Ok(self.left.num_rows())
    }

    /// The columns of the next rows, those apart that only tell of which file a row is.
    fn take(&mut self, rows: usize) -> Vec<ArrayRef> {
        let taken = self.left.slice(0, rows);
        self.left = self.left.slice(rows, self.left.num_rows() - rows);
        let origin = taken.num_columns() - 1;
        taken.columns()[..origin].to_vec()
    }
}
