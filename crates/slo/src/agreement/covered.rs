//! Which version judges a period, and which part of the period.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use nines_timeline::{Grid, Interval, normalize};

use crate::agreement::{Agreement, AgreementVersion, Allowance, Terms};
use crate::fraction::Fraction;
use crate::local_days::days;
use crate::period::{Month, Period, PeriodName};
use crate::rules::Rules;
use crate::spans::{clip, intersect, subtract};

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
    /// How the period of a name is judged by these rules, for a customer who was active (`[from, until)` in
    /// µs; `i64::MIN` and `i64::MAX` where nothing is said). `None`: nothing was agreed in it, or no period has this name.
    ///
    /// A first version that begins inside the period shortens it, and so does the end of a last one; one that replaces
    /// another inside the period waits for the next.
    pub fn covered(&self, name: PeriodName, active: Interval, rules: Rules) -> Option<Covered<'_>> {
        self.versions.iter().enumerate().find_map(|(i, version)| {
            let terms = version.terms.as_ref();
            let period = terms.cycle.period(name, terms.time_zone)?;
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

impl<'a> Covered<'a> {
    /// How each metric judges the period: one where there are no several.
    pub fn metrics(&self) -> Vec<Covered<'a>> {
        self.terms.metrics().map(|terms| Covered { terms, ..*self }).collect()
    }
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

    /// The slices beside what is judged, in service hours, in which runs of bad slices are followed.
    pub(crate) fn beside(&self, active: &[Interval]) -> Vec<Interval> {
        let margin = self.terms.margin();
        if margin == 0 {
            return Vec::new();
        }
        let wide = |span: Interval| Interval::new(span.start - margin, span.end + margin);
        let spans = self.slices_of(active).into_iter().map(wide).collect();
        let spans = self.in_service(normalize(spans), wide(self.slices()));
        let spans: Vec<Interval> = spans.into_iter().map(|span| self.grid().inside(span)).collect();
        subtract(&spans, &self.judged(active))
    }

    /// What of some time within a stretch lies in service hours.
    pub(crate) fn in_service(&self, spans: Vec<Interval>, within: Interval) -> Vec<Interval> {
        match &self.terms.service_hours {
            None => spans,
            Some(hours) => intersect(&spans, &hours.within(within, self.terms.time_zone)),
        }
    }

    /// Where a fee is prorated, the share of the period's calendar days of which some metric judges something, whatever service hours
    /// are.
    pub(crate) fn paid_days(&self, active: &[Interval]) -> Option<Fraction> {
        self.terms.prorate.then(|| Fraction::new(self.judged_days(active).len() as u64, self.period.days()))
    }

    /// The local days of which some metric judges something, whatever service hours are.
    pub(crate) fn judged_days(&self, active: &[Interval]) -> BTreeSet<NaiveDate> {
        let metrics = self.metrics();
        let spans = metrics.iter().flat_map(|metric| metric.slices_of(active));
        spans.flat_map(|span| days(span, self.terms.time_zone)).collect()
    }

    /// From when on (µs) exclusions decide something: where an allowance goes by a longer period, those before the judged
    /// part use it up.
    pub fn excludes_from(&self, reads: Interval) -> i64 {
        let exclusions = self.terms.metrics().flat_map(|terms| &terms.exclusions);
        let allowances = exclusions.filter_map(|exclude| exclude.at_most);
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

    /// The µs of which [`Evidence::slices`](crate::Evidence::slices) must be counted: the slices that are judged, those beside
    /// them in which runs of bad slices are followed, and, where telemetry was lost, the days from which is estimated.
    pub fn reads(&self, lost: &[Interval]) -> Interval {
        self.hull(|metric| metric.reads_alone(lost))
    }

    /// The same without the slices beside those that are judged.
    pub fn needs(&self, lost: &[Interval]) -> Interval {
        self.hull(|metric| metric.needs_alone(lost))
    }

    fn hull(&self, of: impl FnMut(Covered<'_>) -> Interval) -> Interval {
        let hull = |a: Interval, b: Interval| Interval::new(a.start.min(b.start), a.end.max(b.end));
        self.metrics().into_iter().map(of).reduce(hull).unwrap_or(self.interval)
    }

    /// What is read for one metric.
    pub(crate) fn reads_alone(&self, lost: &[Interval]) -> Interval {
        let (judged, margin, needs) = (self.slices(), self.terms.margin(), self.needs_alone(lost));
        Interval::new(needs.start.min(judged.start - margin), judged.end + margin)
    }

    fn needs_alone(&self, lost: &[Interval]) -> Interval {
        let judged = self.slices();
        let days = lost.iter().filter(|lost| lost.start < judged.end && judged.start < lost.end && !lost.is_empty());
        let first = days.filter_map(|lost| self.lookback(lost.start)).map(|days| days.start).min();
        Interval::new(first.unwrap_or(judged.start).min(judged.start), judged.end)
    }
}
