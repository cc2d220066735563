//! Reading a mapping file.

use super::column::{self, ColumnFrom, column};
use super::rule::{Counted, Mapping, NewSeries, Rule};
use crate::fields::{self, Fields};
use crate::mistake::{Mistake, Notes};
use crate::promql::Selector;
use crate::yaml::{self, Node, Value};

/// Fields of every rule.
const COMMON: [&str; 5] = ["business", "service", "endpoint", "labels", "newSeries"];

/// Most labels of a row.
const MOST_LABELS: usize = 32;

/// The part of a file that is about one table.
struct Section {
    name: &'static str,
    fields: &'static [&'static str],
    read: fn(&Fields<'_>, &mut Notes<'_>) -> Option<Counted>,
}

const SECTIONS: [Section; 3] = [
    Section {
        name: "requests",
        fields: &["customer", "counter", "histogram", "status", "cause", "unit"],
        read: requests,
    },
    Section { name: "events", fields: &["customer", "name", "good", "bad", "total"], read: events },
    Section { name: "gauges", fields: &["gauge", "name"], read: gauges },
];

impl Mapping {
    /// Reads a mapping; otherwise all that is wrong with it, by line.
    pub fn read(path: &str, text: &str) -> Result<Mapping, Vec<Mistake>> {
        let mut notes = Notes::new(path);
        let (documents, complaints) = yaml::parse(text.strip_prefix('\u{feff}').unwrap_or(text));
        complaints.into_iter().for_each(|complaint| notes.complain(complaint));
        let mut mapping = Mapping::default();
        for document in documents.iter().filter(|document| !document.is_null()) {
            read_document(document, &mut mapping, &mut notes);
        }
        if mapping.rules.is_empty() && notes.errors.is_empty() {
            let place = documents.first().map(|document| document.place).unwrap_or_default();
            let hint = "begin with `requests:`, `events:` or `gauges:` and a list of rules";
            notes.error_hint(place, "the mapping names no metric", hint);
        }
        notes.errors.sort();
        if notes.errors.is_empty() { Ok(mapping) } else { Err(notes.errors) }
    }
}

fn read_document(document: &Node, mapping: &mut Mapping, notes: &mut Notes<'_>) {
    let names = SECTIONS.map(|section| section.name);
    let Some(file) = Fields::read(document, "the mapping", &names, notes) else { return };
    for section in &SECTIONS {
        let rules = file.list(section.name, notes).unwrap_or_default();
        mapping.rules.extend(rules.iter().filter_map(|node| read_rule(node, section, notes)));
    }
}

fn read_rule(node: &Node, section: &Section, notes: &mut Notes<'_>) -> Option<Rule> {
    let known = [section.fields, &COMMON].concat();
    let rule = Fields::read(node, "the rule", &known, notes)?;
    let words = [("unknown", NewSeries::Unknown), ("zero", NewSeries::Zero)];
    let new_series = rule.word("newSeries", &words, notes).unwrap_or_default();
    let [business, service, endpoint, customer] =
        ["business", "service", "endpoint", "customer"].map(|name| column(&rule, name, notes));
    let labels = labels(&rule, notes);
    let what = (section.read)(&rule, notes)?;
    Some(Rule { line: node.place.line, business, service, endpoint, customer, labels, what, new_series })
}

/// A list of labels of the series, which rows have by the same name, or a mapping from names to columns.
fn labels(rule: &Fields<'_>, notes: &mut Notes<'_>) -> Vec<(String, ColumnFrom)> {
    let Some(node) = rule.get("labels") else { return Vec::new() };
    let mut labels: Vec<(String, ColumnFrom)> = Vec::new();
    match &node.value {
        Value::List(items) => {
            for item in items {
                let Some(name) = fields::text(item, "labels", notes) else { continue };
                labels.push((name.to_string(), ColumnFrom::Label { label: name.to_string(), values: Vec::new() }));
            }
        }
        Value::Map(_) => {
            let Some(named) = Fields::open(node, "labels", notes) else { return labels };
            for (name, from) in named.entries() {
                labels.extend(column::read(from, name, notes).map(|from| (name.to_string(), from)));
            }
        }
        _ => {
            let hint = "write labels: [region], or labels: {zone: {label: cloud.availability_zone}}";
            notes.error_hint(
                node.place,
                format!("expected a list or a mapping for 'labels', got {}", node.what()),
                hint,
            );
        }
    }
    if labels.iter().any(|(name, _)| name.trim().is_empty()) {
        notes.error(node.place, "a label of 'labels' has no name");
    }
    if labels.len() > MOST_LABELS {
        notes.error(node.place, format!("'labels' names {} labels, and rows have {MOST_LABELS} at most", labels.len()));
    }
    labels
}

