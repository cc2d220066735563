//! Samples of metrics from files, and definitions of other programs that ask for them.

use std::fmt::Write;
use std::path::Path;

use crate::{nines, run, shared};

const MAPPING: &str =
    "requests: [{counter: http_requests_total, service: shop, endpoint: {label: path}, status: {label: code}}]\n";

/// The lines of a command's output, blanks between words cut to one.
fn lines(store: &Path, arguments: &[&str]) -> Vec<String> {
    let mut command = nines();
    command.arg("--store").arg(store).args(arguments);
    run(&mut command).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

fn csv(store: &Path, query: &str) -> Vec<String> {
    lines(store, &["sql", query, "--format", "csv"])
}

fn refusal(store: &Path, arguments: &[&str]) -> String {
    let done = nines().arg("--store").arg(store).args(arguments).assert().failure();
    String::from_utf8_lossy(&done.get_output().stderr).into_owned()
}

/// A counter of two statuses, scraped every 30 s from a minute of 2026-10-14 12:00 on.
fn samples(minutes: std::ops::Range<i64>) -> String {
    let mut text = String::new();
    for scrape in minutes.start * 2..minutes.end * 2 {
        let time = 1_791_979_200_000 + scrape * 30_000;
        writeln!(text, "{{__name__=\"http_requests_total\", code=\"200\", path=\"/a\"}} {} {time}", 100 + 7 * scrape)
            .unwrap();
        writeln!(text, "{{__name__=\"http_requests_total\", code=\"500\", path=\"/a\"}} {} {time}", scrape / 4)
            .unwrap();
    }
    text
}

#[test]
fn files_go_on_where_the_last_one_ended_and_count_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let put = |name: &str, text: &str| {
        std::fs::write(path(name), text).unwrap();
        path(name).display().to_string()
    };
    let mapping = put("mapping.yaml", MAPPING);
    let (first, second, all) =
        (put("1.txt", &samples(0..5)), put("2.txt", &samples(4..10)), put("all.txt", &samples(0..10)));
    let store = path("store");
    let ingest = |store: &Path, files: &[&str]| {
        let arguments = [&["ingest", "prometheus", "--mapping", &mapping], files].concat();
        lines(store, &arguments)
    };
    let said = ingest(&store, &[&first]);
    assert_eq!(said[0], "read 20 samples, of which 20 of 2 series meet the mapping");
    assert!(
        said.contains(
            &"first of 2 series nothing is known before their first sample, which counts nothing".to_string()
        )
    );
    let said = ingest(&store, &[&second]);
    assert!(said.contains(&"continued 2 series after their last stored sample".to_string()), "{said:?}");
    assert!(!said.iter().any(|line| line.starts_with("first")), "{said:?}");
    let sums =
        "SELECT time, status, sum(requests) AS requests FROM requests WHERE requests > 0 GROUP BY 1, 2 ORDER BY 1, 2";
    let (apart, whole) = (csv(&store, sums), path("whole"));
    ingest(&whole, &[&all]);
    assert_eq!(apart, csv(&whole, sums));
    assert_eq!(apart[1..3], ["2026-10-14T12:00:00Z,200,7", "2026-10-14T12:01:00Z,200,14"]);
    for file in [&first, &second, &all] {
        let said = ingest(&store, &[file]);
        assert!(
            said.contains(
                &"requests nothing new: no sample is later than the last one that is stored of its series".to_string()
            ),
            "{said:?}"
        );
    }
    assert_eq!(csv(&store, sums), apart);
    // Two files at once, the same series in both.
    let both = path("both");
    ingest(&both, &[&all, &first]);
    assert_eq!(csv(&both, sums), apart);
}

#[test]
fn of_writers_who_load_the_same_at_once_each_sample_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("m.yaml"), MAPPING).unwrap();
    std::fs::write(path("1.txt"), samples(0..30)).unwrap();
    std::fs::write(path("2.txt"), samples(20..60)).unwrap();
    let store = folder.path().join("store");
    for file in ["1.txt", "2.txt"] {
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| lines(&store, &["ingest", "prometheus", &path(file), "--mapping", &path("m.yaml")]));
            }
        });
    }
    let sums = "SELECT status, sum(requests) FROM requests GROUP BY 1 ORDER BY 1";
    assert_eq!(csv(&store, sums)[1..], ["200,833", "500,29"]);
}

