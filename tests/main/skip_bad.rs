//! Lines and rows that are refused while the rest is stored.

use std::fs;

use crate::case::Case;
use crate::{fails, nines, run};

/// The lines that were refused, behind a header.
fn refused(case: &Case) -> Vec<String> {
    let text = fs::read_to_string(case.folder.path().join("bad.csv")).unwrap();
    text.lines().map(str::to_string).collect()
}

const SKIP: [&str; 2] = ["--skip-bad", "bad.csv"];
const HEADER: &str = "file,line,position,column,reason,text";

#[test]
fn bad_lines_of_a_log_are_written_out_and_the_rest_is_stored() {
    let case = Case::new();
    let good = "h - - [14/Oct/2026:12:00:01 +0000] \"GET /a HTTP/1.1\" 200 5";
    // A loss of power leaves zeros in a line.
    let zeros = format!("{good}\n{good}\0\0\n{good}\n");
    let said = run(&mut case.ingest("requests", ("zeros.log", zeros), &["--skip-bad", "zeros.csv", "--dry-run"]));
    assert!(said.starts_with("read        2 rows\nrejected    1"), "{said}");
    let long = "x".repeat(2 << 20);
    let log = format!("{good}\n{}\nnonsense, really\n{long}\n{good}\n", good.replace(" 200 ", " 2xx "));
    assert!(fails(1, &mut case.ingest("requests", ("a.log", log.as_bytes()), &[])).contains("a.log:2:"));
    let said = run(&mut case.ingest("requests", ("a.log", log.as_bytes()), &SKIP));
    assert!(said.starts_with("read        2 rows\nrejected    3, in bad.csv with the reasons\n"), "{said}");
    assert_eq!(case.rows("SELECT endpoint, sum(requests) FROM requests GROUP BY 1"), ["/a,2"]);
    let bad = refused(&case);
    assert_eq!(bad[0], HEADER);
    assert!(bad[1].starts_with("a.log,2,54,,\"there is \"\"2xx 5\"\"; expected a status from 0 to 999"), "{}", bad[1]);
    assert!(bad[2].starts_with("a.log,3,") && bad[2].ends_with("\"nonsense, really\""), "{}", bad[2]);
    assert_eq!((bad[3].as_str(), bad.len()), ("a.log,4,,,the line is longer than 1 MiB,", 4));
    // What was refused was read: only new lines are, when the file has grown.
    let grown = format!("{log}more nonsense\n{good}\n");
    let said = run(&mut case.ingest("requests", ("a.log", grown.as_bytes()), &SKIP));
    assert!(said.starts_with("read        1 row\nrejected    1, in bad.csv"), "{said}");
    // Those before stay: nobody reads them again.
    assert!(refused(&case).len() == 5 && refused(&case)[4].starts_with("a.log,6,"), "{:?}", refused(&case));
    assert!(run(&mut case.ingest("requests", ("a.log", grown.as_bytes()), &SKIP)).contains("already ingested"));
    assert_eq!(refused(&case).len(), 5);
    let said =
        fails(1, &mut case.ingest("requests", ("b.log", b"nonsense\n"), &["--skip-bad", "bad.csv", "--format", "log"]));
    assert!(
        said.contains("nothing is left to store, and nothing is stored: 1 refused, in bad.csv with the reasons"),
        "{said}"
    );
    let said = fails(1, &mut case.ingest("requests", ("a.log", grown.as_bytes()), &["--skip-bad", "a.log"]));
    assert!(said.contains("--skip-bad a.log: this file is read, and would be written"), "{said}");
    assert_eq!(fs::read_to_string(case.folder.path().join("a.log")).unwrap(), grown);
}

