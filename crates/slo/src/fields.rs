//! Reading a mapping: its known fields by name, everything else told.
//!
//! A null counts as absent, as in the OpenSLO examples (`alertPolicies:`).

use std::fmt::Display;
use std::str::FromStr;

use nines_timeline::{Share, ShareError};

use crate::mistake::Notes;
use crate::place::Place;
use crate::yaml::{Node, Value};

/// The fields of a mapping.
pub(crate) struct Fields<'n> {
    /// Where it starts.
    pub place: Place,
    what: &'static str,
    entries: Vec<(&'n str, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// The fields of a node, which must be a mapping of none but the known ones.
    pub fn read(node: &'n Node, what: &'static str, known: &[&str], notes: &mut Notes<'_>) -> Option<Self> {
        let fields = Self::open(node, what, notes)?;
        let Value::Map(entries) = &node.value else { return None };
        for (key, _) in entries {
            match key.text() {
                Some(name) if known.contains(&name) => {}
                Some(name) => notes.unknown(key.place, format!("unknown field '{name}' in {what}"), name, known),
                None => notes.error(key.place, format!("expected the name of a field in {what}, got {}", key.what())),
            }
        }
        Some(fields)
    }

    /// The fields of a node, which must be a mapping of anything.
    pub fn open(node: &'n Node, what: &'static str, notes: &mut Notes<'_>) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            notes.error(node.place, format!("expected a mapping for {what}, got {}", node.what()));
            return None;
        };
        let entries = entries.iter().filter_map(|(key, value)| Some((key.text()?, value))).collect();
        Some(Fields { place: node.place, what, entries })
    }

    /// No fields, in the same place.
    pub fn nothing(&self, what: &'static str) -> Self {
        Fields { place: self.place, what, entries: Vec::new() }
    }

    /// All fields that have a name.
    pub fn entries(&self) -> &[(&'n str, &'n Node)] {
        &self.entries
    }

    /// A field that is there and not null.
    pub fn get(&self, name: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(known, node)| *known == name && !node.is_null()).map(|(_, node)| *node)
    }

    /// A field that must be there.
    pub fn need(&self, name: &str, notes: &mut Notes<'_>) -> Option<&'n Node> {
        let node = self.get(name);
        if node.is_none() {
            notes.error(self.place, format!("missing field '{name}' in {}", self.what));
        }
        node
    }

    /// A field of text.
    pub fn text(&self, name: &str, notes: &mut Notes<'_>) -> Option<&'n str> {
        text(self.get(name)?, name, notes)
    }

    /// A field of text that must be there and say something.
    pub fn need_text(&self, name: &str, notes: &mut Notes<'_>) -> Option<&'n str> {
        let node = self.need(name, notes)?;
        let text = text(node, name, notes)?;
        if text.trim().is_empty() {
            notes.error(node.place, format!("'{name}' is empty"));
            return None;
        }
        Some(text)
    }

    /// A field that is one of some words.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)], notes: &mut Notes<'_>) -> Option<T> {
        word(self.get(name)?, name, words, notes)
    }

    /// A field that is true or false.
    pub fn flag(&self, name: &str, notes: &mut Notes<'_>) -> Option<bool> {
        self.word(name, &[("true", true), ("false", false)], notes)
    }

    /// A field that is a list.
    pub fn list(&self, name: &str, notes: &mut Notes<'_>) -> Option<&'n [Node]> {
        let node = self.get(name)?;
        match &node.value {
            Value::List(items) => Some(items),
            _ => {
                notes.error(node.place, format!("expected a list for '{name}', got {}", node.what()));
                None
            }
        }
    }

    /// A field read by `read`, whose error is the reason of a mistake.
    pub fn parse<T, E: Display>(
        &self,
        name: &str,
        notes: &mut Notes<'_>,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let node = self.get(name)?;
        match read(text(node, name, notes)?) {
            Ok(value) => Some(value),
            Err(error) => {
                notes.error(node.place, format!("'{name}': {error}"));
                None
            }
        }
    }

    /// A field that is a share of one.
    pub fn share(&self, name: &'static str, notes: &mut Notes<'_>) -> Option<Share> {
        share(self.get(name)?, name, notes)
    }
}

/// The text of a scalar; `name` is the field it stands in.
pub(crate) fn text<'n>(node: &'n Node, name: &str, notes: &mut Notes<'_>) -> Option<&'n str> {
    let text = node.text();
    if text.is_none() {
        notes.error(node.place, format!("expected text for '{name}', got {}", node.what()));
    }
    text
}

/// One of some words.
pub(crate) fn word<T: Copy>(node: &Node, name: &str, words: &[(&str, T)], notes: &mut Notes<'_>) -> Option<T> {
    let text = text(node, name, notes)?;
    let found = words.iter().find(|(word, _)| *word == text);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        notes.unknown(node.place, format!("'{name}' cannot be '{text}'"), text, &known);
    }
    found.map(|(_, value)| *value)
}

/// A share of one, exactly as written: it never passes through a float.
pub(crate) fn share(node: &Node, name: &str, notes: &mut Notes<'_>) -> Option<Share> {
    let text = text(node, name, notes)?;
    let hint = match name {
        "target" => "write 99.9 % as 0.999, or as targetPercent: 99.9",
        _ => "write 99.9 % as 0.999 or 99.9%",
    };
    match Share::from_str(text) {
        Ok(share) => return Some(share),
        Err(ShareError::OutOfRange(_)) => {
            notes.error_hint(node.place, format!("'{name}' must be between 0 and 1, got {text}"), hint);
        }
        Err(error) => notes.error(node.place, format!("'{name}': {error}")),
    }
    None
}
