//! Logs of other formats than the combined one: how they grow, and what their clocks show.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::{fails, nines, query, run};

struct Log {
    store: PathBuf,
    file: PathBuf,
}

impl Log {
    fn new(folder: &Path, name: &str) -> Self {
        Log { store: folder.join("store"), file: folder.join(name) }
    }

    fn add(&self, lines: &[&str]) -> &Self {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.file).unwrap();
        lines.iter().for_each(|line| writeln!(file, "{line}").unwrap());
        self
    }

    fn ingest(&self, more: &[&str]) -> Output {
        let mut command = nines();
        command
            .arg("--store")
            .arg(&self.store)
            .args(["ingest", "requests", "--service", "shop"])
            .arg(&self.file)
            .args(more);
        command.output().unwrap()
    }

    fn takes(&self, more: &[&str]) -> String {
        let output = self.ingest(more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn rows(&self) -> Vec<String> {
        query(
            &self.store,
            "SELECT time, endpoint, status, sum(requests) FROM requests GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        )
    }
}

#[test]
fn fields_of_the_w3c_may_change_while_a_log_grows() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(folder.path(), "u_ex261014.log");
    log.add(&[
        "#Software: Microsoft Internet Information Services 10.0",
        "#Fields: date time cs-uri-stem sc-status time-taken",
        "2026-10-14 00:00:01 /a 200 15",
    ]);
    let said = log.takes(&[]);
    assert!(
        said.contains("format      the extended format of the W3C, as of IIS and CloudFront, by its first line"),
        "{said}"
    );
    log.add(&[
        "2026-10-14 00:00:02 /a 200 15",
        "#Fields: date time sc-status cs-uri-stem",
        "2026-10-14 00:00:03 500 /b",
    ]);
    assert!(log.takes(&[]).contains("read        2 rows"));
    // What begins behind the second line of fields is read by that one.
    log.add(&["2026-10-14 00:01:04 404 /c"]);
    assert!(log.takes(&[]).contains("read        1 row"));
    let rows = ["2026-10-14T00:00:00Z,/a,200,2", "2026-10-14T00:00:00Z,/b,500,1", "2026-10-14T00:01:00Z,/c,404,1"];
    assert_eq!(log.rows(), rows);
    assert!(log.takes(&[]).contains("already ingested"));
    // Another log of the same program begins with the same lines, and is another one.
    let other = Log { file: folder.path().join("u_ex261015.log"), store: log.store.clone() };
    other.add(&[
        "#Software: Microsoft Internet Information Services 10.0",
        "#Fields: date time cs-uri-stem sc-status time-taken",
        "2026-10-15 00:00:01 /a 200 15",
    ]);
    assert!(other.takes(&[]).contains("read        1 row"));
    other.add(&["2026-10-15 00:00:02 /a"]);
    let said = String::from_utf8(other.ingest(&[]).stderr).unwrap();
    assert!(
        said.contains("u_ex261015.log:4:") && said.contains("the line has 3 fields; expected 5: date time cs-uri-stem"),
        "{said}"
    );
}

#[test]
fn a_clock_without_an_offset_shows_an_hour_twice() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(folder.path(), "haproxy.log");
    let line = |time: &str| {
        format!(
            "Oct 25 lb haproxy[1]: 10.0.1.2:33317 [25/Oct/2026:{time}.655] in static/srv1 10/0/30/69/109 200 5 - - ---- 1/1/1/1/0 0/0 \
             \"GET /x HTTP/1.1\""
        )
    };
    let berlin = ["--time-zone", "Europe/Berlin"];
    log.add(&[&line("01:59:59"), &line("02:59:59")]);
    let said = log.takes(&berlin);
    assert!(said.contains("format      the HTTP log of HAProxy, by its first line"), "{said}");
    // The clock was set back between two reads.
    log.add(&[&line("02:00:01"), &line("03:00:01")]);
    log.takes(&berlin);
    let times: Vec<String> = log.rows().iter().map(|row| row.split(',').next().unwrap().to_string()).collect();
    assert_eq!(times, ["2026-10-24T23:59:00Z", "2026-10-25T00:59:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"]);
    assert_eq!(query(&log.store, "SELECT sum(latency_sum) FROM requests"), ["0.436"]);
}

#[test]
fn a_rotated_log_may_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(folder.path(), "access.log");
    log.add(&[
        "Oct 14 00:00:00 host newsyslog[123]: logfile turned over",
        "10.0.0.1 - - [14/Oct/2026:00:00:01 +0000] \"GET /a HTTP/1.1\" 200 5",
        "Oct 14 00:00:02 host newsyslog[123]: logfile turned over due to size>100K",
        "",
        "10.0.0.1 - - [14/Oct/2026:00:00:03 +0000] \"GET /a HTTP/1.1\" 200 5",
    ]);
    let said = log.takes(&[]);
    assert!(said.contains("read        2 rows") && said.contains("skipped     2 lines left by a rotation"), "{said}");
}

