//! Counting up: rows of a series, added per slice and key.
//!
//! Texts are interned, so that a key is a few integers and a line costs no allocation. Once the
//! rows are [`full`](Rows::full), [`next_batch`](Rows::next_batch) hands them out in the order in
//! which their keys first appeared and starts afresh, texts included.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, RecordBatch, StringViewBuilder, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use nines_store::{TableKind, UTC};

use super::{BATCH_ROWS, MAX_BYTES, Rows, mixed, uncounted};
use crate::columns::{Column, Columns, Named, TEXTS};
use crate::fields::{Cell, missing};
use crate::order::Order;
use crate::seen::Times;
use crate::time::{Clock, When};
use crate::{ErrorKind, IngestError, Limits, Options, Result, RowsAre, Seen};

/// Keys held at most.
const MAX_KEYS: usize = 200_000;

/// What one table measures per slice and key; by default nothing yet.
pub(crate) trait Measured: Default + Send {
    /// The measures of one row as read; by default none is given.
    type Row: Default + Send;

    /// Puts a field into a row.
    fn set(row: &mut Self::Row, named: Named, cell: Cell<'_>) -> Result<()>;

    /// Whether a row carries counts, so that it is an aggregate.
    fn is_counted(row: &Self::Row) -> bool;

    /// Adds a row that was measured at this instant. A refused row may have been added in part.
    fn add(&mut self, row: Self::Row, time: i64) -> Result<()>;

    /// Bytes held beside the value itself, roughly.
    fn bytes(&self) -> usize {
        0
    }

    /// A measured column of the table.
    fn array<'a>(column: Column, measured: impl Iterator<Item = &'a Self>) -> Result<ArrayRef, ArrowError>
    where
        Self: 'a;
}

/// One row as read, its texts interned.
#[derive(Debug, Default)]
pub(crate) struct Row<R> {
    /// Microseconds since 1970, not yet rounded down to the slice.
    pub time: Option<i64>,
    pub text: [u32; TEXTS],
    pub status: i32,
    pub measured: R,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    /// Start of the slice in microseconds.
    slice: i64,
    text: [u32; TEXTS],
    status: i32,
}

struct Entry<M> {
    key: Key,
    measured: M,
}

/// Rows counted per slice and key.
pub(crate) struct SeriesRows<M: Measured> {
    columns: Columns,
    schema: SchemaRef,
    slice_micros: i64,
    clock: Clock<'static>,
    order: Order,
    limits: Option<Limits>,
    rows_are: RowsAre,
    kind: TableKind,
    /// The source's place among the texts, and what is put behind it.
    suffix: Option<(usize, String)>,
    times: Option<Times>,
    seen: Arc<Seen>,
    /// The row being read.
    pub row: Row<M::Row>,
    /// What fills each empty text.
    fills: Vec<String>,
    fill_ids: [u32; TEXTS],
    /// The text last seen in each column: neighbouring rows mostly repeat it.
    last: [u32; TEXTS],
    texts: Vec<Arc<str>>,
    text_ids: HashMap<Arc<str>, u32>,
    index: HashMap<Key, u32>,
    entries: Vec<Entry<M>>,
    handed_out: usize,
    bytes: usize,
}

