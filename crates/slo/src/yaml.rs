//! YAML as a tree of nodes that know where they stand and keep scalars as they are written.
//!
//! A target must never pass through a float, every key that stands twice must be told, and an alias must not
//! become a bomb; so the tree is built here, on the parser's events. Recursion over a tree is safe: nothing is
//! nested deeper than [`DEEPEST`].

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use crate::mistake::Complaint;
use crate::place::Place;

/// A node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Where it starts.
    pub place: Place,
    /// Just after its last character.
    pub end: Place,
    pub value: Value,
    depth: usize,
}

/// What a node holds. Two are equal if they mean the same, wherever they stand.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Text as written, quotes and escapes resolved; `plain` if there were none.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Node {
    /// Nothing, `~` or `null`.
    pub fn is_null(&self) -> bool {
        match &self.value {
            Value::Scalar { text, plain: true } => matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"),
            _ => false,
        }
    }

    /// The text of a scalar that is not null.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    /// Whether it is a mapping with this field, not null.
    pub fn has(&self, name: &str) -> bool {
        let Value::Map(entries) = &self.value else { return false };
        entries.iter().any(|(key, value)| key.text() == Some(name) && !value.is_null())
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
pub(crate) const DEEPEST: usize = 64;

/// How many nodes aliases may stand for in one file.
const ALIASED: usize = 100_000;

/// The documents of a text, as far as it can be read, and what keeps it from being read further or is there twice.
pub(crate) fn parse(text: &str) -> (Vec<Node>, Vec<Complaint>) {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let outcome = match event {
            Ok((event, span)) => builder.event(event, span.start, span.end),
            Err(error) => Err(Complaint::new((*error.marker()).into(), format!("not YAML: {}", error.info()), None)),
        };
        if let Err(complaint) = outcome {
            builder.complaints.push(complaint);
            break;
        }
    }
    (builder.documents, builder.complaints)
}

/// A collection that is not closed yet.
struct Open {
    node: Node,
    anchor: usize,
    /// A key that waits for its value.
    key: Option<Node>,
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    complaints: Vec<Complaint>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, start: Marker, end: Marker) -> Result<(), Complaint> {
        let (place, end) = (Place::from(start), Place::from(end));
        let mut open = |value, anchor| {
            let node = Node { place, end, value, depth: 1 };
            self.open.push(Open { node, anchor, key: None });
            match self.open.len() > DEEPEST {
                true => Err(Complaint::new(place, "nested too deeply", None)),
                false => Ok(()),
            }
        };
        match event {
            Event::SequenceStart(anchor, _) => open(Value::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => open(Value::Map(Vec::new()), anchor),
            Event::Scalar(text, style, anchor, _) => {
                let value = Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.close(Node { place, end, value, depth: 1 }, anchor)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    return Err(Complaint::new(place, "an alias of what is not complete", None));
                };
                self.aliased += count(node);
                if self.aliased > ALIASED {
                    return Err(Complaint::new(place, "aliases stand for too much", None));
                }
                let node = Node { place, end, ..node.clone() };
                self.close(node, 0)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { mut node, anchor, .. }) => {
                    node.end = end;
                    self.close(node, anchor)
                }
                None => Ok(()),
            },
            Event::DocumentStart(_) | Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {
                Ok(())
            }
        }
    }

    /// Puts a complete node where it belongs.
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Complaint> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(Open { node: parent, key, .. }) = self.open.last_mut() else {
            self.documents.push(node);
            return Ok(());
        };
        parent.depth = parent.depth.max(node.depth + 1);
        if parent.depth > DEEPEST {
            return Err(Complaint::new(node.place, "nested too deeply", None));
        }
        match (&mut parent.value, key.take()) {
            (Value::List(items), _) => items.push(node),
            (Value::Map(_), None) => *key = Some(node),
            (Value::Map(entries), Some(key)) => match entries.iter().find(|(known, _)| *known == key) {
                Some((known, _)) => {
                    let line = known.place.line;
                    let reason = format!("the key {} stands here again, first in line {line}", key.what());
                    self.complaints.push(Complaint::new(key.place, reason, None));
                }
                None => entries.push((key, node)),
            },
            (Value::Scalar { .. }, _) => {}
        }
        Ok(())
    }
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::Scalar { .. } => 1,
        Value::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(key, value)| count(key) + count(value)).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(text: &str) -> Vec<String> {
        let told = parse(text).1;
        told.into_iter().map(|c| format!("{}:{}: {}", c.place.line, c.place.column, c.reason)).collect()
    }

    #[test]
    fn scalars_are_kept_as_written() {
        let (documents, _) = parse("[0.9990, 1e-3, '~', ~, 業務]");
        let Value::List(items) = &documents[0].value else { panic!("no list") };
        let texts: Vec<_> = items.iter().map(Node::text).collect();
        assert_eq!(texts, [Some("0.9990"), Some("1e-3"), Some("~"), None, Some("業務")]);
        assert_eq!(items[4].place, Place { line: 1, column: 24 });
    }

    #[test]
    fn every_key_that_stands_twice_is_told() {
        let told = complaints("a: 1\nb: {c: 1, c: 2}\na: 3\n");
        assert_eq!(
            told,
            [
                "2:11: the key 'c' stands here again, first in line 2",
                "3:1: the key 'a' stands here again, first in line 1"
            ]
        );
    }

    #[test]
    fn bombs_do_not_go_off() {
        assert_eq!(complaints(&"- ".repeat(1000)), ["1:129: nested too deeply"]);
        assert_eq!(complaints(&"[".repeat(100_000)).len(), 1);
        let mut bomb = "- &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
        for level in 1..20 {
            bomb += &format!("- &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
        }
        assert_eq!(complaints(&bomb).len(), 1);
        assert!(complaints("a: &a [*a]\n")[0].contains("an alias of what is not complete"));
    }
}
