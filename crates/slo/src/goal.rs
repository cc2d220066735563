//! The `objectives` of an SLO: how good its indicator is promised to be.

use std::collections::HashMap;

use nines_timeline::Share;

use crate::duration;
use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::object::Reference;
use crate::objective::{Level, Op};
use crate::place::Place;
use crate::source::Source;
use crate::source::source;
use crate::yaml::Node;

/// One of the SLO's `objectives`.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    pub place: Place,
    pub display_name: Option<String>,
    pub op: Option<Op>,
    pub value: Option<Level>,
    pub target: Share,
    pub slice_target: Option<(Share, Place)>,
    pub slice: i64,
    /// Its own, in a composite.
    pub indicator: Option<Source>,
}

const FIELDS: &[&str] = &[
    "displayName",
    "op",
    "value",
    "target",
    "targetPercent",
    "timeSliceTarget",
    "timeSliceWindow",
    "indicator",
    "indicatorRef",
    "compositeWeight",
];

/// Reads the objectives of an SLO, whose own indicator they may share.
pub(crate) fn goals(
    fields: &Fields<'_>,
    shared_indicator: bool,
    references: &mut Vec<Reference>,
    notes: &mut Notes<'_>,
) -> Option<Vec<Goal>> {
    let node = fields.need("objectives", notes)?;
    let items = fields.list("objectives", notes)?;
    if items.is_empty() {
        notes.error(node.place, "an SLO has at least one objective");
        return None;
    }
    let has_own = |node: &Node| ["indicator", "indicatorRef"].iter().any(|name| node.has(name));
    if fields.get("indicator").or(fields.get("indicatorRef")).is_none() && !items.iter().any(has_own) {
        notes.error(fields.place, "missing field 'indicator' or 'indicatorRef' in the SLO's spec");
    }
    let composite = !shared_indicator && items.iter().any(has_own);
    let mut names = HashMap::new();
    let mut goals = Vec::new();
    for item in items {
        let goal = goal(item, references, notes);
        if composite && !has_own(item) {
            notes.error(item.place, "missing field 'indicator' or 'indicatorRef' in the objective, which others have");
        }
        if shared_indicator && has_own(item) {
            notes.error(item.place, "the indicator stands in the SLO's spec or in each objective, not in both");
        }
        let Some(goal) = goal else { continue };
        let again = goal.display_name.as_ref().and_then(|name| names.insert(name.clone(), goal.place.line));
        if let (Some(line), Some(name)) = (again, &goal.display_name) {
            notes.error(goal.place, format!("objective '{name}' stands here again, first in line {line}"));
        }
        if goal.display_name.is_none() && items.len() > 1 {
            let hint = "each of several objectives is named slo/displayName";
            notes.error_hint(goal.place, "missing field 'displayName' in the objective", hint);
        }
        goals.push(goal);
    }
    Some(goals)
}

fn goal(node: &Node, references: &mut Vec<Reference>, notes: &mut Notes<'_>) -> Option<Goal> {
    let fields = Fields::read(node, "the objective", FIELDS, notes)?;
    let display_name = fields.text("displayName", notes).filter(|name| !name.trim().is_empty()).map(str::to_string);
    let op = fields.word("op", &[("lt", Op::Lt), ("lte", Op::Lte), ("gt", Op::Gt), ("gte", Op::Gte)], notes);
    let value = fields.parse("value", notes, number).map(Level);
    fields.parse("compositeWeight", notes, number);
    if let Some(node) = fields.get("compositeWeight") {
        notes.warn(node.place, "'compositeWeight' is not used: a composite is the union of its objectives", None);
    }
    let slice_target = fields.share("timeSliceTarget", notes);
    let slice_target = slice_target.and_then(|share| Some((share, fields.get("timeSliceTarget")?.place)));
    let slice = fields.parse("timeSliceWindow", notes, duration::slice).unwrap_or(60_000_000);
    let indicator = source(&fields, references, notes);
    let target = target(&fields, notes)?;
    Some(Goal { place: node.place, display_name, op, value, target, slice_target, slice, indicator })
}

/// `target` or `targetPercent`.
fn target(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Share> {
    match (fields.get("target"), fields.get("targetPercent")) {
        (Some(_), None) => fields.share("target", notes),
        (None, Some(node)) => {
            let text = fields::text(node, "targetPercent", notes)?;
            let share = format!("{}%", text.trim_end_matches('%')).parse().ok();
            if share.is_none() {
                notes.error(node.place, format!("'targetPercent' must be a number from 0 to 100, got {text}"));
            }
            share
        }
        (Some(_), Some(node)) => {
            notes.error(node.place, "an objective has 'target' or 'targetPercent', not both");
            None
        }
        (None, None) => {
            notes.error(fields.place, "missing field 'target' or 'targetPercent' in the objective");
            None
        }
    }
}

fn number(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("expected a number, got '{text}'"))
}
