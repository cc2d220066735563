//! What is read of a file is what is written in it, whether it is ingested, mapped or named in SQL.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use crate::{count, fails, nines, query, run};

struct Place(tempfile::TempDir);

impl Place {
    fn with(name: &str, text: impl AsRef<[u8]>) -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        place.write(name, text);
        place
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn ingest(&self, table: &str, file: &str, select: &str) -> String {
        run(&mut self.command(&["ingest", table, file, "--select", select]))
    }

    fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = nines();
        command.current_dir(self.0.path()).args(["--store", "store"]).args(arguments);
        command
    }

    /// Rows of a query over files, as CSV without its header.
    fn rows(&self, sql: &str) -> Vec<String> {
        let text = run(&mut self.command(&["sql", "--format", "csv", sql]));
        text.lines().skip(1).map(str::to_string).collect()
    }
}

#[test]
fn a_field_or_fraction_that_comes_late_is_there() {
    let lines = (1..=1000).fold(String::new(), |mut text, i| {
        let _ = writeln!(text, "{{\"time\":{},\"value\":0,\"name\":\"e\"}}", 1_791_936_000 + 60 * i);
        text
    });
    let place = Place::with("a.jsonl", lines + "{\"time\":1792000000,\"value\":0.9,\"name\":\"e\",\"late\":\"x\"}\n");
    place.ingest("gauges", "a.jsonl", "SELECT time, value, name, late AS source FROM input");
    assert_eq!(place.rows("SELECT max(max), max(source) <> '' FROM gauges"), ["0.9,true"]);
    assert_eq!(place.rows("SELECT max(value), max(late), count(late) FROM 'a.jsonl'"), ["0.9,x,1"]);
}

#[test]
fn leading_zeros_are_kept() {
    let place = Place::with("d.csv", "time,customer,requests\n1791936060,007,1\n1791936060,7,1\n");
    place.ingest("requests", "d.csv", "SELECT * FROM input");
    let stored = query(&place.store(), "SELECT customer, requests FROM requests ORDER BY 1");
    assert_eq!(stored, ["007,1", "7,1"]);
    assert_eq!(place.rows("SELECT customer FROM 'd.csv' ORDER BY 1"), ["007", "7"]);
}

#[test]
fn quoted_newlines_are_no_rows_in_files_of_any_size() {
    let note = format!("{}\n1769904000,n0,0,100,", "x".repeat(90)).repeat(2);
    let mut text = String::from("time,name,good,total,note\n");
    for i in 0..60_000 {
        let _ = writeln!(text, "{},n{},100,100,\"{note}\"", 1_791_936_000 + 60 * (i % 1000), i / 1000);
    }
    assert!(text.len() > 10 << 20, "DataFusion reads larger files in parts");
    let place = Place::with("p.csv", text);
    assert_eq!(place.rows("SELECT count(*), sum(total) FROM 'p.csv'"), ["60000,6000000"]);
    let external = "CREATE EXTERNAL TABLE p STORED AS CSV LOCATION 'p.csv'; SELECT count(*), sum(total) FROM p";
    assert_eq!(place.rows(external), ["60000,6000000"]);
}

#[test]
fn semicolons_and_tabs_separate() {
    let place = Place::with("k.csv", "time;status;requests\n1791936000;200;1\n");
    place.write("t.tsv", "time\tstatus\trequests\n1791936060\t503\t1\n");
    for file in ["k.csv", "t.tsv"] {
        place.ingest("requests", file, "SELECT time, status, requests FROM input");
    }
    assert_eq!(query(&place.store(), "SELECT status FROM requests ORDER BY 1"), ["200", "503"]);
    assert_eq!(place.rows("SELECT count(status) FROM 'k.csv'"), ["1"]);
    place.write("both.csv", "a;b,c\n1;2,5\n");
    let said = fails(1, &mut place.command(&["sql", "SELECT * FROM 'both.csv'"]));
    assert!(said.starts_with("error: both.csv:1: the header has ';' and ',': it cannot be told"), "{said}");
}

