//! Columns that exist already, fitted to a table without the rows that are refused.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::util::display::array_value_to_string;

use crate::order::SharedOrder;
use crate::{ErrorKind, IngestError, Options, Rejected, RepeatedHour, Result, conform};

/// Rows that are looked at again together where one of them was refused.
const AGAIN: usize = 256;
/// Rows of a batch that may have no place in the order of the others before that order is asked in small parts only.
const TOGETHER: usize = 64;

/// Where the rows of a batch stand.
pub(crate) struct Places<'a> {
    /// What errors call the input.
    pub name: &'a str,
    /// Rows before those of the batch.
    pub before: u64,
    /// The lines on which rows begin; empty where rows have none.
    pub lines: &'a [u64],
}

impl Places<'_> {
    /// Says in an error, whose row is counted from this one of the batch, where that row stands.
    pub fn place(&self, error: IngestError, from: usize) -> IngestError {
        let row = error.row_number().and_then(|row| usize::try_from(row).ok()?.checked_sub(1));
        let error = error.in_file(self.name);
        match row.and_then(|row| self.lines.get(from + row)) {
            Some(line) => error.on_line_not_row(*line),
            None => error.after_rows(self.before + from as u64),
        }
    }
}

/// As [`conform`], without the rows that are refused where `options.rejected` takes them: the batches that are left. Rows are counted from
/// those before, of an input of this name.
pub fn conform_rest(batch: &RecordBatch, options: &Options, name: &str, before: u64) -> Result<Vec<RecordBatch>> {
    let places = Places { name, before, lines: &[] };
    let Some(rejected) = &options.rejected else {
        return Ok(vec![conform(batch, options).map_err(|error| places.place(error, 0))?]);
    };
    // What is looked at again is counted once.
    let alone = Options {
        repeated_hour: Some(RepeatedHour::First),
        order: SharedOrder::default(),
        found: Arc::default(),
        seen: Arc::default(),
        ..options.clone()
    };
    let fitted = rest(batch, rejected, &places, |rows, by| match by {
        By::Itself => conform(rows, &alone),
        By::Order => {
            let order = options.order.kept();
            conform(rows, options).inspect_err(|_| options.order.restore(order))
        }
    })?;
    Ok(fitted.into_iter().map(|(fitted, _)| fitted).collect())
}

/// How rows are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Each by itself, whatever the order of the rows says of its time.
    Itself,
    /// As they follow each other.
    Order,
}

/// What is made of the rows of a batch without those that are refused, each part with the numbers of its rows within the batch. What
/// fails to make something leaves nothing behind, and neither does a look at each row by itself.
///
/// Rows that are refused by themselves are found in small parts, because each of them costs another look at its part. The others are
/// then made together: what a time means may hang on rows far behind it.
pub(crate) fn rest<T>(
    batch: &RecordBatch,
    rejected: &Rejected,
    places: &Places<'_>,
    mut make: impl FnMut(&RecordBatch, By) -> Result<T>,
) -> Result<Vec<(T, Vec<usize>)>> {
    match make(batch, By::Order) {
        Ok(made) => return Ok(vec![(made, (0..batch.num_rows()).collect())]),
        Err(error) if !Rejected::takes(&error) => return Err(places.place(error, 0)),
        Err(_) => {}
    }
    let mut refused = BTreeMap::new();
    for start in (0..batch.num_rows()).step_by(AGAIN) {
        let rows = start..batch.num_rows().min(start + AGAIN);
        without(batch, rows, places, &mut refused, usize::MAX, |rows| make(rows, By::Itself))?;
    }
    let mut all = Vec::new();
    let whole = 0..batch.num_rows();
    match without(batch, whole, places, &mut refused, TOGETHER, |rows| make(rows, By::Order))? {
        Some(made) => all.push(made),
        // So many have no place in the order of the rows that small parts are all that can be asked.
        None => {
            for start in (0..batch.num_rows()).step_by(AGAIN) {
                let rows = start..batch.num_rows().min(start + AGAIN);
                all.extend(without(batch, rows, places, &mut refused, usize::MAX, |rows| make(rows, By::Order))?);
            }
        }
    }
    refused.iter().for_each(|(row, error)| rejected.add(error, &shown(batch, *row)));
    Ok(all)
}

/// What is made of some rows without those that are refused; these are added to those that were before. `None` if nothing is left, or
/// if more are refused than may be.
fn without<T>(
    batch: &RecordBatch,
    rows: Range<usize>,
    places: &Places<'_>,
    refused: &mut BTreeMap<usize, IngestError>,
    most: usize,
    mut make: impl FnMut(&RecordBatch) -> Result<T>,
) -> Result<Option<(T, Vec<usize>)>> {
    let some = batch.slice(rows.start, rows.len());
    let mut left: Vec<usize> = rows.clone().filter(|row| !refused.contains_key(row)).collect();
    let mut found = 0;
    while !left.is_empty() && found <= most {
        let stay = BooleanArray::from_iter(rows.clone().map(|row| Some(!refused.contains_key(&row))));
        let kept = filter_record_batch(&some, &stay).map_err(|e| {
            IngestError::new(ErrorKind::Internal, format!("a row could not be left out: {e}")).caused_by(e)
        })?;
        let error = match make(&kept) {
            Ok(made) => return Ok(Some((made, left))),
            Err(error) => error,
        };
        let row = error.row_number().and_then(|row| usize::try_from(row).ok()?.checked_sub(1));
        let Some(row) = row.filter(|row| Rejected::takes(&error) && *row < left.len()) else {
            return Err(places.place(error, rows.start));
        };
        let at = left.remove(row);
        refused.insert(at, places.place(error.in_row(at as u64 + 1), 0));
        found += 1;
    }
    Ok(None)
}

/// A row as JSON, more or less.
pub(crate) fn shown(batch: &RecordBatch, row: usize) -> String {
    let fields = batch.schema_ref().fields().iter().zip(batch.columns()).filter(|(_, column)| column.is_valid(row));
    let fields = fields.map(|(field, column)| {
        let value = array_value_to_string(column, row).unwrap_or_default();
        format!("{:?}: {value:?}", field.name())
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}
