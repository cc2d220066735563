//! Sloth: `version: prometheus/v1`, or Kubernetes objects of kind `PrometheusServiceLevel`.

use super::document::place_of;
use super::imported::{Found, Objective};
use super::percent::percent;
use super::ratio::{Queried, bad_of_total, ratio};
use super::window::Window;
use crate::fields::Fields;
use crate::yaml::Node;

/// Days of Sloth's period, unless it is told another one when it runs.
const WINDOW: u32 = 30;

/// The objectives of a document.
pub(super) fn read(document: &Node, found: &mut Found<'_>) {
    let Some(outer) = Fields::open(document, "the document", &mut found.notes) else { return };
    let spec = match outer.get("spec").filter(|_| outer.get("kind").is_some()) {
        Some(spec) => Fields::open(spec, "spec", &mut found.notes),
        None => Some(outer),
    };
    let Some(spec) = spec else { return };
    let (service, slos) = (spec.need_text("service", &mut found.notes), spec.need("slos", &mut found.notes));
    let (Some(service), Some(_)) = (service, slos) else { return };
    for slo in spec.list("slos", &mut found.notes).unwrap_or_default() {
        one(service, slo, found);
    }
}

fn one(service: &str, node: &Node, found: &mut Found<'_>) {
    let notes = &mut found.notes;
    let Some(slo) = Fields::open(node, "the SLO", notes) else { return };
    let (name, target) = (slo.need_text("name", notes), slo.need_text("objective", notes));
    let (Some(name), Some(target), Some(sli)) = (name, target, slo.need("sli", notes)) else { return };
    let name = format!("{service}-{name}");
    let percent = match percent(target) {
        Ok(percent) => percent,
        Err(reason) => return found.leave_out(place_of(&slo, "objective"), &name, reason),
    };
    let description = slo.text("description", notes).unwrap_or_default().to_string();
    let Some(sli) = Fields::open(sli, "sli", notes) else { return };
    let text =
        |of: &Fields<'_>, names: [&str; 2]| names.iter().find_map(|name| of.get(name)?.text().map(str::to_string));
    let (events, raw) = (sli.get("events"), sli.get("raw"));
    let counts = match (events, raw) {
        (Some(events), _) => {
            let Some(events) = Fields::open(events, "events", notes) else { return };
            match (text(&events, ["error_query", "errorQuery"]), text(&events, ["total_query", "totalQuery"])) {
                (Some(errors), Some(total)) => bad_of_total(&errors, &total, Queried::Rates),
                _ => Err("'events' needs error_query and total_query".to_string()),
            }
        }
        (None, Some(raw)) => {
            let Some(raw) = Fields::open(raw, "raw", notes) else { return };
            match text(&raw, ["error_ratio_query", "errorRatioQuery"]) {
                Some(errors) => ratio(&errors, false),
                None => Err("'raw' needs error_ratio_query".to_string()),
            }
        }
        (None, None) if sli.get("plugin").is_some() => {
            Err("its queries are made by a plugin; write out the events that it counts".to_string())
        }
        (None, None) => Err("its sli is none of events and raw".to_string()),
    };
    let place = events.or(raw).map_or(node.place, |node| node.place);
    match counts {
        Err(reason) => found.leave_out(place, &name, reason),
        Ok(counts) => found.objectives.push(Objective {
            name,
            place: place_of(&slo, "name"),
            service: service.to_string(),
            description,
            percent,
            window: Some(Window::days(WINDOW)),
            counts,
        }),
    }
}
