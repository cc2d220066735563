//! From counts to what is owed: every case that has requests or a fee.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use nines_slo::{Compacted, Counts, Credit, CreditError, Evidence, Measured, Part, Terms};

use super::Owed;
use super::by_objective::Events;
use super::case::{Case, CaseName};
use super::completeness::Lack;
use super::counted::{Counted, add};
use super::period_terms::PeriodTerms;
use crate::threads::by_threads;

/// What is owed, by agreement, customer and service, from what the partitions of a scan counted, each of later days than the one
/// before; worked out on so many threads, with the evidence or without.
pub(super) fn owed(
    judging: &PeriodTerms,
    counted: Vec<Counted>,
    events: &Events,
    threads: usize,
    with_evidence: bool,
) -> Result<Vec<Owed>> {
    tell_without_latency(judging, &counted);
    let mut cases: BTreeMap<CaseName, (Arc<Case>, Vec<Counted>)> = BTreeMap::new();
    for new in counted {
        let case = Arc::clone(&new.case);
        cases.entry(case.name()).or_insert_with(|| (case, Vec::new())).1.push(new);
    }
    let mut silent = |agreement: usize, customer: &str, service: &str| -> Result<CaseName> {
        let name: CaseName = (agreement, customer.into(), service.into());
        if !cases.contains_key(&name)
            && let Some(case) = judging.case(agreement, customer, service)?
        {
            cases.insert(name.clone(), (case, Vec::new()));
        }
        Ok(name)
    };
    for (number, agreement) in judging.agreements() {
        let Some(usual) = judging.usual(agreement) else { continue };
        for (customer, service) in judging.fees.payers(&usual, |plan| usual.terms.matches_plan(plan)) {
            silent(number, customer, service)?;
        }
    }
    let mut issued = HashSet::new();
    for [name, customer, service] in &judging.issued {
        if let Some((number, _)) = judging.agreements().find(|(_, agreement)| agreement.name == *name) {
            issued.insert(silent(number, customer, service)?);
        }
    }
    // Case by case the counts of the partitions are joined and, unless they are asked for, let go of when the credit is known.
    let owed = by_threads(cases.into_iter().collect(), threads, AT_ONCE, |(name, (case, counted))| {
        let owed = CaseParts::joined(case, counted, events)
            .map(|parts| worked_out(judging, parts, issued.contains(&name), with_evidence));
        owed.transpose()
    });
    owed.into_iter().collect()
}

/// What is owed of a case that has requests or a fee, or was issued. If it fails, that is noted.
fn worked_out(judging: &PeriodTerms, parts: CaseParts, is_issued: bool, with_evidence: bool) -> Option<Owed> {
    let named = named(judging, &parts.case);
    // An amount that cannot be worked out is not left out in silence.
    let is_paid =
        parts.case.bare.fee.is_some() || !parts.case.unpaid.is_empty() || judging.failed().contains_key(&named);
    if !parts.used_by_requests() && !is_paid && !is_issued {
        return None;
    }
    let owed = of(judging, parts).map_err(|why| judging.fail(named, &why)).ok()?;
    Some(if with_evidence { owed } else { Owed { evidence: None, ..owed } })
}

/// How many cases a thread takes at once.
const AT_ONCE: usize = 256;

/// What was counted of a case, by metric and member.
struct CaseParts {
    case: Arc<Case>,
    parts: Vec<Counted>,
}

impl CaseParts {
    /// What the partitions counted of it, in the order of their days, and the events of the objectives by which it is judged.
    fn joined(case: Arc<Case>, counted: Vec<Counted>, events: &Events) -> Result<Self> {
        let mut parts = CaseParts { case, parts: Vec::new() };
        counted.into_iter().try_for_each(|new| parts.join(new))?;
        parts.parts.iter_mut().try_for_each(Counted::finish)?;
        parts.count(events)?;
        Ok(parts)
    }

