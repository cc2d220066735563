//! Wrong files, and exactly what is said about them.

use nines_slo::{Stored, plan};

use crate::reading::{raw, slo};

/// All that is said about a text.
fn told(text: &str) -> String {
    match plan(&[], &[("a.yaml".into(), text.into())], 0) {
        Err(mistakes) => mistakes.iter().map(|mistake| format!("{mistake}\n")).collect(),
        Ok(_) => "nothing is wrong\n".into(),
    }
}

/// A table: each text, and below it what is said.
pub fn table(texts: &[String]) -> String {
    texts.iter().map(|text| format!("{}\n{}\n", text.lines().next_back().unwrap_or("").trim(), told(text))).collect()
}

#[test]
fn objects() {
    let service = |rest: &str| format!("apiVersion: openslo/v1\nkind: Service\n{rest}");
    insta::assert_snapshot!(table(&[
        "a: [1\n".into(),
        "just text".into(),
        "{}".into(),
        "{apiVersion: openslo/v1alpha, kind: Service, metadata: {}}".into(),
        "{apiVersion: openslo.com/v2alpha, kind: Service, metadata: {}}".into(),
        "{apiVersion: nines/v1, kind: Agreement, metadata: {}}".into(),
        "{apiVersion: openslo/v1, kind: Slo, metadata: {}}".into(),
        "{apiVersion: openslo/v1, kind: Dashboard, metadata: {}}".into(),
        "{apiVersion: openslo/v1, apiVersion: openslo/v1, kind: Service, metadata: {name: a}}".into(),
        service("metadata: {name: ' '}"),
        service("metadata: {nmae: a}"),
        service("metadata: {name: [a]}"),
        service("metadata: {name: a, labels: {business: [a, b]}}"),
        service("metadata: {name: a, labels: [business]}"),
        service("metadata: {name: a, annotations: {nines/effective_from: 2026-10-01}}"),
        service("metadata: {name: a, annotations: {nines/effective-until: 2026-10-01}}"),
        service("metadata: {name: a, annotations: {nines/effective-from: soon}}"),
        service("metadata: {name: a, annotations: {nines/target: 99.9}}"),
        service("metadata: {name: a}\nspec: {markdown: b}"),
        service("metadata: {name: a}\nscep: {}"),
        "- &a {apiVersion: openslo/v1, kind: Service, metadata: &m {name: a}}\n- {apiVersion: openslo/v1, kind: Service, \
         metadata: *m}"
            .into(),
        service(
            "metadata: {name: a, annotations: {nines/effective-from: 0001-01-01}}\n---\napiVersion: openslo/v1\n\
             kind: Service\nmetadata: {name: a}",
        ),
    ]), @r#"
    a: [1
    a.yaml:2:1: not YAML: while parsing a flow sequence, expected ',' or ']'

    just text
    a.yaml:1:1: expected an object with apiVersion and kind, got 'just text'

    {}
    a.yaml:1:1: missing field 'apiVersion' in the object
    a.yaml:1:1: missing field 'kind' in the object

    {apiVersion: openslo/v1alpha, kind: Service, metadata: {}}
    a.yaml:1:14: apiVersion 'openslo/v1alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement

    {apiVersion: openslo.com/v2alpha, kind: Service, metadata: {}}
    a.yaml:1:14: apiVersion 'openslo.com/v2alpha' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement

    {apiVersion: nines/v1, kind: Agreement, metadata: {}}
    a.yaml:1:1: missing field 'spec' in the object
    a.yaml:1:51: missing field 'name' in metadata

    {apiVersion: openslo/v1, kind: Slo, metadata: {}}
    a.yaml:1:32: unknown kind 'Slo'; did you mean 'SLO'?

    {apiVersion: openslo/v1, kind: Dashboard, metadata: {}}
    a.yaml:1:32: unknown kind 'Dashboard'; expected Service, SLI, SLO, Agreement, DataSource, AlertPolicy, AlertCondition or AlertNotificationTarget

    {apiVersion: openslo/v1, apiVersion: openslo/v1, kind: Service, metadata: {name: a}}
    a.yaml:1:26: the key 'apiVersion' stands here again, first in line 1

    metadata: {name: ' '}
    a.yaml:3:18: 'name' is empty

    metadata: {nmae: a}
    a.yaml:3:11: missing field 'name' in metadata
    a.yaml:3:12: unknown field 'nmae' in metadata; did you mean 'name'?

    metadata: {name: [a]}
    a.yaml:3:18: expected text for 'name', got a list

    metadata: {name: a, labels: {business: [a, b]}}
    a.yaml:3:40: expected one value for label 'business', got 2

    metadata: {name: a, labels: [business]}
    a.yaml:3:29: expected a mapping for labels, got a list

    metadata: {name: a, annotations: {nines/effective_from: 2026-10-01}}
    a.yaml:3:35: unknown annotation 'nines/effective_from'; did you mean 'nines/effective-from'?

    metadata: {name: a, annotations: {nines/effective-until: 2026-10-01}}
    a.yaml:3:35: 'nines/effective-until' belongs on SLO or Agreement, not on Service

    metadata: {name: a, annotations: {nines/effective-from: soon}}
    a.yaml:3:57: 'nines/effective-from': 'soon' is no instant: expected a date such as 2026-10-01, with a time 2026-10-01 12:30, or with a zone 2026-10-01T12:30:00+08:00

    metadata: {name: a, annotations: {nines/target: 99.9}}
    a.yaml:3:49: 'nines/target' must be between 0 and 1, got 99.9; write 99.9 % as 0.999 or 99.9%

    spec: {markdown: b}
    a.yaml:4:8: unknown field 'markdown' in spec; expected description

    scep: {}
    a.yaml:4:1: unknown field 'scep' in the object; expected apiVersion, kind, metadata or spec

    - {apiVersion: openslo/v1, kind: Service, metadata: *m}
    a.yaml:2:3: the object cannot be recorded by itself; write out what it borrows from the rest of the file, such as aliases

    metadata: {name: a}
    a.yaml:5:1: Service 'a' stands here again, before in a.yaml:1; versions of one object differ in their annotation nines/effective-from
    "#);
}

#[test]
fn slos() {
    let availability = raw("{type: nines/availability}");
    let objectives = |objectives: &str| slo("a", &availability, objectives);
    let rest = |rest: &str| objectives("[{target: 0.9}]") + "  " + rest;
    insta::assert_snapshot!(table(&[
        objectives("[]"),
        objectives("{target: 0.9}"),
        objectives("[{}]"),
        objectives("[{target: 99.9}]"),
        objectives("[{target: high}]"),
        objectives("[{target: 0.9, targetPercent: 90}]"),
        objectives("[{targetPercent: 100.1}]"),
        objectives("[{target: 0.9, timeSliceTarget: 95}]"),
        objectives("[{target: 0.9, timesliceTarget: 0.9}]"),
        objectives("[{target: 0.9, timeSliceWindow: 7m}]"),
        objectives("[{target: 0.9, timeSliceWindow: 60}]"),
        objectives("[{target: 0.9, op: ge}]"),
        objectives("[{target: 0.9, value: many}]"),
        objectives("[{target: 0.9}, {target: 0.99, displayName: b}]"),
        objectives("[{target: 0.9, displayName: b}, {target: 0.99, displayName: b}]"),
        objectives("[{target: 0.9, indicatorRef: b}]"),
        slo("a", "description: no indicator", "[{target: 0.9}]"),
        slo("a", "indicatorRef: b", "[{target: 0.9}]"),
        slo("a", "{}", "[{target: 0.9}]"),
        slo("a", "description: two", "[{displayName: a, target: 0.9, indicatorRef: b}, {displayName: b, target: 0.9}]"),
        rest("indicatorRef: b"),
        rest("timeWindow: [{duration: 28 days, isRolling: true}]"),
        rest("timeWindow: [{duration: 28d}, {duration: 1M}]"),
        rest("timeWindow: {duration: 28d}"),
        rest("timeWindow: [{duration: 1M, isRolling: no, calendar: {timeZone: Asia/Shanghia, startTime: today}}]"),
        rest("timeWindow: [{duration: 1M, isRolling: true, calendar: {startTime: 2026-01-01 00:00:00}}]"),
        rest("budgetMethod: Occurrences"),
        objectives("[{target: 0.9}]").replace("Timeslices", "TimeSlices"),
        objectives("[{target: 0.9}]").replace("service: login", "service:"),
        objectives("[{target: 0.9}]").replace("{name: a}", "{name: a, annotations: {nines/target: 0.9}}"),
        objectives("[{target: 0.9}]").replace("{name: a}", "{name: a, labels: {vela: latencies}}"),
        objectives("[{target: 0.9}]").replace(
            "{name: a}",
            "{name: a, annotations: {nines/effective-from: 2026-10-02, nines/effective-until: 2026-10-01 12:00}}"
        ),
    ]), @r#"
    objectives: []
    a.yaml:8:15: an SLO has at least one objective

    objectives: {target: 0.9}
    a.yaml:8:15: expected a list for 'objectives', got a mapping

    objectives: [{}]
    a.yaml:8:16: missing field 'target' or 'targetPercent' in the objective

    objectives: [{target: 99.9}]
    a.yaml:8:25: 'target' must be between 0 and 1, got 99.9; write 99.9 % as 0.999, or as targetPercent: 99.9

    objectives: [{target: high}]
    a.yaml:8:25: 'target': expected a number such as 0.999 or 99.9%, got 'high'

    objectives: [{target: 0.9, targetPercent: 90}]
    a.yaml:8:45: an objective has 'target' or 'targetPercent', not both

    objectives: [{targetPercent: 100.1}]
    a.yaml:8:32: 'targetPercent' must be a number from 0 to 100, got 100.1

    objectives: [{target: 0.9, timeSliceTarget: 95}]
    a.yaml:8:47: 'timeSliceTarget' must be between 0 and 1, got 95; write 99.9 % as 0.999 or 99.9%

    objectives: [{target: 0.9, timesliceTarget: 0.9}]
    a.yaml:8:30: unknown field 'timesliceTarget' in the objective; did you mean 'timeSliceTarget'?

    objectives: [{target: 0.9, timeSliceWindow: 7m}]
    a.yaml:8:47: 'timeSliceWindow': slices of 7m do not divide a day into whole slices, as 1m, 5m or 1h do

    objectives: [{target: 0.9, timeSliceWindow: 60}]
    a.yaml:8:47: 'timeSliceWindow': '60' has no unit (one of s, m, h, d)

    objectives: [{target: 0.9, op: ge}]
    a.yaml:8:34: 'op' cannot be 'ge'; did you mean 'gt'?

    objectives: [{target: 0.9, value: many}]
    a.yaml:8:37: 'value': expected a number, got 'many'

    objectives: [{target: 0.9}, {target: 0.99, displayName: b}]
    a.yaml:8:16: missing field 'displayName' in the objective; each of several objectives is named slo/displayName

    objectives: [{target: 0.9, displayName: b}, {target: 0.99, displayName: b}]
    a.yaml:8:47: objective 'b' stands here again, first in line 8

    objectives: [{target: 0.9, indicatorRef: b}]
    a.yaml:8:16: the indicator stands in the SLO's spec or in each objective, not in both

    objectives: [{target: 0.9}]
    a.yaml:5:3: missing field 'indicator' or 'indicatorRef' in the SLO's spec

    objectives: [{target: 0.9}]
    a.yaml:6:17: there is no SLI 'b'

    objectives: [{target: 0.9}]
    a.yaml:7:3: not YAML: simple key expect ':'

    objectives: [{displayName: a, target: 0.9, indicatorRef: b}, {displayName: b, target: 0.9}]
    a.yaml:8:64: missing field 'indicator' or 'indicatorRef' in the objective, which others have

    indicatorRef: b
    a.yaml:9:17: expected 'indicator' or 'indicatorRef', not both

    timeWindow: [{duration: 28 days, isRolling: true}]
    a.yaml:9:27: 'duration': '28 days' is no duration: expected a whole number and one of m, h, d, w, M, Q, Y, as in 28d

    timeWindow: [{duration: 28d}, {duration: 1M}]
    a.yaml:9:33: an SLO has one time window

    timeWindow: {duration: 28d}
    a.yaml:9:15: expected a list for 'timeWindow', got a mapping

    timeWindow: [{duration: 1M, isRolling: no, calendar: {timeZone: Asia/Shanghia, startTime: today}}]
    a.yaml:9:42: 'isRolling' cannot be 'no'; expected true or false
    a.yaml:9:67: unknown time zone 'Asia/Shanghia'; did you mean 'Asia/Shanghai'?
    a.yaml:9:93: 'startTime': 'today' is no instant: expected a date such as 2026-10-01, with a time 2026-10-01 12:30, or with a zone 2026-10-01T12:30:00+08:00

    timeWindow: [{duration: 1M, isRolling: true, calendar: {startTime: 2026-01-01 00:00:00}}]
    a.yaml:9:58: a rolling window has no calendar
    a.yaml:9:58: missing field 'timeZone' in calendar

    budgetMethod: Occurrences
    a.yaml:9:3: unknown field 'budgetMethod' in the SLO's spec; did you mean 'budgetingMethod'?

    objectives: [{target: 0.9}]
    a.yaml:7:20: 'budgetingMethod' cannot be 'TimeSlices'; did you mean 'Timeslices'?

    objectives: [{target: 0.9}]
    a.yaml:5:3: missing field 'service' in the SLO's spec

    objectives: [{target: 0.9}]
    a.yaml:3:49: 'nines/target' belongs on a Service or on an SLO of several objectives with indicators of their own; an objective has its own target

    objectives: [{target: 0.9}]
    a.yaml:3:36: 'vela' cannot be 'latencies'; did you mean 'latency'?

    objectives: [{target: 0.9}]
    a.yaml:3:92: 'nines/effective-until' is not after 'nines/effective-from'
    "#);
}

#[test]
fn indicators() {
    let source = |source: &str| slo("a", &raw(source), "[{target: 0.9, timeSliceTarget: 0.8}]");
    let spec = |spec: &str| slo("a", &format!("indicator: {{spec: {spec}}}"), "[{target: 0.9, op: lt}]");
    let shown = |texts: &[String]| {
        let table = texts.iter().map(|text| format!("{}\n{}\n", text.lines().nth(5).unwrap().trim(), told(text)));
        table.collect::<String>()
    };
    insta::assert_snapshot!(shown(&[
        source("{type: nines/availabilty}"),
        source("{type: nines/availability, spec: {party: gate, cause: {}}}"),
        source("{type: nines/availability, spec: {causes: {a: everybody}, noData: OK}}"),
        source("{type: nines/availability, spec: {endpoint: [], customer: [[a]], business: '[*'}}"),
        source("{type: nines/latency}"),
        source("{type: nines/latency, spec: {quantile: 90, threshold: 275}}"),
        source("{type: nines/latency, spec: {quantile: 0.8, threshold: 275ms, baseline: previous month}}"),
        source("{type: nines/latency, spec: {quantile: 0, baseline: last month, each: customer}}"),
        source("{type: nines/latency, spec: {quantile: 0.9, threshold: 275ms}}"),
        source("{type: nines/events, spec: {}}"),
        source("{type: nines/gauge, spec: {name: a}}"),
        source("{type: nines/sql, spec: {from: incidents, where: ''}}"),
        source("{metricSourceRef: a}"),
        source("{spec: {}}"),
        spec("{}"),
        spec("{ratioMetric: {}, thresholdMetric: {}}"),
        spec("{ratioMetric: {}}"),
        spec("{ratioMetric: {counter: maybe, total: {metricSource: {type: a, spec: {}}}}}"),
        spec("{ratioMetric: {good: {metricSource: {type: a, spec: {}}}}}"),
        spec("{ratioMetric: {raw: {metricSource: {type: nines/availability}}}}"),
        spec("{ratioMetric: {rawType: failure, raw: {metricSource: {type: nines/availability}}}}"),
        spec("{ratioMetric: {good: {metricSource: {type: nines/events}}, total: {metricSource: {type: a, spec: []}}}}"),
        spec("{thresholdMetric: {metricSource: {type: nines/events, spec: {name: a}}}}"),
        spec("{thresholdMetric: {metricSource: {type: nines/gauge, spec: {name: a, statistic: median, hold: 10}}}}"),
        spec("{thresholdMetric: {metricSource: {type: nines/gauge, spec: {name: a}}}}"),
    ]), @r#"
    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/availabilty}}}}}
    a.yaml:6:81: unknown indicator type 'nines/availabilty'; did you mean 'nines/availability'?

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/availability, spec: {party: gate, cause: {}}}}}}}
    a.yaml:6:115: 'party' cannot be 'gate'; expected service or gateway
    a.yaml:6:121: unknown field 'cause' in the indicator's spec; did you mean 'causes'?

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/availability, spec: {causes: {a: everybody}, noData: OK}}}}}}
    a.yaml:6:120: 'a' cannot be 'everybody'; expected service, gateway or nobody
    a.yaml:6:140: 'noData' cannot be 'OK'; did you mean 'ok'?

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/availability, spec: {endpoint: [], customer: [[a]], business: '[*'}}}}}}
    a.yaml:6:118: 'endpoint' is an empty list; leave it out to mean all
    a.yaml:6:133: expected text for 'customer', got a list
    a.yaml:6:149: 'business': bad glob '[*': unclosed character class; missing ']'

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/latency}}}}}
    a.yaml:6:74: missing field 'quantile' in the indicator's spec
    a.yaml:6:74: missing field 'threshold' or 'baseline' in the indicator's spec; such as threshold: 275ms, or baseline: previous month

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/latency, spec: {quantile: 90, threshold: 275}}}}}}
    a.yaml:6:113: 'quantile' must be between 0 and 1, got 90; write 99.9 % as 0.999 or 99.9%
    a.yaml:6:128: 'threshold': '275' has no unit (one of us, µs, ms, s, m)

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/latency, spec: {quantile: 0.8, threshold: 275ms, baseline: previous month}}}}}}
    a.yaml:6:146: a latency has a 'threshold' or a 'baseline', not both

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/latency, spec: {quantile: 0, baseline: last month, each: customer}}}}}}
    a.yaml:6:113: 'quantile' must be above 0
    a.yaml:6:126: 'baseline' cannot be 'last month'; expected previous month
    a.yaml:6:144: 'each' cannot be 'customer'; expected endpoint

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/latency, spec: {quantile: 0.9, threshold: 275ms}}}}}}
    a.yaml:8:47: 'timeSliceTarget' differs from the quantile, which decides a slice of latencies; leave it out

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/events, spec: {}}}}}}
    a.yaml:6:101: missing field 'name' in the indicator's spec

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/gauge, spec: {name: a}}}}}}
    a.yaml:6:81: nines/gauge does not belong into a ratioMetric; put it into a thresholdMetric, with op and value in the objective

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/sql, spec: {from: incidents, where: ''}}}}}}
    a.yaml:6:98: missing field 'good' in the indicator's spec
    a.yaml:6:98: missing field 'total' in the indicator's spec
    a.yaml:6:105: 'from' cannot be 'incidents'; expected requests, events or gauges
    a.yaml:6:123: 'where' is empty

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {metricSourceRef: a}}}}}
    a.yaml:6:74: missing field 'spec' in metricSource

    indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {spec: {}}}}}}
    a.yaml:6:74: missing field 'type' in metricSource

    indicator: {spec: {}}
    a.yaml:6:21: missing field 'ratioMetric' or 'thresholdMetric' in the SLI's spec

    indicator: {spec: {ratioMetric: {}, thresholdMetric: {}}}
    a.yaml:6:35: an SLI has a thresholdMetric or a ratioMetric, not both

    indicator: {spec: {ratioMetric: {}}}
    a.yaml:6:35: missing field 'good' or 'bad' with 'total', or 'raw', in ratioMetric

    indicator: {spec: {ratioMetric: {counter: maybe, total: {metricSource: {type: a, spec: {}}}}}}
    a.yaml:6:35: missing field 'good' or 'bad' in ratioMetric
    a.yaml:6:45: 'counter' cannot be 'maybe'; expected true or false

    indicator: {spec: {ratioMetric: {good: {metricSource: {type: a, spec: {}}}}}}
    a.yaml:6:35: missing field 'total' in ratioMetric

    indicator: {spec: {ratioMetric: {raw: {metricSource: {type: nines/availability}}}}}
    a.yaml:6:35: missing field 'rawType' in ratioMetric

    indicator: {spec: {ratioMetric: {rawType: failure, raw: {metricSource: {type: nines/availability}}}}}
    a.yaml:6:45: 'rawType' must be success: a Nines indicator yields good and total itself

    indicator: {spec: {ratioMetric: {good: {metricSource: {type: nines/events}}, total: {metricSource: {type: a, spec: []}}}}}
    a.yaml:6:64: nines/events yields good and total itself, so it belongs into 'raw'; write ratioMetric: {rawType: success, raw: {metricSource: …}}
    a.yaml:6:118: expected a mapping for the metricSource's spec, got a list

    indicator: {spec: {thresholdMetric: {metricSource: {type: nines/events, spec: {name: a}}}}}
    a.yaml:6:61: nines/events yields good and total itself, so it belongs into 'raw'; write ratioMetric: {rawType: success, raw: {metricSource: …}}

    indicator: {spec: {thresholdMetric: {metricSource: {type: nines/gauge, spec: {name: a, statistic: median, hold: 10}}}}}
    a.yaml:6:101: 'statistic' cannot be 'median'; did you mean 'mean'?
    a.yaml:6:115: 'hold': '10' has no unit (one of s, m, h, d)

    indicator: {spec: {thresholdMetric: {metricSource: {type: nines/gauge, spec: {name: a}}}}}
    a.yaml:8:16: missing field 'value' in the objective, which a nines/gauge is compared by; such as op: lte and value: 0.8
    "#);
}

