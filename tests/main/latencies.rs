//! Latency thresholds that nothing stored is exact at, and histograms that hold counts at their own bounds alone.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::case::Case;
use crate::{fails, nines, query, run};

/// What a command that succeeds notes beside its output.
fn noted(command: &mut Command) -> String {
    let done = command.assert().success();
    String::from_utf8_lossy(&done.get_output().stderr).into_owned()
}

fn slo(name: &str, service: &str, threshold: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: {service}\n  indicator: {{metadata: {{name: \
         i}}, spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {{type: nines/latency, spec: {{quantile: 0.95, threshold: \
         {threshold}}}}}}}}}}}}}\n  timeWindow: [{{duration: 28d, isRolling: true}}]\n  budgetingMethod: Occurrences\n  objectives: \
         [{{target: 0.95}}]\n"
    )
}

fn store(folder: &Path) -> PathBuf {
    let store = folder.join("store");
    // 94 of 100 requests within 300 ms, and a classic histogram.
    let rows = "time,service,status,requests,latency_seconds\n2026-01-05T10:00:00Z,dog,200,94,0.2\n2026-01-05T10:00:00Z,dog,200,6,0.301\n";
    let classic = r#"{"time":"2026-01-05T10:00:00Z","service":"cat","status":200,"requests":1000,"latency_le":[{"le":250000,"count":900},{"le":500000,"count":990}]}"#;
    let slos = [
        slo("dog-300", "dog", "300ms"),
        slo("dog-250", "dog", "250ms"),
        slo("cat-250", "cat", "250ms"),
        slo("cat-300", "cat", "300ms"),
        slo("cat-2s", "cat", "2s"),
    ];
    for (name, text) in [("dog.csv", rows), ("cat.jsonl", classic), ("slos.yaml", &slos.join("---\n"))] {
        fs::write(folder.join(name), text).unwrap();
    }
    for name in ["dog.csv", "cat.jsonl"] {
        run(nines().arg("--store").arg(&store).args(["ingest", "requests"]).arg(folder.join(name)));
    }
    run(nines().arg("--store").arg(&store).arg("apply").arg(folder.join("slos.yaml")));
    store
}

#[test]
fn a_threshold_between_bounds_is_counted_to_the_one_below_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let figures =
        "SELECT objective, slo, met, approximate, approximation FROM report('2026-01-05', '2026-01-06') ORDER BY 1";
    let between = "≈ 300 ms: counted to 297.3 ms, sure from 303.8 ms";
    let expected = [
        "cat-250,0.9,false,false,".to_string(),
        "cat-2s,0.99,true,true,\"≈ 2 s: counted to 500 ms, no stored bound above it\"".to_string(),
        "cat-300,0.9,false,true,\"≈ 300 ms: counted to 250 ms, sure from 500 ms\"".to_string(),
        // None took between 247 and 253 ms.
        "dog-250,0.94,false,false,".to_string(),
        format!("dog-300,0.94,false,true,\"{between}\""),
    ];
    assert_eq!(query(&store, figures), expected);
    // From kept days, too.
    assert_eq!(query(&store, figures), expected);
    let mut shell = nines();
    shell.arg("--store").arg(&store).arg("shell").write_stdin("\\slo dog-300\n");
    let glance = run(&mut shell);
    assert!(glance.contains("≈ 94 %") && glance.contains(between), "{glance}");
    let slos = run(nines().arg("--store").arg(&store).arg("slos"));
    assert!(slos.contains(between), "{slos}");
    let mut page = nines();
    page.arg("--store").arg(&store).args(["run", "feature", "--param", "service=dog", "--param", "period=2026-01-05"]);
    let page = run(page.args(["--format", "md", "-o", "-"]));
    assert!(page.contains(between), "{page}");
}

