//! Definitions from their versions: who refers to whom when, and what each objective said from when to when.
//!
//! An objective changes where its SLO does, the SLI that this refers to, or the `Service` object; before the first
//! version of an SLI or a service that first version holds. One pass over the sorted versions, look-ups by search.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono_tz::Tz;
use nines_timeline::{Grid, Interval};

use crate::agreement::{Agreement, AgreementVersion, Draft, Misfit, misfit};
use crate::document::{Body, Document, Kind, SINCE_EVER, Stored, reread};
use crate::goal::Goal;
use crate::local_days;
use crate::mistake::{Complaint, Mistake, Severity, mistake};
use crate::nearest;
use crate::objective::{Belonging, Composite, Definitions, Objective, Promise, Service, Version};
use crate::sli::Sli;
use crate::slo::{Slo, Source};
use crate::spec::spec;

/// Resolves what is recorded; of several texts with the same kind, name and effective date the last one counts. Every
/// mistake names its object, such as `SLO login-success`, instead of a file.
pub fn resolve(stored: &[Stored]) -> Result<Definitions, Vec<Mistake>> {
    let (documents, mut mistakes) = reread(stored.iter());
    let (definitions, told) = all(documents.iter().map(|(from, document)| (*from, document)), &HashSet::new());
    mistakes.extend(told.into_iter().filter(|told| told.severity == Severity::Error));
    if !mistakes.is_empty() {
        mistakes.sort();
        return Err(mistakes);
    }
    Ok(definitions)
}

/// Versions of one object, ascending.
type Versions<'d, T> = Vec<(i64, &'d Document, &'d T)>;

/// The version at an instant: the last that is in force; before the first one, the first.
fn at<'d, T>(versions: &[(i64, &'d Document, &'d T)], instant: i64) -> Option<&'d T> {
    let after = versions.partition_point(|(from, ..)| *from <= instant);
    versions.get(after.saturating_sub(1)).map(|(_, _, value)| *value)
}

/// Resolves documents that are in force from given instants. References to what is `refused` for its own mistakes are
/// passed over.
pub(crate) fn all<'d>(
    documents: impl Iterator<Item = (i64, &'d Document)>,
    refused: &HashSet<(Kind, String)>,
) -> (Definitions, Vec<Mistake>) {
    let mut slos: BTreeMap<&str, Versions<'_, Slo>> = BTreeMap::new();
    let mut slis: HashMap<&str, Versions<'_, Sli>> = HashMap::new();
    let mut services: BTreeMap<&str, Versions<'_, Service>> = BTreeMap::new();
    let mut agreements: BTreeMap<&str, Versions<'_, Draft>> = BTreeMap::new();
    for (from, document) in documents {
        let from = if from == SINCE_EVER { i64::MIN } else { from };
        let name = document.name.as_str();
        match &document.body {
            Body::Slo(slo) => slos.entry(name).or_default().push((from, document, slo)),
            Body::Sli(sli) => slis.entry(name).or_default().push((from, document, sli)),
            Body::Service(service) => services.entry(name).or_default().push((from, document, service)),
            Body::Agreement(draft) => agreements.entry(name).or_default().push((from, document, draft)),
            Body::Other => {}
        }
    }
    slos.values_mut().for_each(|versions| versions.sort_by_key(|(from, ..)| *from));
    slis.values_mut().for_each(|versions| versions.sort_by_key(|(from, ..)| *from));
    services.values_mut().for_each(|versions| versions.sort_by_key(|(from, ..)| *from));
    agreements.values_mut().for_each(|versions| versions.sort_by_key(|(from, ..)| *from));

    let (objectives, mistakes) = (BTreeMap::new(), Vec::new());
    let mut resolver = Resolver { slis, services, refused, objectives, mistakes, widest: HashMap::new() };
    for versions in slos.values() {
        resolver.slo(versions);
    }
    let Resolver { services, objectives, mut mistakes, .. } = resolver;
    let composites = slos.values().filter_map(|versions| composite(versions, &objectives)).collect();
    let of_services = || services.iter().map(|(name, versions)| (name.to_string(), spans(versions)));
    let belongings = of_services().map(|(name, spans)| {
        let business = |service: &Service| service.business.clone();
        let known = spans.into_iter().map(|(in_force, service)| Belonging { in_force, business: business(service) });
        (name, known.collect())
    });
    let promises = of_services().map(|(name, spans)| {
        let known = spans.into_iter().map(|(in_force, service)| Promise { in_force, target: service.target });
        (name, known.collect())
    });
    let (belongings, promises) = (belongings.collect(), promises.collect());
    let services = services.values().filter_map(|versions| Some(versions.last()?.2.clone())).collect();
    let agreements = agreements.into_iter().map(|(name, versions)| agreement(name, &versions, &mut mistakes));
    let agreements = agreements.filter(|agreement| !agreement.versions.is_empty()).collect();
    let objectives = objectives.into_values().collect();
    (Definitions { objectives, composites, services, belongings, promises, agreements }, mistakes)
}

