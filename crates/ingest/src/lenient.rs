//! Columns that exist already, fitted to a table without the rows that are refused.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::util::display::array_value_to_string;

use crate::{ErrorKind, IngestError, Options, Rejected, Result, conform};

/// Rows that are fitted again together where one of them was refused.
const AGAIN: usize = 256;

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
    let fitted = rest(batch, rejected, &places, |rows| {
        let order = options.order.kept();
        conform(rows, options).inspect_err(|_| options.order.restore(order))
    })?;
    Ok(fitted.into_iter().map(|(fitted, _)| fitted).collect())
}

/// What is made of the rows of a batch without those that are refused, each part with the numbers of its rows within the batch. What
/// fails to make something leaves nothing behind.
pub(crate) fn rest<T>(
    batch: &RecordBatch,
    rejected: &Rejected,
    places: &Places<'_>,
    mut make: impl FnMut(&RecordBatch) -> Result<T>,
) -> Result<Vec<(T, Vec<usize>)>> {
    match make(batch) {
        Ok(made) => return Ok(vec![(made, (0..batch.num_rows()).collect())]),
        Err(error) if !Rejected::takes(&error) => return Err(places.place(error, 0)),
        Err(_) => {}
    }
    let mut all = Vec::new();
    for start in (0..batch.num_rows()).step_by(AGAIN) {
        let some = batch.slice(start, AGAIN.min(batch.num_rows() - start));
        // The rows of the slice that are left, and why others are not.
        let mut left: Vec<usize> = (0..some.num_rows()).collect();
        let mut refused = BTreeMap::new();
        while !left.is_empty() {
            let stay = BooleanArray::from_iter((0..some.num_rows()).map(|row| Some(!refused.contains_key(&row))));
            let rows = filter_record_batch(&some, &stay).map_err(|e| {
                IngestError::new(ErrorKind::Internal, format!("a row could not be left out: {e}")).caused_by(e)
            })?;
            let error = match make(&rows) {
                Ok(made) => {
                    all.push((made, left.iter().map(|row| start + row).collect()));
                    break;
                }
                Err(error) => error,
            };
            let row = error.row_number().and_then(|row| usize::try_from(row).ok()?.checked_sub(1));
            let Some(row) = row.filter(|row| Rejected::takes(&error) && *row < left.len()) else {
                return Err(places.place(error, start));
            };
            let at = left.remove(row);
            refused.insert(at, places.place(error.in_row(at as u64 + 1), start));
        }
        refused.iter().for_each(|(row, error)| rejected.add(error, &shown(&some, *row)));
    }
    Ok(all)
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
