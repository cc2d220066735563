//! Pyrra: Kubernetes objects of kind `ServiceLevelObjective`.

use super::document::{inner, named, place_of};
use super::imported::{Counts, Found, Objective};
use super::percent::percent;
use super::window::Window;
use crate::fields::Fields;
use crate::promql::{Matcher, Selector};
use crate::yaml::Node;

/// The objective of a document.
pub(super) fn read(document: &Node, found: &mut Found<'_>) {
    let notes = &mut found.notes;
    let Some(outer) = Fields::open(document, "the document", notes) else { return };
    if outer.get("kind").and_then(Node::text) != Some("ServiceLevelObjective") {
        let kind = outer.get("kind").map_or_else(|| "no kind".to_string(), |kind| format!("kind {}", kind.what()));
        notes.error(document.place, format!("an object of {kind}; Pyrra's are of kind ServiceLevelObjective"));
        return;
    }
    let name = named(&outer, notes);
    let spec = outer.need("spec", notes).and_then(|node| Fields::open(node, "spec", notes));
    let (Some((name, place)), Some(spec)) = (name, spec) else { return };
    let (target, window) = (spec.need_text("target", notes), spec.need_text("window", notes));
    let description = spec.text("description", notes).unwrap_or_default();
    let indicator = spec.need("indicator", notes).and_then(|node| Fields::open(node, "indicator", notes));
    let (Some(target), Some(window), Some(indicator)) = (target, window, indicator) else { return };
    let percent = match percent(target) {
        Ok(percent) => percent,
        Err(reason) => return found.leave_out(place_of(&spec, "target"), name, reason),
    };
    let window = match Window::of_length(window) {
        Ok(window) => window,
        Err(reason) => return found.leave_out(place_of(&spec, "window"), name, reason),
    };
    let counts = counts(&spec, &indicator);
    for (kind, node) in indicator.entries() {
        let grouping =
            Fields::open(node, "the indicator", notes).and_then(|of| of.get("grouping").map(|node| node.place));
        if let Some(place) = grouping {
            let reason = format!("{name}: the series of '{kind}' are counted together, not by their grouping");
            notes.warn(
                place,
                reason,
                Some("for an objective of each, narrow the selectors and import them one by one"),
            );
        }
    }
    match counts {
        Err(reason) => found.leave_out(indicator.place, name, reason),
        Ok(counts) => found.objectives.push(Objective {
            name: name.to_string(),
            place,
            // Pyrra knows no services: each of its objectives stands for one.
            service: name.to_string(),
            description: description.to_string(),
            percent,
            window: Some(window),
            counts,
        }),
    }
}

fn counts(spec: &Fields<'_>, indicator: &Fields<'_>) -> Result<Counts, String> {
    let text = |path: [&str; 2]| {
        let node = inner(indicator.get(path[0])?, path[1])?;
        inner(node, "metric").unwrap_or(node).text()
    };
    let selector = |path: [&str; 2]| match text(path) {
        Some(metric) => Selector::read(metric).map_err(|reason| format!("{}.{}: {reason}", path[0], path[1])),
        None => Err(format!("'{}' has no '{}'", path[0], path[1])),
    };
    let events = |good, bad, total| Counts::Events { good, bad, total };
    if indicator.get("ratio").is_some() {
        let (errors, total) = (selector(["ratio", "errors"])?, selector(["ratio", "total"])?);
        return Ok(events(Vec::new(), vec![errors], vec![total]));
    }
    if indicator.get("latency").is_some() {
        let (mut success, total) = (selector(["latency", "success"])?, selector(["latency", "total"])?);
        if success.exact("le").is_none() {
            // Older ones say the bound beside the indicator.
            let Some(bound) = spec.get("latency").and_then(Node::text) else {
                return Err("'success' names no bucket: a matcher such as le=\"0.5\"".to_string());
            };
            success.matchers.push(Matcher::new("le", "=", bound)?);
        }
        return Ok(events(vec![success], Vec::new(), vec![total]));
    }
    for name in ["latencyNative", "latency_native"] {
        if indicator.get(name).is_some() {
            let threshold = text([name, "latency"]).ok_or_else(|| format!("'{name}' has no 'latency'"))?;
            return Ok(Counts::Native { histogram: selector([name, "total"])?, threshold: threshold.to_string() });
        }
    }
    for name in ["bool_gauge", "boolGauge"] {
        if indicator.get(name).is_some() {
            return Ok(Counts::Flag(selector([name, "metric"])?));
        }
    }
    Err("its indicator is none of ratio, latency, latencyNative and bool_gauge".to_string())
}
