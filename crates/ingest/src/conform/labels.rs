//! Labels of rows that are columns already: as a whole, and from columns that fill some of them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, new_null_array};
use datafusion::arrow::datatypes::DataType;
use nines_store::{labels_of, labels_text};

use super::cast::{impossible, texts};
use crate::fields::Cell;
use crate::found::{Found, MOST_VALUES, of_label};
use crate::rows::whole_labels;
use crate::{OTHER, Result};

/// What labels are expected to be.
const LABELS: &str = "an object of texts, as JSON, a struct or a map";

/// The labels of each row: those that are given as a whole, and those that columns fill; and by label, in how many rows its value is
/// not kept.
pub(super) fn labels(
    given: Option<&ArrayRef>,
    filled: &[(&str, ArrayRef)],
    rows: usize,
    found: &Found,
) -> Result<(ArrayRef, Vec<(String, u64)>)> {
    let given = given.map(whole).transpose()?;
    if filled.is_empty() {
        return Ok((given.unwrap_or_else(|| new_null_array(&DataType::Utf8View, rows)), Vec::new()));
    }
    let filled: Vec<(&str, ArrayRef)> =
        filled.iter().map(|(label, array)| Ok((*label, texts(label, array)?))).collect::<Result<_>>()?;
    let mut others: Vec<(String, u64)> = filled.iter().map(|(label, _)| (of_label(label), 0)).collect();
    let mut kept: HashMap<(usize, &str), bool> = HashMap::new();
    let mut text = |row: usize| {
        let whole = given.as_ref().map(|given| given.as_string_view()).filter(|given| given.is_valid(row));
        let whole = whole.map(|whole| labels_of(whole.value(row))).unwrap_or_default();
        let mut own = Vec::with_capacity(filled.len());
        for (at, (label, array)) in filled.iter().enumerate() {
            let array = array.as_string_view();
            let value = if array.is_valid(row) { array.value(row) } else { "" };
            if value.is_empty() {
                continue;
            }
            let (key, rows) = &mut others[at];
            let is_kept = *kept.entry((at, value)).or_insert_with(|| found.keeps(key, value, MOST_VALUES));
            *rows += u64::from(!is_kept);
            own.push((*label, if is_kept { value } else { OTHER }));
        }
        labels_text(whole.iter().map(|(label, value)| (label.as_str(), value.as_str())).chain(own))
    };
    let labels: ArrayRef = Arc::new((0..rows).map(&mut text).collect::<StringViewArray>());
    Ok((labels, others))
}

/// Labels that are given as a whole, as they are stored.
pub(super) fn whole(array: &ArrayRef) -> Result<ArrayRef> {
    const NAME: &str = "labels";
    match array.data_type() {
        DataType::Struct(fields) => {
            let values =
                array.as_struct().columns().iter().map(|column| texts(NAME, column)).collect::<Result<Vec<_>>>()?;
            let text = |row: usize| {
                let value = |values: &ArrayRef| {
                    let values = values.as_string_view();
                    if values.is_valid(row) { values.value(row).to_string() } else { String::new() }
                };
                let values: Vec<String> = values.iter().map(value).collect();
                let labels = fields.iter().map(|field| field.name().as_str()).zip(values.iter().map(String::as_str));
                labels_text(labels).filter(|_| array.is_valid(row))
            };
            Ok(Arc::new((0..array.len()).map(text).collect::<StringViewArray>()))
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let (names, values) = (texts(NAME, map.keys())?, texts(NAME, map.values())?);
            let (names, values) = (names.as_string_view(), values.as_string_view());
            let text = |row: usize| {
                let entries = map.value_offsets()[row] as usize..map.value_offsets()[row + 1] as usize;
                let label = |at: usize| (names.value(at), if values.is_valid(at) { values.value(at) } else { "" });
                labels_text(entries.map(label)).filter(|_| map.is_valid(row))
            };
            Ok(Arc::new((0..map.len()).map(text).collect::<StringViewArray>()))
        }
        DataType::Null => Ok(new_null_array(&DataType::Utf8View, array.len())),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => {
            let given = texts(NAME, array)?;
            let given = given.as_string_view();
            let mut known: HashMap<&str, String> = HashMap::new();
            let mut read = Vec::with_capacity(given.len());
            for row in 0..given.len() {
                let text = if given.is_valid(row) { given.value(row) } else { "" };
                if !known.contains_key(text) {
                    let labels = whole_labels(NAME, Cell::Text(Cow::Borrowed(text)));
                    known.insert(text, labels.map_err(|error| error.in_row(row as u64 + 1))?);
                }
                read.push(known.get(text).filter(|labels| !labels.is_empty()).cloned());
            }
            Ok(Arc::new(StringViewArray::from_iter(read)))
        }
        _ => Err(impossible(NAME, array, LABELS)),
    }
}
