//! Front matter as a tree of nodes that know where they stand and keep scalars as they are written.
//!
//! Built on the parser's events: `0.9990` stays `0.9990`, and a key that stands twice is told. Aliases are refused;
//! a page of settings has no use for them.

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::mistake::{Notes, Place};

#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub place: Place,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// `plain` if written without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Nothing, `~` or `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// The text of a scalar that is not null.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// What it is, for a message.
    pub fn what(&self) -> String {
        match &self.value {
            _ if self.is_null() => "nothing".to_string(),
            Value::Scalar { text, .. } => format!("'{}'", text.chars().take(40).collect::<String>()),
            Value::List(_) => "a list".to_string(),
            Value::Map(_) => "a mapping".to_string(),
        }
    }
}

/// How deep nodes may be nested.
const DEEPEST: usize = 16;

/// The one document of a text that begins `lines` after the file does; `None` if it is empty or not YAML.
pub(crate) fn parse(text: &str, lines: usize, notes: &mut Notes<'_>) -> Option<Node> {
    let mut open: Vec<(Node, Option<Node>)> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                let marker = error.marker();
                let place = Place { line: marker.line() + lines, column: marker.col() + 1 };
                notes.note(place, format!("the front matter is not YAML: {}", error.info()), None);
                return None;
            }
        };
        let place = Place { line: span.start.line() + lines, column: span.start.col() + 1 };
        let mut complete = match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let list = matches!(event, Event::SequenceStart(..));
                let value = if list { Value::List(Vec::new()) } else { Value::Map(Vec::new()) };
                open.push((Node { place, value }, None));
                if open.len() > DEEPEST {
                    notes.note(place, "nested too deeply", None);
                    return None;
                }
                continue;
            }
            Event::Scalar(text, style, ..) => {
                let value = Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                Node { place, value }
            }
            Event::Alias(_) => {
                notes.note(place, "aliases are not read", Some("write the value out".to_string()));
                return None;
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop()?.0,
            _ => continue,
        };
        let Some((parent, key)) = open.last_mut() else { return Some(complete) };
        match (&mut parent.value, key.take()) {
            (Value::List(items), _) => items.push(complete),
            (Value::Map(_), None) => *key = Some(complete),
            (Value::Map(entries), Some(key)) => {
                if entries.iter().any(|(known, _)| known.text() == key.text()) {
                    notes.note(key.place, format!("{} stands here again", key.what()), None);
                    complete.place = key.place;
                }
                entries.push((key, complete));
            }
            (Value::Scalar { .. }, _) => {}
        }
    }
    None
}
