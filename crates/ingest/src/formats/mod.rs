//! One file per format. A text format is [`Records`]; [`Combined`] counts its records up and hands out batches.

pub(crate) mod csv;
mod json_lines;
mod log;
pub(crate) mod log_line;
mod parquet;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use datafusion::arrow::array::RecordBatch;

use crate::lines::Lines;
use crate::read::stopped;
use crate::rows::Rows;
use crate::{ErrorKind, Format, IngestError, Options, Progress, Result};

/// The batches of one input.
pub(crate) type BatchesOfOne = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// Records read between two looks at whether memory is full or somebody wants to stop.
const CHUNK: usize = 2048;

/// A text format: it reads one record after the other and adds each to the rows.
trait Records: Send {
    /// Reads the next record; false at the end.
    fn read_one(&mut self, rows: &mut Rows) -> Result<bool>;
}

/// The batches of a text input.
pub(crate) fn text(
    format: Format,
    lines: Lines,
    options: &Options,
    progress: &Arc<Progress>,
    stop: &Arc<AtomicBool>,
) -> Result<BatchesOfOne> {
    let rows = Rows::new(options)?;
    let records: Box<dyn Records> = match format {
        Format::Csv => Box::new(csv::Csv::new(lines, rows.columns(), options)?),
        Format::JsonLines => Box::new(json_lines::JsonLines::new(lines, options)),
        Format::Log => Box::new(log::AccessLog::new(lines, rows.columns(), options)?),
        Format::Parquet => {
            return Err(IngestError::new(ErrorKind::Options, "Parquet cannot be read from a stream")
                .in_file(lines.name())
                .advice("Put it into a file and name that"));
        }
    };
    Ok(Box::new(Combined {
        records,
        rows,
        ended: false,
        handing_out: false,
        progress: Arc::clone(progress),
        stop: Arc::clone(stop),
    }))
}

/// The batches of a Parquet file.
pub(crate) fn parquet(path: &Path, options: &Options, progress: &Arc<Progress>) -> Result<BatchesOfOne> {
    Ok(Box::new(parquet::Parquet::open(path, options, Arc::clone(progress))?))
}

/// The records of a text input, combined per slice and key.
struct Combined {
    records: Box<dyn Records>,
    rows: Rows,
    ended: bool,
    handing_out: bool,
    progress: Arc<Progress>,
    stop: Arc<AtomicBool>,
}

impl Combined {
    fn step(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if self.handing_out {
                if let Some(batch) = self.rows.next_batch()? {
                    return Ok(Some(batch));
                }
                self.handing_out = false;
            }
            if self.ended {
                return Ok(None);
            }
            if self.stop.load(Relaxed) {
                return Err(stopped());
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

impl Iterator for Combined {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
