//! By what a period is judged: agreements, and all that is laid over counts.

use std::sync::Arc;

use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use nines_slo::{Agreement, Covered, Definitions, Evidence, Excluded, Month, Period, Terms};
use nines_timeline::Interval;

use super::fees::{Fees, Paid};
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
pub(super) struct Judging {
    /// A month of the period.
    pub month: Month,
    pub chosen: Chosen,
    /// Agreement, customer and service of what was issued: told of even where nothing is left of it.
    pub issued: Vec<[String; 3]>,
    pub definitions: Arc<Definitions>,
    pub fees: Fees,
    pub exclusions: Vec<Exclusion>,
    /// Incidents in which telemetry was lost.
    pub lost: Vec<Incident>,
    /// Start of the first day of `requests`; `i64::MAX` where there is none.
    pub first: i64,
    /// End of the newest slice of `requests`.
    pub watermark: i64,
    /// The store's slice width in µs.
    pub slot: i64,
}

/// What decides the credit of a customer for a service under an agreement, beside counts.
#[derive(Debug)]
pub(super) struct Case {
    pub agreement: usize,
    pub customer: Arc<str>,
    pub service: Arc<str>,
    pub business: Arc<str>,
    pub terms: Arc<Terms>,
    pub period: Period,
    pub judged: Interval,
    pub paid: Option<Paid>,
    /// Of what slices are needed, in µs.
    pub reads: Interval,
    /// Evidence without counts.
    pub bare: Evidence,
}

impl Case {
    pub fn covered(&self) -> Covered<'_> {
        Covered { terms: &self.terms, period: self.period, interval: self.judged }
    }
}

impl Judging {
    pub fn agreements(&self) -> impl Iterator<Item = (usize, &Agreement)> {
        let wanted = |agreement: &Agreement| self.chosen.agreement.as_ref().is_none_or(|name| *name == agreement.name);
        self.definitions.agreements.iter().enumerate().filter(move |(_, agreement)| wanted(agreement))
    }

    /// How an agreement judges the period if nobody came or went in it; `None` if it does not.
    pub fn usual<'a>(&self, agreement: &'a Agreement) -> Option<Covered<'a>> {
        agreement.covered(self.month, ALWAYS)
    }

    /// Whether the counts of all of a judged time are stored.
    pub fn is_complete(&self, judged: Interval) -> bool {
        self.first <= judged.start && self.watermark >= judged.end
    }

    /// How the period of a customer is judged; `None` if it is not, by this agreement.
    pub fn case(&self, number: usize, customer: &str, service: &str, business: &str) -> Result<Option<Case>> {
        let agreement = &self.definitions.agreements[number];
        if self.chosen.customer.as_ref().is_some_and(|chosen| chosen != customer) {
            return Ok(None);
        }
        let Some(usual) = self.usual(agreement) else { return Ok(None) };
        let paid = self.fees.of(customer, service, usual.period)?;
        let active = paid.as_ref().map_or(ALWAYS, |paid| paid.active);
        let Some(covered) = agreement.covered(self.month, active) else { return Ok(None) };
        let (period, judged) = (covered.period, covered.interval);
        let Some(version) = agreement.versions.iter().find(|v| std::ptr::eq(v.terms.as_ref(), covered.terms)) else {
            return Ok(None);
        };
        let terms = Arc::clone(&version.terms);
        if !terms.matches_service(service) || !any(&terms.rows.customers, customer) {
            return Ok(None);
        }
        self.check_slice(&agreement.name, &terms)?;
        let lost = self.lost.iter().filter(|incident| incident.applies(business, service));
        let lost: Vec<Interval> = lost.map(|incident| incident.interval(self.watermark)).collect();
        // A category of which the agreement does not speak decides nothing.
        let is_known = |category: &str| terms.exclusions.iter().any(|clause| clause.category == category);
        let excluded = self.exclusions.iter().filter(|e| e.applies(business, service, Some(customer)));
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
        let bare = Evidence {
            exclusions: exclusions.filter(|excluded| touches(excluded.interval)).collect(),
            lost: lost.into_iter().filter(|lost| touches(*lost)).collect(),
            active: if active == ALWAYS { Vec::new() } else { vec![active] },
            fee: paid.as_ref().map(|paid| paid.fee.clone()),
            ..Evidence::default()
        };
        let (customer, service, business) = (customer.into(), service.into(), business.into());
        Ok(Some(Case { agreement: number, customer, service, business, terms, period, judged, paid, reads, bare }))
    }

    /// The µs of which slices may be needed, and the services if they are known by name; `None` if no agreement judges anything.
    pub fn reads(&self) -> Result<Option<(Interval, Vec<String>)>> {
        let mut hull: Option<Interval> = None;
        let mut services = Vec::new();
        let mut named = true;
        for (_, agreement) in self.agreements() {
            let Some(usual) = self.usual(agreement) else { continue };
            let lost: Vec<Interval> = self.lost.iter().map(|incident| incident.interval(self.watermark)).collect();
            // A customer who came later may be judged by another version.
            for version in agreement.versions.iter().filter(|version| {
                version.in_force.start < usual.period.interval.end && version.in_force.end > usual.period.interval.start
            }) {
                let covered = Covered { terms: &version.terms, ..usual };
                let reads = covered.reads(&lost);
                hull = Some(hull.map_or(reads, |h| Interval::new(h.start.min(reads.start), h.end.max(reads.end))));
                for pattern in &version.terms.services {
                    match pattern.exact() {
                        Some(name) => services.push(name.to_string()),
                        None => named = false,
                    }
                }
            }
        }
        services.sort();
        services.dedup();
        Ok(hull.filter(|hull| !hull.is_empty()).map(|hull| (hull, if named { services } else { Vec::new() })))
    }

    /// Whether rows of a business are meant: those that the agreement narrows to, else that of the declared service, else all.
    pub fn counts_business(&self, terms: &Terms, service: &str, business: &str) -> bool {
        match self.declared(terms, service) {
            Some(declared) => business.is_empty() || business == declared,
            None => any(&terms.rows.businesses, business),
        }
    }

    /// The business that a service is said to be part of.
    pub fn declared<'a>(&'a self, terms: &'a Terms, service: &str) -> Option<&'a str> {
        match terms.rows.businesses.as_slice() {
            [] => self.definitions.services.iter().find(|known| known.name == service)?.business.as_deref(),
            [one] => one.exact(),
            _ => None,
        }
    }

    /// The judged part of the period of any agreement, or why there is none yet.
    pub fn check_begun(&self, now: i64) -> Result<()> {
        let begun =
            |agreement: &Agreement| self.usual(agreement).is_none_or(|covered| covered.period.interval.start <= now);
        if self.agreements().next().is_some() && !self.agreements().any(|(_, agreement)| begun(agreement)) {
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

    fn check_slice(&self, name: &str, terms: &Terms) -> Result<()> {
        let seconds = |micros: i64| micros / nines_timeline::MICROS;
        match terms.slice % self.slot {
            0 => Ok(()),
            _ => exec_err!(
                "agreement {name} counts slices of {} s, which the store's slices of {} s do not make up",
                seconds(terms.slice),
                seconds(self.slot)
            ),
        }
    }
}

fn any(patterns: &[nines_slo::Pattern], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name))
}