#[test]
fn every_format_goes_on_behind_a_bad_row() {
    let case = Case::new();
    let csv =
        "time,service,good,total\n1791979200,x,1,2\nsoon,x,1,2\n1791979260,x,3,2\n1791979260,\"x\"\n1791979260,x,4,5\n";
    let said = run(&mut case.ingest("events", ("e.csv", csv.as_bytes()), &SKIP));
    assert!(said.starts_with("read        2 rows\nrejected    3,"), "{said}");
    assert_eq!(case.rows("SELECT sum(good), sum(total) FROM events"), ["5,7"]);
    let places: Vec<String> =
        refused(&case)[1..].iter().map(|line| line.split(',').take(2).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(places, ["e.csv,3", "e.csv,4", "e.csv,5"]);

    let json = "{\"time\": 1791979200, \"service\": \"y\", \"value\": 1}\n{\"time\": 1791979200, \"value\": \"x\"}\n{broken\n{\"time\": \
                1791979201, \"service\": \"y\", \"value\": 3}\n";
    let said = run(&mut case.ingest("gauges", ("g.jsonl", json.as_bytes()), &SKIP));
    assert!(said.starts_with("read        2 rows\nrejected    2,"), "{said}");
    assert_eq!(case.rows("SELECT samples, sum FROM gauges"), ["2,4.0"]);

    // A latency whose thresholds differ from those before must not leave its count behind.
    let le = "time,requests,latency_le\n1791979200,3,\"[{\"\"le\"\":5,\"\"count\"\":1}]\"\n1791979200,4,\"[{\"\"le\"\":6,\"\"count\"\":1}]\"\n";
    run(&mut case.ingest("requests", ("le.csv", le.as_bytes()), &SKIP));
    assert_eq!(case.rows("SELECT sum(requests) FROM requests"), ["3"]);

    let incidents = "id,started,fixed\na,2026-10-14,2026-10-15\nb,2026-10-14,2026-10-13\nc,then,\nd,2026-10-14,\n";
    let said = run(&mut case.ingest("incidents", ("i.csv", incidents.as_bytes()), &SKIP));
    assert!(said.starts_with("read        2 rows\nrejected    2,"), "{said}");
    assert_eq!(case.rows("SELECT id FROM incidents ORDER BY id"), ["a", "d"]);
}

#[test]
fn a_quote_that_is_never_closed_takes_no_other_line_with_it() {
    for rows in [1_000, 100_000] {
        let case = Case::new();
        let mut csv = "time,endpoint,requests\n".to_string();
        for row in 0..rows {
            let is_quoted = row == 5 || rows > 1_000 && row == rows - 100;
            let quote = if is_quoted { "\"" } else { "" };
            csv += &format!("{},{quote}/{},1\n", 1_791_979_200 + row % 60, row % 7);
        }
        let said = run(&mut case.ingest("requests", ("q.csv", csv.as_bytes()), &SKIP));
        let expected = if rows > 1_000 { 2 } else { 1 };
        assert!(said.contains(&format!("rejected    {expected},")), "{said}");
        assert_eq!(case.rows("SELECT sum(requests) FROM requests"), [(rows - expected).to_string()]);
        let bad = refused(&case);
        assert!(bad[1].starts_with("q.csv,7,") && bad[1].ends_with(",\"1791979205,\"\"/5,1\""), "{}", bad[1]);
        if expected > 1 {
            assert!(bad[2].starts_with(&format!("q.csv,{},", rows - 100 + 2)), "{}", bad[2]);
        }
    }
}

#[test]
fn a_refused_row_moves_no_clock() {
    let case = Case::new();
    let csv = "time,service,requests\n2026-10-25 01:50:00,x,1\n2026-10-25 02:30:00,x,1\n2026-10-25 02:05:00,x,many\n\
               2026-10-25 02:31:00,x,1\n2026-10-25 02:40:00,x,1\n2026-10-25 03:10:00,x,1\n";
    let mut command = case.ingest("requests", ("c.csv", csv.as_bytes()), &SKIP);
    run(command.args(["--time-zone", "Europe/Berlin"]));
    assert_eq!(
        case.rows("SELECT time FROM requests ORDER BY time"),
        [
            "2026-10-24T23:50:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-25T00:31:00Z",
            "2026-10-25T00:40:00Z",
            "2026-10-25T02:10:00Z"
        ]
    );
}

#[test]
fn rows_of_parquet_and_of_queries_are_refused_one_by_one() {
    let case = Case::new();
    let path = case.folder.path().join("r.parquet");
    let rows = "SELECT CAST(1791979200 + value AS BIGINT) AS time, CAST(CASE WHEN value % 1000 = 7 THEN -1 ELSE 1 END AS BIGINT) AS requests, \
                CAST(CASE WHEN value = 20 THEN 1000 ELSE 200 END AS INT) AS status FROM generate_series(0, 19999) AS t(value) ORDER BY value";
    run(nines().arg("--store").arg(&case.store).args(["sql", "--format", "parquet", rows, "-o"]).arg(&path));
    let bytes = fs::read(&path).unwrap();
    let said = run(&mut case.ingest("requests", ("r.parquet", &bytes), &SKIP));
    assert!(said.starts_with("read        19,979 rows\nrejected    21,"), "{said}");
    assert_eq!(case.rows("SELECT sum(requests) FROM requests"), ["19979"]);
    let bad = refused(&case);
    let mut lines: Vec<u64> = bad[1..].iter().map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    lines.sort_unstable();
    let mut expected: Vec<u64> = (0..20).map(|thousand| thousand * 1000 + 8).chain([21]).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
    assert!(bad.iter().any(|line| line.contains("status is \"\"1000\"\"") && line.contains("requests")), "{bad:?}");

    let again = Case::new();
    let options = ["--skip-bad", "bad.csv", "--select", "SELECT * FROM input", "--aggregates"];
    let said = run(&mut again.ingest("requests", ("r.parquet", &bytes), &options));
    assert!(said.starts_with("read        19,979 rows\nrejected    21,"), "{said}");
    assert_eq!(again.rows("SELECT sum(requests) FROM requests"), ["19979"]);
    assert!(refused(&again)[1].starts_with("the result of --select,"), "{:?}", refused(&again)[1]);
}

const MAPPING: &str = "requests: [{counter: hits_total, service: {label: service}, status: 200}]\n";

/// Loads a file of samples; what is said, in words.
fn samples(case: &Case, name: &str, text: &[u8], arguments: &[&str]) -> String {
    let place = case.folder.path();
    fs::write(place.join("m.yaml"), MAPPING).unwrap();
    fs::write(place.join(name), text).unwrap();
    let mut command = nines();
    command.current_dir(place).args(["--store", "store", "ingest"]).args(arguments);
    run(command.args([name, "--mapping", "m.yaml"]))
}

/// The places of what was refused, and why.
fn reasons(case: &Case) -> Vec<(String, String)> {
    let query = "SELECT concat(file, ':', line, ':', position) AS place, reason FROM 'bad.csv'";
    let rows: Vec<Vec<serde_json::Value>> = run(&mut case.nines(&["sql", query, "--format", "jsonl"]))
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Map<_, _>>(line).unwrap().values().cloned().collect())
        .collect();
    let text = |row: &[serde_json::Value], at: usize| row[at].as_str().unwrap().to_string();
    rows.iter().map(|row| (text(row, 0), text(row, 1))).collect()
}

