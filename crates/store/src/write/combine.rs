//! Rows of the same key become one row, each measure by its [`Measure`].
//!
//! Input must be sorted, so that equal keys are neighbours. Batches without such neighbours, which is
//! the rule, pass through uncopied after one comparison per row and key column; the last row of a batch
//! is held back until it is known whether the next batch goes on with its key.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BooleanArray, Float64Array, Int64Array, ListArray,
    PrimitiveArray, RecordBatch, StructArray, UInt32Array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::kernels::cmp::not_distinct;
use datafusion::arrow::compute::{and, concat_batches, take};
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type, Int32Type, Int64Type, SchemaRef};

use datafusion::arrow::util::display::array_value_to_string;
use nines_timeline::{ExactSum, micros, seconds};

use crate::error::{Result, StoreError};
use crate::schema::{Measure, TableKind};

use super::layout::present;

/// Combines a sorted stream of batches.
pub(crate) struct Combine {
    schema: SchemaRef,
    /// The key's columns, `time` first: it differs between most neighbours.
    keys: Vec<usize>,
    /// How each column combines; `None` for keys, and for the partition, which the key determines.
    measures: Vec<Option<Measure>>,
    /// One row whose key the next batch may continue.
    held: Option<RecordBatch>,
}

impl Combine {
    pub(crate) fn new(kind: TableKind, schema: SchemaRef) -> Result<Self> {
        let keys = present(kind, &schema).rev().map(|name| Ok(schema.index_of(name)?)).collect::<Result<_>>()?;
        let measure = |name: &str| kind.measures().iter().find(|(of, _)| *of == name).map(|(_, measure)| *measure);
        let measures = schema.fields().iter().map(|field| measure(field.name())).collect();
        Ok(Self { schema, keys, measures, held: None })
    }

    /// Takes the next batch, or the end of the stream, and gives what is complete.
    pub(crate) fn push(&mut self, batch: Option<RecordBatch>) -> Result<Vec<RecordBatch>> {
        let Some(mut batch) = batch else { return Ok(self.held.take().into_iter().collect()) };
        let mut done = Vec::new();
        if batch.num_rows() == 0 {
            return Ok(done);
        }
        if let Some(held) = self.held.take() {
            match self.continues(&held, &batch.slice(0, 1))? {
                true => batch = concat_batches(&self.schema, [&held, &batch])?,
                false => done.push(held),
            }
        }
        if let Some(groups) = self.groups(&batch)? {
            batch = self.combine(&batch, &groups)?;
        }
        let last = batch.num_rows() - 1;
        self.held = Some(batch.slice(last, 1));
        if last > 0 {
            done.push(batch.slice(0, last));
        }
        Ok(done)
    }

    fn continues(&self, held: &RecordBatch, next: &RecordBatch) -> Result<bool> {
        for &key in &self.keys {
            if !not_distinct(held.column(key), next.column(key))?.value(0) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Refuses a batch that says two things of one record.
    fn check_same(&self, name: &str, batch: &RecordBatch, values: &ArrayRef, groups: &[Range<usize>]) -> Result<()> {
        for group in groups.iter().filter(|group| group.len() > 1) {
            let first = values.slice(group.start, 1);
            for row in group.start + 1..group.end {
                let other = values.slice(row, 1);
                if first.as_ref() != other.as_ref() {
                    let key = self.keys.iter().rev().map(|&key| array_value_to_string(batch.column(key), row));
                    let key = key.collect::<Result<Vec<_>, _>>()?.join(" ");
                    let (a, b) = (array_value_to_string(&first, 0)?, array_value_to_string(&other, 0)?);
                    return Err(StoreError::rows(format!(
                        "{key:?} is there twice, with {a:?} and {b:?} in column {name}; a batch may name a record once"
                    )));
                }
            }
        }
        Ok(())
    }

    /// The runs of equal keys; `None` if every run is one row.
    fn groups(&self, batch: &RecordBatch) -> Result<Option<Vec<Range<usize>>>> {
        let pairs = batch.num_rows() - 1;
        let mut same: Option<BooleanArray> = None;
        for &key in &self.keys {
            let column = batch.column(key);
            let equal = not_distinct(&column.slice(0, pairs), &column.slice(1, pairs))?;
            let equal = match same {
                Some(same) => and(&same, &equal)?,
                None => equal,
            };
            if equal.true_count() == 0 {
                return Ok(None);
            }
            same = Some(equal);
        }
        let Some(same) = same else { return Ok(None) };
        let ends = (0..pairs).filter(|&row| !same.value(row)).map(|row| row + 1).chain([batch.num_rows()]);
        let mut start = 0;
        Ok(Some(ends.map(|end| std::mem::replace(&mut start, end)..end).collect()))
    }

    /// The column of histograms, if the table has one.
    fn histograms<'a>(&self, batch: &'a RecordBatch) -> Option<&'a ArrayRef> {
        let at = self.measures.iter().position(|measure| matches!(measure, Some(Measure::Histogram)))?;
        batch.columns().get(at)
    }

