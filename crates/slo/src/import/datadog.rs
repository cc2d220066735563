//! Datadog: what its SLO API answers, as JSON. Of metric-based SLOs the events are counted, if their queries add up counts.

use std::borrow::Cow;

use super::datadog_query::{Sum, sum};
use super::document::{inner, place_of};
use super::imported::{Counts, Found, Objective};
use super::percent::percent;
use super::ratio::of_parts;
use super::window::Window;
use crate::fields::Fields;
use crate::mistake::Notes;
use crate::place::Place;
use crate::promql::Selector;
use crate::yaml::{Node, Value};

/// The objectives of a document: an answer, or an SLO by itself.
pub(super) fn read(document: &Node, found: &mut Found<'_>) {
    let notes = &mut found.notes;
    let Some(outer) = Fields::open(document, "the document", notes) else { return };
    match outer.get("data") {
        Some(Node { value: Value::List(slos), .. }) => {
            cut(&outer, slos.len(), notes);
            slos.iter().for_each(|slo| one(slo, found));
        }
        Some(slo) => one(slo, found),
        None => match outer.list("errors", notes).and_then(<[Node]>::first) {
            Some(error) => notes.error(error.place, format!("an error of Datadog instead of SLOs: {}", error.what())),
            None => one(document, found),
        },
    }
}

/// Notes that an answer is one page of several.
fn cut(answer: &Fields<'_>, slos: usize, notes: &mut Notes<'_>) {
    let page = answer.get("metadata").and_then(|metadata| inner(metadata, "page"));
    let total = page.and_then(|page| inner(page, "total_filtered_count").or(inner(page, "total_count")));
    let Some((node, text)) = total.and_then(|node| Some((node, node.text()?))) else { return };
    if text.parse::<usize>().is_ok_and(|total| total > slos) {
        let reason = format!("the answer holds {slos} of {text} SLOs");
        notes.warn(
            node.place,
            reason,
            Some("ask for the others by 'limit' and 'offset', and import all files at once"),
        );
    }
}

fn one(node: &Node, found: &mut Found<'_>) {
    let notes = &mut found.notes;
    let Some(slo) = Fields::open(node, "the SLO", notes) else { return };
    let (name, kind) = (slo.need_text("name", notes), slo.need_text("type", notes));
    let (Some(name), Some(kind)) = (name, kind) else { return };
    let description = slo.text("description", notes).unwrap_or_default();
    let thresholds = slo.list("thresholds", notes).unwrap_or_default();
    let reason = match kind {
        "metric" => None,
        "monitor" => Some(
            "the states of a monitor are no count; store them as a gauge that is 1 while all is well, and use nines/gauge"
                .to_string(),
        ),
        "time_slice" => Some(
            "a query that is compared in each time slice is no count; map what it is computed from, and use nines/gauge or \
             nines/latency by Timeslices"
                .to_string(),
        ),
        other => Some(format!("type '{other}' is not read; 'metric' is")),
    };
    if let Some(reason) = reason {
        return found.leave_out(place_of(&slo, "type"), name, reason);
    }
    let events = match events(&slo) {
        Ok(events) => events,
        Err((place, reason)) => return found.leave_out(place, name, reason),
    };
    if thresholds.is_empty() {
        return found.leave_out(slo.place, name, "it has no thresholds");
    }
    if !events.groups.is_empty() {
        let groups = events.groups.join(", ");
        let reason =
            format!("{name}: the series of each {groups} are counted together, as in the SLO's overall figure");
        let hint = "for an objective of each, narrow the selectors and import them one by one";
        found.notes.warn(node.place, reason, Some(hint));
    }
    let service = service(&slo, &events.counts).unwrap_or(name).to_string();
    for (at, threshold) in thresholds.iter().enumerate() {
        let text = |field: &str| inner(threshold, field).and_then(|node| Some((node.place, node.text()?)));
        let timeframe = text("timeframe");
        let of = match timeframe {
            _ if thresholds.len() == 1 => name.to_string(),
            Some((_, timeframe)) => format!("{name}-{timeframe}"),
            None => format!("{name}-{}", at + 1),
        };
        let (Some((place, timeframe)), Some((target_place, target))) = (timeframe, text("target")) else {
            found.leave_out(threshold.place, &of, "a threshold has a timeframe and a target");
            continue;
        };
        match (Window::of_length(timeframe), percent(target)) {
            (Err(reason), _) => found.leave_out(place, &of, format!("its timeframe: {reason}")),
            (_, Err(reason)) => found.leave_out(target_place, &of, reason),
            (Ok(window), Ok(percent)) => found.objectives.push(Objective {
                name: of,
                place: place_of(&slo, "name"),
                service: service.clone(),
                description: description.to_string(),
                percent,
                window: Some(window),
                counts: events.counts.clone(),
            }),
        }
    }
}

