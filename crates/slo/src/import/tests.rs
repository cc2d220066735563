//! What definitions of other programs come to.

use super::{ImportFormat, Imported, import};
use crate::mapping::Mapping;

fn of(format: ImportFormat, text: &str) -> Imported {
    import(format, &[("in.yaml".to_string(), text.to_string())])
}

/// What is written is what is read here.
fn check(imported: &Imported) {
    let reading = crate::read("out.yaml", &imported.definitions);
    assert!(reading.mistakes.is_empty(), "{:?}\n{}", reading.mistakes, imported.definitions);
    assert_eq!(reading.documents.len(), imported.objectives.len());
    Mapping::read("mapping.yaml", &imported.mapping).unwrap();
}

#[test]
fn sloth_counts_errors_of_all() {
    let imported = of(
        ImportFormat::Sloth,
        "version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: 99.9
    description: Most \"requests\" are answered.
    sli:
      events:
        error_query: sum(rate(x_count{code=~\"(5..|429)\"}[{{.window}}]))
        total_query: sum(rate(x_count[{{.window}}]))
  - name: latency
    objective: 99
    sli:
      events:
        error_query: |
          (
            sum(rate(x_count[{{.window}}]))
            -
            sum(rate(x_bucket{le=\"0.4\"}[{{.window}}]))
          )
        total_query: sum(rate(x_count[{{.window}}]))
  - {name: plugged, objective: 99, sli: {plugin: {id: some}}}
  - {name: gauge, objective: 99, sli: {raw: {error_ratio_query: avg(y)}}}
",
    );
    check(&imported);
    assert_eq!(imported.objectives, ["shop-availability", "shop-latency"]);
    assert_eq!(
        imported.mapping,
        "events:
  - name: \"shop-availability\"
    service: \"shop\"
    bad: 'x_count{code=~\"(5..|429)\"}'
    total: 'x_count'
  - name: \"shop-latency\"
    service: \"shop\"
    good: 'x_bucket{le=\"0.4\"}'
    total: 'x_count'
"
    );
    let left_out: Vec<String> = imported.left_out.iter().map(ToString::to_string).collect();
    assert_eq!(
        left_out,
        [
            "in.yaml:22:5: shop-plugged: its queries are made by a plugin; write out the events that it counts",
            "in.yaml:23:45: shop-gauge: expected a ratio of counters, as sum(rate(a[5m])) / sum(rate(b[5m])) (character 1 of `avg(y)`)",
        ]
    );
}

#[test]
fn pyrra_counts_ratios_latencies_and_flags() {
    let object = |name: &str, indicator: &str| {
        format!(
            "---\napiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {{name: {name}}}\nspec:\n  target: '99.5'\n  \
                 window: 4w\n  indicator:\n    {indicator}\n"
        )
    };
    let text = object("errors", "ratio: {errors: {metric: 'x{c=~\"5..\"}'}, total: {metric: x}, grouping: [handler]}")
        + &object("fast", "latency: {success: {metric: 'x_bucket{le=\"0.5\"}'}, total: {metric: x_count}}")
        + &object("native", "latencyNative: {total: {metric: took}, latency: 200ms}")
        + &object("up", "bool_gauge: {metric: 'up{job=\"a\"}'}")
        + &object("vague", "latency: {success: {metric: x_bucket}, total: {metric: x_count}}")
        + "---\nkind: ConfigMap\n";
    let imported = of(ImportFormat::Pyrra, &text);
    check(&imported);
    assert_eq!(imported.objectives, ["errors", "fast", "native", "up"]);
    assert!(imported.mapping.contains("  - histogram: 'took'\n    service: \"native\"\n    status: 200\n"));
    assert_eq!(imported.notes.len(), 1);
    let left_out: Vec<String> = imported.left_out.iter().map(|mistake| mistake.reason.clone()).collect();
    assert_eq!(
        left_out,
        [
            "vague: 'success' names no bucket: a matcher such as le=\"0.5\"",
            "an object of kind 'ConfigMap'; Pyrra's are of kind ServiceLevelObjective"
        ]
    );
}

#[test]
fn openslo_counts_queries_of_prometheus() {
    let text = "apiVersion: openslo/v1
kind: SLI
metadata: {name: good}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Prometheus, spec: {query: 'sum(ok_total)'}}}
    total: {metricSource: {type: Prometheus, spec: {query: 'sum(all_total)'}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  service: shop
  indicatorRef: good
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}, {target: 0.999}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: other}
spec:
  service: shop
  indicator: {metadata: {name: d}, spec: {ratioMetric: {good: {metricSource: {type: Datadog, spec: {}}}, total: {}}}}
  objectives: [{target: 0.99}]
";
    let imported = of(ImportFormat::OpenSlo, text);
    check(&imported);
    assert_eq!(imported.objectives, ["web-1", "web-2"]);
    assert_eq!(imported.left_out.len(), 1);
    assert!(imported.left_out[0].reason.ends_with("'good' is of type Datadog; queries of Prometheus are read"));
    assert!(imported.definitions.contains("objectives: [{targetPercent: 99.9}]"));
}

#[test]
fn slo_generator_counts_filters_and_cuts() {
    let object = |name: &str, method: &str, indicator: &str| {
        format!(
            "---\napiVersion: sre.google.com/v2\nkind: ServiceLevelObjective\nmetadata:\n  name: {name}\n  labels: {{service_name: prom}}\n\
                 spec:\n  backend: prometheus\n  method: {method}\n  goal: 0.95\n  service_level_indicator:\n    {indicator}\n"
        )
    };
    let text = object("a", "good_bad_ratio", "{filter_good: 'x{code=~\"2..\"}', filter_valid: 'x[window]'}")
        + &object("b", "query_sli", "{expression: 'sum(rate(x{code=\"200\"}[window])) / sum(rate(x[window]))'}")
        + &object("c", "distribution_cut", "{expression: 'took_bucket{path=\"/\"}', threshold_bucket: 0.25}")
        + &object("d", "window", "{}");
    let imported = of(ImportFormat::SloGenerator, &text);
    check(&imported);
    assert_eq!(imported.objectives, ["a", "b", "c"]);
    assert!(
        imported.mapping.contains(
            "good: 'took_bucket{path=\"/\", le=\"0.25\"}'\n    total: 'took_bucket{path=\"/\", le=\"+Inf\"}'"
        )
    );
    assert_eq!(
        imported.left_out[0].reason,
        "d: method 'window' is not read; good_bad_ratio, query_sli and distribution_cut are"
    );
}

#[test]
fn nobl9_counts_count_metrics() {
    let text = "apiVersion: n9/v1alpha
kind: SLO
metadata: {name: web}
spec:
  service: shop
  budgetingMethod: Timeslices
  timeWindows: [{unit: Day, count: 7, isRolling: true}]
  objectives:
    - target: 0.95
      countMetrics:
        incremental: true
        good: {prometheus: {promql: 'sum(ok_total)'}}
        total: {prometheus: {promql: 'sum(all_total)'}}
    - target: 0.9
      rawMetric: {query: {prometheus: {promql: 'y'}}}
";
    let imported = of(ImportFormat::Nobl9, text);
    check(&imported);
    assert_eq!(imported.objectives, ["web-1"]);
    assert!(imported.definitions.contains("duration: 7d") && imported.notes.len() == 1);
    assert!(imported.left_out[0].reason.starts_with("web-2: a rawMetric is the value of a query"));
}

/// What is left out of a text, as a person reads it.
fn left_out(format: ImportFormat, text: &str) -> Vec<String> {
    of(format, text).left_out.iter().map(ToString::to_string).collect()
}

fn openslo(name: &str, window: &str, objectives: &str) -> String {
    format!(
        "---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  indicator: {{spec: {{ratioMetric: {{counter: true,
    good: {{metricSource: {{type: Prometheus, spec: {{query: ok_total}}}}}},
    total: {{metricSource: {{type: Prometheus, spec: {{query: all_total}}}}}}}}}}}}
  timeWindow: [{{{window}}}]
  objectives: [{objectives}]