#[test]
fn what_is_wrong_with_a_mapping_or_a_file_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("bad.yaml"), "requests:\n  - counter: x{\n    status: 200\n").unwrap();
    std::fs::write(path("good.yaml"), MAPPING).unwrap();
    std::fs::write(path("a.txt"), "http_requests_total 1 1791979200000\nhttp_requests_total one 1791979230000\n")
        .unwrap();
    let store = folder.path().join("store");
    let said = refusal(&store, &["ingest", "prometheus", &path("a.txt"), "--mapping", &path("bad.yaml")]);
    assert!(said.contains("bad.yaml:2:14: 'counter': the brace is not closed"), "{said}");
    let said = refusal(&store, &["ingest", "prometheus", &path("a.txt"), "--mapping", &path("good.yaml")]);
    assert!(said.contains("a.txt:2:21: the value is \"one\"; expected a number"), "{said}");
    let said = refusal(&store, &["ingest", "prometheus", "--mapping", &path("good.yaml"), "--url", "localhost:9090"]);
    assert!(said.contains("is no address of a server"), "{said}");
    let url = "http://localhost:9";
    let said = refusal(&store, &["ingest", "prometheus", "--mapping", &path("good.yaml"), "--url", url]);
    assert!(said.contains("nothing was pulled as source 'prometheus' yet: say from when"), "{said}");
}

#[test]
fn a_selector_that_no_series_meets_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("m.yaml"), format!("{MAPPING}gauges: [{{gauge: 'up{{job=\"a\"}}', name: up}}]\n")).unwrap();
    std::fs::write(path("a.txt"), samples(0..2)).unwrap();
    let said =
        lines(&folder.path().join("store"), &["ingest", "prometheus", &path("a.txt"), "--mapping", &path("m.yaml")]);
    assert!(said.iter().any(|line| line.ends_with("m.yaml:2: no series meets up{job=\"a\"}")), "{said:?}");
}

#[test]
fn what_sloth_and_pyrra_define_is_counted_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let sloth = "version: prometheus/v1
service: shop
slos:
  - name: availability
    objective: 99
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~\"5..\"}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
";
    let pyrra = "apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: errors}
spec:
  target: '99'
  window: 4w
  indicator: {ratio: {errors: {metric: 'http_requests_total{code=\"500\"}'}, total: {metric: http_requests_total}}}
";
    std::fs::write(path("a.txt"), samples(0..10)).unwrap();
    // Of 20 scrapes each but the first counts 7 good ones, and every fourth a bad one.
    let figure = 133.0 / 137.0;
    for (format, definition) in [("sloth", sloth), ("pyrra", pyrra)] {
        std::fs::write(path("in.yaml"), definition).unwrap();
        let (out, store) = (path(format), folder.path().join(format!("store-{format}")));
        let said = lines(&store, &["import", format, &path("in.yaml"), "-o", &out]);
        assert_eq!(said[0], "imported 1 objective");
        lines(&store, &["ingest", "prometheus", &path("a.txt"), "--mapping", &format!("{out}/mapping.yaml")]);
        lines(&store, &["apply", &format!("{out}/objectives.yaml")]);
        let report = csv(&store, "SELECT slo FROM report('2026-10-14', '2026-10-15', 'objective')");
        let slo: f64 = report[1].parse().unwrap();
        assert!((slo - figure).abs() < 1e-12, "{format}: {slo} {figure}");
    }
}

/// A line of OTLP: a cumulative sum that a process of this zone began at 12:00, a minute later.
fn point(zone: &str, minute: i64, value: i64) -> String {
    let at = |minute: i64| 1_791_979_200_000_000_000 + minute * 60_000_000_000;
    format!(
        "{{\"resourceMetrics\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"service.name\",\"value\":{{\"stringValue\":\"shop\"}}}},\
         {{\"key\":\"zone\",\"value\":{{\"stringValue\":\"{zone}\"}}}}]}},\"scopeMetrics\":[{{\"metrics\":[{{\"name\":\"http.requests\",\
         \"sum\":{{\"isMonotonic\":true,\"aggregationTemporality\":2,\"dataPoints\":[{{\"startTimeUnixNano\":\"{}\",\
         \"timeUnixNano\":\"{}\",\"asInt\":\"{value}\"}}]}}}}]}}]}}]}}\n",
        at(0),
        at(minute)
    )
}

