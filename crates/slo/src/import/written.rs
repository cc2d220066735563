//! Writing definitions and a mapping as YAML.

use std::fmt::Write;

use super::imported::{Counts, Objective};
use super::window::{Calendar, Window};
use crate::promql::Selector;

/// The definitions of objectives, as OpenSLO.
pub(super) fn definitions(objectives: &[Objective]) -> String {
    objectives.iter().map(definition).collect::<Vec<_>>().join("---\n")
}

/// The mapping that counts for them.
pub(super) fn mapping(objectives: &[Objective]) -> String {
    let mut sections = [("requests", String::new()), ("events", String::new()), ("gauges", String::new())];
    for objective in objectives {
        let (section, rule) = rule(objective);
        if let Some((_, text)) = sections.iter_mut().find(|(name, _)| *name == section) {
            text.push_str(&rule);
        }
    }
    let written = sections.into_iter().filter(|(_, rules)| !rules.is_empty());
    written.map(|(name, rules)| format!("{name}:\n{rules}")).collect()
}

fn definition(objective: &Objective) -> String {
    let Objective { name, service, description, percent, window, counts, .. } = objective;
    let (quoted_name, service) = (quoted(name), quoted(service));
    let source = match counts {
        Counts::Events { .. } => format!("type: nines/events, spec: {{name: {quoted_name}}}"),
        Counts::Native { threshold, .. } => {
            format!(
                "type: nines/latency, spec: {{quantile: {}, threshold: {}}}",
                quoted(&format!("{percent}%")),
                quoted(threshold)
            )
        }
        // Of samples that are 0 or 1 the sum is how many are 1.
        Counts::Flag(_) => {
            let condition = quoted(&format!("name = '{}'", name.replace('\'', "''")));
            format!(
                "type: nines/sql, spec: {{from: gauges, where: {condition}, good: 'CAST(\"sum\" AS BIGINT)', total: samples}}"
            )
        }
    };
    let description = match description.trim() {
        "" => String::new(),
        text => format!("  description: {}\n", quoted(text)),
    };
    let window = window.as_ref().map(time_window).unwrap_or_default();
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {quoted_name}}}
spec:
{description}  service: {service}
  indicator:
    metadata: {{name: {quoted_name}}}
    spec:
      ratioMetric:
        rawType: success
        raw: {{metricSource: {{{source}}}}}
{window}  budgetingMethod: Occurrences
  objectives: [{{targetPercent: {percent}}}]
"
    )
}

fn time_window(window: &Window) -> String {
    let Window { duration, rolling, calendar } = window;
    let calendar = match calendar {
        Some(Calendar { time_zone, start }) => {
            let start = start.as_ref().map(|start| format!("startTime: {}, ", quoted(start))).unwrap_or_default();
            format!(", calendar: {{{start}timeZone: {}}}", quoted(time_zone))
        }
        None => String::new(),
    };
    format!("  timeWindow: [{{duration: {duration}, isRolling: {rolling}{calendar}}}]\n")
}

fn rule(objective: &Objective) -> (&'static str, String) {
    let (name, service) = (quoted(&objective.name), quoted(&objective.service));
    match &objective.counts {
        Counts::Events { good, bad, total } => {
            let mut text = format!("  - name: {name}\n    service: {service}\n");
            for (part, selectors) in [("good", good), ("bad", bad), ("total", total)] {
                match selectors.as_slice() {
                    [] => {}
                    [one] => {
                        let _ = writeln!(text, "    {part}: {}", selector(one));
                    }
                    several => {
                        let all: Vec<String> = several.iter().map(selector).collect();
                        let _ = writeln!(text, "    {part}: [{}]", all.join(", "));
                    }
                }
            }
            ("events", text)
        }
        // The objective counts requests without an error; a histogram of other requests is told apart by its selector.
        Counts::Native { histogram, .. } => {
            ("requests", format!("  - histogram: {}\n    service: {service}\n    status: 200\n", selector(histogram)))
        }
        Counts::Flag(gauge) => (
            "gauges",
            format!(
                "  - gauge: {}\n    name: {name}\n    service: {service}\n    endpoint: {{label: instance}}\n",
                selector(gauge)
            ),
        ),
    }
}

/// In single quotes, so that those of labels can be read.
fn selector(selector: &Selector) -> String {
    format!("'{}'", selector.to_string().replace('\'', "''"))
}

fn quoted(text: &str) -> String {
    let mut written = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => written.extend(['\\', c]),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            c if c.is_control() => {}
            c => written.push(c),
        }
    }
    written.push('"');
    written
}
