//! Counting up: rows of a text format, added per slice and key, in bounded memory.
//!
//! Texts are interned, so that a key is a few integers and a line costs no allocation. Once the
//! rows are [`full`](Rows::full), [`next_batch`](Rows::next_batch) hands them out in the order in
//! which their keys first appeared and starts afresh, texts included.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use nines_timeline::histogram::Histogram;

use crate::build;
use crate::columns::{Columns, TEXTS};
use crate::latency::CountsLe;
use crate::{ErrorKind, IngestError, Options, Result};

/// Keys held at most.
const MAX_KEYS: usize = 200_000;

/// Bytes of text and latencies held at most, roughly.
const MAX_BYTES: usize = 64 << 20;

/// Rows of a batch at most.
const BATCH_ROWS: usize = 8192;

/// One row as read, its texts interned.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Microseconds since 1970, not yet rounded down to the slice.
    pub time: Option<i64>,
    pub text: [u32; TEXTS],
    pub status: i32,
    pub counts: [Option<i64>; 2],
    /// The latency of each of the row's requests. Excludes `latency_sum` and `latency`.
    pub latency_seconds: Option<f64>,
    pub latency_sum: Option<f64>,
    pub latency: Option<Histogram>,
    pub latency_le: Option<CountsLe>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Start of the slice in microseconds.
    pub slice: i64,
    pub text: [u32; TEXTS],
    pub status: i32,
}

/// What was counted for a key.
#[derive(Debug)]
pub(crate) struct Entry {
    pub key: Key,
    pub counts: [i64; 2],
    pub latency: Option<Box<Latency>>,
}

/// Latencies counted for a key.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    pub sum: Option<f64>,
    pub histogram: Option<Histogram>,
    /// Observations in the histogram: no bucket can overflow while this does not.
    observations: i64,
    pub le: Option<CountsLe>,
}

/// Rows counted per slice and key.
pub(crate) struct Rows {
    columns: Columns,
    /// Whether rows count good and total rather than one thing.
    has_second_count: bool,
    schema: SchemaRef,
    slice_micros: i64,
    /// What fills each empty text.
    fills: Vec<String>,
    fill_ids: [u32; TEXTS],
    /// The text last seen in each column: neighbouring rows mostly repeat it.
    last: [u32; TEXTS],
    texts: Vec<Arc<str>>,
    text_ids: HashMap<Arc<str>, u32>,
    index: HashMap<Key, u32>,
    entries: Vec<Entry>,
    handed_out: usize,
    bytes: usize,
}

impl Rows {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let columns = Columns::of(options.kind)?;
        let mut rows = Self {
            fills: columns.texts().map(|name| options.fill(name).to_string()).collect(),
            has_second_count: columns.has_second_count(),
            columns,
            schema: options.kind.schema(options.slice_seconds),
            slice_micros: options.slice_micros()?,
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

    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// A record in which nothing is given: texts are what fills them.
    pub(crate) fn record(&self) -> Record {
        Record { text: self.fill_ids, ..Record::default() }
    }

    /// Puts a text into a record; an empty one leaves what fills it.
    pub(crate) fn set_text(&mut self, record: &mut Record, column: usize, text: &str) {
        if !text.is_empty() {
            let last = self.last[column];
            if &*self.texts[last as usize] != text {
                self.last[column] = self.intern(text);
            }
            record.text[column] = self.last[column];
        }
    }

    /// Adds a record to what was counted for its slice and key. One hash lookup, no allocation for a known key.
    pub(crate) fn add(&mut self, record: Record) -> Result<()> {
        let Some(time) = record.time else { return Err(missing("time")) };
        let slice = time - time.rem_euclid(self.slice_micros);
        let counts = self.counts(&record)?;
        let key = Key { slice, text: record.text, status: record.status };
        let at = *self.index.entry(key).or_insert_with(|| {
            self.entries.push(Entry { key, counts: [0; 2], latency: None });
            (self.entries.len() - 1) as u32
        });
        let entry = &mut self.entries[at as usize];
        for ((sum, count), name) in entry.counts.iter_mut().zip(counts).zip(0..) {
            *sum = sum.checked_add(count).ok_or_else(|| overflow(self.columns.count_name(name)))?;
        }
        if record.has_latency() {
            let before = entry.latency.as_ref().map_or(0, |latency| latency.bytes());
            let latency = entry.latency.get_or_insert_default();
            latency.add(record, counts[0])?;
            self.bytes += latency.bytes() - before;
        }
        Ok(())
    }

    /// Whether it is time to hand out what was counted.
    pub(crate) fn full(&self) -> bool {
        self.entries.len() >= MAX_KEYS || self.bytes >= MAX_BYTES
    }

    /// The next of the batches of what was counted; after the last one, counting starts afresh.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let rest = &self.entries[self.handed_out..];
        if rest.is_empty() {
            self.clear();
            return Ok(None);
        }
        let entries = &rest[..rest.len().min(BATCH_ROWS)];
        let batch = build::batch(&self.schema, &self.columns, &self.texts, entries).map_err(|e| {
            IngestError::new(ErrorKind::Internal, format!("a batch could not be built: {e}")).caused_by(e)
        })?;
        self.handed_out += entries.len();
        Ok(Some(batch))
    }

