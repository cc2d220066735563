//! The `spec` of an SLO: what is promised of which indicator.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use nines_timeline::Share;

use crate::document::{Kind, Reference};
use crate::fields::{self, Fields};
use crate::metadata::Metadata;
use crate::mistake::Notes;
use crate::objective::{Budgeting, Level, Op, Vela, Window};
use crate::sli::{self, Sli};
use crate::yaml::{Node, Place};
use crate::{alerts, duration, instant, nearest};

/// An SLO.
#[derive(Debug, Clone)]
pub(crate) struct Slo {
    pub service: String,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub owner: Option<String>,
    pub vela: Option<Vela>,
    /// What a composite promises as a whole.
    pub target: Option<Share>,
    /// The end of its life.
    pub until: Option<i64>,
    pub time_zone: Tz,
    pub window: Option<Window>,
    pub budgeting: Budgeting,
    pub indicator: Option<Source>,
    pub goals: Vec<Goal>,
}

/// An indicator, or the name of one.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Inline(Arc<Sli>),
    Named { name: String, place: Place },
}

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

impl Slo {
    /// Whether its objectives have indicators of their own, so that it is their union.
    pub fn is_composite(&self) -> bool {
        self.goals.len() > 1 && self.goals.iter().any(|goal| goal.indicator.is_some())
    }

    /// The name of one of its objectives.
    pub fn objective_name(&self, name: &str, goal: &Goal) -> String {
        match &goal.display_name {
            Some(own) if self.goals.len() > 1 => format!("{name}/{own}"),
            _ => name.to_string(),
        }
    }

    /// The indicator that an objective is about.
    pub fn source<'s>(&'s self, goal: &'s Goal) -> Option<&'s Source> {
        goal.indicator.as_ref().or(self.indicator.as_ref())
    }
}

const FIELDS: &[&str] = &[
    "description",
    "service",
    "indicator",
    "indicatorRef",
    "timeWindow",
    "budgetingMethod",
    "objectives",
    "alertPolicies",
];

/// Reads an SLO and from when it is effective; its references are added to `references`.
pub(crate) fn read(
    metadata: &Metadata<'_>,
    spec: &Node,
    references: &mut Vec<Reference>,
    notes: &mut Notes<'_>,
) -> Option<(Slo, Option<i64>)> {
    let fields = Fields::read(spec, "the SLO's spec", FIELDS, notes)?;
    let vela = metadata.vela(notes);
    let owner = metadata.owner(notes);
    let description = fields.text("description", notes).map(str::to_string);
    let service = fields.need_text("service", notes).map(str::to_string);
    let (window, time_zone) = time_window(&fields, notes).unwrap_or((None, Tz::UTC));
    let words = [
        ("Occurrences", Budgeting::Occurrences),
        ("Timeslices", Budgeting::Timeslices),
        ("RatioTimeslices", Budgeting::RatioTimeslices),
    ];
    let budgeting =
        fields.need("budgetingMethod", notes).and_then(|node| fields::word(node, "budgetingMethod", &words, notes));
    let indicator = source(&fields, references, notes);
    let goals = goals(&fields, indicator.is_some(), references, notes);
    alerts::policies(&fields, references, notes);
    let (from, until) = metadata.effective(time_zone, notes);
    let target = metadata.target(notes);
    let slo = Slo {
        service: service?,
        display_name: metadata.display_name.map(str::to_string),
        description,
        owner,
        vela,
        target: target.map(|(target, _)| target),
        until,
        time_zone,
        window,
        budgeting: budgeting?,
        indicator,
        goals: goals?,
    };
    if let (Some((_, place)), false) = (target, slo.is_composite()) {
        let reason =
            "'nines/target' belongs on a Service or on an SLO of several objectives with indicators of their own";
        notes.error_hint(place, reason, "an objective has its own target");
    }
    Some((slo, from))
}

/// `indicator` or `indicatorRef`.
fn source(fields: &Fields<'_>, references: &mut Vec<Reference>, notes: &mut Notes<'_>) -> Option<Source> {
    let (indicator, reference) = (fields.get("indicator"), fields.get("indicatorRef"));
    if let (Some(_), Some(reference)) = (indicator, reference) {
        notes.error(reference.place, "expected 'indicator' or 'indicatorRef', not both");
    }
    if let Some(reference) = reference {
        let name = fields.need_text("indicatorRef", notes)?.to_string();
        references.push(Reference { kind: Kind::Sli, name: name.clone(), place: reference.place });
        return Some(Source::Named { name, place: reference.place });
    }
    let fields = Fields::read(indicator?, "indicator", &["metadata", "spec"], notes)?;
    let vela = match fields.get("metadata") {
        Some(node) => Metadata::read(node, Kind::Sli, notes).and_then(|metadata| metadata.vela(notes)),
        None => None,
    };
    sli::read(fields.need("spec", notes)?, vela, notes).map(|sli| Source::Inline(Arc::new(sli)))
}

/// The one time window and its zone.
fn time_window(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<(Option<Window>, Tz)> {
    let node = match fields.list("timeWindow", notes)? {
        [] => return None,
        [one] => one,
        [_, second, ..] => {
            notes.error(second.place, "an SLO has one time window");
            return None;
        }
    };
    let fields = Fields::read(node, "timeWindow", &["duration", "isRolling", "calendar"], notes)?;
    let duration = match fields.need("duration", notes) {
        Some(_) => fields.parse("duration", notes, duration::shorthand),
        None => None,
    };
    let calendar = fields.get("calendar");
    let rolling = fields.flag("isRolling", notes).unwrap_or(calendar.is_none());
    let mut zone = Tz::UTC;
    if let Some(node) = calendar {
        if rolling {
            notes.error(node.place, "a rolling window has no calendar");
        }
        let fields = Fields::read(node, "calendar", &["startTime", "timeZone"], notes)?;
        zone = time_zone(&fields, notes).unwrap_or(Tz::UTC);
        fields.parse("startTime", notes, |text| instant::read(text, Tz::UTC));
    }
    Some((duration.map(|duration| Window { duration, rolling }), zone))
}

fn time_zone(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Tz> {
    let name = fields.need_text("timeZone", notes)?;
    let zone = name.parse().ok();
    if let (None, Some(node)) = (zone, fields.get("timeZone")) {
        let names: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
        let hint = nearest::near_hint(name, &names);
        let hint = hint.unwrap_or_else(|| "expected a name such as Asia/Shanghai or UTC".to_string());
        notes.error_hint(node.place, format!("unknown time zone '{name}'"), &hint);
    }
    zone
}

const GOAL: &[&str] = &[
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

fn goals(
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
    let fields = Fields::read(node, "the objective", GOAL, notes)?;
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
