//! Counting up: rows of a series, added per slice and key.
//!
//! Texts are interned, so that a key is a few integers and a line costs no allocation. Once the
//! rows are [`full`](Rows::full), [`next_batch`](Rows::next_batch) hands them out in the order in
//! which their keys first appeared and starts afresh, texts included.

use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int32Array, RecordBatch, StringViewArray, StringViewBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use nines_store::{TableKind, UTC};

use super::labels::{self, Labels};
use super::texts::Texts;
use super::{BATCH_ROWS, MAX_BYTES, Rows, mixed, uncounted};
use crate::causes::Reasons;
use crate::columns::{Column, Columns, Named, TEXTS, Target};
use crate::endpoints::{MOST, OTHER};
use crate::fields::{Cell, missing};
use crate::found::{ENDPOINT, MOST_VALUES, of_label};
use crate::order::Order;
use crate::seen::Times;
use crate::time::{Clock, When};
use crate::{
    AgreedLimits, CauseNames, EndpointNames, ErrorKind, Fills, Format, Found, IngestError, Limits, Options, Result,
    RowsAre, Seen,
};

/// The place of the labels behind the text columns.
const LABELS: usize = TEXTS;

/// Keys held at most.
const MAX_KEYS: usize = 200_000;

/// What one table measures per slice and key; by default nothing yet.
pub(crate) trait Measured: Default + Send {
    /// The measures of one row as read; by default none is given.
    type Row: Default + Send;

    /// Whether its rows have latencies, of which agreed limits count some exactly.
    const HAS_LATENCIES: bool = false;

