//! What stands in files comes out as objects and objectives.

use nines_slo::{Budgeting, Definitions, Indicator, Limit, NoData, Spec, Stored, Vela, Version, plan, read};

/// The definitions that a text comes to by itself.
pub fn definitions(text: &str) -> Definitions {
    match plan(&[], &[("a.yaml".into(), text.into())], 0) {
        Ok(plan) => plan.definitions,
        Err(mistakes) => panic!("{}", mistakes.iter().map(|m| format!("{m}\n")).collect::<String>()),
    }
}

/// An SLO with this indicator and these objectives, as flow YAML.
pub fn slo(name: &str, indicator: &str, objectives: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: login\n  {indicator}\n  \
         budgetingMethod: Timeslices\n  objectives: {objectives}\n"
    )
}

/// An inline indicator of a Nines type.
pub fn raw(source: &str) -> String {
    format!("indicator: {{spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {source}}}}}}}}}")
}

const LOGIN: &str = r#"
# The contract's words.
apiVersion: openslo/v1
kind: SLO
metadata:
  name: login-success
  displayName: Login works
  labels: {vela: [availability]}
  annotations: {nines/effective-from: 2026-10-01}
spec:
  service: login   # rows of this service
  indicator:
    metadata: {name: login-success}
    spec:
      ratioMetric:
        rawType: success
        raw: {metricSource: {type: nines/availability, spec: {party: service, endpoint: [/login, "/token/*"]}}}
  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Asia/Shanghai}}]
  budgetingMethod: RatioTimeslices
  objectives: [{target: 0.999, timeSliceTarget: 0.99, timeSliceWindow: 5m}]
"#;

#[test]
fn an_slo_becomes_an_objective() {
    let definitions = definitions(LOGIN);
    let [objective] = definitions.objectives.as_slice() else { panic!("{definitions:?}") };
    assert_eq!((objective.name.as_str(), objective.slo.as_str()), ("login-success", "login-success"));
    let [Version { in_force, spec, .. }] = objective.versions.as_slice() else { panic!("{objective:?}") };
    // Midnight in Shanghai.
    assert_eq!((in_force.start, in_force.end), (1_790_784_000_000_000, i64::MAX));
    assert_eq!(spec.display_name.as_deref(), Some("Login works"));
    assert_eq!(spec.vela, Some(Vela::Availability));
    assert_eq!(spec.budgeting, Budgeting::RatioTimeslices);
    assert_eq!((spec.target, spec.slice_target), ("0.999".parse().unwrap(), "0.99".parse().unwrap()));
    assert_eq!((spec.slice, spec.no_data), (300_000_000, NoData::Ok));
    assert_eq!(spec.time_zone, chrono_tz::Asia::Shanghai);
    assert!(spec.rows.matches("/token/a", "", "") && !spec.rows.matches("/logout", "", ""));
    assert_eq!(spec.indicator.to_string(), "2xx / (2xx + charged to service)");
}

#[test]
fn an_objects_text_is_its_own() {
    let reading = read("a.yaml", LOGIN);
    let document = &reading.documents[0];
    assert_eq!(document.line, 3);
    assert_eq!(document.text, LOGIN.strip_prefix("\n# The contract's words.\n").unwrap());

    let list = "# Two services.\n- apiVersion: openslo/v1\n  kind: Service\n  metadata:\n    name: a # the first\n\
                \n  # The next one.\n-   kind: Service\n    metadata: {name: b}\n    spec:\n      description: |+\n        \
                two\n\n\n    apiVersion: openslo/v1\n";
    let texts: Vec<_> = read("a.yaml", list).documents.into_iter().map(|d| (d.line, d.column, d.text)).collect();
    assert_eq!(
        texts,
        [
            (2, 3, "apiVersion: openslo/v1\nkind: Service\nmetadata:\n  name: a # the first\n".to_string()),
            (
                8,
                5,
                "kind: Service\nmetadata: {name: b}\nspec:\n  description: |+\n    two\n\n\napiVersion: openslo/v1\n"
                    .to_string()
            ),
        ]
    );

    let json = "\u{feff}[{\"apiVersion\": \"openslo/v1\", \"kind\": \"Service\",\r\n  \"metadata\": {\"name\": \"業務\"}}, \
                {\"apiVersion\":\"openslo/v1\",\"kind\":\"Service\",\"metadata\":{\"name\":\"b\"}}]";
    let reading = read("a.json", json);
    assert_eq!(reading.mistakes, []);
    assert_eq!(reading.documents[0].name, "業務");
    assert_eq!(
        reading.documents[0].text,
        "{\"apiVersion\": \"openslo/v1\", \"kind\": \"Service\",\n  \"metadata\": {\"name\": \"業務\"}}\n"
    );
    assert_eq!((reading.documents[1].line, reading.documents[1].column), (2, 32));
}

