//! What becomes of each slice that has failures or lost telemetry, and what all of it adds up to.
//!
//! One pass over the counts of a period; slices without any cost nothing. Pages show the same decisions, slice by slice.

use std::cmp::Ordering;

use nines_timeline::{Interval, normalize};

use crate::agreement::{Bad, Covered, Downtime, ExcludedTime, Measure, RateOp, Terms};
use crate::credit::estimate::Estimate;
use crate::credit::evidence::{Counts, CreditError, Evidence};
use crate::credit::pieces::{Pieces, by_slice};
use crate::credit::slices::Special;
use crate::credit::sum::Sum;
use crate::fraction::Fraction;
use crate::spans::{clip, contains, intersect, subtract};

/// What becomes of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It lowers the availability.
    Counted,
    /// Too few requests for an error rate.
    TooFew,
    /// Its error rate does not make it bad.
    NotBad,
    /// Bad, but not for long enough.
    TooShort,
    /// It failed in excluded time alone.
    Excluded,
    /// It failed alone where telemetry was lost, so that what was counted is dropped.
    Lost,
}

/// A judged slice with failures, or with telemetry that was lost in part of it. There are many, and few have an estimate: its
/// fractions lie apart.
#[derive(Debug, Clone)]
pub(crate) struct JudgedSlice {
    pub start: i64,
    /// Valid requests that count: those of excluded time too, unless it is removed.
    pub valid: i64,
    /// Failed requests that count.
    pub failed: i64,
    /// Valid requests of time that is neither excluded nor lost.
    pub outside: i64,
    /// Failed requests in excluded time.
    pub spared: i64,
    /// Failed requests that are assumed in the part of it that was lost.
    pub estimate: Option<Box<Fraction>>,
    /// µs of it in the denominator: all, less what is removed.
    pub time: i64,
    /// Its error rate; meaningless where nothing of it counts.
    rate: Option<Box<Fraction>>,
    pub fate: Fate,
    /// µs of downtime in it, where that is measured.
    pub down: i64,
}

/// What the judged slices of a period come to.
pub(crate) struct Judged {
    /// By start. Slices that were lost from first to last are not among them unless they had failures.
    pub slices: Vec<JudgedSlice>,
    /// Slices that were lost from first to last and lower the availability.
    pub lost: Vec<Interval>,
    pub valid: i64,
    pub failed: i64,
    /// Slices of which anything is in the denominator.
    pub number: i64,
    /// µs of the denominator.
    pub time: i64,
    /// The measure's sum, in slices.
    pub lost_time: Fraction,
    /// By start the runs that are downtime, where that is measured: each the intervals that are down, several where
    /// excluded time in it does not end it.
    pub outages: Vec<Vec<Interval>>,
}

impl JudgedSlice {
    /// Its error rate.
    pub fn rate(&self) -> Fraction {
        let counted = || Fraction::new(self.failed.unsigned_abs(), self.valid.unsigned_abs());
        self.rate.as_deref().cloned().unwrap_or_else(counted)
    }

    /// Its error rate compared with another's, without large numbers where there is no estimate.
    pub fn compared(&self, other: &JudgedSlice) -> Ordering {
        match (&self.rate, &other.rate) {
            (None, None) => {
                let product = |one: &JudgedSlice, other: &JudgedSlice| i128::from(one.failed) * i128::from(other.valid);
                product(self, other).cmp(&product(other, self))
            }
            _ => self.rate().cmp(&other.rate()),
        }
    }

    /// Adds to a sum, in slices of so many µs, what it takes from the availability; for [`Measure::Occurrences`] its failures.
    pub fn add_to(&self, sum: &mut Sum, measure: Measure, slice: i64) {
        if self.fate != Fate::Counted {
            return;
        }
        match measure {
            Measure::Occurrences => sum.add_whole(self.failed.unsigned_abs()),
            Measure::Downtime { .. } => sum.add_time(self.down, slice),
            Measure::BadSlices(_) => sum.add_time(self.time, slice),
            Measure::MeanErrorRate | Measure::Proportional(_) => match &self.rate {
                None if self.time == slice => sum.add(self.failed.unsigned_abs(), self.valid.unsigned_abs()),
                _ => sum.add_fraction(self.rate().times(self.time.unsigned_abs(), slice.unsigned_abs())),
            },
        }
    }

