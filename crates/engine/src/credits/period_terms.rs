//! By what a period is judged: agreements, and all that is laid over counts.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use chrono_tz::Tz;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::{DataFusionError, Result};
use nines_slo::{
    Agreement, Compactor, Covered, CreditError, Definitions, Evidence, Excluded, ObjectKind, PeriodName, Rules, Terms,
};
use nines_store::{Store, TableKind};
use nines_timeline::{Grid, Interval};

use super::carried::Carried;
use super::case::{Case, CaseName};
use super::credited::CreditedBefore;
use super::fees::{Fees, Paid};
use super::presence::{Midnights, Presence, Seen, local_days};
use super::spans::hull;
use super::wanted::Wanted;
use crate::evaluate::{Exclusion, Incident, Prepared};

/// When nothing is said of a customer's coming and going.
pub(super) const ALWAYS: Interval = Interval { start: i64::MIN, end: i64::MAX };

/// Whose credits are wanted: all, or those of one.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Only under this agreement.
    pub agreement: Option<String>,
    /// Only of this customer.
    pub customer: Option<String>,
    /// Only under one of these agreements. Unlike the one that is chosen by name, they are issued when their periods are over.
    pub among: Option<BTreeSet<String>>,
}

impl Chosen {
    /// Whether an agreement may be one of those.
    pub fn has(&self, agreement: &str) -> bool {
        self.agreement.as_ref().is_none_or(|name| name == agreement)
            && self.among.as_ref().is_none_or(|among| among.contains(agreement))
    }

    /// Of these, only those under some agreements.
    pub(super) fn among(&self, agreements: impl IntoIterator<Item = String>) -> Chosen {
        Chosen { among: Some(agreements.into_iter().collect()), ..self.clone() }
    }
}

/// What one statement works credits out with.
#[derive(Debug)]
pub(super) struct PeriodTerms {
    /// The name of the period, or of a month of it.
    pub period: PeriodName,
    pub chosen: Chosen,
    /// Only those for whom the statement's filters ask.
    pub wanted: Wanted,
    /// Only agreements whose calendar period is over with the month.
    pub ending: bool,
    /// By which rules.
    pub rules: Rules,
    /// Only these agreements, customers and services.
    pub only: Option<HashSet<[String; 3]>>,
    /// What the rules cannot judge, and why.
    pub refused: Mutex<BTreeMap<[String; 3], String>>,
    /// For whom nothing, or no amount, can be worked out, and why: it concerns nobody else.
    pub failed: Mutex<BTreeMap<[String; 3], String>>,
    /// Whom an agreement of some plans may mean, and of whose plan nobody speaks.
    pub planless: Mutex<BTreeSet<[String; 3]>>,
    /// Agreement, customer and service of what was issued: told of even where nothing is left of it.
    pub issued: Vec<[String; 3]>,
    pub definitions: Arc<Definitions>,
    pub fees: Fees,
    /// What was credited for earlier periods of a year that an agreement limits.
    pub credited: CreditedBefore,
    pub exclusions: Vec<Exclusion>,
    /// Incidents, whatever happened in them.
    pub incidents: Vec<Incident>,
    /// Those in which telemetry was lost.
    pub lost: Vec<Incident>,
    /// What rows say of the business of services of which nobody else does.
    pub carried: Carried,
    /// Where local days begin, of all zones in which is judged.
    pub midnights: Midnights,
    /// Agreements that cannot be judged because rows that their credits follow from were removed, and why.
    pub removed: BTreeMap<String, String>,
    /// What was asked before: all partitions of a scan share it.
    pub cases: Mutex<HashMap<CaseName, Option<Arc<Case>>>>,
    /// The case of each agreement that was worked out last.
    pub latest: Mutex<HashMap<usize, Arc<Case>>>,
    /// The objectives by which agreements judge.
    pub asked_objectives: BTreeMap<String, Prepared>,
    /// When they counted events; set before what is owed is worked out.
    pub seen_by_objective: OnceLock<BTreeMap<String, Seen>>,
    /// On which days services have rows; set before what is owed is worked out.
    pub presence: OnceLock<Presence>,
    /// Start of the first slice of `requests`; `i64::MAX` where there is none.
    pub first: i64,
    /// End of the newest slice of `requests`.
    pub watermark: i64,
    /// The end of the newest slice of each raw table, in µs; `i64::MIN` where there is none.
    pub watermarks: BTreeMap<TableKind, i64>,
    /// The store's slice width in µs.
    pub slot: i64,
    /// Where what people should know is said.
    pub store: Option<Store>,
    /// Until when an open incident goes on.
    pub now: i64,
}