#[test]
fn lines_of_samples_are_left_out_one_by_one() {
    let case = Case::new();
    let series = "hits_total{service=\"a\"}";
    let text = format!(
        "{series} 10 1791979200000\n{series} 12 1791979230000\n{series} many 1791979231000\n{series} -1 1791979232000\nup{{ 1 \
         1791979233000\n{series} 14 17919792\n{series} 15 1791979260000\n"
    );
    let skip = ["prometheus", "--skip-bad", "bad.csv"];
    let said = samples(&case, "a.txt", text.as_bytes(), &[&skip[..], &["--dry-run"]].concat());
    for expected in
        ["requests    2 aggregates, 2 added", "stored      nothing: this was a dry run", "What requests would get:"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(said.starts_with("read        3 samples, of which 3 of 1 series meet the mapping\n"), "{said}");
    assert!(said.contains("rejected    4 lines, messages, rows or samples, in bad.csv with the reasons\n"), "{said}");
    assert!(!case.folder.path().join("store").exists());
    // A day from now is another one each day.
    let told: Vec<(String, String)> = reasons(&case)
        .into_iter()
        .map(|(place, why)| (place, why.split(" from 1990 to ").next().unwrap_or_default().to_string()))
        .collect();
    assert_eq!(
        told,
        [
            ("a.txt:3:25", "the value is \"many\"; expected a number, NaN, +Inf or -Inf"),
            (
                "a.txt:4:",
                "series hits_total{service=\"a\"} at 2026-10-14T12:00:32Z: it is -1; expected a number of at least 0, and below 2^63"
            ),
            ("a.txt:5:5", "expected a label, as code=\"200\"; expected a series, as http_requests_total{code=\"200\"}"),
            ("a.txt:6:", "time is \"1970-07-27T09:43:12Z\"; expected a time"),
        ]
        .map(|(place, why)| (place.to_string(), why.to_string()))
    );
    let mut strict = nines();
    strict.current_dir(case.folder.path()).args([
        "--store",
        "store",
        "ingest",
        "prometheus",
        "a.txt",
        "--mapping",
        "m.yaml",
    ]);
    assert!(fails(1, &mut strict).starts_with("error: a.txt:3:25: the value is \"many\""));
    samples(&case, "a.txt", text.as_bytes(), &skip);
    assert_eq!(case.rows("SELECT sum(requests) FROM requests"), ["5"]);
    // A file in which nothing can be read stores nothing.
    fs::write(case.folder.path().join("b.txt"), "hits_total soon\n").unwrap();
    let mut all = nines();
    all.current_dir(case.folder.path()).args([
        "--store",
        "store",
        "ingest",
        "prometheus",
        "b.txt",
        "--mapping",
        "m.yaml",
    ]);
    assert!(
        fails(1, all.args(["--skip-bad", "bad.csv"]))
            .contains("nothing is left to store, and nothing is stored: 1 refused, in bad.csv")
    );
}

#[test]
fn messages_are_left_out_whole_and_samples_one_by_one() {
    let case = Case::new();
    let line = |values: &str| format!("{{\"metric\":{{\"__name__\":\"hits_total\",\"service\":\"vm\"}},{values}}}\n");
    let text = [
        line("\"values\":[1,5],\"timestamps\":[1791979200000,1791979210000]"),
        "{\"metric\":{},\n".to_string(),
        line("\"values\":[1],\"timestamps\":[]"),
        line("\"values\":[-3,9],\"timestamps\":[1791979220000,1791979230000]"),
    ];
    samples(&case, "vm.jsonl", text.concat().as_bytes(), &["prometheus", "--skip-bad", "bad.csv"]);
    let places: Vec<String> = reasons(&case).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["vm.jsonl:2:13", "vm.jsonl:3:", "vm.jsonl:4:"]);
    assert_eq!(case.rows("SELECT sum(requests) FROM requests WHERE service = 'vm'"), ["8"]);

    // OTLP, a message per line: the second is broken behind a point that could be read, the last one is still written; its metrics are complete.
    let point = |second: i64, value: &str| {
        format!(
            "{{\"startTimeUnixNano\":\"1\",\"timeUnixNano\":\"{}\",\"asInt\":{value}}}",
            (1_791_979_200 + second) * 1_000_000_000
        )
    };
    let message = |points: &[String]| {
        format!(
            "{{\"resourceMetrics\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"service\",\"value\":{{\"stringValue\":\"otlp\"}}}}]}},\
             \"scopeMetrics\":[{{\"metrics\":[{{\"name\":\"hits_total\",\"sum\":{{\"aggregationTemporality\":2,\"isMonotonic\":true,\
             \"dataPoints\":[{}]}}}}]}}]}}]}}\n",
            points.join(",")
        )
    };
    let text = [
        message(&[point(0, "1"), point(5, "-2")]),
        message(&[point(10, "100"), point(20, "\"many\"")]),
        message(&[point(30, "4")]),
        message(&[point(40, "5")]).trim_end_matches("}\n").to_string(),
    ];
    let said = samples(&case, "o.json", text.concat().as_bytes(), &["otlp", "--skip-bad", "bad.csv"]);
    assert!(said.contains("left out    o.json: the message at line 4 is not complete"), "{said}");
    let places: Vec<String> = reasons(&case).into_iter().map(|(place, _)| place).collect();
    assert!(
        places[3..].iter().map(|place| place.rsplit_once(':').unwrap().0).eq(["o.json:1", "o.json:2"]),
        "{places:?}"
    );
    assert_eq!(case.rows("SELECT sum(requests) FROM requests WHERE service = 'otlp'"), ["4"]);
}

