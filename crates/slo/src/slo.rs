//! The `spec` of an SLO: what is promised of which indicator.

use chrono_tz::Tz;
use nines_timeline::{Grid, Share};

use crate::describe::length;
use crate::fields::{self, Fields};
use crate::goal::{Goal, goals};
use crate::metadata::Metadata;
use crate::mistake::{Complaint, Notes};
use crate::object::Reference;
use crate::objective::{Budgeting, Vela, Window};
use crate::source::{Source, source};
use crate::yaml::Node;
use crate::{alerts, duration, instant, local_days, nearest};

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
    /// At which time of the local day the calendar's periods begin, and wide slices with them: µs after midnight.
    pub time_of_day: i64,
    pub window: Option<Window>,
    pub budgeting: Budgeting,
    pub indicator: Option<Source>,
    pub goals: Vec<Goal>,
}

impl Slo {
    /// Where the slices of an objective lie, if it is in force from an instant (µs) on: wide ones are laid from the calendar's
    /// time of day.
    pub fn slices(&self, goal: &Goal, from: i64) -> Grid {
        Grid::new(local_days::day_start(self.time_zone, self.time_of_day, from), goal.slice)
    }

    /// What is wrong with slices of an objective that do not divide every day of the calendar's zone, and what to do about it.
    /// `widest` says the widest ones that do, if that matters.
    pub fn misfit(&self, goal: &Goal, widest: impl FnOnce(Tz) -> i64) -> Option<(String, String)> {
        const QUARTER: i64 = 15 * 60 * 1_000_000;
        let zone = self.time_zone;
        // All clocks have changed by quarters of an hour.
        if zone == Tz::UTC || QUARTER % goal.slice == 0 {
            return None;
        }
        let widest = widest(zone);
        let reason = format!("slices of {} do not divide every day of {zone}, where clocks change", length(goal.slice));
        (widest % goal.slice != 0).then(|| (reason, format!("as {} or less do", length(widest))))
    }

    /// The same of all its objectives, if it is in force from an instant (µs) on.
    pub fn misfits(&self, from: i64) -> Vec<Complaint> {
        let misfit = |goal: &Goal| {
            let (reason, hint) = self.misfit(goal, |zone| local_days::day_unit(zone, from))?;
            Some(Complaint::new(goal.place, reason, Some(&hint)))
        };
        self.goals.iter().filter_map(misfit).collect()
    }

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
    let TimeWindow { window, time_zone, time_of_day } = time_window(&fields, notes).unwrap_or_default();
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
        time_of_day,
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

/// `timeWindow`, with the zone and the time of day of its calendar.
struct TimeWindow {
    window: Option<Window>,
    time_zone: Tz,
    time_of_day: i64,
}

impl Default for TimeWindow {
    fn default() -> Self {
        TimeWindow { window: None, time_zone: Tz::UTC, time_of_day: 0 }
    }
}

/// The one time window.
fn time_window(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<TimeWindow> {
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
    let (mut time_zone, mut time_of_day) = (Tz::UTC, 0);
    if let Some(node) = calendar {
        if rolling {
            notes.error(node.place, "a rolling window has no calendar");
        }
        let fields = Fields::read(node, "calendar", &["startTime", "timeZone"], notes)?;
        time_zone = self::time_zone(&fields, notes).unwrap_or(Tz::UTC);
        let read = |text: &str| instant::time_of_day(text, time_zone);
        time_of_day = fields.parse("startTime", notes, read).unwrap_or(0);
    }
    Some(TimeWindow { window: duration.map(|duration| Window { duration, rolling }), time_zone, time_of_day })
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