    fn join(&mut self, new: Counted) -> Result<()> {
        let name = (new.surely, new.metric, &*new.member);
        let found = self.parts.binary_search_by(|own| (own.surely, own.metric, &*own.member).cmp(&name));
        let at = found.unwrap_or_else(|free| {
            let of = (new.metric, new.surely);
            let nothing = Counted::nothing(Arc::clone(&self.case), of, Arc::clone(&new.member));
            self.parts.insert(free, nothing);
            free
        });
        self.parts[at].join(new)
    }

    /// Whether there was a valid request of the customer, and not only an event that is everybody's.
    fn used_by_requests(&self) -> bool {
        let is_of_requests = |counted: &&Counted| counted.case.metric(counted.metric).0.terms.objective.is_none();
        self.parts.iter().filter(is_of_requests).any(|counted| counted.kept.measured.used)
    }

    /// Counts the events of the objectives by which it is judged.
    fn count(&mut self, events: &Events) -> Result<()> {
        let case = Arc::clone(&self.case);
        for (metric, terms) in case.terms.metrics().enumerate() {
            let Some(objective) = &terms.objective else { continue };
            let (_, compactor) = case.metric(metric);
            let mut counts = Vec::new();
            for own in events.of(objective, case.reads) {
                add(&mut counts, Counts { start: compactor.pieces.start_of(own.start), ..*own })?;
            }
            let mut counted = Counted::nothing(Arc::clone(&case), (metric, false), "".into());
            counted.take(&[("", &counts)])?;
            self.join(counted)?;
        }
        Ok(())
    }

    /// Whether there was a valid request, or an event of an objective.
    fn used(&self) -> bool {
        self.parts.iter().any(|counted| counted.kept.measured.used)
    }

    /// Evidence, and what of it was measured, part by part: as it is taken, and where latencies lie about a limit so that it is not
    /// known which are slower, with those alone that are so for sure.
    fn evidence(self) -> (OfEvidence, Option<OfEvidence>) {
        let (surely, taken): (Vec<Counted>, Vec<Counted>) = self.parts.into_iter().partition(|own| own.surely);
        let differs = |own: &Counted| {
            let other = taken.iter().find(|other| (other.metric, &other.member) == (own.metric, &own.member));
            other.is_none_or(|other| other.kept != own.kept)
        };
        let sure = surely.iter().any(differs).then(|| {
            let of_sure = |own: &Counted| {
                let other = surely.iter().find(|other| (other.metric, &other.member) == (own.metric, &own.member));
                let kept = other.unwrap_or(own).kept.clone();
                Counted { kept, ..Counted::nothing(Arc::clone(&own.case), (own.metric, true), Arc::clone(&own.member)) }
            };
            put_together(&self.case, taken.iter().map(of_sure).collect())
        });
        (put_together(&self.case, taken), sure)
    }
}

/// Evidence, and what of it was measured, part by part.
type OfEvidence = (Evidence, Vec<Measured>);

fn put_together(case: &Case, parts: Vec<Counted>) -> OfEvidence {
    let (mut evidence, mut measured) = (case.bare.clone(), Vec::new());
    let has_parts = case.terms.has_parts();
    for Counted { metric, member, kept, .. } in parts {
        let Compacted { slices, other_valid, other_valid_months, measured: own } = kept;
        measured.push(own);
        match has_parts {
            true => {
                let member = member.to_string();
                evidence.parts.push(Part { metric, member, slices, other_valid, other_valid_months });
            }
            false => evidence = Evidence { slices, other_valid, other_valid_months, ..evidence },
        }
    }
    (evidence, measured)
}

/// Tells of requests whose latency nobody knows, where it decides.
fn tell_without_latency(judging: &PeriodTerms, counted: &[Counted]) {
    let mut by_agreement: BTreeMap<usize, i64> = BTreeMap::new();
    for part in counted.iter().filter(|part| part.without_latency > 0 && !part.surely) {
        let sum = by_agreement.entry(part.case.agreement).or_default();
        *sum = sum.saturating_add(part.without_latency);
    }
    for (agreement, requests) in by_agreement {
        let name = &judging.definitions.agreements[agreement].name;
        let store = judging.store.iter();
        store.for_each(|store| {
            store.notice(format!(
                "agreement {name}: {requests} requests carry no latency; they count as not slower than its limit"
            ));
        });
    }
}

