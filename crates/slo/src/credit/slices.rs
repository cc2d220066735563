//! Which slices are excluded, which are lost, and what the others add up to.
//!
//! The slice is the unit of all of it, as in a timeline: it is excluded if it lies wholly inside what is excluded, else
//! lost if a loss of telemetry touches it, and then what was counted in it is dropped. One pass over the slices that
//! hold requests; slices without any cost nothing.

use nines_timeline::{Grid, Interval, normalize};

use crate::agreement::{Bad, Covered, ExcludedTime, Measure};
use crate::credit::evidence::{Counts, CreditError, Evidence, Excluded};
use crate::credit::fraction::Fraction;
use crate::credit::sum::Sum;
use crate::spans::{contains, intersect, subtract};

/// Slices that are not judged by their counts. Disjoint intervals of whole slices, ascending.
pub(crate) struct Special {
    /// What is judged: the slices of the covered part of the period in which the customer was there.
    pub judged: Vec<Interval>,
    /// Of whatever time the evidence is about.
    pub excluded: Vec<Interval>,
    /// Touched by a loss of telemetry, excluded or not, of the same time.
    pub lost: Vec<Interval>,
    /// By outage, with its start: lost, not excluded and judged. What two outages touch is the first one's.
    pub outages: Vec<(i64, Vec<Interval>)>,
}

/// The exclusions that count, by start.
///
/// Those that overlap are one time, whatever the category and for however many reasons. Rules 1 refuse them.
pub(crate) fn honoured<'e>(
    covered: &Covered<'_>,
    exclusions: &'e [Excluded],
) -> Result<Vec<&'e Excluded>, CreditError> {
    let honours = |e: &Excluded| covered.terms.honours(&e.category, e.announced, e.interval.start);
    let counts = |e: &&Excluded| !e.interval.is_empty() && honours(e);
    let mut honoured: Vec<&Excluded> = exclusions.iter().filter(counts).collect();
    honoured.sort_by(|a, b| (a.interval, &a.id).cmp(&(b.interval, &b.id)));
    match honoured.windows(2).find(|pair| pair[1].interval.start < pair[0].interval.end) {
        Some(pair) if !covered.rules.unite_exclusions() => {
            let ids = [pair[0].id.clone(), pair[1].id.clone()];
            Err(CreditError::OverlappingExclusions { ids, at: pair[1].interval.start })
        }
        _ => Ok(honoured),
    }
}

impl Special {
    pub fn of(covered: &Covered<'_>, honoured: &[&Excluded], lost: &[Interval], active: &[Interval]) -> Self {
        let grid = covered.grid();
        let judged = covered.judged(active);
        let joined = normalize(honoured.iter().map(|exclusion| exclusion.interval).collect());
        let excluded = joined.into_iter().map(|interval| grid.inside(interval)).filter(|i| !i.is_empty());
        let excluded: Vec<Interval> = excluded.collect();
        if covered.terms.lost_telemetry.is_none() {
            return Special { judged, excluded, lost: Vec::new(), outages: Vec::new() };
        }
        let mut incidents: Vec<Interval> = lost.iter().copied().filter(|lost| !lost.is_empty()).collect();
        incidents.sort_unstable();
        let mut taken = i64::MIN;
        let mut outages = Vec::new();
        let mut touched = Vec::new();
        for incident in incidents {
            let slices = grid.touched(incident);
            let own = Interval::new(slices.start.max(taken), slices.end);
            taken = taken.max(slices.end);
            let own = intersect(&subtract(&[own], &excluded), &judged);
            if !own.is_empty() {
                outages.push((incident.start, own));
            }
            touched.push(slices);
        }
        Special { judged, excluded, lost: normalize(touched), outages }
    }

    /// µs that are judged.
    pub fn judged_time(&self) -> i64 {
        self.judged.iter().map(|span| span.duration()).sum()
    }

    /// µs that are judged and excluded.
    pub fn excluded_time(&self) -> i64 {
        intersect(&self.excluded, &self.judged).into_iter().map(Interval::duration).sum()
    }

