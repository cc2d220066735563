//! Files of single requests, events and samples: pieces of them add, and each row counts once.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::logs::packed;
use crate::{fails, nines, query, run};

/// A store of its own, and files beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With a store that the version before wrote.
    fn before_pieces() -> Self {
        let place = Self::new();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stores/before-pieces"), &place.store());
        place
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn ingest(&self, args: &[&str]) -> Command {
        let mut command = nines();
        command.current_dir(self.0.path()).args(["--store", "store", "ingest"]).args(args);
        command
    }

    fn query(&self, sql: &str) -> Vec<String> {
        query(&self.store(), sql)
    }

    /// Requests by status.
    fn counted(&self) -> Vec<String> {
        self.query("SELECT status, sum(requests) FROM requests GROUP BY 1 ORDER BY 1")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &to) } else { _ = fs::copy(&path, &to).unwrap() }
    }
}

#[test]
fn pieces_that_share_a_minute_add() {
    let place = Place::new();
    place.write("1.csv", "time,status\n1791936000,503\n");
    place.write("2.csv", "time,status\n1791936030,200\n");
    run(&mut place.ingest(&["requests", "1.csv"]));
    let said = run(&mut place.ingest(&["requests", "2.csv"]));
    assert!(said.contains("changed     1 added, 0 replaced, 0 unchanged\n"), "{said}");
    let warning = "warning     1 slice from 2026-10-14 00:00:00Z to 2026-10-14 00:01:00Z had rows of the same source \
                   before; they add up.";
    assert!(said.contains(warning), "{said}");
    assert_eq!(place.counted(), ["200,1", "503,1"]);
    for name in ["1.csv", "2.csv"] {
        let said = run(&mut place.ingest(&["requests", name]));
        assert_eq!(said, format!("already ingested: {name} holds nothing new\n"));
    }
    assert_eq!(place.counted(), ["200,1", "503,1"]);
}

#[test]
fn a_file_that_grew_adds_its_new_lines_in_every_format() {
    let header = |format: &str| if format == "jsonl" { "" } else { "time,endpoint,status\n" };
    let line = |format: &str, n: usize| match format {
        "jsonl" => format!("{{\"time\": {}, \"endpoint\": \"/{n}\", \"status\": 200}}\n", 1_791_936_000 + n * 20),
        "tsv" => format!("{}\t\"/{n}\n\"\t200\n", 1_791_936_000 + n * 20),
        _ => format!("{},\"/{n}\n\",200\n", 1_791_936_000 + n * 20),
    };
    for format in ["csv", "tsv", "jsonl"] {
        let place = Place::new();
        let name = format!("a.{format}");
        let text = |lines: usize| {
            let header = if format == "tsv" { header(format).replace(',', "\t") } else { header(format).to_string() };
            (0..lines).fold(header, |text, n| text + &line(format, n))
        };
        for (lines, half) in [(2, "17"), (2, ""), (5, "1,\"x\n"), (6, "")] {
            let half = match format {
                "jsonl" if !half.is_empty() => "{\"time\": 1".to_string(),
                "tsv" => half.replace(',', "\t"),
                _ => half.to_string(),
            };
            place.write(&name, text(lines) + &half);
            let said = run(&mut place.ingest(&["requests", &name, "--source", "edge"]));
            assert_eq!(said.contains("left        an incomplete last line of "), !half.is_empty(), "{said}");
            assert!(!said.contains("warning"), "{said}");
        }
        assert_eq!(place.query("SELECT count(*), sum(requests) FROM requests"), ["6,6"], "{format}");
        let sources = place.query("SELECT DISTINCT source FROM requests");
        assert_eq!(sources.len(), 3, "{sources:?}");
        assert!(sources.iter().all(|source| source.starts_with("edge/") && source.contains(".0@")), "{sources:?}");
        // The same lines, packed, under another name.
        place.write("b.gz", packed(&text(6)));
        let with_format =
            ["requests", "b.gz", "--source", "edge", "--format", if format == "jsonl" { "jsonl" } else { "csv" }];
        assert_eq!(run(&mut place.ingest(&with_format)), "already ingested: b.gz holds nothing new\n");
    }
}

