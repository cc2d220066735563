//! Agreements that credit from one fee.

use nines_slo::{Covered, PeriodName, Terms};
use nines_timeline::Interval;

use super::case::Case;
use super::period_terms::{PeriodTerms, any};

impl PeriodTerms {
    /// The other agreements that credit from the fee of a case, by name, whichever of them are asked for. None where there is no
    /// fee.
    pub fn beside(&self, case: &Case) -> Vec<String> {
        if case.bare.fee.is_none() {
            return Vec::new();
        }
        let of_one_plan = |terms: &Terms| {
            let mut plans = self.fees.plans(&case.customer, &case.service, case.period);
            plans.any(|plan| terms.matches_plan(plan) && case.terms.matches_plan(plan))
        };
        let covers = |terms: &Terms| {
            terms.matches_service(&case.service) && any(&terms.rows.customers, &case.customer) && of_one_plan(terms)
        };
        let others = self.definitions.agreements.iter().enumerate().filter(|(number, other)| {
            *number != case.agreement && other.versions.iter().any(|version| covers(&version.terms))
        });
        let of = case.period;
        let judges = |covered: &Covered<'_>| covers(covered.terms) && !covered.interval.overlap(case.judged).is_empty();
        let beside = others.filter(|(_, other)| {
            // Those who come later may be judged by another version.
            let active = Interval::new(case.active.start.max(of.interval.start), case.active.end);
            let names = other.names_touching(of.interval.start, of.interval.end - 1);
            // A fee of another month is another fee.
            let mut names = names.into_iter().filter(|name| match name {
                PeriodName::Month(month) => of.fee_months().contains(month),
                PeriodName::Day(_) => true,
            });
            names.any(|name| other.covered(name, active, self.rules).is_some_and(|covered| judges(&covered)))
        });
        let mut names: Vec<String> = beside.map(|(_, other)| other.name.clone()).collect();
        names.sort();
        names
    }
}
