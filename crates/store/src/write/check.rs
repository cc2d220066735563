//! The gate for rows: what comes in is the table's columns in the table's types, or is refused.
//!
//! Columns are matched by name. Texts may come in any string type and integers in any width; a time in
//! any unit down to µs but with a time zone; a nullable column may be absent. Seconds of latency become whole
//! microseconds. Nothing else is dropped, rounded or guessed: a column that the table does not have, a NULL in a key or count, a time that does not start a
//! slice, a negative count are errors that name the column and the value.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::DateTime;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Float64Array, Int64Array, ListArray, RecordBatch, new_null_array,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Field, Float64Type, Int32Type, Int64Type, Schema, SchemaRef, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::{StreamExt, stream};
use nines_timeline::{micros, seconds};

use super::later::LaterColumns;
use super::layout::{Layout, ORDER, PARTITION, keeps_order};
use super::written::Written;
use crate::error::{Result, StoreError};
use crate::partition::Partition;
use crate::rules::{InvalidRow, first_invalid_row, key_of};
use crate::schema::{Measure, TableKind};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// The rows of a stream, checked and with the first day of each row's partition as last column.
pub(super) fn checked(
    layout: &Layout,
    rows: SendableRecordBatchStream,
    written: &Written,
) -> Result<SendableRecordBatchStream> {
    let check = Check::new(layout, &rows.schema(), written.columns())?;
    let schema = Arc::clone(&check.schema);
    let checked = rows.map(move |batch| Ok(check.batch(&batch?)?));
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, checked)))
}

/// A plan whose one partition is the stream.
pub(super) fn once(rows: SendableRecordBatchStream) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = rows.schema();
    let once = Once { schema: Arc::clone(&schema), rows: Mutex::new(Some(rows)) };
    Ok(Arc::new(StreamingTableExec::try_new(schema, vec![Arc::new(once)], None, None, false, None)?))
}

/// A stream as the leaf of a plan. It can be executed once.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _task: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| {
            let error = StoreError::internal("the rows to write were read twice");
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::iter([Err(error.into())])))
        })
    }
}

/// What to do with each incoming batch, decided once from its schema.
pub(crate) struct Check {
    kind: TableKind,
    slice_micros: i64,
    /// The table's schema and the partition.
    schema: SchemaRef,
    /// Which incoming column each of the schema's columns is.
    source: Vec<Option<usize>>,
    /// The columns that came in later of which a row has a value.
    later: LaterColumns,
    /// How many rows came.
    rows: AtomicI64,
}

impl Check {
    pub(crate) fn new(layout: &Layout, incoming: &Schema, later: &LaterColumns) -> Result<Self> {
        let (kind, table) = (layout.kind(), layout.schema());
        if let Some(unknown) = incoming.fields().iter().find(|field| table.field_with_name(field.name()).is_err()) {
            return Err(StoreError::rows(format!("table {} has no column {}", kind.name(), unknown.name())));
        }
        let mut source = Vec::new();
        let mut fields = Vec::new();
        for field in table.fields() {
            let mut found = (0..incoming.fields().len()).filter(|&i| incoming.field(i).name() == field.name());
            let found = match (found.next(), found.next()) {
                (_, Some(_)) => return Err(StoreError::rows(format!("there are two columns {}", field.name()))),
                (None, _) if !field.is_nullable() => {
                    return Err(StoreError::rows(format!("column {} of {} is missing", field.name(), kind.name())));
                }
                // What nobody gives need not be sorted.
                (None, _) if kind.later().contains(&field.name().as_str()) => continue,
                (found, None) => found,
            };
            source.push(found);
            fields.push(Arc::clone(field));
            let from = found.map(|i| incoming.field(i).data_type());
            if let Some(from) = from.filter(|from| !accepts(field.data_type(), from)) {
                let (name, want) = (field.name(), field.data_type());
                return Err(StoreError::rows(format!("column {name} must be {want}, not {from}")));
            }
        }
        fields.push(Arc::new(Field::new(PARTITION, DataType::Date32, false)));
        if keeps_order(kind) {
            fields.push(Arc::new(Field::new(ORDER, DataType::Int64, false)));
        }
        Ok(Self {
            kind,
            slice_micros: layout.slice_micros(),
            schema: Arc::new(Schema::new(fields)),
            source,
            later: later.clone(),
            rows: AtomicI64::new(0),
        })
    }

