//! When a customer was there, and what of a period is judged for it.

use nines_slo::{Agreement, Covered, Period, Terms};
use nines_timeline::{Interval, normalize};

use super::period_terms::PeriodTerms;
use super::spans::hull;

impl PeriodTerms {
    /// What is judged of a customer, and when the customer was there, as the fees of the period say.
    pub fn covered<'a>(
        &self,
        agreement: &'a Agreement,
        usual: Period,
        terms: &Terms,
        customer: &str,
        service: &str,
    ) -> Option<(Covered<'a>, Vec<Interval>)> {
        let active = self.fees.presence(customer, service, usual.fee_months(), terms);
        let covered = agreement.covered(self.period, hull(&active, usual.interval), self.rules)?;
        if (covered.period, covered.terms.time_zone) == (usual, terms.time_zone) {
            return Some((covered, active)).filter(|(covered, active)| is_there(covered, active));
        }
        // A version for who came later has a calendar of its own.
        let period = covered.period;
        let active = self.fees.presence(customer, service, period.fee_months(), covered.terms);
        let covered = agreement.covered(self.period, hull(&active, period.interval), self.rules)?;
        Some((covered, active)).filter(|(covered, active)| is_there(covered, active))
    }

    /// When a customer was there, the days from which is estimated included: of days before the period the fees of their months
    /// speak, too.
    pub fn present(
        &self,
        covered: &Covered<'_>,
        active: Vec<Interval>,
        reads: Interval,
        customer: &str,
        service: &str,
    ) -> Vec<Interval> {
        let (period, terms) = (covered.period, covered.terms);
        let Some(first) =
            terms.cycle.month_at(reads.start, terms.time_zone).filter(|_| reads.start < period.interval.start)
        else {
            return active;
        };
        let earlier = self.fees.presence(customer, service, first..period.fee_months().end, terms);
        let before = Interval::new(i64::MIN, period.interval.start);
        let since = Interval::new(period.interval.start, i64::MAX);
        let earlier = earlier.into_iter().map(|span| span.overlap(before));
        normalize(earlier.chain(active.into_iter().map(|span| span.overlap(since))).collect())
    }
}

fn is_there(covered: &Covered<'_>, active: &[Interval]) -> bool {
    active.iter().any(|span| !span.overlap(covered.interval).is_empty())
}
