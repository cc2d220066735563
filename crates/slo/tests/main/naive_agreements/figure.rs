//! One figure: what a metric makes of what was counted, of all or of one member.

use std::collections::BTreeMap;

use nines_slo::Fraction;

use super::clock::{DAY, shown};
use super::counted::Counted;
use super::drawn::{Case, Each, Metric, TICKS};
use super::time::Time;
use crate::naive::{ratio, sum, whole};
use crate::naive_forms::Form;

/// What is assumed of what nobody counted.
#[derive(Clone, Copy, PartialEq)]
pub enum Assumed {
    /// What the agreement says.
    Agreed,
    /// Nothing was lost.
    Best,
    /// What nobody requested was down.
    Worst,
}

#[derive(Debug, Clone)]
pub struct Figure {
    pub slices: i64,
    pub valid: i64,
    pub failed: i64,
    pub lost_slices: i64,
    pub estimated: Fraction,
    /// Slots by clause.
    pub excluded: Vec<i64>,
    pub availability: Fraction,
    pub kept: bool,
    /// Of the fee base, without the cap.
    pub share: Fraction,
}

/// What a slice comes to.
struct Slice {
    first: usize,
    judged: bool,
    /// Slots in the denominator.
    weight: i64,
    /// `None`: nothing failed, or it has no error rate.
    rate: Option<Fraction>,
    /// Whether it has an error rate that makes it bad.
    bad: bool,
    /// Whether some of it is neither excluded nor lost, and nobody requested anything then.
    silent: bool,
    /// Whether all of it was measured and something was requested.
    measured: bool,
}

/// Requests of each slot of a slice, by what the slot is.
struct Sums {
    outside: i64,
    failed: i64,
    spared: i64,
}

impl Metric {
    fn sums(&self, time: &Time, counted: &Counted, first: usize, is_lost: &[bool]) -> Sums {
        let mut sums = Sums { outside: 0, failed: 0, spared: 0 };
        for slot in first..first + time.width {
            let (valid, failed) = counted[slot];
            match (time.excluded[slot], is_lost[slot]) {
                (Some(_), _) => sums.spared += valid,
                (None, true) => {}
                (None, false) => (sums.outside, sums.failed) = (sums.outside + valid, sums.failed + failed),
            }
        }
        sums
    }

    /// Of each slice the slots of the member that decides it.
    pub fn joined(&self, time: &Time, members: &[(&str, Counted)], length: usize) -> Counted {
        let (mut joined, nothing_lost) = (vec![(0, 0); length], vec![false; length]);
        let first = time.slices.first().map_or(0, |(first, ..)| first % time.width);
        for first in (first..length).step_by(time.width).filter(|first| first + time.width <= length) {
            let slots = first..first + time.width;
            let there = members.iter().filter(|(_, own)| own[slots.clone()].iter().any(|(valid, _)| *valid > 0));
            let sums = |own: &Counted| self.sums(time, own, first, &nothing_lost);
            let all: Vec<(&Counted, Sums)> = there.map(|(_, own)| (own, sums(own))).collect();
            let enough = |own: &&(&Counted, Sums)| own.1.outside >= self.min_requests;
            let rate = |own: &&(&Counted, Sums)| {
                let valid = own.1.outside + if self.removed { 0 } else { own.1.spared };
                Fraction::new(own.1.failed as u64, valid as u64)
            };
            let measured: Vec<&(&Counted, Sums)> = all.iter().filter(enough).collect();
            let decides = match self.each {
                Each::All { silent: "ok", .. } if measured.len() < self.all().len() => {
                    for slot in slots {
                        joined[slot].0 = all.iter().map(|(own, _)| own[slot].0).sum();
                    }
                    continue;
                }
                // One in error is not the one with the lowest error rate, unless all are: then there is none.
                Each::All { .. } => measured.into_iter().min_by_key(rate),
                _ => measured.into_iter().max_by_key(rate),
            };
            // Where nobody has enough there is no error rate, whosever requests stand there.
            if let Some((own, _)) = decides.or_else(|| all.iter().max_by_key(|(_, sums)| sums.outside)) {
                joined[slots.clone()].copy_from_slice(&own[slots]);
            }
        }
        joined
    }
}

impl Case {
    /// What is assumed to have failed in a slot of each loss: requests of usable slots of the days before, by their number.
    fn usual(&self, metric: &Metric, time: &Time, counted: &Counted, loss: usize) -> Fraction {
        let day = shown(time.losses[loss].0.div_euclid(TICKS), self.zone).div_euclid(DAY);
        let days = self.slots.midnight(day - metric.lost.unwrap())..self.slots.midnight(day);
        let usable =
            days.filter(|slot| time.usable[*slot] && time.excluded[*slot].is_none() && time.lost[*slot].is_none());
        let (mut requests, mut number) = (0, 0);
        for slot in usable {
            (requests, number) = (requests + counted[slot].0, number + 1);
        }
        if number == 0 { whole(0) } else { Fraction::new(requests as u64, number as u64) }
    }

