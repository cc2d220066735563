//! Timelines, intervals and histograms to and from Arrow arrays.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, ListArray, NullBufferBuilder, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::{DataFusionError, Result, exec_datafusion_err, exec_err, internal_datafusion_err};
use nines_timeline::histogram::{Histogram, TooMany};
use nines_timeline::{Failure, Interval, MICROS, Run, Sources, State, Timeline};

use crate::types::{
    bucket_fields, element, failure_fields, histogram_fields, interval_fields, is_timeline, sources_fields,
    timeline_fields,
};

/// Instants as stored.
fn instants(values: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
}

/// Builds `List<Struct<started, ended>>` row by row.
#[derive(Default)]
pub(crate) struct IntervalListBuilder {
    starts: Vec<i64>,
    ends: Vec<i64>,
    offsets: Vec<i32>,
    valid: Option<NullBufferBuilder>,
}

impl IntervalListBuilder {
    pub fn append(&mut self, intervals: impl IntoIterator<Item = Interval>) {
        for interval in intervals {
            self.starts.push(interval.start);
            self.ends.push(interval.end);
        }
        self.close(true);
    }

    pub fn append_null(&mut self) {
        self.close(false);
    }

    fn close(&mut self, valid: bool) {
        let rows = self.offsets.len();
        self.valid.get_or_insert_with(|| NullBufferBuilder::new(rows)).append(valid);
        self.offsets.push(self.starts.len() as i32);
    }

    pub fn finish(self) -> ListArray {
        let columns = vec![instants(self.starts), instants(self.ends)];
        let items = StructArray::new(interval_fields(), columns, None);
        list(items, self.offsets, self.valid.and_then(|mut valid| valid.finish()))
    }
}

/// A list of failures per row, `None` for NULL.
pub(crate) fn failures_array(rows: impl IntoIterator<Item = Option<Vec<Failure>>>) -> ArrayRef {
    let (mut starts, mut ends, mut seconds, mut offsets) = (vec![], vec![], vec![], vec![]);
    let mut valid = NullBufferBuilder::new(0);
    for row in rows {
        valid.append(row.is_some());
        for failure in row.into_iter().flatten() {
            starts.push(failure.interval.start);
            ends.push(failure.interval.end);
            seconds.push(failure.seconds());
        }
        offsets.push(starts.len() as i32);
    }
    let columns: Vec<ArrayRef> = vec![instants(starts), instants(ends), Arc::new(Float64Array::from(seconds))];
    let items = StructArray::new(failure_fields(), columns, None);
    Arc::new(list(items, offsets, valid.finish()))
}

/// A list array from items and the end of each row.
fn list(items: StructArray, ends: Vec<i32>, nulls: Option<NullBuffer>) -> ListArray {
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    offsets.extend(ends);
    let field = element(items.data_type().clone());
    ListArray::new(field, OffsetBuffer::new(ScalarBuffer::from(offsets)), Arc::new(items), nulls)
}

/// The intervals in each row of a list of structs with `started` and `ended`.
pub(crate) struct IntervalListReader<'a> {
    list: &'a ListArray,
    starts: TimestampMicrosecondArray,
    ends: TimestampMicrosecondArray,
}

impl<'a> IntervalListReader<'a> {
    pub fn new(array: &'a ArrayRef) -> Result<Self> {
        let list = array.as_list_opt::<i32>().ok_or_else(|| internal_datafusion_err!("intervals are no list"))?;
        let items =
            list.values().as_struct_opt().ok_or_else(|| internal_datafusion_err!("intervals are no structs"))?;
        let column = |name: &str| -> Result<TimestampMicrosecondArray> {
            let column = items.column_by_name(name).ok_or_else(|| internal_datafusion_err!("intervals lack {name}"))?;
            let instants = datafusion::arrow::compute::cast(column, &crate::types::instant_type())?;
            Ok(instants.as_primitive::<TimestampMicrosecondType>().clone())
        };
        Ok(IntervalListReader { list, starts: column("started")?, ends: column("ended")? })
    }

    /// The row's intervals; a NULL list, item, start or end is none.
    pub fn value(&self, row: usize) -> impl Iterator<Item = Interval> + '_ {
        let offsets = self.list.value_offsets();
        let range = if self.list.is_null(row) { 0..0 } else { offsets[row] as usize..offsets[row + 1] as usize };
        let items = self.list.values();
        range
            .filter(|&i| items.is_valid(i) && self.starts.is_valid(i) && self.ends.is_valid(i))
            .map(|i| Interval::new(self.starts.value(i), self.ends.value(i)))
    }
}