fn requests(rule: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Counted> {
    let cause = column(rule, "cause", notes);
    let status = status(rule, notes);
    let units = [("s", 1), ("ms", 1_000), ("us", 1_000_000), ("ns", 1_000_000_000)];
    let unit = rule.word("unit", &units, notes);
    match (rule.get("counter"), rule.get("histogram")) {
        (Some(_), None) => {
            if let Some(unit) = rule.get("unit") {
                notes.error(unit.place, "'unit' is that of a histogram's bounds; a counter has none");
            }
            Some(Counted::Counter { series: selectors(rule, "counter", notes)?, status: status?, cause })
        }
        (None, Some(node)) => {
            let series = selectors(rule, "histogram", notes)?;
            if let Some(named) = series.iter().filter_map(Selector::metric).find(|name| name.ends_with("_bucket")) {
                let base = named.trim_end_matches("_bucket");
                notes.error(node.place, format!("a histogram is named without _bucket: {base}"));
                return None;
            }
            if series.iter().any(|selector| selector.metric().is_none()) {
                notes.error(node.place, "a histogram is named by one metric, as http_request_duration_seconds");
                return None;
            }
            Some(Counted::Histogram { series, status: status?, cause, in_a_second: unit })
        }
        (Some(_), Some(node)) => {
            let hint = "a histogram counts the requests, too; two rules would count them twice";
            notes.error_hint(node.place, "a rule has a 'counter' or a 'histogram', not both", hint);
            None
        }
        (None, None) => {
            notes.error(rule.place, "missing field 'counter' or 'histogram' in the rule");
            None
        }
    }
}

/// `status` is asked for, because no status is good and none is bad.
fn status(rule: &Fields<'_>, notes: &mut Notes<'_>) -> Option<ColumnFrom> {
    let Some(node) = rule.get("status") else {
        let hint = "name the label, as status: {label: code}, or say one for all, as status: 200";
        notes.error_hint(rule.place, "missing field 'status' in the rule", hint);
        return None;
    };
    let read = column::read(node, "status", notes)?;
    if let ColumnFrom::Constant(text) = &read
        && text.parse::<u16>().ok().is_none_or(|status| status > 999)
    {
        notes.error(node.place, format!("'status' is '{text}', which is no number from 0 to 999"));
        return None;
    }
    Some(read)
}

fn events(rule: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Counted> {
    rule.need("name", notes)?;
    let name = column(rule, "name", notes);
    let given: Vec<&str> = ["good", "bad", "total"].into_iter().filter(|name| rule.get(name).is_some()).collect();
    if given.len() != 2 {
        let found = if given.is_empty() { "none".to_string() } else { given.join(", ") };
        let hint = "the third follows from the other two";
        notes.error_hint(rule.place, format!("expected two of 'good', 'bad' and 'total', got {found}"), hint);
        return None;
    }
    let mut read = |name: &str| match rule.get(name) {
        Some(_) => selectors(rule, name, notes),
        None => Some(Vec::new()),
    };
    let (good, bad, total) = (read("good"), read("bad"), read("total"));
    Some(Counted::Events { name, good: good?, bad: bad?, total: total? })
}

fn gauges(rule: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Counted> {
    rule.need("name", notes)?;
    rule.need("gauge", notes)?;
    Some(Counted::Gauge { name: column(rule, "name", notes), series: selectors(rule, "gauge", notes)? })
}

/// A selector, or a list of them, which are added.
fn selectors(rule: &Fields<'_>, name: &str, notes: &mut Notes<'_>) -> Option<Vec<Selector>> {
    let node = rule.get(name)?;
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut read = Vec::new();
    for item in items {
        match Selector::read(fields::text(item, name, notes)?) {
            Ok(selector) => read.push(selector),
            Err(reason) => {
                notes.error(item.place, format!("'{name}': {reason}"));
                return None;
            }
        }
    }
    if read.is_empty() {
        notes.error(node.place, format!("'{name}' is an empty list"));
        return None;
    }
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        Mapping::read("m.yaml", text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_rule_names_series_and_columns() {
        let text = "
requests:
  - counter: http_requests_total{job=\"shop\"}
    service: shop
    endpoint: {label: handler}
    status: {label: code, values: {ok: 200}}
    newSeries: zero
    labels: [region, cloud.zone]
  - histogram: rpc_milliseconds
    unit: ms
    status: 200
    labels: {tier: gold, zone: {label: cloud.zone, values: {a: A}}}
events:
  - {name: orders, bad: ['a', 'b{c=\"d\"}'], total: e}
gauges:
  - {gauge: up, name: up, endpoint: {label: instance}}
";
        let mapping = Mapping::read("m.yaml", text).unwrap();
        let lines: Vec<usize> = mapping.rules.iter().map(|rule| rule.line).collect();
        assert_eq!(lines, [3, 9, 14, 16]);
        let first = &mapping.rules[0];
        assert_eq!((&first.service, first.new_series), (&ColumnFrom::Constant("shop".into()), NewSeries::Zero));
        let Counted::Counter { status, .. } = &first.what else { panic!() };
        assert_eq!((status.text(|_| "ok"), status.text(|_| "503")), ("200", "503"));
        let texts = |rule: usize| {
            let labels = mapping.rules[rule].labels.iter();
            labels.map(|(name, from)| format!("{name}={}", from.text(|_| "a"))).collect::<Vec<_>>()
        };
        assert_eq!(texts(0), ["region=a", "cloud.zone=a"]);
        assert_eq!(texts(1), ["tier=gold", "zone=A"]);
        assert!(matches!(mapping.rules[1].what, Counted::Histogram { in_a_second: Some(1_000), .. }));
        assert_eq!(
            mapping.selectors().map(|(_, selector)| selector.to_string()).collect::<Vec<_>>(),
            ["http_requests_total{job=\"shop\"}", "rpc_milliseconds", "a", "b{c=\"d\"}", "e", "up"]
        );
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let text = "
requests:
  - counter: x{
    status: 200
  - counter: x
    histogram: y
    status: 1000
  - histogram: y_bucket
    status: {lable: code}
  - endpoint: z
events:
  - {name: a, good: b}
  - {good: b, total: c}
gauge: []
gauges:
  - {gauge: a, name: b, labels: region}
";
        assert_eq!(
            mistakes(text),
            [
                "m.yaml:3:14: 'counter': the brace is not closed (character 2 of `x{`)",
                "m.yaml:6:16: a rule has a 'counter' or a 'histogram', not both; a histogram counts the requests, too; two \
             rules would count them twice",
                "m.yaml:7:13: 'status' is '1000', which is no number from 0 to 999",
                "m.yaml:8:16: a histogram is named without _bucket: y",
                "m.yaml:9:13: missing field 'label' in a column",
                "m.yaml:9:14: unknown field 'lable' in a column; did you mean 'label'?",
                "m.yaml:10:5: missing field 'counter' or 'histogram' in the rule",
                "m.yaml:10:5: missing field 'status' in the rule; name the label, as status: {label: code}, or say one for all, \
             as status: 200",
                "m.yaml:12:5: expected two of 'good', 'bad' and 'total', got good; the third follows from the other two",
                "m.yaml:13:5: missing field 'name' in the rule",
                "m.yaml:14:1: unknown field 'gauge' in the mapping; did you mean 'gauges'?",
                "m.yaml:16:33: expected a list or a mapping for 'labels', got 'region'; write labels: [region], or \
             labels: {zone: {label: cloud.availability_zone}}",
            ]
        );
        assert_eq!(
            mistakes("requests: []\n"),
            [
                "m.yaml:1:1: the mapping names no metric; begin with `requests:`, `events:` or `gauges:` and a list of rules"
            ]
        );
    }
}
