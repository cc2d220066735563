//! Cells as they are written, and the arrays of their columns' types.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, NullArray,
    StringBuilder, StructArray, TimestampMicrosecondArray, TimestampNanosecondArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{Field, TimeUnit};
use datafusion::arrow::error::ArrowError;

use super::members::{elements, members, unquoted};
use super::shape::{Shape, struct_fields};
use super::times;

/// How the cells of a batch are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// As text, as in CSV.
    Plain,
    /// As JSON values.
    Json,
}

/// A cell that is not of its column's type, by its row.
#[derive(Debug)]
pub(super) struct Misfit {
    pub row: usize,
    pub problem: String,
}

impl Shape {
    /// The cells as an array.
    pub fn array(&self, zone: &Arc<str>, written: Written, cells: &[Option<&str>]) -> Result<ArrayRef, Misfit> {
        Ok(match self {
            Shape::Nothing => match cells.iter().position(|cell| cell.is_some_and(|cell| cell != "null")) {
                Some(row) => return Err(misfit(row, cells)),
                None => Arc::new(NullArray::new(cells.len())),
            },
            Shape::Boolean => Arc::new(parsed::<_, BooleanArray>(cells, written, |text| match text.len() {
                4 if text.eq_ignore_ascii_case("true") => Some(true),
                5 if text.eq_ignore_ascii_case("false") => Some(false),
                _ => None,
            })?),
            Shape::Integer => Arc::new(parsed::<_, Int64Array>(cells, written, |text| text.parse().ok())?),
            Shape::Double => Arc::new(parsed::<_, Float64Array>(cells, written, |text| text.parse().ok())?),
            Shape::Decimal { precision, scale } => {
                let decimals = parsed::<_, Decimal128Array>(cells, written, |text| decimal(text, *scale))?;
                let decimals = decimals.with_precision_and_scale(*precision, *scale);
                Arc::new(decimals.map_err(|error| impossible(&error))?)
            }
            Shape::Date => Arc::new(parsed::<_, Date32Array>(cells, written, times::days)?),
            Shape::Clock(unit) => times_array(cells, written, *unit, None)?,
            Shape::Instant(unit) => times_array(cells, written, *unit, Some(zone.clone()))?,
            Shape::Text => {
                let mut texts =
                    StringBuilder::with_capacity(cells.len(), cells.iter().flatten().map(|c| c.len()).sum());
                for (row, cell) in cells.iter().enumerate() {
                    match cell.map(|cell| plain(cell, written)).transpose() {
                        Ok(text) => texts.append_option(text.flatten()),
                        Err(problem) => return Err(Misfit { row, problem }),
                    }
                }
                Arc::new(texts.finish())
            }
            Shape::Struct(fields) => structs(fields, zone, cells)?,
            Shape::List(item) => lists(item, zone, cells)?,
        })
    }
}

/// The text that a cell means; `None` for JSON's null.
fn plain(cell: &str, written: Written) -> Result<Option<Cow<'_, str>>, String> {
    match written {
        Written::Plain => Ok(Some(Cow::Borrowed(cell))),
        Written::Json if cell == "null" => Ok(None),
        Written::Json if cell.starts_with('"') => unquoted(cell).map(Some),
        Written::Json => Ok(Some(Cow::Borrowed(cell))),
    }
}

/// The cells that a function reads, blanks around them aside; a cell that it cannot read is a misfit.
fn parsed<T, A: FromIterator<Option<T>>>(
    cells: &[Option<&str>],
    written: Written,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<A, Misfit> {
    let mut bad = None;
    let values = cells.iter().enumerate().map(|(row, cell)| {
        let cell = cell.filter(|cell| written == Written::Plain || *cell != "null")?;
        let value = parse(cell.trim_ascii());
        if value.is_none() {
            bad.get_or_insert(row);
        }
        value
    });
    let array = values.collect();
    bad.map_or(Ok(array), |row| Err(misfit(row, cells)))
}

fn times_array(
    cells: &[Option<&str>],
    written: Written,
    unit: TimeUnit,
    zone: Option<Arc<str>>,
) -> Result<ArrayRef, Misfit> {
    let read = |text: &str| times::since_1970(text, unit, zone.is_some());
    Ok(match unit {
        TimeUnit::Nanosecond => {
            Arc::new(parsed::<_, TimestampNanosecondArray>(cells, written, read)?.with_timezone_opt(zone.clone()))
        }
        _ => Arc::new(parsed::<_, TimestampMicrosecondArray>(cells, written, read)?.with_timezone_opt(zone.clone())),
    })
}

/// A decimal of this scale, in units of its last digit.
fn decimal(text: &str, scale: i8) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let missing = usize::try_from(scale).ok()?.checked_sub(fraction.len())?;
    format!("{whole}{fraction}{}", "0".repeat(missing)).parse().ok()
}

fn structs(fields: &[(String, Shape)], zone: &Arc<str>, cells: &[Option<&str>]) -> Result<ArrayRef, Misfit> {
    let mut children: Vec<Vec<Option<&str>>> = vec![vec![None; cells.len()]; fields.len()];
    let mut valid = Vec::with_capacity(cells.len());
    for (row, cell) in cells.iter().enumerate() {
        let cell = cell.filter(|cell| *cell != "null");
        valid.push(cell.is_some());
        let Some(cell) = cell else { continue };
        let mut unknown = false;
        let read = members(cell, |name, value| {
            let at = fields.iter().position(|(known, _)| *known == name);
            match at {
                Some(at) => children[at][row] = Some(value),
                None => unknown = true,
            }
            true
        });
        if !read || unknown {
            return Err(misfit(row, cells));
        }
    }
    let arrays = fields.iter().zip(&children).map(|((_, shape), cells)| shape.array(zone, Written::Json, cells));
    let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
    let nulls = Some(NullBuffer::from(valid));
    let made = if fields.is_empty() {
        Ok(StructArray::new_empty_fields(cells.len(), nulls))
    } else {
        StructArray::try_new(struct_fields(fields, zone), arrays, nulls)
    };
    Ok(Arc::new(made.map_err(|error| impossible(&error))?))
}

fn lists(item: &Shape, zone: &Arc<str>, cells: &[Option<&str>]) -> Result<ArrayRef, Misfit> {
    let (mut items, mut lengths, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for (row, cell) in cells.iter().enumerate() {
        let cell = cell.filter(|cell| *cell != "null");
        valid.push(cell.is_some());
        let before = items.len();
        if let Some(cell) = cell
            && !elements(cell, |value| items.push(Some(value)))
        {
            return Err(misfit(row, cells));
        }
        lengths.push(items.len() - before);
    }
    // An item belongs to the row in whose list it stands.
    let of_row = |item: usize| {
        let mut end = 0;
        lengths.iter().position(|length| {
            end += length;
            item < end
        })
    };
    let values = item.array(zone, Written::Json, &items);
    let values = values.map_err(|bad| Misfit { row: of_row(bad.row).unwrap_or_default(), ..bad })?;
    let field = Arc::new(Field::new_list_field(item.data_type(zone), true));
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    let list = ListArray::try_new(field, offsets, values, Some(NullBuffer::from(valid)));
    Ok(Arc::new(list.map_err(|error| impossible(&error))?))
}

fn misfit(row: usize, cells: &[Option<&str>]) -> Misfit {
    Misfit { row, problem: cells.get(row).copied().flatten().unwrap_or_default().to_string() }
}

/// The error for what Arrow refuses although it should not.
fn impossible(error: &ArrowError) -> Misfit {
    Misfit { row: 0, problem: error.to_string() }
}