#[test]
fn files_of_a_collector_go_on_where_they_ended_and_fill_labels() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mapping = "requests: [{counter: http.requests, status: 200, labels: [zone]}]\n";
    std::fs::write(path("m.yaml"), mapping).unwrap();
    let store = folder.path().join("store");
    let ingest = || lines(&store, &["ingest", "otlp", &path("a.json"), "--mapping", &path("m.yaml")]);
    let mut file = point("a", 1, 5) + &point("b", 1, 70);
    // The collector is still writing.
    std::fs::write(path("a.json"), format!("{file}{}", &point("a", 2, 6)[..200])).unwrap();
    let said = ingest();
    assert_eq!(said[..2], ["read 2 samples, of which 2 of 2 series meet the mapping", "format OTLP as JSON"]);
    let cut =
        format!("left out {}: the message at line 3 is not complete; ingest the file again when it is", path("a.json"));
    assert!(said.contains(&cut), "{said:?}");
    file += &(point("a", 2, 6) + &point("b", 2, 70));
    std::fs::write(path("a.json"), &file).unwrap();
    assert!(ingest().contains(&"continued 2 series after their last stored sample".to_string()));
    let nothing = "requests nothing new: no sample is later than the last one that is stored of its series";
    assert!(ingest().contains(&nothing.to_string()));
    let query = "SELECT time, service, labels['zone'], sum(requests) FROM requests GROUP BY 1, 2, 3 ORDER BY 1, 3";
    assert_eq!(
        csv(&store, query)[1..],
        [
            "2026-10-14T12:00:00Z,shop,a,5",
            "2026-10-14T12:00:00Z,shop,b,70",
            "2026-10-14T12:01:00Z,shop,a,1",
            "2026-10-14T12:01:00Z,shop,b,0",
        ]
    );
    let said = refusal(&store, &["ingest", "requests", &path("a.json")]);
    assert!(said.contains("These are metrics of OpenTelemetry: nines ingest otlp FILE --mapping MAPPING"), "{said}");
    // What is wrong is told with its place; nothing is stored of such a file.
    std::fs::write(path("a.json"), file + &point("a", 3, 8).replace("\"8\"", "\"x\"")).unwrap();
    let said = refusal(&store, &["ingest", "otlp", &path("a.json"), "--mapping", &path("m.yaml")]);
    assert!(said.contains("a.json:5:356: invalid value: string \"x\", expected a whole number"), "{said}");
    std::fs::write(path("a.json"), "\0\0\0\u{3}\u{a}\u{2}\u{b}").unwrap();
    let said = refusal(&store, &["ingest", "otlp", &path("a.json"), "--mapping", &path("m.yaml")]);
    assert!(said.contains("a.json: at byte 6: 2 bytes should follow, and 1 are left of the message"), "{said}");
}

/// Rows of CSV, JSON and Parquet, with labels in columns or in one object, are the samples that the text format says; of two files the
/// second goes on where the first one ended.
#[test]
fn rows_of_any_table_are_samples() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let put = |name: &str, text: String| std::fs::write(path(name), text).unwrap();
    put("mapping.yaml", MAPPING.to_string());
    put("all.txt", samples(0..10));
    let whole = folder.path().join("whole");
    lines(&whole, &["ingest", "prometheus", &path("all.txt"), "--mapping", &path("mapping.yaml")]);
    let sums = "SELECT time, endpoint, status, sum(requests) AS requests FROM requests WHERE requests > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
    let expected = csv(&whole, sums);
    assert_eq!(expected.len(), 15);

    let rows = |scrapes: std::ops::Range<i64>, row: &dyn Fn(i64, &str, i64) -> String| {
        let each = scrapes.flat_map(|scrape| [(scrape, "200", 100 + 7 * scrape), (scrape, "500", scrape / 4)]);
        each.map(|(scrape, code, value)| row(1_791_979_200 + scrape * 30, code, value)).collect::<String>()
    };
    let csv_rows = |time: i64, code: &str, value: i64| format!("http_requests_total,{time},{value},{code},/a\n");
    let json_rows = |time: i64, code: &str, value: i64| {
        format!(
            "{{\"metric\": \"http_requests_total\", \"time\": {time}, \"value\": {value}, \"labels\": {{\"code\": \"{code}\", \"path\": \
             \"/a\"}}}}\n"
        )
    };
    for (name, first, second) in [
        (
            "csv",
            format!("metric,time,value,code,path\n{}", rows(0..9, &csv_rows)),
            format!("metric,time,value,code,path\n{}", rows(7..20, &csv_rows)),
        ),
        ("jsonl", rows(0..9, &json_rows), rows(7..20, &json_rows)),
    ] {
        let store = folder.path().join(name);
        for (part, text) in [("1", first), ("2", second)] {
            put(&format!("{part}.{name}"), text);
            let file = path(&format!("{part}.{name}"));
            let parquet = path(&format!("{part}.{name}.parquet"));
            lines(&store, &["sql", "-o", &parquet, &format!("SELECT * FROM '{file}'")]);
            lines(&store, &["ingest", "samples", &file, "--mapping", &path("mapping.yaml")]);
            // What is known already counts nothing, whatever holds it.
            let said = lines(&store, &["ingest", "samples", &parquet, "--mapping", &path("mapping.yaml")]);
            assert!(said.iter().any(|line| line.starts_with("requests nothing new")), "{said:?}");
        }
        assert_eq!(csv(&store, sums), expected, "{name}");
    }
}

