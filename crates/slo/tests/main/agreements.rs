//! Agreements: what is written comes out as terms, and which version judges which part of a period.

use std::sync::Arc;

use nines_slo::{
    Agreement, Bad, Cap, Charge, ClaimFrom, ClaimTime, ClaimWithin, CreditValue, Cycle, Evidence, ExcludedTime, Fee,
    LostTelemetry, Measure, NotValid, Party, RateOp, Rules, Statuses, credit, plan,
};
use nines_timeline::Interval;

use crate::credits::{ALWAYS, DAY, MINUTE};
use crate::reading::definitions;

const GATEWAY: &str = r#"
apiVersion: nines/v1
kind: Agreement
metadata: {name: gateway, displayName: API gateway, annotations: {nines/effective-from: 2026-01-01, nines/owner: ann}}
spec:
  description: What we owe
  service: [gateway, "edge*"]
  business: media
  customer: [acme, 华北医疗]
  party: gateway                       # whose failures count
  causes: {keepalive_race: gateway, auth_timeout: nobody}
  valid: {except: [403, rate_limited]}
  period: {duration: 1M, timeZone: Asia/Shanghai}
  slice: 15s
  measure: Downtime
  bad: errorRate >= 10%
  minRequests: 100
  minRun: 1m
  commitment: 99.90%
  credits: [{below: 99.90%, percent: 10}, {below: 99.00%, percent: 25}]
  cap: 50%
  minPayout: 1.01 USD
  claimWithin: 60d
  exclusions: [{category: Scheduled Maintenance, announced: before}, Attack, Customer, Force Majeure]
  excludedTime: removed
  fees: {exclude: vouchers}
  lostTelemetry: {estimateFrom: 7d}
"#;

fn one(text: &str) -> Agreement {
    definitions(text).agreements.remove(0)
}

#[test]
fn every_clause_becomes_a_term() {
    let agreement = one(GATEWAY);
    assert_eq!(agreement.name, "gateway");
    let [version] = agreement.versions.as_slice() else { panic!("{agreement:?}") };
    // Midnight in Shanghai.
    assert_eq!(version.in_force, Interval::new(1_767_196_800_000_000, i64::MAX));
    let terms = &version.terms;
    assert_eq!((terms.owner.as_deref(), terms.display_name.as_deref()), (Some("ann"), Some("API gateway")));
    assert!(terms.matches_service("edge-2") && !terms.matches_service("login"));
    assert!(terms.rows.matches("/any", "华北医疗", "") && !terms.rows.matches("/any", "other", ""));
    assert_eq!(terms.party, Party::Gateway);
    assert_eq!(terms.causes.0["keepalive_race"], Charge::Gateway);
    assert_eq!(terms.causes.0["upstream_timeout"], Charge::Service, "the rest is as it ships");
    assert_eq!(
        terms.not_valid,
        [NotValid::Status(Statuses::of("403").unwrap()), NotValid::Cause("rate_limited".into())]
    );
    assert!(terms.is_valid(500, "") && !terms.is_valid(403, "") && !terms.is_valid(200, "rate_limited"));
    assert_eq!(
        (terms.cycle, terms.time_zone, terms.slice),
        (Cycle::calendar(1), chrono_tz::Asia::Shanghai, 15_000_000)
    );
    let bad = Bad { op: RateOp::AtLeast, rate: "0.1".parse().unwrap() };
    assert_eq!(terms.measure, Measure::Downtime { bad, min_run: 60_000_000 });
    assert!(bad.holds(1, 10) && !Bad { op: RateOp::Above, ..bad }.holds(1, 10));
    assert_eq!((terms.min_requests, terms.commitment), (100, "0.999".parse().unwrap()));
    let tiers: Vec<_> = terms.credits.tiers().iter().map(|tier| (tier.below, tier.value)).collect();
    assert_eq!(
        tiers,
        [("0.999", "0.1"), ("0.99", "0.25")]
            .map(|(b, p)| (b.parse().unwrap(), CreditValue::Percent(p.parse().unwrap())))
    );
    assert_eq!(terms.cap, Some(Cap::Share("0.5".parse().unwrap())));
    assert_eq!(terms.min_payout[0].amount, 1_010_000);
    assert_eq!(terms.claim_within, Some(ClaimWithin { within: ClaimTime::Days(60), from: ClaimFrom::Period }));
    assert!(!terms.honours("Scheduled Maintenance", Some(5), 5) && terms.honours("Scheduled Maintenance", Some(4), 5));
    assert!(terms.honours("Attack", None, 5) && !terms.honours("attack", None, 5));
    assert_eq!((terms.excluded_time, terms.exclude_vouchers), (ExcludedTime::Removed, true));
    assert_eq!(terms.lost_telemetry, Some(LostTelemetry { days: 7 }));
}

