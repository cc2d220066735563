//! Definitions from their versions: who refers to whom when, and what each objective said from when to when.
//!
//! An objective changes where its SLO does, the SLI that this refers to, or the `Service` object; before the first
//! version of an SLI or a service that first version holds. One pass over the sorted versions, look-ups by search.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono_tz::Tz;
use nines_timeline::{Grid, Interval};

use crate::agreement::{Agreement, AgreementVersion, Draft, Misfit, misfit};
use crate::definitions::Belonging;
use crate::definitions::Composite;
use crate::definitions::Definitions;
use crate::definitions::Promise;
use crate::digest::sha256;
use crate::document::{Body, Document, Unread, reread};
use crate::goal::Goal;
use crate::instant::SINCE_EVER;
use crate::local_days;
use crate::mistake::{Complaint, Mistake, Severity, mistake};
use crate::nearest;
use crate::object::ObjectKind;
use crate::object::Stored;
use crate::objective::{Objective, Spec, Version};
use crate::service::Service;
use crate::sli::{Metric, Sli};
use crate::slo::Slo;
use crate::source::Source;
use crate::spec::{Without, spec};
use crate::unmeasured::{Unmeasured, Unreadable, foreign, unreadable};

/// Resolves what is recorded; of several texts with the same kind, name and effective date the last one counts. Every
/// mistake names its object, such as `SLO login-success`, instead of a file.
pub fn resolve(stored: &[Stored]) -> Result<Definitions, Vec<Mistake>> {
    let (documents, unread) = reread(stored.iter());
    let mut mistakes: Vec<Mistake> = unread.into_iter().flat_map(|unread| unread.mistakes).collect();
    let documents = documents.iter().map(|(from, document)| (*from, document));
    let (definitions, told) = all(documents, &HashSet::new(), &[]);
    mistakes.extend(told.into_iter().filter(|told| told.severity == Severity::Error));
    if !mistakes.is_empty() {
        mistakes.sort();
        return Err(mistakes);
    }
    Ok(definitions)
}

/// The same, whatever is wrong with it: an earlier version of Nines recorded what this one might refuse. That alone is without
/// figures, and the definitions say why.
pub fn recorded(stored: &[Stored]) -> Definitions {
    let (documents, unread) = reread(stored.iter());
    let documents = documents.iter().map(|(from, document)| (*from, document));
    all(documents, &HashSet::new(), &unread).0
}

/// Versions of one object, ascending.
type Versions<'d, T> = Vec<(i64, &'d Document, &'d T)>;

/// The version at an instant: the last that is in force; before the first one, the first.
fn at<'d, T>(versions: &[(i64, &'d Document, &'d T)], instant: i64) -> Option<&'d T> {
    let after = versions.partition_point(|(from, ..)| *from <= instant);
    versions.get(after.saturating_sub(1)).map(|(_, _, value)| *value)
}