#[test]
fn empty_files_and_documents_are_nothing() {
    for text in ["", "\n# nothing\n", "---\n---\n", "--- ~\n...\n"] {
        let reading = read("a.yaml", text);
        assert_eq!((reading.documents.len(), reading.mistakes), (0, vec![]), "{text:?}");
    }
}

#[test]
fn several_objectives_have_names_of_their_own() {
    let text = slo(
        "login",
        &raw("{type: nines/latency, spec: {quantile: 0.9, threshold: 275ms}}"),
        "[{displayName: p90, target: 0.99}, {displayName: P90/24h, targetPercent: 99.9}]",
    );
    let definitions = definitions(&text);
    let names: Vec<_> = definitions.objectives.iter().map(|objective| objective.name.as_str()).collect();
    assert_eq!(names, ["login/P90/24h", "login/p90"]);
    let spec = &definitions.objectives[0].versions[0].spec;
    assert_eq!((spec.target, spec.slice_target), ("0.999".parse().unwrap(), "0.9".parse().unwrap()));
    assert!(definitions.composites.is_empty());
}

#[test]
fn composites_name_the_objectives_that_are_measured() {
    let availability = raw("{type: nines/availability}");
    let foreign = "indicatorRef: foreign";
    let text = format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: journey, annotations: {{nines/target: 99.5%}}}}\nspec:\n  \
         service: login\n  budgetingMethod: Timeslices\n  objectives:\n  - {{displayName: a, target: 0.99, \
         {availability}}}\n  - {{displayName: b, target: 0.9, {foreign}, compositeWeight: 2}}\n---\n\
         apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: foreign}}\nspec: {{thresholdMetric: {{metricSource: \
         {{type: Prometheus, spec: {{}}}}}}}}\n"
    );
    let plan = plan(&[], &[("a.yaml".into(), text)], 0).unwrap();
    let [composite] = plan.definitions.composites.as_slice() else { panic!("{plan:?}") };
    assert_eq!(composite.objectives, ["journey/a"]);
    assert_eq!(composite.promises.last().unwrap().target, Some("0.995".parse().unwrap()));
    let warnings: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "a.yaml:9:49: recorded, but Nines does not measure the indicator of SLI 'foreign'",
            "a.yaml:9:75: 'compositeWeight' is not used: a composite is the union of its objectives",
            "a.yaml:14:47: recorded, but Nines does not measure indicators of type Prometheus",
        ]
    );
}

