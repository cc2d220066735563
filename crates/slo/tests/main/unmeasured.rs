//! What is recorded and has no figures is told with the reason, and takes nothing else with it.

use nines_slo::{Definitions, ObjectKind, SINCE_EVER, Stored, agreement_changes, recorded, resolve};
use nines_timeline::Interval;

use crate::reading::definitions;

const EVENTS: &str = "ratioMetric: {rawType: success, raw: {metricSource: {type: nines/events, spec: {name: e}}}}";
const PROMETHEUS: &str = "thresholdMetric: {metricSource: {type: Prometheus, spec: {query: up}}}";

fn slo(name: &str, service: &str, indicator: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: {service}\n  {indicator}\n  budgetingMethod: \
         Timeslices\n  objectives: [{{target: 0.99}}]\n"
    )
}

fn inline(spec: &str) -> String {
    format!("indicator: {{metadata: {{name: i}}, spec: {{{spec}}}}}")
}

fn stored(kind: ObjectKind, name: &str, effective_from: i64, text: &str) -> Stored {
    Stored { kind, name: name.into(), effective_from, text: text.into(), rules: nines_slo::Rules::CURRENT }
}

fn told(definitions: &Definitions) -> Vec<(&str, Option<&str>, i64, i64)> {
    let all = definitions.unmeasured.iter();
    all.map(|own| (own.objective.as_str(), own.service.as_deref(), own.in_force.start, own.in_force.end)).collect()
}

#[test]
fn indicators_of_other_systems() {
    let text = [
        slo("own", "a", &inline(EVENTS)),
        slo("foreign", "a", &inline(PROMETHEUS)),
        slo("named", "b", "indicatorRef: other"),
        format!("apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: other}}\nspec: {{{PROMETHEUS}}}\n"),
    ];
    let found = definitions(&text.join("---\n"));
    assert_eq!(found.objectives.len(), 1);
    assert_eq!(told(&found), [("foreign", Some("a"), i64::MIN, i64::MAX), ("named", Some("b"), i64::MIN, i64::MAX)]);
    let why = &found.unmeasured[0].why;
    assert!(why.contains("does not measure indicators of type Prometheus") && why.contains("nines/events"), "{why}");
}

#[test]
fn what_an_earlier_version_recorded_and_this_one_refuses() {
    let newer = slo("one", "a", "indicator: {of: another time}");
    let all = [
        stored(ObjectKind::Slo, "one", SINCE_EVER, &slo("one", "a", &inline(EVENTS))),
        stored(ObjectKind::Slo, "one", 1000, &newer),
        stored(ObjectKind::Slo, "one", 2000, &slo("one", "b", &inline(EVENTS))),
        stored(ObjectKind::Slo, "two", SINCE_EVER, &slo("two", "a", &inline(EVENTS))),
        stored(ObjectKind::Slo, "lost", SINCE_EVER, &slo("lost", "a", "indicatorRef: nobody")),
        stored(
            ObjectKind::Agreement,
            "x",
            SINCE_EVER,
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: x}\nspec: {of: old}\n",
        ),
    ];
    assert!(resolve(&all).is_err());
    let found = recorded(&all);
    let in_force = |name: &str| -> Vec<(i64, i64)> {
        let own = found.objectives.iter().find(|objective| objective.name == name).unwrap();
        own.versions.iter().map(|version| (version.in_force.start, version.in_force.end)).collect()
    };
    assert_eq!(in_force("one"), [(i64::MIN, 1000), (2000, i64::MAX)], "the version before it ends with it");
    assert_eq!(in_force("two"), [(i64::MIN, i64::MAX)]);
    assert_eq!(told(&found), [("lost", Some("a"), i64::MIN, i64::MAX), ("one", None, 1000, 2000)]);
    assert!(found.unmeasured[0].why.contains("there is no SLI 'nobody'"));
    assert!(found.agreements.is_empty() && found.unreadable[0].name == "x");
    // What was wrong before keeps nobody from applying what is right.
    let applied = nines_slo::plan(&all, &[("a.yaml".into(), slo("three", "a", &inline(EVENTS)))], 3000).unwrap();
    assert_eq!((applied.definitions.objectives.len(), applied.definitions.unmeasured.len()), (3, 2));
    assert!(nines_slo::plan(&all, &[("a.yaml".into(), slo("four", "a", "indicatorRef: nobody"))], 3000).is_err());
}

#[test]
fn agreements_are_compared_clause_by_clause() {
    let agreement = |percent: u32, from: &str| {
        format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a, annotations: {{nines/effective-from: {from}}}}}\nspec:\n  \
             service: s\n  period: {{duration: 1M, timeZone: UTC}}\n  slice: 1m\n  measure: MeanErrorRate\n  commitment: 99.9%\n  \
             credits: [{{below: 99.9%, percent: {percent}}}]\n"
        )
    };
    let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    let range = Interval::new(at("2026-01-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
    let before = definitions(&agreement(10, "2020-01-01"));
    let after = definitions(&[agreement(10, "2020-01-01"), agreement(20, "2026-03-01")].join("---\n"));
    let found = agreement_changes(&before.agreements, &after.agreements, range);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].interval, Interval::new(at("2026-03-01T00:00:00Z"), range.end));
    let credits = "The agreement's clause Credits says “20 % below 99.9 % of the fee base”; before “10 % below 99.9 % of the fee base”.";
    assert_eq!(found[0].changes, [credits]);
    assert_eq!(agreement_changes(&before.agreements, &before.agreements, range), []);
    assert_eq!(agreement_changes(&[], &after.agreements, range)[0].changes, ["It is in force; before it was not."]);
    assert_eq!(agreement_changes(&after.agreements, &[], range).last().unwrap().changes, ["It is no longer in force."]);
}
