//! Objectives together: of a service, of a business, of the company.

use std::collections::BTreeMap;

use nines_slo::{Definitions, Promise, Vela};
use nines_timeline::{
    Budget, Interval, MICROS, Share, Sources, State, Timeline, error_sources, intersection, normalize, quotient, union,
};

use super::arguments::By;
use crate::evaluate::{Incident, Line, seconds_of};

/// Lines that are answered for together. What they do not have in common is `None`.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub business: Option<&'a str>,
    pub service: Option<&'a str>,
    pub objective: Option<&'a str>,
    pub lines: Vec<&'a Line>,
    /// Their union: a slice that several lost is lost once.
    pub timeline: Timeline,
    /// What is promised of the union when; empty for one objective, whose line knows.
    pub promises: Vec<Promise>,
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
        let promises = match by {
            By::Service => definitions.promises(service).to_vec(),
            By::Objective | By::Business | By::Company => Vec::new(),
        };
        let has = |wanted: &[By]| wanted.contains(&by);
        groups.extend(group(
            has(&[By::Objective, By::Service, By::Business]).then_some(business),
            has(&[By::Objective, By::Service]).then_some(service),
            has(&[By::Objective]).then_some(objective),
            lines,
            promises,
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
            groups.extend(group(business, service, Some(composite.name.as_str()), own, composite.promises.clone()));
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
    promises: Vec<Promise>,
) -> Option<Group<'a>> {
    let timelines: Vec<&Timeline> = lines.iter().map(|line| &line.timeline).collect();
    let timeline = union(&timelines)?;
    Some(Group { business, service, objective, lines, timeline, promises })
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

    /// What was promised of all that was measured, and how much of it was bad: by the objective's own method, of a union by time.
    /// Promised is the target in force at each slice, or the one that is given instead. `None` where none was.
    pub fn measured(&self, instead: Option<Share>) -> Option<Budget> {
        match self.single() {
            Some(line) => Some(line.measured(instead)),
            None => self.by_time(instead, false),
        }
    }

    /// The budget of the range: what was measured and what is still ahead. `None` where nothing was promised.
    pub fn whole(&self, instead: Option<Share>) -> Option<Budget> {
        match self.single() {
            Some(line) => Some(line.whole(instead)),
            None => self.by_time(instead, true),
        }
    }

    /// How much of the range may be bad: seconds, of an objective by Occurrences events.
    pub fn allowed(&self, instead: Option<Share>) -> Option<f64> {
        match self.single() {
            Some(line) => line.allowed(instead),
            None => {
                Some(self.by_time(instead, true)?.allowed() * quotient(self.timeline.slice().into(), MICROS.into()))
            }
        }
    }

    fn by_time(&self, instead: Option<Share>, ahead: bool) -> Option<Budget> {
        let ever = [Promise { in_force: Interval::new(i64::MIN, i64::MAX), target: instead }];
        let promises = if instead.is_some() { &ever[..] } else { &self.promises };
        let span = self.timeline.span();
        let known = |state: State| self.timeline.intervals(state);
        // Ahead is what is so for one of them, unless another is measured there already.
        let unmeasured = normalize(known(State::NoData).chain(known(State::Excluded)).collect());
        let all_ahead = normalize(self.lines.iter().flat_map(|line| &line.ahead).copied().collect());
        let all_ahead = if ahead { intersection(all_ahead, unmeasured.iter().copied()) } else { Vec::new() };
        let mut budget = None;
        for promise in promises {
            let Some(target) = promise.target else { continue };
            // A slice is under the promise that is in force when it begins.
            let slice = self.timeline.slice();
            let up = |t: i64| {
                let t = t.clamp(span.start, span.end) - span.start;
                span.start + (t / slice + i64::from(t % slice != 0)) * slice
            };
            let own = Interval::new(up(promise.in_force.start), up(promise.in_force.end));
            let within = |of: &mut dyn Iterator<Item = Interval>| {
                intersection(of, [own]).iter().map(|interval| interval.duration()).sum::<i64>()
            };
            let unmeasured = within(&mut unmeasured.iter().copied());
            let counted = own.duration() - unmeasured + within(&mut all_ahead.iter().copied());
            let budget = budget.get_or_insert_with(Budget::of_counts);
            budget.promise(target, counted / self.timeline.slice());
            budget.spend(within(&mut known(State::Error)) / self.timeline.slice());
        }
        budget
    }

    /// The share that was promised of what was measured, as a number: blended where it changed; where nothing was measured, the
    /// last. `None` where none was.
    pub fn target(&self, instead: Option<Share>) -> Option<f64> {
        let blended = self.measured(instead)?.target();
        let last = || instead.or_else(|| self.single().map(|line| line.spec.target)).or_else(|| self.last_promise());
        blended.or_else(|| last().map(super::columns::float_of))
    }

    /// The last promise of a union within its span.
    pub fn last_promise(&self) -> Option<Share> {
        let begun = self.promises.iter().filter(|promise| promise.in_force.start < self.timeline.end());
        begun.filter_map(|promise| promise.target).next_back()
    }

    /// Seconds that were ok or in error by what `noData` says alone. Of a union at most so many: what no objective that was
    /// measured by events says is not kept minute by minute, so it is all but what the best known of them was measured.
    pub fn assumed_seconds(&self) -> f64 {
        let measured = |timeline: &Timeline| timeline.duration_in(State::Ok) + timeline.duration_in(State::Error);
        let micros = match (self.single(), self.lines.as_slice()) {
            (Some(line), _) => line.assumed,
            (None, [line]) => line.assumed,
            (None, lines) if lines.iter().all(|line| line.assumed == 0) => 0,
            (None, lines) => {
                let known = lines.iter().map(|line| measured(&line.timeline) - line.assumed).max().unwrap_or(0);
                (measured(&self.timeline) - known).max(0)
            }
        };
        quotient(micros.into(), MICROS.into())
    }

    /// Seconds in error because telemetry was lost.
    pub fn lost_seconds(&self) -> f64 {
        let lost = normalize(self.lines.iter().flat_map(|line| &line.lost).copied().collect());
        seconds_of(&lost)
    }

    /// Where latency thresholds lie between two that are known, for people; `None` where the figures are exact.
    pub fn approximation(&self) -> Option<String> {
        let told = |line: &&Line| {
            let told = line.approximation()?;
            Some(if self.single().is_some() { told } else { format!("{} {told}", line.objective) })
        };
        let all: Vec<String> = self.lines.iter().filter_map(told).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// End of the last stored slice with data of any objective.
    pub fn last_data(&self) -> Option<i64> {
        self.lines.iter().filter_map(|line| line.last_data).max()
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