/// How long after the beginning of what is needed data may begin: a quiet hour is none that is missing.
const QUIET: i64 = 3600 * nines_timeline::MICROS;

impl PeriodTerms {
    pub fn agreements(&self) -> impl Iterator<Item = (usize, &Agreement)> {
        let wanted = |agreement: &Agreement| {
            self.chosen.has(&agreement.name)
                && !self.removed.contains_key(&agreement.name)
                && self.wanted.agreement(&agreement.name)
        };
        let all = self.definitions.agreements.iter().enumerate();
        all.filter(move |(_, agreement)| wanted(agreement) && !self.is_early(agreement))
    }

    /// Whether what fails depends on latencies.
    pub fn asks_latency(&self) -> bool {
        let judging = self.agreements().flat_map(|(_, agreement)| self.judges(agreement));
        judging
            .flat_map(|(_, covered)| covered.metrics())
            .any(|metric| metric.terms.failed.as_ref().is_some_and(|failed| failed.slower_than.is_some()))
    }

    /// The agreements that are left out because their calendar period goes on after the month.
    pub fn left_out(&self) -> Vec<String> {
        let early = self.early().filter(|agreement| self.chosen.has(&agreement.name));
        early.map(|agreement| agreement.name.clone()).collect()
    }

    /// The agreements whose calendar period goes on after the month.
    pub fn early(&self) -> impl Iterator<Item = &Agreement> {
        self.definitions.agreements.iter().filter(|agreement| self.is_early(agreement))
    }

    fn is_early(&self, agreement: &Agreement) -> bool {
        self.ending && self.usual(agreement).is_some_and(|usual| usual.period.last_name() > self.period)
    }

