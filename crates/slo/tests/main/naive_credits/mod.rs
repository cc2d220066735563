//! Credits computed slice by slice and minute by minute, without intervals or sparse slices, against the real ones.
//!
//! Small denominators only, so that fractions fit 128 bits.

mod case;

use std::collections::BTreeSet;

use chrono::Days;
use nines_slo::{Bounds, Credit, Rules, bounds, credit, day_unit, midnight_unit, resolve};
use proptest::prelude::*;

use crate::credits::MINUTE;
use crate::naive::{in_parts, recorded};
use case::{CATEGORIES, TIERS};
pub use case::{Case, case};

/// A fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Ratio(i128, i128);

impl Ratio {
    fn new(n: i128, d: i128) -> Ratio {
        let (mut a, mut b) = (n.abs(), d);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Ratio(n / a.max(1), d / a.max(1))
    }

    fn plus(self, other: Ratio) -> Ratio {
        Ratio::new(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    fn below(self, other: Ratio) -> bool {
        self.0 * other.1 < other.0 * self.1
    }
}

/// What becomes of a slice.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Excluded(usize),
    /// With the minute at which the outage began.
    Lost(i64),
    Counted(i64, i64),
}

struct Naive {
    best: Ratio,
    worst: Ratio,
    slices: i64,
    valid: i64,
    failed: i64,
    lost: i64,
    estimated: Ratio,
    excluded: [i64; 2],
    availability: Ratio,
    percent: i64,
    amount: i128,
}

fn naive(case: &Case) -> Option<Naive> {
    let (start, end) = case.whole();
    let (origin, exclusions) = (case.at(0), case.disjoint());
    let at = |minute: i64| origin + minute * MINUTE;
    let excluded_minute = |minute: i64| {
        let found = exclusions.iter().filter(|(from, to, category, early)| {
            let counts = *category == 0 || *category == 1 && *early;
            counts && *from <= minute && minute < *to
        });
        // The agreement names the categories in this order.
        found.map(|(_, _, category, _)| *category).min()
    };
    let late = |bound: Option<i64>, own: i64| bound.map_or(own, |minute| own.max(at(minute)));
    let start = late(case.active.0, late(case.from, start));
    let end = case.active.1.map_or(end, |minute| end.min(at(minute)));
    if start >= end {
        return None;
    }
    let slice = case.slice;
    let counts = case.evidence().slices;
    let minutes = |from: i64| (from..from + slice).step_by(MINUTE as usize);
    let state = |begins: i64| {
        let categories: Vec<Option<usize>> = minutes(begins).map(excluded_minute).collect();
        if categories.iter().all(Option::is_some) {
            return State::Excluded(categories[0].unwrap());
        }
        let mut touching: Vec<_> = case
            .lost
            .iter()
            .filter(|(from, long)| minutes(begins).any(|minute| at(*from) <= minute && minute < at(from + long)))
            .collect();
        touching.sort();
        match (touching.first(), case.lost_clause) {
            (Some((from, _)), Some(_)) => State::Lost(*from),
            _ => {
                let here = counts.iter().find(|counts| counts.start == begins);
                here.map_or(State::Counted(0, 0), |counts| State::Counted(counts.valid, counts.failed))
            }
        }
    };
    let away = case.away.map(|(left, back)| (at(left), at(back)));
    let there = move |begins: i64| away.is_none_or(|(left, back)| begins + slice <= left || back <= begins);
    let grid = |from: i64, to: i64| {
        let first = case.slice_of(from);
        let inside = move |begins: &i64| *begins >= from && begins + slice <= to && there(*begins);
        (first..to).step_by(slice as usize).filter(inside)
    };
    let states: Vec<State> = grid(start, end).map(state).collect();

    let is_bad = |failed: i64, valid: i64| {
        let (at_least, percent) = case.bad;
        valid >= case.min_requests
            && if at_least { failed * 100 >= valid * percent } else { failed * 100 > valid * percent }
    };
    let rate = |state: &State| match *state {
        State::Lost(_) => Ratio(1, 1),
        State::Counted(valid, failed) if valid >= case.min_requests && failed > 0 => {
            Ratio::new(failed.into(), valid.into())
        }
        _ => Ratio(0, 1),
    };
    let bad = |state: &State| match *state {
        State::Lost(_) => true,
        State::Counted(valid, failed) => failed > 0 && is_bad(failed, valid),
        State::Excluded(_) => false,
    };
    let mut judged = states.len() as i64;
    if case.removed {
        judged -= states.iter().filter(|state| matches!(state, State::Excluded(_))).count() as i64;
    }
    let (mut valid, mut failed) = (0, 0);
    for (begins, state) in grid(start, end).zip(&states) {
        match state {
            State::Counted(v, f) => (valid, failed) = (valid + v, failed + f),
            State::Excluded(_) if !case.removed => {
                valid += counts.iter().find(|counts| counts.start == begins).map_or(0, |counts| counts.valid);
            }
            _ => {}
        }
    }
    let mut estimated = Ratio(0, 1);
    for began in states.iter().filter_map(|state| if let State::Lost(began) = state { Some(*began) } else { None }) {
        let day = chrono::DateTime::from_timestamp_micros(at(began)).unwrap().with_timezone(&case.zone).date_naive();
        let before = case.midnight(day - Days::new(case.lost_clause.unwrap() as u64));
        let (mut requests, mut time) = (0i64, 0);
        for begins in grid(before, case.midnight(day)) {
            let there = case.active.0.is_none_or(|from| at(from) <= begins)
                && case.active.1.is_none_or(|until| begins + slice <= at(until))
                && there(begins);
            if let (true, State::Counted(valid, _)) = (there, state(begins)) {
                (requests, time) = (requests + valid, time + slice / MINUTE);
            }
        }
        // Per minute, times the minutes of this one slice.
        if time > 0 {
            estimated = estimated.plus(Ratio::new((requests * (slice / MINUTE)).into(), time.into()));
        }
    }
    // A run is what is bad in a row, where slices follow each other; where it is followed over ends, with slices beside them.
    let starts: BTreeSet<i64> = grid(start, end).collect();
    let far = if case.split { (case.min_run * MINUTE + slice - 1) / slice } else { 0 };
    let followed: BTreeSet<i64> =
        starts.iter().flat_map(|start| (-far..=far).map(move |at| start + at * slice)).collect();
    let by_slices = |rate: &dyn Fn(&State) -> Ratio, bad: &dyn Fn(&State) -> bool| {
        let lost_rates = match case.measure {
            "MeanErrorRate" => states.iter().map(rate).fold(Ratio(0, 1), Ratio::plus),
            "Proportional" => states.iter().filter(|state| bad(state)).map(rate).fold(Ratio(0, 1), Ratio::plus),
            "BadSlices" => Ratio(states.iter().filter(|state| bad(state)).count() as i128, 1),
            _ => {
                let bad_starts: BTreeSet<i64> = followed.iter().copied().filter(|start| bad(&state(*start))).collect();
                let is_down = |start: &i64| {
                    let before = (1..).take_while(|at| bad_starts.contains(&(start - at * slice))).count() as i64;
                    let after = (1..).take_while(|at| bad_starts.contains(&(start + at * slice))).count() as i64;
                    bad_starts.contains(start) && (before + 1 + after) * slice >= case.min_run * MINUTE
                };
                Ratio(starts.iter().filter(|start| is_down(start)).count() as i128, 1)
            }
        };
        match judged {
            0 => Ratio(1, 1),
            judged => Ratio::new(i128::from(judged) * lost_rates.1 - lost_rates.0, i128::from(judged) * lost_rates.1),
        }
    };
    let availability = if case.measure == "Occurrences" {
        let all = estimated.plus(Ratio(valid.into(), 1));
        let good = Ratio(i128::from(valid - failed), 1);
        if all.0 == 0 { Ratio(1, 1) } else { Ratio::new(good.0 * all.1, all.0) }
    } else {
        by_slices(&rate, &bad)
    };
    // At worst what nobody requested was down; at best what was lost is what was counted in it.
    let silent = |state: &State| matches!(state, State::Counted(0, _));
    let worst = match case.measure {
        "Occurrences" => availability,
        _ => by_slices(&|state| if silent(state) { Ratio(1, 1) } else { rate(state) }, &|state| {
            silent(state) || bad(state)
        }),
    };
    let best = match case.lost_clause {
        Some(_) if !case.lost.is_empty() => {
            let found = naive(&Case { lost: Vec::new(), ..case.clone() })?.availability;
            if found.below(availability) { availability } else { found }
        }
        _ => availability,
    };
    let hit = TIERS.iter().filter(|(below, _)| availability.below(Ratio::new((*below).into(), 1000)));
    let percent = hit.map(|(_, percent)| *percent).max().unwrap_or(0).min(50);
    let (amount, vouchers) = case.fee;
    // In hundredths: the base has six places.
    let exact = Ratio::new((amount - vouchers.min(amount)) * i128::from(percent), 1_000_000);
    let (quotient, rest) = (exact.0 / exact.1, exact.0 % exact.1 * 2);
    let up = rest > exact.1 || rest == exact.1 && quotient % 2 == 1;
    let excluded = |category| states.iter().filter(|state| **state == State::Excluded(category)).count() as i64 * slice;
    Some(Naive {
        best,
        worst,
        slices: judged,
        valid,
        failed,
        lost: states.iter().filter(|state| matches!(state, State::Lost(_))).count() as i64,
        estimated,
        excluded: [excluded(0), excluded(1)],
        availability,
        percent,
        amount: limited(case, (quotient + i128::from(up)) * 10_000),
    })
}

/// An amount, as far as the year's limit goes: so many fees without vouchers, half-even to cents, less what was credited before.
fn limited(case: &Case, amount: i128) -> i128 {
    let Some((fees, before)) = case.year else { return amount };
    let (paid, vouchers) = case.fee;
    let all = (paid - vouchers.min(paid)) * i128::from(fees);
    let (cents, rest) = (all / 10_000, all % 10_000);
    let up = rest > 5_000 || rest == 5_000 && cents % 2 == 1;
    amount.min((cents + i128::from(up) - before).max(0) * 10_000)
}

fn real(case: &Case) -> Option<(Credit, Bounds)> {
    let agreement = resolve(&[recorded(&case.text())]).unwrap().agreements.remove(0);
    let evidence = case.evidence();
    let month = format!("{:04}-{:02}", case.month.0, case.month.1).parse().unwrap();
    let covered = agreement.covered(month, case.active(), case.rules)?;
    let real = credit(&covered, &evidence).unwrap();
    let (compacted, measured) = evidence.clone().compacted(&covered).unwrap();
    assert!(compacted.slices.len() <= evidence.slices.len());
    assert_eq!(credit(&covered, &compacted).unwrap(), real, "from what a statement keeps");
    // In two parts, one after the other.
    let half = evidence.slices.len() / 2;
    let kept = in_parts(&covered, &evidence, &[&evidence.slices[..half], &evidence.slices[half..]]);
    assert_eq!((kept.slices, kept.measured), (compacted.slices.clone(), measured[0].clone()));
    let bounds = bounds(&covered, &compacted, &real, &measured).unwrap();
    Some((real, bounds))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn credits_equal_those_computed_slice_by_slice(case in case()) {
        let (naive, real) = (naive(&case), real(&case));
        prop_assert_eq!(naive.is_some(), real.is_some());
        let (Some(naive), Some((real, bounds))) = (naive, real) else { return Ok(()) };
        prop_assert_eq!(real.slices, naive.slices);
        prop_assert_eq!((real.valid, real.failed), (naive.valid, naive.failed));
        prop_assert_eq!(real.lost_slices, naive.lost);
        let shown = |Ratio(n, d): Ratio| format!("{n}/{d}");
        prop_assert_eq!(real.estimated.to_string(), shown(naive.estimated));
        prop_assert_eq!(real.availability.to_string(), shown(naive.availability));
        prop_assert_eq!(bounds.best.availability.to_string(), shown(naive.best));
        prop_assert_eq!(bounds.worst.availability.to_string(), shown(naive.worst));
        for (category, micros) in [0, 1].map(|i| (CATEGORIES[i], naive.excluded[i])) {
            let own = real.excluded.iter().find(|(name, _)| name == category).map_or(0, |(_, micros)| *micros);
            prop_assert_eq!(own, micros);
        }
        prop_assert_eq!(real.percent.numerator() * 100u8, naive.percent as u64 * real.percent.denominator());
        prop_assert_eq!(real.amount, Some(naive.amount));
    }

    /// Minutes, quarters and hours of most zones are laid alike by both rules: not a figure differs.
    #[test]
    fn rules_agree_where_slices_are_laid_alike(case in case()) {
        let case = Case { rules: Rules::First, ..case };
        if midnight_unit(case.zone, i64::MIN) % case.slice != 0 || day_unit(case.zone, i64::MIN) % case.slice != 0 {
            return Ok(());
        }
        let (Some(first), Some(second)) = (real(&case), real(&Case { rules: Rules::CURRENT, ..case.clone() })) else {
            return Ok(());
        };
        if case.evidence() == (Case { rules: Rules::CURRENT, ..case }).evidence() {
            prop_assert_eq!(first, second);
        }
    }
}
