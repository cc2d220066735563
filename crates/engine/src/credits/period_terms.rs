//! By what a period is judged: agreements, and all that is laid over counts.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use chrono_tz::Tz;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use nines_slo::{Agreement, Covered, Definitions, Evidence, Excluded, Month, ObjectKind, Period, Rules, Terms};
use nines_timeline::{Grid, Interval};

use super::carried::Carried;
use super::case::Case;
use super::fees::Fees;
use super::spans::hull;
use crate::evaluate::{Exclusion, Incident};

/// When nothing is said of a customer's coming and going.
pub(super) const ALWAYS: Interval = Interval { start: i64::MIN, end: i64::MAX };

/// Whose credits are wanted: all, or those of one.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// Only under this agreement.
    pub agreement: Option<String>,
    /// Only of this customer.
    pub customer: Option<String>,
}

/// What one statement works credits out with.
#[derive(Debug)]
pub(super) struct PeriodTerms {
    /// A month of the period.
    pub month: Month,
    pub chosen: Chosen,
    /// Only agreements whose calendar period is over with the month.
    pub ending: bool,
    /// By which rules.
    pub rules: Rules,
    /// Only these agreements, customers and services.
    pub only: Option<HashSet<[String; 3]>>,
    /// What the rules cannot judge, and why.
    pub refused: Mutex<BTreeMap<[String; 3], String>>,
    /// Agreement, customer and service of what was issued: told of even where nothing is left of it.
    pub issued: Vec<[String; 3]>,
    pub definitions: Arc<Definitions>,
    pub fees: Fees,
    pub exclusions: Vec<Exclusion>,
    /// Incidents in which telemetry was lost.
    pub lost: Vec<Incident>,
    /// What rows say of the business of services of which nobody else does.
    pub carried: Carried,
    /// Start of the first slice of `requests`; `i64::MAX` where there is none.
    pub first: i64,
    /// End of the newest slice of `requests`.
    pub watermark: i64,
    /// The store's slice width in µs.
    pub slot: i64,
}

/// How long after the beginning of what is needed data may begin: a quiet hour is none that is missing.
const QUIET: i64 = 3600 * nines_timeline::MICROS;

impl PeriodTerms {
    pub fn agreements(&self) -> impl Iterator<Item = (usize, &Agreement)> {
        let wanted = |agreement: &Agreement| self.chosen.agreement.as_ref().is_none_or(|name| *name == agreement.name);
        let all = self.definitions.agreements.iter().enumerate();
        all.filter(move |(_, agreement)| wanted(agreement) && !self.is_early(agreement))
    }

    /// The agreements that are left out because their calendar period goes on after the month.
    pub fn left_out(&self) -> Vec<String> {
        let early = self.definitions.agreements.iter().filter(|agreement| self.is_early(agreement));
        early.map(|agreement| agreement.name.clone()).collect()
    }

    fn is_early(&self, agreement: &Agreement) -> bool {
        self.ending && self.usual(agreement).is_some_and(|usual| usual.period.next() > self.month.plus(1))
    }

