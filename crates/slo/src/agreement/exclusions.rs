//! `exclusions`: what the party does not answer for.

use crate::agreement::terms::Exclude;
use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::yaml::{Node, Value};

/// Reads categories, each a name or `{category, announced: before}`.
pub(crate) fn exclusions(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Vec<Exclude> {
    let mut found: Vec<Exclude> = Vec::new();
    for item in fields.list("exclusions", notes).unwrap_or_default() {
        let Some(exclude) = exclude(item, notes) else { continue };
        if found.iter().any(|other| other.category == exclude.category) {
            notes.error(item.place, format!("category '{}' stands here again", exclude.category));
        }
        found.push(exclude);
    }
    found
}

fn exclude(item: &Node, notes: &mut Notes<'_>) -> Option<Exclude> {
    let (node, announced_before) = match &item.value {
        Value::Map(_) => {
            let fields = Fields::read(item, "the exclusion", &["category", "announced"], notes)?;
            let announced = fields.word("announced", &[("before", ())], notes);
            (fields.need("category", notes)?, announced.is_some())
        }
        _ => (item, false),
    };
    let category = fields::text(node, "category", notes)?;
    if category.trim().is_empty() {
        notes.error(node.place, "'category' is empty");
        return None;
    }
    Some(Exclude { category: category.to_string(), announced_before })
}
