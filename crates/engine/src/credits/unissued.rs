//! Why nothing is issued of an agreement for a period: what is not stored yet, or that nothing matches it.

use std::collections::{BTreeMap, BTreeSet};

use nines_slo::{Agreement, Covered, Pattern, PeriodName, Terms, days_of};
use nines_timeline::{Interval, normalize, without};

use super::Owed;
use super::completeness::{Lack, Of};
use super::period_terms::{PeriodTerms, any};
use super::presence::Presence;

/// How many services are named.
const MOST: usize = 5;

/// An agreement of which nothing is issued for a period.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unissued {
    /// Its name.
    pub agreement: String,
    /// The period.
    pub period: PeriodName,
    /// Why, for people: what is missing, service by service, or what does not match.
    pub why: String,
    /// What kind of reason it is.
    pub kind: UnissuedKind,
}

/// Why nothing is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnissuedKind {
    /// Not all of the period is stored.
    Incomplete,
    /// No row of the period and no fee is of a service, customer or endpoint of the agreement.
    Unmatched,
    /// Rows that it follows from were removed.
    Removed,
    /// It cannot be worked out: something is wrong with what was agreed, paid or stored.
    Failed,
}

impl PeriodTerms {
    /// The agreements of which nothing is issued, and why.
    pub fn unissued(&self, owed: &[Owed], presence: &Presence) -> Vec<Unissued> {
        let mut of: BTreeMap<&str, Vec<&Owed>> = BTreeMap::new();
        owed.iter().for_each(|owed| of.entry(&owed.agreement).or_default().push(owed));
        let failed: BTreeSet<String> = self.failed().keys().map(|[agreement, ..]| agreement.clone()).collect();
        let mut found = Vec::new();
        for (number, agreement) in self.agreements() {
            let Some(usual) = self.usual(agreement) else { continue };
            let why = match of.get(agreement.name.as_str()) {
                Some(owed) => self.lacking(owed).map(|why| (UnissuedKind::Incomplete, why)),
                // What could not be worked out is told by itself.
                None if failed.contains(&agreement.name) => None,
                None => self.nothing(number, agreement, &usual, presence),
            };
            let unissued =
                |(kind, why)| Unissued { agreement: agreement.name.clone(), period: usual.period.name, why, kind };
            found.extend(why.map(unissued));
        }
        let removed = self.removed.iter().map(|(name, why)| Unissued {
            agreement: name.clone(),
            period: self.period,
            why: why.clone(),
            kind: UnissuedKind::Removed,
        });
        found.extend(removed);
        found
    }

    /// What is not stored of what is owed, by service.
    fn lacking(&self, owed: &[&Owed]) -> Option<String> {
        let mut told = BTreeSet::new();
        // Customers who came or left see a part of it.
        let mut of: BTreeMap<String, (Lack, chrono_tz::Tz)> = BTreeMap::new();
        for owed in owed.iter().filter(|owed| !owed.complete) {
            if owed.lack.missing.is_empty() {
                told.insert(self.table());
                continue;
            }
            let (lack, _) = of
                .entry(subject(&owed.terms, &owed.service))
                .or_insert_with(|| (Lack::default(), owed.terms.time_zone));
            lack.missing.extend(&owed.lack.missing);
            lack.newest = lack.newest.max(owed.lack.newest);
        }
        for (subject, (Lack { missing, newest }, zone)) in of {
            told.insert(lacks(&subject, &Lack { missing: normalize(missing), newest }, zone));
        }
        told.extend(
            owed.iter().filter(|owed| !owed.complete).filter_map(|owed| self.out_of_force(&owed.terms, owed.judged)),
        );
        sentence(told)
    }

    /// What of some time an objective by which terms judge is not in force.
    fn out_of_force(&self, terms: &Terms, judged: Interval) -> Option<String> {
        let mut told = Vec::new();
        for name in terms.objectives() {
            let own = self.definitions.objectives.iter().filter(|own| own.name == name);
            let in_force = own.flat_map(|own| &own.versions).map(|version| version.in_force).collect();
            let gaps = without(&[judged], &normalize(in_force));
            if !gaps.is_empty() {
                told.push(format!("objective {name} is not in force on {}", days_of(&gaps, terms.time_zone)));
            }
        }
        (!told.is_empty()).then(|| told.join("; "))
    }

    /// How far the table reaches, which earlier rules ask for.
    fn table(&self) -> String {
        let shown =
            |micros| chrono::DateTime::from_timestamp_micros(micros).map_or_else(String::new, |at| at.to_rfc3339());
        match self.first < i64::MAX {
            true => format!("the data begin at {} and end at {}", shown(self.first), shown(self.watermark)),
            false => "nothing is stored in requests".to_string(),
        }
    }