#[test]
fn a_parquet_file_is_one_piece() {
    let place = Place::new();
    let write = |name: &str, status: i32| {
        let sql = format!("SELECT to_timestamp('2026-10-14T00:00:0{status}Z') AS time, {status} AS status");
        run(nines().current_dir(place.0.path()).args(["sql", &sql, "-o", name]));
    };
    write("a.parquet", 1);
    write("b.parquet", 2);
    run(&mut place.ingest(&["requests", "a.parquet"]));
    run(&mut place.ingest(&["requests", "b.parquet"]));
    place.write("c", fs::read(place.0.path().join("a.parquet")).unwrap());
    assert_eq!(run(&mut place.ingest(&["requests", "c"])), "already ingested: c holds nothing new\n");
    assert_eq!(place.counted(), ["1,1", "2,1"]);
}

#[test]
fn single_events_add_too() {
    let place = Place::new();
    place.write("1.csv", "time,name,ok\n2026-10-14T00:00:00Z,pay,true\n2026-10-14T00:00:10Z,pay,no\n");
    place.write("2.jsonl", "{\"time\": \"2026-10-14T00:00:20Z\", \"name\": \"pay\", \"ok\": 1}\n");
    run(&mut place.ingest(&["events", "1.csv"]));
    run(&mut place.ingest(&["events", "2.jsonl"]));
    assert_eq!(place.query("SELECT sum(good), sum(total) FROM events"), ["2,3"]);
    place.write("3.csv", "time,name,ok,good\n2026-10-14T00:00:00Z,pay,true,1\n");
    let said = fails(1, &mut place.ingest(&["events", "3.csv"]));
    assert!(said.contains("expected one or the other: ok, true or false of one event"), "{said}");
}

#[test]
fn samples_of_a_gauge_merge_within_their_source() {
    let place = Place::new();
    let line = |second: u32, value: i32| format!("2026-10-14T00:00:{second:02}Z,cpu,{value}\n");
    place.write("a.csv", "time,name,value\n".to_string() + &line(0, 5));
    run(&mut place.ingest(&["gauges", "a.csv", "--source", "edge"]));
    place.write("a.csv", "time,name,value\n".to_string() + &line(0, 5) + &line(10, -1) + &line(20, 2));
    run(&mut place.ingest(&["gauges", "a.csv", "--source", "edge"]));
    let rows = || place.query("SELECT source, samples, sum, min, max, last FROM gauges");
    assert_eq!(rows(), ["edge,3,6.0,-1.0,5.0,2.0"]);
    run(&mut place.ingest(&["gauges", "a.csv", "--source", "edge"]));
    assert_eq!(rows(), ["edge,3,6.0,-1.0,5.0,2.0"]);
    // A batch of aggregates says all of its slice.
    place.write("b.csv", "time,name,samples,sum,min,max,last\n2026-10-14T00:00:00Z,cpu,1,7,7,7,7\n");
    run(&mut place.ingest(&["gauges", "b.csv", "--source", "edge"]));
    assert_eq!(rows(), ["edge,1,7.0,7.0,7.0,7.0"]);
}