impl<M: Measured> SeriesRows<M> {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let columns = Columns::of(options.kind)?;
        let source = columns.texts().position(|name| name == "source");
        let suffix = source.zip(options.piece.clone());
        let mut rows = Self {
            fills: columns.texts().map(|name| options.fill(name).to_string()).collect(),
            suffix,
            columns,
            schema: options.kind.schema(options.slice_seconds),
            slice_micros: options.slice_micros()?,
            clock: Clock::of_series(options.time_zone).within(options.limits),
            order: options.order.so_far(options.repeated_hour),
            limits: options.limits,
            rows_are: options.rows,
            kind: options.kind,
            times: None,
            seen: Arc::clone(&options.seen),
            row: Row::default(),
            fill_ids: [0; TEXTS],
            last: [0; TEXTS],
            texts: Vec::new(),
            text_ids: HashMap::new(),
            index: HashMap::new(),
            entries: Vec::new(),
            handed_out: 0,
            bytes: 0,
        };
        rows.clear();
        Ok(rows)
    }

    /// Puts a time into the row, which may be of two instants.
    pub(crate) fn set_when(&mut self, when: When) -> Result<()> {
        self.row.time = Some(self.order.place(when)?);
        Ok(())
    }

    /// Puts a text into the row; an empty one leaves what fills it.
    pub(crate) fn set_text(&mut self, column: usize, text: &str) {
        if !text.is_empty() {
            let last = self.last[column];
            if &*self.texts[last as usize] != text {
                self.last[column] = self.intern(text);
            }
            self.row.text[column] = self.last[column];
        }
    }

    fn intern(&mut self, text: &str) -> u32 {
        if let Some(&id) = self.text_ids.get(text) {
            return id;
        }
        let id = self.texts.len() as u32;
        let text: Arc<str> = text.into();
        self.bytes += text.len() + 64;
        self.texts.push(Arc::clone(&text));
        self.text_ids.insert(text, id);
        id
    }

    /// The column of counts, as errors call it.
    fn counts(&self) -> &'static str {
        self.columns.stored().find(|(_, column)| column.is_count()).map_or("a count", |(name, _)| name)
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.text_ids.clear();
        self.index.clear();
        self.entries.clear();
        (self.handed_out, self.bytes) = (0, 0);
        self.last = [self.intern(""); TEXTS];
        for at in 0..self.fills.len() {
            self.fill_ids[at] = self.intern(&self.fills[at].clone());
        }
    }

    /// A batch of these entries; one pass per column.
    fn batch(&self, entries: &[Entry<M>]) -> Result<RecordBatch, ArrowError> {
        let arrays = self.columns.stored().map(|(_, column)| self.array(column, entries)).collect::<Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), arrays)
    }

    fn array(&self, column: Column, entries: &[Entry<M>]) -> Result<ArrayRef, ArrowError> {
        Ok(match column {
            Column::Time => {
                let slices = TimestampMicrosecondArray::from_iter_values(entries.iter().map(|entry| entry.key.slice));
                Arc::new(slices.with_timezone(UTC))
            }
            Column::Text(at) => {
                let mut builder = StringViewBuilder::with_capacity(entries.len());
                let texts = entries.iter().map(|entry| &self.texts[entry.key.text[at] as usize]);
                match &self.suffix {
                    Some((source, piece)) if *source == at => {
                        texts.for_each(|source| builder.append_value(format!("{source}{piece}")));
                    }
                    _ => texts.for_each(|text| builder.append_value(text)),
                }
                Arc::new(builder.finish())
            }
            Column::Status => Arc::new(Int32Array::from_iter_values(entries.iter().map(|entry| entry.key.status))),
            _ => M::array(column, entries.iter().map(|entry| &entry.measured))?,
        })
    }
}

impl<M: Measured> Rows for SeriesRows<M> {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Texts that are not given are what fills them.
    fn begin(&mut self) {
        self.row = Row { text: self.fill_ids, ..Row::default() };
    }

    fn set(&mut self, (name, column): Named, cell: Cell<'_>) -> Result<()> {
        match column {
            Column::Text(at) => self.set_text(at, &cell.text(name)?),
            Column::Time => self.set_when(cell.when(self.clock)?)?,
            Column::Status if cell.is_missing() => {}
            Column::Status => self.row.status = cell.status(name)?,
            _ => return M::set(&mut self.row.measured, (name, column), cell),
        }
        Ok(())
    }

    /// One hash lookup, no allocation for a known key.
    fn add(&mut self, _line: u64) -> Result<()> {
        let row = std::mem::take(&mut self.row);
        let Some(time) = row.time else { return Err(missing("time")) };
        match self.rows_are {
            RowsAre::Raw if M::is_counted(&row.measured) => return Err(mixed(self.counts())),
            RowsAre::Counted if !M::is_counted(&row.measured) => return Err(uncounted(self.kind)),
            RowsAre::Any | RowsAre::Raw | RowsAre::Counted => {}
        }
        match &mut self.times {
            Some(times) => times.add(time),
            None => self.times = Some(Times::of(time)),
        }
        // The time of a log's line was read without limits.
        if self.limits.is_some_and(|limits| !limits.holds(time)) {
            let shown = || chrono::DateTime::from_timestamp_micros(time).unwrap_or_default().to_rfc3339();
            self.clock.in_range(time, shown)?;
        }
        let slice = time - time.rem_euclid(self.slice_micros);
        let key = Key { slice, text: row.text, status: row.status };
        match self.index.entry(key) {
            Place::Occupied(at) => {
                let measured = &mut self.entries[*at.get() as usize].measured;
                let before = measured.bytes();
                measured.add(row.measured, time)?;
                self.bytes += measured.bytes() - before;
            }
            Place::Vacant(place) => {
                let mut measured = M::default();
                measured.add(row.measured, time)?;
                self.bytes += measured.bytes();
                place.insert(self.entries.len() as u32);
                self.entries.push(Entry { key, measured });
            }
        }
        Ok(())
    }

    fn full(&self) -> bool {
        self.entries.len() >= MAX_KEYS || self.bytes >= MAX_BYTES
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let rest = &self.entries[self.handed_out..];
        if rest.is_empty() {
            self.clear();
            if let Some(times) = self.times.take() {
                self.seen.add(times);
            }
            return Ok(None);
        }
        let entries = &rest[..rest.len().min(BATCH_ROWS)];
        let batch = self.batch(entries).map_err(|e| {
            IngestError::new(ErrorKind::Internal, format!("a batch could not be built: {e}")).caused_by(e)
        })?;
        self.handed_out += entries.len();
        Ok(Some(batch))
    }
}
