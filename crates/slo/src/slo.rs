//! The `spec` of an SLO: what is promised of which indicator.

use std::sync::Arc;

use chrono_tz::Tz;
use nines_timeline::Share;

use crate::document::{Kind, Reference};
use crate::fields::{self, Fields};
use crate::goal::{Goal, goals};
use crate::metadata::Metadata;
use crate::mistake::Notes;
use crate::objective::{Budgeting, Vela, Window};
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
pub(crate) fn source(fields: &Fields<'_>, references: &mut Vec<Reference>, notes: &mut Notes<'_>) -> Option<Source> {
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

/// `timeZone`, which must be there.
pub(crate) fn time_zone(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Tz> {
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