#[test]
fn aggregates_replace_the_pieces_of_their_source() {
    let place = Place::new();
    let minute = |n: u32| format!("2026-10-14T00:{n:02}:00Z");
    let raw = |status: u32| format!("time,status\n{},{status}\n{},{status}\n", minute(0), minute(1));
    place.write("a.csv", raw(500));
    place.write("b.csv", raw(501));
    run(&mut place.ingest(&["requests", "a.csv", "--source", "edge"]));
    run(&mut place.ingest(&["requests", "b.csv", "--source", "core"]));
    place.write("sum.csv", format!("time,status,requests\n{},200,7\n", minute(1)));
    let said = run(&mut place.ingest(&["requests", "sum.csv", "--source", "edge"]));
    assert!(said.contains("changed     1 added, 0 replaced, 0 unchanged, 1 removed\n"), "{said}");
    assert!(said.contains("warning     1 stored row went: of their slices this batch says something else\n"), "{said}");
    assert_eq!(place.counted(), ["200,7", "500,1", "501,2"]);
    // Rows without a count are aggregates if they are said to be.
    place.write("c.csv", format!("time,status\n{},404\n{},404\n", minute(0), minute(0)));
    for _ in 0..2 {
        run(&mut place.ingest(&["requests", "c.csv", "--source", "edge", "--aggregates"]));
        assert_eq!(place.counted(), ["200,7", "404,2", "501,2"]);
    }
}

#[test]
fn a_complete_file_replaces_all_from_its_first_slice_to_its_last() {
    let place = Place::new();
    let text = |rows: &[(u32, &str, u32)]| {
        let row = |(minute, service, status): &(u32, &str, u32)| {
            format!("2026-10-14T23:{minute:02}:00Z,{service},{status}\n")
        };
        "time,service,status\n".to_string() + &rows.iter().map(row).collect::<String>()
    };
    let next_day = "2026-10-15T00:30:00Z,web,500\n";
    place.write("wrong.csv", text(&[(1, "web", 500), (2, "web", 500), (2, "pay", 500), (59, "web", 500)]) + next_day);
    run(&mut place.ingest(&["requests", "wrong.csv", "--source", "edge"]));
    run(&mut place.ingest(&["requests", "wrong.csv", "--source", "core"]));
    place.write("right.csv", text(&[(2, "web", 200)]) + "2026-10-15T00:10:00Z,web,200\n");
    for _ in 0..2 {
        run(&mut place.ingest(&["requests", "right.csv", "--source", "edge", "--replace"]));
        let edge = place
            .query("SELECT time, service, status, requests FROM requests WHERE source LIKE 'edge/%' ORDER BY 1, 2");
        assert_eq!(
            edge,
            [
                "2026-10-14T23:01:00Z,web,500,1",
                "2026-10-14T23:02:00Z,pay,500,1",
                "2026-10-14T23:02:00Z,web,200,1",
                "2026-10-15T00:10:00Z,web,200,1",
                "2026-10-15T00:30:00Z,web,500,1",
            ]
        );
    }
    assert_eq!(place.query("SELECT count(*) FROM requests WHERE source LIKE 'core/%'"), ["5"]);
    // From then on it is known, and grows.
    assert!(run(&mut place.ingest(&["requests", "right.csv", "--source", "edge"])).contains("holds nothing new"));
    // What is complete may be several files, which meet within a slice, as rotated logs do.
    place.write("old.csv", text(&[(4, "log", 200), (5, "log", 200)]));
    place.write("new.csv", text(&[(5, "log", 200), (5, "log", 500), (6, "log", 200)]));
    for file in ["old.csv", "new.csv"] {
        run(&mut place.ingest(&["requests", file, "--source", "rotated"]));
    }
    let rotated = "SELECT time, status, sum(requests) FROM requests WHERE service = 'log' GROUP BY 1, 2 ORDER BY 1, 2";
    let apart = place.query(rotated);
    assert_eq!(apart.len(), 4);
    for files in [["old.csv", "new.csv"], ["new.csv", "old.csv"]] {
        run(&mut place.ingest(&["requests", files[0], files[1], "--source", "rotated", "--replace"]));
        assert_eq!(place.query(rotated), apart);
    }
    // One of two that begin alike may be the beginning of the other.
    place.write("more.csv", text(&[(4, "log", 200), (5, "log", 200), (7, "log", 200)]));
    let said = fails(1, &mut place.ingest(&["requests", "old.csv", "more.csv", "--source", "rotated", "--replace"]));
    assert!(said.contains("old.csv and more.csv begin with the same record"), "{said}");
    assert_eq!(place.query(rotated), apart);
    // A file with counts is complete in the same way: what it does not speak of goes.
    place.write("sum.csv", "time,service,requests\n2026-10-14T23:00:00Z,web,1\n2026-10-14T23:03:00Z,web,1\n");
    run(&mut place.ingest(&["requests", "sum.csv", "--source", "edge", "--replace"]));
    let edge = "SELECT time, requests FROM requests WHERE service = 'web' AND source LIKE 'edge%' AND time < '2026-10-15' ORDER BY time";
    assert_eq!(place.query(edge), ["2026-10-14T23:00:00Z,1", "2026-10-14T23:03:00Z,1"]);
}