/// What is wrong in rows of samples is told with file, line and column, and nothing is stored.
#[test]
fn rows_that_are_no_samples_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("mapping.yaml"), MAPPING).unwrap();
    let store = folder.path().join("store");
    for (text, said) in [
        (
            "metric,time,value\na,2026-10-14T12:00:00Z,1\na,2026-10-14T12:00:30Z,many\n",
            "bad.csv:3: value is \"many\"; expected a number",
        ),
        (
            "metric,time,value\na,2026-10-14T12:00:00Z,1\n,2026-10-14T12:00:30Z,1\n",
            "bad.csv:3: metric is NULL; expected the name of a metric",
        ),
        ("metric,time,value\na,soon,1\n", "bad.csv:2: time is \"soon\""),
        (
            "name,time,value\na,2026-10-14T12:00:00Z,1\n",
            "there is no column metric; expected the columns metric, time and value",
        ),
        (
            "metric,time,value,code\nhttp_requests_total,2026-10-14T12:00:00Z,1,200\nhttp_requests_total,2026-10-14T12:00:30Z,1.5,200\n",
            "rises by 0.5, which is no whole number",
        ),
    ] {
        std::fs::write(path("bad.csv"), text).unwrap();
        let refused = refusal(&store, &["ingest", "samples", &path("bad.csv"), "--mapping", &path("mapping.yaml")]);
        assert!(refused.contains(said), "{refused}");
    }
    let refused = refusal(
        &store,
        &["ingest", "samples", &path("bad.csv"), "--mapping", &path("mapping.yaml"), "--select", "SELECT 1; SELECT 2"],
    );
    assert!(refused.contains("--select takes one query, got 2"), "{refused}");
}

/// Counters of a status page that was saved every 5 seconds (public data): what they grew by is known, and processes that answer in
/// turn are not taken for resets.
#[test]
fn snapshots_of_a_status_page_become_what_its_counters_grew_by() {
    let Some(log) = shared("elastic-nginxplus/nginxplus_json_logs") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let mapping = "requests:\n\
                   - {counter: responses, service: {label: zone}, status: {label: code}}\n\
                   - {counter: handshakes, service: tls, status: 200}\n";
    std::fs::write(path("mapping.yaml"), mapping).unwrap();
    let zones = ["hg", "trac", "lxr"].map(|zone| {
        let classes = (1..6).map(|class| format!("named_struct('code', '{class}xx', 'value', r['{class}xx'])"));
        let classes = classes.collect::<Vec<_>>().join(", ");
        format!(
            "SELECT 'responses' AS metric, time, '{zone}' AS zone, NULL AS pid, one['code'] AS code, one['value'] AS value FROM (SELECT \
             to_timestamp_millis(\"timestamp\") AS time, unnest([{classes}]) AS one FROM (SELECT \"timestamp\", \
             server_zones['{zone}.nginx.org']['responses'] AS r FROM input))"
        )
    });
    let select = |pid: &str| {
        let handshakes = format!(
            "SELECT 'handshakes', to_timestamp_millis(\"timestamp\"), NULL, {pid}, NULL, ssl['handshakes'] FROM input"
        );
        format!("{} UNION ALL {handshakes}", zones.join(" UNION ALL "))
    };
    let ingest = |store: &Path, pid: &str| {
        let file = log.display().to_string();
        let arguments = [
            "ingest",
            "samples",
            &file,
            "--format",
            "jsonl",
            "--mapping",
            &path("mapping.yaml"),
            "--select",
            &select(pid),
        ];
        lines(store, &arguments)
    };
    let (apart, mixed) = (folder.path().join("apart"), folder.path().join("mixed"));
    let said = ingest(&apart, "pid");
    assert!(said.contains(&"resets 0, after which a counter counts from 0".to_string()), "{said:?}");
    let grew = "SELECT service, sum(requests), sum(CASE WHEN status >= 500 THEN requests ELSE 0 END) FROM requests GROUP BY 1 ORDER BY 1";
    assert_eq!(csv(&apart, grew)[1..], ["hg,298,3", "lxr,90,0", "tls,254,0", "trac,752,0"]);
    let said = ingest(&mixed, "NULL");
    assert!(said.contains(&"resets 51, after which a counter counts from 0".to_string()), "{said:?}");
    assert!(
        said.iter().any(|line| line.starts_with("warning 1 series falls again and again and is back at once")),
        "{said:?}"
    );
}