    fn combine(&self, batch: &RecordBatch, groups: &[Range<usize>]) -> Result<RecordBatch> {
        let first = UInt32Array::from_iter_values(groups.iter().map(|group| group.start as u32));
        let columns = batch.columns().iter().zip(&self.measures).zip(self.schema.fields());
        let columns = columns.map(|((values, measure), field)| match (measure, values.data_type()) {
            (None, _) => Ok(take(values, &first, None)?),
            (Some(Measure::Sum), DataType::Int64) => sum_counts(field.name(), values, groups),
            (Some(Measure::Sum), _) => sum_seconds(field.name(), values, groups),
            (Some(Measure::Total), _) => sum_floats(field.name(), values, groups),
            (Some(Measure::Min), _) => Ok(pick_floats(values, groups, f64::min)),
            (Some(Measure::Max), _) => Ok(pick_floats(values, groups, f64::max)),
            (Some(Measure::Last), _) => Ok(pick_floats(values, groups, |_, last| last)),
            (Some(Measure::Same), _) => {
                self.check_same(field.name(), batch, values, groups)?;
                Ok(take(values, &first, None)?)
            }
            (Some(Measure::Histogram), _) => merge_histograms(values, groups),
            (Some(Measure::CountsLe), _) => {
                let lists = values.as_list::<i32>();
                check_thresholds(field.name(), lists, groups)?;
                let whole = only_whole(field.name(), lists, self.histograms(batch), groups)?;
                Ok(Arc::new(merge_counts::<Int64Type>(&whole, groups)?) as ArrayRef)
            }
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// The same lists, those of a group NULL if a row of it has latencies and no exact counts: the counts of the others would be
/// taken for those of all. Refuses a group in which counts stand alone in some rows, and in others latencies: a row that has
/// latencies is counted by them, so those of the counts alone would be lost.
fn only_whole(
    name: &str,
    lists: &ListArray,
    latencies: Option<&ArrayRef>,
    groups: &[Range<usize>],
) -> Result<ListArray> {
    let Some(latencies) = latencies else { return Ok(lists.clone()) };
    let mut kept = vec![true; lists.len()];
    for group in groups.iter().filter(|group| group.len() > 1) {
        let any = |exact: bool, known: bool| {
            group.clone().any(|row| lists.is_valid(row) == exact && latencies.is_valid(row) == known)
        };
        if any(true, false) && (any(true, true) || any(false, true)) {
            return Err(StoreError::rows(format!(
                "column {name}: of the rows of one key some have {name} alone and some have latencies; they cannot be added. \
                 Give them different sources"
            )));
        }
        if any(false, true) {
            kept[group.clone()].fill(false);
        }
    }
    let (field, offsets, values, nulls) = lists.clone().into_parts();
    Ok(ListArray::try_new(field, offsets, values, NullBuffer::union(nulls.as_ref(), Some(&NullBuffer::from(kept))))?)
}

fn too_many(name: &str) -> StoreError {
    StoreError::rows(format!("column {name}: rows of the same key add up to more than a 64-bit integer holds"))
}

fn sum_counts(name: &str, values: &ArrayRef, groups: &[Range<usize>]) -> Result<ArrayRef> {
    let counts = values.as_primitive::<Int64Type>().values();
    let sums = groups.iter().map(|group| {
        let sum = counts[group.clone()].iter().try_fold(0i64, |sum, &count| sum.checked_add(count));
        sum.ok_or_else(|| too_many(name))
    });
    Ok(Arc::new(sums.collect::<Result<Vec<_>>>().map(Int64Array::from)?))
}

/// Seconds add up as whole microseconds. NULL adds nothing.
fn sum_seconds(name: &str, values: &ArrayRef, groups: &[Range<usize>]) -> Result<ArrayRef> {
    let values = values.as_primitive::<Float64Type>();
    let sum = |group: &Range<usize>| {
        let mut known = group.clone().filter(|&row| values.is_valid(row)).map(|row| micros(values.value(row)));
        let Some(first) = known.next() else { return Ok(None) };
        let sum = known.fold(first, |sum, more| sum?.checked_add(more?));
        sum.map(|sum| Some(seconds(sum))).ok_or_else(|| too_long(name))
    };
    Ok(Arc::new(groups.iter().map(sum).collect::<Result<Float64Array>>()?))
}

fn too_long(name: &str) -> StoreError {
    StoreError::rows(format!("column {name}: rows of the same key add up to more seconds than can be counted"))
}

/// Floats add up exactly and are rounded once: the rows of a key come in no particular order. NULL adds nothing.
fn sum_floats(name: &str, values: &ArrayRef, groups: &[Range<usize>]) -> Result<ArrayRef> {
    let values = values.as_primitive::<Float64Type>();
    let sum = |group: &Range<usize>| {
        let mut known = group.clone().filter(|&row| values.is_valid(row)).map(|row| values.value(row)).peekable();
        if known.peek().is_none() {
            return Ok(None);
        }
        let sum = known.collect::<ExactSum>().value();
        match sum.is_finite() {
            true => Ok(Some(sum)),
            false => Err(StoreError::rows(format!(
                "column {name}: rows of the same key add up to more than a float can hold"
            ))),
        }
    };
    Ok(Arc::new(groups.iter().map(sum).collect::<Result<Float64Array>>()?))
}

/// Reduces each group by choosing between neighbours.
fn pick_floats(values: &ArrayRef, groups: &[Range<usize>], pick: fn(f64, f64) -> f64) -> ArrayRef {
    let numbers = values.as_primitive::<Float64Type>().values();
    let picked = groups.iter().map(|group| numbers[group.clone()].iter().copied().reduce(pick));
    Arc::new(picked.collect::<Float64Array>())
}

fn merge_histograms(values: &ArrayRef, groups: &[Range<usize>]) -> Result<ArrayRef> {
    let histograms = values.as_struct();
    let zero = histograms.column(0).as_primitive::<Int64Type>();
    let zeros = groups.iter().map(|group| {
        let mut rows = group.clone().filter(|&row| histograms.is_valid(row));
        rows.try_fold(0i64, |sum, row| sum.checked_add(zero.value(row))).ok_or_else(|| too_many("latency"))
    });
    let zeros: ArrayRef = Arc::new(Int64Array::from(zeros.collect::<Result<Vec<_>>>()?));
    // A NULL histogram's buckets are not counts, whatever the array holds there.
    let lists = histograms.column(1).as_list::<i32>();
    let lists = ListArray::try_new(
        element(lists)?,
        lists.offsets().clone(),
        Arc::clone(lists.values()),
        NullBuffer::union(histograms.nulls(), lists.nulls()),
    )?;
    let merged = merge_counts::<Int32Type>(&lists, groups)?;
    let nulls = merged.nulls().cloned();
    let DataType::Struct(fields) = histograms.data_type() else {
        return Err(StoreError::internal("a histogram is not a struct"));
    };
    let (field, offsets, values, _) = merged.into_parts();
    let buckets: ArrayRef = Arc::new(ListArray::try_new(field, offsets, values, None)?);
    Ok(Arc::new(StructArray::try_new(fields.clone(), vec![zeros, buckets], nulls)?))
}

/// Adds lists of (bucket or threshold, count), ascending, entry by entry. NULL adds nothing.
fn merge_counts<K: ArrowPrimitiveType>(lists: &ListArray, groups: &[Range<usize>]) -> Result<ListArray> {
    let entries = lists.values().as_struct();
    let keys = entries.column(0).as_primitive::<K>().values();
    let counts = entries.column(1).as_primitive::<Int64Type>().values();
    let offsets = lists.value_offsets();
    let (mut lengths, mut valid) = (Vec::with_capacity(groups.len()), Vec::with_capacity(groups.len()));
    let (mut out_keys, mut out_counts) = (Vec::new(), Vec::new());
    let mut merged: Vec<(K::Native, i64)> = Vec::new();
    for group in groups {
        merged.clear();
        let mut rows = 0;
        for row in group.clone().filter(|&row| lists.is_valid(row)) {
            rows += 1;
            merged.extend((offsets[row] as usize..offsets[row + 1] as usize).map(|i| (keys[i], counts[i])));
        }
        if rows > 1 {
            merged.sort_by(|a, b| a.0.compare(b.0));
        }
        let before = out_keys.len();
        for &(key, count) in &merged {
            match out_keys[before..].last() {
                Some(last) if *last == key => {
                    if let Some(total) = out_counts.last_mut() {
                        *total = i64::checked_add(*total, count).ok_or_else(|| too_many("latency"))?;
                    }
                }
                _ => {
                    out_keys.push(key);
                    out_counts.push(count);
                }
            }
        }
        lengths.push(out_keys.len() - before);
        valid.push(rows > 0);
    }
    let keys = Arc::new(PrimitiveArray::<K>::new(out_keys.into(), None));
    let counts = Arc::new(Int64Array::from(out_counts));
    let entries = StructArray::try_new(entries.fields().clone(), vec![keys, counts], None)?;
    Ok(ListArray::try_new(
        element(lists)?,
        OffsetBuffer::from_lengths(lengths),
        Arc::new(entries),
        Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0),
    )?)
}

/// Cumulative counts add only where they were cut at the same thresholds.
fn check_thresholds(name: &str, lists: &ListArray, groups: &[Range<usize>]) -> Result<()> {
    let thresholds = |row: usize| {
        let list = lists.value(row);
        list.as_struct().column(0).as_primitive::<Int64Type>().values().to_vec()
    };
    for group in groups.iter().filter(|group| group.len() > 1) {
        let mut rows = group.clone().filter(|&row| lists.is_valid(row)).map(thresholds);
        let Some(first) = rows.next() else { continue };
        if let Some(other) = rows.find(|other| *other != first) {
            return Err(StoreError::rows(format!(
                "column {name}: two rows of the same key count at different thresholds ({first:?} and {other:?} µs)"
            )));
        }
    }
    Ok(())
}

fn element(lists: &ListArray) -> Result<FieldRef> {
    match lists.data_type() {
        DataType::List(field) => Ok(Arc::clone(field)),
        other => Err(StoreError::internal(format!("a list is of type {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use datafusion::arrow::array::{Date32Array, StringViewArray, TimestampMicrosecondArray};
    use datafusion::arrow::datatypes::{Field, Schema};
    use proptest::prelude::*;

    use super::*;

    /// Rows of `events` as they leave the sort: (service, minute, good), all of one day.
    fn batch(rows: &[(u8, u8, i64)]) -> RecordBatch {
        let mut fields = TableKind::Events.schema(60).fields().to_vec();
        fields.push(Arc::new(Field::new(super::super::layout::PARTITION, DataType::Date32, false)));
        let times = rows.iter().map(|row| i64::from(row.1) * 60_000_000);
        let good: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Int64Array>());
        let text = |value: fn(&(u8, u8, i64)) -> String| -> ArrayRef {
            Arc::new(rows.iter().map(|row| Some(value(row))).collect::<StringViewArray>())
        };
        let empty = || text(|_| String::new());
        let columns = vec![
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")) as ArrayRef,
            empty(),
            text(|row| format!("service {}", row.0)),
            empty(),
            empty(),
            empty(),
            empty(),
            Arc::clone(&good),
            good,
            Arc::new(StringViewArray::new_null(rows.len())),
            Arc::new(Date32Array::from(vec![0; rows.len()])),
        ];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    fn combined(batches: &[RecordBatch]) -> Result<Vec<(String, i64, i64)>> {
        let mut combine = Combine::new(TableKind::Events, batch(&[]).schema())?;
        let mut done = Vec::new();
        for next in batches.iter().cloned().map(Some).chain([None]) {
            done.extend(combine.push(next)?);
        }
        let row = |batch: &RecordBatch, row: usize| {
            let times = batch.column(0).as_primitive::<datafusion::arrow::datatypes::TimestampMicrosecondType>();
            let good = batch.column(7).as_primitive::<Int64Type>().value(row);
            assert_eq!(good, batch.column(8).as_primitive::<Int64Type>().value(row));
            (batch.column(2).as_string_view().value(row).to_owned(), times.value(row) / 60_000_000, good)
        };
        Ok(done.iter().flat_map(|batch| (0..batch.num_rows()).map(move |i| row(batch, i))).collect())
    }

    proptest! {
        #[test]
        fn however_the_stream_is_cut_each_key_is_one_row(
            mut rows in prop::collection::vec((0u8..3, 0u8..5, 0i64..100), 0..60),
            cut in 1usize..9,
        ) {
            rows.sort_unstable();
            let mut naive: BTreeMap<(u8, u8), i64> = BTreeMap::new();
            for (service, minute, good) in &rows {
                *naive.entry((*service, *minute)).or_default() += good;
            }
            let naive: Vec<_> =
                naive.into_iter().map(|((s, minute), good)| (format!("service {s}"), i64::from(minute), good)).collect();
            let batches: Vec<_> = rows.chunks(cut).map(batch).collect();
            prop_assert_eq!(combined(&batches).unwrap(), naive);
        }
    }

    #[test]
    fn a_sum_beyond_64_bits_is_refused() {
        let error = combined(&[batch(&[(0, 0, i64::MAX), (0, 0, 1)])]).unwrap_err();
        assert!(error.to_string().contains("column good: rows of the same key add up to more"), "{error}");
    }
}
