//! Nobl9: objects of kind `SLO` whose counts are queries of Prometheus.

use super::document::{budgeting, inner, named};
use super::imported::{Counts, Found, Objective};
use super::percent::percent_of;
use super::ratio::{Queried, bad_of_total, good_of_total};
use super::window::Window;
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
    let name = named(&outer, notes);
    let spec = outer.need("spec", notes).and_then(|node| Fields::open(node, "spec", notes));
    let (Some((name, place)), Some(spec)) = (name, spec) else { return };
    let service = spec.need_text("service", notes).unwrap_or(name);
    let description = spec.text("description", notes).unwrap_or_default();
    budgeting(&spec, name, notes);
    let Ok(window) = Window::read(&spec, "timeWindows", length, name, notes) else { return };
    if spec.need("objectives", notes).is_none() {
        return;
    }
    let objectives = spec.list("objectives", notes).unwrap_or_default();
    if window.is_none() {
        return found.leave_out(spec.place, name, "it has no time window");
    }
    for (at, objective) in objectives.iter().enumerate() {
        let of = if objectives.len() == 1 { name.to_string() } else { format!("{name}-{}", at + 1) };
        let Some((target, text)) = inner(objective, "target").and_then(|node| Some((node, node.text()?))) else {
            found.leave_out(objective.place, &of, "it has no target");
            continue;
        };
        match (percent_of(text), counts(objective)) {
            (Err(reason), _) => found.leave_out(target.place, &of, reason),
            (_, Err(reason)) => found.leave_out(objective.place, &of, reason),
            (Ok(percent), Ok(counts)) => found.objectives.push(Objective {
                name: of,
                place,
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
fn length(window: &Fields<'_>) -> Result<String, String> {
    let text = |name: &str| window.get(name).and_then(Node::text).ok_or_else(|| format!("missing field '{name}'"));
    let unit = match text("unit")? {
        "Minute" => "m",
        "Hour" => "h",
        "Day" => "d",
        "Week" => "w",
        "Month" => "M",
        "Quarter" => "Q",
        "Year" => "Y",
        other => {
            return Err(format!("unit '{other}' is none of Minute, Hour, Day, Week, Month, Quarter and Year"));
        }
    };
    Ok(format!("{}{unit}", text("count")?))
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
