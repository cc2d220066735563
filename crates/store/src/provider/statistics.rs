//! What DataFusion is told about files: exact row counts and bounds, or nothing.

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Result, ScalarValue, Statistics};

use crate::log::DataFile;

pub(super) fn of_file(file: &DataFile, schema: &Schema) -> Statistics {
    let columns = schema.fields().iter().map(|field| match file.bounds(field.name()) {
        Some((min, max)) => ColumnStatistics {
            null_count: Precision::Exact(0),
            min_value: Precision::Exact(told_as(field.data_type(), min)),
            max_value: Precision::Exact(told_as(field.data_type(), max)),
            ..ColumnStatistics::new_unknown()
        },
        None => ColumnStatistics { null_count: null_count(file, field), ..ColumnStatistics::new_unknown() },
    });
    Statistics {
        num_rows: match file.rows() {
            Some(rows) => Precision::Exact(rows as usize),
            None => Precision::Absent,
        },
        total_byte_size: Precision::Absent,
        column_statistics: columns.collect(),
    }
}

fn null_count(file: &DataFile, field: &Field) -> Precision<usize> {
    let nulls = match file.null_count(field.name()) {
        Some(nulls) => usize::try_from(nulls).ok(),
        None if field.is_nullable() => None,
        None => Some(0),
    };
    nulls.map_or(Precision::Absent, Precision::Exact)
}

/// Statistics of several files together: exact where those of every file are.
pub(super) fn of_all(files: &[&DataFile], schema: &Schema) -> Result<Statistics> {
    let each: Vec<Statistics> = files.iter().map(|file| of_file(file, schema)).collect();
    Statistics::try_merge_iter(&each, schema)
}

/// A bound as a value of the column's declared type: instants are told in its time zone.
pub(super) fn told_as(data_type: &DataType, bound: &ScalarValue) -> ScalarValue {
    match (data_type, bound) {
        (DataType::Timestamp(_, zone), ScalarValue::TimestampMicrosecond(time, _)) => {
            ScalarValue::TimestampMicrosecond(*time, zone.clone())
        }
        _ => bound.clone(),
    }
}