"
    )
}

fn nobl9(name: &str, window: &str) -> String {
    format!(
        "---
apiVersion: n9/v1alpha
kind: SLO
metadata: {{name: {name}}}
spec:
  service: shop
  timeWindows: [{{{window}}}]
  objectives:
    - target: 0.95
      countMetrics:
        incremental: true
        good: {{prometheus: {{promql: ok_total}}}}
        total: {{prometheus: {{promql: all_total}}}}
"
    )
}

#[test]
fn calendar_windows_stay_calendar_windows() {
    let calendar = "calendar: {startTime: \"2026-01-01 06:00:00\", timeZone: Europe/Berlin}";
    let text = openslo("month", &format!("duration: 1M, isRolling: false, {calendar}"), "{target: 0.9}")
        + &openslo("week", &format!("duration: 1w, {calendar}"), "{target: 0.9}")
        + &openslo("quarter", "duration: 1Q, isRolling: false", "{target: 0.9}")
        + &openslo("rolling", "duration: 4w", "{target: 0.9}");
    let imported = of(ImportFormat::OpenSlo, &text);
    check(&imported);
    let windows = |imported: &Imported| -> Vec<String> {
        let lines = imported.definitions.lines();
        lines.filter_map(|line| line.strip_prefix("  timeWindow: ")).map(str::to_string).collect()
    };
    let written = "isRolling: false, calendar: {startTime: \"2026-01-01 06:00:00\", timeZone: \"Europe/Berlin\"}";
    assert_eq!(
        windows(&imported),
        [
            format!("[{{duration: 1M, {written}}}]"),
            format!("[{{duration: 1w, {written}}}]"),
            "[{duration: 1Q, isRolling: false}]".to_string(),
            "[{duration: 4w, isRolling: true}]".to_string(),
        ]
    );
    let text = nobl9("month", &format!("unit: Month, count: 1, isRolling: false, {calendar}"))
        + &nobl9("days", &format!("unit: Day, count: 7, {calendar}"))
        + &nobl9("rolling", "unit: Day, count: 7, isRolling: true, period: {begin: x, end: y}");
    let imported = of(ImportFormat::Nobl9, &text);
    check(&imported);
    assert_eq!(
        windows(&imported),
        [
            format!("[{{duration: 1M, {written}}}]"),
            format!("[{{duration: 7d, {written}}}]"),
            "[{duration: 7d, isRolling: true}]".to_string(),
        ]
    );
}