#[test]
fn types_are_those_of_all_rows() {
    let place = Place::with(
        "t.csv",
        "i,wide,f,exact,zeros,flag,instant,clock,day,mixed,none\n\
         1,9223372036854775808,0.5,0.12345678901234567890,00,true,2026-10-14T04:00:00Z,2026-10-14 04:00:00,2026-10-14,1,\n\
         -2,1,NaN,10,1,FALSE,2026-10-14T13:00:00.5+09:00,2026-10-14T05:00:00,2026-10-15,x,\"\"\n",
    );
    let types = "SELECT arrow_typeof(i), arrow_typeof(wide), arrow_typeof(f), arrow_typeof(exact), arrow_typeof(zeros),
                 arrow_typeof(flag), arrow_typeof(day), arrow_typeof(mixed), arrow_typeof(none) FROM 't.csv' LIMIT 1";
    assert_eq!(
        place.rows(types),
        ["Int64,\"Decimal128(19, 0)\",Float64,\"Decimal128(22, 20)\",Utf8,Boolean,Date32,Utf8,Utf8"]
    );
    // One instant is later by half a second; a clock's reading is of the session's zone once it is compared.
    let times = "SELECT max(instant) - min(instant) = interval '0.5 seconds', min(instant), min(clock) FROM 't.csv'";
    assert_eq!(place.rows(times), ["true,2026-10-14T04:00:00Z,2026-10-14T04:00:00"]);
    assert_eq!(place.rows("SELECT count(none), count(*), sum(wide) FROM 't.csv'"), ["0,2,9223372036854775809"]);
    // How many rows a batch has changes nothing.
    for rows in [1, 7] {
        let set = format!("SET datafusion.execution.batch_size = {rows}; {types}");
        assert_eq!(place.rows(&set), place.rows(types));
    }
}

#[test]
fn members_of_json_keep_what_is_written() {
    let place = Place::with(
        "j.jsonl",
        r#"{"id": 12345678901234567890, "log": {"status": 200, "tags": ["a", "b"]}, "v": 1, "any": {"x": 1}}
{"id": 7, "log": {"status": 503, "user": "007"}, "v": 1.5, "any": [1.50]}
{"id": 7, "log": null, "late": true}
"#,
    );
    let sql = "SELECT id, log['status'], log['user'], log['tags'][2], v, \"any\", late FROM 'j.jsonl'";
    assert_eq!(
        place.rows(sql),
        ["12345678901234567890,200,,b,1.0,\"{\"\"x\"\": 1}\",", "7,503,007,,1.5,[1.50],", "7,,,,,,true"]
    );
    assert_eq!(place.rows("SELECT sum(f.log.status) FROM 'j.jsonl' AS f"), ["703"]);
}

#[test]
fn errors_name_file_line_and_column() {
    let place = Place::with("bad.csv", "time,note\n1,\"a\nb\"\n2,\"x\",3\n");
    let said = |sql: &str| fails(1, &mut place.command(&["sql", sql]));
    assert!(
        said("SELECT * FROM 'bad.csv'")
            .starts_with("error: bad.csv:4: there are 3 fields; expected 2 as in the header. ")
    );
    place.write("bad.jsonl", "{\"a\": 1}\n{\"a\": }\n");
    assert!(said("SELECT * FROM 'bad.jsonl'").starts_with("error: bad.jsonl:2:7: "));
    place.write("twice.csv", "a,b,a\n1,2,3\n");
    assert!(said("SELECT * FROM 'twice.csv'").starts_with("error: twice.csv:1: column \"a\" is there twice"));
    place.write("latin.csv", b"name\nM\xfcller\n");
    let latin = said("SELECT * FROM 'latin.csv'");
    assert!(latin.starts_with("error: latin.csv:2: name is ") && latin.contains("iconv -f WINDOWS-1252"), "{latin}");
    assert!(said("SELECT * FROM 'none.csv'").contains("none.csv: there is no such file"));
    let said = fails(1, &mut place.command(&["ingest", "requests", "bad.csv", "--select", "SELECT time FROM input"]));
    assert!(said.starts_with("error: bad.csv:4: there are 3 fields"), "{said}");
}

#[test]
fn a_query_that_keeps_nothing_says_so() {
    let place = Place::with("a.log", "one\ntwo\n");
    let select = "SELECT 1 AS time, 'a' AS name, 1 AS good, 1 AS total FROM input WHERE line LIKE 'three%'";
    let mut arguments = vec!["ingest", "events", "a.log", "--select", select];
    let said = fails(1, &mut place.command(&arguments));
    assert!(said.contains("the query kept none of the 2 rows that it read; nothing is stored"), "{said}");
    arguments.push("--allow-empty");
    assert!(run(&mut place.command(&arguments)).contains("written     nothing"));
}