    /// How an agreement judges the period if nobody came or went in it; `None` if it does not.
    pub fn usual<'a>(&self, agreement: &'a Agreement) -> Option<Covered<'a>> {
        agreement.covered(self.month, ALWAYS, self.rules)
    }

    /// The versions that judge the period, by number, each as for a customer who came when it began: who comes later may be
    /// judged by a later one.
    pub fn judges<'a>(&self, agreement: &'a Agreement) -> Vec<(usize, Covered<'a>)> {
        let versions = agreement.versions.iter().enumerate();
        let judging = versions.filter_map(|(number, version)| {
            let covered = agreement.covered(self.month, Interval::new(version.in_force.start, i64::MAX), self.rules)?;
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

    /// Whether the counts of all of a time are stored.
    pub fn is_complete(&self, needs: Interval) -> bool {
        self.first.saturating_sub(QUIET) <= needs.start && self.watermark >= needs.end
    }

    /// An agreement that judges the period, the end of which no data reach, and what it judges of it. That there are no rows says
    /// nothing then.
    pub fn unfinished(&self) -> Option<(String, Interval)> {
        let customer = self.chosen.customer.as_deref();
        let judging = self.agreements().filter_map(|(_, agreement)| Some((agreement, self.usual(agreement)?)));
        let mut meant = judging
            .filter(|(_, usual)| customer.is_none_or(|customer| any(&usual.terms.rows.customers, customer)))
            .map(|(agreement, usual)| (agreement.name.clone(), usual.interval));
        meant.find(|(_, judged)| self.watermark < judged.end || self.first >= judged.end)
    }

    /// How the period of a customer is judged; `None` if it is not, by this agreement.
    pub fn case(&self, number: usize, customer: &str, service: &str) -> Result<Option<Case>> {
        let agreement = &self.definitions.agreements[number];
        if self.chosen.customer.as_ref().is_some_and(|chosen| chosen != customer) {
            return Ok(None);
        }
        let name = [agreement.name.as_str(), customer, service].map(str::to_string);
        if self.only.as_ref().is_some_and(|only| !only.contains(&name)) {
            return Ok(None);
        }
        let Some(usual) = self.usual(agreement) else { return Ok(None) };
        let Some((covered, active)) = self.covered(agreement, usual.period, usual.terms, customer, service) else {
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
        let grid = covered.grid();
        self.check_slice(&agreement.name, &terms, grid)?;
        let business = self.business(number, version, service, judged.start)?;
        let end = covered.slices().end;
        let lost = self.lost.iter().filter(|incident| incident.applies(&business, service));
        // What comes after the period changes nothing of it, as long as an incident may go on.
        let lost = lost.map(|incident| incident.interval(self.watermark));
        let lost: Vec<Interval> = lost.map(|lost| Interval::new(lost.start, lost.end.min(end))).collect();
        // A category of which the agreement does not speak decides nothing.
        let is_known = |category: &str| terms.exclusions.iter().any(|clause| clause.category == category);
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
        let fee = self.fees.paid(customer, service, &covered, &active)?;
        let hull = hull(&active, period.interval);
        let active = self.present(&covered, active, reads, customer, service);
        let before = Interval::new(reads.start, judged.start);
        let needed = active.iter().map(|span| span.overlap(before)).find(|span| !span.is_empty());
        let needs = Interval::new(needed.map_or(judged.start, |needed| needed.start), judged.end);
        let bare = Evidence {
            exclusions: by_start(exclusions.filter(|excluded| touches(excluded.interval)).collect()),
            lost: lost.into_iter().filter(|lost| touches(*lost)).collect(),
            active: if active == [ALWAYS] { Vec::new() } else { active },
            fee,
            ..Evidence::default()
        };
        if let Err(error) = bare.check(&covered) {
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).insert(name, error.to_string());
            return Ok(None);
        }
        let (customer, service) = (customer.into(), service.into());
        let case = Case {
            agreement: number,
            customer,
            service,
            version,
            terms,
            period,
            judged,
            rules: self.rules,
            grid,
            active: hull,
            reads,
            needs,
            bare,
        };
        Ok(Some(case))
    }

    /// The µs of which slices may be needed, and the services if they are known by name; `None` if no agreement judges anything.
    pub fn reads(&self) -> Option<(Interval, Vec<String>)> {
        let lost: Vec<Interval> = self.lost.iter().map(|incident| incident.interval(self.watermark)).collect();
        let judging = self.agreements().flat_map(|(_, agreement)| self.judges(agreement));
        scope(judging.map(|(_, covered)| (covered.reads(&lost), covered.terms)))
    }

    /// An agreement that is recorded and cannot be read: nobody's credit is left out in silence.
    pub fn check_readable(&self) -> Result<()> {
        let is_meant = |name: &str| self.chosen.agreement.as_ref().is_none_or(|chosen| chosen == name);
        let lost =
            self.definitions.unreadable.iter().find(|lost| lost.kind == ObjectKind::Agreement && is_meant(&lost.name));
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
        let month = || Some(Period::of(self.month, 1, Tz::UTC)?.interval.start);
        if self.agreements().next().is_some() && begins.min().or_else(month).is_some_and(|begins| begins > now) {
            return exec_err!("{} has not begun yet; nothing is owed for it", self.month);
        }
        if let Some(name) = &self.chosen.agreement
            && self.agreements().next().is_none()
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

fn any(patterns: &[nines_slo::Pattern], name: &str) -> bool {
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