/// Builds an array of timelines.
#[derive(Default)]
pub struct TimelineArrayBuilder {
    starts: Vec<i64>,
    ends: Vec<i64>,
    slices: Vec<i64>,
    errors: IntervalListBuilder,
    no_data: IntervalListBuilder,
    excluded: IntervalListBuilder,
    valid: Option<NullBufferBuilder>,
}

impl TimelineArrayBuilder {
    /// Adds a row, `None` for NULL.
    pub fn append(&mut self, timeline: Option<&Timeline>) {
        let rows = self.starts.len();
        self.valid.get_or_insert_with(|| NullBufferBuilder::new(rows)).append(timeline.is_some());
        let (start, end, slice) = timeline.map_or((0, 0, 0), |t| (t.start(), t.end(), t.slice() / MICROS));
        self.starts.push(start);
        self.ends.push(end);
        self.slices.push(slice);
        let runs = |state| timeline.into_iter().flat_map(move |t| t.intervals(state));
        self.errors.append(runs(State::Error));
        self.no_data.append(runs(State::NoData));
        self.excluded.append(runs(State::Excluded));
    }

    /// The rows, of [`timeline_type`](crate::timeline_type).
    pub fn finish(self) -> StructArray {
        let columns: Vec<ArrayRef> = vec![
            instants(self.starts),
            instants(self.ends),
            Arc::new(Int64Array::from(self.slices)),
            Arc::new(self.errors.finish()),
            Arc::new(self.no_data.finish()),
            Arc::new(self.excluded.finish()),
        ];
        StructArray::new(timeline_fields(), columns, self.valid.and_then(|mut valid| valid.finish()))
    }
}

/// Reads timelines from a struct array.
pub struct TimelineReader<'a> {
    array: &'a StructArray,
    starts: TimestampMicrosecondArray,
    ends: TimestampMicrosecondArray,
    slices: Int64Array,
    runs: [(State, IntervalListReader<'a>); 3],
}

impl<'a> TimelineReader<'a> {
    /// The array must have the fields of a timeline.
    pub fn new(array: &'a ArrayRef) -> Result<Self> {
        let structs = array.as_struct_opt().filter(|structs| is_timeline(structs.data_type()));
        let Some(array) = structs else { return exec_err!("expected timelines, got {}", array.data_type()) };
        let instants = |at: usize| -> Result<TimestampMicrosecondArray> {
            let instants = datafusion::arrow::compute::cast(array.column(at), &crate::types::instant_type())?;
            Ok(instants.as_primitive::<TimestampMicrosecondType>().clone())
        };
        let slices = datafusion::arrow::compute::cast(array.column(2), &DataType::Int64)?;
        Ok(TimelineReader {
            array,
            starts: instants(0)?,
            ends: instants(1)?,
            slices: slices.as_primitive::<Int64Type>().clone(),
            runs: [
                (State::Error, IntervalListReader::new(array.column(3))?),
                (State::NoData, IntervalListReader::new(array.column(4))?),
                (State::Excluded, IntervalListReader::new(array.column(5))?),
            ],
        })
    }

    /// The timeline in this row, `None` for NULL; an error when the fields contradict each other.
    pub fn value(&self, row: usize) -> Result<Option<Timeline>> {
        if self.array.is_null(row) {
            return Ok(None);
        }
        let span = Interval::new(self.starts.value(row), self.ends.value(row));
        if span.start.rem_euclid(MICROS) != 0 {
            // Slices of a union may be as narrow as the distance between two beginnings, and are told in whole seconds.
            return exec_err!("not a timeline: it begins inside a second, at {} µs", span.start);
        }
        let mut runs = Vec::new();
        for (state, intervals) in &self.runs {
            runs.extend(intervals.value(row).map(|i| Run { start: i.start, end: i.end, state: *state }));
        }
        Timeline::new(span, self.slices.value(row).saturating_mul(MICROS), runs)
            .map(Some)
            .map_err(|error| exec_datafusion_err!("not a timeline: {error}"))
    }

    /// Only the error runs of this row, `None` for NULL.
    pub(crate) fn errors(&self, row: usize) -> Option<impl Iterator<Item = Interval> + '_> {
        self.array.is_valid(row).then(|| self.runs[0].1.value(row))
    }
}