#[test]
fn windows_that_apply_would_refuse_are_left_out() {
    let text = openslo("a", "duration: 30 days", "{target: 0.9}")
        + &openslo("b", "duration: 1M, calendar: {timeZone: Europe/Berln}", "{target: 0.9}")
        + &openslo("c", "duration: 1M, calendar: {timeZone: UTC, startTime: noon}", "{target: 0.9}")
        + &openslo("d", "duration: 1M, isRolling: true, calendar: {timeZone: UTC}", "{target: 0.9}")
        + &openslo("e", "isRolling: true", "{target: 0.9}");
    assert!(of(ImportFormat::OpenSlo, &text).objectives.is_empty());
    let told = left_out(ImportFormat::OpenSlo, &text);
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told[0].starts_with("in.yaml:10:16: a: its time window: '30 days' is no duration: expected"), "{told:?}");
    assert_eq!(told[1], "in.yaml:21:52: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?");
    assert!(told[2].starts_with("in.yaml:32:68: 'startTime': 'noon' is no instant"), "{told:?}");
    assert_eq!(told[3], "in.yaml:43:16: d: a rolling window has no calendar");
    assert_eq!(told[4], "in.yaml:54:16: e: its time window: missing field 'duration'");
    assert_eq!(
        left_out(ImportFormat::Nobl9, &nobl9("f", "unit: Fortnight, count: 1")),
        [
            "in.yaml:7:17: f: its time window: unit 'Fortnight' is none of Minute, Hour, Day, Week, Month, Quarter and Year"
        ]
    );
}

#[test]
fn lists_of_objects_are_read_with_their_places() {
    let objects = [openslo("a", "duration: 4w", "{target: 0.9}"), openslo("b", "duration: 4w", "{target: 2}")];
    let listed: String = objects
        .iter()
        .map(|object| object.trim_start_matches("---\n").replace('\n', "\n  ").trim_end().to_string())
        .map(|object| format!("- {object}\n"))
        .collect();
    let imported = of(ImportFormat::OpenSlo, &listed);
    check(&imported);
    assert_eq!(imported.objectives, ["a"]);
    let place = (imported.left_out[0].line, imported.left_out[0].column);
    assert_eq!((place, imported.left_out.len()), ((20, 27), 1), "{:?}\n{listed}", imported.left_out);
    let nobl9 = nobl9("web", "unit: Day, count: 7, isRolling: true").replace("---\n", "");
    let listed = format!("- {}\n", nobl9.trim_end().replace('\n', "\n  "));
    assert_eq!(of(ImportFormat::Nobl9, &listed).objectives, ["web"]);
    let sloth = "- version: prometheus/v1\n  service: shop\n  slos: [{name: a, objective: 99, sli: {plugin: {}}}]\n";
    assert_eq!(
        left_out(ImportFormat::Sloth, sloth),
        ["in.yaml:3:10: shop-a: its queries are made by a plugin; write out the events that it counts"]
    );
}

