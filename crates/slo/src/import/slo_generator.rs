//! Google's slo-generator: objects of kind `ServiceLevelObjective` whose backend is Prometheus.

use super::document::{inner, named, place_of};
use super::imported::{Counts, Found, Objective};
use super::percent::percent_of;
use super::ratio::{Queried, bad_of_total, good_and_bad, good_of_total, ratio};
use super::window::Window;
use crate::fields::Fields;
use crate::promql::{Matcher, Selector};
use crate::yaml::Node;

/// Days. Its windows belong to policies of error budgets, not to objectives.
const WINDOW: u32 = 28;

/// The objective of a document.
pub(super) fn read(document: &Node, found: &mut Found<'_>) {
    let notes = &mut found.notes;
    let Some(outer) = Fields::open(document, "the document", notes) else { return };
    let name = named(&outer, notes);
    let spec = outer.need("spec", notes).and_then(|node| Fields::open(node, "spec", notes));
    let (Some((name, place)), Some(spec)) = (name, spec) else { return };
    let labels = outer.get("metadata").and_then(|metadata| inner(metadata, "labels"));
    let service = labels.and_then(|labels| inner(labels, "service_name")).and_then(Node::text);
    let description = spec.text("description", notes).unwrap_or_default();
    let (method, backend) = (spec.need_text("method", notes), spec.text("backend", notes).unwrap_or("prometheus"));
    let (Some(method), Some(sli), Some(goal)) =
        (method, spec.need("service_level_indicator", notes), spec.need_text("goal", notes))
    else {
        return;
    };
    let percent = match percent_of(goal) {
        Ok(percent) => percent,
        Err(reason) => return found.leave_out(place_of(&spec, "goal"), name, reason),
    };
    // A backend may have a name of its own behind a slash.
    if backend.split('/').next() != Some("prometheus") {
        return found.leave_out(spec.place, name, format!("its backend is {backend}; those of Prometheus are read"));
    }
    match counts(method, sli) {
        Err(reason) => found.leave_out(sli.place, name, reason),
        Ok(counts) => found.objectives.push(Objective {
            name: name.to_string(),
            place,
            service: service.unwrap_or(name).to_string(),
            description: description.to_string(),
            percent,
            window: Some(Window::days(WINDOW)),
            counts,
        }),
    }
}

fn counts(method: &str, sli: &Node) -> Result<Counts, String> {
    let text = |name: &str| inner(sli, name).and_then(Node::text);
    let need = |name: &str| text(name).ok_or_else(|| format!("'service_level_indicator' has no '{name}'"));
    match method {
        "good_bad_ratio" => match (text("filter_good"), text("filter_bad"), text("filter_valid")) {
            (Some(good), _, Some(valid)) => good_of_total(good, valid, Queried::Counters),
            (Some(good), Some(bad), None) => good_and_bad(good, bad, Queried::Counters),
            (None, Some(bad), Some(valid)) => bad_of_total(bad, valid, Queried::Counters),
            _ => Err("expected filter_good, and filter_bad or filter_valid".to_string()),
        },
        "query_sli" => ratio(need("expression")?, true),
        "distribution_cut" => {
            let of = Selector::read(need("expression")?)?.without("le");
            let up_to = |bound: &str| -> Result<Selector, String> {
                let mut selector = of.clone();
                selector.matchers.push(Matcher::new("le", "=", bound)?);
                Ok(selector)
            };
            let (good, total) = (up_to(need("threshold_bucket")?)?, up_to("+Inf")?);
            Ok(Counts::Events { good: vec![good], bad: Vec::new(), total: vec![total] })
        }
        other => Err(format!("method '{other}' is not read; good_bad_ratio, query_sli and distribution_cut are")),
    }
}