/// What an SLO counts.
struct Events {
    counts: Counts,
    /// By which tags it is divided there.
    groups: Vec<String>,
}

/// The events of a metric-based SLO; otherwise why there are none, and where.
fn events(slo: &Fields<'_>) -> Result<Events, (Place, String)> {
    let count = slo.get("sli_specification").and_then(|node| inner(node, "count"));
    match (slo.get("query"), count) {
        (Some(query), _) => {
            let (_, good) = part(query, "numerator", &[])?;
            let (place, total) = part(query, "denominator", &[])?;
            of_total(good, total, place)
        }
        (None, Some(count)) => {
            let queries = queries(count);
            let (_, good) = part(count, "good_events_formula", &queries)?;
            if inner(count, "bad_events_formula").is_none() {
                let (place, total) = part(count, "total_events_formula", &queries)?;
                return of_total(good, total, place);
            }
            let (place, bad) = part(count, "bad_events_formula", &queries)?;
            if !good.terms.minus.is_empty() || !bad.terms.minus.is_empty() {
                return Err((place, "good or bad events are a difference".to_string()));
            }
            let counts = Counts::Events { good: good.terms.plus, bad: bad.terms.plus, total: Vec::new() };
            Ok(Events { counts, groups: good.groups })
        }
        (None, None) => {
            Err((slo.place, "it has neither a 'query' nor an 'sli_specification' of a 'count'".to_string()))
        }
    }
}

fn of_total(good: Sum, total: Sum, place: Place) -> Result<Events, (Place, String)> {
    if !total.terms.minus.is_empty() {
        return Err((place, "all events are a difference".to_string()));
    }
    let counts = of_parts(good.terms, total.terms.plus, true).map_err(|reason| (place, reason))?;
    Ok(Events { counts, groups: total.groups })
}

/// A part of the events: a query, or a formula over queries that have names.
fn part(node: &Node, name: &str, queries: &[(&str, &str)]) -> Result<(Place, Sum), (Place, String)> {
    let part = inner(node, name).ok_or_else(|| (node.place, format!("missing field '{name}'")))?;
    let part = inner(part, "formula").unwrap_or(part);
    let Some(text) = part.text() else {
        return Err((part.place, format!("expected text for '{name}', got {}", part.what())));
    };
    let read = sum(text, queries).map_err(|reason| (part.place, format!("'{name}': {reason}")))?;
    Ok((part.place, read))
}

/// The queries of an `sli_specification`, by name.
fn queries(count: &Node) -> Vec<(&str, &str)> {
    let Some(Node { value: Value::List(queries), .. }) = inner(count, "queries") else { return Vec::new() };
    queries.iter().filter_map(|query| Some((inner(query, "name")?.text()?, inner(query, "query")?.text()?))).collect()
}

/// The service that a tag names, or else the one that all counted series are of.
fn service<'a>(slo: &Fields<'a>, counts: &'a Counts) -> Option<&'a str> {
    if let Some(Node { value: Value::List(tags), .. }) = slo.get("tags") {
        let mut named = tags.iter().filter_map(|tag| tag.text()?.strip_prefix("service:"));
        if let Some(service) = named.find(|service| !service.is_empty()) {
            return Some(service);
        }
    }
    let Counts::Events { good, bad, total } = counts else { return None };
    let mut services = good.iter().chain(bad).chain(total).map(|selector: &Selector| selector.exact("service"));
    let first = services.next()??;
    services.all(|service| service == Some(first)).then_some(first)
}

/// JSON may write a character beyond U+FFFF as two escapes, which YAML does not know. They become the character.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        written.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match pair(rest) {
            Some(c) => {
                written.push(c);
                PAIR
            }
            None => {
                // What is escaped goes along: it may be a backslash itself.
                let taken = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                written.push_str(&rest[..taken]);
                taken
            }
        };
        rest = &rest[taken..];
    }
    written.push_str(rest);
    Cow::Owned(written)
}

