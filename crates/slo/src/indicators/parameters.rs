//! Parameters that several indicators, and agreements, have.

use std::collections::BTreeMap;

use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::objective::{Causes, Charge, Party};
use crate::pattern::Pattern;
use crate::statuses::Statuses;
use crate::yaml::Value;

/// A name or glob, or a list of them.
pub(crate) fn patterns(spec: &Fields<'_>, name: &str, notes: &mut Notes<'_>) -> Vec<Pattern> {
    let Some(node) = spec.get(name) else { return Vec::new() };
    let items = match &node.value {
        Value::List(items) if items.is_empty() => {
            notes.error_hint(node.place, format!("'{name}' is an empty list"), "leave it out to mean all");
            return Vec::new();
        }
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut patterns = Vec::new();
    for item in items {
        let Some(text) = fields::text(item, name, notes) else { continue };
        match Pattern::new(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => notes.error(item.place, format!("'{name}': bad glob '{text}': {error}")),
        }
    }
    patterns
}

/// `labels`: the values that each of some labels must have, by name.
pub(crate) fn labels(spec: &Fields<'_>, notes: &mut Notes<'_>) -> BTreeMap<String, Vec<Pattern>> {
    let Some(written) = spec.get("labels").and_then(|node| Fields::open(node, "labels", notes)) else {
        return BTreeMap::new();
    };
    let names: Vec<&str> = written.entries().iter().map(|(name, _)| *name).collect();
    names.into_iter().map(|name| (name.to_string(), patterns(&written, name, notes))).collect()
}

/// `party`: whose failures count.
pub(crate) fn party(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Party> {
    spec.word("party", &[("service", Party::Service), ("gateway", Party::Gateway)], notes)
}

/// `causes`: the table that ships with Nines, with what is written over it.
pub(crate) fn causes(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Causes {
    let mut causes = Causes::default();
    let Some(written) = spec.get("causes").and_then(|node| Fields::open(node, "causes", notes)) else { return causes };
    let words = [("service", Charge::Service), ("gateway", Charge::Gateway), ("nobody", Charge::Nobody)];
    for (cause, to) in written.entries() {
        let Some(charge) = fields::word(to, cause, &words, notes) else { continue };
        if Statuses::are_meant(cause) {
            let reason = format!("'{cause}' is no status, so that it is taken for a cause");
            notes.warn(to.place, reason, Some("a status is such as 504, 5xx or 502-504"));
        }
        causes.0.insert(cause.to_string(), charge);
    }
    causes
}
