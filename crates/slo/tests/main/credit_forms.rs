//! Every form of credits, with rounding, caps and least amounts, against a computation minute by minute in whole numbers.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeZone};
use chrono_tz::Tz;
use nines_slo::{Counts, Evidence, Excluded, Fee, Fraction, Rules, bounds, credit, resolve};
use nines_timeline::Interval;
use proptest::prelude::*;

use crate::credits::MINUTE;
use crate::naive::{cases, recorded};
use crate::naive_forms::{Form, Ratio, Worth, form, mode, rounded};

#[derive(Debug, Clone, Copy)]
enum Cap {
    None,
    Percent(i128),
    /// In cents.
    Money(i128),
}

#[derive(Debug, Clone)]
struct Case {
    zone: Tz,
    slice: i64,
    min_run: i64,
    bridge: bool,
    form: Form,
    /// Places and how.
    round: Option<(u32, &'static str)>,
    round_amount: Option<(u32, &'static str)>,
    cap: Cap,
    /// In cents.
    least: Option<i128>,
    /// In cents.
    fee: i128,
    /// Slices in which all that was asked failed, or went well; the others were silent.
    failed: Vec<(i64, i64)>,
    well: Vec<(i64, i64)>,
    excluded: Vec<(i64, i64)>,
}

/// The minute (from the epoch) in which October 2026 begins and ends.
fn october(zone: Tz) -> (i64, i64) {
    let midnight = |month| {
        let at = NaiveDate::from_ymd_opt(2026, month, 1).unwrap().and_hms_opt(0, 0, 0).unwrap();
        zone.from_local_datetime(&at).earliest().unwrap().timestamp() / 60
    };
    (midnight(10), midnight(11))
}

impl Case {
    fn text(&self) -> String {
        let credits = self.form.text();
        let mut clauses = String::new();
        if let Some((places, mode)) = self.round {
            clauses += &format!("  round: {places}, {mode}\n");
        }
        if let Some((places, mode)) = self.round_amount {
            clauses += &format!("  roundAmount: {places}, {mode}\n");
        }
        match self.cap {
            Cap::None => {}
            Cap::Percent(percent) => clauses += &format!("  cap: {percent}%\n"),
            Cap::Money(cents) => clauses += &format!("  cap: {}.{:02} EUR\n", cents / 100, cents % 100),
        }
        if let Some(cents) = self.least {
            clauses += &format!("  minPayout: [5 JPY, {}.{:02} EUR]\n", cents / 100, cents % 100);
        }
        format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a}}\nspec:\n  service: s\n  period: {{duration: 1M, timeZone: \
             {}}}\n  slice: {}m\n  measure: Downtime\n  bad: errorRate > 0%\n  minRun: {}m\n  commitment: 99.9%\n  credits: \
             {credits}\n  exclusions: {{categories: [Attack], bridge: {}}}\n{clauses}",
            self.zone, self.slice, self.min_run, self.bridge
        )
    }
}

