//! Rows of samples of series: a metric, a time, a value, and labels in all other columns.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use nines_store::{UTC, labels_of};

use super::cast::{bad_row, checked, texts};
use super::time::Times;
use super::{labels, time};
use crate::lenient::{By, Places, rest, shown};
use crate::order::SharedOrder;
use crate::samples::{Labels, Sample, Temporality, Value};
use crate::{ErrorKind, IngestError, Options, Rejected, RepeatedHour, Result};

const METRIC: &str = "metric";
const TIME: &str = "time";
const VALUE: &str = "value";
const LABELS: &str = "labels";

/// Whole numbers below are exact as they are counted.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What the columns of such rows are.
const COLUMNS: &str =
    "the columns metric, time and value; of the others each is a label, and labels an object of several";

/// The samples of a table of rows, batch by batch.
#[derive(Debug)]
pub struct SampleRows {
    /// How times are read.
    options: Options,
    /// What the rows are called in errors.
    name: String,
    /// Rows before the next batch.
    before: u64,
    /// The order of the rows of each series, which places local times that a clock change repeats.
    orders: HashMap<Labels, SharedOrder>,
}

/// The columns of a batch.
struct Columns {
    metrics: ArrayRef,
    times: ArrayRef,
    values: ArrayRef,
    /// Several labels at once, as JSON.
    whole: Option<ArrayRef>,
    /// The other labels, by name.
    each: Vec<(String, ArrayRef)>,
}

impl SampleRows {
    /// Rows whose times are read by these options.
    pub fn new(options: Options, name: impl Into<String>) -> Self {
        SampleRows { options, name: name.into(), before: 0, orders: HashMap::new() }
    }

    /// Hands on the samples of the next batch, whose rows begin on these lines, if they have lines. A value that is NULL is no data, as NaN
    /// is. What is refused ends it, or is left out where the options say so.
    pub fn read(
        &mut self,
        batch: &RecordBatch,
        lines: &[u64],
        take: &mut dyn FnMut(Sample) -> Result<()>,
    ) -> Result<()> {
        let (name, before, rejected) = (self.name.clone(), self.before, self.options.rejected.clone());
        self.before += batch.num_rows() as u64;
        let places = Places { name: &name, before, lines };
        let mut take = |row: usize, sample| {
            let taken = take(sample).map_err(|error| places.place(error.in_row(row as u64 + 1), 0));
            match (taken, &rejected) {
                (Err(error), Some(rejected)) if Rejected::takes(&error) => {
                    rejected.add(&error, &shown(batch, row));
                    Ok(())
                }
                (taken, _) => taken,
            }
        };
        let parts = match &rejected {
            Some(rejected) => rest(batch, rejected, &places, |rows, by| self.samples(rows, by))?,
            None => {
                let samples = self.samples(batch, By::Order).map_err(|error| places.place(error, 0))?;
                vec![(samples, (0..batch.num_rows()).collect())]
            }
        };
        let mut samples = parts.into_iter().flat_map(|(samples, rows)| rows.into_iter().zip(samples));
        samples.try_for_each(|(row, sample)| take(row, sample))
    }

    /// The samples of a batch, one for each row.
    fn samples(&mut self, batch: &RecordBatch, by: By) -> Result<Vec<Sample>> {
        let columns = Columns::of(batch)?;
        // Last: nothing may be refused once rows have moved the order of their series on.
        let times = self.times(&columns, by)?;
        Ok(columns.samples(&times))
    }