    /// The columns of checked rows.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Whether incoming rows have this one of the table's columns; else it is NULL.
    pub(super) fn is_given(&self, column: usize) -> bool {
        self.source.get(column).is_some_and(Option::is_some)
    }

    /// One pass per column; copies only what has to change its type.
    pub(crate) fn batch(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        // The table's columns; those that are not stored follow.
        for (field, source) in self.schema.fields().iter().zip(&self.source) {
            let Some(source) = source else {
                columns.push(new_null_array(field.data_type(), batch.num_rows()));
                continue;
            };
            let values = batch.column(*source);
            if !field.is_nullable() && values.logical_null_count() > 0 {
                return Err(StoreError::rows(format!("column {} must not be NULL", field.name())));
            }
            if values.logical_null_count() < values.len() {
                self.later.need(field.name());
            }
            columns.push(convert(field, values)?);
        }
        for (name, measure) in self.kind.measures() {
            let Some((at, _)) = self.schema.column_with_name(name) else { continue };
            check_measure(name, *measure, &columns[at])?;
            if let (Measure::Sum, Some(seconds)) = (measure, columns[at].as_primitive_opt::<Float64Type>()) {
                columns[at] = whole_micros(seconds);
            }
        }
        let column = |name| match self.schema.column_with_name(name) {
            Some((at, _)) => Ok(&columns[at]),
            None => Err(StoreError::internal(format!("no column {name}"))),
        };
        let partitions = match self.kind.partition() {
            Partition::None => vec![0; batch.num_rows()].into(),
            Partition::Day => self.days(column("time")?)?,
            Partition::Month => months(column("date")?)?,
        };
        columns.push(Arc::new(partitions));
        if keeps_order(self.kind) {
            let rows = batch.num_rows() as i64;
            let first = self.rows.fetch_add(rows, Relaxed);
            columns.push(Arc::new(Int64Array::from_iter_values(first..first + rows)));
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        match first_invalid_row(self.kind, &batch) {
            Some(InvalidRow { row, column, message, .. }) => {
                let key = key_of(self.kind, &batch, row);
                Err(StoreError::rows(format!("{} {key:?}: column {column}: {message}", self.kind.name())))
            }
            None => Ok(batch),
        }
    }

    fn days(&self, time: &ArrayRef) -> Result<Date32Array> {
        let times = time.as_primitive::<TimestampMicrosecondType>().values();
        if let Some(time) = times.iter().find(|&&time| time.rem_euclid(self.slice_micros) != 0) {
            let seconds = self.slice_micros / 1_000_000;
            return Err(StoreError::rows(format!(
                "time {} does not start a slice: the store's slices are {seconds} s, aligned to the epoch",
                DateTime::from_timestamp_micros(*time).map_or(time.to_string(), |time| time.to_rfc3339()),
            )));
        }
        // Every µs of an i64 is within ±107 million days.
        Ok(times.iter().map(|time| time.div_euclid(MICROS_PER_DAY) as i32).collect::<Vec<_>>().into())
    }
}

fn months(dates: &ArrayRef) -> Result<Date32Array> {
    let dates = dates.as_primitive::<Date32Type>().values();
    let months = dates.iter().map(|&date| Partition::Month.first_day(date));
    Ok(months.collect::<Result<Vec<_>>>()?.into())
}

/// Whether a column of the table takes values of this type.
fn accepts(table: &DataType, from: &DataType) -> bool {
    use DataType::*;
    match (table, from) {
        (Utf8View, Utf8 | LargeUtf8 | Utf8View) => true,
        (Utf8View, Dictionary(_, values)) => accepts(table, values),
        (Int32 | Int64, from) => from.is_integer(),
        (Float64, Float32 | Float64) => true,
        // Whole numbers are exact as long as they are no bigger than a count can sensibly be.
        (Float64, from) if from.is_integer() => true,
        (Boolean, Boolean) | (Date32, Date32) => true,
        (Decimal128(..), Decimal128(..)) => true,
        (Decimal128(..), from) if from.is_integer() => true,
        (Timestamp(..), Timestamp(unit, zone)) => *unit != TimeUnit::Nanosecond && zone.is_some(),
        (Struct(table), Struct(from)) => {
            table.len() == from.len()
                && table
                    .iter()
                    .zip(from)
                    .all(|(table, from)| table.name() == from.name() && accepts(table.data_type(), from.data_type()))
        }
        (List(table), List(from) | LargeList(from)) => accepts(table.data_type(), from.data_type()),
        // A column of nothing but NULLs, as JSON readers infer it.
        (_, Null) => true,
        _ => false,
    }
}

fn convert(field: &Field, values: &ArrayRef) -> Result<ArrayRef> {
    if values.data_type() == field.data_type() {
        return Ok(Arc::clone(values));
    }
    cast_with_options(values, field.data_type(), &CastOptions { safe: false, ..Default::default() })
        .map_err(|error| StoreError::rows(format!("column {}: {error}", field.name())))
}

/// Seconds as stored: whole microseconds, so that sums do not depend on the order of their terms.
fn whole_micros(values: &Float64Array) -> ArrayRef {
    let whole = |value: f64| micros(value).map_or(value, seconds);
    match values.iter().flatten().all(|value| whole(value) == value) {
        true => Arc::new(values.clone()),
        false => Arc::new(values.unary::<_, Float64Type>(whole)),
    }
}

/// Whether an entry of a list of structs, or a field of one, is NULL in a row that is not.
fn holds_null(lists: &ListArray) -> bool {
    let entries = lists.values().as_struct();
    if entries.null_count() == 0 && entries.columns().iter().all(|column| column.null_count() == 0) {
        return false;
    }
    let null = |entry| entries.is_null(entry) || entries.columns().iter().any(|column| column.is_null(entry));
    let of_row = |row: usize| lists.value_offsets()[row] as usize..lists.value_offsets()[row + 1] as usize;
    (0..lists.len()).filter(|&row| lists.is_valid(row)).any(|row| of_row(row).any(null))
}

fn check_measure(name: &str, measure: Measure, values: &ArrayRef) -> Result<()> {
    let refused = |what: &str| Err(StoreError::rows(format!("column {name} {what}")));
    match (measure, values.data_type()) {
        (Measure::Sum, DataType::Int64) => {
            if let Some(count) = values.as_primitive::<Int64Type>().iter().flatten().find(|&count| count < 0) {
                return refused(&format!("is a count and cannot be {count}"));
            }
        }
        (Measure::Sum, _) => {
            let sums = values.as_primitive::<Float64Type>();
            if let Some(sum) = sums.iter().flatten().find(|sum| !sum.is_finite() || *sum < 0.0) {
                return refused(&format!("cannot be {sum}"));
            }
        }
        (Measure::Total | Measure::Min | Measure::Max | Measure::Last, _) => {
            let numbers = values.as_primitive::<Float64Type>();
            if let Some(number) = numbers.iter().flatten().find(|number| !number.is_finite()) {
                return refused(&format!("cannot be {number}"));
            }
        }
        (Measure::Same, _) => {}
        (Measure::Histogram, _) => {
            let histogram = values.as_struct();
            let zero = histogram.column(0).as_primitive::<Int64Type>();
            let within = histogram.column(1).as_list::<i32>();
            let incomplete = |row| histogram.is_valid(row) && (zero.is_null(row) || within.is_null(row));
            if (0..values.len()).any(incomplete) || holds_null(within) {
                return refused("must not have NULL inside a histogram");
            }
            if (0..values.len()).any(|row| histogram.is_valid(row) && zero.value(row) < 0) {
                return refused("counts fewer than no observations of zero");
            }
            let buckets = histogram.column(1).as_list::<i32>();
            let entries = buckets.values().as_struct();
            let bucket = entries.column(0).as_primitive::<Int32Type>().values();
            let count = entries.column(1).as_primitive::<Int64Type>().values();
            for row in buckets.offsets().windows(2) {
                let (start, end) = (row[0] as usize, row[1] as usize);
                if !bucket[start..end].is_sorted_by(|a, b| a < b) || count[start..end].iter().any(|&count| count <= 0) {
                    return refused("must have buckets ascending, each once and with a positive count");
                }
            }
        }
        (Measure::CountsLe, _) => {
            let lists = values.as_list::<i32>();
            if holds_null(lists) {
                return refused("must not have NULL inside a list");
            }
            let entries = lists.values().as_struct();
            let le = entries.column(0).as_primitive::<Int64Type>().values();
            let count = entries.column(1).as_primitive::<Int64Type>().values();
            for row in lists.offsets().windows(2) {
                let (start, end) = (row[0] as usize, row[1] as usize);
                let counts = &count[start..end];
                if !le[start..end].is_sorted_by(|a, b| a < b)
                    || !counts.is_sorted()
                    || counts.first() < Some(&0) && !counts.is_empty()
                {
                    return refused("must have thresholds ascending, each once, and counts that do not fall");
                }
            }
        }
    }
    Ok(())
}