#[test]
fn rows_of_samples_are_left_out_one_by_one() {
    let case = Case::new();
    let csv = "metric,time,value,service\nhits_total,1791979200,10,s\nhits_total,1791979201,10\nhits_total,soon,11,s\nhits_total,1791979202,-4,s\nhits_total,1791979230,17,s\n";
    for (select, service) in [(None, "s"), (Some("SELECT metric, time, value, 't' AS service FROM input"), "t")] {
        let select = select.map_or_else(Vec::new, |select| vec!["--select", select]);
        let skip = ["samples", "--skip-bad", "bad.csv", "--source", service];
        let said = samples(&case, "s.csv", csv.as_bytes(), &[&skip[..], &select].concat());
        assert!(said.starts_with("read        2 samples,"), "{said}");
        assert!(said.contains("rejected    3 lines, messages, rows or samples"), "{said}");
        assert_eq!(case.rows(&format!("SELECT sum(requests) FROM requests WHERE service = '{service}'")), ["7"]);
    }
    let places: Vec<String> = reasons(&case).into_iter().map(|(place, _)| place).collect();
    let result = "the result of --select";
    assert_eq!(places[..3], ["s.csv:3:", "s.csv:4:", "s.csv:5:"]);
    // Of a query there are rows alone.
    assert_eq!(places[3..], ["s.csv:3:".to_string(), format!("{result}:2:"), format!("{result}:3:")]);
}