#[test]
fn folders_patterns_and_packed_files_are_tables() {
    let place = Place::with("day=1/a.csv", "n,s\n1,x\n");
    place.write("day=2/b.csv", "n,late\n0.5,y\n");
    let sql = "SELECT day, n, s, late FROM '.' ORDER BY day";
    assert_eq!(place.rows(sql), ["1,1.0,x,", "2,0.5,,y"]);
    assert_eq!(place.rows("SELECT sum(n) FROM 'day=*/*.csv'"), ["1.5"]);
    let mut encoder = std::process::Command::new("gzip");
    assert!(encoder.current_dir(place.0.path()).arg("day=1/a.csv").status().unwrap().success());
    assert_eq!(place.rows("SELECT n FROM 'day=1/a.csv.gz'"), ["1"]);
    place.write("lines.log", "GET /\n\nPOST /\n");
    assert_eq!(place.rows("SELECT line FROM 'lines.log'"), ["GET /", "POST /"]);
}

#[test]
fn a_view_sees_a_file_that_grew() {
    let place = Place::with("g.csv", "n\n1\n");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let session = nines_engine::Session::open(nines_engine::Settings::new("memory://grew")).await.unwrap();
        let file = place.0.path().join("g.csv");
        session.sql(&format!("CREATE VIEW g AS SELECT * FROM '{}'", file.display())).await.unwrap();
        let sum = async || {
            let rows = session.sql("SELECT sum(n) AS n FROM g").await.map_err(|error| error.to_string())?;
            Ok::<_, String>(datafusion::arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string())
        };
        assert!(sum().await.unwrap().contains("| 1 |"));
        place.write("g.csv", "n\n1\n41\n");
        assert!(sum().await.unwrap().contains("| 42 |"));
        place.write("g.csv", "n\n1\n41\nlate\n");
        let said = sum().await.unwrap_err();
        assert!(said.contains("its columns or their types have changed"), "{said}");
    });
}

/// Texts that look like something else.
const TEXTS: [&str; 20] = [
    "",
    "7",
    "007",
    "1.50",
    "1.5",
    "true",
    "2026-10-01",
    "2026-10-01T00:00:00Z",
    "null",
    "NaN",
    "a,b",
    "a;b",
    "q\"uote",
    "new\nline",
    " blank ",
    "登录",
    "1e5",
    "+1",
    "12345678901234567890",
    "x\ty",
];
const COUNTS: [&str; 5] = ["1", "2.0", " 3 ", "0", "9007199254740993"];
const NUMBERS: [&str; 8] = ["0.5", "1", "0.250", "1e-3", "0.30000000000000004", "12.345678901234567890", "-2", "100"];

/// A cell of a column, and whether it may be a number in JSON.
fn cell(rng: &mut StdRng, column: &str, row: usize) -> String {
    let time = 1_791_936_000 + 60 * row;
    let one = |rng: &mut StdRng, of: &[&str]| of.choose(rng).unwrap().to_string();
    match column {
        "time" => match rng.random_range(0..6) {
            0 => format!("{time}.5"),
            1 => format!("{time}123"),
            2 => format!("2026-10-14T{:02}:{:02}:00Z", row / 60, row % 60),
            3 => format!("2026-10-14 {:02}:{:02}:00.123456789+02:00", row / 60, row % 60),
            4 => format!("2026-10-14 {:02}:{:02}:00", row / 60, row % 60),
            _ => time.to_string(),
        },
        "status" => one(rng, &["", "200", " 404 ", "503.0"]),
        "requests" | "samples" => one(rng, &COUNTS[..3]),
        "good" => one(rng, &["0", "1"]),
        "total" => one(rng, &COUNTS[..4][..3]),
        "latency_seconds" => one(rng, &["", "0.5", "0.250", "1e-3", "0.30000000000000004", "12.345678901234567890"]),
        "sum" | "last" => one(rng, &NUMBERS),
        "min" => "-2".to_string(),
        "max" => "100".to_string(),
        _ => one(rng, &TEXTS),
    }
}