    pub fn figure(&self, metric: &Metric, time: &Time, counted: &Counted, assumed: Assumed) -> Figure {
        let length = self.slots.len();
        let lost = |slot: usize| time.lost[slot].filter(|_| assumed != Assumed::Best);
        let is_lost: Vec<bool> = (0..length).map(|slot| lost(slot).is_some()).collect();
        let mut usual: BTreeMap<usize, Fraction> = BTreeMap::new();
        let mut found = Figure {
            slices: 0,
            valid: 0,
            failed: 0,
            lost_slices: 0,
            estimated: whole(0),
            excluded: vec![0; metric.exclusions.len()],
            availability: whole(1),
            kept: true,
            share: whole(0),
        };
        let mut slices = Vec::new();
        for &(first, judged, _) in time.slices.iter().filter(|(.., followed)| *followed) {
            let Sums { outside, failed, spared } = metric.sums(time, counted, first, &is_lost);
            let all = first..first + time.width;
            let gone = all.clone().filter(|slot| time.excluded[*slot].is_some()).count() as i64;
            let of_losses = all.clone().filter_map(|slot| lost(slot).filter(|_| time.excluded[slot].is_none()));
            let losses: Vec<usize> = of_losses.collect();
            let weight = time.width as i64 - if metric.removed { gone } else { 0 };
            let valid = outside + if metric.removed { 0 } else { spared };
            // Mostly nothing failed or was lost, and there is nothing to work out.
            let [mut rate, mut estimate] = [const { None }; 2];
            let mut bad = false;
            if failed > 0 || !losses.is_empty() {
                let usual = |loss: &usize| {
                    let own = usual.entry(*loss).or_insert_with(|| self.usual(metric, time, counted, *loss));
                    own.clone()
                };
                // What lies beside what is judged is judged by its rest.
                let lost = if judged { sum(losses.iter().map(usual)) } else { whole(0) };
                let lost_whole = losses.len() == time.width;
                if lost_whole || lost.plus(&whole(outside)) >= whole(metric.min_requests) {
                    let own = match valid {
                        _ if lost_whole => whole(1),
                        0 if lost == whole(0) => whole(0),
                        _ => ratio(&lost.plus(&whole(failed)), &lost.plus(&whole(valid))),
                    };
                    let (at_least, percent) = metric.bad;
                    let limit = Fraction::new(percent as u64, 100u8);
                    bad = own > limit || at_least && own == limit;
                    rate = Some(own);
                }
                estimate = Some(lost);
            }
            let left = time.width as i64 - gone - losses.len() as i64;
            let (silent, measured) = (left > 0 && outside == 0, losses.is_empty() && outside > 0);
            slices.push(Slice { first, judged, weight, rate, bad, silent, measured });
            if judged {
                found.slices += i64::from(weight > 0);
                (found.valid, found.failed) = (found.valid + valid, found.failed + failed);
                found.lost_slices += i64::from(!losses.is_empty());
                found.estimated = estimate.iter().fold(found.estimated, |sum, own| sum.plus(own));
                all.filter_map(|slot| time.excluded[slot]).for_each(|clause| found.excluded[clause] += 1);
            }
        }
        let total: i64 = slices.iter().filter(|own| own.judged).map(|own| own.weight).sum();
        let runs = if metric.measure == "Downtime" { self.runs(metric, time, &slices, assumed) } else { Vec::new() };
        let unavailable = match metric.measure {
            "Occurrences" => {
                let (above, below) =
                    (found.estimated.plus(&whole(found.failed)), found.estimated.plus(&whole(found.valid)));
                if below == whole(0) { whole(0) } else { ratio(&above, &below) }
            }
            _ if total == 0 => whole(0),
            "Downtime" => Fraction::new(runs.concat().len(), total as u64),
            measure => ratio(&lost_of(measure, &slices, assumed), &whole(total)),
        };
        found.availability = less(&whole(1), &unavailable);
        let decides = metric.round.map_or_else(
            || found.availability.clone(),
            |(places, mode)| {
                let scale = 100 * 10u64.pow(places);
                Fraction::new(rounded(&found.availability, scale, mode), scale)
            },
        );
        found.kept = decides >= Fraction::new(metric.commitment as u64, 100_000u32);
        found.share = self.share(metric, &decides, &runs);
        found
    }