/// What was said of a service when, as its objectives take it.
fn spans<'d>(versions: &Versions<'d, Service>) -> Vec<(Interval, &'d Service)> {
    let starts = changes(Interval::new(i64::MIN, i64::MAX), versions, &[] as &[(i64, &Document, ())]);
    let ends = starts.iter().skip(1).chain([&i64::MAX]);
    let spans = starts.iter().zip(ends).map(|(start, end)| Interval::new(*start, *end));
    spans.filter_map(|in_force| Some((in_force, at(versions, in_force.start)?))).collect()
}

/// An agreement, its versions joined where they go on saying the same.
fn agreement(name: &str, versions: &Versions<'_, Draft>, mistakes: &mut Vec<Mistake>) -> Agreement {
    let mut joined: Vec<AgreementVersion> = Vec::new();
    for (i, (from, document, draft)) in versions.iter().enumerate() {
        let next = versions.get(i + 1).map_or(i64::MAX, |(next, ..)| *next);
        let in_force = Interval::new(*from, next.min(draft.until.unwrap_or(i64::MAX)));
        let version = AgreementVersion { in_force, terms: Arc::clone(&draft.terms) };
        match joined.last_mut() {
            _ if in_force.is_empty() => {}
            Some(last) if last.in_force.end == in_force.start && last.terms == draft.terms => {
                last.in_force.end = in_force.end;
            }
            last => {
                if let Some(Misfit { reason, hint }) = last.and_then(|last| misfit(last, &version)) {
                    let complaint = Complaint::new(document.place(), reason, Some(&hint));
                    mistakes.push(mistake(&document.path, complaint, Severity::Error));
                }
                joined.push(version);
            }
        }
    }
    Agreement { name: name.to_string(), versions: joined }
}

/// The composite that an SLO is at last, and what it promised when.
fn composite(versions: &Versions<'_, Slo>, objectives: &BTreeMap<String, Objective>) -> Option<Composite> {
    let (_, document, slo) = versions.last()?;
    let names = slo.goals.iter().map(|goal| slo.objective_name(&document.name, goal));
    let names: Vec<String> = names.filter(|name| objectives.contains_key(name)).collect();
    let promises = versions.iter().enumerate().map(|(i, (from, _, slo))| {
        let next = versions.get(i + 1).map_or(i64::MAX, |(next, ..)| *next);
        Promise { in_force: Interval::new(*from, next.min(slo.until.unwrap_or(i64::MAX))), target: slo.target }
    });
    let promises = promises.filter(|promise| !promise.in_force.is_empty()).collect();
    let composite = Composite { name: document.name.clone(), promises, objectives: names };
    (slo.is_composite() && !composite.objectives.is_empty()).then_some(composite)
}

struct Resolver<'d> {
    slis: HashMap<&'d str, Versions<'d, Sli>>,
    services: BTreeMap<&'d str, Versions<'d, Service>>,
    refused: &'d HashSet<(Kind, String)>,
    objectives: BTreeMap<String, Objective>,
    mistakes: Vec<Mistake>,
    /// The widest slices that divide every day of a zone from an instant on: worked out once.
    widest: HashMap<(Tz, i64), i64>,
}

impl<'d> Resolver<'d> {
    fn slo(&mut self, versions: &[(i64, &'d Document, &'d Slo)]) {
        for (i, (from, document, slo)) in versions.iter().enumerate() {
            let next = versions.get(i + 1).map_or(i64::MAX, |(next, ..)| *next);
            let in_force = Interval::new(*from, next.min(slo.until.unwrap_or(i64::MAX)));
            for goal in &slo.goals {
                self.goal(document, slo, goal, in_force);
            }
        }
    }

