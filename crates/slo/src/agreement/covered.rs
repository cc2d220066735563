//! Which version judges a period, and which part of the period.

use nines_timeline::{Grid, Interval, normalize};

use crate::agreement::{Agreement, AgreementVersion, Allowance, Terms};
use crate::period::{Month, Period};
use crate::rules::Rules;
use crate::spans::{clip, intersect};

/// A period as an agreement judges it: whole, by the terms in force at its first covered instant.
#[derive(Debug, Clone, Copy)]
pub struct Covered<'a> {
    /// What judges it.
    pub terms: &'a Terms,
    /// The calendar period.
    pub period: Period,
    /// The part of the period that is judged, in µs: all of it but in a first or last month. Never empty.
    pub interval: Interval,
    /// By which rules.
    pub rules: Rules,
}

impl Agreement {
    /// How the period that a month is part of is judged by these rules, for a customer who was active (`[from, until)` in
    /// µs; `i64::MIN` and `i64::MAX` where nothing is said). `None`: nothing was agreed in it.
    ///
    /// A first version that begins inside the period shortens it, and so does the end of a last one; one that replaces
    /// another inside the period waits for the next.
    pub fn covered(&self, month: Month, active: Interval, rules: Rules) -> Option<Covered<'_>> {
        self.versions.iter().enumerate().find_map(|(i, version)| {
            let terms = version.terms.as_ref();
            let period = Period::of(month, terms.months, terms.time_zone)?;
            let start = period.interval.start.max(active.start).max(version.in_force.start);
            let end = period.interval.end.min(active.end).min(lasting(&self.versions[i..]));
            let covered = Covered { terms, period, interval: Interval::new(start, end), rules };
            (start < version.in_force.end && start < end).then_some(covered)
        })
    }
}

/// Until when the first of these versions, or one that replaces it without a gap, is in force.
fn lasting(versions: &[AgreementVersion]) -> i64 {
    let mut end = versions.first().map_or(i64::MIN, |first| first.in_force.end);
    for next in versions.iter().skip(1).map(|version| version.in_force) {
        if next.start > end {
            break;
        }
        end = next.end;
    }
    end
}

impl Covered<'_> {
    /// Where slices begin.
    pub fn grid(&self) -> Grid {
        Grid::new(self.rules.origin(&self.period), self.terms.slice)
    }

    /// The slices that lie wholly inside. May be empty.
    pub fn slices(&self) -> Interval {
        self.grid().inside(self.interval)
    }

    /// The slices that are judged: of those the ones in which the customer was there from first to last, in service hours. `active` as in
    /// [`Evidence::active`](crate::Evidence::active).
    pub fn judged(&self, active: &[Interval]) -> Vec<Interval> {
        let spans = self.in_service(self.slices_of(active), self.interval);
        let spans = spans.into_iter().map(|span| self.grid().inside(span));
        spans.filter(|span| !span.is_empty()).collect()
    }

    /// The slices of the covered part of the period in which the customer was there from first to last.
    pub(crate) fn slices_of(&self, active: &[Interval]) -> Vec<Interval> {
        let whole = self.slices();
        let spans = match active {
            [] => vec![whole],
            active => clip(&normalize(active.to_vec()), self.interval),
        };
        let spans = spans.into_iter().map(|span| self.grid().inside(span));
        spans.filter(|span| !span.is_empty()).collect()
    }

    /// What of some time within a stretch lies in service hours.
    pub(crate) fn in_service(&self, spans: Vec<Interval>, within: Interval) -> Vec<Interval> {
        match &self.terms.service_hours {
            None => spans,
            Some(hours) => intersect(&spans, &hours.within(within, self.terms.time_zone)),
        }
    }

    /// From when on (µs) exclusions decide something: where an allowance goes by a longer period, those before the judged
    /// part use it up.
    pub fn excludes_from(&self, reads: Interval) -> i64 {
        let allowances = self.terms.exclusions.iter().filter_map(|exclude| exclude.at_most);
        let start = |allowance: Allowance| {
            let month = Month::of(reads.start, self.terms.time_zone)?;
            Some(Period::of(month, allowance.months, self.terms.time_zone)?.interval.start)
        };
        allowances.filter_map(start).min().unwrap_or(reads.start).min(reads.start)
    }

    /// The instant (µs) before which a credit must be claimed, if the period's first outage ended then (µs).
    pub fn claim_by(&self, first_outage: Option<i64>) -> Option<i64> {
        self.terms.claim_within?.claim_by(self.terms.time_zone, self.period.interval.end, first_outage)
    }

    /// The µs of which [`Evidence::slices`](crate::Evidence::slices) must be counted: the slices that are judged and,
    /// where telemetry was lost in them, the days from which is estimated.
    pub fn reads(&self, lost: &[Interval]) -> Interval {
        let judged = self.slices();
        let days = lost.iter().filter(|lost| lost.start < judged.end && judged.start < lost.end && !lost.is_empty());
        let first = days.filter_map(|lost| self.lookback(lost.start)).map(|days| days.start).min();
        Interval::new(first.unwrap_or(judged.start).min(judged.start), judged.end)
    }
}