#[test]
fn a_file_of_one_kind_of_rows() {
    let place = Place::new();
    place.write("a.jsonl", "{\"time\": 1791936000}\n{\"time\": 1791936001, \"requests\": 2}\n");
    let said = fails(1, &mut place.ingest(&["requests", "a.jsonl"]));
    let expected = "a.jsonl:2: requests is a count, and the rows before are single ones; expected all rows of a file to carry \
                    counts, or none. Split the file, or say that all counts are complete for their slices: --aggregates";
    assert!(said.contains(expected), "{said}");
    place.write("b.jsonl", "{\"time\": 1791936001, \"requests\": 2}\n{\"time\": 1791936000}\n");
    let said = fails(1, &mut place.ingest(&["requests", "b.jsonl"]));
    assert!(said.contains("b.jsonl:2: requests is missing, and the rows before carry counts"), "{said}");
    run(&mut place.ingest(&["requests", "a.jsonl", "b.jsonl", "--aggregates"]));
    assert_eq!(place.counted(), ["0,6"]);
}

#[test]
fn aggregates_that_fill_a_slice_in_part_are_told() {
    let place = Place::new();
    place.write("a.csv", "time,requests\n2026-10-14T00:00:30Z,1\n2026-10-14T00:01:00Z,1\n2026-10-14T00:01:20Z,1\n");
    let said = run(&mut place.ingest(&["requests", "a.csv"]));
    assert!(said.contains("warning     the first row is at 2026-10-14 00:00:30Z, within a slice of 60 s"), "{said}");
    assert!(
        said.contains("warning     the last row is at 2026-10-14 00:01:20Z, before its slice of 60 s is over"),
        "{said}"
    );
    place.write("b.csv", "time,requests\n2026-10-14T01:00:00Z,1\n2026-10-14T01:01:00Z,1\n");
    assert!(!run(&mut place.ingest(&["requests", "b.csv"])).contains("warning"));
}

#[test]
fn what_an_older_version_stored_raw_is_not_counted_twice() {
    let raw = "time,service,status\n2026-10-01T10:00:00Z,web,503\n2026-10-01T10:00:30Z,web,200\n2026-10-01T10:01:00Z,web,200\n";
    let place = Place::before_pieces();
    let counts = ["200,3", "503,1"];
    assert_eq!(place.counted(), counts);
    // The same file, and the file grown.
    for more in ["", "2026-10-01T10:05:00Z,web,200\n"] {
        place.write("raw.csv", raw.to_string() + more);
        let said = fails(1, &mut place.ingest(&["requests", "raw.csv"]));
        assert!(said.contains("has rows of the source \"\" at 2026-10-01T10:00:00Z already"), "{said}");
        assert!(
            said.contains("--replace. If it is another delivery, give it a name of its own: --source NAME"),
            "{said}"
        );
        assert_eq!(place.counted(), counts);
    }
    run(&mut place.ingest(&["requests", "raw.csv", "--replace"]));
    assert_eq!(place.counted(), ["200,4", "503,1"]);
    place.write("raw.csv", raw.to_string() + "2026-10-01T10:05:00Z,web,200\n2026-10-01T10:06:00Z,web,200\n");
    run(&mut place.ingest(&["requests", "raw.csv"]));
    assert_eq!(place.counted(), ["200,5", "503,1"]);
    // A log that it read by pieces goes on.
    let line = |second: u32| format!("1.2.3.4 - - [01/Oct/2026:10:00:0{second} +0000] \"GET / HTTP/1.1\" 200 1\n");
    place.write("a.log", line(0) + &line(1));
    run(&mut place.ingest(&["requests", "a.log", "--service", "web"]));
    assert_eq!(place.counted(), ["200,6", "503,1"]);

    let place = Place::before_pieces();
    place.write("raw.csv", raw);
    run(&mut place.ingest(&["requests", "raw.csv", "--source", "edge"]));
    assert_eq!(place.counted(), ["200,5", "503,2"]);
    place.write("g.csv", "time,name,value\n2026-10-01T10:00:00Z,cpu,1\n2026-10-01T10:00:30Z,cpu,3\n");
    let said = fails(1, &mut place.ingest(&["gauges", "g.csv"]));
    assert!(said.contains("the same rows would count twice"), "{said}");
    run(&mut place.ingest(&["gauges", "g.csv", "--replace"]));
    assert_eq!(place.query("SELECT samples, sum FROM gauges"), ["2,4.0"]);
}