#[test]
fn statuses_stand_as_one_a_class_or_a_range() {
    let text = GATEWAY
        .replace("except: [403, rate_limited]", "except: [4xx, 502-504, rate_limited, \"12-3\"]")
        .replace("auth_timeout: nobody}", "auth_timeout: nobody, \"5xx\": gateway, 504: service, \"200\": nobody}");
    let terms = Arc::clone(&one(&text).versions[0].terms);
    let valid = [(404, ""), (399, ""), (503, "x"), (505, ""), (200, "rate_limited"), (200, "12-3"), (200, "4xx")]
        .map(|(status, cause)| terms.is_valid(status, cause));
    assert_eq!(valid, [false, true, false, true, false, false, true]);
    // The cause is read first, then the narrowest statuses.
    let charge = |cause, status| terms.causes.charge(cause, status);
    assert_eq!(charge("auth_timeout", 504), Some(Charge::Nobody));
    assert_eq!([charge("", 504), charge("other", 504)], [Some(Charge::Service); 2]);
    assert_eq!(
        [charge("", 503), charge("", 200), charge("", 404)],
        [Some(Charge::Gateway), Some(Charge::Nobody), None]
    );
    let plan = plan(&[], &[("a.yaml".to_string(), text)], 0).unwrap();
    let warnings: Vec<String> = plan.warnings.iter().map(ToString::to_string).collect();
    let warned = "'12-3' is no status, so that it excepts requests whose cause is this text; a status is such as 403, 4xx or 502-504";
    assert!(matches!(warnings.as_slice(), [one] if one.ends_with(warned)), "{warnings:?}");
}

#[test]
fn a_credit_of_less_than_a_percent_is_questioned() {
    let credits = "credits: [{below: 99.90%, percent: 10}, {below: 99.00%, percent: 25}]";
    let warned = |written: &str| -> Vec<String> {
        let text = GATEWAY.replace(credits, written);
        let plan = plan(&[], &[("a.yaml".to_string(), text)], 0).unwrap();
        plan.warnings.iter().map(|warning| warning.to_string().split_once(": ").unwrap().1.to_string()).collect()
    };
    assert_eq!(
        warned("credits: [{below: 99.9%, percent: 0.1}, {below: 99%, percent: 0.25%}, {below: 90%, percent: 1}]"),
        [
            "'percent: 0.1' is 0.1 %, less than one percent of the fee; write 0.1% if that is right, 10 for a share of 0.1"
        ]
    );
    assert!(warned("credits: [{below: 99.9%, percent: 0}, {below: 99%, percent: 0.5%}]").is_empty());
}

