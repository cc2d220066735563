//! `metrics`: several things that are measured of one service for one fee, and what their credits come to.
//!
//! A metric is the agreement itself with some clauses of its own, so that every clause can be said of it that an agreement
//! without metrics knows, and no other code has to know of metrics to judge one.

use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::yaml::{Node, Value};

/// What the credits of several metrics come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Together {
    /// The largest of them.
    Largest,
    /// All of them; no more than the cap.
    Sum,
}

/// What a metric may say itself.
const OWN: &[&str] = &[
    "name",
    "objective",
    "endpoint",
    "party",
    "causes",
    "failed",
    "valid",
    "each",
    "slice",
    "measure",
    "bad",
    "minRequests",
    "minRun",
    "overEnd",
    "commitment",
    "round",
    "credits",
    "exclusions",
    "excludedTime",
    "lostTelemetry",
];

/// Of each metric its name, and the agreement's clauses with its own in their place.
pub(crate) fn metrics(spec: &Node, fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Vec<(String, Node)>> {
    fields.get("metrics")?;
    let Value::Map(whole) = &spec.value else { return None };
    let mut found: Vec<(String, Node)> = Vec::new();
    for item in fields.list("metrics", notes)? {
        let own = Fields::read(item, "a metric", OWN, notes)?;
        let name = own.need_text("name", notes)?.to_string();
        if found.iter().any(|(known, _)| *known == name) {
            notes.error(item.place, format!("a metric '{name}' stands here already"));
        }
        let Value::Map(entries) = &item.value else { continue };
        let is_own = |key: &Node| key.text().is_some_and(|key| key == "metrics" || own.get(key).is_some());
        let others = whole.iter().filter(|(key, _)| !is_own(key) && key.text() != Some("together"));
        let entries = entries.iter().filter(|(key, _)| key.text() != Some("name")).chain(others).cloned().collect();
        let mut node = item.clone();
        node.value = Value::Map(entries);
        found.push((name, node));
    }
    if found.is_empty() {
        let node = fields.get("metrics").map_or(fields.place, |node| node.place);
        notes.error_hint(node, "'metrics' names no metric", "such as metrics: [{name: errors, measure: …}]");
        return None;
    }
    Some(found)
}

/// `together`: how the credits of so many metrics add up.
pub(crate) fn together(fields: &Fields<'_>, metrics: usize, notes: &mut Notes<'_>) -> Together {
    let words = [("largest", Together::Largest), ("sum", Together::Sum)];
    match fields.get("together") {
        Some(node) if metrics < 2 => {
            notes.error(node.place, "'together' means nothing without several metrics");
            Together::Largest
        }
        Some(node) => fields::word(node, "together", &words, notes).unwrap_or(Together::Largest),
        None if metrics < 2 => Together::Largest,
        None => {
            let hint = "largest credits once, by the metric that was missed most; sum adds up to the cap";
            notes.error_hint(fields.place, "missing field 'together' beside several metrics", hint);
            Together::Largest
        }
    }
}
