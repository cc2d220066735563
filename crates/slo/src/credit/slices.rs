//! Which time is excluded, and of which telemetry was lost.
//!
//! The unit is the store's slice, or the agreement's where that is agreed or was by earlier rules: it is excluded if it lies
//! wholly inside what is excluded, else lost if a loss of telemetry touches it, and then what was counted in it is dropped.

use nines_timeline::{Grid, Interval, normalize};

use crate::agreement::{Covered, Granularity};
use crate::credit::evidence::{CreditError, Evidence, Excluded};
use crate::spans::{clip, intersect, subtract};

/// Time that is not judged by its counts. Disjoint intervals, ascending.
#[derive(Debug)]
pub(crate) struct Special {
    /// What is judged: the slices of the covered part of the period in which the customer was there.
    pub judged: Vec<Interval>,
    /// The slices beside them in which runs of bad slices are followed.
    pub beside: Vec<Interval>,
    /// Of whatever time the evidence is about.
    pub excluded: Vec<Interval>,
    /// Touched by a loss of telemetry, excluded or not, of the same time.
    pub lost: Vec<Interval>,
    /// By outage, with its start: lost, not excluded and judged. What two outages touch is the first one's.
    pub outages: Vec<(i64, Vec<Interval>)>,
    /// The agreement's slices.
    pub slices: Grid,
    /// By which time is excluded.
    pub excluding: Grid,
    /// By which time is lost.
    pub losing: Grid,
}

/// An exclusion that counts.
pub(crate) struct Honoured<'e> {
    pub own: &'e Excluded,
    /// The time of it that counts: all of it, or as far as an allowance goes.
    pub parts: Vec<Interval>,
}

/// The exclusions that count, by start.
///
/// Those that overlap are one time, whatever the category and for however many reasons. Rules 1 refuse them.
pub(crate) fn honoured<'e>(
    covered: &Covered<'_>,
    exclusions: &'e [Excluded],
) -> Result<Vec<Honoured<'e>>, CreditError> {
    let honours = |e: &Excluded| covered.terms.honours(&e.category, e.announced, e.interval.start);
    let counts = |e: &&Excluded| !e.interval.is_empty() && honours(e);
    let mut found: Vec<&Excluded> = exclusions.iter().filter(counts).collect();
    found.sort_by(|a, b| (a.interval, &a.id).cmp(&(b.interval, &b.id)));
    if let Some(pair) = found.windows(2).find(|pair| pair[1].interval.start < pair[0].interval.end)
        && !covered.rules.unite_exclusions()
    {
        let ids = [pair[0].id.clone(), pair[1].id.clone()];
        return Err(CreditError::OverlappingExclusions { ids, at: pair[1].interval.start });
    }
    let mut honoured: Vec<Honoured<'e>> =
        found.into_iter().map(|own| Honoured { own, parts: vec![own.interval] }).collect();
    for (clause, allowance) in covered.terms.exclusions.iter().filter_map(|clause| Some((clause, clause.at_most?))) {
        let mut of_category: Vec<&mut Honoured<'e>> =
            honoured.iter_mut().filter(|honoured| honoured.own.category == clause.category).collect();
        let all = normalize(of_category.iter().map(|honoured| honoured.own.interval).collect());
        let allowed = allowance.cut(&all, covered.terms.time_zone);
        of_category.iter_mut().for_each(|honoured| honoured.parts = clip(&allowed, honoured.own.interval));
    }
    Ok(honoured)
}

