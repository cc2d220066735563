//! The rows of one file, batch by batch: the second pass.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::SchemaRef;

use super::cells::Written;
use super::names::{Names, changed};
use super::record::OncePerRecord;
use super::records::Records;
use super::shape::Shape;
use crate::error::quoted;
use crate::{ErrorKind, IngestError, Progress, Rejected, Result};

/// Text of a batch, after which it is given out whatever its rows.
const MOST_TEXT: usize = 4 << 20;

/// The rows of one file.
pub struct FileRows {
    /// The file's name.
    pub(super) name: String,
    /// The columns that are wanted, in their order.
    pub(super) columns: Vec<(String, Shape)>,
    /// The zone in which instants are shown.
    pub(super) zone: Arc<str>,
    pub(super) schema: SchemaRef,
    pub(super) records: Records,
    pub(super) names: Names,
    /// For each column of the table its place among those that are wanted.
    pub(super) slots: Vec<Option<usize>>,
    pub(super) constants: Vec<(usize, String)>,
    pub(super) batch_rows: usize,
    /// Counts the bytes of the text that were read.
    pub(super) read: Arc<Progress>,
    /// The bytes that there must be.
    pub(super) bytes: u64,
    /// Rows left, where they are only counted: their number is known.
    pub(super) counted: Option<u64>,
    /// Where records go that cannot be read, and which of them went there already, by number.
    pub(super) rejected: Option<Arc<Rejected>>,
    pub(super) told: Arc<Mutex<BTreeSet<u64>>>,
    pub(super) seen: OncePerRecord,
    /// The lines on which the rows of the last batch begin.
    pub(super) lines: Vec<u64>,
    pub(super) ended: bool,
}

/// The cells of one column of a batch.
#[derive(Default)]
struct Cells {
    text: String,
    /// For each row where its cell stands in the text.
    ranges: Vec<Option<(usize, usize)>>,
}

impl Cells {
    /// Takes back the cell of a row, if it is there; it is the last one.
    fn forget(&mut self, row: usize) {
        if let Some(Some((start, _))) = self.ranges.get(row) {
            self.text.truncate(*start);
        }
        self.ranges.truncate(row);
    }
}

impl FileRows {
    /// The schema of every batch.
    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The lines on which the rows of the last batch begin.
    pub fn lines(&self) -> &[u64] {
        &self.lines
    }

    fn batch(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(left) = &mut self.counted {
            let rows = self.batch_rows.min(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= rows as u64;
            return if rows == 0 { Ok(None) } else { self.finished(Vec::new(), rows).map(Some) };
        }
        let mut cells: Vec<Cells> = Vec::new();
        cells.resize_with(self.columns.len(), Cells::default);
        let (mut lines, mut bytes) = (Vec::new(), 0);
        let (slots, is_lenient, written) = (&self.slots, self.rejected.is_some(), self.records.written());
        while lines.len() < self.batch_rows && bytes < MOST_TEXT {
            let (row, before) = (lines.len(), bytes);
            self.seen.record += 1;
            // A record that cannot be read is left out whichever of its columns are wanted.
            let wants = |place: usize| is_lenient || slots[place].is_some();
            let next = self.records.next(&mut self.names, wants, |name, place, cell| {
                if is_lenient {
                    self.seen.check_alone(name, place, cell, written)?;
                }
                if let Some(slot) = slots[place] {
                    let Cells { text, ranges } = &mut cells[slot];
                    ranges.resize(row, None);
                    ranges.push(Some((text.len(), text.len() + cell.len())));
                    text.push_str(cell);
                    bytes += cell.len();
                }
                Ok(())
            });
            match (next, &self.rejected) {
                (Ok(Some(line)), _) => lines.push(line),
                (Ok(None), _) => break,
                (Err(error), Some(rejected)) if Rejected::takes(&error) => {
                    cells.iter_mut().for_each(|cells| cells.forget(row));
                    bytes = before;
                    if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(self.seen.record) {
                        rejected.add(&error.in_file(&self.name), &self.records.text());
                    }
                }
                (Err(error), _) => return Err(error),
            }
        }
        if lines.is_empty() {
            let is_whole = self.read.bytes_read() == self.bytes;
            return if is_whole { Ok(None) } else { Err(changed().in_file(&self.name)) };
        }
        let rows = lines.len();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(cells.len());
        for (slot, Cells { text, mut ranges }) in cells.into_iter().enumerate() {
            ranges.resize(rows, None);
            let constant = self.constants.iter().find(|(at, _)| *at == slot);
            let views: Vec<Option<&str>> = match constant {
                Some((_, constant)) => vec![Some(constant.as_str()); rows],
                None => ranges.iter().map(|range| range.map(|(start, end)| &text[start..end])).collect(),
            };
            let (column, shape) = &self.columns[slot];
            let written = if constant.is_some() { Written::Plain } else { self.records.written() };
            arrays.push(shape.array(&self.zone, written, &views).map_err(|bad| {
                let error = changed().column(column).in_file(&self.name);
                let line = lines.get(bad.row).copied().unwrap_or_default();
                error.on_line(line).expected(format!("{column} to be as before, but it is {}", quoted(&bad.problem)))
            })?);
        }
        self.lines = lines;
        self.finished(arrays, rows).map(Some)
    }

    fn finished(&self, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options);
        batch.map_err(|error| IngestError::new(ErrorKind::Internal, error.to_string()))
    }
}

impl Iterator for FileRows {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let batch = self.batch();
        self.ended = !matches!(batch, Ok(Some(_)));
        batch.transpose()
    }
}