    /// Why an agreement under which nothing is owed may owe something all the same; `None` if nothing is owed indeed.
    fn nothing(
        &self,
        number: usize,
        agreement: &Agreement,
        usual: &Covered<'_>,
        presence: &Presence,
    ) -> Option<(UnissuedKind, String)> {
        let (terms, zone) = (usual.terms, usual.terms.time_zone);
        if self.chosen.customer.as_ref().is_some_and(|customer| !any(&terms.rows.customers, customer)) {
            return None;
        }
        let version = agreement.versions.iter().position(|version| std::ptr::eq(version.terms.as_ref(), terms))?;
        let exact = terms.services.iter().filter_map(|pattern| pattern.exact()).map(str::to_string);
        let seen = presence.services().filter(|service| terms.matches_service(service)).map(ToString::to_string);
        let services: BTreeSet<String> = exact.chain(seen).collect();
        let (mut absent, mut told, mut requests, mut whole) = (Vec::new(), BTreeSet::new(), false, false);
        for service in &services {
            let business = self.business(number, version, service, usual.interval.start).unwrap_or_default();
            let of = Of { terms, service, business: &business, customer: "" };
            let lack = self.lack(presence, &of, usual.interval);
            whole |= lack.missing.is_empty();
            requests |= presence.of(service).any(|(_, seen)| seen.requests);
            match lack.newest {
                None if !terms.judges_requests() => drop(told.insert(lacks(&subject(terms, service), &lack, zone))),
                None => absent.push(format!("'{service}'")),
                Some(_) if lack.missing.is_empty() => {}
                Some(_) => drop(told.insert(lacks(&subject(terms, service), &lack, zone))),
            }
        }
        if whole && requests && self.chosen.customer.is_none() {
            let of = |what: &str, patterns: &[Pattern]| {
                let texts: Vec<&str> = patterns.iter().map(|pattern| pattern.text()).collect();
                (!texts.is_empty()).then(|| format!("{what} {}", texts.join(" or ")))
            };
            let rows = &terms.rows;
            let of_metrics: Vec<&[Pattern]> = terms.metrics().map(|metric| metric.rows.endpoints.as_slice()).collect();
            let is_narrow = of_metrics.iter().all(|endpoints| !endpoints.is_empty());
            let mut endpoints = if is_narrow { of_metrics.concat() } else { Vec::new() };
            endpoints.dedup();
            let narrowed = [("customer", &rows.customers), ("endpoint", &endpoints), ("business", &rows.businesses)];
            let narrowed: Vec<String> =
                narrowed.into_iter().filter_map(|(what, patterns)| of(what, patterns)).collect();
            let narrowed =
                if narrowed.is_empty() { "a valid status and cause".to_string() } else { narrowed.join(", ") };
            return Some((
                UnissuedKind::Unmatched,
                format!("no request of its services has {narrowed}, and no fee is theirs"),
            ));
        }
        if whole {
            return None;
        }
        told.extend(self.out_of_force(terms, usual.interval));
        // Where no row of whatever service is close to the end, they are all to come.
        if !terms.judges_requests() {
            return Some((UnissuedKind::Incomplete, sentence(told)?));
        }
        if self.watermark < usual.interval.end.saturating_sub(terms.complete) || self.first >= usual.interval.end {
            return Some((UnissuedKind::Incomplete, self.table()));
        }
        if services.is_empty() || absent.len() == services.len() {
            let texts = terms.services.iter().map(|pattern| format!("'{}'", pattern.text()));
            let texts = if absent.is_empty() { texts.collect() } else { absent };
            let why = format!("no row of requests and no fee is of a service {} in it", texts.join(" or "));
            return Some((UnissuedKind::Unmatched, why));
        }
        Some((UnissuedKind::Incomplete, sentence(told)?))
    }
}

/// Of what data are missing: the objective by which is judged, or a service.
pub(super) fn subject(terms: &Terms, service: &str) -> String {
    let objectives: BTreeSet<&str> = terms.objectives().collect();
    match (terms.judges_requests(), objectives.is_empty()) {
        (_, true) => format!("service {service}"),
        (false, false) => format!("objective {}", listed(objectives)),
        (true, false) => format!("service {service} or of objective {}", listed(objectives)),
    }
}

fn listed(names: BTreeSet<&str>) -> String {
    names.into_iter().collect::<Vec<_>>().join(" or ")
}

/// `of service login there is no row, exclusion or incident on 2026-10-05 to 2026-10-31 (its newest row is of 2026-10-04 12:00)`.
fn lacks(subject: &str, lack: &Lack, zone: chrono_tz::Tz) -> String {
    let at = lack.newest.and_then(chrono::DateTime::from_timestamp_micros);
    let at = at.map(|at| at.with_timezone(&zone).format("%Y-%m-%d %H:%M"));
    let newest = at.map_or_else(String::new, |at| format!(" (its newest row is of {at})"));
    format!("of {subject} there is no row, exclusion or incident on {}{newest}", days_of(&lack.missing, zone))
}

fn sentence(told: BTreeSet<String>) -> Option<String> {
    let more = told.len().checked_sub(MOST).filter(|more| *more > 0);
    let more = more.map(|more| format!("and the same of {more} more services"));
    let told: Vec<String> = told.into_iter().take(MOST).chain(more).collect();
    (!told.is_empty()).then(|| told.join("; "))
}
