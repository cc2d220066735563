//! Front matter: the title, a description, and the parameters.

use crate::format::printable;
use crate::mistake::{self, Notes};
use crate::notebook::Notebook;
use crate::parameter::{Choices, Parameter, ParameterKind, is_name};
use crate::yaml::{self, Node, Value};

const FIELDS: &[&str] = &["title", "description", "now", "parameters"];
const PARAMETER: &[&str] = &["name", "label", "default", "range", "from", "to", "choices", "query"];

/// Reads front matter whose text begins in the file's second line.
pub(crate) fn read(text: &str, notebook: &mut Notebook, notes: &mut Notes<'_>) {
    let Some(root) = yaml::parse(text, 1, notes).filter(|root| !root.is_null()) else { return };
    for (key, node) in entries(&root, "the front matter", FIELDS, notes) {
        match key {
            "title" => notebook.title = text_of(node, key, notes).map(|text| printable(&text)),
            "description" => notebook.description = text_of(node, key, notes).map(|text| printable(&text)),
            "now" => notebook.now = text_of(node, key, notes),
            _ => parameters(node, notebook, notes),
        }
    }
}

fn parameters(node: &Node, notebook: &mut Notebook, notes: &mut Notes<'_>) {
    let found: Vec<(Option<&Node>, &Node)> = match &node.value {
        Value::Map(entries) => entries.iter().map(|(name, node)| (Some(name), node)).collect(),
        Value::List(items) => items.iter().map(|node| (None, node)).collect(),
        Value::Scalar { .. } if node.is_null() => Vec::new(),
        Value::Scalar { .. } => {
            notes.note(node.place, format!("parameters must be a mapping of names, got {}", node.what()), None);
            return;
        }
    };
    for (name, node) in found {
        let Some(parameter) = parameter(name, node, notes) else { continue };
        let place = name.map_or(node.place, |name| name.place);
        let known: Vec<&str> = notebook.parameters.iter().flat_map(Parameter::names).collect();
        let own = parameter.names();
        let twice = own.iter().enumerate().find(|(at, name)| known.contains(name) || own[..*at].contains(name));
        if let Some((_, twice)) = twice {
            let range = matches!(parameter.kind, ParameterKind::Range { .. });
            let hint = range.then(|| "name the ends of a range with from: and to:".to_string());
            notes.note(place, format!("there are two values of the name {twice}"), hint);
            continue;
        }
        notebook.parameters.push(parameter);
    }
}

fn parameter(name: Option<&Node>, node: &Node, notes: &mut Notes<'_>) -> Option<Parameter> {
    let mut own = name.and_then(|name| name_of(name, notes));
    if !matches!(node.value, Value::Map(_)) {
        if name.is_none() {
            let hint = "write such as '- {name: service, default: login}'".to_string();
            notes.note(node.place, format!("expected a parameter, got {}", node.what()), Some(hint));
            return None;
        }
        let default = match node.is_null() {
            true => None,
            false => Some(text_of(node, "a parameter's default", notes)?),
        };
        return Some(Parameter { name: own?, label: None, kind: ParameterKind::Plain { default } });
    }
    let (mut label, mut default, mut range, mut from, mut to, mut choices) = (None, None, None, None, None, None);
    for (key, node) in entries(node, "a parameter", PARAMETER, notes) {
        match key {
            "name" if name.is_none() => own = name_of(node, notes),
            "name" => notes.note(node.place, "the parameter has its name already, before the colon", None),
            "label" => label = text_of(node, key, notes),
            "default" => default = text_of(node, key, notes),
            "range" => range = text_of(node, key, notes).map(|range| (range, node.place)),
            "from" => from = name_of(node, notes),
            "to" => to = name_of(node, notes),
            _ if choices.is_some() => {
                notes.note(node.place, "a parameter takes either choices or a query", None);
            }
            "query" => choices = text_of(node, key, notes).map(Choices::Query),
            _ => choices = list(node, notes).map(Choices::List),
        }
    }
    let Some(name) = own else {
        if name.is_none() {
            notes.note(node.place, "a parameter without a name", Some("add name:".to_string()));
        }
        return None;
    };
    let kind = match (range, choices) {
        (Some(_), Some(_)) => {
            notes.note(node.place, format!("parameter {name} takes either a range or choices"), None);
            return None;
        }
        (Some((range, place)), None) => {
            if default.is_some() {
                notes.note(node.place, format!("parameter {name}: the range is its default"), None);
            }
            let anyhow = crate::moment::Moment { now: 0, zone: chrono_tz::Tz::UTC };
            if anyhow.range(&range).is_none() {
                let hint = "write such as 'last month', 'last 7 days' or '2026-10-01 to 2026-10-08'".to_string();
                notes.note(place, format!("'{range}' is no range of time"), Some(hint));
            }
            let end = |name: Option<String>, usual: &str| name.unwrap_or_else(|| usual.to_string());
            ParameterKind::Range { default: range, from: end(from, "from"), to: end(to, "to") }
        }
        (None, _) if from.is_some() || to.is_some() => {
            let hint = "write such as 'range: last month'".to_string();
            notes.note(node.place, format!("parameter {name}: from and to name the ends of a range"), Some(hint));
            return None;
        }
        (None, Some(choices)) => ParameterKind::Choice { choices, default },
        (None, None) => ParameterKind::Plain { default },
    };
    Some(Parameter { name, label, kind })
}