    /// Its rate, where that is not failed / valid: with an estimate, or lost whole.
    fn estimated(&mut self, slice: i64, lost: i64) {
        let Some(estimate) = &self.estimate else { return };
        let whole = |number: i64| estimate.plus(&Fraction::new(number.unsigned_abs(), 1u8));
        let valid = whole(self.valid);
        self.rate = Some(Box::new(match valid == Fraction::zero() {
            true if lost == slice => Fraction::one(),
            true => Fraction::zero(),
            false => whole(self.failed).over(&valid),
        }));
    }

    fn fate(&self, measure: Measure, min_requests: i64) -> Fate {
        let lost = self.estimate.is_some();
        let outside = || match &self.estimate {
            None => self.outside.unsigned_abs() < min_requests.unsigned_abs(),
            Some(estimate) => {
                let all = estimate.plus(&Fraction::new(self.outside.unsigned_abs(), 1u8));
                all < Fraction::new(min_requests.unsigned_abs(), 1u8)
            }
        };
        match measure {
            _ if self.failed == 0 && !lost && self.spared > 0 => Fate::Excluded,
            _ if self.failed == 0 && !lost => Fate::Lost,
            Measure::Occurrences => Fate::Counted,
            _ if outside() => Fate::TooFew,
            measure if measure.bad().is_some_and(|bad| !self.is_bad(bad)) => Fate::NotBad,
            _ => Fate::Counted,
        }
    }

    fn is_bad(&self, bad: Bad) -> bool {
        match &self.rate {
            None => bad.holds(self.failed, self.valid),
            Some(rate) => match (bad.op, rate.cmp_share(bad.rate)) {
                (RateOp::Above, order) => order.is_gt(),
                (RateOp::AtLeast, order) => order.is_ge(),
            },
        }
    }
}

impl Judged {
    /// Judges counts that are [`checked`].
    pub fn of(
        covered: &Covered<'_>,
        evidence: &Evidence,
        special: &Special,
        estimates: &[Estimate],
    ) -> Result<Self, CreditError> {
        let terms = covered.terms;
        let (removed, slice) = (terms.excluded_time == ExcludedTime::Removed, terms.slice);
        let lost_time = special.lost_time();
        let mut partly = special.partly_lost(&lost_time).into_iter().peekable();
        let mut judged = Judged {
            slices: Vec::new(),
            lost: special.wholly_lost(&lost_time),
            valid: evidence.other_valid,
            failed: 0,
            number: 0,
            time: 0,
            lost_time: Fraction::zero(),
            outages: Vec::new(),
        };
        let measuring = Measuring { covered, special, estimates, removed };
        for (start, pieces) in measuring.slices(&evidence.slices, covered.slices()) {
            if !contains(&special.judged, start) {
                continue;
            }
            while let Some(silent) = partly.next_if(|next| *next < start) {
                judged.take(measuring.slice(silent, &[], true)?)?;
            }
            let is_partly = partly.next_if_eq(&start).is_some();
            judged.take(measuring.slice(start, pieces, is_partly)?)?;
        }
        for silent in partly {
            judged.take(measuring.slice(silent, &[], true)?)?;
        }
        if let Some(min_run) = terms.measure.min_run() {
            let beside = measuring.bad_beside(&evidence.slices)?;
            judged.run(special, terms, min_run, beside);
        }
        let mut sum = Sum::default();
        judged.slices.iter().for_each(|own| own.add_to(&mut sum, terms.measure, slice));
        if terms.measure != Measure::Occurrences {
            sum.add_time(judged.lost.iter().copied().map(Interval::duration).sum(), slice);
        } else {
            sum = Sum::default();
        }
        let all: i64 = special.judged_time();
        let excluded = if removed { special.excluded_time() } else { Vec::new() };
        let gone: i64 = excluded.iter().map(|span| special.slices.inside(*span).duration().max(0)).sum();
        judged.number = (all - gone) / slice;
        judged.time = all - excluded.into_iter().map(Interval::duration).sum::<i64>();
        judged.lost_time = sum.total();
        Ok(judged)
    }

