//! A table as a map from key to measures: what the store must look like from outside, computed the simple way.
//!
//! It shares the columns' names with the store, none of its code.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, ListBuilder,
    RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use nines_store::{Measure, TableKind, histogram_type};

use crate::fixture::{CountsLe, DAY, Histogram, batch, counts_le, histograms};

/// A value. Floating-point ones are whole quarters, so that sums are exact in any order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Text(String),
    Number(i64),
    Quarters(i64),
    Instant(i64),
    Flag(bool),
    Money(i128),
    Histogram(Histogram),
    CountsLe(CountsLe),
    Texts(Vec<String>),
    /// Sorts last.
    Null,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

/// The values of some columns, in the order of [`TableKind::key`] or [`TableKind::measures`].
pub type Cells = Vec<Cell>;

/// A row of a batch: key and measures.
pub type Row = (Cells, Cells);

/// The rows of a table, or of a batch whose rows of the same key are combined.
pub type Rows = BTreeMap<Cells, Cells>;

/// What a batch means for the rows of a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: u64,
    pub replaced: u64,
    pub unchanged: u64,
    pub removed: u64,
}

impl From<nines_store::Changes> for Changes {
    fn from(told: nines_store::Changes) -> Self {
        let nines_store::Changes { added, replaced, unchanged, removed, .. } = told;
        Self { added, replaced, unchanged, removed }
    }
}

impl Changes {
    pub fn nothing(self) -> bool {
        self.added + self.replaced + self.removed == 0
    }
}

/// The rows of a stream with one row per key; `None` if a record is told twice differently.
pub fn combined(kind: TableKind, stream: &[Row]) -> Option<Rows> {
    let mut rows = Rows::new();
    for (key, measures) in stream {
        let Some(before) = rows.get_mut(key) else {
            rows.insert(key.clone(), measures.clone());
            continue;
        };
        let is_in_part = is_in_part(kind, before) || is_in_part(kind, measures);
        for ((before, next), (_, measure)) in before.iter_mut().zip(measures).zip(kind.measures()) {
            *before = match measure {
                // Those of some latencies are not those of all.
                Measure::CountsLe if is_in_part => Cell::Null,
                measure => combine(*measure, before, next)?,
            };
        }
    }
    Some(rows)
}

/// Whether there are latencies of which there are no exact counts.
fn is_in_part(kind: TableKind, measures: &Cells) -> bool {
    let is_there = |wanted: Measure| {
        let at = kind.measures().iter().position(|(_, measure)| *measure == wanted);
        at.is_some_and(|at| measures[at] != Cell::Null)
    };
    is_there(Measure::Histogram) && !is_there(Measure::CountsLe)
}

fn combine(measure: Measure, before: &Cell, next: &Cell) -> Option<Cell> {
    use Cell::{CountsLe, Null, Number, Quarters};
    Some(match (measure, before, next) {
        (Measure::Same, a, b) => return (a == b).then(|| a.clone()),
        (Measure::Last, _, last) => last.clone(),
        (_, Null, other) | (_, other, Null) => other.clone(),
        (Measure::Sum | Measure::Total, Number(a), Number(b)) => Number(a + b),
        (Measure::Sum | Measure::Total, Quarters(a), Quarters(b)) => Quarters(a + b),
        (Measure::Min, a, b) => a.min(b).clone(),
        (Measure::Max, a, b) => a.max(b).clone(),
        (Measure::Histogram, Cell::Histogram((a_zero, a)), Cell::Histogram((b_zero, b))) => {
            Cell::Histogram((a_zero + b_zero, added(a, b)))
        }
        (Measure::CountsLe, CountsLe(a), CountsLe(b)) => CountsLe(added(a, b)),
        other => panic!("no such measure: {other:?}"),
    })
}

fn added<K: Ord + Copy>(a: &[(K, i64)], b: &[(K, i64)]) -> Vec<(K, i64)> {
    let mut sums: BTreeMap<K, i64> = BTreeMap::new();
    for (key, count) in a.iter().chain(b) {
        *sums.entry(*key).or_default() += count;
    }
    sums.into_iter().collect()
}

