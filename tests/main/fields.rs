//! Fields that fill columns and labels, how endpoints are called, and labels in SQL and in objectives.

use std::fs;

use crate::case::Case;
use crate::{fails, nines, run};

const SHOP: &str = "$time_iso8601 $host \"$request\" $status $request_time $http_x_tenant $upstream_zone $reason";

fn shop_log() -> String {
    [
        "2026-10-14T12:00:01+00:00 Shop.example:443 \"GET /users/17 HTTP/1.1\" 200 0.010 acme eu -",
        "2026-10-14T12:00:02+00:00 shop.example \"GET /users/18 HTTP/1.1\" 200 0.020 acme eu -",
        "2026-10-14T12:00:03+00:00 pay.example \"POST /pay HTTP/1.1\" 504 9.900 globex us UT",
        "2026-10-14T12:00:04+00:00 pay.example \"POST /pay HTTP/1.1\" 503 0.100 - - UF",
        "",
    ]
    .join("\n")
}

#[test]
fn fields_of_a_log_fill_columns_and_labels() {
    let case = Case::new();
    let options = [
        "--log-format",
        SHOP,
        "--service-from",
        "host",
        "--customer-from",
        "http_x_tenant",
        "--cause-from",
        "reason",
        "--cause",
        "UT=upstream_timeout",
        "--label",
        "zone=$upstream_zone",
    ];
    let said = run(&mut case.ingest("requests", ("shop.log", &shop_log()), &options));
    assert!(!said.contains("warning"), "{said}");
    assert_eq!(
        case.rows(
            "SELECT service, endpoint, customer, status, cause, labels['zone'], requests FROM requests \
             ORDER BY service, endpoint, customer"
        ),
        [
            "pay.example,/pay,,503,UF,,1",
            "pay.example,/pay,globex,504,upstream_timeout,us,1",
            "shop.example,/users/{id},acme,200,,eu,2",
        ]
    );
    assert_eq!(
        case.rows("SELECT DISTINCT labels FROM requests ORDER BY 1 NULLS LAST"),
        [r#""{""zone"":""eu""}""#, r#""{""zone"":""us""}""#, "\"\""]
    );
}

#[test]
fn a_field_that_is_not_there_is_told() {
    let case = Case::new();
    let log = shop_log();
    let mut options = vec!["--log-format", SHOP, "--customer-from", "tenant"];
    let said = fails(1, &mut case.ingest("requests", ("shop.log", &log), &options));
    assert!(said.contains("the log's format has no field \"tenant\"; expected one of $time_iso8601, $host"), "{said}");
    // Lines of JSON may lack it.
    options = vec!["--customer-from", "tenant", "--label", "zone"];
    let json =
        "{\"ts\": 1791979201, \"request\": {\"uri\": \"/a\"}, \"status\": 200, \"duration\": 0.1, \"zone\": \"eu\"}\n";
    let said = run(&mut case.ingest("requests", ("caddy.log", json), &options));
    assert!(
        said.contains("warning     --customer-from tenant: no row has such a field, or none says anything"),
        "{said}"
    );
    assert!(!said.contains("--label"), "{said}");
    assert_eq!(case.rows("SELECT endpoint, labels['zone'] FROM requests"), ["/a,eu"]);
    // A file with a header says which columns it has.
    let said = fails(1, &mut case.ingest("events", ("e.csv", "time,good,total\n0,1,1\n"), &["--label", "zone"]));
    assert!(said.contains("there is no column \"zone\", from which labels is to be filled"), "{said}");
    let said = fails(1, &mut case.ingest("gauges", ("g.csv", "time,value,x\n0,1,1\n"), &["--customer-from", "x"]));
    assert!(said.contains("--customer-from x: the table gauges has no column \"customer\" to fill"), "{said}");
}

#[test]
fn plain_logs_have_fields_too() {
    let case = Case::new();
    let combined = "10.0.0.1 - ann [14/Oct/2026:12:00:01 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"agent\"";
    let common = "10.0.0.1 - bob [14/Oct/2026:12:00:01 +0000] \"GET http://Shop.example:80/b HTTP/1.1\" 200 5";
    for (name, text, rows) in [
        // A time taken goes on being one, and a line that says less counts all the same.
        ("combined.log", format!("{combined}\n{combined} 0.5\n{common}\n"), vec!["/a,ann,2,0.5", "/b,bob,1,"]),
        ("common.log", format!("{common} 0.25\n{common}\n"), vec!["/b,bob,2,0.25"]),
        ("virtual.log", format!("shop.example:80 {combined}\n"), vec!["/a,ann,1,"]),
    ] {
        let case = Case::new();
        let said = run(&mut case.ingest("requests", (name, &text), &["--customer-from", "remote_user"]));
        assert!(!said.contains("warning"), "{said}");
        let select =
            "SELECT endpoint, customer, sum(requests), sum(latency_sum) FROM requests GROUP BY 1, 2 ORDER BY 1";
        assert_eq!(case.rows(select), rows, "{name}");
    }
    let hosts = format!("{common}\n");
    run(&mut case.ingest("requests", ("hosts.log", &hosts), &["--service-from", "host"]));
    assert_eq!(case.rows("SELECT service, endpoint FROM requests"), ["shop.example,/b"]);
    // The client's name for the server comes before the server's own.
    let format = "$time_iso8601 $server_name $host \"$request\" $status";
    let line = "2026-10-14T12:00:01+00:00 _ pay.example \"GET /p HTTP/1.1\" 200\n";
    run(&mut case.ingest("requests", ("named.log", line), &["--log-format", format, "--service-from", "host"]));
    assert_eq!(case.rows("SELECT service FROM requests WHERE endpoint = '/p'"), ["pay.example"]);
    // What is bad at the beginning tells nothing of the lines behind it.
    let first = format!("nonsense\n{combined}\n");
    let options = ["--customer-from", "remote_user", "--skip-bad", "bad.csv", "--format", "log"];
    let other = Case::new();
    run(other.ingest("requests", ("first.log", &first), &options).current_dir(other.folder.path()));
    assert_eq!(other.rows("SELECT customer FROM requests"), ["ann"]);
}

#[test]
fn a_field_with_a_column_of_its_own_fills_both() {
    let csv = "time,service,status,customer,requests\n1791979200,x,503,acme,7\n";
    let options = ["--label", "status", "--label", "customer", "--business-from", "customer"];
    let row = "SELECT status, customer, business, labels, requests FROM requests";
    let expected = [r#"503,acme,acme,"{""customer"":""acme"",""status"":""503""}",7"#];
    let case = Case::new();
    run(&mut case.ingest("requests", ("r.csv", csv), &options));
    assert_eq!(case.rows(row), expected);
    let parquet = case.folder.path().join("r.parquet");
    let select = "SELECT time, service, status, customer, requests FROM requests";
    run(case.nines(&["sql", "--format", "parquet", select, "-o"]).arg(&parquet));
    let again = Case::new();
    run(nines().arg("--store").arg(&again.store).args(["ingest", "requests"]).arg(&parquet).args(options));
    assert_eq!(again.rows(row), expected);
}

#[test]
fn too_many_names_are_other_in_every_format() {
    let mut csv = "time,endpoint,zone,requests\n".to_string();
    // Each name twice, in two slices.
    (0..3000).for_each(|n| csv += &format!("{},/{1},{1},1\n", 1_791_979_200 + n / 1500 * 60, n % 1500));
    let options = ["--label", "zone", "--customer-from", "zone", "--most-endpoints", "10"];
    let rows = "SELECT count(DISTINCT endpoint), count(DISTINCT labels), count(DISTINCT customer), sum(requests) FROM requests";
    let case = Case::new();
    let said = run(&mut case.ingest("requests", ("r.csv", &csv), &options));
    assert!(said.contains("1,000 rows are called 'other', because there are more names of label zone"), "{said}");
    assert!(said.contains("2,980 rows are called 'other', because there are more names of endpoint"), "{said}");
    assert_eq!(case.rows(rows), ["11,1001,1500,3000"]);
    let parquet = case.folder.path().join("r.parquet");
    let select = "SELECT to_timestamp_seconds(1791979200 + value / 1500 * 60) AS time, '/' || value % 1500 AS endpoint, \
                  CAST(value % 1500 AS VARCHAR) AS zone, 1 AS requests FROM generate_series(0, 2999) AS t(value) ORDER BY value";
    run(case.nines(&["sql", "--format", "parquet", select, "-o"]).arg(&parquet));
    let again = Case::new();
    let said = run(nines().arg("--store").arg(&again.store).args(["ingest", "requests"]).arg(&parquet).args(options));
    assert!(said.contains("1,000 rows are called 'other', because there are more names of label zone"), "{said}");
    assert!(said.contains("2,980 rows are called 'other'") && !said.contains("no row has such a field"), "{said}");
    assert_eq!(again.rows(rows), ["11,1001,1500,3000"]);
}

#[test]
fn columns_of_files_fill_labels() {
    let case = Case::new();
    let csv =
        "time,service,region,tier,good,total\n1791979200,x,eu,1,9,10\n1791979200,x,us,,8,10\n1791979200,x,,,1,1\n";
    run(&mut case.ingest("events", ("e.csv", csv), &["--label", "region", "--label", "level=tier"]));
    let rows = "SELECT labels, good FROM events ORDER BY good DESC";
    let expected =
        [r#""{""level"":""1"",""region"":""eu""}",9"#, r#""{""region"":""us""}",8"#, ",1"].map(str::to_string);
    assert_eq!(case.rows(rows), expected);

    // The same rows as JSON with labels of their own, and as Parquet, are the same units.
    let json = "{\"time\": 1791979200, \"service\": \"x\", \"labels\": {\"region\": \"eu\", \"level\": 1}, \"good\": 9, \"total\": 10}\n";
    let said = run(&mut case.ingest("events", ("e.jsonl", json), &[]));
    assert!(said.contains("changed     nothing: 1 aggregate is stored already"), "{said}");
    let parquet = case.folder.path().join("e.parquet");
    run(case.nines(&["sql", "--format", "parquet", "SELECT * FROM events", "-o"]).arg(&parquet));
    let said = run(nines().arg("--store").arg(&case.store).args(["ingest", "events"]).arg(&parquet));
    assert!(said.contains("changed     nothing: all 3 aggregates are stored already"), "{said}");
    let again = Case::new();
    run(nines().arg("--store").arg(&again.store).args(["ingest", "events"]).arg(&parquet));
    assert_eq!(again.rows(rows), expected);
    // Rows without counts add, and their file may grow.
    let raw = "time,service,zone\n1791979200,x,eu\n";
    run(&mut case.ingest("requests", ("r.csv", raw), &["--label", "zone"]));
    let said = run(&mut case.ingest("requests", ("r.csv", &format!("{raw}1791979201,x,us\n")), &["--label", "zone"]));
    assert!(said.starts_with("read        1 row\n"), "{said}");
    assert_eq!(case.rows("SELECT labels['zone'], sum(requests) FROM requests GROUP BY 1 ORDER BY 1"), ["eu,1", "us,1"]);
    let insert = |labels: &str| {
        let values = format!("('2026-10-14T12:01:00Z', 'x', '{labels}', 1, 1)");
        case.nines(&["sql", &format!("INSERT INTO events (time, service, labels, good, total) VALUES {values}")])
    };
    run(&mut insert(r#"{"a":"1","b":"2"}"#));
    let said = fails(1, &mut insert(r#"{"b": "2"}"#));
    assert!(said.contains("expected labels as {\"region\":\"eu\",\"tier\":\"1\"}"), "{said}");
    assert_eq!(case.rows("SELECT labels['b'] FROM events WHERE labels['a'] = '1'"), ["2"]);
    let said = fails(
        1,
        &mut case.ingest(
            "events",
            ("bad.jsonl", "{\"time\": 1, \"labels\": [1], \"good\": 1, \"total\": 1}\n"),
            &["--any-time"],
        ),
    );
    assert!(said.contains("bad.jsonl:1: labels is \"[1]\""), "{said}");
}

#[test]
fn other_labels_replace_nothing_and_that_is_said() {
    let case = Case::new();
    let csv = "time,service,requests,status\n1791979200,x,10,200\n1791979260,x,20,200\n";
    run(&mut case.ingest("requests", ("r.csv", csv), &[]));
    let labelled = csv.replace("status", "status,zone").replace(",200\n", ",200,eu\n");
    let said = run(&mut case.ingest("requests", ("l.csv", &labelled), &["--label", "zone"]));
    assert!(said.contains("warning     in 2 slices rows of the same source stay that have other labels"), "{said}");
    assert_eq!(case.rows("SELECT sum(requests) FROM requests"), ["60"]);
    // What is complete replaces whatever its source said.
    let said = run(&mut case.ingest("requests", ("l.csv", &labelled), &["--label", "zone", "--replace"]));
    assert!(!said.contains("other labels"), "{said}");
    assert_eq!(case.rows("SELECT labels['zone'], sum(requests) FROM requests GROUP BY 1"), ["eu,30"]);
    // The same labels replace, as ever, and nothing is said.
    let more = labelled.replace(",20,", ",21,");
    let said = run(&mut case.ingest("requests", ("l.csv", &more), &["--label", "zone"]));
    assert!(said.contains("1 replaced") && !said.contains("warning"), "{said}");
}

#[test]
fn objectives_count_rows_of_labels() {
    let case = Case::new();
    let mut csv = "time,service,name,zone,good,total\n".to_string();
    for minute in 0..60 {
        for zone in ["eu", "us", ""] {
            let good = i32::from(!(zone == "eu" && minute < 6 || zone == "us" && minute < 12));
            csv += &format!("{},x,e,{zone},{good},1\n", 1_791_979_200 + 60 * minute);
        }
    }
    run(&mut case.ingest("events", ("e.csv", &csv), &["--label", "zone"]));
    let slo = |name: &str, kind: &str, spec: &str| {
        format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: x\n  indicator:\n    metadata: \
             {{name: {name}}}\n    spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {{type: {kind}, spec: {spec}}}}}}}}}\n  \
             timeWindow: [{{duration: 1d, isRolling: true}}]\n  budgetingMethod: Timeslices\n  objectives: [{{target: 0.9, \
             timeSliceTarget: 0.99, timeSliceWindow: 1m}}]\n---\n"
        )
    };
    let all = [
        slo("eu", "nines/events", "{name: e, labels: {zone: eu}}"),
        slo("both", "nines/events", "{name: e, labels: {zone: [eu, us]}}"),
        slo("any", "nines/events", "{name: e, labels: {zone: '*'}}"),
        slo("all", "nines/events", "{name: e}"),
        slo("us", "nines/sql", "{from: events, where: \"labels['zone'] = 'us'\", good: good, total: total}"),
        slo("none", "nines/events", "{name: e, labels: {zone: ap}}"),
    ];
    let path = case.file("slo.yaml", all.concat());
    run(case.nines(&["apply"]).arg(path));
    let unmatched = "SELECT unmatched FROM slos WHERE objective = 'none'";
    assert_eq!(
        case.rows(unmatched),
        [r#""no row of events of service 'x' has the label zone = 'ap'; there are 'eu', 'us'""#]
    );
    let report = "SELECT objective, error_seconds(timeline) / 60, measured_seconds(timeline) / 60 FROM \
                  timelines('2026-10-14T12:00:00Z', '2026-10-14T13:00:00Z') ORDER BY objective";
    assert_eq!(
        case.rows(report),
        ["all,12.0,60.0", "any,12.0,60.0", "both,12.0,60.0", "eu,6.0,60.0", "none,0.0,0.0", "us,12.0,60.0"]
    );
}

#[test]
fn endpoints_have_names_that_are_few() {
    let case = Case::new();
    let line = |path: &str| format!("h - - [14/Oct/2026:12:00:01 +0000] \"GET {path} HTTP/1.1\" 200 5\n");
    let log: String =
        ["/users/1/x", "/u/ann", "/u/bob", "/app.css", "/a/b.js", "/one", "/two", "/three", "/two"].map(line).concat();
    let options = ["--endpoint", "/u/{name}", "--endpoint", "static=*.css,*.js", "--most-endpoints", "5"];
    let said = run(&mut case.ingest("requests", ("a.log", &log), &options));
    assert!(
        said.contains("warning     1 row is called 'other', because there are more names of endpoint than are kept"),
        "{said}"
    );
    let rows = "SELECT endpoint, sum(requests) FROM requests GROUP BY 1 ORDER BY 1";
    assert_eq!(case.rows(rows), ["/one,1", "/two,2", "/u/{name},2", "/users/{id}/x,1", "other,1", "static,2"]);
    let as_logged = Case::new();
    run(&mut as_logged.ingest("requests", ("a.log", &log), &["--endpoints-as-logged"]));
    assert_eq!(as_logged.rows("SELECT count(DISTINCT endpoint) FROM requests"), ["8"]);
    // Endpoints that are given are called as templates say, and else stay.
    let given = Case::new();
    let csv = "time,endpoint,requests\n1791979200,/u/ann,2\n1791979200,/u/bob,3\n1791979200,/v/7,4\n";
    run(&mut given.ingest("requests", ("e.csv", csv), &["--endpoint", "/u/*"]));
    assert_eq!(given.rows(rows), ["/u/*,5", "/v/7,4"]);
    let said = fails(2, &mut given.ingest("requests", ("e.csv", csv), &["--endpoint", "u"]));
    assert!(said.contains("\"u\" is no path"), "{said}");
}

#[test]
fn folders_patterns_and_standard_input_are_read() {
    let case = Case::new();
    let folder = case.folder.path().join("logs");
    fs::create_dir(&folder).unwrap();
    for (name, minute) in [("a.log", 1), ("a.log.1", 2), ("b.log", 3), ("notes.txt", 4)] {
        let line = format!("h - - [14/Oct/2026:12:{minute:02}:01 +0000] \"GET /{minute} HTTP/1.1\" 200 5\n");
        fs::write(folder.join(name), line).unwrap();
    }
    let ingest = |names: &[&str]| {
        let mut command = case.nines(&["ingest", "requests"]);
        command.args(names).current_dir(case.folder.path());
        command
    };
    assert!(run(&mut ingest(&["logs/a*"])).starts_with("read        2 rows\n"));
    let said = run(&mut ingest(&["logs"]));
    assert!(said.contains("read        1 row\n"), "{said}");
    assert!(
        said.contains("not read    1 file whose names say no format: logs/notes.txt. To read one, name it"),
        "{said}"
    );
    let said = run(ingest(&["-", "--format", "csv"]).write_stdin("time,requests\n1791979200,7\n"));
    assert!(said.starts_with("read        1 row\n"), "{said}");
    assert_eq!(case.rows("SELECT sum(requests) FROM requests"), ["10"]);
    assert!(fails(1, &mut ingest(&["logs/c*"])).contains("logs/c*: there is no such file"));
    fs::create_dir(case.folder.path().join("empty")).unwrap();
    assert!(fails(1, &mut ingest(&["empty"])).contains("empty: it has no file whose name says a format"));
}
