//! The formats that are imported.

use super::imported::{Found, Imported};
use super::{nobl9, openslo, pyrra, slo_generator, sloth, written};
use crate::mistake::Notes;
use crate::yaml::{self, Node, Value};

/// A format of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportFormat {
    /// Sloth's, as files or Kubernetes objects.
    Sloth,
    /// Pyrra's.
    Pyrra,
    /// OpenSLO with queries of Prometheus.
    OpenSlo,
    /// That of Google's slo-generator, with Prometheus as its backend.
    SloGenerator,
    /// Nobl9's, with Prometheus as its source.
    Nobl9,
}

impl ImportFormat {
    /// Every format, in the order in which they are listed to people.
    pub const ALL: [ImportFormat; 5] = [
        ImportFormat::Sloth,
        ImportFormat::Pyrra,
        ImportFormat::OpenSlo,
        ImportFormat::SloGenerator,
        ImportFormat::Nobl9,
    ];

    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            ImportFormat::Sloth => "sloth",
            ImportFormat::Pyrra => "pyrra",
            ImportFormat::OpenSlo => "openslo",
            ImportFormat::SloGenerator => "slo-generator",
            ImportFormat::Nobl9 => "nobl9",
        }
    }
}

/// What files in a format, each by its path and text, come to. An objective whose name was there before is left out.
pub fn import(format: ImportFormat, files: &[(String, String)]) -> Imported {
    let mut imported = Imported::default();
    let mut objectives = Vec::new();
    for (path, text) in files {
        let mut found = Found { objectives: Vec::new(), notes: Notes::new(path) };
        let (documents, complaints) = yaml::parse(text.strip_prefix('\u{feff}').unwrap_or(text));
        complaints.into_iter().for_each(|complaint| found.notes.complain(complaint));
        let documents: Vec<&Node> = documents.iter().flat_map(items).filter(|node| !node.is_null()).collect();
        match format {
            ImportFormat::Sloth => documents.iter().for_each(|document| sloth::read(document, &mut found)),
            ImportFormat::Pyrra => documents.iter().for_each(|document| pyrra::read(document, &mut found)),
            ImportFormat::OpenSlo => openslo::read(&documents, &mut found),
            ImportFormat::SloGenerator => {
                documents.iter().for_each(|document| slo_generator::read(document, &mut found))
            }
            ImportFormat::Nobl9 => documents.iter().for_each(|document| nobl9::read(document, &mut found)),
        }
        for objective in std::mem::take(&mut found.objectives) {
            if imported.objectives.contains(&objective.name) {
                let reason = "an objective of this name was there before; names tell objectives apart";
                found.leave_out(documents.first().map(|node| node.place).unwrap_or_default(), &objective.name, reason);
            } else {
                imported.objectives.push(objective.name.clone());
                objectives.push(objective);
            }
        }
        imported.left_out.append(&mut found.notes.errors);
        imported.notes.append(&mut found.notes.warnings);
    }
    imported.definitions = written::definitions(&objectives);
    imported.mapping = written::mapping(&objectives);
    imported
}

/// The items of a Kubernetes list, or the document itself.
fn items(document: &Node) -> Vec<&Node> {
    let Value::Map(entries) = &document.value else { return vec![document] };
    let items = entries.iter().find(|(key, _)| key.text() == Some("items")).map(|(_, items)| &items.value);
    match items {
        Some(Value::List(items)) => items.iter().collect(),
        _ => vec![document],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let text =
            object("errors", "ratio: {errors: {metric: 'x{c=~\"5..\"}'}, total: {metric: x}, grouping: [handler]}")
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
        assert!(imported.mapping.contains(
            "good: 'took_bucket{path=\"/\", le=\"0.25\"}'\n    total: 'took_bucket{path=\"/\", le=\"+Inf\"}'"
        ));
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
}
