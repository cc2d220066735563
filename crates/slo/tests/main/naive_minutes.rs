//! Credits by rules 3, computed minute by minute from counts of single minutes: time is excluded and lost by the minute, inside the
//! agreement's slices too.

use std::collections::{BTreeMap, BTreeSet};

use nines_slo::{Counts, Credit, Evidence, Excluded, Fraction, Rules, bounds, credit, resolve};
use nines_timeline::Interval;
use proptest::prelude::*;

use crate::credits::{DAY, MINUTE};
use crate::naive::{cases, in_parts, ratio, recorded, sum, whole};

/// 2026-10-01T00:00:00Z.
const START: i64 = 1_790_812_800_000_000;
/// Minutes of the month.
const MONTH: i64 = 31 * 1440;

/// What is drawn, in minutes since the start of the month.
#[derive(Debug, Clone)]
struct Case {
    slice: i64,
    measure: &'static str,
    bad: i64,
    min_run: i64,
    min_requests: i64,
    removed: bool,
    bridge: bool,
    lost_clause: bool,
    /// Only from Saturday to Wednesday, from 4:00 to 20:00.
    hours: bool,
    /// Minute, valid, failed.
    counts: Vec<(i64, i64, i64)>,
    /// Must be announced an hour before.
    notice: bool,
    /// Minutes of each month or year.
    allowance: Option<(i64, &'static str)>,
    /// Seconds: start, length, and how long before it was announced. An exclusion covers the minutes that lie wholly inside.
    exclusions: Vec<(i64, i64, Option<i64>)>,
    lost: Vec<(i64, i64)>,
}

impl Case {
    fn text(&self) -> String {
        let mut clauses = String::new();
        if matches!(self.measure, "BadSlices" | "Downtime" | "Proportional") {
            clauses += &format!("  bad: errorRate > {}%\n", self.bad);
        }
        if self.measure == "Downtime" {
            clauses += &format!("  minRun: {}m\n", self.min_run);
        }
        if self.measure != "Occurrences" {
            clauses += &format!("  minRequests: {}\n", self.min_requests);
        }
        if self.removed {
            clauses += "  excludedTime: removed\n";
        }
        if self.lost_clause {
            clauses += "  lostTelemetry: {estimateFrom: 2d}\n";
        }
        if self.hours {
            clauses += "  serviceHours: [Sat-Wed 04:00-20:00]\n";
        }
        let bridge = if self.bridge && self.measure == "Downtime" { ", bridge: true" } else { "" };
        let notice = if self.notice { ", announced: 1h" } else { "" };
        let most = self.allowance.map_or_else(String::new, |(most, of)| format!(", atMost: {most}m per {of}"));
        format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a}}\nspec:\n  service: s\n  period: {{duration: 1M, timeZone: \
             UTC}}\n  slice: {}m\n  measure: {}\n  commitment: 99.9%\n  credits: [{{below: 99.9%, percent: 10}}]\n  exclusions: \
             {{categories: [{{category: Attack{notice}{most}}}]{bridge}}}\n{clauses}",
            self.slice, self.measure
        )
    }

    fn evidence(&self) -> Evidence {
        let seconds =
            |(from, long): &(i64, i64)| Interval::new(START + from * 1_000_000, START + (from + long) * 1_000_000);
        let exclusions = self.exclusions.iter().enumerate().map(|(i, own)| Excluded {
            id: i.to_string(),
            category: "Attack".into(),
            interval: seconds(&(own.0, own.1)),
            announced: own.2.map(|before| START + (own.0 - before) * 1_000_000),
        });
        let mut evidence = Evidence {
            stored_slice: Some(MINUTE),
            exclusions: exclusions.collect(),
            lost: self.lost.iter().map(seconds).collect(),
            ..Evidence::default()
        };
        let agreement = resolve(&[recorded(&self.text())]).unwrap().agreements.remove(0);
        let always = Interval::new(i64::MIN, i64::MAX);
        let covered = agreement.covered("2026-10".parse().unwrap(), always, Rules::CURRENT).unwrap();
        let pieces = covered.pieces(&evidence).unwrap();
        let mut counted: BTreeMap<i64, Counts> = BTreeMap::new();
        for &(minute, valid, failed) in &self.counts {
            let start = pieces.start_of(START + minute * MINUTE);
            let counts = counted.entry(start).or_insert(Counts { start, valid: 0, failed: 0 });
            (counts.valid, counts.failed) = (counts.valid + valid, counts.failed + failed);
        }
        evidence.slices = counted.into_values().collect();
        evidence
    }
}