/// Resolves documents that are in force from given instants. References to what is `refused` for its own mistakes are
/// passed over. What is recorded and `unread` ends the version before it, and takes the objectives with it that refer to it.
pub(crate) fn all<'d>(
    documents: impl Iterator<Item = (i64, &'d Document)>,
    refused: &HashSet<(ObjectKind, String)>,
    unread: &[Unread<'_>],
) -> (Definitions, Vec<Mistake>) {
    let unread = Lost::new(unread);
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

    let mut resolver = Resolver {
        slis,
        services,
        refused,
        unread: &unread,
        objectives: BTreeMap::new(),
        unmeasured: Vec::new(),
        mistakes: Vec::new(),
        widest: HashMap::new(),
    };
    for versions in slos.values() {
        resolver.slo(versions);
    }
    let Resolver { services, objectives, mut unmeasured, mut mistakes, .. } = resolver;
    unmeasured.extend(unread.slos(|name, at| {
        let ends = slos.get(name).into_iter().flatten().map(|(from, ..)| *from).find(|from| *from > at);
        ends.unwrap_or(i64::MAX)
    }));
    unmeasured.sort_by(|a, b| (&a.objective, a.in_force).cmp(&(&b.objective, b.in_force)));
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
    let mut unreadable = unread.others();
    let mut known = Vec::new();
    for (name, versions) in agreements {
        let before = mistakes.len();
        let agreement = agreement(name, &versions, &mut mistakes);
        if let Some(wrong) = mistakes.get(before) {
            let why = wrong.reason.clone();
            unreadable.push(Unreadable { kind: ObjectKind::Agreement, name: name.to_string(), why });
        }
        let is_whole = unreadable.iter().all(|lost| (lost.kind, lost.name.as_str()) != (ObjectKind::Agreement, name));
        if is_whole && !agreement.versions.is_empty() {
            known.push(agreement);
        }
    }
    let objectives = objectives.into_values().collect();
    let (agreements, unmeasured) = (known, unmeasured);
    (
        Definitions { objectives, composites, services, belongings, promises, agreements, unmeasured, unreadable },
        mistakes,
    )
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

/// What is recorded and cannot be read, by name: from when, and the first thing that is wrong.
#[derive(Default)]
struct Lost(BTreeMap<(ObjectKind, String), Vec<(i64, String)>>);

impl Lost {
    fn new(unread: &[Unread<'_>]) -> Lost {
        let mut lost = Lost::default();
        for Unread { stored, mistakes } in unread {
            let from = if stored.effective_from == SINCE_EVER { i64::MIN } else { stored.effective_from };
            let reason = mistakes.first().map_or_else(String::new, |mistake| mistake.reason.clone());
            lost.0.entry((stored.kind, stored.name.clone())).or_default().push((from, reason));
        }
        lost.0.values_mut().for_each(|versions| versions.sort());
        lost
    }

    /// What is wrong with an object.
    fn why(&self, kind: ObjectKind, name: &str) -> Option<&str> {
        self.0.get(&(kind, name.to_string())).and_then(|versions| Some(versions.first()?.1.as_str()))
    }

    /// The start of the first version after an instant.
    fn after(&self, kind: ObjectKind, name: &str, at: i64) -> i64 {
        let mut starts = self.0.get(&(kind, name.to_string())).into_iter().flatten().map(|(from, _)| *from);
        starts.find(|from| *from > at).unwrap_or(i64::MAX)
    }

    /// SLOs, each with the end of its version: the next of its own, or the one that `next` knows.
    fn slos(&self, next: impl Fn(&str, i64) -> i64) -> Vec<Unmeasured> {
        let slos = self.0.iter().filter(|((kind, _), _)| *kind == ObjectKind::Slo);
        let versions = slos.flat_map(|((_, name), versions)| versions.iter().map(move |version| (name, version)));
        let told = versions.map(|(name, (from, reason))| Unmeasured {
            objective: name.clone(),
            slo: name.clone(),
            service: None,
            owner: None,
            target: None,
            in_force: Interval::new(*from, self.after(ObjectKind::Slo, name, *from).min(next(name, *from))),
            why: unreadable(reason),
        });
        told.collect()
    }

    /// What else the figures of others depend on.
    fn others(&self) -> Vec<Unreadable> {
        let others = self.0.iter().filter(|((kind, _), _)| matches!(kind, ObjectKind::Agreement | ObjectKind::Service));
        let told = others.flat_map(|((kind, name), versions)| {
            versions.iter().map(|(_, why)| Unreadable { kind: *kind, name: name.clone(), why: why.clone() })
        });
        told.collect()
    }
}

struct Resolver<'d> {
    slis: HashMap<&'d str, Versions<'d, Sli>>,
    services: BTreeMap<&'d str, Versions<'d, Service>>,
    refused: &'d HashSet<(ObjectKind, String)>,
    unread: &'d Lost,
    objectives: BTreeMap<String, Objective>,
    unmeasured: Vec<Unmeasured>,
    mistakes: Vec<Mistake>,
    /// The widest slices that divide every day of a zone from an instant on: worked out once.
    widest: HashMap<(Tz, i64), i64>,
}

impl<'d> Resolver<'d> {
    fn slo(&mut self, versions: &[(i64, &'d Document, &'d Slo)]) {
        for (i, (from, document, slo)) in versions.iter().enumerate() {
            let next = versions.get(i + 1).map_or(i64::MAX, |(next, ..)| *next);
            let next = next.min(self.unread.after(ObjectKind::Slo, &document.name, *from));
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
        let without = |in_force: Interval, why: String| Unmeasured {
            objective: name.clone(),
            slo: document.name.clone(),
            service: Some(slo.service.clone()),
            owner: slo.owner.clone(),
            target: Some(goal.target),
            in_force,
            why,
        };
        if let Some(why) = self.unread.why(ObjectKind::Service, &slo.service) {
            let why = format!("of its Service, {}", unreadable(why));
            return self.unmeasured.push(without(in_force, why));
        }
        let services = self.services.get(slo.service.as_str()).map_or([].as_slice(), Vec::as_slice);
        let widest = &mut self.widest;
        let from = in_force.start;
        let misfit =
            slo.misfit(goal, |zone| *widest.entry((zone, from)).or_insert_with(|| local_days::day_unit(zone, from)));
        let slices = (slo.slices(goal, from), misfit.map(|(reason, hint)| format!("{reason}, {hint}")));
        let (found, place, named) = match slo.source(goal) {
            None => return,
            Some(Source::Inline(sli)) => {
                let own = [(i64::MIN, document, sli.as_ref())];
                (versions((slo, goal, &slices), in_force, &own, services), None, Vec::new())
            }
            Some(Source::Named { name, place }) => match self.slis.get(name.as_str()) {
                _ if self.unread.why(ObjectKind::Sli, name).is_some() => {
                    let why = self.unread.why(ObjectKind::Sli, name).unwrap_or_default();
                    let why = format!("of its SLI {name}, {}", unreadable(why));
                    return self.unmeasured.push(without(in_force, why));
                }
                Some(slis) => {
                    let slis = slis.clone();
                    let is_foreign = slis.iter().all(|(_, _, sli)| matches!(sli.metric, Metric::Foreign(_)));
                    let found = versions((slo, goal, &slices), in_force, &slis, services);
                    if is_foreign {
                        let reason = format!("recorded, but Nines does not measure the indicator of SLI '{name}'");
                        self.tell(document, Complaint::new(*place, reason, None), Severity::Warning);
                    }
                    (found, Some(*place), slis)
                }
                None if self.refused.contains(&(ObjectKind::Sli, name.clone())) => return,
                None => {
                    let known: Vec<&str> = self.slis.keys().copied().collect();
                    let hint = nearest::near_hint(name, &known);
                    let complaint = Complaint::new(*place, format!("there is no SLI '{name}'"), hint.as_deref());
                    self.unmeasured.push(without(in_force, unreadable(&complaint.reason)));
                    return self.tell(document, complaint, Severity::Error);
                }
            },
        };
        let mut told: Vec<Complaint> = Vec::new();
        for (in_force, spec) in found {
            let why = match spec {
                Ok(spec) => {
                    if !in_force.is_empty() {
                        let objective =
                            Objective { name: name.clone(), slo: document.name.clone(), versions: Vec::new() };
                        let objective = self.objectives.entry(name.clone()).or_insert(objective);
                        let said = said(document, &named, in_force.start);
                        append(&mut objective.versions, Version { in_force, said, spec: Arc::new(spec) });
                    }
                    continue;
                }
                Err(Without::Foreign(kind)) => foreign(&kind),
                Err(Without::Wrong(complaint)) => {
                    let why = unreadable(&complaint.reason);
                    // What is wrong between an SLO and an indicator inside it was told when they were read.
                    if place.is_some() && !told.contains(&complaint) {
                        told.push(complaint);
                    }
                    why
                }
            };
            if !in_force.is_empty() {
                self.unmeasured.push(without(in_force, why));
            }
        }
        told.into_iter().for_each(|complaint| self.tell(document, complaint, Severity::Error));
    }

    fn tell(&mut self, document: &Document, complaint: Complaint, severity: Severity) {
        self.mistakes.push(mistake(&document.path, complaint, severity));
    }
}

/// Names the texts that an objective is said by from an instant on.
fn said(document: &Document, slis: &[(i64, &Document, &Sli)], from: i64) -> Arc<str> {
    let after = slis.partition_point(|(at, ..)| *at <= from);
    let sli = slis.get(after.saturating_sub(1)).map_or("", |(_, sli, _)| sli.text.as_str());
    let hash = sha256(&format!("{}\n{sli}", document.text));
    hash.get(..16).unwrap_or(&hash).into()
}

/// What an objective says while one version of its SLO is in force, one after the other. Judged even if that is never, or its
/// mistakes would wait until it is.
fn versions(
    (slo, goal, slices): (&Slo, &Goal, &(Grid, Option<String>)),
    in_force: Interval,
    slis: &[(i64, &Document, &Sli)],
    services: &[(i64, &Document, &Service)],
) -> Vec<(Interval, Result<Spec, Without>)> {
    let starts = changes(in_force, slis, services);
    let ends = starts.iter().skip(1).chain([&in_force.end]);
    let spans = starts.iter().zip(ends).map(|(start, end)| Interval::new(*start, *end));
    let said = spans.filter_map(|span| {
        Some((span, spec(slo, goal, at(slis, span.start)?, at(services, span.start), slices.clone())))
    });
    said.collect()
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
