//! The labels of rows, made of fields of the input.

use std::collections::{BTreeMap, HashMap};

use nines_store::{labels_of, labels_text};

use super::texts::Texts;
use crate::Result;
use crate::fields::{Cell, json};

/// Most labels of a row.
const MOST: usize = 32;

const LABELS: &str = "an object of texts such as {\"region\": \"eu\"}";

/// The names of labels, the values of one row, and which labels rows had before.
#[derive(Debug, Default)]
pub(super) struct Labels {
    names: Vec<String>,
    /// The numbers of the row's values.
    values: Vec<u32>,
    /// Values that were met, with the number of their text.
    known: HashMap<Box<[u32]>, u32>,
    last: Option<(Box<[u32]>, u32)>,
}

impl Labels {
    pub fn of(names: Vec<String>) -> Self {
        Self { values: vec![0; names.len()], names, ..Self::default() }
    }

    /// Forgets the numbers of texts.
    pub fn forget(&mut self) {
        self.known.clear();
        self.last = None;
    }

    pub fn begin(&mut self) {
        self.values.fill(0);
    }

    pub fn set(&mut self, label: usize, value: u32) {
        self.values[label] = value;
    }

    /// The number of the text that is these labels, beside those that the row is given whole.
    pub fn number(&mut self, given: u32, texts: &mut Texts) -> u32 {
        if self.names.is_empty() {
            return given;
        }
        if given != 0 {
            return self.text(given, texts);
        }
        if let Some((values, number)) = &self.last
            && **values == *self.values
        {
            return *number;
        }
        let number = match self.known.get(self.values.as_slice()) {
            Some(number) => *number,
            None => {
                let number = self.text(0, texts);
                self.known.insert(self.values.as_slice().into(), number);
                number
            }
        };
        self.last = Some((self.values.as_slice().into(), number));
        number
    }

    fn text(&self, given: u32, texts: &mut Texts) -> u32 {
        let given = labels_of(texts.of(given));
        let own = self.names.iter().map(String::as_str).zip(self.values.iter().map(|value| texts.of(*value)));
        let given = given.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all = given.chain(own.filter(|(_, value)| !value.is_empty()));
        let text = labels_text(all).unwrap_or_default();
        texts.number(&text)
    }
}

/// Labels that are given as a whole, as they are stored; empty where there are none.
pub(crate) fn whole(name: &str, cell: Cell<'_>) -> Result<String> {
    if cell.is_missing() {
        return Ok(String::new());
    }
    json(name, cell, LABELS, |value| {
        let object: BTreeMap<String, serde_json::Value> =
            serde_json::from_value(value).map_err(|error| error.to_string())?;
        if object.len() > MOST {
            return Err(format!("there are {} labels, and {MOST} at most are kept", object.len()));
        }
        let text = |(label, value): (String, serde_json::Value)| match value {
            serde_json::Value::String(text) => Ok((label, text)),
            serde_json::Value::Null => Ok((label, String::new())),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) => Ok((label, value.to_string())),
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => Err(format!("{label} is no text")),
        };
        let labels = object.into_iter().map(text).collect::<Result<Vec<_>, String>>()?;
        Ok(labels_text(labels.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap_or_default())
    })
}
