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
fn table(texts: &[String]) -> String {
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
fn agreements() {
    // Each clause replaces that of a right agreement, which has it last so that it is the line shown.
    let with = |clause: &str| {
        let right = [
            "service: s",
            "period: {duration: 1M, timeZone: UTC}",
            "slice: 15s",
            "measure: MeanErrorRate",
            "commitment: 99.9%",
            "credits: [{below: 99.9%, percent: 10}]",
        ];
        let name = |line: &str| line.split(':').next().unwrap_or("").to_string();
        let kept = right.iter().filter(|line| name(line) != name(clause)).map(|line| format!("  {line}\n"));
        let kept: String = kept.collect();
        let text = format!("apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a}}\nspec:\n{kept}  {clause}");
        let condition = clause.starts_with("bad:") && clause != "bad: errorRate > 10%";
        if condition { text.replace("MeanErrorRate", "BadSlices") } else { text }
    };
    let clauses = [
        "service:",
        "service: []",
        "services: s",
        "party: customer",
        "causes: {a: everybody}",
        "period: 1M",
        "period: {duration: 5M, timeZone: UTC}",
        "period: {duration: 28d, timezone: UTC}",
        "period: {duration: 1M, timeZone: Asia/Shanghia}",
        "slice:",
        "slice: 7m",
        "measure: MeanErrors",
        "measure: BadSlices",
        "measure: Downtime",
        "bad: errorRate > 10%",
        "minRun: 5m",
        "bad: errors > 10%",
        "bad: errorRate < 90%",
        "bad: errorRate > 100%",
        "bad: errorRate >= 0",
        "bad: errorRate > 110%",
        "minRequests: 0",
        "commitment:",
        "commitment: 99.9",
        "credits:",
        "credits: {below: 99.9%, percent: 10}",
        "credits: [{below: 99%}, {belw: 99%, percent: 10}, {below: 99%, percent: 110}, {below: 0, percent: 1}]",
        "credits: [{below: 99.95%, percent: 10}]",
        "credits: [{below: 99%, percent: 10}, {below: 99.9%, percent: 25}, {below: 95%, percent: 25}]",
        "cap: 0.5",
        "cap: half",
        "minPayout: 1",
        "minPayout: 1 usd",
        "minPayout: 1.001 USD",
        "claimWithin: 2 months",
        "claimWithin: 0d",
        "exclusions: Attack",
        "exclusions: [Attack, {category: Attack, announced: before}, {category: ''}, {announced: after}, {catgory: a}]",
        "excludedTime: remove",
        "valid: some",
        "valid: {except: 403}",
        "valid: {}",
        "fees: vouchers",
        "fees: {exclude: voucher}",
        "lostTelemetry: {}",
        "lostTelemetry: {estimateFrom: 7}",
    ];
    let clauses: Vec<String> = clauses.iter().map(|clause| with(clause)).collect();
    insta::assert_snapshot!(table(&clauses), @r#"
    service:
    a.yaml:5:3: missing field 'service' in the agreement's spec

    service: []
    a.yaml:10:12: 'service' names no service; write "*" for one agreement about each of them

    services: s
    a.yaml:11:3: unknown field 'services' in the agreement's spec; did you mean 'service'?

    party: customer
    a.yaml:11:10: 'party' cannot be 'customer'; expected service or gateway

    causes: {a: everybody}
    a.yaml:11:15: 'a' cannot be 'everybody'; expected service, gateway or nobody

    period: 1M
    a.yaml:10:11: expected a mapping for period, got '1M'

    period: {duration: 5M, timeZone: UTC}
    a.yaml:10:22: 'duration': '5M' is no period of an agreement: expected calendar months that divide a year, as in 1M, 1Q or 1Y

    period: {duration: 28d, timezone: UTC}
    a.yaml:10:11: missing field 'timeZone' in period
    a.yaml:10:22: 'duration': '28d' is no period of an agreement: expected calendar months that divide a year, as in 1M, 1Q or 1Y
    a.yaml:10:27: unknown field 'timezone' in period; did you mean 'timeZone'?

    period: {duration: 1M, timeZone: Asia/Shanghia}
    a.yaml:10:36: unknown time zone 'Asia/Shanghia'; did you mean 'Asia/Shanghai'?

    slice:
    a.yaml:5:3: missing field 'slice' in the agreement's spec

    slice: 7m
    a.yaml:10:10: 'slice': slices of 7m do not divide a day into whole slices, as 1m, 5m or 1h do

    measure: MeanErrors
    a.yaml:10:12: 'measure' cannot be 'MeanErrors'; expected MeanErrorRate, BadSlices, Downtime, Occurrences or Proportional

    measure: BadSlices
    a.yaml:5:3: missing field 'bad' in the agreement's spec, which BadSlices needs; what makes a slice bad, such as bad: errorRate > 10%

    measure: Downtime
    a.yaml:5:3: missing field 'bad' in the agreement's spec, which Downtime needs; what makes a slice bad, such as bad: errorRate > 10%
    a.yaml:5:3: missing field 'minRun' in the agreement's spec, which Downtime needs; how long bad slices must last, such as minRun: 1m

    bad: errorRate > 10%
    a.yaml:11:8: 'bad' means nothing for MeanErrorRate

    minRun: 5m
    a.yaml:11:11: 'minRun' means nothing for MeanErrorRate

    bad: errors > 10%
    a.yaml:11:8: 'bad': 'errors > 10%' is no condition: expected one such as errorRate > 10% or errorRate >= 100%

    bad: errorRate < 90%
    a.yaml:11:8: 'bad': 'errorRate < 90%' is no condition: expected one such as errorRate > 10% or errorRate >= 100%

    bad: errorRate > 100%
    a.yaml:11:8: 'bad': 'errorRate > 100%' makes no slice bad

    bad: errorRate >= 0
    a.yaml:11:8: 'bad': 'errorRate >= 0' makes every slice bad

    bad: errorRate > 110%
    a.yaml:11:8: 'bad': expected a share between 0 and 1, got 110%; write 99.9 % as 0.999

    minRequests: 0
    a.yaml:11:16: 'minRequests': expected a whole number of requests from 1 on, got '0'

    commitment:
    a.yaml:5:3: missing field 'commitment' in the agreement's spec

    commitment: 99.9
    a.yaml:10:15: 'commitment' must be between 0 and 1, got 99.9; write 99.9 % as 0.999 or 99.9%

    credits:
    a.yaml:5:3: missing field 'credits' in the agreement's spec; write credits: [] until they are agreed

    credits: {below: 99.9%, percent: 10}
    a.yaml:10:12: expected a list for 'credits', got a mapping

    credits: [{below: 99%}, {belw: 99%, percent: 10}, {below: 99%, percent: 110}, {below: 0, percent: 1}]
    a.yaml:10:13: missing field 'percent' in the tier
    a.yaml:10:27: missing field 'below' in the tier
    a.yaml:10:28: unknown field 'belw' in the tier; did you mean 'below'?
    a.yaml:10:75: 'percent' must be a number from 0 to 100, got 110
    a.yaml:10:89: 'below' must be above 0: no availability is lower

    credits: [{below: 99.95%, percent: 10}]
    a.yaml:10:13: the tier begins above the commitment: a credit would be due although it is kept

    credits: [{below: 99%, percent: 10}, {below: 99.9%, percent: 25}, {below: 95%, percent: 25}]
    a.yaml:10:40: 'below' is not lower than that of the tier before; tiers go from the highest bound down, as in [{below: 99.9%, percent: 10}, {below: 99%, percent: 25}]
    a.yaml:10:69: 'percent' is not higher than that of the tier before; the lower the availability, the higher the credit

    cap: 0.5
    a.yaml:11:8: 'cap' must be a percent, got '0.5'; such as cap: 50%

    cap: half
    a.yaml:11:8: 'cap' must be a percent, got 'half'; such as cap: 50%

    minPayout: 1
    a.yaml:11:14: 'minPayout': '1' is no amount: expected a number and a currency such as 1.00 USD

    minPayout: 1 usd
    a.yaml:11:14: 'minPayout': unknown currency 'usd': write USD

    minPayout: 1.001 USD
    a.yaml:11:14: 'minPayout': '1.001 USD' cannot be paid: USD has 2 decimal places

    claimWithin: 2 months
    a.yaml:11:16: 'claimWithin': '2 months' is no time to claim: expected days or months after the period, as in 60d or 2M

    claimWithin: 0d
    a.yaml:11:16: 'claimWithin': '0d' is no time to claim: expected days or months after the period, as in 60d or 2M

    exclusions: Attack
    a.yaml:11:15: expected a list for 'exclusions', got 'Attack'

    exclusions: [Attack, {category: Attack, announced: before}, {category: ''}, {announced: after}, {catgory: a}]
    a.yaml:11:24: category 'Attack' stands here again
    a.yaml:11:74: 'category' is empty
    a.yaml:11:79: missing field 'category' in the exclusion
    a.yaml:11:91: 'announced' cannot be 'after'; expected before
    a.yaml:11:99: missing field 'category' in the exclusion
    a.yaml:11:100: unknown field 'catgory' in the exclusion; did you mean 'category'?

    excludedTime: remove
    a.yaml:11:17: 'excludedTime' cannot be 'remove'; did you mean 'removed'?

    valid: some
    a.yaml:11:10: 'valid' cannot be 'some'; expected all, or such as {except: [403, rate_limited]}

    valid: {except: 403}
    a.yaml:11:19: expected a list for 'except', got '403'

    valid: {}
    a.yaml:11:10: missing field 'except' in valid

    fees: vouchers
    a.yaml:11:9: expected a mapping for fees, got 'vouchers'

    fees: {exclude: voucher}
    a.yaml:11:19: 'exclude' cannot be 'voucher'; did you mean 'vouchers'?

    lostTelemetry: {}
    a.yaml:11:18: missing field 'estimateFrom' in lostTelemetry

    lostTelemetry: {estimateFrom: 7}
    a.yaml:11:33: 'estimateFrom': '7' is not a number of days from 1 to 366, as in 7d
    "#);
    insta::assert_snapshot!(table(&[
        with("slice: 15s").replace("nines/v1", "openslo/v1"),
        slo("a", "indicatorRef: b", "[{target: 0.9}]").replace("openslo/v1", "nines/v1"),
        with("slice: 15s").replace("{name: a}", "{name: a, annotations: {nines/target: 0.9}}"),
        with("minRequests: 10").replace("MeanErrorRate", "Occurrences"),
    ]), @r#"
    slice: 15s
    a.yaml:1:13: kind Agreement belongs to apiVersion nines/v1, not to openslo/v1

    objectives: [{target: 0.9}]
    a.yaml:1:13: kind SLO belongs to apiVersion openslo/v1, not to nines/v1

    slice: 15s
    a.yaml:3:35: 'nines/target' belongs on Service or SLO, not on Agreement

    minRequests: 10
    a.yaml:11:16: 'minRequests' means nothing for Occurrences
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