/// Once a threshold is agreed on, requests within it are counted exactly in whatever is ingested; what was stored before stays
/// as it was, and applying says so.
#[test]
fn an_agreed_threshold_is_counted_exactly_from_then_on() {
    let case = Case::new();
    let taken: Vec<f64> = (290..330).map(|millis| f64::from(millis) / 1e3).collect();
    let within = taken.iter().filter(|&&taken| taken <= 0.3).count();
    let csv = |service: &str| {
        let rows = taken.iter().map(|taken| format!("2026-01-05T10:00:00Z,{service},200,{taken}\n"));
        format!("time,service,status,latency_seconds\n{}", rows.collect::<String>())
    };
    run(&mut case.ingest("requests", ("old.csv", csv("old")), &[]));
    let services = ["csv", "json", "log", "old", "parquet", "select"];
    let slos: Vec<String> = services.iter().map(|service| slo(&format!("{service}-300"), service, "300ms")).collect();
    case.file("slos.yaml", slos.join("---\n"));
    let said = noted(&mut case.nines(&["apply", "slos.yaml"]));
    assert!(
        said.contains(
            "requests of \"csv\" within 300 ms, of \"json\" within 300 ms, of \"log\" within 300 ms, of \"old\" within 300 ms, of \
             \"parquet\" within 300 ms, of \"select\" within 300 ms are counted exactly from when this is recorded, where they are \
             ingested one by one. Rows that are stored already (until 2026-01-05 10:01Z) keep what they hold"
        ),
        "{said}"
    );
    let again = noted(&mut case.nines(&["apply", "slos.yaml"]));
    assert!(!again.contains("counted exactly"), "{again}");

    run(&mut case.ingest("requests", ("a.csv", csv("csv")), &[]));
    let json = taken.iter().map(|taken| {
        format!("{{\"time\": \"2026-01-05T10:00:00Z\", \"service\": \"json\", \"status\": 200, \"latency_seconds\": {taken}}}\n")
    });
    run(&mut case.ingest("requests", ("a.jsonl", json.collect::<String>()), &[]));
    let log = taken
        .iter()
        .map(|taken| format!("h - - [05/Jan/2026:10:00:00 +0000] \"GET /x HTTP/1.1\" 200 5 \"-\" \"-\" {taken:.3}\n"));
    run(&mut case.ingest("requests", ("a.log", log.collect::<String>()), &["--service", "log"]));
    case.file("parquet.csv", csv("parquet"));
    run(&mut case.nines(&["sql", "-o", "a.parquet", "SELECT * FROM 'parquet.csv'"]));
    run(&mut case.nines(&["ingest", "requests", "a.parquet"]));
    let select = "SELECT time, 'select' AS service, status, latency_seconds FROM input";
    run(&mut case.ingest("requests", ("b.csv", csv("x")), &["--select", select]));

    let figures = "SELECT objective, round(slo * 40), approximate FROM report('2026-01-05', '2026-01-06') ORDER BY 1";
    // All of a bucket whose bound is above the threshold count as slow.
    let below = taken.iter().filter(|&&taken| taken <= 0.2973).count();
    let expected = services.map(|service| match service {
        "old" => format!("old-300,{below}.0,true"),
        service => format!("{service}-300,{within}.0,false"),
    });
    assert_eq!(case.rows(figures), expected);

    // What is ingested again is counted exactly, too.
    run(&mut case.ingest("requests", ("old.csv", csv("old")), &["--replace"]));
    let exact = services.map(|service| format!("{service}-300,{within}.0,false"));
    assert_eq!(case.rows(figures), exact);
    // A limit that is changed is new; the one before is counted, too, for the time in which it was in force.
    case.file("slos.yaml", slos.join("---\n").replacen("300ms", "310ms", 1));
    let said = noted(&mut case.nines(&["apply", "slos.yaml"]));
    assert!(said.contains("requests of \"csv\" within 310 ms are counted exactly"), "{said}");
    run(&mut case.ingest("requests", ("b.csv", csv("csv")), &["--source", "b"]));
    let stored = "SELECT one['le'], one['count'] FROM (SELECT unnest(latency_le) AS one FROM requests WHERE source LIKE 'b/%') ORDER BY 1";
    // What is proposed at a limit that nothing stored is exact at says so.
    case.file("proposed.yaml", slos[0].replace("300ms", "302ms"));
    let compared =
        run(&mut case.nines(&["apply", "proposed.yaml", "--dry-run", "--compare", "2026-01-05", "2026-01-06"]));
    assert!(
        compared.contains("approximation_proposed") && compared.contains("≈ 302 ms: counted to 297.3 ms"),
        "{compared}"
    );
    let longer = taken.iter().filter(|&&taken| taken <= 0.31).count();
    assert_eq!(case.rows(stored), [format!("300000,{within}"), format!("310000,{longer}")]);
}

/// Exact counts of some requests of a slice are no counts of all: latencies beside them leave the histogram alone.
#[test]
fn counts_of_some_are_not_taken_for_those_of_all() {
    let case = Case::new();
    case.file("slos.yaml", slo("web-300", "web", "300ms"));
    run(&mut case.nines(&["apply", "slos.yaml"]));
    let row =
        |more: &str| format!("{{\"time\": \"2026-01-05T10:00:00Z\", \"service\": \"web\", \"status\": 200, {more}}}\n");
    let one = row("\"latency_seconds\": 0.301");
    let histogram = row("\"requests\": 1, \"latency\": {\"zero\": 0, \"buckets\": [{\"bucket\": -56, \"count\": 1}]}");
    run(&mut case.ingest("requests", ("a.jsonl", format!("{one}{histogram}")), &["--aggregates"]));
    assert_eq!(case.rows("SELECT requests, latency_le IS NULL FROM requests"), ["2,true"]);
    // Where both hold exact counts at a limit, so does the sum.
    let both = row(
        "\"requests\": 2, \"latency\": {\"zero\": 1, \"buckets\": [{\"bucket\": -56, \"count\": 1}]}, \"latency_le\": [{\"le\": 250, \"count\": \
         1}, {\"le\": 300000, \"count\": 2}]",
    );
    run(&mut case.ingest("requests", ("a.jsonl", format!("{one}{both}{one}")), &["--aggregates"]));
    let stored =
        "SELECT requests, one['le'], one['count'] FROM (SELECT requests, unnest(latency_le) AS one FROM requests)";
    assert_eq!(case.rows(stored), ["4,300000,2"]);
    // Counts alone cannot be added to latencies.
    let alone = row("\"requests\": 1, \"latency_le\": [{\"le\": 300000, \"count\": 1}]");
    for text in [format!("{alone}{one}"), format!("{one}{alone}"), format!("{histogram}{alone}")] {
        let said = fails(1, &mut case.ingest("requests", ("b.jsonl", text), &["--aggregates"]));
        assert!(said.contains("b.jsonl:2: latency_le stands alone here"), "{said}");
    }
}
