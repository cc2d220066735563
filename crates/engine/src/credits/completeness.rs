//! Whether all of a period is stored of a service.
//!
//! It is if the period is over, the newest row of any of its customers lies close enough to the end, and every local day from the first
//! covered instant to that row has a row, an exclusion or an incident. A row of any endpoint, customer and status counts, and one without
//! a request: customers are never required to have traffic. Days before the period from which is estimated must be there likewise.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use nines_slo::Terms;
use nines_timeline::Interval;

use super::Owed;
use super::period_terms::PeriodTerms;
use super::presence::{Presence, local_days};

/// What is not stored of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lack {
    /// When, in µs, ascending: whole local days where a row, an exclusion or an incident is missing; else from the newest row on.
    pub missing: Vec<Interval>,
    /// The start of the slice of the newest row in the period or shortly after it, in µs; `None` if there is none.
    pub newest: Option<i64>,
}

/// Whether what was stored suffices, as far as the rows of the period can say it.
#[derive(Debug, Clone)]
enum Stored {
    All,
    /// All if the service has rows after the period, else it lacks this.
    UnlessOver(Lack),
    Lacks(Lack),
}

/// What decides: terms, by address, service, business, the customer if an exclusion is about them, what is judged, what is needed.
type Question<'a> = (usize, &'a str, &'a str, &'a str, Interval, Interval);

/// Completeness by the rows that were seen.
pub(super) struct Completeness<'a> {
    judging: &'a PeriodTerms,
    presence: &'a Presence,
    known: HashMap<Question<'a>, Stored>,
}

impl<'a> Completeness<'a> {
    pub fn new(judging: &'a PeriodTerms, presence: &'a Presence) -> Self {
        Completeness { judging, presence, known: HashMap::new() }
    }

    /// Whether rows after the period may decide whether something is complete.
    pub fn needs_later(&mut self, owed: &'a [Owed]) -> bool {
        owed.iter().any(|owed| matches!(self.stored(owed), Stored::UnlessOver(_)))
    }

    /// What is not stored of what a credit needs.
    pub fn lack(&mut self, owed: &'a Owed) -> Lack {
        match self.stored(owed) {
            Stored::All => Lack::default(),
            Stored::UnlessOver(lack) | Stored::Lacks(lack) => lack.clone(),
        }
    }

    fn stored(&mut self, owed: &'a Owed) -> &Stored {
        let is_about_it = |own: &str| own == owed.customer;
        let names_it = self.judging.exclusions.iter().any(|exclusion| is_about_it(&exclusion.scope[2]));
        let customer = if names_it { owed.customer.as_str() } else { "" };
        let (service, business) = (owed.service.as_str(), owed.business.as_str());
        let question = (Arc::as_ptr(&owed.terms) as usize, service, business, customer, owed.judged, owed.needed);
        let Completeness { judging, presence, known } = self;
        known.entry(question).or_insert_with(|| {
            let of = Of { terms: &owed.terms, service, business, customer };
            judging.stored(presence, &of, owed.judged, owed.needed)
        })
    }
}

/// Of what completeness is asked.
pub(super) struct Of<'a> {
    pub terms: &'a Terms,
    pub service: &'a str,
    pub business: &'a str,
    pub customer: &'a str,
}

impl PeriodTerms {
    /// What is not stored of a service of what is judged.
    pub fn lack(&self, presence: &Presence, of: &Of<'_>, judged: Interval) -> Lack {
        match self.stored(presence, of, judged, judged) {
            Stored::All => Lack::default(),
            Stored::UnlessOver(lack) | Stored::Lacks(lack) => lack,
        }
    }