/// What a batch says of a unit replaces all that was said of it.
pub fn replace(kind: TableKind, table: &Rows, batch: &Rows) -> (Rows, Changes) {
    let units: BTreeSet<Cells> = batch.keys().map(|key| unit(kind, key)).collect();
    let mut changes = Changes::default();
    for (key, measures) in batch {
        match table.get(key) {
            None => changes.added += 1,
            Some(before) if before == measures => changes.unchanged += 1,
            Some(_) => changes.replaced += 1,
        }
    }
    let (gone, mut rows): (Rows, Rows) =
        table.clone().into_iter().partition(|(key, _)| units.contains(&unit(kind, key)));
    changes.removed = gone.keys().filter(|key| !batch.contains_key(*key)).count() as u64;
    rows.extend(batch.clone());
    (rows, changes)
}

/// The key without what a correction may relabel.
pub fn unit(kind: TableKind, key: &[Cell]) -> Cells {
    let names = kind.key().iter().zip(key);
    names.filter(|(name, _)| !["status", "cause"].contains(*name)).map(|(_, cell)| cell.clone()).collect()
}

/// First and last slice of a batch of a series.
pub fn time_range(kind: TableKind, rows: &Rows) -> Option<(i64, i64)> {
    let times = rows.keys().filter(|_| kind.is_series()).map(|key| match key.last() {
        Some(Cell::Instant(time)) => *time,
        other => panic!("{other:?} is no time"),
    });
    Some((times.clone().min()?, times.max()?))
}

/// The UTC day of a row of a series, as folders have it.
pub fn day(key: &[Cell]) -> i64 {
    match key.last() {
        Some(Cell::Instant(time)) => time.div_euclid(DAY),
        other => panic!("{other:?} is no time"),
    }
}

/// Rows as the store takes them.
pub fn to_batch(kind: TableKind, rows: &[Row]) -> RecordBatch {
    let schema = kind.stored_schema(60);
    let key = |place: usize| -> Vec<&Cell> { rows.iter().map(|(key, _)| &key[place]).collect() };
    let measure = |place: usize| -> Vec<&Cell> { rows.iter().map(|(_, measures)| &measures[place]).collect() };
    let keys = kind.key().iter().enumerate().map(|(place, name)| (*name, key(place)));
    let measures = kind.measures().iter().enumerate().map(|(place, (name, _))| (*name, measure(place)));
    let columns = keys.chain(measures).map(|(name, cells)| {
        let data_type = schema.field_with_name(name).unwrap().data_type().clone();
        (name, to_array(&data_type, &cells))
    });
    batch(columns.collect())
}

fn to_array(data_type: &DataType, cells: &[&Cell]) -> ArrayRef {
    macro_rules! array {
        ($array:ty, $cell:pat => $value:expr) => {
            cells.iter().map(|cell| if let $cell = cell { Some($value) } else { None }).collect::<$array>()
        };
    }
    match data_type {
        DataType::Utf8View => Arc::new(array!(StringArray, Cell::Text(text) => text.as_str())),
        DataType::Int32 => Arc::new(array!(Int32Array, Cell::Number(number) => *number as i32)),
        DataType::Int64 => Arc::new(array!(Int64Array, Cell::Number(number) => *number)),
        DataType::Float64 => Arc::new(array!(Float64Array, Cell::Quarters(quarters) => *quarters as f64 / 4.0)),
        DataType::Boolean => Arc::new(array!(BooleanArray, Cell::Flag(flag) => *flag)),
        DataType::Timestamp(..) => {
            Arc::new(array!(TimestampMicrosecondArray, Cell::Instant(at) => *at).with_timezone("UTC"))
        }
        DataType::Decimal128(precision, scale) => Arc::new(
            array!(Decimal128Array, Cell::Money(money) => *money).with_precision_and_scale(*precision, *scale).unwrap(),
        ),
        DataType::Struct(_) => histograms(
            cells.iter().map(|cell| if let Cell::Histogram(histogram) = cell { Some(histogram) } else { None }),
        ),
        DataType::List(of) if of.data_type() == &DataType::Utf8View => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for cell in cells {
                match cell {
                    Cell::Texts(texts) => lists.append_value(texts.iter().map(Some)),
                    _ => lists.append_null(),
                }
            }
            Arc::new(lists.finish())
        }
        DataType::List(_) => {
            counts_le(cells.iter().map(|cell| if let Cell::CountsLe(counts) = cell { Some(counts) } else { None }))
        }
        other => panic!("no column of type {other}"),
    }
}

