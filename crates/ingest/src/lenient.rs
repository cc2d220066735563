//! Columns that exist already, fitted to a table without the rows that are refused.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::util::display::array_value_to_string;

use crate::{ErrorKind, IngestError, Options, Rejected, Result, conform};

/// Rows that are fitted again together where one of them was refused.
const AGAIN: usize = 256;

/// As [`conform`], without the rows that are refused where `options.rejected` takes them: the batches that are left. Rows are counted from
/// those before, of an input of this name.
pub fn conform_rest(batch: &RecordBatch, options: &Options, name: &str, before: u64) -> Result<Vec<RecordBatch>> {
    let Some(rejected) = &options.rejected else {
        return Ok(vec![conform(batch, options).map_err(|error| error.in_file(name).after_rows(before))?]);
    };
    let order = options.order.kept();
    match conform(batch, options) {
        Ok(fitted) => return Ok(vec![fitted]),
        Err(error) if !Rejected::takes(&error) => return Err(error.in_file(name).after_rows(before)),
        Err(_) => options.order.restore(order),
    }
    let mut fitted = Vec::new();
    for start in (0..batch.num_rows()).step_by(AGAIN) {
        let some = batch.slice(start, AGAIN.min(batch.num_rows() - start));
        // The rows of the slice that are left, and why others are not.
        let mut left: Vec<usize> = (0..some.num_rows()).collect();
        let mut refused = BTreeMap::new();
        while !left.is_empty() {
            let order = options.order.kept();
            let stay = BooleanArray::from_iter((0..some.num_rows()).map(|row| Some(!refused.contains_key(&row))));
            let rows = filter_record_batch(&some, &stay).map_err(|e| {
                IngestError::new(ErrorKind::Internal, format!("a row could not be left out: {e}")).caused_by(e)
            })?;
            let error = match conform(&rows, options) {
                Ok(rows) => {
                    fitted.push(rows);
                    break;
                }
                Err(error) => error.in_file(name),
            };
            let row = error.row_number().and_then(|row| usize::try_from(row).ok()?.checked_sub(1));
            let Some(row) = row.filter(|row| Rejected::takes(&error) && *row < left.len()) else {
                return Err(error.after_rows(before + start as u64));
            };
            options.order.restore(order);
            let at = left.remove(row);
            refused.insert(at, error.in_row(before + (start + at) as u64 + 1));
        }
        refused.iter().for_each(|(row, error)| rejected.add(error, &shown(&some, *row)));
    }
    Ok(fitted)
}

/// A row as JSON, more or less.
fn shown(batch: &RecordBatch, row: usize) -> String {
    let fields = batch.schema_ref().fields().iter().zip(batch.columns()).filter(|(_, column)| column.is_valid(row));
    let fields = fields.map(|(field, column)| {
        let value = array_value_to_string(column, row).unwrap_or_default();
        format!("{:?}: {value:?}", field.name())
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
}