    /// Puts a field into a row.
    fn set(row: &mut Self::Row, named: Named, cell: Cell<'_>) -> Result<()>;

    /// Whether a row carries counts, so that it is an aggregate.
    fn is_counted(row: &Self::Row) -> bool;

    /// Adds a row that was measured at this instant; nothing of it where it is refused. `agreed` are limits of its latencies.
    fn add(&mut self, row: Self::Row, time: i64, agreed: Option<&Arc<[i64]>>) -> Result<()>;

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
    pub text: [u32; TEXTS + 1],
    pub status: i32,
    pub measured: R,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    /// Start of the slice in microseconds.
    slice: i64,
    text: [u32; TEXTS + 1],
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
    /// Where a refused row does not end the input: the order before the row, and whether the row was added.
    is_lenient: bool,
    order_before: Option<Order>,
    is_added: bool,
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
    fill_ids: [u32; TEXTS + 1],
    /// The text last seen in each column: neighbouring rows mostly repeat it.
    last: [u32; TEXTS + 1],
    texts: Texts,
    /// The numbers of endpoints, and by label of values, whose names are kept.
    kept_endpoints: HashSet<u32>,
    kept_values: Vec<HashSet<u32>>,
    labels: Labels,
    /// What the labels that fields fill are called in [`Found`].
    label_keys: Vec<String>,
    endpoints: Endpoints,
    causes: Causes,
    agreed: Option<Agreed>,
    found: Arc<Found>,
    /// By place of a field that fills columns: rows in which it said something.
    given: Vec<u64>,
    /// Rows whose endpoint, and by label whose value, is not kept.
    other_endpoints: u64,
    other_values: Vec<u64>,
    index: HashMap<Key, u32>,
    entries: Vec<Entry<M>>,
    handed_out: usize,
    bytes: usize,
}

/// How the endpoints of rows are called.
struct Endpoints {
    /// Their place among the texts.
    column: Option<usize>,
    names: EndpointNames,
    /// Of how many names are kept.
    most: Option<usize>,
}

/// The agreed limits of the services of rows.
struct Agreed {
    /// The service's place among the texts.
    service: usize,
    limits: Arc<AgreedLimits>,
    /// By the numbers of services.
    known: HashMap<u32, Option<Arc<[i64]>>>,
}

/// How the causes of rows are called where a field fills them.
struct Causes {
    column: Option<usize>,
    names: CauseNames,
    /// By place of a field that fills columns.
    reasons: Vec<Reasons>,
}

impl<M: Measured> SeriesRows<M> {
    pub(crate) fn new(options: &Options, format: Format) -> Result<Self> {
        let columns = Columns::with(options.kind, &options.from)?;
        let place = |wanted: &str| columns.texts().position(|name| name == wanted);
        let source = place("source");
        let endpoints = Endpoints {
            column: place("endpoint"),
            names: options.endpoints.clone(),
            most: options.endpoints.most.or((format == Format::Log).then_some(MOST)),
        };
        let reasons = columns.filling().iter().map(|filling| Reasons::of(&filling.field)).collect();
        let causes = Causes { column: place("cause"), names: options.causes.clone(), reasons };
        let label = |fills: &Fills| match fills {
            Fills::Label(name) => Some(name.clone()),
            Fills::Column(_) => None,
        };
        let label_names: Vec<String> = options.from.iter().filter_map(|from| label(&from.fills)).collect();
        let suffix = source.zip(options.piece.clone());
        let agreed = place("service").filter(|_| M::HAS_LATENCIES && !options.agreed.is_empty());
        let limits = Arc::clone(&options.agreed);
        let agreed = agreed.map(|service| Agreed { service, limits, known: HashMap::new() });
        let mut rows = Self {
            fills: columns.texts().map(|name| options.fill(name).to_string()).collect(),
            suffix,
            kept_endpoints: HashSet::new(),
            kept_values: vec![HashSet::new(); label_names.len()],
            other_endpoints: 0,
            other_values: vec![0; label_names.len()],
            label_keys: label_names.iter().map(|name| of_label(name)).collect(),
            agreed,
            endpoints,
            causes,
            found: Arc::clone(&options.found),
            given: vec![0; columns.filling().len()],
            columns,
            schema: options.kind.schema(options.slice_seconds),
            slice_micros: options.slice_micros()?,
            clock: Clock::of_series(options.time_zone).within(options.limits),
            order: options.order.so_far(options.repeated_hour),
            is_lenient: options.rejected.is_some(),
            order_before: None,
            is_added: true,
            limits: options.limits,
            rows_are: options.rows,
            kind: options.kind,
            times: None,
            seen: Arc::clone(&options.seen),
            row: Row::default(),
            fill_ids: [0; TEXTS + 1],
            last: [0; TEXTS + 1],
            labels: Labels::of(label_names),
            texts: Texts::default(),
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

    /// Takes the row's time back, because the row is refused: those that follow are placed as if it had not been.
    fn take_back(&mut self) {
        if let Some(order) = &self.order_before {
            self.order = order.clone();
        }
    }

    /// Puts a text into the row; an empty one leaves what fills it.
    pub(crate) fn set_text(&mut self, column: usize, text: &str) {
        if !text.is_empty() {
            if self.texts.of(self.last[column]) != text {
                self.last[column] = self.texts.number(text);
            }
            self.row.text[column] = self.last[column];
        }
    }

    /// Puts all labels into the row, as they are stored; empty if there are none.
    pub(crate) fn set_labels(&mut self, labels: &str) {
        self.set_text(LABELS, labels);
    }

    /// Puts an endpoint into the row by its name: that of a path of an access log, or that of a given one.
    pub(crate) fn set_endpoint(&mut self, column: usize, endpoint: &str, is_path: bool) {
        let Endpoints { names, most, .. } = &self.endpoints;
        if !is_path && names.are_as_given() && most.is_none() {
            return self.set_text(column, endpoint);
        }
        let name = if is_path { names.of_path(endpoint) } else { names.of(endpoint).into() };
        if name.is_empty() {
            return;
        }
        // Neighbouring lines mostly ask for the same.
        if self.texts.of(self.last[column]) != name {
            let held = self.texts.find(&name).filter(|number| most.is_none() || self.kept_endpoints.contains(number));
            self.last[column] = match held {
                Some(number) => number,
                None if most.is_none_or(|most| self.found.keeps(ENDPOINT, &name, most)) => {
                    let number = self.texts.number(&name);
                    self.kept_endpoints.insert(number);
                    number
                }
                None => {
                    self.other_endpoints += 1;
                    self.row.text[column] = self.texts.number(OTHER);
                    return;
                }
            };
        }
        self.row.text[column] = self.last[column];
    }

    /// Puts what a field says into all that it fills.
    pub(crate) fn fill(&mut self, field: usize, text: &str) {
        if text.is_empty() {
            return;
        }
        self.given[field] += 1;
        for at in 0..self.columns.filling()[field].targets.len() {
            match self.columns.filling()[field].targets[at] {
                Target::Text(column) if self.causes.column == Some(column) => {
                    let name = self.causes.names.of(self.causes.reasons[field], text);
                    // An empty one leaves what fills it.
                    if !name.is_empty() {
                        self.row.text[column] = self.texts.number(name);
                    }
                }
                Target::Text(column) if self.endpoints.column == Some(column) => self.set_endpoint(column, text, true),
                Target::Text(column) => self.set_text(column, text),
                Target::Label(label) => {
                    let held = self.texts.find(text).filter(|number| self.kept_values[label].contains(number));
                    let value = match held {
                        Some(number) => number,
                        None if self.found.keeps(&self.label_keys[label], text, MOST_VALUES) => {
                            let number = self.texts.number(text);
                            self.kept_values[label].insert(number);
                            number
                        }
                        None => {
                            self.other_values[label] += 1;
                            self.texts.number(OTHER)
                        }
                    };
                    self.labels.set(label, value);
                }
            }
        }
    }

    /// The column of counts, as errors call it.
    fn counts(&self) -> &'static str {
        self.columns.stored().find(|(_, column)| column.is_count()).map_or("a count", |(name, _)| name)
    }

    fn clear(&mut self) {
        self.texts = Texts::default();
        self.labels.forget();
        self.kept_endpoints.clear();
        self.kept_values.iter_mut().for_each(HashSet::clear);
        if let Some(agreed) = &mut self.agreed {
            agreed.known.clear();
        }
        self.index.clear();
        self.entries.clear();
        (self.handed_out, self.bytes) = (0, 0);
        self.last = [0; TEXTS + 1];
        for (id, fill) in self.fill_ids.iter_mut().zip(&self.fills) {
            *id = self.texts.number(fill);
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
                let texts = entries.iter().map(|entry| self.texts.of(entry.key.text[at]));
                match &self.suffix {
                    Some((source, piece)) if *source == at => {
                        texts.for_each(|source| builder.append_value(format!("{source}{piece}")));
                    }
                    _ => texts.for_each(|text| builder.append_value(text)),
                }
                Arc::new(builder.finish())
            }
            Column::Labels => {
                let labels = entries.iter().map(|entry| self.texts.of(entry.key.text[LABELS]));
                Arc::new(labels.map(|text| (!text.is_empty()).then_some(text)).collect::<StringViewArray>())
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
        if !self.is_added {
            self.take_back();
        }
        self.is_added = false;
        if self.is_lenient {
            self.order_before = Some(self.order.clone());
        }
        self.row = Row { text: self.fill_ids, ..Row::default() };
        self.labels.begin();
    }

    fn set(&mut self, (name, column): Named, cell: Cell<'_>) -> Result<()> {
        match column {
            Column::Text(at) if self.endpoints.column == Some(at) => self.set_endpoint(at, &cell.text(name)?, false),
            Column::Text(at) => self.set_text(at, &cell.text(name)?),
            Column::Filling(at) => {
                let text = cell.shown().into_owned();
                if let Some(own) = self.columns.filling()[at].own {
                    self.set(own, cell)?;
                }
                self.fill(at, &text);
            }
            Column::Labels => self.set_text(LABELS, &labels::whole(name, cell)?),
            Column::Time => self.set_when(cell.when(self.clock)?)?,
            Column::Status if cell.is_missing() => {}
            Column::Status => self.row.status = cell.status(name)?,
            _ => return M::set(&mut self.row.measured, (name, column), cell),
        }
        Ok(())
    }

    /// One hash lookup, no allocation for a known key.
    fn add(&mut self, _line: u64) -> Result<()> {
        let mut row = std::mem::take(&mut self.row);
        row.text[LABELS] = self.labels.number(row.text[LABELS], &mut self.texts);
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
            self.clock.instant_in_range(time)?;
        }
        let slice = time - time.rem_euclid(self.slice_micros);
        let agreed = self.agreed.as_mut().and_then(|Agreed { service, limits, known }| {
            let service = row.text[*service];
            known.entry(service).or_insert_with(|| limits.of(self.texts.of(service))).as_ref()
        });
        let key = Key { slice, text: row.text, status: row.status };
        match self.index.entry(key) {
            Place::Occupied(at) => {
                let measured = &mut self.entries[*at.get() as usize].measured;
                let before = measured.bytes();
                measured.add(row.measured, time, agreed)?;
                self.bytes += measured.bytes() - before;
            }
            Place::Vacant(place) => {
                let mut measured = M::default();
                measured.add(row.measured, time, agreed)?;
                self.bytes += measured.bytes();
                place.insert(self.entries.len() as u32);
                self.entries.push(Entry { key, measured });
            }
        }
        self.is_added = true;
        Ok(())
    }

    fn full(&self) -> bool {
        self.entries.len() >= MAX_KEYS || self.bytes + self.texts.bytes() >= MAX_BYTES
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let rest = &self.entries[self.handed_out..];
        if rest.is_empty() {
            self.clear();
            if let Some(times) = self.times.take() {
                self.seen.add(times);
            }
            for (rows, filling) in self.given.iter_mut().zip(self.columns.filling()) {
                self.found.add_given(&filling.field, std::mem::take(rows));
            }
            self.found.add_others(ENDPOINT, std::mem::take(&mut self.other_endpoints));
            for (rows, key) in self.other_values.iter_mut().zip(&self.label_keys) {
                self.found.add_others(key, std::mem::take(rows));
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