    /// Adds a slice to the sums, and keeps it if there is anything to say of it.
    fn take(&mut self, (slice, dropped): (JudgedSlice, i64)) -> Result<(), CreditError> {
        let too_many = || CreditError::too_many(slice.start);
        self.valid = self.valid.checked_add(slice.valid).ok_or_else(too_many)?;
        self.failed = self.failed.checked_add(slice.failed).ok_or_else(too_many)?;
        if slice.failed > 0 || slice.spared > 0 || dropped > 0 || slice.estimate.is_some() {
            self.slices.push(slice);
        }
        Ok(())
    }

    /// Leaves of bad time only what lasts long enough, with what is bad beside it.
    fn run(&mut self, special: &Special, terms: &Terms, min_run: i64, beside: Vec<Interval>) {
        let slice = terms.slice;
        let bad = self.slices.iter().filter(|own| own.fate == Fate::Counted);
        let bad = bad.map(|own| Interval::new(own.start, own.start + slice));
        let bad = normalize(bad.chain(self.lost.iter().copied()).chain(beside).collect());
        self.outages = runs(&bad, special, min_run, terms.bridge);
        let runs: Vec<Interval> = self.outages.iter().flatten().copied().collect();
        self.lost = self.lost.iter().flat_map(|lost| clip(&runs, *lost)).collect();
        for own in self.slices.iter_mut().filter(|own| own.fate == Fate::Counted) {
            let within = Interval::new(own.start, own.start + slice);
            own.down = clip(&runs, within).into_iter().map(Interval::duration).sum();
            if own.down == 0 {
                own.fate = Fate::TooShort;
            }
        }
    }

    /// The downtime of all outages.
    pub fn downtime(&self, terms: &Terms) -> Downtime {
        let mut downtime = Downtime::default();
        self.outages.iter().for_each(|outage| terms.credits.add(outage, terms.time_zone, &mut downtime));
        downtime
    }

    pub fn with_fate(&self, fate: Fate) -> impl Iterator<Item = &JudgedSlice> {
        self.slices.iter().filter(move |own| own.fate == fate)
    }

    /// How many slices have this fate.
    pub fn count(&self, fate: Fate) -> i64 {
        self.with_fate(fate).count() as i64
    }

    /// 1 − the measure's sum over the slices of the denominator.
    pub fn availability(&self, slice: i64) -> Fraction {
        available(&self.lost_time, self.time, slice)
    }
}

/// 1 − so many slices that were lost over the µs of the denominator; 1 where that is 0.
pub(crate) fn available(lost: &Fraction, time: i64, slice: i64) -> Fraction {
    match time {
        0 => Fraction::one(),
        time if time % slice == 0 => lost.complement((time / slice).unsigned_abs()),
        time => lost.times(slice.unsigned_abs(), 1).complement(time.unsigned_abs()),
    }
}

/// Of bad slices the runs that last long enough, without their excluded time: that ends a run, or is bridged. Of a run that goes on
/// beside what is judged only the judged part.
pub(crate) fn runs(bad: &[Interval], special: &Special, min_run: i64, bridge: bool) -> Vec<Vec<Interval>> {
    let left = subtract(bad, &special.excluded);
    let runs: Vec<Vec<Interval>> = if bridge {
        // Excluded time beside bad time belongs to its run, but takes nothing.
        let bridged = normalize(left.iter().copied().chain(special.excluded_time()).collect());
        let lasting = bridged.into_iter().map(|run| clip(&left, run));
        let long = |run: &Vec<Interval>| run.iter().copied().map(Interval::duration).sum::<i64>() >= min_run.max(1);
        lasting.filter(long).collect()
    } else {
        left.into_iter().filter(|run| run.duration() >= min_run).map(|run| vec![run]).collect()
    };
    if special.beside.is_empty() {
        return runs;
    }
    let judged = runs.into_iter().map(|run| intersect(&run, &special.judged));
    judged.filter(|run| !run.is_empty()).collect()
}