#[test]
fn every_indicator_has_its_parameters() {
    let spec = |indicator: &str, objective: &str| {
        let text = slo("a", indicator, objective);
        let definitions = definitions(&text);
        let spec = (*definitions.objectives[0].versions[0].spec).clone();
        assert_eq!(Spec::of_text(&spec.to_text()), Ok(spec.clone()));
        spec
    };
    let indicator = |source: &str| spec(&raw(source), "[{target: 0.9}]").indicator;
    let baseline = indicator("{type: nines/latency, spec: {quantile: 90%, baseline: previous month}}");
    let quantile = "0.9".parse().unwrap();
    assert_eq!(baseline, Indicator::Latency { quantile, limit: Limit::PreviousMonth, each_endpoint: true });
    let each = indicator("{type: nines/latency, spec: {quantile: 0.90, threshold: 0.3s, each: endpoint}}");
    assert_eq!(each, Indicator::Latency { quantile, limit: Limit::Micros(300_000), each_endpoint: true });
    let causes =
        indicator("{type: nines/availability, spec: {party: gateway, causes: {client_abort: gateway, x: nobody}}}");
    assert_eq!(causes.to_string(), "2xx / (2xx + charged to gateway)");
    let Indicator::Availability { causes, .. } = causes else { panic!("{causes:?}") };
    let causes: Vec<_> = causes.0.iter().map(|(cause, to)| format!("{cause}: {to:?}")).collect();
    assert!(causes.contains(&"client_abort: Gateway".to_string()) && causes.contains(&"x: Nobody".to_string()));
    assert!(causes.contains(&"upstream_timeout: Service".to_string()));

    let gauge =
        "indicator: {spec: {thresholdMetric: {metricSource: {type: nines/gauge, spec: {name: up, hold: 10m}}}}}";
    let gauge = spec(gauge, "[{op: gte, value: 1, target: 0.9}]");
    assert_eq!(gauge.indicator.to_string(), "last up ≥ 1, held 10 min");
    assert_eq!(gauge.no_data, NoData::Ignore);
    let sql = raw("{type: nines/sql, spec: {from: gauges, where: min > 0, good: 1, total: samples}}");
    let sql = spec(&sql, "[{target: 0.9}]");
    assert_eq!(sql.indicator.to_string(), "(1) / (samples) of gauges where min > 0");
    assert_eq!(sql.no_data, NoData::Ignore);
    let events = spec(&raw("{type: nines/events, spec: {name: sent, noData: error}}"), "[{target: 0.9}]");
    assert_eq!((events.no_data, events.indicator.table()), (NoData::Error, "events"));
}

#[test]
fn what_is_recorded_resolves_as_it_was_planned() {
    let plan = plan(&[], &[("a.yaml".into(), LOGIN.into())], 0).unwrap();
    let stored: Vec<Stored> = plan.changes.into_iter().map(|change| change.stored).collect();
    let resolved = nines_slo::resolve(&stored).unwrap();
    assert_eq!(format!("{resolved:?}"), format!("{:?}", plan.definitions));
}

#[test]
fn objects_without_use_are_recorded_and_named() {
    let text = "{apiVersion: openslo/v1, kind: DataSource, metadata: {name: a}, spec: {type: Prometheus}}";
    let plan = plan(&[], &[("a.yaml".into(), text.into())], 0).unwrap();
    assert_eq!(plan.changes[0].stored.text, format!("{text}\n"));
    let warnings: Vec<_> = plan.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings, ["a.yaml:1:1: recorded, but Nines has no use for objects of kind DataSource"]);
}

#[test]
fn services_say_whose_they_are_and_what_they_promise() {
    let service = "apiVersion: openslo/v1\nkind: Service\nmetadata:\n  name: login\n  labels: {business: 业务}\n  \
                   annotations: {nines/owner: anna, nines/target: 99.9%}\n---\n";
    let text = service.to_string() + &slo("a", &raw("{type: nines/availability}"), "[{target: 0.9}]");
    let definitions = definitions(&text);
    let spec = &definitions.objectives[0].versions[0].spec;
    assert_eq!((spec.business.as_deref(), spec.owner.as_deref()), (Some("业务"), Some("anna")));
    assert!(spec.counts_business("业务") && spec.counts_business("") && !spec.counts_business("other"));
    assert_eq!(definitions.services[0].target, Some("0.999".parse().unwrap()));
}
