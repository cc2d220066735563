//! Looking into documents whose other fields do not matter.

use crate::fields::Fields;
use crate::mistake::Notes;
use crate::place::Place;
use crate::yaml::{Node, Value};

/// A field of a mapping that is there and not null.
pub(super) fn inner<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, value)| key.text() == Some(name) && !value.is_null()).map(|(_, value)| value)
}

/// Where a field stands; if it is missing, where its mapping does.
pub(super) fn place_of(fields: &Fields<'_>, name: &str) -> Place {
    fields.get(name).map_or(fields.place, |node| node.place)
}

/// The name of an object, and where it stands.
pub(super) fn named<'n>(object: &Fields<'n>, notes: &mut Notes<'_>) -> Option<(&'n str, Place)> {
    let metadata = Fields::open(object.need("metadata", notes)?, "metadata", notes)?;
    let name = metadata.need_text("name", notes)?;
    Some((name, place_of(&metadata, "name")))
}

/// Notes a way of budgeting that the imported objective does not have.
pub(super) fn budgeting(spec: &Fields<'_>, name: &str, notes: &mut Notes<'_>) {
    let Some(node) = spec.get("budgetingMethod") else { return };
    if let Some(method) = node.text().filter(|method| *method != "Occurrences") {
        let reason = format!("{name}: imported by Occurrences, and budgetingMethod is {method} here");
        notes.warn(node.place, reason, Some("write the method and its timeSliceTarget into objectives.yaml"));
    }
}