    /// Adds what one objective of a version says while that is in force.
    fn goal(&mut self, document: &Document, slo: &Slo, goal: &Goal, in_force: Interval) {
        let name = slo.objective_name(&document.name, goal);
        if let Some(other) = self.objectives.get(&name).filter(|other| other.slo != document.name) {
            let reason = format!("the objective's name '{name}' is that of an objective of SLO {}", other.slo);
            self.tell(document, Complaint::new(goal.place, reason, None), Severity::Error);
            return;
        }
        let services = self.services.get(slo.service.as_str()).map_or([].as_slice(), Vec::as_slice);
        let widest = &mut self.widest;
        let from = in_force.start;
        let misfit =
            slo.misfit(goal, |zone| *widest.entry((zone, from)).or_insert_with(|| local_days::day_unit(zone, from)));
        let slices = (slo.slices(goal, from), misfit.map(|(reason, hint)| format!("{reason}, {hint}")));
        let versions = match slo.source(goal) {
            None => return,
            Some(Source::Inline(sli)) => {
                // What is wrong between the two was told when they were read.
                versions((slo, goal, &slices), in_force, &[(i64::MIN, document, sli.as_ref())], services)
                    .unwrap_or_default()
            }
            Some(Source::Named { name, place }) => match self.slis.get(name.as_str()) {
                Some(slis) => {
                    let foreign = slis.iter().all(|(_, _, sli)| sli.measure.is_none());
                    let (versions, complaints) = match versions((slo, goal, &slices), in_force, slis, services) {
                        Ok(versions) => (versions, Vec::new()),
                        Err(complaints) => (Vec::new(), complaints),
                    };
                    complaints.into_iter().for_each(|complaint| self.tell(document, complaint, Severity::Error));
                    if foreign {
                        let reason = format!("recorded, but Nines does not measure the indicator of SLI '{name}'");
                        self.tell(document, Complaint::new(*place, reason, None), Severity::Warning);
                    }
                    versions
                }
                None if self.refused.contains(&(Kind::Sli, name.clone())) => return,
                None => {
                    let known: Vec<&str> = self.slis.keys().copied().collect();
                    let hint = nearest::near_hint(name, &known);
                    let complaint = Complaint::new(*place, format!("there is no SLI '{name}'"), hint.as_deref());
                    return self.tell(document, complaint, Severity::Error);
                }
            },
        };
        if !versions.is_empty() {
            let objective = Objective { name: name.clone(), slo: document.name.clone(), versions: Vec::new() };
            let objective = self.objectives.entry(name).or_insert(objective);
            versions.into_iter().for_each(|version| append(&mut objective.versions, version));
        }
    }

    fn tell(&mut self, document: &Document, complaint: Complaint, severity: Severity) {
        self.mistakes.push(mistake(&document.path, complaint, severity));
    }
}

/// What an objective says while one version of its SLO is in force; nothing while Nines does not measure its
/// indicator. Judged even if that is never, or its mistakes would wait until it is.
fn versions(
    (slo, goal, slices): (&Slo, &Goal, &(Grid, Option<String>)),
    in_force: Interval,
    slis: &[(i64, &Document, &Sli)],
    services: &[(i64, &Document, &Service)],
) -> Result<Vec<Version>, Vec<Complaint>> {
    let starts = changes(in_force, slis, services);
    let ends = starts.iter().skip(1).chain([&in_force.end]);
    let (mut versions, mut complaints) = (Vec::new(), Vec::new());
    for (start, end) in starts.iter().zip(ends) {
        let Some(sli) = at(slis, *start) else { continue };
        match spec(slo, goal, sli, at(services, *start), slices.clone()) {
            Ok(Some(spec)) if start < end => {
                append(&mut versions, Version { in_force: Interval::new(*start, *end), spec: Arc::new(spec) });
            }
            Ok(_) => {}
            Err(complaint) if complaints.contains(&complaint) => {}
            Err(complaint) => complaints.push(complaint),
        }
    }
    if complaints.is_empty() { Ok(versions) } else { Err(complaints) }
}

/// The start of an interval and the instants inside it where one of two changes.
fn changes<A, B>(within: Interval, a: &[(i64, &Document, A)], b: &[(i64, &Document, B)]) -> Vec<i64> {
    let (a, b) = (a.iter().map(|(from, ..)| *from), b.iter().map(|(from, ..)| *from));
    // What is from the first version on holds before it, too.
    let mut instants: Vec<i64> = a.skip(1).chain(b.skip(1)).filter(|t| within.start < *t && *t < within.end).collect();
    instants.push(within.start);
    instants.sort_unstable();
    instants.dedup();
    instants
}

/// Adds a version, joined to the one before if it goes on saying the same.
fn append(versions: &mut Vec<Version>, version: Version) {
    match versions.last_mut() {
        Some(last) if last.in_force.end == version.in_force.start && last.spec == version.spec => {
            last.in_force.end = version.in_force.end;
        }
        _ => versions.push(version),
    }
}