    /// The counts of a record, checked.
    fn counts(&self, record: &Record) -> Result<[i64; 2]> {
        match record.counts {
            [first, None] if !self.has_second_count => Ok([first.unwrap_or(1), 0]),
            [None, _] => Err(missing(self.columns.count_name(0))),
            [_, None] => Err(missing(self.columns.count_name(1))),
            [Some(good), Some(total)] => {
                check_good(good, total)?;
                Ok([good, total])
            }
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
}

impl Record {
    fn has_latency(&self) -> bool {
        self.latency_seconds.is_some()
            || self.latency_sum.is_some()
            || self.latency.is_some()
            || self.latency_le.is_some()
    }
}

impl Latency {
    fn add(&mut self, record: Record, requests: i64) -> Result<()> {
        if let Some(seconds) = record.latency_seconds {
            if record.latency_sum.is_some() || record.latency.is_some() {
                return Err(IngestError::bad_line("latency_seconds stands beside latency or latency_sum")
                    .column("latency_seconds")
                    .expected("one or the other: latency_seconds fills both"));
            }
            if requests > 0 {
                self.observe(requests)?;
                *self.sum.get_or_insert_default() += seconds * requests as f64;
                self.histogram.get_or_insert_default().record(seconds, requests);
            }
        }
        if let Some(sum) = record.latency_sum {
            *self.sum.get_or_insert_default() += sum;
        }
        if let Some(histogram) = record.latency {
            self.observe(histogram.count())?;
            self.histogram.get_or_insert_default().merge(&histogram);
        }
        match (&mut self.le, record.latency_le) {
            (_, None) => {}
            (le @ None, more) => *le = more,
            (Some(le), Some(more)) => {
                if !le.iter().map(|c| c.0).eq(more.iter().map(|c| c.0)) {
                    return Err(IngestError::bad_line(format!(
                        "latency_le has the thresholds {:?} µs",
                        thresholds(&more)
                    ))
                    .column("latency_le")
                    .expected(format!("{:?} as before for the same slice and key", thresholds(le))));
                }
                for (sum, (_, count)) in le.iter_mut().zip(more) {
                    sum.1 = sum.1.checked_add(count).ok_or_else(|| overflow("latency_le"))?;
                }
            }
        }
        Ok(())
    }

    fn observe(&mut self, n: i64) -> Result<()> {
        self.observations = self.observations.checked_add(n).ok_or_else(|| overflow("latency"))?;
        Ok(())
    }

    fn bytes(&self) -> usize {
        let buckets = self.histogram.as_ref().map_or(0, |histogram| histogram.buckets.capacity());
        let counts = self.le.as_ref().map_or(0, Vec::capacity);
        std::mem::size_of::<Self>() + (buckets + counts) * 16
    }
}

fn thresholds(counts: &CountsLe) -> Vec<i64> {
    counts.iter().map(|&(le, _)| le).collect()
}

/// Refuses more good events than events.
pub(crate) fn check_good(good: i64, total: i64) -> Result<()> {
    if good > total {
        return Err(IngestError::bad_line(format!("good is {good} and total is {total}"))
            .column("good")
            .expected("good to be at most total"));
    }
    Ok(())
}

fn missing(column: &str) -> IngestError {
    IngestError::bad_line(format!("{column} is missing")).column(column)
}

fn overflow(column: &str) -> IngestError {
    IngestError::bad_line(format!("{column} adds up to more than 2^63 - 1 for its slice and key")).column(column)
}