/// What is worked out naively.
struct Naive {
    valid: i64,
    failed: i64,
    excluded: i64,
    estimated: Fraction,
    /// 1 − availability.
    unavailable: Fraction,
    /// The same, had every slice without a request in time that counts been down.
    worst: Fraction,
}

fn naive(case: &Case) -> Naive {
    let mut counts: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for &(minute, valid, failed) in &case.counts {
        let own = counts.entry(minute).or_default();
        *own = (own.0 + valid, own.1 + failed);
    }
    // October began on a Thursday.
    let in_service = |minute: &i64| {
        let (day, time) = (minute.div_euclid(1440), minute.rem_euclid(1440));
        !case.hours || ![3, 4].contains(&(day + 3).rem_euclid(7)) && (240..1200).contains(&time)
    };
    let of = |minute: i64| counts.get(&minute).copied().unwrap_or_default();
    // Joined, exclusions may cover a minute that none of them covers alone.
    let counts_at_all = |own: &&(i64, i64, Option<i64>)| !case.notice || own.2.is_some_and(|before| before >= 3600);
    let qualifying = case.exclusions.iter().filter(counts_at_all);
    let mut seconds: BTreeSet<i64> = qualifying.flat_map(|(from, long, _)| *from..from + long).collect();
    if let Some((most, of)) = case.allowance {
        let most = (most * 60) as usize;
        let october: Vec<i64> = seconds.iter().copied().filter(|second| *second >= 0).collect();
        let all = if of == "1M" { october } else { seconds.iter().copied().collect() };
        seconds = all.into_iter().take(most).collect();
    }
    let in_exclusion = |minute: i64| (minute * 60..minute * 60 + 60).all(|second| seconds.contains(&second));
    let touched: Vec<i64> = case.exclusions.iter().flat_map(|(from, long, _)| from / 60..=(from + long) / 60).collect();
    let excluded: BTreeSet<i64> = touched.into_iter().filter(|minute| in_exclusion(*minute)).collect();
    let mut lost: BTreeMap<i64, i64> = BTreeMap::new();
    if case.lost_clause {
        let mut outages = case.lost.clone();
        outages.sort_by_key(|(from, long)| (*from, from + long));
        for (from, long) in outages {
            for minute in from.div_euclid(60)..(from + long + 59).div_euclid(60) {
                lost.entry(minute).or_insert(from);
            }
        }
    }
    // Requests a minute on the days before an outage's day.
    let usual = |from: i64| {
        let day = from.div_euclid(86_400) * 1440;
        let usable = (day - 2 * 1440..day)
            .filter(|minute| !excluded.contains(minute) && !lost.contains_key(minute) && in_service(minute));
        let (mut requests, mut minutes) = (0, 0);
        for minute in usable {
            (requests, minutes) = (requests + of(minute).0, minutes + 1);
        }
        if minutes == 0 { whole(0) } else { Fraction::new(requests as u64, minutes as u64) }
    };
    let rates: BTreeMap<i64, Fraction> = lost.values().map(|from| (*from, usual(*from))).collect();
    let mut found = Naive {
        valid: 0,
        failed: 0,
        excluded: excluded.range(0..MONTH).filter(|minute| in_service(minute)).count() as i64,
        estimated: whole(0),
        unavailable: whole(0),
        worst: whole(0),
    };
    let (mut total, mut rate_sum, mut worst_sum) = (0, whole(0), whole(0));
    // Whether each minute is of a bad slice.
    let (mut down, mut worst_down) = (BTreeSet::new(), BTreeSet::new());
    for start in (0..MONTH).step_by(case.slice as usize) {
        let minutes: Vec<i64> = (start..start + case.slice).collect();
        if !minutes.iter().all(in_service) {
            continue;
        }
        let is_excluded = |minute: &i64| excluded.contains(minute);
        let is_lost = |minute: &i64| !excluded.contains(minute) && lost.contains_key(minute);
        let plain = || minutes.iter().filter(|minute| !is_excluded(minute) && !is_lost(minute));
        let outside: i64 = plain().map(|minute| of(*minute).0).sum();
        let failed: i64 = plain().map(|minute| of(*minute).1).sum();
        let spared: i64 = minutes.iter().filter(|minute| is_excluded(minute)).map(|minute| of(*minute).0).sum();
        let valid = outside + if case.removed { 0 } else { spared };
        let gone = minutes.iter().filter(|minute| is_excluded(minute)).count() as i64;
        let weight = case.slice - if case.removed { gone } else { 0 };
        let estimate = sum(minutes.iter().filter(|minute| is_lost(minute)).map(|minute| rates[&lost[minute]].clone()));
        found.estimated = found.estimated.plus(&estimate);
        (found.valid, found.failed, total) = (found.valid + valid, found.failed + failed, total + weight);
        let lost_whole = minutes.iter().all(is_lost);
        let (above, below) = (estimate.plus(&whole(failed)), estimate.plus(&whole(valid)));
        let rate = match below == whole(0) {
            true => whole(i64::from(lost_whole)),
            false => ratio(&above, &below),
        };
        let rate = if lost_whole { whole(1) } else { rate };
        let enough = lost_whole || estimate.plus(&whole(outside)) >= whole(case.min_requests);
        let is_bad = enough && rate > Fraction::new(case.bad as u64, 100u8);
        let counted = match case.measure {
            "MeanErrorRate" if enough => rate,
            "Proportional" if is_bad => rate,
            "BadSlices" if is_bad => whole(1),
            _ => whole(0),
        };
        let silent = plain().next().is_some() && outside == 0;
        rate_sum = rate_sum.plus(&Fraction::new(counted.numerator() * weight as u64, counted.denominator().clone()));
        let at_worst = if silent { whole(1) } else { counted };
        worst_sum =
            worst_sum.plus(&Fraction::new(at_worst.numerator() * weight as u64, at_worst.denominator().clone()));
        if is_bad {
            down.extend(minutes.iter().copied());
        }
        if is_bad || outside == 0 || minutes.iter().any(is_lost) {
            worst_down.extend(minutes.iter().copied());
        }
    }
    let lasting = |down: &BTreeSet<i64>| {
        let (mut long, mut run) = (0, 0);
        for minute in 0..=MONTH {
            let goes_on = down.contains(&minute) && !excluded.contains(&minute);
            let bridged = case.bridge && minute < MONTH && excluded.contains(&minute) && in_service(&minute);
            if goes_on {
                run += 1;
            } else if !bridged {
                long += if run >= case.min_run.max(1) { run } else { 0 };
                run = 0;
            }
        }
        long
    };
    if case.measure == "Occurrences" {
        let (failed, valid) = (found.estimated.plus(&whole(found.failed)), found.estimated.plus(&whole(found.valid)));
        found.unavailable = if valid == whole(0) { whole(0) } else { ratio(&failed, &valid) };
        found.worst = found.unavailable.clone();
    } else if total > 0 {
        let (lost, worst) = match case.measure {
            "Downtime" => (whole(lasting(&down)), whole(lasting(&worst_down))),
            _ => (rate_sum, worst_sum),
        };
        (found.unavailable, found.worst) = (ratio(&lost, &whole(total)), ratio(&worst, &whole(total)));
    }
    found
}