    /// Number of slices that are judged lost.
    pub fn lost_slices(&self, slice: i64) -> i64 {
        self.outages.iter().flat_map(|(_, spans)| spans).map(|span| span.duration() / slice).sum()
    }
}

/// What the judged slices add up to.
pub(crate) struct Tally {
    pub valid: i64,
    pub failed: i64,
    /// Slices in the denominator.
    pub slices: i64,
    /// The measure's sum over slices, lost ones at error rate 1.
    pub lost_time: Fraction,
}

/// Adds up the judged slices.
pub(crate) fn tally(covered: &Covered<'_>, evidence: &Evidence, special: &Special) -> Result<Tally, CreditError> {
    let (terms, judged) = (covered.terms, covered.slices());
    let slice = terms.slice;
    checked(&evidence.slices, covered.grid())?;
    let removed = terms.excluded_time == ExcludedTime::Removed;
    let (mut valid, mut failed) = (evidence.other_valid, 0i64);
    let mut rates = Sum::default();
    let mut bad_slices = Vec::new();
    let from = evidence.slices.partition_point(|counts| counts.start < judged.start);
    for counts in evidence.slices[from..].iter().take_while(|counts| counts.start < judged.end) {
        if !contains(&special.judged, counts.start) {
            continue;
        }
        let excluded = contains(&special.excluded, counts.start);
        if excluded && removed || !excluded && contains(&special.lost, counts.start) {
            continue;
        }
        let too_many = || CreditError::Counts { start: counts.start, reason: "more requests than can be counted" };
        valid = valid.checked_add(counts.valid).ok_or_else(too_many)?;
        if excluded {
            continue;
        }
        failed = failed.checked_add(counts.failed).ok_or_else(too_many)?;
        if counts.failed == 0 || counts.valid < terms.min_requests {
            continue;
        }
        let is_bad = |bad: Bad| bad.holds(counts.failed, counts.valid);
        match terms.measure {
            Measure::MeanErrorRate => rates.add(counts.failed as u64, counts.valid as u64),
            Measure::Proportional(bad) if is_bad(bad) => rates.add(counts.failed as u64, counts.valid as u64),
            Measure::BadSlices(bad) | Measure::Downtime { bad, .. } if is_bad(bad) => {
                bad_slices.push(Interval::new(counts.start, counts.start + slice));
            }
            Measure::Proportional(_) | Measure::BadSlices(_) | Measure::Downtime { .. } | Measure::Occurrences => {}
        }
    }
    let lost = special.outages.iter().flat_map(|(_, spans)| spans.iter().copied());
    match terms.measure {
        Measure::MeanErrorRate | Measure::Proportional(_) => {
            rates.add_whole(special.lost_slices(slice).unsigned_abs());
        }
        Measure::BadSlices(_) | Measure::Downtime { .. } => {
            bad_slices.extend(lost);
            let min_run = if let Measure::Downtime { min_run, .. } = terms.measure { min_run } else { 0 };
            let runs = normalize(bad_slices).into_iter().map(Interval::duration);
            rates.add_whole((runs.filter(|run| *run >= min_run).sum::<i64>() / slice).unsigned_abs());
        }
        Measure::Occurrences => {}
    }
    let excluded = if removed { special.excluded_time() } else { 0 };
    let slices = (special.judged_time() - excluded) / slice;
    Ok(Tally { valid, failed, slices, lost_time: rates.total() })
}

/// What can be counted, in order.
fn checked(slices: &[Counts], grid: Grid) -> Result<(), CreditError> {
    let mut before = None;
    for counts in slices {
        let reason = match counts {
            _ if !grid.begins(counts.start) => "it does not begin where a slice of the agreement does",
            _ if before >= Some(counts.start) => "it is out of order, or counted twice",
            Counts { valid, failed, .. } if *failed < 0 || valid < failed => {
                "failed requests must be between none and all of the valid ones"
            }
            _ => {
                before = Some(counts.start);
                continue;
            }
        };
        return Err(CreditError::Counts { start: counts.start, reason });
    }
    Ok(())
}
