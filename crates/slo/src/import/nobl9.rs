//! Nobl9: objects of kind `SLO` whose counts are queries of Prometheus.

use super::document::{budgeting, inner};
use super::imported::{Counts, Found, Objective};
use super::percent::percent_of;
use super::ratio::{Queried, bad_of_total, good_of_total};
use crate::fields::Fields;
use crate::yaml::Node;

/// The objectives of a document.
pub(super) fn read(document: &Node, found: &mut Found<'_>) {
    let notes = &mut found.notes;
    let Some(outer) = Fields::open(document, "the document", notes) else { return };
    if outer.get("kind").and_then(Node::text) != Some("SLO") {
        let kind = outer.get("kind").map_or_else(|| "no kind".to_string(), |kind| format!("kind {}", kind.what()));
        return notes.error(document.place, format!("an object of {kind}; objectives are of kind SLO"));
    }
    let name = outer.get("metadata").and_then(|node| inner(node, "name")).and_then(Node::text);
    let spec = outer.need("spec", notes).and_then(|node| Fields::open(node, "spec", notes));
    let (Some(name), Some(spec)) = (name, spec) else { return };
    let service = spec.need_text("service", notes).unwrap_or(name);
    let description = spec.text("description", notes).unwrap_or_default();
    budgeting(&spec, name, notes);
    let window = spec.list("timeWindows", notes).and_then(<[Node]>::first).and_then(window);
    let objectives = spec.list("objectives", notes).unwrap_or_default();
    let Some(window) = window else {
        return found.leave_out(spec.place, name, "its time window is none of rolling days, hours or weeks");
    };
    for (at, objective) in objectives.iter().enumerate() {
        let of = if objectives.len() == 1 { name.to_string() } else { format!("{name}-{}", at + 1) };
        let percent = inner(objective, "target").and_then(Node::text).and_then(percent_of);
        match (percent, counts(objective)) {
            (None, _) => found.leave_out(objective.place, &of, "it has no target from 0 to 1"),
            (_, Err(reason)) => found.leave_out(objective.place, &of, reason),
            (Some(percent), Ok(counts)) => found.objectives.push(Objective {
                name: of,
                service: service.to_string(),
                description: description.to_string(),
                percent,
                window: window.clone(),
                counts,
            }),
        }
    }
}

/// `{unit: Day, count: 28}` as `28d`.
fn window(node: &Node) -> Option<String> {
    let count: u32 = inner(node, "count")?.text()?.parse().ok()?;
    let unit = match inner(node, "unit")?.text()? {
        "Hour" => "h",
        "Day" => "d",
        "Week" => "w",
        _ => return None,
    };
    Some(format!("{count}{unit}"))
}

fn counts(objective: &Node) -> Result<Counts, String> {
    let Some(of) = inner(objective, "countMetrics") else {
        return Err(
            "a rawMetric is the value of a query; map what it is computed from, and use nines/gauge or nines/latency"
                .to_string(),
        );
    };
    // Incremental ones are counters as they are.
    let queried = match inner(of, "incremental").and_then(Node::text) {
        Some("true") => Queried::Counters,
        _ => Queried::Rates,
    };
    let text = |name: &str| -> Result<Option<&str>, String> {
        let Some(part) = inner(of, name) else { return Ok(None) };
        match inner(part, "prometheus").and_then(|source| inner(source, "promql")).and_then(Node::text) {
            Some(query) => Ok(Some(query)),
            None => Err(format!("'{name}' is no query of Prometheus")),
        }
    };
    match (text("good")?, text("bad")?, text("total")?) {
        (Some(good), _, Some(total)) => good_of_total(good, total, queried),
        (None, Some(bad), Some(total)) => bad_of_total(bad, total, queried),
        _ => Err("countMetrics need 'good' or 'bad' with 'total'".to_string()),
    }
}