#[test]
fn every_mistake_of_every_file_is_told_in_one_run() {
    let good = slo("a", "indicatorRef: b", "[{target: 0.9}]");
    let sli = |kind: &str| {
        format!(
            "apiVersion: openslo/v1\nkind: SLI\nmetadata: {{name: b}}\nspec: {{thresholdMetric: {{metricSource: {kind}}}}}"
        )
    };
    let files = [
        ("z.yaml".to_string(), "{apiVersion: foo, kind: Service}".to_string()),
        ("b.yaml".to_string(), slo("a/x", &raw("{type: nines/availability}"), "[{target: 0.9}]")),
        ("a.yaml".to_string(), good.clone()),
        ("c.yaml".to_string(), sli("{type: nines/gauge}")),
        (
            "d.yaml".to_string(),
            slo("c", &raw("{type: nines/availability}"), "[{displayName: a, target: 9}, {displayName: b, target: 9}]"),
        ),
    ];
    let all = |existing: &[Stored], files: &[(String, String)]| match plan(existing, files, 0) {
        Err(mistakes) => mistakes.iter().map(|mistake| format!("{mistake}\n")).collect::<String>(),
        Ok(plan) => format!("{:?}", plan.changes),
    };
    insta::assert_snapshot!(all(&[], &files), @r#"
    c.yaml:4:40: missing field 'name' in the indicator's spec
    d.yaml:8:41: 'target' must be between 0 and 1, got 9; write 99.9 % as 0.999, or as targetPercent: 99.9
    d.yaml:8:70: 'target' must be between 0 and 1, got 9; write 99.9 % as 0.999, or as targetPercent: 99.9
    z.yaml:1:14: apiVersion 'foo' is not read; Nines reads openslo/v1, and nines/v1 for kind Agreement
    "#);

    // A change that what is recorded cannot live with names what is recorded.
    let first = plan(&[], &[("a.yaml".into(), good), ("b.yaml".into(), sli("{type: Prometheus, spec: {}}"))], 0);
    let stored: Vec<Stored> = first.unwrap().changes.into_iter().map(|change| change.stored).collect();
    let gauge = sli("{type: nines/gauge, spec: {name: a}}");
    insta::assert_snapshot!(all(&stored, &[("b.yaml".into(), gauge)]), @"SLO a:8:16: missing field 'op' in the objective, which a nines/gauge is compared by; such as op: lte and value: 0.8");

    let names = [
        ("a.yaml".to_string(), slo("a/x", &raw("{type: nines/availability}"), "[{target: 0.9}]")),
        (
            "b.yaml".to_string(),
            slo(
                "a",
                &raw("{type: nines/availability}"),
                "[{displayName: x, target: 0.9}, {displayName: y, target: 1}]",
            ),
        ),
    ];
    insta::assert_snapshot!(all(&[], &names), @"a.yaml:8:16: the objective's name 'a/x' is that of an objective of SLO a");
}
