//! Columns of plain data that is sent as Arrow rows.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, PrimitiveArray, RecordBatch, StringArray, StructArray,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Fields, Int64Type};
use datafusion::common::internal_datafusion_err;
use datafusion::error::{DataFusionError, Result};

pub(crate) fn fields(of: &[(&str, DataType)]) -> Fields {
    of.iter().map(|(name, kind)| Field::new(*name, kind.clone(), false)).collect()
}

fn item(of: &Fields) -> Field {
    Field::new_list_field(DataType::Struct(of.clone()), false)
}

pub(crate) fn list_of(of: &Fields) -> DataType {
    DataType::List(Arc::new(item(of)))
}

pub(crate) fn int64s(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

pub(crate) fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

pub(crate) fn truths(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<BooleanArray>())
}

/// A list for each of `all` rows, of these lengths and empty behind them.
pub(crate) fn lists(
    of: &Fields,
    all: usize,
    lengths: impl ExactSizeIterator<Item = usize>,
    values: Vec<ArrayRef>,
) -> Result<ArrayRef> {
    let behind = all - lengths.len();
    let offsets = OffsetBuffer::from_lengths(lengths.chain(std::iter::repeat_n(0, behind)));
    let values = StructArray::try_new(of.clone(), values, None)?;
    Ok(Arc::new(ListArray::try_new(Arc::new(item(of)), offsets, Arc::new(values), None)?))
}

pub(crate) fn strange(name: &str) -> DataFusionError {
    internal_datafusion_err!("rows that are sent have no column {name} of the type that is read")
}

pub(crate) fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    rows.column_by_name(name).ok_or_else(|| strange(name))
}

pub(crate) fn numbers<'a, T: ArrowPrimitiveType>(rows: &'a RecordBatch, name: &str) -> Result<&'a PrimitiveArray<T>> {
    column(rows, name)?.as_primitive_opt::<T>().ok_or_else(|| strange(name))
}

/// A column of lists.
pub(crate) struct Lists<'a> {
    lists: &'a ListArray,
    values: &'a StructArray,
}

impl<'a> Lists<'a> {
    pub fn of(rows: &'a RecordBatch, name: &str) -> Result<Self> {
        let lists = column(rows, name)?.as_list_opt::<i32>().ok_or_else(|| strange(name))?;
        let values = lists.values().as_struct_opt().ok_or_else(|| strange(name))?;
        Ok(Lists { lists, values })
    }

    pub fn of_row(&self, row: usize) -> std::ops::Range<usize> {
        let offsets = self.lists.value_offsets();
        offsets[row] as usize..offsets[row + 1] as usize
    }

    fn inner(&self, name: &str) -> Result<&'a ArrayRef> {
        self.values.column_by_name(name).ok_or_else(|| strange(name))
    }

    pub fn int64s(&self, name: &str) -> Result<&'a [i64]> {
        Ok(self.numbers::<Int64Type>(name)?.values())
    }

    pub fn numbers<T: ArrowPrimitiveType>(&self, name: &str) -> Result<&'a PrimitiveArray<T>> {
        self.inner(name)?.as_primitive_opt::<T>().ok_or_else(|| strange(name))
    }

    pub fn truths(&self, name: &str) -> Result<&'a BooleanArray> {
        self.inner(name)?.as_boolean_opt().ok_or_else(|| strange(name))
    }

    pub fn texts(&self, name: &str) -> Result<&'a StringArray> {
        self.inner(name)?.as_string_opt::<i32>().ok_or_else(|| strange(name))
    }
}
