//! OpenSLO of version 1 whose metrics are queries of Prometheus.

use super::document::{budgeting, inner, named};
use super::imported::{Counts, Found, Objective};
use super::percent::{percent, percent_of};
use super::ratio::{Queried, bad_of_total, good_and_bad, good_of_total, ratio};
use super::window::Window;
use crate::fields::Fields;
use crate::yaml::Node;

/// The objectives of the documents of a file: an SLO may refer to an SLI that stands in any of the files, which is among `all`.
pub(super) fn read(documents: &[&Node], all: &[&Node], found: &mut Found<'_>) {
    for document in documents {
        let Some(outer) = Fields::open(document, "the document", &mut found.notes) else { continue };
        if outer.get("apiVersion").and_then(Node::text) != Some("openslo/v1") {
            found.notes.error(document.place, "expected apiVersion openslo/v1");
        } else if outer.get("kind").and_then(Node::text) == Some("SLO") {
            one(&outer, all, found);
        }
    }
}

fn one(outer: &Fields<'_>, all: &[&Node], found: &mut Found<'_>) {
    let notes = &mut found.notes;
    let name = named(outer, notes);
    let spec = outer.need("spec", notes).and_then(|node| Fields::open(node, "spec", notes));
    let (Some((name, place)), Some(spec)) = (name, spec) else { return };
    let service = spec.need_text("service", notes).unwrap_or(name);
    let description = spec.text("description", notes).unwrap_or_default();
    let Ok(window) = Window::read(&spec, "timeWindow", length, name, notes) else { return };
    if spec.need("objectives", notes).is_none() {
        return;
    }
    let Some(objectives) = spec.list("objectives", notes) else { return };
    budgeting(&spec, name, notes);
    let reference = spec.get("indicatorRef").and_then(Node::text);
    let inline = spec.get("indicator").and_then(|node| inner(node, "spec"));
    let referred = reference.and_then(|reference| {
        let is_it = |node: &&&Node| {
            inner(node, "kind").and_then(Node::text) == Some("SLI")
                && inner(node, "metadata").and_then(|node| inner(node, "name")).and_then(Node::text) == Some(reference)
        };
        all.iter().find(is_it).and_then(|node| inner(node, "spec"))
    });
    let Some(sli) = inline.or(referred) else {
        let reason = match reference {
            Some(reference) => format!("the SLI {reference} stands in none of the files"),
            None => "it has no indicator of its own; indicators of each objective are not read".to_string(),
        };
        return found.leave_out(spec.place, name, reason);
    };
    let counts = match counts(sli) {
        Ok(counts) => counts,
        Err(reason) => return found.leave_out(sli.place, name, reason),
    };
    for (at, objective) in objectives.iter().enumerate() {
        let of = if objectives.len() == 1 { name.to_string() } else { format!("{name}-{}", at + 1) };
        let in_percent = inner(objective, "targetPercent");
        let target = in_percent.or(inner(objective, "target"));
        let Some((target, text)) = target.and_then(|node| Some((node, node.text()?))) else {
            found.leave_out(objective.place, &of, "it has no target");
            continue;
        };
        let percent = if in_percent.is_some() { percent(text) } else { percent_of(text) };
        match percent {
            Err(reason) => found.leave_out(target.place, &of, reason),
            Ok(percent) => found.objectives.push(Objective {
                name: of,
                place,
                service: service.to_string(),
                description: description.to_string(),
                percent,
                window: window.clone(),
                counts: counts.clone(),
            }),
        }
    }
}

/// `{duration: 28d}`.
fn length(window: &Fields<'_>) -> Result<String, String> {
    let duration = window.get("duration").and_then(Node::text);
    duration.map(str::to_string).ok_or_else(|| "missing field 'duration'".to_string())
}

fn counts(sli: &Node) -> Result<Counts, String> {
    let Some(of) = inner(sli, "ratioMetric") else {
        return Err("a thresholdMetric is the value of a query; map what it is computed from, and use nines/gauge or nines/latency".to_string());
    };
    let queried = match inner(of, "counter").and_then(Node::text) {
        Some("true") => Queried::Counters,
        _ => Queried::Rates,
    };
    let text =
        |name: &str| -> Result<Option<String>, String> { inner(of, name).map(|part| query(part, name)).transpose() };
    match (text("good")?, text("bad")?, text("total")?, text("raw")?) {
        (Some(good), _, Some(total), _) => good_of_total(&good, &total, queried),
        (None, Some(bad), Some(total), _) => bad_of_total(&bad, &total, queried),
        (Some(good), Some(bad), None, _) => good_and_bad(&good, &bad, queried),
        (_, _, _, Some(raw)) => ratio(&raw, inner(of, "rawType").and_then(Node::text) == Some("success")),
        _ => Err("a ratioMetric needs 'good' or 'bad' with 'total', or 'raw'".to_string()),
    }
}

/// The query of a metric source of Prometheus.
fn query(part: &Node, name: &str) -> Result<String, String> {
    let source = inner(part, "metricSource").ok_or_else(|| format!("'{name}' has no metricSource"))?;
    let kind = inner(source, "type").and_then(Node::text).unwrap_or("prometheus");
    if !kind.eq_ignore_ascii_case("prometheus") {
        return Err(format!("'{name}' is of type {kind}; queries of Prometheus are read"));
    }
    let spec = inner(source, "spec").ok_or_else(|| format!("'{name}' has no spec"))?;
    let found = ["query", "promql"].into_iter().find_map(|key| inner(spec, key)).and_then(Node::text);
    found.map(str::to_string).ok_or_else(|| format!("'{name}' has no query"))
}
