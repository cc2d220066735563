//! Results on their way out: one format per file behind [`Sink`](sink::Sink).
//!
//! For people: table and Markdown, with times in the session's zone, floats rounded for the eye and timelines
//! in short. For programs: csv, json, jsonl, parquet and arrow, with full precision and no decoration.

mod cell;
mod columnar;
mod csv;
mod file;
mod format;
mod json;
mod markdown;
mod say;
mod shown;
mod sink;
mod stored;
mod table;

use std::io::{IsTerminal, Write};
use std::path::Path;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use crate::error::{CliError, Result, doing};
use file::{beside, put};

pub(crate) use cell::{duration, instant, text};
pub(crate) use file::{can_be_written, is_standard_output, whole_file};
pub(crate) use format::Format;
pub(crate) use say::{counted, note, note_over, say, say_drawn};
pub(crate) use stored::stored;
pub(crate) use table::whole;

/// Where a result goes, and how.
pub(crate) struct Output<'a> {
    pub format: Format,
    pub file: Option<&'a Path>,
    pub time_zone: &'a str,
}

impl Output<'_> {
    /// Writes all rows; how many there were. A file appears only when it is complete.
    pub async fn write(&self, schema: SchemaRef, batches: SendableRecordBatchStream) -> Result<usize> {
        match self.file.filter(|file| !is_standard_output(file)) {
            Some(file) => {
                let whole = beside(file)?;
                let target = doing(file.display(), whole.reopen())?;
                let rows = self.pump(schema, batches, Box::new(std::io::BufWriter::new(target)), false).await?;
                put(whole, file)?;
                Ok(rows)
            }
            None => {
                let terminal = std::io::stdout().is_terminal();
                if terminal && self.format.is_binary() {
                    let problem = "a terminal cannot show this format; give a file with --output";
                    return Err(CliError::Usage(problem.to_string()));
                }
                let writer = std::io::BufWriter::new(std::io::stdout());
                match terminal {
                    true => self.pump(schema, batches, Box::new(shown::Shown::new(writer)), terminal).await,
                    false => self.pump(schema, batches, Box::new(writer), terminal).await,
                }
            }
        }
    }

    /// Writes all rows to a writer; how many there were.
    pub async fn pump(
        &self,
        schema: SchemaRef,
        mut batches: SendableRecordBatchStream,
        writer: Box<dyn Write + Send>,
        terminal: bool,
    ) -> Result<usize> {
        // DDL has no columns and no rows: silence is its answer.
        if schema.fields().is_empty() {
            while let Some(batch) = batches.next().await {
                batch?;
            }
            return Ok(1);
        }
        let mut sink = self.format.sink(writer, schema, self.time_zone, terminal)?;
        let mut rows = 0;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            rows += batch.num_rows();
            sink.write(&batch)?;
        }
        sink.finish()?;
        Ok(rows)
    }
}