#[test]
fn the_repeated_hour_is_told_by_the_order_of_the_lines() {
    let place = Place::new();
    let berlin = |args: &[&str]| {
        let mut command = place.ingest(args);
        command.args(["--time-zone", "Europe/Berlin"]);
        command
    };
    let stored = || place.query("SELECT time, status FROM requests ORDER BY 1, 2");
    let expected = ["2026-10-25T00:00:00Z,200", "2026-10-25T00:59:00Z,200", "2026-10-25T01:00:00Z,503"];
    let row = |time: &str, status: u32| format!("2026-10-25 {time}:00,{status}\n");
    let text = "time,status\n".to_string() + &row("02:00", 200) + &row("02:59", 200);
    place.write("g.csv", text.clone() + &row("02:00", 503));
    run(&mut berlin(&["requests", "g.csv"]));
    assert_eq!(stored(), expected);

    // In two pieces: what was read before tells the pass of what follows.
    let place = Place::new();
    let begun = "time,status\n".to_string() + &row("01:59", 200) + &row("02:10", 200);
    place.write("g.csv", &begun);
    let berlin = |args: &[&str]| {
        let mut command = place.ingest(args);
        command.args(["--time-zone", "Europe/Berlin"]);
        command
    };
    run(&mut berlin(&["requests", "g.csv"]));
    place.write("g.csv", begun + &row("02:05", 503) + &row("02:50", 503));
    run(&mut berlin(&["requests", "g.csv"]));
    assert_eq!(
        place.query("SELECT time, status FROM requests WHERE time >= '2026-10-25T00:00:00Z' ORDER BY 1, 2"),
        ["2026-10-25T00:10:00Z,200", "2026-10-25T01:05:00Z,503", "2026-10-25T01:50:00Z,503"]
    );

    // Where nothing tells, the line is named, and can be said.
    place.write("h.csv", "time,status\n".to_string() + &row("02:20", 404));
    let said = fails(1, &mut berlin(&["requests", "h.csv"]));
    assert!(
        said.contains("h.csv:2: time is \"2026-10-25 02:20:00\"; expected the order of the rows to tell"),
        "{said}"
    );
    assert!(said.contains("--repeated-hour first or second"), "{said}");
    run(&mut berlin(&["requests", "h.csv", "--repeated-hour", "second"]));
    assert_eq!(place.query("SELECT time FROM requests WHERE status = 404"), ["2026-10-25T01:20:00Z"]);
    place.write("i.csv", "time,status\n2026-03-29 02:30:00,200\n");
    let said = fails(1, &mut berlin(&["requests", "i.csv"]));
    assert!(
        said.contains("i.csv:2: time is \"2026-03-29 02:30:00\"; expected a time that exists in Europe/Berlin"),
        "{said}"
    );
}

