//! Credits computed slice by slice and minute by minute, without intervals or sparse slices, against the real ones.
//!
//! Small denominators only, so that fractions fit 128 bits.

use std::collections::BTreeSet;

use chrono::{Days, Months, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use nines_slo::{
    Bounds, Compacted, Counts, Covered, Credit, Credited, Evidence, Excluded, Fee, Rules, SINCE_EVER, Stored, bounds,
    credit, day_unit, midnight_unit, read, resolve,
};
use nines_timeline::Interval;
use proptest::prelude::*;

use crate::credits::{DAY, MINUTE};

const HOUR: i64 = 60 * MINUTE;

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

/// What is drawn. Instants are minutes since the start of the period unless they say otherwise.
#[derive(Debug, Clone)]
pub struct Case {
    pub rules: Rules,
    zone: Tz,
    pub month: (i32, u32),
    /// Of the month on which the period begins.
    day: u32,
    slice: i64,
    measure: &'static str,
    bad: (bool, i64),
    min_run: i64,
    min_requests: i64,
    removed: bool,
    lost_clause: Option<i64>,
    /// From the version's start, the customer's coming and going; where they are none it is always.
    from: Option<i64>,
    active: (Option<i64>, Option<i64>),
    /// When the customer was away in between.
    away: Option<(i64, i64)>,
    /// Whether runs are followed over the ends of what is judged.
    split: bool,
    /// Slice number from ten days before the period on, valid, failed.
    counts: Vec<(i64, i64, i64)>,
    /// Start, length, category, whether announced in time.
    exclusions: Vec<(i64, i64, usize, bool)>,
    lost: Vec<(i64, i64)>,
    fee: (i128, i128),
    /// How many fees a year's credits come to at most, and what was credited before.
    year: Option<(u32, i128)>,
}

const CATEGORIES: [&str; 3] = ["Attack", "Maintenance", "Weather"];
const TIERS: [(i64, i64); 3] = [(999, 10), (990, 25), (900, 100)];

impl Case {
    fn midnight(&self, date: NaiveDate) -> i64 {
        self.zone.from_local_datetime(&date.and_time(NaiveTime::MIN)).earliest().unwrap().timestamp_micros()
    }

    /// The day on which the period begins, or one so many months later.
    fn begins(&self, later: u32) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(self.month.0, self.month.1, 1).unwrap() + Months::new(later);
        chrono::Datelike::with_day(&first, self.day).unwrap_or_else(|| first + Months::new(1) - chrono::Days::new(1))
    }

    fn whole(&self) -> (i64, i64) {
        (self.midnight(self.begins(0)), self.midnight(self.begins(1)))
    }

    fn at(&self, minute: i64) -> i64 {
        self.whole().0.div_euclid(MINUTE) * MINUTE + minute * MINUTE
    }

    pub fn text(&self) -> String {
        let Case { zone, day, slice, measure, min_run, min_requests, bad: (at_least, percent), .. } = self;
        let mut clauses = String::new();
        if matches!(*measure, "BadSlices" | "Downtime" | "Proportional") {
            clauses += &format!("  bad: errorRate {} {percent}%\n", if *at_least { ">=" } else { ">" });
        }
        if *measure == "Downtime" {
            clauses += &format!("  minRun: {min_run}m\n  overEnd: {}\n", if self.split { "split" } else { "cut" });
        }
        if *measure != "Occurrences" {
            clauses += &format!("  minRequests: {min_requests}\n");
        }
        if self.removed {
            clauses += "  excludedTime: removed\n";
        }
        if let Some(days) = self.lost_clause {
            clauses += &format!("  lostTelemetry: {{estimateFrom: {days}d}}\n");
        }
        let cap =
            self.year.map_or_else(|| "50%".to_string(), |(fees, _)| format!("{{period: 50%, year: {fees} fees}}"));
        let tiers: Vec<String> =
            TIERS.iter().map(|(below, percent)| format!("{{below: {below}e-3, percent: {percent}}}")).collect();
        let effective = self.from.map(|from| {
            let at = chrono::DateTime::from_timestamp_micros(self.at(from)).unwrap();
            format!("nines/effective-from: {}", at.format("%Y-%m-%dT%H:%M:%SZ"))
        });
        format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a, annotations: {{{}}}}}\nspec:\n  service: s\n  \
             period: {{duration: 1M, from: {day}, timeZone: {zone}}}\n  slice: {}m\n  measure: {measure}\n  commitment: 99.9%\n  \
             credits: [{}]\n  cap: {cap}\n  fees: {{exclude: vouchers}}\n  exclusions: [Attack, {{category: Maintenance, \
             announced: before}}]\n{clauses}",
            effective.unwrap_or_default(),
            slice / MINUTE,
            tiers.join(", "),
        )
    }

    /// From when until when the customer was active, gaps included.
    pub fn active(&self) -> Interval {
        let (from, until) = self.active;
        Interval::new(from.map_or(i64::MIN, |m| self.at(m)), until.map_or(i64::MAX, |m| self.at(m)))
    }

    pub fn evidence(&self) -> Evidence {
        let mut slices: Vec<Counts> = Vec::new();
        let first = self.slice_of(self.whole().0 - 10 * DAY);
        for &(number, valid, failed) in &self.counts {
            slices.push(Counts { start: first + number * self.slice, valid, failed: failed.min(valid) });
        }
        slices.sort_by_key(|counts| counts.start);
        slices.dedup_by_key(|counts| counts.start);
        let exclusions = self.disjoint().into_iter().enumerate().map(|(i, (from, to, category, early))| Excluded {
            id: i.to_string(),
            category: CATEGORIES[category].into(),
            interval: Interval::new(from, to),
            announced: Some(if early { from - 1 } else { from }),
        });
        let (amount, vouchers) = self.fee;
        let whole = self.active();
        let active = match self.away {
            Some((left, back)) => {
                vec![Interval::new(whole.start, self.at(left)), Interval::new(self.at(back), whole.end)]
            }
            None => vec![whole],
        };
        Evidence {
            credited: self.year.map(|(_, amount)| credited(amount)).into_iter().collect(),
            parts: Vec::new(),
            slices,
            other_valid: 0,
            other_valid_months: Vec::new(),
            stored_slice: None,
            exclusions: exclusions.collect(),
            lost: self.lost.iter().map(|(from, long)| Interval::new(self.at(*from), self.at(from + long))).collect(),
            active,
            fee: Some(Fee { currency: "EUR".into(), amount, vouchers: vouchers.min(amount) }),
        }
    }

    /// Start of the slice in which an instant lies: from the epoch, by rules 2 from midnight.
    fn slice_of(&self, at: i64) -> i64 {
        let origin = if self.rules == Rules::First { 0 } else { self.whole().0 };
        origin + (at - origin).div_euclid(self.slice) * self.slice
    }

    /// Exclusions; by rules 1 none that overlap.
    fn disjoint(&self) -> Vec<(i64, i64, usize, bool)> {
        let mut kept: Vec<(i64, i64, usize, bool)> = Vec::new();
        for &(from, long, category, early) in &self.exclusions {
            let (from, to) = (self.at(from), self.at(from + long));
            if self.rules != Rules::First || kept.iter().all(|other| to <= other.0 || other.1 <= from) {
                kept.push((from, to, category, early));
            }
        }
        kept
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

/// What is recorded, whether or not it would be today.
pub fn recorded(text: &str) -> Stored {
    let document = read("a.yaml", text).documents.remove(0);
    let effective_from = document.effective_from.unwrap_or(SINCE_EVER);
    Stored { kind: document.kind, name: document.name, effective_from, text: document.text, rules: Rules::CURRENT }
}

/// What is kept of counts that come in parts: one after the other, and each by itself, joined.
pub fn in_parts(covered: &Covered<'_>, evidence: &Evidence, parts: &[&[Counts]]) -> Compacted {
    let compactor = covered.compactor(evidence).unwrap();
    let (mut kept, mut joined) = (Compacted::default(), Compacted::default());
    for part in parts {
        compactor.take(covered, part, &mut kept).unwrap();
        let mut own = Compacted::default();
        compactor.take(covered, part, &mut own).unwrap();
        compactor.join(covered, &mut joined, own).unwrap();
    }
    assert_eq!(joined, kept, "by itself");
    kept
}

/// What was credited for some month before.
fn credited(cents: i128) -> Credited {
    Credited { period: "2024-01".parse().unwrap(), amount: cents * 10_000, currency: "EUR".into() }
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

pub fn case() -> impl Strategy<Value = Case> {
    let zones = [
        "America/New_York",
        "Asia/Shanghai",
        "Asia/Kolkata",
        "Asia/Kathmandu",
        "Australia/Adelaide",
        "Europe/Berlin",
        "UTC",
    ];
    let zone = prop::sample::select(zones.to_vec()).prop_map(|name| name.parse::<Tz>().unwrap());
    let months = vec![(2026, 3), (2026, 11), (2026, 10), (2026, 2), (2024, 2), (2025, 12)];
    let measures = vec!["MeanErrorRate", "BadSlices", "Downtime", "Occurrences", "Proportional"];
    let slices = vec![15 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR];
    let rare = |of| prop::option::weighted(0.3, of);
    let minute = -3000..46_000i64;
    let terms = (
        (zone, prop::sample::select(vec![Rules::First, Rules::CURRENT])),
        (prop::sample::select(months), prop::sample::select(vec![1, 1, 15, 29, 31])),
        prop::sample::select(slices),
        prop::sample::select(measures),
        (any::<bool>(), 1..100i64),
        ((1..4i64, 0..2i64, any::<bool>()), 1..5i64),
        any::<bool>(),
        prop::option::weighted(0.7, 1..9i64),
    );
    let month = (
        (
            rare(minute.clone()),
            rare(minute.clone()),
            rare(20_000..60_000i64),
            prop::option::weighted(0.3, (0..20_000i64, 1..20_000i64)),
        ),
        (
            prop::collection::vec((0..4000i64, 0..12i64, 0..12i64), 0..300),
            prop::collection::vec((0..6usize, -4..4i64, 1..4i64, prop::bool::weighted(0.2)), 0..8),
        ),
        prop::collection::vec((minute.clone(), 1..3000i64, 0..3usize, any::<bool>()), 0..5),
        prop::collection::vec((minute, 1..2000i64), 0..3),
        ((0..1_000_000_000i128, 0..1_000_000i128), prop::option::weighted(0.3, (1..3u32, 0..200_000i128))),
    );
    (terms, month).prop_map(|(terms, month)| {
        let ((zone, rules), (of, day), slice, measure, bad, (min_run, min_requests), removed, lost_clause) = terms;
        // Nothing that is applied now has slices across midnight.
        let slice = if rules == Rules::First { slice } else { slice.min(day_unit(zone, i64::MIN)) };
        let ((from, came, went, away), (counts, outages), exclusions, lost, (fee, year)) = month;
        // Fewer failures than requests, mostly none, and all of the span whatever the width of a slice. What there is
        // comes in runs of up to four slices.
        let counts = counts.into_iter().flat_map(|(number, valid, failed)| {
            (0..1 + valid % 4)
                .map(move |next| (number % (45 * DAY / slice) + next, valid, if failed > 5 { failed - 5 } else { 0 }))
        });
        let (min_run, split) = (min_run.0 * slice / MINUTE - min_run.1, min_run.2);
        let mut case = Case {
            rules,
            zone,
            month: of,
            day,
            slice,
            measure,
            bad,
            min_run,
            split,
            min_requests,
            removed,
            lost_clause,
            from,
            active: (came, went.filter(|went| came.is_none_or(|came| came < *went))),
            away: away
                .map(|(left, long)| (left, left + long))
                .filter(|(left, back)| came.is_none_or(|came| came < *left) && went.is_none_or(|went| *back < went)),
            counts: counts.collect(),
            exclusions,
            lost,
            fee,
            year,
        };
        // Outages at the ends of what is judged.
        let whole = case.whole();
        let (left, back) = case.away.unwrap_or_default();
        let ends = [came, went, Some(left), Some(back)].map(|minute| case.at(minute.unwrap_or_default()));
        for (end, from, long, is_lost) in outages {
            let at = case.slice_of([whole.0, whole.1, ends[0], ends[1], ends[2], ends[3]][end]);
            let first = (at - case.slice_of(whole.0 - 10 * DAY)) / slice + from;
            if is_lost {
                case.lost.push(((at + from * slice - case.at(0)) / MINUTE, long * slice / MINUTE));
            } else {
                case.counts.extend((first.max(0)..first.max(0) + long).map(|number| (number, 10, 10)));
            }
        }
        case
    })
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