/// Bytes of two escapes.
const PAIR: usize = 12;

/// The character that two escapes at the beginning of a text stand for.
fn pair(text: &str) -> Option<char> {
    let unit = |from: usize| -> Option<u16> {
        let digits = text.get(from..from + PAIR / 2)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = char::decode_utf16([unit(0)?, unit(PAIR / 2)?]).next()?;
    first.ok().filter(|c| c.len_utf16() == 2)
}

#[cfg(test)]
mod tests {
    use crate::import::{ImportFormat, Imported, import};
    use crate::mapping::Mapping;

    fn of(text: &str) -> Imported {
        let imported = import(ImportFormat::Datadog, &[("slos.json".to_string(), text.to_string())]);
        if !imported.objectives.is_empty() {
            let reading = crate::read("out.yaml", &imported.definitions);
            assert!(reading.mistakes.is_empty(), "{:?}\n{}", reading.mistakes, imported.definitions);
            assert_eq!(reading.documents.len(), imported.objectives.len());
            Mapping::read("mapping.yaml", &imported.mapping).unwrap();
        }
        imported
    }

    fn left_out(imported: &Imported) -> Vec<String> {
        imported.left_out.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn sums_of_counts_are_counted_for_each_threshold() {
        let imported = of(r#"{"data":[
{"id":"a1","name":"Web: answered","description":null,"tags":["team:web","service:web"],"type":"metric","monitor_ids":[],
 "query":{"numerator":"sum:trace.web.request.hits{env:prod,!error:1}.as_count() + sum:cached{*}.as_count()",
          "denominator":"sum:trace.web.request.hits{env:prod}.as_count()+sum:cached{*}.as_count()"},
 "thresholds":[{"timeframe":"7d","target":99.9,"warning":99.95},{"timeframe":"30d","target":99.5}]},
{"id":"a2","name":"Orders \ud83d\udd25","description":"A \"good\" one","tags":[],"type":"metric",
 "query":{"numerator":"sum:orders{service:shop,status:2*}.as_count() - default_zero(sum:lost{service:shop} by {zone}.as_count())",
          "denominator":"sum:orders{service:shop,status:2*} by {zone}.as_count()"},
 "thresholds":[{"timeframe":"90d","target":95.0}]}
],"errors":[],"metadata":{"page":{"total_count":3,"total_filtered_count":3}}}"#);
        assert_eq!(imported.objectives, ["Web: answered-7d", "Web: answered-30d", "Orders 🔥"]);
        assert_eq!(left_out(&imported), [""; 0]);
        let rule = r#"    service: "web"
    good: ['{__name__="trace.web.request.hits", env="prod", error!="1"}', 'cached']
    total: ['{__name__="trace.web.request.hits", env="prod"}', 'cached']
"#;
        let expected = format!(
            "events:\n  - name: \"Web: answered-7d\"\n{rule}  - name: \"Web: answered-30d\"\n{rule}  - name: \"Orders 🔥\"\n    service: \
             \"shop\"\n    bad: 'lost{{service=\"shop\"}}'\n    total: 'orders{{service=\"shop\", status=~\"2.*\"}}'\n"
        );
        assert_eq!(imported.mapping, expected);
        assert!(imported.definitions.contains("duration: 7d, isRolling: true"));
        assert!(imported.definitions.contains("objectives: [{targetPercent: 99.9}]"));
        let notes: Vec<String> = imported.notes.iter().map(ToString::to_string).collect();
        assert_eq!(
            notes,
            [
                "slos.json:10:74: the answer holds 2 of 3 SLOs; ask for the others by 'limit' and 'offset', and import all \
                 files at once",
                "slos.json:6:1: Orders 🔥: the series of each zone are counted together, as in the SLO's overall figure; for an \
                 objective of each, narrow the selectors and import them one by one",
            ]
        );
    }

    #[test]
    fn formulas_over_queries_are_counted() {
        let slo = |formulas: &str| {
            format!(
                r#"{{"data":{{"name":"hits","type":"metric","thresholds":[{{"timeframe":"7d","target":99}}],"sli_specification":{{"count":
{{{formulas},"queries":[{{"data_source":"metrics","name":"query1","query":"sum:http.hits{{*}}.as_count()"}},
{{"data_source":"metrics","name":"query2","query":"sum:http.errors{{*}}.as_count()"}}]}}}}}}}}"#
            )
        };
        let formula = |name: &str, text: &str| format!(r#""{name}_events_formula":{{"formula":"{text}"}}"#);
        let total = of(&slo(&format!("{},{}", formula("good", "query1 - query2"), formula("total", "query1"))));
        assert_eq!(total.objectives, ["hits"]);
        assert_eq!(left_out(&total), [""; 0]);
        assert!(total.mapping.ends_with(
            "    service: \"hits\"\n    bad: '{__name__=\"http.errors\"}'\n    total: '{__name__=\"http.hits\"}'\n"
        ));
        let bad = of(&slo(&format!("{},{}", formula("good", "query1"), formula("bad", "query2"))));
        assert!(
            bad.mapping.ends_with("    good: '{__name__=\"http.hits\"}'\n    bad: '{__name__=\"http.errors\"}'\n"),
            "{}",
            bad.mapping
        );
        let wrong = of(&slo(&format!("{},{}", formula("good", "query3"), formula("total", "query1 / 2"))));
        assert_eq!(
            left_out(&wrong),
            ["slos.json:2:35: hits: 'good_events_formula': 'query3' is no count of events (character 1 of `query3`)"]
        );
    }

    #[test]
    fn an_slo_or_a_list_of_them_is_read_as_well() {
        let slo = |name: &str, target: &str| {
            format!(
                r#"{{"name":"{name}","type":"metric","query":{{"numerator":"sum:a{{*}}.as_count()","denominator":"sum:b{{*}}.as_count()"}},
"thresholds":[{{"timeframe":"30d","target":{target}}}]}}"#
            )
        };
        assert_eq!(of(&slo("one", "99")).objectives, ["one"]);
        let several = of(&format!("[{},\n{},\n{}]", slo("one", "99"), slo("two", "150"), slo("one", "98")));
        assert_eq!(several.objectives, ["one"]);
        assert_eq!(
            left_out(&several),
            [
                "slos.json:4:43: two: its target is 150, which is not between 0 and 100 %; expected a number such as 99.9",
                "slos.json:5:9: one: an objective of this name is in slos.json:1:10; names tell objectives apart",
            ]
        );
        assert_eq!(
            left_out(&of(r#"{"errors":["Forbidden"]}"#)),
            ["slos.json:1:12: an error of Datadog instead of SLOs: 'Forbidden'"]
        );
        assert_eq!(left_out(&of(r#"{"data":[]}"#)), ["slos.json:1:1: the file defines no SLO"]);
    }

    #[test]
    fn what_is_no_count_is_left_out_with_its_place_and_reason() {
        let imported = of(r#"[
{"name":"a","type":"monitor","monitor_ids":[1],"thresholds":[{"timeframe":"7d","target":99}]},
{"name":"b","type":"time_slice","sli_specification":{"time_slice":{}},"thresholds":[{"timeframe":"7d","target":99}]},
{"name":"c","type":"metric","query":{"numerator":"avg:x{*}.as_count()","denominator":"sum:x{*}.as_count()"},"thresholds":[]},
{"name":"d","type":"metric","query":{"numerator":"sum:x{*}.as_count()","denominator":"sum:x{*}.as_count()"},"thresholds":[]},
{"name":"e","type":"metric","query":{"numerator":"sum:x{*}.as_count()","denominator":"sum:x{*}.as_count()"},
 "thresholds":[{"timeframe":"custom","target":99}]},
{"name":"f","type":"metric","thresholds":[]},
{"name":"g"}
]"#);
        assert!(imported.objectives.is_empty());
        assert_eq!(
            left_out(&imported),
            [
                "slos.json:2:20: a: the states of a monitor are no count; store them as a gauge that is 1 while all is well, and use \
                 nines/gauge",
                "slos.json:3:20: b: a query that is compared in each time slice is no count; map what it is computed from, and use \
                 nines/gauge or nines/latency by Timeslices",
                "slos.json:4:50: c: 'numerator': 'avg' does not count events; 'sum' does (character 1 of `avg:x{*}.as_count()`)",
                "slos.json:5:1: d: it has no thresholds",
                "slos.json:7:29: e: its timeframe: 'custom' is no duration: expected a whole number and one of m, h, d, w, M, Q, \
                 Y, as in 28d",
                "slos.json:8:1: f: it has neither a 'query' nor an 'sli_specification' of a 'count'",
                "slos.json:9:1: missing field 'type' in the SLO",
            ]
        );
    }
}