#[test]
fn records_that_a_query_cannot_read_are_left_out() {
    let case = Case::new();
    let csv = "when,what,n\n1791979200,x,1\n1791979201,x\n1791979202,x,3\n";
    let select = "SELECT to_timestamp(\"when\") AS time, what AS service, n AS good, n AS total FROM input";
    let said = run(&mut case.ingest("events", ("q.csv", csv.as_bytes()), &[&SKIP[..], &["--select", select]].concat()));
    assert!(said.starts_with("read        2 rows\nrejected    1, in bad.csv"), "{said}");
    assert_eq!(refused(&case)[1], "q.csv,3,,,there are 2 fields; expected 3 as in the header,\"1791979201,x\"");
    // Single rows are read by pieces; each is told once.
    let raw = "when,n\n1791979200,1\n1791979201\n1791979202,3\n";
    let select = "SELECT to_timestamp(\"when\") AS time, 'x' AS name, n AS value FROM input";
    for (more, rejected) in [("", 1), ("1791979203,1,1\n1791979204,5\n", 1)] {
        let raw = format!("{raw}{more}");
        let said =
            run(&mut case.ingest("gauges", ("r.csv", raw.as_bytes()), &[&SKIP[..], &["--select", select]].concat()));
        assert!(said.contains(&format!("rejected    {rejected}, in bad.csv")), "{said}");
    }
    assert_eq!(case.rows("SELECT sum(samples), sum(sum) FROM gauges"), ["3,9.0"]);
    let lines: Vec<String> =
        refused(&case)[2..].iter().map(|line| line.split(',').take(2).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(lines, ["r.csv,3", "r.csv,5"]);
}

/// What loads without the option loads the same with it, however messages are laid out.
#[test]
fn messages_may_be_laid_out_in_any_way() {
    let message = |from: u64, points: &[&str]| {
        let points = points.iter().enumerate().map(|(at, value)| {
            let nanos = (1_791_979_200 + from + at as u64) * 1_000_000_000;
            serde_json::json!({"timeUnixNano": nanos.to_string(), "asInt": value})
        });
        let sum = serde_json::json!({"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": points.collect::<Vec<_>>()});
        serde_json::json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "hits_total", "sum": sum}]}]}]})
    };
    let (first, second, bad) = (message(0, &["1", "4"]), message(10, &["9"]), message(5, &["6", "x"]));
    let pretty = |of: &serde_json::Value| serde_json::to_string_pretty(of).unwrap() + "\n";
    let split = first.to_string().replacen("}}", "}\n}", 1) + "\n" + &second.to_string();
    let cut = bad.to_string();
    for (name, text, refused) in [
        ("pretty", pretty(&first) + &pretty(&second), 0),
        ("one line", format!("{first}{second}\n"), 0),
        ("split", split, 0),
        ("a bad one between", pretty(&first) + &pretty(&bad) + &pretty(&second), 1),
        ("a cut one first", format!("{}\n{first}\n{second}\n", &cut[..cut.len() / 2]), 1),
        ("a cut one between", format!("{first}\n{}\n{second}\n", &cut[..cut.len() / 2]), 1),
    ] {
        let case = Case::new();
        let said = samples(&case, "o.json", text.as_bytes(), &["otlp", "--skip-bad", "bad.csv"]);
        assert!(
            said.contains(&format!("rejected    {refused} ")) || refused == 0 && !said.contains("rejected"),
            "{name}: {said}"
        );
        assert_eq!(case.rows("SELECT sum(requests) FROM requests"), ["8"], "{name}: {said}");
    }
}