    fn times(&mut self, columns: &Columns, by: By) -> Result<TimestampMicrosecondArray> {
        let times = match time::of_rows(&columns.times, &self.options)? {
            Times::Instants(instants) => return Ok(instants),
            Times::Clocks(times) => times,
        };
        let mut series: HashMap<Labels, Vec<usize>> = HashMap::new();
        (0..times.len()).for_each(|row| series.entry(columns.labels(row)).or_default().push(row));
        let mut instants = vec![0; times.len()];
        let mut before = Vec::new();
        for (labels, rows) in series {
            let own: Vec<_> = rows.iter().map(|&row| times[row]).collect();
            let (order, given) = match by {
                By::Itself => (&mut SharedOrder::default(), Some(RepeatedHour::First)),
                By::Order => (self.orders.entry(labels).or_default(), self.options.repeated_hour),
            };
            before.push((order.clone(), order.kept()));
            let placed = order.place(given, &own).map_err(|(at, error)| {
                before.drain(..).for_each(|(order, kept)| order.restore(kept));
                error.in_row(rows[at] as u64 + 1)
            })?;
            rows.iter().zip(placed).for_each(|(&row, instant)| instants[row] = instant);
        }
        Ok(TimestampMicrosecondArray::from(instants).with_timezone(UTC))
    }
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self> {
        let column = |name: &str| {
            batch.column_by_name(name).ok_or_else(|| {
                IngestError::new(ErrorKind::Columns, format!("there is no column {name}"))
                    .column(name)
                    .expected(COLUMNS)
                    .advice("Name them with --select")
            })
        };
        let fields = batch.schema_ref().fields().iter().zip(batch.columns());
        let others = fields.filter(|(field, _)| ![METRIC, TIME, VALUE, LABELS].contains(&field.name().as_str()));
        let metrics = texts(METRIC, column(METRIC)?)?;
        let names = metrics.as_string_view();
        if let Some(row) = (0..names.len()).find(|&row| text(names, row).is_empty()) {
            return Err(bad_row(METRIC, &metrics, row, "the name of a metric"));
        }
        Ok(Columns {
            metrics,
            times: Arc::clone(column(TIME)?),
            values: values(column(VALUE)?)?,
            whole: batch.column_by_name(LABELS).map(labels::whole).transpose()?,
            each: others
                .map(|(field, array)| Ok((field.name().clone(), label(field.name(), array)?)))
                .collect::<Result<_>>()?,
        })
    }

    fn samples(&self, times: &TimestampMicrosecondArray) -> Vec<Sample> {
        let values = self.values.as_primitive::<Float64Type>();
        let mut samples = Vec::with_capacity(times.len());
        let mut last: Option<(usize, Arc<Labels>)> = None;
        for (row, &time) in times.values().iter().enumerate() {
            let labels = match &last {
                Some((before, labels)) if self.is_same_series(*before, row) => Arc::clone(labels),
                _ => Arc::new(self.labels(row)),
            };
            last = Some((row, Arc::clone(&labels)));
            let value = if values.is_valid(row) { values.value(row) } else { f64::NAN };
            let value = Value::Number(value);
            samples.push(Sample { labels, time, value, temporality: Temporality::Cumulative(None) });
        }
        samples
    }

    fn texts(&self) -> impl Iterator<Item = &StringViewArray> {
        let each = self.each.iter().map(|(_, array)| array);
        [&self.metrics].into_iter().chain(&self.whole).chain(each).map(|array| array.as_string_view())
    }

    fn is_same_series(&self, row: usize, other: usize) -> bool {
        self.texts().all(|texts| text(texts, row) == text(texts, other))
    }

    fn labels(&self, row: usize) -> Labels {
        let whole = self.whole.as_ref().map(|whole| labels_of(text(whole.as_string_view(), row))).unwrap_or_default();
        let each = self.each.iter().map(|(name, array)| (name.clone(), text(array.as_string_view(), row).to_string()));
        let metric = text(self.metrics.as_string_view(), row).to_string();
        let named = [("__name__".to_string(), metric)].into_iter().chain(each).filter(|(_, value)| !value.is_empty());
        Labels::new(named.chain(whole).collect())
    }
}