/// One list of sources per row.
pub fn sources_array<'a>(rows: impl IntoIterator<Item = Option<Vec<Sources<'a>>>>) -> ArrayRef {
    let (mut starts, mut ends, mut names, mut name_ends, mut offsets) = (vec![], vec![], vec![], vec![0i32], vec![]);
    let mut valid = NullBufferBuilder::new(0);
    for row in rows {
        valid.append(row.is_some());
        for source in row.into_iter().flatten() {
            starts.push(source.interval.start);
            ends.push(source.interval.end);
            names.extend(source.names);
            name_ends.push(names.len() as i32);
        }
        offsets.push(starts.len() as i32);
    }
    let names = ListArray::new(
        element(DataType::Utf8),
        OffsetBuffer::new(ScalarBuffer::from(name_ends)),
        Arc::new(StringArray::from(names)),
        None,
    );
    let columns: Vec<ArrayRef> = vec![instants(starts), instants(ends), Arc::new(names)];
    let items = StructArray::new(sources_fields(), columns, None);
    Arc::new(list(items, offsets, valid.finish()))
}

/// An array of histograms.
pub(crate) fn histogram_array<'a>(rows: impl IntoIterator<Item = Option<&'a Histogram>>) -> ArrayRef {
    let (mut zeros, mut buckets, mut counts, mut offsets) = (vec![], vec![], vec![], vec![]);
    let mut valid = NullBufferBuilder::new(0);
    for row in rows {
        valid.append(row.is_some());
        zeros.push(row.map_or(0, |h| h.zero));
        for &(bucket, count) in row.into_iter().flat_map(|h| &h.buckets) {
            buckets.push(bucket);
            counts.push(count);
        }
        offsets.push(buckets.len() as i32);
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(buckets)), Arc::new(Int64Array::from(counts))];
    let items = StructArray::new(bucket_fields(), columns, None);
    let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(zeros)), Arc::new(list(items, offsets, None))];
    Arc::new(StructArray::new(histogram_fields(), columns, valid.finish()))
}

/// Counts that do not fit are an error in every function.
pub(crate) fn too_many(error: TooMany) -> DataFusionError {
    DataFusionError::Execution(error.to_string())
}

/// Reads histograms from a struct array of [`histogram_type`](crate::types::histogram_type).
pub(crate) struct HistogramReader<'a> {
    array: &'a StructArray,
    zeros: &'a Int64Array,
    lists: &'a ListArray,
    items: &'a StructArray,
    buckets: &'a Int32Array,
    counts: &'a Int64Array,
}

impl<'a> HistogramReader<'a> {
    pub fn new(array: &'a ArrayRef) -> Result<Self> {
        let wrong = || internal_datafusion_err!("not histograms: {}", array.data_type());
        let structs = array.as_struct_opt().filter(|s| s.num_columns() == 2).ok_or_else(wrong)?;
        let lists = structs.column(1).as_list_opt::<i32>().ok_or_else(wrong)?;
        let items = lists.values().as_struct_opt().filter(|s| s.num_columns() == 2).ok_or_else(wrong)?;
        Ok(HistogramReader {
            array: structs,
            zeros: structs.column(0).as_primitive_opt::<Int64Type>().ok_or_else(wrong)?,
            lists,
            items,
            buckets: items.column(0).as_primitive_opt::<Int32Type>().ok_or_else(wrong)?,
            counts: items.column(1).as_primitive_opt::<Int64Type>().ok_or_else(wrong)?,
        })
    }

    /// The histogram in this row, `None` for NULL; buckets in any order, duplicates add. A count of NULL is none.
    pub fn value(&self, row: usize) -> Result<Option<Histogram>> {
        if self.array.is_null(row) {
            return Ok(None);
        }
        let offsets = self.lists.value_offsets();
        let range = if self.lists.is_null(row) { 0..0 } else { offsets[row] as usize..offsets[row + 1] as usize };
        let known = |&i: &usize| self.items.is_valid(i) && self.buckets.is_valid(i) && self.counts.is_valid(i);
        let pairs = range.filter(known).map(|i| (self.buckets.value(i), self.counts.value(i))).collect::<Vec<_>>();
        let zero = if self.zeros.is_valid(row) { self.zeros.value(row) } else { 0 };
        if let Some(count) = std::iter::once(zero).chain(pairs.iter().map(|pair| pair.1)).find(|&count| count < 0) {
            return exec_err!("a histogram must not count fewer than no observations, got {count}");
        }
        if pairs.is_sorted_by(|a, b| a.0 < b.0) {
            return Ok(Some(Histogram { zero, buckets: pairs }));
        }
        let mut histogram = Histogram { zero, buckets: Vec::new() };
        pairs.into_iter().try_for_each(|(bucket, count)| histogram.add(bucket, count)).map_err(too_many)?;
        Ok(Some(histogram))
    }
}
