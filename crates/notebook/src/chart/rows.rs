//! The rows of a result as charts read them: columns found by what they hold, and their values.

use chrono_tz::Tz;
use nines_engine::datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use nines_engine::datafusion::arrow::compute::cast;
use nines_engine::datafusion::arrow::datatypes::{DataType, Schema};

use crate::columns::{Kind, Runs, instants, kind, numbers, timelines};
use crate::format::{self, NULL};
use crate::mistake;
use crate::unit::Unit;

/// The rows of a result.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub schema: &'a Schema,
    pub batches: &'a [RecordBatch],
    pub zone: Tz,
}

impl Rows<'_> {
    pub fn name(&self, column: usize) -> &str {
        self.schema.field(column).name()
    }

    pub fn kind(&self, column: usize) -> Kind {
        kind(self.schema.field(column).data_type())
    }

    /// The first column of a kind that is not taken.
    pub fn first(&self, wanted: &[Kind], taken: &[usize]) -> Option<usize> {
        (0..self.schema.fields().len()).find(|at| !taken.contains(at) && wanted.contains(&self.kind(*at)))
    }

    /// `the columns are a, b and c`.
    pub fn told(&self) -> String {
        let names: Vec<&str> = self.schema.fields().iter().map(|field| field.name().as_str()).collect();
        match names.as_slice() {
            [] => "there are no columns".to_string(),
            [one] => format!("the only column is {one}"),
            [rest @ .., last] => format!("the columns are {} and {last}", rest.join(", ")),
        }
    }

    /// The column that an option names, which must be of one of these kinds.
    pub fn find(&self, option: &str, name: &str, wanted: &[Kind]) -> Result<usize, String> {
        let found = self.schema.fields().iter().position(|field| field.name() == name);
        let at = found.ok_or_else(|| format!("there is no column {option}={name}; {}", self.told()))?;
        if !wanted.is_empty() && !wanted.contains(&self.kind(at)) {
            let names: Vec<&str> = wanted.iter().map(|kind| kind.name()).collect();
            let (is, expected) = (self.kind(at).name(), mistake::list(&names));
            return Err(format!("column {option}={name} is {is}, expected {expected}; {}", self.told()));
        }
        Ok(at)
    }

    fn each<T>(&self, column: usize, read: impl Fn(&ArrayRef) -> Vec<T>) -> Vec<T> {
        self.batches.iter().flat_map(|batch| read(batch.column(column))).collect()
    }

    /// Numbers that can be drawn; others, such as infinity, are no data.
    pub fn numbers(&self, column: usize) -> Vec<Option<f64>> {
        let least = |value: f64| if value.abs() < 1e-150 { 0.0 } else { value };
        let drawn = |value: Option<f64>| value.filter(|value| value.abs() < 1e150).map(least);
        self.each(column, |array| numbers(array).into_iter().map(drawn).collect())
    }

    pub fn instants(&self, column: usize) -> Vec<Option<i64>> {
        self.each(column, |array| instants(array, self.zone))
    }

    pub fn timelines(&self, column: usize) -> Vec<Option<Runs>> {
        self.each(column, |array| timelines(array, self.zone))
    }

    /// Any column as text for a person; NULL is a dash.
    pub fn labels(&self, column: usize) -> Vec<String> {
        let label = |array: &ArrayRef, row| format::value(array, row, &Unit::None, self.zone);
        self.each(column, |array| {
            if self.kind(column) == Kind::Text
                && let Ok(texts) = cast(array, &DataType::Utf8)
            {
                return texts.as_string::<i32>().iter().map(|text| format::printable(text.unwrap_or(NULL))).collect();
            }
            (0..array.len()).map(|row| label(array, row).unwrap_or_else(|| NULL.to_string())).collect()
        })
    }
}