/// Numbers as they are counted. A whole number that they cannot hold exactly is refused: increments would be wrong.
fn values(array: &ArrayRef) -> Result<ArrayRef> {
    let from = array.data_type();
    let values = checked(VALUE, array, &DataType::Float64, "a number")?;
    if from.is_integer() || from.is_decimal() || from.is_string() {
        let numbers = values.as_primitive::<Float64Type>();
        let written = from.is_string().then(|| texts(VALUE, array)).transpose()?;
        let is_whole = |row: usize| {
            let written = written.as_ref().map(|written| text(written.as_string_view(), row));
            written.is_none_or(|written| written.bytes().all(|byte| byte.is_ascii_digit() || b"+-".contains(&byte)))
        };
        let is_beyond = |row: &usize| numbers.is_valid(*row) && numbers.value(*row).abs() >= EXACT && is_whole(*row);
        let beyond = (0..numbers.len()).find(is_beyond);
        if let Some(row) = beyond {
            let expected = "a number below 2^53, up to which counters are exact";
            return Err(
                bad_row(VALUE, array, row, expected).advice("Subtract the same number from all of them with --select")
            );
        }
    }
    Ok(values)
}

/// A label in a column of its own, as text.
fn label(name: &str, array: &ArrayRef) -> Result<ArrayRef> {
    match array.data_type() {
        from if from.is_nested() => texts(name, array),
        _ => checked(name, array, &DataType::Utf8View, "text"),
    }
}

/// A text; NULL is empty.
fn text(array: &StringViewArray, row: usize) -> &str {
    if array.is_valid(row) { array.value(row) } else { "" }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Float64Array, Int64Array, StringArray};
    use nines_store::TableKind;

    use super::*;

    fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(name, array)| (*name, Arc::clone(array), true)))
            .unwrap()
    }

    fn strings(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    fn read(batches: &[RecordBatch]) -> Result<Vec<String>> {
        let mut rows = SampleRows::new(Options::new(TableKind::Requests, 60), "rows");
        let mut all = Vec::new();
        for batch in batches {
            rows.read(batch, &[], &mut |sample| {
                all.push(format!("{} {} {:?}", sample.labels, sample.time, sample.value));
                Ok(())
            })?;
        }
        Ok(all)
    }

    #[test]
    fn columns_become_labels() {
        let rows = batch(&[
            ("metric", strings(&[Some("a_total"), Some("a_total"), Some("b")])),
            (
                "time",
                strings(&[
                    Some("2026-01-05T10:00:00Z"),
                    Some("2026-01-05 11:00:00+01:00"),
                    Some("2026-01-05T10:00:01Z"),
                ]),
            ),
            ("value", Arc::new(Float64Array::from(vec![Some(1.0), None, Some(0.5)]))),
            ("code", Arc::new(Int64Array::from(vec![Some(200), Some(200), None]))),
            ("labels", strings(&[Some(r#"{"zone": "eu", "code": "x"}"#), None, None])),
        ]);
        let micros = 1_767_607_200_000_000_i64;
        let expected = [
            format!("a_total{{code=\"200\", zone=\"eu\"}} {micros} Number(1.0)"),
            format!("a_total{{code=\"200\"}} {micros} Number(NaN)"),
            format!("b {} Number(0.5)", micros + 1_000_000),
        ];
        assert_eq!(read(&[rows]).unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_row() {
        let rows = |metric: Option<&str>, value: &str| {
            batch(&[
                ("metric", strings(&[Some("a"), metric])),
                ("time", Arc::new(Int64Array::from(vec![1_767_607_200, 1_767_607_260]))),
                ("value", strings(&[Some("1"), Some(value)])),
            ])
        };
        let said = |batches: &[RecordBatch]| {
            let said = read(batches).unwrap_err().to_string();
            said.split(". Correct or remove").next().unwrap_or_default().to_string()
        };
        let good = rows(Some("a"), "2");
        assert_eq!(
            said(&[good.clone(), rows(None, "2")]),
            "rows: row 4: metric is NULL; expected the name of a metric"
        );
        assert_eq!(said(&[rows(Some("a"), "many")]), "rows: row 2: value is \"many\"; expected a number");
        let missing = good.project(&[0, 1]).unwrap();
        assert_eq!(
            said(&[missing]),
            "rows: there is no column value; expected the columns metric, time and value; of the others each is a label, and labels \
             an object of several. Name them with --select"
        );
    }
}