    /// Slots that are down, run by run: of those that last long enough what is judged.
    fn runs(&self, metric: &Metric, time: &Time, slices: &[Slice], assumed: Assumed) -> Vec<Vec<usize>> {
        #[derive(Clone, Copy, PartialEq)]
        enum Slot {
            Well,
            Down(bool),
            Bridged,
        }
        let mut slots = vec![Slot::Well; self.slots.len() + 1];
        for own in slices {
            let bad = own.bad || assumed == Assumed::Worst && !own.measured;
            for (slot, is) in slots.iter_mut().enumerate().skip(own.first).take(time.width) {
                *is = match time.excluded[slot] {
                    None if bad => Slot::Down(own.judged),
                    Some(_) if metric.bridge && own.judged => Slot::Bridged,
                    _ => Slot::Well,
                };
            }
        }
        let (mut found, mut run) = (Vec::new(), Vec::new());
        for (slot, own) in slots.into_iter().enumerate() {
            match own {
                Slot::Down(judged) => run.push((slot, judged)),
                Slot::Bridged => {}
                Slot::Well if run.is_empty() => {}
                Slot::Well => {
                    let long = run.len() as i64 * self.slots.width >= metric.min_run;
                    let judged: Vec<usize> =
                        run.drain(..).filter(|(_, judged)| *judged).map(|(slot, _)| slot).collect();
                    if long && !judged.is_empty() {
                        found.push(judged);
                    }
                }
            }
        }
        found
    }

    /// The share of the fee base that an availability and runs that are down come to.
    fn share(&self, metric: &Metric, decides: &Fraction, runs: &[Vec<usize>]) -> Fraction {
        let [(_, first), (_, next)] = self.period();
        let days = i128::from(next - first);
        let commitment = Fraction::new(metric.commitment as u64, 100_000u32);
        let of = |(n, d): (i128, i128)| Fraction::new(n as u64, d as u64);
        match metric.form {
            Form::Tiers(tiers) => {
                let missed = |(bound, at, _): &&(i128, bool, _)| {
                    let bound = of((*bound, 100_000));
                    *decides < bound || *at && *decides == bound
                };
                tiers.iter().rfind(missed).map_or(whole(0), |(_, _, worth)| of(worth.share(days)))
            }
            Form::Steps { outage, per, after, begun, worth, per_day } => {
                let joined = if outage { runs.to_vec() } else { vec![runs.concat()] };
                let mut by_day: BTreeMap<i64, i128> = BTreeMap::new();
                for outage in joined {
                    for (at, slot) in outage.into_iter().enumerate() {
                        for minute in at as i64 * self.slots.width + 1..=(at as i64 + 1) * self.slots.width {
                            let beyond = minute - after;
                            let counts = beyond > 0 && if begun { (beyond - 1) % per == 0 } else { beyond % per == 0 };
                            *by_day.entry(self.slots.day(slot)).or_default() += i128::from(counts);
                        }
                    }
                }
                let steps = by_day.values().map(|steps| per_day.map_or(*steps, |most| most.min(*steps)));
                let (n, d) = worth.share(days);
                of((n * steps.sum::<i128>(), d))
            }
            Form::Linear { .. } if *decides >= commitment => whole(0),
            Form::Linear { thousandths, below_commitment } => {
                let from = if below_commitment { commitment } else { whole(1) };
                product(&less(&from, decides), &of((thousandths, 1000)))
            }
        }
    }
}

/// What slices take from the availability, in slots.
fn lost_of(measure: &str, slices: &[Slice], assumed: Assumed) -> Fraction {
    // Few rates differ: so the sum has few terms.
    let mut weights: BTreeMap<Fraction, i64> = BTreeMap::new();
    for own in slices.iter().filter(|own| own.judged) {
        let rate = match (measure, &own.rate) {
            _ if assumed == Assumed::Worst && own.silent => whole(1),
            ("BadSlices", Some(_)) if own.bad => whole(1),
            ("MeanErrorRate", Some(rate)) => rate.clone(),
            ("Proportional", Some(rate)) if own.bad => rate.clone(),
            _ => continue,
        };
        *weights.entry(rate).or_default() += own.weight;
    }
    sum(weights.iter().map(|(rate, weight)| product(rate, &whole(*weight))))
}

pub fn product(one: &Fraction, other: &Fraction) -> Fraction {
    Fraction::new(one.numerator() * other.numerator(), one.denominator() * other.denominator())
}

/// The difference of two of which the first is not the lower.
pub fn less(one: &Fraction, other: &Fraction) -> Fraction {
    let across = |a: &Fraction, b: &Fraction| a.numerator() * b.denominator();
    Fraction::new(across(one, other) - across(other, one), one.denominator() * other.denominator())
}

/// So many times a fraction as a whole number, by the name of the mode.
pub fn rounded(of: &Fraction, scale: u64, mode: &str) -> num_bigint::BigUint {
    let (n, d) = (of.numerator() * scale, of.denominator());
    let (quotient, rest) = (&n / d, &n % d);
    let up = match mode {
        "half-up" => &rest * 2u8 >= *d,
        "half-even" => &rest * 2u8 > *d || &rest * 2u8 == *d && quotient.bit(0),
        _ => false,
    };
    if up { quotient + 1u8 } else { quotient }
}
