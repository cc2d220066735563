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
    assert!(said.contains("all 1 lines or rows are refused; nothing is stored. bad.csv says why"), "{said}");
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
