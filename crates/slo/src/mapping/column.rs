//! Where the text of a column comes from.

use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::yaml::{Node, Value};

/// Where the text of a column comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnFrom {
    /// The same for every series.
    Constant(String),
    /// The value of a label; empty where a series does not have it.
    Label {
        /// The label's name.
        label: String,
        /// Counted stands for some of its values; others stand for themselves.
        values: Vec<(String, String)>,
    },
}

impl ColumnFrom {
    /// The text for a series: `value` gives the value of a label, empty if there is none.
    pub fn text<'a>(&'a self, value: impl Fn(&str) -> &'a str) -> &'a str {
        match self {
            ColumnFrom::Constant(text) => text,
            ColumnFrom::Label { label, values } => {
                let found = value(label);
                values.iter().find(|(from, _)| from == found).map_or(found, |(_, to)| to)
            }
        }
    }
}

/// A field that is a text, or `{label: NAME}`; nothing where it is left out.
pub(super) fn column(fields: &Fields<'_>, name: &str, notes: &mut Notes<'_>) -> ColumnFrom {
    fields.get(name).and_then(|node| read(node, name, notes)).unwrap_or_else(|| ColumnFrom::Constant(String::new()))
}

/// A text, or `{label: NAME, values: {FROM: TO}}`.
pub(super) fn read(node: &Node, name: &str, notes: &mut Notes<'_>) -> Option<ColumnFrom> {
    if !matches!(node.value, Value::Map(_)) {
        return fields::text(node, name, notes).map(|text| ColumnFrom::Constant(text.to_string()));
    }
    let fields = Fields::read(node, "a column", &["label", "values"], notes)?;
    let label = fields.need_text("label", notes)?.to_string();
    let mut values = Vec::new();
    if let Some(written) = fields.get("values").and_then(|node| Fields::open(node, "values", notes)) {
        for (from, to) in written.entries() {
            values.push((from.to_string(), fields::text(to, from, notes)?.to_string()));
        }
    }
    Some(ColumnFrom::Label { label, values })
}