#[test]
fn times_that_cannot_be_meant_are_refused() {
    let place = Place::new();
    let at_noon = |args: &[&str]| {
        let mut command = place.ingest(args);
        command.env("NINES_NOW", "2026-10-14T12:00:00Z");
        command
    };
    // A spreadsheet's day, and the way to read it that the refusal names.
    place.write("h.csv", "time,status\n46309.416666666664,200\n");
    let said = fails(1, &mut at_noon(&["requests", "h.csv"]));
    assert!(
        said.contains("h.csv:2: time is \"46309.416666666664\"; expected a time like 2026-10-01T12:00:00Z"),
        "{said}"
    );
    assert!(said.contains("in a spreadsheet this number is 2026-10-14 10:00:00"), "{said}");
    let select = said.split("--select \"").nth(1).unwrap().split('"').next().unwrap().replace('…', "status");
    run(&mut at_noon(&["requests", "h.csv", "--select", &select]));
    assert_eq!(place.query("SELECT time, requests FROM requests"), ["2026-10-14T10:00:00Z,1"]);
    for (n, (time, expected)) in [
        ("46309", "in a spreadsheet this number is 2026-10-14 00:00:00"),
        (
            "0",
            "expected a time from 1990 to 2026-10-15 12:00Z, a day from now. Correct it, or take any time: --any-time",
        ),
        ("1989-12-31T23:59:59Z", "expected a time from 1990"),
        ("2026-10-15T12:00:01Z", "expected a time from 1990 to 2026-10-15 12:00Z"),
        ("9999-12-31T23:59:59Z", "expected a time from 1990"),
    ]
    .into_iter()
    .enumerate()
    {
        for (table, rest) in [("requests", "requests"), ("events", "ok"), ("gauges", "value")] {
            let name = format!("{table}-{n}.csv");
            place.write(&name, format!("time,{rest}\n{time},1\n"));
            let said = fails(1, &mut at_noon(&[table, &name]));
            assert!(said.contains(&format!("{name}:2: ")) && said.contains(expected), "{time}: {said}");
            let mapped = [table, &name, "--select", &format!("SELECT time, {rest} FROM input")];
            let said = fails(1, &mut at_noon(&mapped));
            assert!(said.contains(expected), "{time}: {said}");
        }
        run(&mut at_noon(&["events", &format!("events-{n}.csv"), "--any-time"]));
    }
    place.write("a.log", "h - - [10/Oct/1980:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1\n");
    let said = fails(1, &mut at_noon(&["requests", "a.log"]));
    assert!(said.contains("a.log:1: ") && said.contains("expected a time from 1990"), "{said}");
    // Of records nothing is said: an exclusion may be announced for next year.
    place.write("e.csv", "id,category,started,ended\n1,Maintenance,2027-10-01,2027-10-02\n");
    run(&mut at_noon(&["exclusions", "e.csv"]));
}

#[test]
fn a_row_of_a_far_year_is_not_reached_day_by_day() {
    let place = Place::new();
    let row = |time: &str| {
        format!(
            "('{time}', 'ws', 200, 5, named_struct('zero', 1, 'buckets', make_array(named_struct('bucket', 5, 'count', 1))))"
        )
    };
    let rows = [row("2026-10-01T00:05:00Z"), row("9999-12-30T00:05:00Z")].join(", ");
    let sql = format!("INSERT INTO requests (time, service, status, requests, latency) VALUES {rows}");
    run(nines().arg("--store").arg(place.store()).args(["sql", &sql]));
    let indicator = |name: &str, metric: &str| {
        format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: ws\n  indicator: {{metadata: {{name: {name}}}, \
             spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {metric}}}}}}}}}\n  timeWindow: [{{duration: 28d, \
             isRolling: true}}]\n  budgetingMethod: Timeslices\n  objectives: [{{target: 0.99, timeSliceWindow: 1m}}]\n---\n"
        )
    };
    place.write(
        "slo.yaml",
        indicator("up", "{type: nines/availability, spec: {party: service}}")
            + &indicator("fast", "{type: nines/latency, spec: {quantile: 0.9, baseline: previous month}}"),
    );
    let mut apply = nines();
    run(apply.current_dir(place.0.path()).args(["--store", "store", "apply", "slo.yaml"]));
    let begun = std::time::Instant::now();
    let timed = |args: &[&str]| {
        let mut command = nines();
        command.arg("--store").arg(place.store()).args(args).env("NINES_NOW", "2026-10-02T12:00:00Z");
        let said = run(command.timeout(std::time::Duration::from_secs(60)));
        assert!(begun.elapsed().as_secs() < 60, "{args:?}");
        said
    };
    assert!(timed(&["refresh"]).starts_with("2 objectives over "));
    timed(&["slos"]);
    let months = timed(&["sql", "--format", "csv", "SELECT count(*) FROM baselines"]);
    assert_eq!(months, "count(*)\n2\n");
    let up = "SELECT slo FROM report('2026-10-01', '2026-10-02') WHERE objective = 'up'";
    assert_eq!(timed(&["sql", "--format", "csv", up]), "slo\n1.0\n");
}