impl Special {
    /// Of evidence, whose counts do not matter, and these losses of telemetry.
    pub fn of(covered: &Covered<'_>, honoured: &[Honoured<'_>], evidence: &Evidence, lost: &[Interval]) -> Self {
        let (terms, slices) = (covered.terms, covered.grid());
        let stored = evidence.stored_slice.filter(|_| covered.rules.within_slices());
        let by = |granularity: Granularity| match (granularity, stored) {
            (Granularity::Stored, Some(width)) => Grid::new(0, width),
            (Granularity::Stored, None) | (Granularity::Slice, _) => slices,
        };
        let (excluding, losing) = (by(terms.excluded_by), by(terms.lost_by));
        let (judged, beside) = (covered.judged(&evidence.active), covered.beside(&evidence.active));
        let joined = normalize(honoured.iter().flat_map(|honoured| &honoured.parts).copied().collect());
        let excluded = joined.into_iter().map(|interval| excluding.inside(interval)).filter(|i| !i.is_empty());
        let excluded: Vec<Interval> = excluded.collect();
        let mut special =
            Special { judged, beside, excluded, lost: Vec::new(), outages: Vec::new(), slices, excluding, losing };
        if terms.lost_telemetry.is_none() {
            return special;
        }
        let mut incidents: Vec<Interval> = lost.iter().copied().filter(|lost| !lost.is_empty()).collect();
        incidents.sort_unstable();
        let mut taken = i64::MIN;
        let mut touched = Vec::new();
        for incident in incidents {
            let all = losing.touched(incident);
            let own = Interval::new(all.start.max(taken), all.end);
            taken = taken.max(all.end);
            let own = intersect(&subtract(&[own], &special.excluded), &special.judged);
            if !own.is_empty() {
                special.outages.push((incident.start, own));
            }
            touched.push(all);
        }
        special.lost = normalize(touched);
        special
    }

    /// Judged time that was lost, and not excluded.
    pub fn lost_time(&self) -> Vec<Interval> {
        normalize(self.outages.iter().flat_map(|(_, spans)| spans.iter().copied()).collect())
    }

    /// Time beside what is judged that was lost, and not excluded.
    pub fn lost_beside(&self) -> Vec<Interval> {
        match self.beside.is_empty() {
            true => Vec::new(),
            false => intersect(&subtract(&self.lost, &self.excluded), &self.beside),
        }
    }

    /// Of lost time the slices that were lost from first to last.
    pub fn wholly_lost(&self, lost_time: &[Interval]) -> Vec<Interval> {
        lost_time.iter().map(|span| self.slices.inside(*span)).filter(|span| !span.is_empty()).collect()
    }

    /// The starts of the slices that were lost in part.
    pub fn partly_lost(&self, lost_time: &[Interval]) -> Vec<i64> {
        let rest = subtract(lost_time, &self.wholly_lost(lost_time));
        let touched = normalize(rest.into_iter().map(|span| self.slices.touched(span)).collect());
        let width = self.slices.width();
        touched.into_iter().flat_map(|span| (span.start..span.end).step_by(width as usize)).collect()
    }

    /// Judged time and time beside it, within a stretch.
    pub fn followed(&self, within: Interval) -> Vec<Interval> {
        let judged = intersect(&self.judged, &[within]);
        match self.beside.is_empty() {
            true => judged,
            false => normalize(judged.into_iter().chain(intersect(&self.beside, &[within])).collect()),
        }
    }

    /// From the first slice in which a run may begin to the last in which it may end.
    pub fn reach(&self) -> Interval {
        let all = || self.judged.iter().chain(&self.beside);
        let start = all().map(|span| span.start).min().unwrap_or_default();
        Interval::new(start, all().map(|span| span.end).max().unwrap_or(start))
    }

    /// µs that are judged.
    pub fn judged_time(&self) -> i64 {
        self.judged.iter().map(|span| span.duration()).sum()
    }

    /// Judged time that is excluded.
    pub fn excluded_time(&self) -> Vec<Interval> {
        intersect(&self.excluded, &self.judged)
    }

    /// Number of judged slices that were lost, in part or whole.
    pub fn lost_slices(&self) -> i64 {
        let touched = normalize(self.lost_time().into_iter().map(|span| self.slices.touched(span)).collect());
        touched.into_iter().map(|span| span.duration() / self.slices.width()).sum()
    }
}
