//! What is owed: every case of `vectors/credits.json`, and the clauses one by one.

use std::path::PathBuf;

use nines_slo::{
    Agreement, Counts, Credit, CreditError, Evidence, Excluded, Fee, Fraction, PeriodName, Rules, credit, minor_digits,
};
use nines_timeline::Interval;
use serde_json::Value;

use crate::reading::definitions;

pub const MINUTE: i64 = 60_000_000;
pub const DAY: i64 = 1440 * MINUTE;
pub const ALWAYS: Interval = Interval { start: i64::MIN, end: i64::MAX };

/// An agreement in UTC of these clauses, one line each.
pub fn agreement(clauses: &str) -> Agreement {
    let clauses: String = clauses.lines().map(|line| format!("  {}\n", line.trim())).collect();
    let text = format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a}}\nspec:\n  service: gateway\n  period: {{duration: \
         1M, timeZone: UTC}}\n{clauses}"
    );
    definitions(&text).agreements.remove(0)
}

/// What is owed for a month, whoever was active when.
pub fn owed(agreement: &Agreement, month: &str, evidence: &Evidence) -> Result<Credit, CreditError> {
    credit(&agreement.covered(month.parse().unwrap(), ALWAYS, Rules::CURRENT).unwrap(), evidence)
}

/// The first instant of a month in UTC.
pub fn start(agreement: &Agreement, month: &str) -> i64 {
    agreement.covered(month.parse().unwrap(), ALWAYS, Rules::CURRENT).unwrap().interval.start
}

/// Failed of valid requests in so many slices, one after the other.
fn run(slices: &mut Vec<Counts>, at: &mut i64, slice: i64, count: i64, failed: i64, valid: i64) {
    for _ in 0..count {
        slices.push(Counts { start: *at, valid, failed });
        *at += slice;
    }
}

#[test]
fn every_vector_holds() {
    let folder = std::env::var_os("NINES_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("vectors/credits.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is absent", path.display());
        return;
    };
    let cases = serde_json::from_str::<Vec<Value>>(&text).unwrap();
    assert!(cases.len() >= 10);
    cases.iter().for_each(check);
}