#[test]
fn a_query_over_single_rows_runs_over_new_ones() {
    let place = Place::new();
    let line = |n: u32, more: &str| {
        format!("{{\"at\": {}, \"zip\": \"007\", \"code\": {}{more}}}\n", 1_791_936_000 + n * 10, 200 + n)
    };
    let select = "SELECT at AS time, zip AS customer, code AS status FROM input WHERE code < 500";
    let mapped = ["requests", "a.jsonl", "--select", select];
    place.write("a.jsonl", line(0, "") + &line(1, ", \"note\": \"x\""));
    run(&mut place.ingest(&mapped));
    // A line that is being written, a field that new rows do not have, and a type that only old ones tell.
    place.write("a.jsonl", line(0, "") + &line(1, ", \"note\": \"x\"") + &line(2, "") + "{\"at\": 17");
    let said = run(&mut place.ingest(&mapped));
    assert!(said.contains("changed     1 added, 0 replaced, 0 unchanged\n"), "{said}");
    assert_eq!(place.counted(), ["200,1", "201,1", "202,1"]);
    assert_eq!(place.query("SELECT DISTINCT customer FROM requests"), ["007"]);
    let said = run(&mut place.ingest(&mapped));
    assert!(said.starts_with("already ingested: a.jsonl holds nothing new\n"), "{said}");
    let said = fails(1, &mut place.ingest(&["requests", "a.jsonl", "--select", "SELECT at AS time FROM input"]));
    assert!(said.contains("through another --select or none. --replace puts these rows in the place"), "{said}");

    // What needs all rows says so.
    for (select, what) in [
        ("SELECT at AS time, count(*) AS requests FROM input GROUP BY at", "GROUP BY"),
        ("SELECT DISTINCT at AS time FROM input", "DISTINCT"),
        ("SELECT at AS time FROM input LIMIT 1", "LIMIT"),
        ("SELECT at AS time, row_number() OVER () AS requests FROM input", "a window"),
    ] {
        place.write("b.jsonl", line(3, ""));
        let said = fails(1, &mut place.ingest(&["requests", "b.jsonl", "--select", select]));
        assert!(said.contains(what) && said.contains("say so: --aggregates"), "{said}");
        run(&mut place.ingest(&["requests", "b.jsonl", "--source", what, "--select", select, "--aggregates"]));
    }
    // A row of counts is an aggregate.
    let counts = ["requests", "c.csv", "--select", "SELECT time, n AS requests FROM input", "--source", "counts"];
    place.write("c.csv", "time,n\n2026-10-14T05:00:00Z,5\n");
    run(&mut place.ingest(&counts));
    place.write("c.csv", "time,n\n2026-10-14T05:00:00Z,6\n");
    run(&mut place.ingest(&counts));
    assert_eq!(place.query("SELECT source, requests FROM requests WHERE time >= '2026-10-14T05:00:00Z'"), ["counts,6"]);
}