    /// How an agreement judges the period if nobody came or went in it; `None` if it does not.
    pub fn usual<'a>(&self, agreement: &'a Agreement) -> Option<Covered<'a>> {
        agreement.covered(self.period, ALWAYS, self.rules)
    }

    /// The versions that judge the period, by number, each as for a customer who came when it began: who comes later may be
    /// judged by a later one.
    pub fn judges<'a>(&self, agreement: &'a Agreement) -> Vec<(usize, Covered<'a>)> {
        let versions = agreement.versions.iter().enumerate();
        let judging = versions.filter_map(|(number, version)| {
            let covered =
                agreement.covered(self.period, Interval::new(version.in_force.start, i64::MAX), self.rules)?;
            std::ptr::eq(version.terms.as_ref(), covered.terms).then_some((number, covered))
        });
        judging.collect()
    }

    /// Whether an exclusion or an incident is about one business, wherever that is.
    pub fn has_scoped_records(&self) -> bool {
        let is_about_one = |business: &str| !business.is_empty();
        self.exclusions.iter().any(|exclusion| is_about_one(&exclusion.scope[0]))
            || self.lost.iter().any(|incident| is_about_one(&incident.business))
    }

    /// Whether the table reaches over all of a time, whatever services its rows are of: how earlier rules took a period as complete.
    pub fn is_complete(&self, needs: Interval) -> bool {
        self.first.saturating_sub(QUIET) <= needs.start && self.watermark >= needs.end
    }

    /// For whom nothing, or no amount, could be worked out, and why.
    pub fn failed(&self) -> MutexGuard<'_, BTreeMap<[String; 3], String>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes why nothing, or no amount, can be worked out for somebody.
    pub fn fail(&self, name: [String; 3], why: &DataFusionError) {
        self.failed().insert(name, why.message().into_owned());
    }

    /// How the period of a customer is judged; `None` if it is not, by this agreement, or if it cannot be: then it
    /// [failed](Self::failed).
    pub fn case(&self, number: usize, customer: &str, service: &str) -> Result<Option<Arc<Case>>> {
        let name: CaseName = (number, customer.into(), service.into());
        let known = || self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(case) = known().get(&name) {
            return Ok(case.clone());
        }
        let case = self.work_out(number, customer, service)?.map(Arc::new);
        // Names are held once.
        let name = case.as_ref().map_or(name, |case| case.name());
        if let Some(case) = &case {
            self.latest.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Arc::clone(case));
        }
        // Whoever was first, all have one.
        Ok(known().entry(name).or_insert(case).clone())
    }

    /// What decides of counts. Most customers are judged by the same time: then they share it with the one before.
    fn compactors(
        &self,
        (number, version): (usize, usize),
        covered: &Covered<'_>,
        bare: &Evidence,
    ) -> Result<Arc<[Compactor]>, CreditError> {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned();
        match latest.filter(|case| (case.version, case.judged) == (version, covered.interval) && case.has_time_of(bare))
        {
            Some(case) => Ok(Arc::clone(&case.compactors)),
            None => covered.metrics().iter().map(|metric| metric.compactor(bare)).collect(),
        }
    }

    fn work_out(&self, number: usize, customer: &str, service: &str) -> Result<Option<Case>> {
        let agreement = &self.definitions.agreements[number];
        if self.chosen.customer.as_ref().is_some_and(|chosen| chosen != customer) {
            return Ok(None);
        }
        let name = [agreement.name.as_str(), customer, service].map(str::to_string);
        if self.only.as_ref().is_some_and(|only| !only.contains(&name)) {
            return Ok(None);
        }
        if !self.wanted.row([&agreement.name, customer, service]) {
            return Ok(None);
        }
        self.judged(number, name.clone()).or_else(|why| {
            self.fail(name, &why);
            Ok(None)
        })
    }

    /// Notes if an agreement of some plans may mean a customer of whom nobody says which plan it is.
    pub fn without_plan(&self, usual: &Covered<'_>, name: &[String; 3]) {
        let [_, customer, service] = name;
        let terms = usual.terms;
        if !terms.plans.is_empty()
            && !customer.is_empty()
            && terms.matches_service(service)
            && any(&terms.rows.customers, customer)
            && self.fees.plans(customer, service, usual.period).all(str::is_empty)
        {
            self.planless.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        }
    }

    fn judged(&self, number: usize, name: [String; 3]) -> Result<Option<Case>> {
        let agreement = &self.definitions.agreements[number];
        let [_, customer, service] = &name;
        let Some(usual) = self.usual(agreement) else { return Ok(None) };
        let Some((covered, active)) = self.covered(agreement, usual.period, usual.terms, customer, service) else {
            self.without_plan(&usual, &name);
            return Ok(None);
        };
        // What is paid for other services, or by others, is no matter of this agreement.
        if !covered.terms.matches_service(service) || !any(&covered.terms.rows.customers, customer) {
            return Ok(None);
        }
        let version = agreement.versions.iter().position(|v| std::ptr::eq(v.terms.as_ref(), covered.terms));
        let Some(version) = version else { return Ok(None) };
        let (period, judged) = (covered.period, covered.interval);
        let terms = Arc::clone(&agreement.versions[version].terms);
        for metric in covered.metrics() {
            self.check_slice(&agreement.name, metric.terms, metric.grid())?;
        }
        self.check_objectives(&agreement.name, &covered)?;
        let business = self.business(number, version, service, judged.start)?;
        let lost = self.lost.iter().filter(|incident| incident.applies(&business, service));
        let end = covered.reads(&[]).end;
        // What comes later changes nothing of it, as long as an incident may go on.
        let watermark = self.watermark_of(&terms);
        let lost = lost.map(|incident| incident.interval(watermark));
        let lost: Vec<Interval> = lost.map(|lost| Interval::new(lost.start, lost.end.min(end))).collect();
        // A category of which the agreement does not speak decides nothing.
        let is_known = |category: &str| {
            terms.metrics().any(|metric| metric.exclusions.iter().any(|clause| clause.category == category))
        };
        let excluded = self.exclusions.iter().filter(|e| e.applies(&business, service, Some(customer)));
        let excluded = excluded.filter(|exclusion| is_known(&exclusion.category));
        let exclusions = excluded.map(|exclusion| Excluded {
            id: exclusion.id.clone(),
            category: exclusion.category.clone(),
            interval: exclusion.interval,
            announced: exclusion.announced,
        });
        let reads = covered.reads(&lost);
        // What cannot touch a slice that is read is no evidence.
        let touches = |interval: Interval| interval.start < reads.end && interval.end > reads.start;
        let excluding = Interval::new(covered.excludes_from(reads), reads.end);
        let decides = |interval: Interval| interval.start < excluding.end && interval.end > excluding.start;
        // Without a fee that can be used there is still an availability.
        let paid = self.fees.paid(customer, service, &covered, &active).unwrap_or_else(|why| {
            self.fail(name.clone(), &why);
            Paid::default()
        });
        let hull = hull(&active, period.interval);
        let needs = covered.needs(&lost);
        let active = self.present(&covered, active, needs, customer, service);
        let before = Interval::new(needs.start, judged.start);
        let needed = active.iter().map(|span| span.overlap(before)).find(|span| !span.is_empty());
        let needs = Interval::new(needed.map_or(judged.start, |needed| needed.start), judged.end);
        let bare = Evidence {
            exclusions: by_start(exclusions.filter(|excluded| decides(excluded.interval)).collect()),
            lost: lost.into_iter().filter(|lost| touches(*lost)).collect(),
            active: if active == [ALWAYS] { Vec::new() } else { active },
            fee: paid.fee,
            month_fees: paid.months,
            stored_slice: Some(self.slot),
            credited: match terms.cap_of_year {
                Some(_) => self.credited.of(&name, period.name),
                None => Vec::new(),
            },
            ..Evidence::default()
        };
        let compactors = match self.compactors((number, version), &covered, &bare) {
            Ok(compactors) => compactors,
            Err(error) => {
                self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(name, error.to_string());
                return Ok(None);
            }
        };
        let (customer, service) = (customer.as_str().into(), service.as_str().into());
        let case = Case {
            agreement: number,
            customer,
            service,
            version,
            terms,
            period,
            unpaid: paid.unpaid,
            judged,
            rules: self.rules,
            compactors,
            active: hull,
            reads,
            needs,
            bare,
        };
        Ok(Some(case))
    }

    /// The µs of which slices may be needed, and the services if they are known by name; `None` if no agreement judges anything.
    pub fn reads(&self) -> Option<(Interval, Vec<String>)> {
        self.reads_of(self.agreements().map(|(_, agreement)| agreement))
    }

    /// The same for some agreements.
    pub fn reads_of<'a>(&self, agreements: impl Iterator<Item = &'a Agreement>) -> Option<(Interval, Vec<String>)> {
        let mut judging: Vec<_> = agreements.flat_map(|agreement| self.judges(agreement)).collect();
        judging.retain(|(_, covered)| covered.terms.judges_requests());
        self.needed(judging)
    }

    /// The µs that these versions need, whatever of, and the services if they are known by name.
    fn needed(&self, judging: Vec<(usize, Covered<'_>)>) -> Option<(Interval, Vec<String>)> {
        scope(judging.into_iter().map(|(_, covered)| {
            let reads = self.reads_of_all(&covered);
            // All of its first day says whether that day has a row.
            let first = local_days(covered.terms.time_zone, Interval::new(reads.start, reads.start + 1));
            let start = first.first().map_or(reads.start, |day| day.start.min(reads.start));
            (Interval::new(start, reads.end.max(start)), covered.terms)
        }))
    }

    /// Where the days begin and end that must have rows.
    pub fn midnights(&self) -> Midnights {
        let judging = self.agreements().flat_map(|(_, agreement)| self.judges(agreement)).collect();
        let Some((reads, _)) = self.needed(judging) else { return Midnights::default() };
        let judging = self.agreements().flat_map(|(_, agreement)| self.judges(agreement));
        Midnights::of(judging.map(|(_, covered)| (covered.terms.time_zone, reads)))
    }

    /// An agreement that is recorded and cannot be read: nobody's credit is left out in silence.
    pub fn check_readable(&self) -> Result<()> {
        let mut unreadable = self.definitions.unreadable.iter();
        let is_meant = |name: &str| self.chosen.has(name) && self.wanted.agreement(name);
        let lost = unreadable.find(|lost| lost.kind == ObjectKind::Agreement && is_meant(&lost.name));
        match lost {
            None => Ok(()),
            Some(lost) => exec_err!(
                "agreement {} is recorded, but this version of nines cannot read it: {}; correct it with: nines apply, or name \
                 another with --agreement",
                lost.name,
                lost.why
            ),
        }
    }

    /// The judged part of the period of any agreement, or why there is none yet.
    pub fn check_begun(&self, now: i64) -> Result<()> {
        let begins = self.agreements().filter_map(|(_, agreement)| Some(self.usual(agreement)?.period.interval.start));
        // Where no agreement judges it any more, it is a month like any other.
        let month = || self.period.begins(Tz::UTC);
        if (self.agreements().next().is_some() || !self.removed.is_empty())
            && begins.min().or_else(month).is_some_and(|begins| begins > now)
        {
            return exec_err!("{} has not begun yet; nothing is owed for it", self.period);
        }
        if let Some(name) = &self.chosen.agreement
            && !self.definitions.agreements.iter().any(|agreement| agreement.name == *name)
        {
            let names: Vec<&str> =
                self.definitions.agreements.iter().map(|agreement| agreement.name.as_str()).collect();
            let known = match names.as_slice() {
                [] => "none is defined; record one with: nines apply FILE".to_string(),
                names => format!("there are {}", names.join(", ")),
            };
            return Err(exec_datafusion_err!("there is no agreement '{name}': {known}"));
        }
        Ok(())
    }

    fn check_slice(&self, name: &str, terms: &Terms, grid: Grid) -> Result<()> {
        let seconds = |micros: i64| micros / nines_timeline::MICROS;
        match terms.slice % self.slot {
            0 if grid.start_of(0) % self.slot == 0 => Ok(()),
            0 => exec_err!(
                "agreement {name} lays slices from midnight in {}, at which no slice of the store begins, which are of {} s",
                terms.time_zone,
                seconds(self.slot)
            ),
            _ => exec_err!(
                "agreement {name} counts slices of {} s, which the store's slices of {} s do not make up",
                seconds(terms.slice),
                seconds(self.slot)
            ),
        }
    }
}

/// In an order that does not depend on how they are stored.
fn by_start(mut exclusions: Vec<Excluded>) -> Vec<Excluded> {
    exclusions.sort_by(|a, b| (a.interval, &a.id).cmp(&(b.interval, &b.id)));
    exclusions
}

pub(super) fn any(patterns: &[nines_slo::Pattern], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name))
}

/// The hull of the time that is read for these terms, and their services if all are known by name.
pub(super) fn scope<'a>(parts: impl Iterator<Item = (Interval, &'a Terms)>) -> Option<(Interval, Vec<String>)> {
    let mut hull: Option<Interval> = None;
    let mut services = Vec::new();
    let mut named = true;
    for (reads, terms) in parts {
        hull = Some(hull.map_or(reads, |h| Interval::new(h.start.min(reads.start), h.end.max(reads.end))));
        for pattern in &terms.services {
            match pattern.exact() {
                Some(name) => services.push(name.to_string()),
                None => named = false,
            }
        }
    }
    services.sort();
    services.dedup();
    hull.filter(|hull| !hull.is_empty()).map(|hull| (hull, if named { services } else { Vec::new() }))
}