/// Which pass of a repeated hour a row is of hangs on rows far behind it, whatever else is refused.
#[test]
fn a_refused_row_of_samples_moves_no_clock() {
    let row = |second: u32, value: u32| {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("hits_total,2026-10-25 {hour:02}:{minute:02}:{second:02},{value},s\n")
    };
    // Twice from 2 to 3, every 5 s, and on.
    let times: Vec<u32> = (7_200..10_800).step_by(5).chain((7_200..10_860).step_by(5)).collect();
    let mut rows: Vec<String> = times.iter().zip(0..).map(|(second, value)| row(*second, value)).collect();
    for (place, bad) in
        [(3, ",2026-10-25 04:00:00,1,s\n"), (400, "hits_total,2026-10-25 02:30:00,many,s\n"), (900, "x,soon,1,s\n")]
    {
        rows.insert(place, bad.to_string());
    }
    let csv = format!("metric,time,value,service\n{}", rows.concat());
    let case = Case::new();
    let said =
        samples(&case, "s.csv", csv.as_bytes(), &["samples", "--skip-bad", "bad.csv", "--time-zone", "Europe/Berlin"]);
    assert!(
        said.contains("rejected    3 lines") && said.starts_with(&format!("read        {} samples", "1,452")),
        "{said}"
    );
    let hours = "SELECT date_trunc('hour', time) AS hour, sum(requests) FROM requests GROUP BY 1 ORDER BY 1";
    assert_eq!(case.rows(hours), ["2026-10-25T00:00:00Z,719", "2026-10-25T01:00:00Z,720", "2026-10-25T02:00:00Z,12"]);
}

