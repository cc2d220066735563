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
        format!("- &a {{apiVersion: openslo/v1, kind: Service, metadata: &m {{name: a}}}}\n- {{apiVersion: openslo/v1, kind: Service, metadata: *m}}"),
        service("metadata: {name: a}\n---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: a}"),
    ]), @"");
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
    ]), @"");
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
    ]), @"");
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
    insta::assert_snapshot!(all(&[], &files), @"");

    // A change that what is recorded cannot live with names what is recorded.
    let first = plan(&[], &[("a.yaml".into(), good), ("b.yaml".into(), sli("{type: Prometheus, spec: {}}"))], 0);
    let stored: Vec<Stored> = first.unwrap().changes.into_iter().map(|change| change.stored).collect();
    let gauge = sli("{type: nines/gauge, spec: {name: a}}");
    insta::assert_snapshot!(all(&stored, &[("b.yaml".into(), gauge)]), @"");

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
    insta::assert_snapshot!(all(&[], &names), @"");
}