fn check(case: &Value) {
    let name = case["name"].as_str().unwrap();
    let method = case["method"].as_str().unwrap();
    let inputs = &case["inputs"];
    let number = |value: &Value| value.as_i64().unwrap();
    let slice = inputs["slice_seconds"].as_i64().unwrap_or(60) * 1_000_000;
    let tiers = case["tiers"].as_array().unwrap();
    let tier =
        |tier: &Value| format!("{{below: {}%, percent: {}}}", text(&tier["below_percent"]), tier["credit_percent"]);
    let list: Vec<String> = tiers.iter().map(tier).collect();
    let own = match method {
        "BadSlices" => "bad: errorRate > 0\n".to_string(),
        "Proportional" => "bad: errorRate >= 1%\n".to_string(),
        "Downtime" => format!("bad: errorRate > 0\nminRun: {}s\n", inputs["min_run_seconds"]),
        _ => String::new(),
    };
    let agreement = agreement(&format!(
        "measure: {method}\nslice: {}s\ncommitment: {}%\ncredits: [{}]\nlostTelemetry: {{estimateFrom: 7d}}\n{own}",
        slice / 1_000_000,
        text(&tiers[0]["below_percent"]),
        list.join(", ")
    ));
    let month = match inputs["days"].as_i64() {
        Some(28) => "2026-02",
        Some(31) => "2026-10",
        _ => "2026-09",
    };
    let first = start(&agreement, month);
    let (mut slices, mut at, mut lost) = (Vec::new(), first, Vec::new());
    for part in ["slices", "outages"].iter().filter_map(|list| inputs[list].as_array()).flatten() {
        let count = part["count"].as_i64().or(part["slices"].as_i64()).unwrap();
        run(&mut slices, &mut at, slice, count, number(&part["failed"]), number(&part["valid"]));
    }
    run(&mut slices, &mut at, slice, inputs["bad_slices"].as_i64().unwrap_or(0), 1, 3);
    for count in inputs["bad_runs"].as_array().into_iter().flatten() {
        run(&mut slices, &mut at, slice, number(count), 2, 2);
        run(&mut slices, &mut at, slice, 1, 0, 2);
    }
    if let Some(minutes) = inputs["lost_minutes"].as_i64() {
        lost.push(Interval::new(first, first + minutes * MINUTE));
        let mut before = first - 7 * DAY;
        for rate in inputs["requests_per_minute_by_day"].as_array().unwrap() {
            run(&mut slices, &mut before, slice, 1440, 0, number(rate));
        }
        at += minutes * MINUTE;
    }
    if let Some(good) = inputs["good"].as_i64() {
        let valid = inputs["valid"].as_i64().unwrap_or(good);
        run(&mut slices, &mut at, slice, 1, valid - good, valid);
    }
    let credit = owed(&agreement, month, &Evidence { slices, lost, ..Evidence::default() }).unwrap();
    let [n, d] =
        [0, 1].map(|i| text(&case["availability_percent_exact"]).split('/').nth(i).unwrap().parse::<u64>().unwrap());
    assert_eq!(credit.availability, Fraction::new(n, d * 100), "{name}");
    let shown = credit.availability_percent as f64 / 1e6;
    assert!((shown - case["availability_percent"].as_f64().unwrap()).abs() < 1e-6, "{name}: {shown}");
    let percent = credit.percent.numerator() * 100u8 / credit.percent.denominator();
    assert_eq!(percent, case["credit_percent"].as_u64().unwrap().into(), "{name}");
    if let Some(estimated) = inputs["estimated_failed"].as_f64() {
        assert_eq!(credit.estimated, Fraction::new(estimated as u64, 1u8), "{name}");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

const GATEWAY: &str = "party: gateway\nslice: 15s\nmeasure: MeanErrorRate\ncommitment: 99.90%\ncredits: [{below: 99.90%, \
    percent: 10}, {below: 99.00%, percent: 25}]\nfees: {exclude: vouchers}\nclaimWithin: 60d";

fn fee(amount: i128, vouchers: i128, currency: &str) -> Option<Fee> {
    Some(Fee { currency: currency.into(), amount, vouchers })
}

/// Ten bad slices of every sixty: far below every tier of [`GATEWAY`].
fn broken(agreement: &Agreement, month: &str) -> Vec<Counts> {
    let (mut slices, mut at) = (Vec::new(), start(agreement, month));
    run(&mut slices, &mut at, 15_000_000, 10_000, 5, 10);
    slices
}

#[test]
fn money_is_rounded_once() {
    let gateway = agreement(GATEWAY);
    let slices = broken(&gateway, "2026-09");
    let of = |fee| {
        let evidence = Evidence { slices: slices.clone(), fee, ..Evidence::default() };
        owed(&gateway, "2026-09", &evidence).map(|credit| (credit.fee_base, credit.amount, credit.currency))
    };
    assert_eq!(of(None), Ok((None, None, None)));
    assert_eq!(of(fee(100_000_000, 0, "CNY")), Ok((Some(100_000_000), Some(25_000_000), Some("CNY".into()))));
    // A quarter of 0.10 is 0.025: to the even cent.
    assert_eq!(of(fee(1_100_000, 1_000_000, "CNY")).unwrap().1, Some(20_000));
    assert_eq!(of(fee(1_300_000, 1_000_000, "CNY")).unwrap().1, Some(80_000));
    assert_eq!(of(fee(110_000_000, 100_000_000, "JPY")).unwrap().1, Some(2_000_000));
    assert_eq!(minor_digits("JPY"), Some(0));
    let error = |fee| of(fee).unwrap_err().to_string();
    assert_eq!(error(fee(1, 0, "RMB")), "unknown currency 'RMB' of the fee; did you mean 'RUB'?");
    assert_eq!(error(fee(1, 2, "CNY")), "vouchers pay between nothing and the whole fee; correct the row in fees");
    assert_eq!(error(fee(-1, 0, "CNY")), "the fee is negative; correct the row in fees");
}

#[test]
fn caps_and_least_amounts() {
    let clauses = format!("{GATEWAY}\ncap: 20%\nminPayout: 1.01 USD");
    let capped = agreement(&clauses);
    let slices = broken(&capped, "2026-09");
    let of = |fee| owed(&capped, "2026-09", &Evidence { slices: slices.clone(), fee, ..Evidence::default() });
    let paid = of(fee(100_000_000, 50_000_000, "USD")).unwrap();
    assert_eq!((paid.percent, paid.amount), (Fraction::new(1u8, 5u8), Some(10_000_000)));
    let little = of(fee(5_000_000, 0, "USD")).unwrap();
    assert_eq!((little.amount, little.below_min_payout), (Some(0), true));
    assert_eq!(of(fee(5_050_000, 0, "USD")).unwrap().amount, Some(1_010_000));
    assert_eq!(
        of(fee(1, 0, "EUR")).unwrap_err().to_string(),
        "the fee is in EUR, but the agreement's minPayout is in USD; make it an agreement of its own for customers who \
         pay in EUR"
    );
}

#[test]
fn a_missed_bound_is_never_printed_as_met() {
    let gateway = agreement(GATEWAY);
    let (mut slices, mut at) = (Vec::new(), start(&gateway, "2026-09"));
    run(&mut slices, &mut at, 15_000_000, 1728, 1, 10);
    let shown = |slices| {
        let credit = owed(&gateway, "2026-09", &Evidence { slices, ..Evidence::default() }).unwrap();
        (credit.availability_percent, credit.kept, credit.tier)
    };
    assert_eq!(shown(slices.clone()), (99_900_000, true, None));
    run(&mut slices, &mut at, 15_000_000, 1, 1, 1_000_000);
    assert_eq!(shown(slices), (99_899_999, false, Some(0)));
    let one = vec![Counts { start: start(&gateway, "2026-09"), valid: i64::MAX, failed: 1 }];
    assert_eq!(shown(one), (99_999_999, true, None));
    assert_eq!(shown(Vec::new()), (100_000_000, true, None));
}

#[test]
fn claims_end_in_the_agreements_zone() {
    let by = |clause: &str, month: &str| {
        let clauses = GATEWAY.replace("claimWithin: 60d", clause);
        let agreement = agreement(&clauses);
        let credit = owed(&agreement, month, &Evidence::default()).unwrap();
        credit.claim_by.map(|by| (by - start(&agreement, month)) / DAY)
    };
    assert_eq!(by("claimWithin: 60d", "2026-09"), Some(30 + 60));
    assert_eq!(by("claimWithin: 2M", "2026-09"), Some(30 + 31 + 30));
    assert_eq!(by("", "2026-09"), None);
}

fn excluded(id: &str, category: &str, from: i64, to: i64, announced: Option<i64>) -> Excluded {
    Excluded { id: id.into(), category: category.into(), interval: Interval::new(from, to), announced }
}

#[test]
fn exclusions_count_where_the_agreement_says_so() {
    let clauses = "slice: 1m\nmeasure: BadSlices\nbad: errorRate > 0\ncommitment: 99%\ncredits: []\nexclusions: [Attack, \
                   {category: Maintenance, announced: before}]";
    let agreement = agreement(clauses);
    let first = start(&agreement, "2026-09");
    let (mut slices, mut at) = (Vec::new(), first);
    run(&mut slices, &mut at, MINUTE, 100, 1, 10);
    let of = |clauses: &Agreement, exclusions: &[Excluded]| {
        let evidence = Evidence { slices: slices.clone(), exclusions: exclusions.to_vec(), ..Evidence::default() };
        owed(clauses, "2026-09", &evidence)
    };
    let minutes = |from: i64, to: i64| (first + from * MINUTE, first + to * MINUTE);
    let attack = |(from, to): (i64, i64)| excluded("a", "Attack", from, to, None);
    let work = |(from, to): (i64, i64), announced| excluded("w", "Maintenance", from, to, announced);

    // Only slices that lie wholly inside, and the denominator stays whole.
    let (from, to) = minutes(10, 20);
    let partly = of(&agreement, &[attack((from - 1, to - 1))]).unwrap();
    assert_eq!((partly.failed, partly.valid, partly.slices), (91, 1000, 30 * 1440));
    assert_eq!(partly.excluded, [("Attack".to_string(), 9 * MINUTE)]);
    assert_eq!(partly.availability, Fraction::new(30u32 * 1440 - 91, 30u32 * 1440));

    let soon = minutes(30, 40);
    let announced = |at| of(&agreement, &[work(soon, at)]).unwrap().failed;
    assert_eq!([announced(None), announced(Some(soon.0)), announced(Some(soon.0 - 1))], [100, 100, 90]);
    assert_eq!(of(&agreement, &[excluded("x", "Other", from, to, None)]).unwrap().failed, 100);

    // What touches may share a slice; what overlaps is one time, of the category that the agreement names first.
    let shared = [attack((from, from + MINUTE / 2)), work((from + MINUTE / 2, to), Some(from))];
    let shared = of(&agreement, &shared).unwrap();
    assert_eq!(shared.excluded, [("Attack".to_string(), MINUTE), ("Maintenance".to_string(), 9 * MINUTE)]);
    let overlapping = [attack((from, to)), work((to - 1, to), Some(from))];
    let by_rules_1 = |exclusions: &[Excluded]| {
        let covered = agreement.covered("2026-09".parse().unwrap(), ALWAYS, Rules::First).unwrap();
        credit(&covered, &Evidence { exclusions: exclusions.to_vec(), ..Evidence::default() })
    };
    assert_eq!(
        by_rules_1(&overlapping).unwrap_err().to_string(),
        "exclusions 'a' and 'w' overlap from 2026-09-01T00:19:59.999999+00:00 on; shorten or withdraw one of them"
    );
    assert!(by_rules_1(&[attack((from, to)), work((from, to), None)]).is_ok(), "one of them does not count");
    assert_eq!(of(&agreement, &overlapping).unwrap().excluded, [("Attack".to_string(), 10 * MINUTE)]);
    let around = [work(minutes(5, 25), Some(first)), attack((from, to)), excluded("b", "Attack", from, to, None)];
    let united = of(&agreement, &around).unwrap();
    let categories = [("Attack".to_string(), 10 * MINUTE), ("Maintenance".to_string(), 10 * MINUTE)];
    assert_eq!((united.failed, united.excluded_micros()), (80, 20 * MINUTE));
    assert_eq!(united.excluded, categories);

    let removed = self::agreement(&format!("{clauses}\nexcludedTime: removed"));
    let removed = of(&removed, &[attack((from, to))]).unwrap();
    assert_eq!((removed.failed, removed.valid, removed.slices), (90, 900, 30 * 1440 - 10));
}

#[test]
fn runs_end_where_they_should() {
    let downtime = agreement(
        "slice: 1m\nmeasure: Downtime\nbad: errorRate > 10%\nminRun: 3m\nminRequests: 100\ncommitment: 99%\ncredits: \
         []\nexclusions: [Attack]\nlostTelemetry: {estimateFrom: 7d}",
    );
    let october = start(&downtime, "2026-10");
    // Minutes from midnight of the second day on, one character each: bad, ok, few requests, none.
    let of = |states: &str, exclude: Option<(i64, i64)>, lost: Option<(i64, i64)>, from: i64| {
        let counts = states.chars().zip(from..).filter_map(|(state, minute)| {
            let (failed, valid) = match state {
                'E' => (11, 100),
                'o' => (10, 100),
                'f' => (99, 99),
                _ => return None,
            };
            Some(Counts { start: october + minute * MINUTE, valid, failed })
        });
        let interval = |(a, b)| Interval::new(october + (from + a) * MINUTE, october + (from + b) * MINUTE);
        let exclusions = exclude.map(interval).map(|i| excluded("a", "Attack", i.start, i.end, None));
        let evidence = Evidence {
            slices: counts.collect(),
            exclusions: exclusions.into_iter().collect(),
            lost: lost.map(interval).into_iter().collect(),
            ..Evidence::default()
        };
        let credit = owed(&downtime, "2026-10", &evidence).unwrap();
        credit.availability.complement_of(31 * 1440)
    };
    assert_eq!(of("EEEoEE", None, None, 1440), 3);
    assert_eq!(of("EE.EEfEEEE", None, None, 1440), 4);
    assert_eq!(of("EEEE", None, None, 1438), 4, "days end no run");
    assert_eq!(of("EEEE", None, None, -2), 0, "the period does");
    assert_eq!(of("EEEEEE", Some((2, 3)), None, 1440), 3);
    assert_eq!(of("EE....E", None, Some((2, 6)), 1440), 7, "lost minutes are bad");
    assert_eq!(of("EE....E", Some((3, 5)), Some((2, 6)), 1440), 3);
}

/// Reading a fraction back as bad slices of so many.
trait Complement {
    fn complement_of(&self, slices: u64) -> u64;
}

impl Complement for Fraction {
    fn complement_of(&self, slices: u64) -> u64 {
        slices - u64::try_from(self.rounded(slices)).unwrap()
    }
}

#[test]
fn lost_telemetry_is_estimated_from_the_days_before() {
    let clauses = "slice: 1m\nmeasure: Occurrences\ncommitment: 99.9%\ncredits: []\nexclusions: [Attack]";
    let with = agreement(&format!("{clauses}\nlostTelemetry: {{estimateFrom: 7d}}"));
    let first = start(&with, "2026-09");
    let day = |day: i64, minute: i64| first + day * DAY + minute * MINUTE;
    // Ten requests a minute in every second hour.
    let minutes = (-20 * 1440..30 * 1440).filter(|minute| minute / 60 % 2 == 0);
    let slices: Vec<Counts> = minutes.map(|minute| Counts { start: day(0, minute), valid: 10, failed: 0 }).collect();
    // It begins late on the ninth day and ends on the tenth.
    let lost = vec![Interval::new(day(8, 1430) + 1, day(9, 10))];
    let evidence = Evidence { slices, lost, ..Evidence::default() };
    let credit = owed(&with, "2026-09", &evidence).unwrap();
    assert_eq!(credit.lost_slices, 20, "every slice that it touches");
    assert_eq!(credit.estimates[0].days, Interval::new(day(1, 0), day(8, 0)));
    assert_eq!((credit.estimates[0].requests, credit.estimates[0].counted_slices), (7 * 7200, 7 * 1440));
    assert_eq!(credit.estimated, Fraction::new(100u8, 1u8));
    // What was counted in them is dropped: ten minutes of the tenth day.
    assert_eq!((credit.valid, credit.failed), (30 * 7200 - 100, 0));
    assert_eq!(credit.availability, Fraction::new(30u32 * 7200 - 100, 30u32 * 7200));

    // What is excluded is not lost; excluded, lost and inactive minutes are not estimated from.
    let mut special = evidence.clone();
    special.exclusions = vec![
        excluded("now", "Attack", day(9, 0), day(9, 5), None),
        excluded("before", "Attack", day(2, 0), day(3, 0), None),
    ];
    special.active = vec![Interval::new(day(1, 60), i64::MAX)];
    special.lost.push(Interval::new(day(5, 0), day(5, 60)));
    let credit = owed(&with, "2026-09", &special).unwrap();
    assert_eq!(credit.lost_slices, 15 + 60);
    let estimate = &credit.estimates[1];
    assert_eq!((estimate.counted_slices, estimate.requests), (7 * 1440 - 1440 - 60 - 60, 7 * 7200 - 7200 - 600 - 600));

    let nothing = owed(&agreement(clauses), "2026-09", &evidence).unwrap();
    assert_eq!((nothing.lost_slices, nothing.estimated, nothing.failed), (0, Fraction::zero(), 0));

    // The month's first day looks back into the month before.
    let month = |month: &str| month.parse::<PeriodName>().unwrap();
    let covered = with.covered(month("2026-09"), ALWAYS, Rules::CURRENT).unwrap();
    assert_eq!(covered.reads(&[]), Interval::new(first, day(30, 0)));
    assert_eq!(covered.reads(&[Interval::new(day(0, 5), day(0, 6))]).start, day(-7, 0));
    assert_eq!(covered.reads(&[Interval::new(day(-3, 5), day(-3, 6))]).start, first, "not in this month");
}

#[test]
fn counts_that_cannot_be_are_refused() {
    let gateway = agreement(GATEWAY);
    let first = start(&gateway, "2026-09");
    let of = |counts: &[(i64, i64, i64)]| {
        let slices = counts.iter().map(|&(at, valid, failed)| Counts { start: first + at, valid, failed }).collect();
        owed(&gateway, "2026-09", &Evidence { slices, ..Evidence::default() }).map_err(|error| error.to_string())
    };
    let error = |counts| of(counts).unwrap_err();
    assert_eq!(
        error(&[(1, 1, 0)]),
        "the slice at 2026-09-01T00:00:00.000001+00:00: it does not begin where a slice of the agreement does"
    );
    assert!(error(&[(0, 1, 2)]).ends_with("failed requests must be between none and all of the valid ones"));
    assert!(error(&[(0, 1, -1)]).ends_with("failed requests must be between none and all of the valid ones"));
    assert!(error(&[(0, 1, 0), (0, 1, 0)]).ends_with("it is out of order, or counted twice"));
    assert!(error(&[(0, i64::MAX, 0), (15_000_000, 1, 0)]).ends_with("more requests than can be counted"));
}

#[test]
fn a_fee_is_prorated_by_judged_days() {
    let prorated = agreement(&GATEWAY.replace("exclude: vouchers", "exclude: vouchers, prorate: days"));
    let slices = broken(&prorated, "2026-09");
    let begins = start(&prorated, "2026-09");
    let of = |active: &[(i64, i64)]| {
        let active = active.iter().map(|(from, until)| Interval::new(begins + from * DAY, begins + until * DAY));
        let fee = Some(Fee { currency: "USD".into(), amount: 100_010_000, vouchers: 10_000 });
        let evidence = Evidence { slices: slices.clone(), fee, active: active.collect(), ..Evidence::default() };
        let credit = owed(&prorated, "2026-09", &evidence).unwrap();
        (credit.fee_base.unwrap(), credit.amount.unwrap(), credit.percent)
    };
    let (base, amount, percent) = of(&[]);
    assert_eq!((base, Fraction::new(amount as u64, base as u64)), (100_000_000, percent));
    // Seven of thirty days, two stretches of which touch one day: rounded once, from the fee.
    let (base, amount, percent) = of(&[(0, 5), (8, 10)]);
    assert_eq!(base, 23_333_333);
    let exact = Fraction::new(percent.numerator() * 700_000_000u64, percent.denominator() * 30u8);
    assert_eq!(amount, i128::try_from(exact.rounded(1) / 10_000u32 * 10_000u32).unwrap());
    let half =
        [(0, 1)].map(|(from, until)| Interval::new(begins + from * DAY + DAY / 2, begins + until * DAY + DAY / 2));
    let evidence = Evidence {
        fee: Some(Fee { currency: "USD".into(), amount: 30_000_000, vouchers: 0 }),
        active: half.to_vec(),
        ..Evidence::default()
    };
    assert_eq!(owed(&prorated, "2026-09", &evidence).unwrap().fee_base, Some(2_000_000), "two days in part");
}