/// However much text they have: what is refused is not held.
#[test]
fn many_refused_records_come_before_a_good_one() {
    let case = Case::new();
    let bad = format!("{{\"when\":1791979200,\"text\":\"{}\",\"n\":}}\n", "x".repeat(100_000));
    let json = bad.repeat(60) + "{\"when\":1791979200,\"text\":\"y\",\"n\":3}\n";
    let select = "SELECT to_timestamp(\"when\") AS time, text AS name, n AS good, n AS total FROM input";
    let said = run(&mut case.ingest("events", ("l.jsonl", json), &[&SKIP[..], &["--select", select]].concat()));
    assert!(said.starts_with("read        1 row\nrejected    60, in bad.csv"), "{said}");
    assert_eq!(case.rows("SELECT name, good FROM events"), ["y,3"]);
}

#[test]
fn what_is_refused_says_nothing_of_the_others() {
    let case = Case::new();
    // Of which type a column is.
    let json =
        "{\"when\":1791979200,\"n\":1}\n{\"when\":1791979210,\"n\":\"many\",\"q\":}\n{\"when\":1791979230,\"n\":4}\n";
    let select = "SELECT to_timestamp(\"when\") AS time, 'x' AS name, n * 1 AS good, n * 1 AS total FROM input";
    let said = run(&mut case.ingest("events", ("p.jsonl", json), &[&SKIP[..], &["--select", select]].concat()));
    assert!(said.starts_with("read        2 rows\nrejected    1, in bad.csv"), "{said}");
    // Which numbers are exact; several records of a line.
    let csv = "metric,time,value,service\nhits_total,1791979200,1,s\nhits_total,1791979205,9007199254740993,s\nhits_total,1791979206,many,s\n\
               hits_total,1791979230,9,s\n";
    let said = samples(&case, "s.csv", csv.as_bytes(), &["samples", "--skip-bad", "bad.csv"]);
    assert!(said.contains("rejected    2 "), "{said}");
    assert_eq!(case.rows("SELECT sum(requests) FROM requests"), ["8"]);
    let twice = |time: u32| {
        format!("{{\"metric\":\"hits_total\",\"metric\":\"q\",\"time\":{time},\"value\":3,\"service\":\"t\"}}")
    };
    let once = |time: u32, value: u32| {
        format!("{{\"metric\":\"hits_total\",\"time\":{time},\"value\":{value},\"service\":\"t\"}}")
    };
    let json = format!(
        "[{},{},{},{}]",
        once(1_791_979_200, 1),
        twice(1_791_979_210),
        twice(1_791_979_215),
        once(1_791_979_220, 6)
    );
    let said = samples(&case, "a.json", json.as_bytes(), &["samples", "--skip-bad", "bad.csv"]);
    assert!(said.contains("rejected    2 "), "{said}");
    // A mapping that is wrong is no bad line.
    fs::write(case.folder.path().join("wrong.yaml"), "gauges: [{gauge: hits_total, name: hits}]\n").unwrap();
    let delta = "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"hits_total\",\"sum\":{\"aggregationTemporality\":1,\
                 \"isMonotonic\":true,\"dataPoints\":[{\"timeUnixNano\":\"1791979200000000000\",\"asInt\":\"4\"}]}}]}]}]}\n";
    case.file("d.json", delta);
    let said =
        fails(1, &mut case.nines(&["ingest", "otlp", "d.json", "--mapping", "wrong.yaml", "--skip-bad", "bad.csv"]));
    assert!(said.contains("it says by how much it changed, not what it is"), "{said}");
    let said =
        fails(2, &mut case.nines(&["ingest", "otlp", "d.json", "--mapping", "wrong.yaml", "--skip-bad", "wrong.yaml"]));
    assert!(said.contains("this is the mapping, and would be written"), "{said}");
}
