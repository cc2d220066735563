//! Objectives together: of a service, of a business, of the company.

use std::collections::BTreeMap;

use nines_slo::{Definitions, Vela};
use nines_timeline::{Interval, Share, Sources, State, Timeline, error_sources, union};

use super::arguments::By;
use crate::evaluate::{Incident, Line};

/// Lines that are answered for together. What they do not have in common is `None`.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub business: Option<&'a str>,
    pub service: Option<&'a str>,
    pub objective: Option<&'a str>,
    pub lines: Vec<&'a Line>,
    /// Their union: a slice that several lost is lost once.
    pub timeline: Timeline,
    /// What is promised of the union; of one objective what it promises.
    pub target: Option<Share>,
}

/// The groups, in order. Grouped by objective, an SLO of several indicators has a group of its own besides.
pub(crate) fn groups<'a>(lines: &'a [Line], by: By, definitions: &'a Definitions) -> Vec<Group<'a>> {
    let mut keyed: BTreeMap<[&str; 3], Vec<&Line>> = BTreeMap::new();
    for line in lines {
        let key = match by {
            By::Objective => [line.business.as_ref(), line.service.as_ref(), line.objective.as_ref()],
            By::Service => [line.business.as_ref(), line.service.as_ref(), ""],
            By::Business => [line.business.as_ref(), "", ""],
            By::Company => ["", "", ""],
        };
        keyed.entry(key).or_default().push(line);
    }
    let mut groups = Vec::new();
    for ([business, service, objective], lines) in keyed {
        let target = match by {
            By::Objective => lines.last().map(|line| line.spec.target),
            By::Service => definitions.services.iter().find(|known| known.name == service).and_then(|s| s.target),
            By::Business | By::Company => None,
        };
        let has = |wanted: &[By]| wanted.contains(&by);
        groups.extend(group(
            has(&[By::Objective, By::Service, By::Business]).then_some(business),
            has(&[By::Objective, By::Service]).then_some(service),
            has(&[By::Objective]).then_some(objective),
            lines,
            target,
        ));
    }
    if by == By::Objective {
        for composite in &definitions.composites {
            let own: Vec<&Line> =
                lines.iter().filter(|line| composite.objectives.iter().any(|name| **name == *line.objective)).collect();
            let common = |of: fn(&Line) -> &str| {
                own.first().map(|first| of(first)).filter(|first| own.iter().all(|line| of(line) == *first))
            };
            let (business, service) = (common(|line| &line.business), common(|line| &line.service));
            groups.extend(group(business, service, Some(composite.name.as_str()), own, composite.target));
        }
        groups.sort_by(|a, b| (a.business, a.service, a.objective).cmp(&(b.business, b.service, b.objective)));
    }
    groups
}

fn group<'a>(
    business: Option<&'a str>,
    service: Option<&'a str>,
    objective: Option<&'a str>,
    lines: Vec<&'a Line>,
    target: Option<Share>,
) -> Option<Group<'a>> {
    let timelines: Vec<&Timeline> = lines.iter().map(|line| &line.timeline).collect();
    let timeline = union(&timelines)?;
    Some(Group { business, service, objective, lines, timeline, target })
}

impl<'a> Group<'a> {
    /// What names it beside the groups of another range.
    pub fn key(&self) -> [Option<&'a str>; 3] {
        [self.business, self.service, self.objective]
    }
}

impl Group<'_> {
    /// The one objective that this is; `None` for a union.
    pub fn single(&self) -> Option<&Line> {
        match self.lines.as_slice() {
            [one] if self.objective == Some(one.objective.as_ref()) => Some(one),
            _ => None,
        }
    }

    /// The figure by the budgeting method of a single objective, of a union by time.
    pub fn slo(&self) -> Option<f64> {
        match self.single() {
            Some(line) => line.slo(),
            None => self.timeline.availability(),
        }
    }

    /// How fast the budget is spent; `None` where no target is stated.
    pub fn burn_rate(&self) -> Option<f64> {
        match self.single() {
            Some(line) => line.burn_rate(),
            None => self.timeline.burn_rate(self.target?),
        }
    }

    /// What is left of the budget; `None` where no target is stated.
    pub fn budget_remaining(&self) -> Option<f64> {
        match self.single() {
            Some(line) => line.budget_remaining(),
            None => self.timeline.budget_remaining(self.target?),
        }
    }

    /// Whether an incident is about it: every field of its scope is the group's, or that of a service in it.
    pub fn concerns(&self, incident: &Incident) -> bool {
        self.lines.iter().any(|line| incident.applies(&line.business, &line.service))
    }

    /// Intervals of errors with the objectives that were in error.
    pub fn with_sources<T>(&self, read: impl FnOnce(Vec<Sources<'_>>) -> T) -> T {
        let errors: Vec<(&str, Vec<Interval>)> = self
            .lines
            .iter()
            .map(|line| (line.objective.as_ref(), line.timeline.intervals(State::Error).collect()))
            .collect();
        let errors: Vec<(&str, &[Interval])> = errors.iter().map(|(name, of)| (*name, of.as_slice())).collect();
        read(error_sources(&errors))
    }
}

/// A dimension's label.
pub(crate) fn vela(vela: Vela) -> &'static str {
    match vela {
        Vela::Volume => "volume",
        Vela::Errors => "errors",
        Vela::Latency => "latency",
        Vela::Availability => "availability",
    }
}