    fn stored(&self, presence: &Presence, of: &Of<'_>, judged: Interval, needed: Interval) -> Stored {
        let within = Interval::new(needed.start.min(judged.start), judged.end);
        let days = local_days(of.terms.time_zone, within);
        // A row before the first covered instant says as well that its day is stored.
        let newest = self.newest(presence, of, days.first().map_or(within.start, |day| day.start));
        let has_row = |day: &Interval| {
            let stretches = self.midnights.stretch(day.start)..self.midnights.stretch(day.end);
            newest.range(stretches).next().is_some()
        };
        let excused = |day: &Interval| {
            let exclusions = self.exclusions.iter().filter(|e| e.applies(of.business, of.service, Some(of.customer)));
            let incidents = self.incidents.iter().filter(|incident| incident.applies(of.business, of.service));
            let touches = |interval: Interval| interval.start < day.end && day.start < interval.end;
            exclusions.map(|exclusion| exclusion.interval).any(touches)
                || incidents.map(|incident| incident.interval(self.now)).any(touches)
        };
        let last = newest.values().max().copied();
        let ends = newest.range(..=self.midnights.stretch(judged.end - 1)).next_back().map(|(_, at)| *at);
        // What is not over is not complete, however close its newest row is.
        let is_over = self.now >= judged.end || last.is_some_and(|last| last >= judged.end);
        // Where runs are followed over the end, what comes after it must be there, too.
        let end = judged.end + margin(of.terms);
        let beyond = Interval::new(judged.end, end);
        let is_excused = self.now >= end && !beyond.is_empty() && excused(&beyond);
        let is_beyond = is_excused || last.is_some_and(|last| last >= end);
        let is_close = is_over
            && (is_beyond || end == judged.end)
            && ends.is_some_and(|ends| ends >= judged.end.saturating_sub(of.terms.complete));
        // What is closer to the end than rows must be may be silent yet.
        let until = ends.filter(|_| is_close).unwrap_or(i64::MAX);
        let missing = days.into_iter().filter(|day| day.start <= until && !has_row(day) && !excused(day));
        let missing = joined(missing);
        let lack = |missing| Lack { missing, newest: last };
        match (is_close, missing.is_empty()) {
            (true, true) => Stored::All,
            (_, false) => Stored::Lacks(lack(missing)),
            (false, true) if is_beyond => Stored::All,
            (false, true) => {
                let newest = if end == judged.end { ends } else { last };
                let since = newest.map_or(within.start, |newest| (newest + self.slot).max(within.start));
                Stored::UnlessOver(lack(vec![Interval::new(since.min(end), end)]))
            }
        }
    }

    /// The newest row, or event of an objective, of each stretch. Where several things are judged all of them must be there.
    fn newest(&self, presence: &Presence, of: &Of<'_>, from: i64) -> BTreeMap<usize, i64> {
        let judged: BTreeSet<Option<&str>> = of.terms.metrics().map(|metric| metric.objective.as_deref()).collect();
        let sources = judged.into_iter().map(|objective| match objective {
            None => self.newest_row(presence, of, from),
            Some(name) => self
                .seen_by_objective
                .get()
                .and_then(|seen| seen.get(name))
                .map_or_else(BTreeMap::new, |seen| seen.newest.clone()),
        });
        let both = |one: BTreeMap<usize, i64>, other: BTreeMap<usize, i64>| {
            one.into_iter().filter_map(|(stretch, at)| Some((stretch, at.min(*other.get(&stretch)?)))).collect()
        };
        sources.reduce(both).unwrap_or_default()
    }

    /// The newest row of each stretch, of rows that count as the service's.
    fn newest_row(&self, presence: &Presence, of: &Of<'_>, from: i64) -> BTreeMap<usize, i64> {
        let mut found: BTreeMap<usize, i64> = BTreeMap::new();
        for (business, seen) in presence.of(of.service) {
            let counting = self.counting(of.terms, of.service, business, Interval::new(from, i64::MAX));
            for (&stretch, &at) in &seen.newest {
                let is_counted = |span: &Interval| !span.overlap(self.midnights.interval(stretch)).is_empty();
                if counting.iter().any(is_counted) {
                    let newest = found.entry(stretch).or_insert(at);
                    *newest = (*newest).max(at);
                }
            }
        }
        found
    }

    /// Whether rows after the period can decide whether it is complete: where the last day may be without a row, or its row too far
    /// from the end.
    pub fn may_need_later(&self) -> bool {
        let judging = self.agreements().flat_map(|(_, agreement)| self.judges(agreement));
        let mut last = judging.filter_map(|(_, covered)| {
            let end = covered.interval.end;
            let day = *local_days(covered.terms.time_zone, Interval::new(end - 1, end)).first()?;
            Some((day, covered.terms))
        });
        last.any(|(day, terms)| {
            let touches = |interval: Interval| !interval.overlap(day).is_empty();
            day.duration() > terms.complete
                || margin(terms) > 0
                || self.exclusions.iter().any(|exclusion| touches(exclusion.interval))
                || self.incidents.iter().any(|incident| touches(incident.interval(self.now)))
        })
    }
}

/// How long (µs) after the end of what is judged rows must be there.
fn margin(terms: &Terms) -> i64 {
    terms.metrics().map(Terms::margin).max().unwrap_or_default()
}

/// Days that follow each other as one time.
pub(super) fn joined(days: impl Iterator<Item = Interval>) -> Vec<Interval> {
    let mut found: Vec<Interval> = Vec::new();
    for day in days {
        match found.last_mut() {
            Some(last) if last.end == day.start => last.end = day.end,
            _ => found.push(day),
        }
    }
    found
}