/// Share and amount in cents of a month in which these minutes were down, of so many.
fn naive(case: &Case, down: &[bool], start: i64, bridged: &[bool]) -> (Ratio, i128, bool) {
    let total = down.len() as i128;
    let mut outages: Vec<Vec<i64>> = Vec::new();
    let mut run: Vec<i64> = Vec::new();
    for minute in 0..=down.len() {
        if minute < down.len() && down[minute] {
            run.push(minute as i64);
        } else if !(minute < down.len() && bridged[minute]) {
            if !run.is_empty() && run.len() as i64 >= case.min_run {
                outages.push(std::mem::take(&mut run));
            }
            run.clear();
        }
    }
    let bad: i128 = outages.iter().map(|outage| outage.len() as i128).sum();
    let mut available: Ratio = (total - bad, total);
    if let Some((places, mode)) = case.round {
        let scale = 100 * 10i128.pow(places);
        available = (rounded((available.0 * scale, available.1), mode), scale);
    }
    let missed = available.0 * 1000 < available.1 * 999;
    let share = match case.form {
        Form::Tiers(tiers) => {
            let applies = |(bound, at, _): &&(i128, bool, Worth)| {
                let (left, right) = (available.0 * 100_000, bound * available.1);
                left < right || *at && left == right
            };
            tiers.iter().rfind(applies).map_or((0, 1), |(_, _, worth)| worth.share(31))
        }
        Form::Steps { outage, per, after, begun, worth, per_day } => {
            let day = |minute: i64| {
                let at = DateTime::from_timestamp((start + minute) * 60, 0).unwrap();
                at.with_timezone(&case.zone).date_naive()
            };
            let mut by_day: BTreeMap<NaiveDate, i128> = BTreeMap::new();
            let joined: Vec<Vec<i64>> = if outage { outages } else { vec![outages.concat()] };
            for outage in joined {
                for (i, minute) in outage.into_iter().enumerate() {
                    let beyond = i as i64 + 1 - after;
                    let counts = beyond > 0 && if begun { (beyond - 1) % per == 0 } else { beyond % per == 0 };
                    *by_day.entry(day(minute)).or_default() += i128::from(counts);
                }
            }
            let steps: i128 = by_day.values().map(|steps| per_day.map_or(*steps, |most| most.min(*steps))).sum();
            let (n, d) = worth.share(31);
            (n * steps, d)
        }
        Form::Linear { .. } if !missed => (0, 1),
        Form::Linear { thousandths, below_commitment } => {
            let promised: Ratio = if below_commitment { (999, 1000) } else { (1, 1) };
            let missing = (promised.0 * available.1 - available.0 * promised.1, promised.1 * available.1);
            (missing.0 * thousandths, missing.1 * 1000)
        }
    };
    let most = if let Cap::Percent(percent) = case.cap { (percent, 100) } else { (1, 1) };
    let share = if share.0 * most.1 > most.0 * share.1 { most } else { share };
    let (places, mode) = case.round_amount.unwrap_or((2, "half-even"));
    let unit = 10i128.pow(2 - places.min(2));
    let mut cents = rounded((case.fee * share.0, share.1 * unit), mode) * unit;
    if let Cap::Money(most) = case.cap {
        cents = cents.min(most);
    }
    let below = cents > 0 && case.least.is_some_and(|least| cents < least);
    (share, if below { 0 } else { cents }, !missed)
}

fn spread(ranges: &[(i64, i64)], length: usize) -> Vec<bool> {
    let mut found = vec![false; length];
    for (from, long) in ranges {
        for minute in *from..(from + long).min(length as i64) {
            found[minute as usize] = true;
        }
    }
    found
}