#[test]
fn what_may_be_left_out_has_a_meaning() {
    let text = "{apiVersion: nines/v1, kind: Agreement, metadata: {name: a}, spec: {service: s, period: {duration: 1Q, \
                timeZone: UTC}, slice: 5m, measure: MeanErrorRate, commitment: 0.999, credits: []}}";
    let plan = plan(&[], &[("a.yaml".into(), text.into())], 0).unwrap();
    let warnings: Vec<String> = plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["a.yaml:1:183: no credits are agreed yet: every period's credit is 0"]);
    let version = &plan.definitions.agreements[0].versions[0];
    assert_eq!(version.in_force, ALWAYS);
    let terms = &version.terms;
    assert_eq!((terms.party, terms.cycle, terms.min_requests), (Party::Service, Cycle::calendar(3), 1));
    assert_eq!((terms.excluded_time, terms.exclude_vouchers), (ExcludedTime::ErrorFree, false));
    assert!(terms.exclusions.is_empty() && terms.lost_telemetry.is_none() && terms.cap.is_none());
}

/// Versions from a day of 2026 on, each with its own commitment.
fn versions(annotations: &[&str]) -> Agreement {
    let text = annotations.iter().enumerate().map(|(i, annotations)| {
        format!(
            "---\n{{apiVersion: nines/v1, kind: Agreement, metadata: {{name: a, annotations: {{{annotations}}}}}, spec: \
             {{service: s, period: {{duration: 1M, timeZone: America/New_York}}, slice: 1h, measure: MeanErrorRate, \
             commitment: 9{i}%, credits: []}}}}\n"
        )
    });
    one(&text.collect::<String>())
}

/// `commitment: first hour–last hour of the month, of as many as it has`.
fn judged(agreement: &Agreement, month: &str, active: Interval) -> String {
    let Some(covered) = agreement.covered(month.parse().unwrap(), active, Rules::CURRENT) else {
        return "not covered".into();
    };
    let whole = covered.period.interval;
    let hours = |t: i64| (t - whole.start) / 3_600_000_000;
    let percent = covered.terms.commitment.numerator() * 100 / covered.terms.commitment.denominator();
    format!("{percent}: {}–{} of {}", hours(covered.interval.start), hours(covered.interval.end), hours(whole.end))
}

#[test]
fn a_period_is_judged_whole_by_what_was_in_force_first() {
    let two = versions(&["nines/effective-from: 2026-03-05", "nines/effective-from: 2026-04-10 12:00"]);
    // An hour of March is missing in New York.
    assert_eq!(judged(&two, "2026-03", ALWAYS), "90: 96–743 of 743", "a first version shortens its period");
    assert_eq!(judged(&two, "2026-04", ALWAYS), "90: 0–720 of 720", "a second waits for the next");
    assert_eq!(judged(&two, "2026-05", ALWAYS), "91: 0–744 of 744");
    assert_eq!(judged(&two, "2026-02", ALWAYS), "not covered");
    let april = two.covered("2026-04".parse().unwrap(), ALWAYS, Rules::CURRENT).unwrap().interval;
    let from = |day: i64| Interval::new(april.start + day * DAY, i64::MAX);
    assert_eq!(judged(&two, "2026-04", from(4)), "90: 96–720 of 720", "a customer's first month");
    assert_eq!(judged(&two, "2026-04", from(20)), "91: 480–720 of 720", "in force at the first covered instant");
    assert_eq!(judged(&two, "2026-04", Interval::new(i64::MIN, april.start + DAY)), "90: 0–24 of 720");
    assert_eq!(judged(&two, "2026-04", Interval::new(i64::MIN, april.start)), "not covered");
}

#[test]
fn an_agreement_that_ended_covers_no_more() {
    let ended = "nines/effective-from: 2026-03-05, nines/effective-until: 2026-04-03";
    let once = versions(&[ended]);
    assert_eq!(judged(&once, "2026-04", ALWAYS), "90: 0–48 of 720");
    assert_eq!(judged(&once, "2026-05", ALWAYS), "not covered");
    let again = versions(&[ended, "nines/effective-from: 2026-05-01"]);
    assert_eq!(judged(&again, "2026-04", ALWAYS), "90: 0–48 of 720");
    assert_eq!(judged(&again, "2026-05", ALWAYS), "91: 0–744 of 744");
    let renewed = versions(&["nines/effective-until: 2026-04-03", "nines/effective-from: 2026-04-03"]);
    assert_eq!(judged(&renewed, "2026-04", ALWAYS), "90: 0–720 of 720");
}