/// The entries of a mapping whose keys are known; the others are told.
fn entries<'n>(
    node: &'n Node,
    what: &str,
    known: &[&'static str],
    notes: &mut Notes<'_>,
) -> Vec<(&'static str, &'n Node)> {
    let Value::Map(entries) = &node.value else {
        notes.note(node.place, format!("expected {what} as 'name: value', got {}", node.what()), None);
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, node) in entries {
        let text = key.text().unwrap_or_default();
        match known.iter().find(|known| **known == text) {
            Some(known) => found.push((*known, node)),
            None => notes.note(key.place, format!("{what} has no '{text}'"), Some(mistake::hint(text, known))),
        }
    }
    found
}

fn text_of(node: &Node, what: &str, notes: &mut Notes<'_>) -> Option<String> {
    let text = node.text().map(str::to_string);
    if text.is_none() {
        notes.note(node.place, format!("{what} must be text, got {}", node.what()), None);
    }
    text
}

/// A name that `$name` can refer to.
fn name_of(node: &Node, notes: &mut Notes<'_>) -> Option<String> {
    let text = text_of(node, "a name", notes)?;
    if is_name(&text) {
        return Some(text);
    }
    let hint = "use letters, digits and _, beginning with a letter".to_string();
    notes.note(node.place, format!("'{text}' cannot be the name of a parameter"), Some(hint));
    None
}

fn list(node: &Node, notes: &mut Notes<'_>) -> Option<Vec<String>> {
    let Value::List(items) = &node.value else {
        let hint = "write such as 'choices: [production, staging]'".to_string();
        notes.note(node.place, format!("choices must be a list, got {}", node.what()), Some(hint));
        return None;
    };
    let items: Vec<String> = items.iter().filter_map(|item| text_of(item, "a choice", notes)).collect();
    if items.is_empty() {
        notes.note(node.place, "there is nothing to choose from", None);
        return None;
    }
    Some(items)
}

/// The front matter with its lines of dashes; nothing if there is nothing to say.
pub(crate) fn write(notebook: &Notebook) -> String {
    let mut out = String::new();
    for (key, text) in [("title", &notebook.title), ("description", &notebook.description), ("now", &notebook.now)] {
        if let Some(text) = text {
            out += &format!("{key}: {}\n", scalar(text));
        }
    }
    if !notebook.parameters.is_empty() {
        out += "parameters:\n";
    }
    for Parameter { name, label, kind } in &notebook.parameters {
        let mut fields: Vec<String> = label.iter().map(|label| format!("label: {}", scalar(label))).collect();
        match kind {
            ParameterKind::Plain { default } if fields.is_empty() => {
                let default = default.as_ref().map_or(String::new(), |default| format!(" {}", scalar(default)));
                out += &format!("  {}:{default}\n", scalar(name));
                continue;
            }
            ParameterKind::Plain { default } => {
                fields.extend(default.iter().map(|default| format!("default: {}", scalar(default))));
            }
            ParameterKind::Range { default, from, to } => {
                fields.push(format!("range: {}", scalar(default)));
                for (key, name) in [("from", from), ("to", to)] {
                    if key != name {
                        fields.push(format!("{key}: {}", scalar(name)));
                    }
                }
            }
            ParameterKind::Choice { choices, default } => {
                fields.push(match choices {
                    Choices::Query(sql) => format!("query: {}", scalar(sql)),
                    Choices::List(items) => {
                        format!("choices: [{}]", items.iter().map(|item| scalar(item)).collect::<Vec<_>>().join(", "))
                    }
                });
                fields.extend(default.iter().map(|default| format!("default: {}", scalar(default))));
            }
        }
        out += &format!("  {}: {{{}}}\n", scalar(name), fields.join(", "));
    }
    if out.is_empty() { out } else { format!("---\n{out}---\n") }
}

/// Text as YAML, in quotes only where it would be read as something else.
fn scalar(text: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | '/' | '(' | ')' | '+');
    let plain = text.starts_with(char::is_alphanumeric)
        && !text.ends_with(' ')
        && text.chars().all(|c| harmless(c) || c == '-')
        && !matches!(text, "null" | "true" | "false");
    if plain {
        return text.to_string();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            c if c.is_control() => quoted += &format!("\\x{:02x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