fn compare(case: &Case) -> Result<bool, TestCaseError> {
    let (start, end) = october(case.zone);
    let length = (end - start) as usize;
    let slices = length as i64 / case.slice;
    let of_slices = |ranges: &[(i64, i64)]| -> Vec<(i64, i64)> {
        ranges.iter().map(|(from, long)| (from % slices * case.slice, long * case.slice)).collect()
    };
    let (failed, well) = (spread(&of_slices(&case.failed), length), spread(&of_slices(&case.well), length));
    let excluded = spread(&case.excluded, length);
    let is_down = |minute: usize| failed[minute] && !excluded[minute];
    // A slice of which nothing is left outside of exclusions is neither; one that is left in part is what it was.
    let down: Vec<bool> = (0..length).map(is_down).collect();
    let at_worst: Vec<bool> = (0..length).map(|minute| !well[minute] && !excluded[minute]).collect();
    let none = vec![false; length];
    let bridged = if case.bridge { &excluded } else { &none };

    let agreement = resolve(&[recorded(&case.text())]).unwrap().agreements.remove(0);
    let always = Interval::new(i64::MIN, i64::MAX);
    let covered = agreement.covered("2026-10".parse().unwrap(), always, Rules::CURRENT).unwrap();
    let exclusions = case.excluded.iter().enumerate().map(|(i, (from, long))| Excluded {
        id: i.to_string(),
        category: "Attack".into(),
        interval: Interval::new((start + from) * MINUTE, (start + from + long) * MINUTE),
        announced: None,
    });
    let mut evidence = Evidence {
        stored_slice: Some(MINUTE),
        exclusions: exclusions.collect(),
        fee: Some(Fee { currency: "EUR".into(), amount: case.fee * 10_000, vouchers: 0 }),
        ..Evidence::default()
    };
    let pieces = covered.pieces(&evidence).unwrap();
    let mut counted: BTreeMap<i64, Counts> = BTreeMap::new();
    for minute in (0..length).filter(|minute| failed[*minute] || well[*minute]) {
        let at = pieces.start_of((start + minute as i64) * MINUTE);
        let own = counted.entry(at).or_insert(Counts { start: at, valid: 0, failed: 0 });
        (own.valid, own.failed) = (own.valid + 1, own.failed + i64::from(failed[minute] && !well[minute]));
    }
    evidence.slices = counted.into_values().collect();
    let found = credit(&covered, &evidence).unwrap();
    let (compacted, measured) = evidence.clone().compacted(&covered).unwrap();
    let bounds = bounds(&covered, &compacted, &found, &measured).unwrap();

    let down: Vec<bool> = down.iter().zip(&well).map(|(down, well)| *down && !well).collect();
    let (share, cents, kept) = naive(case, &down, start, bridged);
    let fraction = |(n, d): Ratio| Fraction::new(n as u128, d as u128);
    prop_assert_eq!(&found.percent, &fraction(share), "{}", case.text());
    prop_assert_eq!(found.amount, Some(cents * 10_000), "{}", case.text());
    prop_assert_eq!(found.kept, kept, "{}", case.text());
    let (share, cents, _) = naive(case, &at_worst, start, bridged);
    prop_assert_eq!(&bounds.worst.percent, &fraction(share), "at worst: {}", case.text());
    prop_assert_eq!(bounds.worst.amount, Some(cents * 10_000), "at worst: {}", case.text());
    Ok(cents > 0)
}

fn case() -> impl Strategy<Value = Case> {
    let zones = vec![Tz::UTC, Tz::Asia__Kolkata, Tz::Europe__Berlin];
    let cap = prop_oneof![Just(Cap::None), (1..100i128).prop_map(Cap::Percent), (1..90_000i128).prop_map(Cap::Money)];
    let terms = (
        prop::sample::select(zones),
        prop::sample::select(vec![1i64, 5, 15]),
        prop::sample::select(vec![1i64, 10, 45]),
        any::<bool>(),
        form(99_900),
        prop::option::of((0..4u32, mode())),
        prop::option::of((0..4u32, mode())),
        cap,
        prop::option::of(1..9000i128),
        1..200_000i128,
    );
    let ranges = |long: i64, most: usize| prop::collection::vec((0..40_000i64, 1..long), 0..most);
    // Near midnights and around the change of clocks, too.
    let month = (ranges(300, 6), prop::collection::vec((0..40_000i64, 1..20_000i64), 0..4), ranges(200, 4));
    (terms, month).prop_map(|(terms, (failed, well, excluded))| {
        let (zone, slice, min_run, bridge, form, round, round_amount, cap, least, fee) = terms;
        Case { zone, slice, min_run, bridge, form, round, round_amount, cap, least, fee, failed, well, excluded }
    })
}

#[test]
fn every_form_of_credits_equals_whole_numbers() {
    let cases = cases(96);
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let paid = std::cell::Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    runner
        .run(&case(), |case| {
            paid.set(paid.get() + u32::from(compare(&case)?));
            Ok(())
        })
        .unwrap();
    assert!(paid.get() > cases / 3, "{} of {cases} at worst owe something", paid.get());
}