fn case() -> impl Strategy<Value = Case> {
    let measures = vec!["MeanErrorRate", "BadSlices", "Downtime", "Occurrences", "Proportional"];
    let terms = (
        prop::sample::select(vec![1i64, 5, 15, 60, 240]),
        prop::sample::select(measures),
        0..100i64,
        prop::sample::select(vec![1, 7, 30, 90, 300i64]),
        1..30i64,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    // Few hours, so that what is drawn meets.
    let minute = 4 * 1440..4 * 1440 + 600i64;
    let second = 4 * 86_400 - 3600..4 * 86_400 + 36_000i64;
    let counts = (prop_oneof![4 => minute, 1 => 2 * 1440..4 * 1440i64], 0..12i64, 0..12i64, 1..20i64);
    let announced = prop::option::weighted(0.8, 0..7200i64);
    let allowance = prop::option::of((1..200i64, prop::sample::select(vec!["1M", "1Y"])));
    let month = (
        prop::collection::vec(counts, 0..60),
        prop::collection::vec((second.clone(), 1..9000i64, announced.clone()), 0..5),
        prop::collection::vec((-9 * 86_400..-8 * 86_400i64, 1..4000i64, announced), 0..2),
        prop::collection::vec((second, 1..9000i64), 0..3),
    );
    (terms, month, (any::<bool>(), allowance)).prop_map(
        |(terms, (counts, exclusions, earlier, lost), (notice, allowance))| {
            let (slice, measure, bad, min_run, min_requests, removed, bridge, lost_clause, hours) = terms;
            let minutes = counts.into_iter().flat_map(|(minute, valid, failed, long)| {
                (minute..minute + long).map(move |minute| (minute, valid, failed.min(valid)))
            });
            let counts = minutes.collect();
            let exclusions = exclusions.into_iter().chain(earlier).collect();
            let bridge = bridge && measure == "Downtime";
            Case {
                slice,
                measure,
                bad,
                min_run,
                min_requests,
                removed,
                bridge,
                lost_clause,
                hours,
                notice,
                allowance,
                counts,
                exclusions,
                lost,
            }
        },
    )
}

/// The credit, from evidence as it was counted and as a statement keeps it, and 1 − the availability at worst.
fn real(case: &Case) -> (Credit, Fraction) {
    let agreement = resolve(&[recorded(&case.text())]).unwrap().agreements.remove(0);
    let always = Interval::new(i64::MIN, i64::MAX);
    let covered = agreement.covered("2026-10".parse().unwrap(), always, Rules::CURRENT).unwrap();
    let evidence = case.evidence();
    let found = credit(&covered, &evidence).unwrap();
    let (compacted, measured) = evidence.clone().compacted(&covered).unwrap();
    assert_eq!(credit(&covered, &compacted).unwrap(), found, "from what a statement keeps");
    let half = covered.pieces(&evidence).unwrap().slices().start_of(START + 4 * DAY + 300 * MINUTE);
    let (early, late): (Vec<Counts>, Vec<Counts>) = evidence.slices.iter().partition(|counts| counts.start < half);
    let kept = in_parts(&covered, &evidence, &[&early, &late]);
    assert_eq!((kept.slices, kept.measured), (compacted.slices.clone(), measured[0].clone()), "day after day");
    let bounds = bounds(&covered, &compacted, &found, &measured).unwrap();
    let worst = &bounds.worst.availability;
    assert!(worst <= &found.availability && found.availability <= bounds.best.availability);
    let down = Fraction::new(worst.denominator() - worst.numerator(), worst.denominator().clone());
    (found, down)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(128), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn credits_equal_those_computed_minute_by_minute(case in case()) {
        let (naive, (real, worst)) = (naive(&case), real(&case));
        prop_assert_eq!((real.valid, real.failed), (naive.valid, naive.failed));
        prop_assert_eq!(real.excluded_micros(), naive.excluded * MINUTE);
        prop_assert_eq!(&real.estimated, &naive.estimated);
        let whole = &real.availability;
        let unavailable = Fraction::new(whole.denominator() - whole.numerator(), whole.denominator().clone());
        prop_assert_eq!(unavailable, naive.unavailable);
        prop_assert_eq!(worst, naive.worst);
    }
}
