//! A case: a customer, a service and an agreement.

use std::sync::Arc;

use nines_slo::{Compactor, Covered, Evidence, Month, Period, Rules, Terms};
use nines_timeline::Interval;

/// Agreement, customer and service.
pub(super) type CaseName = (usize, Arc<str>, Arc<str>);

/// What decides the credit of a customer for a service under an agreement, beside counts.
#[derive(Debug)]
pub(super) struct Case {
    pub agreement: usize,
    pub customer: Arc<str>,
    pub service: Arc<str>,
    pub version: usize,
    pub terms: Arc<Terms>,
    pub period: Period,
    /// Months of it of which there is no fee, beside others of which there is one: it waits for them.
    pub unpaid: Vec<Month>,
    pub judged: Interval,
    pub rules: Rules,
    /// By metric, where its slices begin, where excluded or lost time cuts them, and which of them decide. Customers with the same
    /// evidence but for counts share them.
    pub compactors: Arc<[Compactor]>,
    /// From when until when the customer was one, gaps included.
    pub active: Interval,
    /// Of what slices are needed, in µs.
    pub reads: Interval,
    /// Of what time counts must be stored: what is judged, and the days from which is estimated as far as the customer was there.
    pub needs: Interval,
    /// Evidence without counts.
    pub bare: Evidence,
}

impl Case {
    pub fn name(&self) -> CaseName {
        (self.agreement, Arc::clone(&self.customer), Arc::clone(&self.service))
    }

    /// Whether the same time is excluded, lost and active as in other evidence.
    pub fn has_time_of(&self, other: &Evidence) -> bool {
        let Evidence { stored_slice, active, lost, exclusions, .. } = &self.bare;
        (stored_slice, active, lost, exclusions) == (&other.stored_slice, &other.active, &other.lost, &other.exclusions)
    }

    pub fn covered(&self) -> Covered<'_> {
        Covered { terms: &self.terms, period: self.period, interval: self.judged, rules: self.rules }
    }

    /// How one of its metrics judges it, by number.
    pub fn metric(&self, metric: usize) -> (Covered<'_>, &Compactor) {
        let terms = if metric == 0 { &self.terms } else { &self.terms.others[metric - 1] };
        (Covered { terms, ..self.covered() }, &self.compactors[metric])
    }
}