#[test]
fn versions_that_say_the_same_are_one() {
    let text = |day: u32| {
        format!(
            "---\n{{apiVersion: nines/v1, kind: Agreement, metadata: {{name: a, annotations: {{nines/effective-from: \
             2026-04-0{day}}}}}, spec: {{service: s, period: {{duration: 1M, timeZone: UTC}}, slice: 1h, measure: \
             Occurrences, commitment: 90%, credits: []}}}}\n"
        )
    };
    assert_eq!(one(&(text(1) + &text(2))).versions.len(), 1);
}

/// What is said of two versions: annotations, duration and zone of each.
fn refused(versions: [(&str, &str, &str); 2]) -> String {
    let text = versions.iter().enumerate().map(|(i, (annotations, duration, zone))| {
        format!(
            "---\n{{apiVersion: nines/v1, kind: Agreement, metadata: {{name: a, annotations: {{{annotations}}}}}, spec: \
             {{service: s, period: {{duration: {duration}, timeZone: {zone}}}, slice: 1h, measure: MeanErrorRate, \
             commitment: 9{i}%, credits: []}}}}\n"
        )
    });
    match plan(&[], &[("a.yaml".into(), text.collect())], 0) {
        Ok(_) => String::new(),
        Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_change_of_duration_begins_where_both_periods_do() {
    let change = |from: &str, old: &str, new: &str| {
        let from = format!("nines/effective-from: {from}");
        refused([("", old, "UTC"), (&from, new, "UTC")])
    };
    assert_eq!(
        change("2026-02-01", "1M", "1Q"),
        "a.yaml:4:1: its periods are of 3 months, those of the version before it of 1 month, and on 2026-02-01 a period of the \
         one begins within one of the other; let it begin where both begin, with nines/effective-from: 2026-04-01, or correct \
         the version before it under its own date"
    );
    assert!(change("2026-04-02", "1M", "1Q").contains("nines/effective-from: 2026-07-01"));
    assert!(change("2026-02-01", "1Q", "1M").contains("nines/effective-from: 2026-04-01"));
    assert!(change("2026-02-01", "1Y", "1M").contains("nines/effective-from: 2027-01-01"));
    for (from, old, new) in [("2026-04-01", "1M", "1Q"), ("2026-04-01", "1Q", "1M"), ("2026-01-01", "1M", "1Y")] {
        assert_eq!(change(from, old, new), "");
    }
    // April begins in Shanghai before the version does, so that April is still the month's; from east to west it is not.
    let (east, west) = ("Asia/Shanghai", "UTC");
    let from = "nines/effective-from: 2026-04-01";
    assert!(
        refused([("", "1M", east), (from, "1Q", west)]).contains("give it another name"),
        "that is so of every quarter"
    );
    assert_eq!(refused([("", "1M", west), (from, "1Q", east)]), "");
    assert_eq!(refused([("", "1M", east), (from, "1M", west)]), "", "a time zone may change at any time");
}

#[test]
fn what_lapsed_is_renewed_with_a_period_of_its_own() {
    let renewed = |until: &str, from: &str, duration: &str| {
        let (until, from) = (format!("nines/effective-until: {until}"), format!("nines/effective-from: {from}"));
        refused([(&until, "1M", "UTC"), (&from, duration, "UTC")])
    };
    assert_eq!(
        renewed("2026-01-10", "2026-01-20", "1M"),
        "a.yaml:4:1: the agreement ends on 2026-01-10 and begins again on 2026-01-20, within one period, the rest of which \
         nobody would judge; let it begin with a period, with nines/effective-from: 2026-02-01, let the version before it last \
         until this one begins, or give it another name"
    );
    assert!(renewed("2026-01-10", "2026-05-01", "1Y").contains("2027-01-01"), "January's name is taken");
    assert_eq!(renewed("2026-01-10", "2026-02-10", "1M"), "");
    assert_eq!(renewed("2026-01-10", "2026-01-10", "1M"), "");
    assert_eq!(renewed("2026-04-01", "2026-05-10", "1Q"), "");
}

/// An agreement with versions of these dates and durations, in Shanghai.
fn of_dates(all: &[(&str, &str)]) -> Agreement {
    let documents = all.iter().map(|(from, duration)| {
        let annotation = if from.is_empty() { String::new() } else { format!(", annotations: {{nines/effective-from: {from}}}") };
        format!(
            "{{apiVersion: nines/v1, kind: Agreement, metadata: {{name: a{annotation}}}, spec: {{service: s, period: {{duration: \
             {duration}, timeZone: Asia/Shanghai}}, slice: 1m, measure: Occurrences, commitment: 99%, credits: [], description: \"{from}\"}}}}\n"
        )
    });
    one(&documents.collect::<Vec<_>>().join("---\n"))
}

#[test]
fn a_version_says_when_it_begins_to_count() {
    let said = |all: &[(&str, &str)]| -> Vec<Option<String>> {
        let agreement = of_dates(all);
        agreement.versions.iter().map(|version| agreement.beginning_said(version.in_force.start)).collect()
    };
    let next = |from: &str, period: &str| {
        Some(format!(
            "agreement a: what is in force from {from} (Asia/Shanghai) on begins to count with the period {period}, at {period}-01 00:00; \
             a period is judged whole by what was in force when it began"
        ))
    };
    assert_eq!(said(&[("", "1M"), ("2026-10-01", "1M")]), [None, None], "with a period");
    assert_eq!(said(&[("", "1M"), ("2026-10-02", "1M")]), [None, next("2026-10-02 00:00", "2026-11")]);
    assert_eq!(said(&[("", "1Q"), ("2026-11-01", "1Q")]), [None, next("2026-11-01 00:00", "2027-01")]);
    let rest =
        "agreement a: of its first period, 2026-10, only the time from 2026-10-02 00:00 (Asia/Shanghai) on is judged";
    assert_eq!(said(&[("2026-10-02", "1M")]), [Some(rest.to_string())]);
    let never = "agreement a: what is in force from 2026-10-02 00:00 (Asia/Shanghai) on judges no period; a later version replaces it \
                 before one begins";
    assert_eq!(
        said(&[("", "1M"), ("2026-10-02", "1M"), ("2026-10-20", "1M")]),
        [None, Some(never.to_string()), next("2026-10-20 00:00", "2026-11")]
    );
}

#[test]
fn a_fee_is_prorated_by_the_days_of_which_any_metric_judges_something() {
    let slices = |first: &str, second: &str| {
        one(&format!(
            "{{apiVersion: nines/v1, kind: Agreement, metadata: {{name: a}}, spec: {{service: s, period: {{duration: 1M, timeZone: UTC}}, \
             measure: MeanErrorRate, commitment: 99%, credits: [], fees: {{prorate: days}}, together: sum, metrics: [{{name: first, slice: \
             {first}}}, {{name: second, slice: {second}}}]}}}}"
        ))
    };
    // Half an hour of the second day: no whole hour, but minutes.
    for agreement in [slices("1m", "1h"), slices("1h", "1m")] {
        let start = agreement.covered("2026-10".parse().unwrap(), ALWAYS, Rules::CURRENT).unwrap().interval.start;
        let active = Interval::new(i64::MIN, start + DAY + 30 * MINUTE);
        let fee = Some(Fee { currency: "EUR".into(), amount: 31_000_000, vouchers: 0 });
        let evidence = Evidence { active: vec![active], fee, ..Evidence::default() };
        let covered = agreement.covered("2026-10".parse().unwrap(), active, Rules::CURRENT).unwrap();
        assert_eq!(credit(&covered, &evidence).unwrap().fee_base, Some(2_000_000));
    }
}