/// A table, and the columns that its rows may have beside those that they must have.
const TABLES: [(&str, &[&str], &[&str]); 3] = [
    ("requests", &["time", "requests"], &["service", "endpoint", "customer", "status", "cause", "latency_seconds"]),
    ("events", &["time", "good", "total"], &["service", "customer", "name", "source"]),
    ("gauges", &["time", "samples", "sum", "min", "max", "last"], &["service", "endpoint", "name"]),
];

fn csv(rng: &mut StdRng, columns: &[&str], rows: &[Vec<String>]) -> String {
    let separator = *[",", ";", "\t"].choose(rng).unwrap();
    let ending = *["\n", "\r\n"].choose(rng).unwrap();
    let mut text = columns.join(separator) + ending;
    for row in rows {
        let cells = row.iter().map(|cell| {
            let must = cell.contains(['"', '\n', ',', ';', '\t']);
            if must || rng.random_bool(0.2) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
        });
        text += &(cells.collect::<Vec<_>>().join(separator) + ending);
    }
    text
}

fn json(rng: &mut StdRng, columns: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    for row in rows {
        let members = columns.iter().zip(row).filter_map(|(column, cell)| {
            let number = serde_json::from_str::<serde_json::Number>(cell).is_ok();
            match (number && rng.random_bool(0.7), cell.as_str()) {
                (true, number) => Some(format!("{column:?}: {number}")),
                (false, "") if rng.random_bool(0.5) => None,
                (false, text) => Some(format!("{column:?}: {}", serde_json::to_string(text).unwrap())),
            }
        });
        text += &format!("{{{}}}\n", members.collect::<Vec<_>>().join(", "));
    }
    text
}

/// A small file is stored alike when it is ingested as it is and through `SELECT * FROM input`.
#[test]
fn select_everything_is_to_ingest_as_it_is() {
    let (cases, seed) = (count("NINES_CASES", 150), count("NINES_SEED", 7));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut stored = 0;
    for case in 0..cases {
        let rng = &mut StdRng::seed_from_u64(seed.wrapping_add(case));
        let (table, must, may) = *TABLES.choose(rng).unwrap();
        let mut columns = must.to_vec();
        columns.extend(may.iter().filter(|_| rng.random_bool(0.6)));
        let rows = (0..rng.random_range(1..6)).map(|row| columns.iter().map(|column| cell(rng, column, row)).collect());
        let rows = rows.collect::<Vec<Vec<String>>>();
        let (name, text) = match rng.random_bool(0.5) {
            true => ("a.csv", csv(rng, &columns, &rows)),
            false => ("a.jsonl", json(rng, &columns, &rows)),
        };
        let file = folder.path().join(name);
        fs::write(&file, &text).unwrap();
        let zone = *["UTC", "Asia/Shanghai"].choose(rng).unwrap();
        let load = |select: Option<&str>| {
            runtime.block_on(async {
                let settings = nines_engine::Settings::new(format!("memory://case-{seed}-{case}-{}", select.is_some()));
                let session = nines_engine::Engine::open_or_create(settings, None).await.unwrap();
                let in_zone = nines_engine::SessionSettings { time_zone: zone.parse().unwrap(), ..Default::default() };
                let session = session.session(in_zone).await.unwrap();
                let kind = nines_engine::store::TableKind::from_name(table).unwrap();
                let mut load = nines_engine::Load::new(kind, vec![file.clone()]);
                load.select = select.map(str::to_string);
                session.load(&load, std::sync::Arc::default()).await.map_err(|error| error.to_string())?;
                let rows = session.sql(&format!("SELECT * FROM {table}")).await.unwrap();
                let shown = datafusion::arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string();
                let mut rows: Vec<String> = shown.lines().map(str::to_string).collect();
                rows.sort_unstable();
                Ok::<_, String>(rows.join("\n"))
            })
        };
        // What is refused as it is may be stored through SQL: a fraction as a customer, say.
        if let Ok(direct) = load(None) {
            stored += 1;
            let mapped = load(Some("SELECT * FROM input"));
            assert_eq!(mapped.as_deref(), Ok(direct.as_str()), "NINES_SEED={} of:\n{text}", seed + case);
        }
    }
    assert!(stored * 2 > cases, "{stored} of {cases} were stored as they are");
}
