//! The text of one object of a file, by itself.
//!
//! What is recorded is the author's own text, comments and all, so that a later reader sees what was written. Cut
//! from a list it is moved to the left margin. It must read as the same object, which is checked; what leans on the
//! rest of its file (an alias, a tag's short hand) cannot stand alone.

use crate::place::Place;
use crate::yaml::{self, Node, Value};

/// Cuts the text of a mapping from the lines of its file. `None` if it does not stand alone.
pub(crate) fn excerpt(lines: &[&str], node: &Node) -> Option<String> {
    let texts = match opens_flow(lines, node) {
        true => [span(lines, node.place, node.end), None],
        // Its end as the parser sees it is the start of what follows, comments on that included.
        false => [block(lines, node.place, last(lines, node)), block(lines, node.place, node.end)],
    };
    // Trailing lines mean something at the end of a `|+` block only.
    let texts = texts.into_iter().flatten().flat_map(|text| [format!("{}\n", text.trim_end()), text]);
    texts.into_iter().find(|text| reads_as(text, node))
}

fn opens_flow(lines: &[&str], node: &Node) -> bool {
    lines.get(node.place.line - 1).is_some_and(|line| from(line, node.place.column).starts_with(['{', '[']))
}

/// Where the last of its text ends.
fn last(lines: &[&str], node: &Node) -> Place {
    let inner = match &node.value {
        _ if opens_flow(lines, node) => None,
        Value::Scalar { .. } => None,
        Value::List(items) => items.last(),
        Value::Map(entries) => entries.last().map(|(key, value)| if value.is_null() { key } else { value }),
    };
    inner.map_or(node.end, |inner| last(lines, inner))
}

fn reads_as(text: &str, node: &Node) -> bool {
    let (documents, complaints) = yaml::parse(text);
    complaints.is_empty() && matches!(documents.as_slice(), [one] if one == node)
}

/// What follows the first `column - 1` characters.
fn from(line: &str, column: usize) -> &str {
    // JSON may be one long line of many objects.
    if line.is_ascii() {
        return line.get(column - 1..).unwrap_or("");
    }
    line.char_indices().nth(column - 1).map_or("", |(at, _)| &line[at..])
}

/// What stands before `column`.
fn up_to(line: &str, column: usize) -> &str {
    &line[..line.len() - from(line, column).len()]
}

/// `{…}`, character by character.
fn span(lines: &[&str], start: Place, end: Place) -> Option<String> {
    let last = up_to(lines.get(end.line - 1)?, end.column);
    if start.line == end.line {
        return Some(from(last, start.column).to_string());
    }
    let between = lines.get(start.line..end.line - 1)?;
    let first = from(lines.get(start.line - 1)?, start.column);
    let all = std::iter::once(first).chain(between.iter().copied()).chain([last]);
    Some(all.collect::<Vec<_>>().join("\n"))
}

/// Whole lines, less the indentation.
fn block(lines: &[&str], start: Place, end: Place) -> Option<String> {
    // A block ends where the next token stands: at the start of a line that is no longer part of it.
    let last = if end.column == 1 || end.line > lines.len() { end.line - 1 } else { end.line };
    let indent = start.column - 1;
    let dedent = |line: &str| line[line.bytes().take(indent).take_while(|b| *b == b' ').count()..].to_string() + "\n";
    let first = from(lines.get(start.line - 1)?, start.column).to_string() + "\n";
    Some(first + &lines.get(start.line..last.max(start.line))?.iter().map(|line| dedent(line)).collect::<String>())
}