/// Of several values at one instant the greatest counts, in whatever order they come; labels that are not there, and samples that are
/// known already, are told.
#[test]
fn what_is_unclear_of_samples_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(
        path("mapping.yaml"),
        "requests:\n- {counter: served, service: {label: app}, status: {label: cod}, labels: [zone]}\n",
    )
    .unwrap();
    let at = |seconds: u32| format!("2026-10-14T12:00:{seconds:02}Z");
    let row = |seconds: u32, value: u64| format!("served,{},{value},shop\n", at(seconds));
    let rows = [row(0, 100), row(10, 110), row(20, 4), row(20, 115), row(30, 120)];
    let ingest = |store: &Path, rows: &[String]| {
        std::fs::write(path("rows.csv"), format!("metric,time,value,app\n{}", rows.concat())).unwrap();
        lines(store, &["ingest", "samples", &path("rows.csv"), "--mapping", &path("mapping.yaml")])
    };
    let sum = "SELECT sum(requests) FROM requests";
    let mut backwards = rows.clone();
    backwards.reverse();
    for (name, rows) in [("forwards", &rows), ("backwards", &backwards)] {
        let store = folder.path().join(name);
        let said = ingest(&store, rows);
        assert_eq!(csv(&store, sum)[1], "20", "{name}");
        for told in [
            "warning at 1 instant a series has several values; the greatest counts",
            "warning MAPPING:2: of 1 series 1 has no label \"cod\", which fills status: it is 0",
            "warning MAPPING:2: of 1 series 1 has no label \"zone\", which fills the label zone: it is empty",
        ] {
            let told = told.replace("MAPPING", &path("mapping.yaml"));
            assert!(said.iter().any(|line| line.starts_with(&told)), "{told}: {said:?}");
        }
    }
    let store = folder.path().join("forwards");
    let said = ingest(&store, &[row(5, 105), row(30, 121), row(40, 125)]);
    assert_eq!(csv(&store, sum)[1], "25");
    assert!(
        said.iter().any(|line| line.starts_with("known 1 sample is not later than the last one that is stored of its")),
        "{said:?}"
    );
    let told = "warning 1 sample has another value than the one that is stored of the same series and instant";
    assert!(said.iter().any(|line| line.starts_with(told)), "{said:?}");
    // Above 2^53 not every whole number is one of those that are counted with.
    let refused = {
        std::fs::write(path("rows.csv"), format!("metric,time,value,app\nserved,{},9007199254740993,shop\n", at(50)))
            .unwrap();
        refusal(&store, &["ingest", "samples", &path("rows.csv"), "--mapping", &path("mapping.yaml")])
    };
    assert!(refused.contains("rows.csv:2: value is \"9007199254740993\"; expected a number below 2^53"), "{refused}");
}

/// A local time that clocks show twice is placed by the rows of its own series.
#[test]
fn a_repeated_hour_is_told_by_each_series() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("mapping.yaml"), "requests: [{counter: served, service: {label: pod}, status: 200}]\n")
        .unwrap();
    let times = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"];
    let of = |pod: &str| {
        let row = |(at, time): (usize, &&str)| format!("served,2026-10-25 {time}:00,{},{pod}\n", 100 + at);
        times.iter().enumerate().map(row).collect::<String>()
    };
    std::fs::write(path("rows.csv"), format!("metric,time,value,pod\n{}{}", of("a"), of("b"))).unwrap();
    let store = folder.path().join("store");
    let arguments =
        ["ingest", "samples", &path("rows.csv"), "--mapping", &path("mapping.yaml"), "--time-zone", "Europe/Berlin"];
    lines(&store, &arguments);
    let stored = csv(&store, "SELECT service, time FROM requests ORDER BY 1, 2");
    let instants = ["00:00", "00:30", "01:00", "01:30", "02:00"];
    let expected: Vec<String> =
        ["a", "b"].iter().flat_map(|pod| instants.map(|at| format!("{pod},2026-10-25T{at}:00Z"))).collect();
    assert_eq!(stored[1..], expected);
}