fn named(judging: &PeriodTerms, case: &Case) -> [String; 3] {
    let agreement = &judging.definitions.agreements[case.agreement].name;
    [agreement.clone(), case.customer.to_string(), case.service.to_string()]
}

fn of(judging: &PeriodTerms, parts: CaseParts) -> Result<Owed> {
    let (case, traffic) = (Arc::clone(&parts.case), parts.used());
    let agreement = judging.definitions.agreements[case.agreement].name.clone();
    let case: &Case = &case;
    // While rows were counted this was not known yet, if nothing depends on it.
    let business = judging.business(case.agreement, case.version, &case.service, case.judged.start)?;
    let ((mut evidence, measured), sure) = parts.evidence();
    let covered = case.covered();
    let wrong = |error| exec_datafusion_err!("{error}");
    let name = named(judging, case);
    let credit = nines_slo::credit(&covered, &evidence).or_else(|why| {
        if !is_of_the_fee(&why) {
            return Err(why);
        }
        judging.fail(name.clone(), &wrong(why));
        evidence.fee = None;
        nines_slo::credit(&covered, &evidence)
    });
    let mut credit = credit.map_err(wrong)?;
    let mut bounds = nines_slo::bounds(&covered, &evidence, &credit, &measured).map_err(wrong)?;
    if let Some((sure, measured)) = sure {
        let sure = Evidence { fee: evidence.fee.clone(), ..sure };
        let at_least = nines_slo::credit(&covered, &sure).map_err(wrong)?;
        let best = nines_slo::bounds(&covered, &sure, &at_least, &measured).map_err(wrong)?.best;
        if best.availability > bounds.best.availability {
            bounds.best = best;
        }
        if evidence.fee.is_some() && (&at_least.percent, at_least.amount) != (&credit.percent, credit.amount) {
            judging.fail(name.clone(), &unsure_of_latency(&case.terms, &credit, &at_least));
            evidence.fee = None;
            credit = nines_slo::credit(&covered, &evidence).map_err(wrong)?;
        }
    }
    Ok(Owed {
        customer: case.customer.to_string(),
        service: case.service.to_string(),
        business: business.to_string(),
        terms: Arc::clone(&case.terms),
        rules: case.rules,
        period: case.period.name.to_string(),
        unpaid: case.unpaid.clone(),
        judged: case.judged,
        needed: case.needs,
        reads: case.reads,
        watermark: Some(judging.watermark_of(&case.terms)).filter(|at| *at > i64::MIN),
        complete: judging.is_complete(case.needs),
        lack: Lack::default(),
        active: case.active,
        credit,
        beside: if evidence.fee.is_some() { judging.beside(case) } else { Vec::new() },
        bounds,
        evidence: Some(evidence),
        agreement,
        traffic,
        failed: judging.failed().get(&name).cloned(),
    })
}

/// Why a credit is not sure that depends on latencies about a limit.
fn unsure_of_latency(terms: &Terms, taken: &Credit, sure: &Credit) -> DataFusionError {
    let limits = terms.metrics().filter_map(|metric| metric.failed.as_ref()?.slower_than);
    let limits: BTreeSet<i64> = limits.collect();
    let limits: Vec<String> = limits.into_iter().map(|micros| format!("{} ms", micros as f64 / 1000.0)).collect();
    let share = |credit: &Credit| credit.percent.rounded(100_000_000).to_string().parse::<f64>().unwrap_or(0.0) / 1e6;
    exec_datafusion_err!(
        "of some requests it is not known whether they took longer than {}: their latency lies in one bucket with it. The credit is {} % \
         if they did, and {} % if not. Store exact counts at this limit in latency_le, or agree on another",
        limits.join(" or "),
        share(taken),
        share(sure)
    )
}

/// Whether an availability can be worked out all the same.
fn is_of_the_fee(why: &CreditError) -> bool {
    use CreditError::{Fee, OtherCurrency, UnknownCurrency};
    matches!(why, UnknownCurrency(_) | OtherCurrency { .. } | Fee { .. })
}