#[test]
fn lines_without_a_status_are_no_requests() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(folder.path(), "app.log");
    log.add(&[
        r#"{"at":1791979200,"http":{"status":200,"url":"/a"}}"#,
        r#"{"at":1791979201,"level":"info","msg":"serving initial configuration"}"#,
        r#"{"at":"soon","level":"info"}"#,
        r#"{"at":1791979202,"http":{"status":null,"url":"/b"}}"#,
    ]);
    let said = String::from_utf8(log.ingest(&["--log-format", "json time=at status=http.stauts"]).stderr).unwrap();
    for part in [
        "app.log: no line is a request: 4 lines without a status (http.stauts)",
        "expected the field that holds the status",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let format = ["--log-format", "json time=at status=http.status target=http.url taken=http.took:ms"];
    let said = log.takes(&format);
    for part in [
        "read        2 rows",
        "skipped     2 lines without a status (http.status): no requests",
        "warning     taken=http.took:ms of --log-format: no row has such a field, or none says anything",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("target=http.url"), "{said}");
    let rows = ["2026-10-14T12:00:00Z,/a,200,1", "2026-10-14T12:00:00Z,/b,0,1"];
    assert_eq!(log.rows(), rows);
    // A log that goes on may hold such lines alone for a while.
    log.add(&[r#"{"at":1791979203,"level":"info"}"#]);
    let said = log.takes(&format);
    assert!(said.contains("skipped     1 line without a status (http.status): no request\n"), "{said}");
    log.add(&[r#"{"at":1791979204,"http":{"status":200,"url":"/a","took":5}}"#]);
    let said = log.takes(&format);
    assert!(said.contains("read        1 row\n") && !said.contains("warning     taken"), "{said}");
}

#[test]
fn a_program_may_write_messages_between_its_requests() {
    let folder = tempfile::tempdir().unwrap();
    let caddy = Log::new(folder.path(), "caddy.log");
    let request = r#"{"level":"info","ts":1791979201.5,"logger":"http.log.access","msg":"handled request","request":{"host":"Shop.example","uri":"/a"},"status":502,"duration":0.5}"#;
    let error = request.replace("http.log.access", "http.log.error").replace("handled request", "connection refused");
    caddy.add(&[&error, request, r#"{"level":"info","ts":1791979203.9,"msg":"stopped previous server"}"#]);
    let said = caddy.takes(&["--service-from", "host"]);
    assert!(said.contains("skipped     2 lines with another msg than \"handled request\": no requests"), "{said}");
    let services = "SELECT service, status, sum(requests) FROM requests GROUP BY 1, 2 ORDER BY 1";
    assert_eq!(query(&caddy.store, services), ["shop.example,502,1"]);

    let haproxy = Log { store: folder.path().join("another"), file: folder.path().join("haproxy.log") };
    haproxy.add(&[
        "Oct 14 12:00:00 lb haproxy[1]: Proxy in started.",
        "Oct 14 12:00:01 lb haproxy[1]: 10.0.1.2:33317 [14/Oct/2026:12:00:01.655] in static/srv1 10/0/30/69/109 200 5 - - ---- 1/1/1/1/0 0/0 \
         \"GET /x HTTP/1.1\"",
        "Oct 14 12:00:02 lb haproxy[1]: Server static/srv1 is DOWN, reason: Layer4 connection problem.",
        "Oct 14 12:00:03 lb haproxy[1]: 10.0.1.2:33318 [14/Oct/2026:12:00:03.655] in/1: SSL handshake failure",
    ]);
    let said = haproxy.takes(&[]);
    assert!(
        said.contains("read        1 row\n")
            && said.contains("skipped     3 lines with a message of HAProxy: no requests"),
        "{said}"
    );

    let iis = Log { store: folder.path().join("third"), file: folder.path().join("u_ex261014.log") };
    iis.add(&["#Version: 1.0", "#Fields: date time cs-uri-stem time-taken", "2026-10-14 00:00:01 /a 15"]);
    let said = String::from_utf8(iis.ingest(&[]).stderr).unwrap();
    assert!(said.contains("u_ex261014.log:2: the fields of the log lack sc-status"), "{said}");
}

#[test]
fn formats_that_do_not_go_with_the_rest_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(folder.path(), "a.log");
    log.add(&["1791640536 200 12"]);
    let format = ["--log-format", "$msec $status $request_time"];
    for (more, why) in [
        (["--select", "SELECT 1 AS time FROM input"], "--log-format and --select exclude each other"),
        (["--latency-unit", "ms"], "leave out --latency-unit"),
        (["--format", "csv"], "--log-format says how the lines of access logs are laid out"),
    ] {
        let said = String::from_utf8(log.ingest(&[&format[..], &more].concat()).stderr).unwrap();
        assert!(said.contains(why), "{more:?}: {said}");
    }
    let said = fails(1, nines().arg("--store").arg(&log.store).args(["ingest", "events"]).arg(&log.file).args(format));
    assert!(said.contains("which are ingested into the table requests"), "{said}");
    log.takes(&format);
    assert_eq!(query(&log.store, "SELECT status, latency_sum FROM requests"), ["200,12.0"]);
    // Fields of JSON that SQL takes apart stay columns.
    let json = Log { file: folder.path().join("caddy.log"), store: log.store.clone() };
    json.add(&[r#"{"ts":1791640600.5,"request":{"uri":"/x"},"status":503,"duration":0.5}"#]);
    let select = "SELECT to_timestamp(ts) AS time, status, 'caddy' AS source FROM input";
    json.takes(&["--select", select]);
    json.takes(&[]);
    let sources = query(&log.store, "SELECT split_part(source, '/', 1) FROM requests WHERE status = 503 ORDER BY 1");
    assert_eq!(sources, ["caddy", "log"]);
    run(nines().arg("--store").arg(&log.store).arg("check"));
}