#[test]
fn targets_that_apply_would_refuse_are_left_out() {
    let sloth = |target: &str| {
        format!(
            "version: prometheus/v1\nservice: shop\nslos: [{{name: a, objective: {target}, sli: {{events: {{\
                 error_query: 'sum(rate(x[5m]))', total_query: 'sum(rate(y[5m]))'}}}}}}]\n"
        )
    };
    assert_eq!(of(ImportFormat::Sloth, &sloth("99.9")).objectives, ["shop-a"]);
    assert_eq!(
        left_out(ImportFormat::Sloth, &sloth("150")),
        ["in.yaml:3:29: shop-a: its target is 150, which is not between 0 and 100 %; expected a number such as 99.9"]
    );
    assert_eq!(
        left_out(ImportFormat::Sloth, &sloth("0")),
        ["in.yaml:3:29: shop-a: its target is 0, which promises nothing; expected a number such as 99.9"]
    );
    let text = openslo("b", "duration: 4w", "{target: 1.5}, {target: 0.9}, {targetPercent: 101}, {}");
    let imported = of(ImportFormat::OpenSlo, &text);
    check(&imported);
    assert_eq!(imported.objectives, ["b-2"]);
    assert_eq!(
        left_out(ImportFormat::OpenSlo, &text),
        [
            "in.yaml:11:25: b-1: its target is 1.5, which is not between 0 and 100 %; expected a number such as 0.999",
            "in.yaml:11:62: b-3: its target is 101, which is not between 0 and 100 %; expected a number such as 99.9",
            "in.yaml:11:68: b-4: it has no target",
        ]
    );
    let pyrra = "kind: ServiceLevelObjective\nmetadata: {name: p}\nspec:\n  target: '0'\n  window: 1d12h\n  indicator: {bool_gauge: {metric: up}}\n";
    assert_eq!(
        left_out(ImportFormat::Pyrra, pyrra),
        ["in.yaml:4:11: p: its target is 0, which promises nothing; expected a number such as 99.9"]
    );
    let told = left_out(ImportFormat::Pyrra, &pyrra.replace("'0'", "'99'"));
    assert!(told.len() == 1 && told[0].starts_with("in.yaml:5:11: p: '1d12h' is no duration"), "{told:?}");
}

#[test]
fn a_file_without_slos_says_so() {
    for format in ImportFormat::ALL {
        for empty in ["", "# nothing\n", "---\n"] {
            let told = left_out(format, empty);
            assert_eq!(told, ["in.yaml:1:1: the file is empty: it defines no SLO"], "{format:?} {empty:?}");
        }
    }
    let sloth = "version: prometheus/v1\nservice: shop\nslos: []\n";
    assert_eq!(left_out(ImportFormat::Sloth, sloth), ["in.yaml:1:1: the file defines no SLO"]);
    let sli = "apiVersion: openslo/v1
kind: SLI
metadata: {name: good}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {spec: {query: ok_total}}}
    total: {metricSource: {spec: {query: all_total}}}
";
    assert_eq!(left_out(ImportFormat::OpenSlo, sli), ["in.yaml:1:1: the file defines no SLO"]);
    // Beside a file that refers to it that is as it should be.
    let slo = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: web}\nspec: {service: shop, indicatorRef: good, objectives: [{target: 0.9}]}\n";
    let files = [("slo.yaml".to_string(), slo.to_string()), ("sli.yaml".to_string(), sli.to_string())];
    let imported = import(ImportFormat::OpenSlo, &files);
    check(&imported);
    assert_eq!((imported.objectives.len(), imported.left_out), (1, Vec::new()));
    assert!(!imported.definitions.contains("timeWindow"), "none is made up");
}

#[test]
fn the_second_of_a_name_is_left_out_where_it_is() {
    let slo = openslo("web", "duration: 4w", "{target: 0.9}");
    assert_eq!(
        left_out(ImportFormat::OpenSlo, &format!("{slo}{slo}")),
        ["in.yaml:15:18: web: an objective of this name is in in.yaml:4:18; names tell objectives apart"]
    );
    let sloth = "version: prometheus/v1
service: shop
slos:
  - {name: a, objective: 99, sli: {raw: {error_ratio_query: 'sum(rate(x[5m])) / sum(rate(y[5m]))'}}}
  - {name: a, objective: 98, sli: {raw: {error_ratio_query: 'sum(rate(x[5m])) / sum(rate(y[5m]))'}}}
";
    let files = ["a.yaml", "b.yaml"].map(|path| (path.to_string(), sloth.to_string()));
    let told: Vec<String> = import(ImportFormat::Sloth, &files).left_out.iter().map(ToString::to_string).collect();
    let said = |place: &str| {
        format!("{place}: shop-a: an objective of this name is in a.yaml:4:12; names tell objectives apart")
    };
    assert_eq!(told, [said("a.yaml:5:12"), said("b.yaml:4:12"), said("b.yaml:5:12")]);
}