/// What decides what becomes of a slice.
struct Measuring<'a> {
    covered: &'a Covered<'a>,
    special: &'a Special,
    estimates: &'a [Estimate],
    removed: bool,
}

impl Measuring<'_> {
    /// Of counts those of the slices of some time, with the start of each slice.
    fn slices<'c>(&self, counts: &'c [Counts], within: Interval) -> impl Iterator<Item = (i64, &'c [Counts])> {
        let from = counts.partition_point(|counts| counts.start < within.start);
        let to = counts.partition_point(|counts| counts.start < within.end);
        let grid = self.special.slices;
        by_slice(&counts[from..to.max(from)], grid.width(), move |start| grid.start_of(start))
    }

    /// The bad slices beside what is judged. What was lost of one in part is not estimated: it is judged by its rest.
    fn bad_beside(&self, counts: &[Counts]) -> Result<Vec<Interval>, CreditError> {
        let (special, width) = (self.special, self.special.slices.width());
        let mut bad: Vec<Interval> = special.wholly_lost(&special.lost_beside());
        for span in &special.beside {
            for (start, pieces) in self.slices(counts, *span) {
                let (own, _) = self.slice(start, pieces, false)?;
                if own.fate == Fate::Counted {
                    bad.push(Interval::new(start, start + width));
                }
            }
        }
        Ok(bad)
    }

    /// A slice with what was counted in it, and how many failures of it are dropped.
    fn slice(&self, start: i64, pieces: &[Counts], partly: bool) -> Result<(JudgedSlice, i64), CreditError> {
        let (terms, special) = (self.covered.terms, self.special);
        let slice = terms.slice;
        let within = Interval::new(start, start + slice);
        let mut own = JudgedSlice {
            start,
            valid: 0,
            failed: 0,
            outside: 0,
            spared: 0,
            estimate: None,
            time: slice,
            rate: None,
            fate: Fate::Counted,
            down: 0,
        };
        let mut dropped = 0;
        let too_many = || CreditError::too_many(start);
        let sum = |a: i64, b: i64| a.checked_add(b).ok_or_else(too_many);
        for counts in pieces {
            if contains(&special.excluded, counts.start) {
                own.spared = sum(own.spared, counts.failed)?;
                own.valid = sum(own.valid, if self.removed { 0 } else { counts.valid })?;
            } else if contains(&special.lost, counts.start) {
                dropped = sum(dropped, counts.failed)?;
            } else {
                own.outside = sum(own.outside, counts.valid)?;
                own.valid = sum(own.valid, counts.valid)?;
                own.failed = sum(own.failed, counts.failed)?;
            }
        }
        if self.removed {
            own.time -= clip(&special.excluded, within).into_iter().map(Interval::duration).sum::<i64>();
        }
        if partly {
            let shares = self.estimates.iter().zip(&special.outages).map(|(estimate, (_, spans))| {
                let lost: i64 = clip(spans, within).into_iter().map(Interval::duration).sum();
                (estimate.rate(lost / special.losing.width()), lost)
            });
            let (mut estimate, mut lost) = (Fraction::zero(), 0);
            for (share, time) in shares {
                (estimate, lost) = (estimate.plus(&share), lost + time);
            }
            own.estimate = Some(Box::new(estimate));
            own.estimated(slice, lost);
        }
        own.fate = own.fate(terms.measure, terms.min_requests);
        Ok((own, dropped))
    }
}

/// What can be counted, in order.
pub(crate) fn checked(covered: &Covered<'_>, evidence: &Evidence, special: &Special) -> Result<(), CreditError> {
    let pieces = Pieces::of(covered, evidence, special);
    let mut before = None;
    for counts in &evidence.slices {
        let reason = match counts {
            _ if !pieces.begins(counts.start) => "it does not begin where a slice of the agreement does",
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
