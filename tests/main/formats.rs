//! How results are printed, and what happens when there is none.

use crate::{fails, nines, run};

const ROWS: &str = "SELECT * FROM (VALUES (1, 0.1 + 0.2, '业务', NULL), (2, 1e-9, 'a|b', 'x')) AS v(n, f, text, maybe)";

fn printed(format: &str, sql: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    run(nines().current_dir(folder.path()).args(["sql", "--format", format, sql]))
}

#[test]
fn tables_align_double_width_characters() {
    insta::assert_snapshot!(printed("table", ROWS));
    insta::assert_snapshot!(printed("markdown", ROWS));
}

#[test]
fn programs_get_full_precision() {
    insta::assert_snapshot!(printed("csv", ROWS));
    insta::assert_snapshot!(printed("json", ROWS));
    insta::assert_snapshot!(printed("jsonl", ROWS));
}

#[test]
fn a_timeline_is_short_for_people_and_whole_for_programs() {
    let sql = "SELECT t, error_intervals(t) AS errors FROM (SELECT timeline(time, ok, 60) AS t FROM (VALUES
        ('2026-10-01T00:00:00Z', true), ('2026-10-01T00:01:00Z', false), ('2026-10-01T00:05:00Z', true)) AS v(time, ok))";
    insta::assert_snapshot!(printed("table", sql));
    insta::assert_snapshot!(printed("csv", sql));
}

#[test]
fn files_are_written_whole_in_the_format_of_their_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["r.csv", "r.json", "r.jsonl", "r.md", "r.parquet", "r.arrow", "r.txt"] {
        run(nines().current_dir(folder.path()).args(["sql", ROWS, "-o", name]));
        assert!(folder.path().join(name).metadata().unwrap().len() > 0, "{name}");
    }
    let back =
        run(nines().current_dir(folder.path()).args(["sql", "--format", "csv", "SELECT n, text FROM 'r.parquet'"]));
    assert_eq!(back, "n,text\n1,业务\n2,a|b\n");
    // A failing query leaves the old file as it was, and no temporary one.
    let failing = "SELECT slice_ok(1, 1, n) FROM (VALUES (1), (2)) AS v(n)";
    let said = fails(1, nines().current_dir(folder.path()).args(["sql", failing, "-o", "r.csv"]));
    assert!(said.contains("expected a share between 0 and 1, got 2"), "{said}");
    assert!(std::fs::read_to_string(folder.path().join("r.csv")).unwrap().starts_with("n,f,text,maybe\n1,"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 7);
}

#[test]
fn parameters_stand_wherever_constants_do() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "SELECT availability(clip(timeline(time, ok, $width), $from, $to)) AS a, $text AS text
               FROM (VALUES ('2026-10-01 00:00:00', true), ('2026-10-02 00:00:00', false)) AS v(time, ok)";
    let given =
        ["--param", "width=60", "--param", "from=2026-10-01", "--param", "to=2026-10-02", "--param", "text='1'"];
    let shown = run(nines().current_dir(folder.path()).args(["sql", "--format", "csv", sql]).args(given));
    assert_eq!(shown, "a,text\n1.0,1\n");
    let said = fails(1, nines().current_dir(folder.path()).args(["sql", "SELECT $from"]));
    assert_eq!(said, "error: parameter $from has no value; give it with --param from=VALUE\n");
}

#[test]
fn an_empty_answer_says_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    let done = nines().current_dir(folder.path()).args(["sql", "SELECT * FROM requests"]).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(said, "there is no store here yet; try `nines demo`, or fill one with: nines ingest requests FILE\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "reading must not create a store");
}

#[test]
fn errors_are_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let said = |sql: &str| fails(1, nines().current_dir(folder.path()).args(["sql", sql]));
    insta::assert_snapshot!(said("SELECT nosuch FROM requests"));
    insta::assert_snapshot!(said("SELEC 1"));
    insta::assert_snapshot!(said("SELECT availability(1)"));
    insta::assert_snapshot!(said("SELECT 1/0"));
    insta::assert_snapshot!(said("DROP TABLE requests"));
}

#[test]
fn a_query_beyond_its_memory_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let sql = "SELECT array_length(array_agg(value)) FROM generate_series(1, 2000000)";
    let said = fails(1, nines().current_dir(folder.path()).args(["sql", "--memory-limit", "2MB", sql]));
    let expected = "error: the statement needs more memory than its limit; raise it with --memory-limit\n";
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn several_statements_answer_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let script = "CREATE VIEW v AS SELECT 1 AS one; SELECT one FROM v; SELECT one + 1 AS two FROM v;";
    let shown = run(nines().current_dir(folder.path()).args(["sql", "--format", "csv"]).write_stdin(script));
    assert_eq!(shown, "one\n1\ntwo\n2\n");
}

#[test]
fn pipes_and_links_stay_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let script = "mkfifo pipe; cat pipe > copy & \"$1\" sql 'SELECT 1 AS one' --format csv -o pipe; wait; \
                  echo old > file; ln -s file link; \"$1\" sql 'SELECT 2 AS two' --format csv -o link; test -p pipe; test -L link; cat copy file";
    let binary = assert_cmd::cargo::cargo_bin("nines");
    let mut shell = assert_cmd::Command::new("sh");
    shell.args(["-euc", script, "sh"]).arg(binary).current_dir(folder.path());
    assert_eq!(run(&mut shell), "one\n1\ntwo\n2\n");
}