/// Rows as the store gives them.
pub fn from_batches(kind: TableKind, batches: &[RecordBatch]) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in batches {
        let columns = |names: Vec<&str>| -> Vec<Cells> {
            let cells = |name: &&str| match batch.column_by_name(name) {
                Some(values) => from_array(values),
                // A file without a column that came in later.
                None => {
                    assert!(kind.later().contains(name), "{name} is missing");
                    vec![Cell::Null; batch.num_rows()]
                }
            };
            names.iter().map(cells).collect()
        };
        let keys = columns(kind.key().to_vec());
        let measures = columns(kind.measures().iter().map(|(name, _)| *name).collect());
        let row = |columns: &[Cells], row: usize| columns.iter().map(|cells| cells[row].clone()).collect();
        rows.extend((0..batch.num_rows()).map(|at| (row(&keys, at), row(&measures, at))));
    }
    rows
}

fn from_array(values: &ArrayRef) -> Cells {
    macro_rules! cells {
        ($values:expr, $value:pat => $cell:expr) => {
            $values.iter().map(|value| if let Some($value) = value { $cell } else { Cell::Null }).collect()
        };
    }
    match values.data_type() {
        DataType::Utf8View => cells!(values.as_string_view(), text => Cell::Text(text.to_owned())),
        DataType::Utf8 => cells!(values.as_string::<i32>(), text => Cell::Text(text.to_owned())),
        DataType::Int32 => cells!(values.as_primitive::<Int32Type>(), number => Cell::Number(number.into())),
        DataType::Int64 => cells!(values.as_primitive::<Int64Type>(), number => Cell::Number(number)),
        DataType::Float64 => cells!(values.as_primitive::<Float64Type>(), number => {
            assert_eq!((number * 4.0).fract(), 0.0, "{number}");
            Cell::Quarters((number * 4.0) as i64)
        }),
        DataType::Boolean => cells!(values.as_boolean(), flag => Cell::Flag(flag)),
        DataType::Timestamp(..) => cells!(values.as_primitive::<TimestampMicrosecondType>(), at => Cell::Instant(at)),
        DataType::Decimal128(..) => cells!(values.as_primitive::<Decimal128Type>(), money => Cell::Money(money)),
        DataType::Struct(_) => {
            let values = cast(values, &histogram_type()).unwrap();
            let zeros = values.as_struct().column(0).as_primitive::<Int64Type>();
            let buckets = values.as_struct().column(1).as_list::<i32>();
            let histogram = |row: usize| (zeros.value(row), pairs::<Int32Type>(&buckets.value(row)));
            let cell = |row| if values.is_null(row) { Cell::Null } else { Cell::Histogram(histogram(row)) };
            (0..values.len()).map(cell).collect()
        }
        DataType::List(of) if of.data_type().is_string() => {
            let lists = values.as_list::<i32>();
            let texts = |row: usize| {
                let texts = cast(&lists.value(row), &DataType::Utf8).unwrap();
                Cell::Texts(texts.as_string::<i32>().iter().map(|text| text.unwrap().to_owned()).collect())
            };
            (0..lists.len()).map(|row| if lists.is_null(row) { Cell::Null } else { texts(row) }).collect()
        }
        DataType::List(_) => {
            let lists = values.as_list::<i32>();
            let counts = |row: usize| pairs::<Int64Type>(&lists.value(row));
            let cell = |row| if lists.is_null(row) { Cell::Null } else { Cell::CountsLe(counts(row)) };
            (0..lists.len()).map(cell).collect()
        }
        other => panic!("no column of type {other}"),
    }
}

fn pairs<K: datafusion::arrow::datatypes::ArrowPrimitiveType>(entries: &ArrayRef) -> Vec<(K::Native, i64)> {
    let keys = entries.as_struct().column(0).as_primitive::<K>().values().iter();
    keys.copied().zip(entries.as_struct().column(1).as_primitive::<Int64Type>().values().iter().copied()).collect()
}
