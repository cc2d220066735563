//! `nines shell`, driven through a pseudo-terminal as a person would, and through pipes.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};
use tempfile::TempDir;

use crate::demo::demo_store;
use crate::{fails, nines, query, run};

/// How long a slow machine may take.
const PATIENCE: Duration = Duration::from_secs(60);
const UP: &str = "\x1b[A";

/// A store with the objectives of `data/web.yaml`, and the state folder of its user.
fn defined() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let store = folder.path().join("nines");
    run(nines()
        .arg("--store")
        .arg(&store)
        .args(["ingest", "requests", "--service", "web"])
        .arg(root.join("data/access.log")));
    run(nines().arg("--store").arg(&store).arg("apply").arg(root.join("data/web.yaml")));
    folder
}

/// A shell in a wide terminal, at its first prompt.
fn shell(folder: &Path, arguments: &str) -> PtySession {
    let binary = assert_cmd::cargo::cargo_bin("nines");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("stty rows 50 cols 160; exec '{}' shell {arguments}", binary.display())]);
    command.current_dir(folder).env("TERM", "xterm").env("XDG_STATE_HOME", folder.join("state"));
    command.env("PAGER", "cat").env_remove("NINES_STORE").env_remove("NO_COLOR");
    let options = Options::new().timeout_ms(Some(PATIENCE.as_millis() as u64)).strip_ansi_escape_codes(true);
    let mut session = spawn_with_options(command, options).unwrap();
    session.exp_string("nines> ").unwrap();
    session
}

/// The prompt on a line of its own; while a line is typed, it is drawn again without a line's end before it.
const PROMPT: &str = "\n\rnines> ";

/// Types keys; what is printed then must hold the text, and the next prompt must come.
fn expect(session: &mut PtySession, keys: &str, text: &str) {
    session.send(keys).unwrap();
    session.flush().unwrap();
    // The reader takes each byte for a character.
    let bytes: String = text.bytes().map(char::from).collect();
    for wanted in [bytes.as_str(), PROMPT] {
        session.exp_string(wanted).unwrap_or_else(|error| panic!("{keys:?} should print {text:?}: {error}"));
    }
}

/// Types what ends the shell.
fn leave(mut session: PtySession, keys: &str) {
    session.send(keys).unwrap();
    session.flush().unwrap();
    session.exp_eof().unwrap();
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let folder = defined();
    let mut session = shell(folder.path(), "");
    session.send("SELECT 40 + 2 AS a;\rSELECT 70 + 7 AS b;\r\\timing off\r").unwrap();
    session.flush().unwrap();
    for told in ["42", "77", "timing is off", PROMPT] {
        session.exp_string(told).unwrap();
    }
    leave(session, "\\q\r");
}

#[test]
fn tab_completes_tables_columns_and_objectives() {
    let folder = defined();
    let mut session = shell(folder.path(), "");
    expect(&mut session, "SELECT 4242 - 1726 + coun\t*) AS n FROM requ\t;\r", "│ 4242 │");
    expect(&mut session, "SELECT 'is ' || serv\t AS s FROM requests LIMIT 1;\r", "│ is web │");
    expect(&mut session, "SELECT 'is ' || objective AS o FROM slos WHERE objective = 'web\t;\r", "│ is web-success │");
    expect(&mut session, "\\slo sear\t\r", "Search is quick");
    expect(&mut session, "\\tim\t off\r", "timing is off");
    // Behind a space there is nothing to complete.
    expect(&mut session, "\\d fees \t\r", "voucher_amount");
    leave(session, "\\q\r");
}

#[test]
fn statements_span_lines_and_their_results_are_tables() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = shell(folder.path(), "--param less=1");
    expect(&mut session, "SELECT 4243\r - $less\r AS n;\r", "│ 4242 │");
    expect(&mut session, "SELECT n + 1000 AS m FROM _1 \\g\r", "│ 5242 │");
    expect(&mut session, "SELECT m + 1000 AS l FROM _; SELECT l + m + n AS k FROM _, _1, _2;\r", "│ 15726 │");
    expect(&mut session, "SELECT * FROM _1 AS a, _1 AS b;\r", "two columns");
    expect(&mut session, "\\set more\r", "$more has no value");
    expect(&mut session, "\\set from 2026-10-01\r", "");
    expect(&mut session, "SELECT 'from ' || $from AS since;\r", "│ from 2026-10-01 │");
    expect(&mut session, "\\set to this year\r", "01-01T00:00:00+00:00");
    expect(&mut session, "\\set c 7\r", "$c = 7 (number)");
    expect(&mut session, "\\set c 007\r", "$c = 007 (text)");
    expect(&mut session, "SELECT 'a' || '\\x1b[31m' || chr(27) || '[32mb' AS e;\r", "␛[32mb");
    expect(&mut session, "SELECT $until;\r", "\\set until VALUE");
    expect(&mut session, "SELECT nothing;\r", "there is no column nothing");
    expect(&mut session, "\\explian\r", "did you mean \\explain?");
    // Ctrl-C gives up a line, Ctrl-D on an empty one leaves.
    expect(&mut session, "half a line\x03", "half a line");
    expect(&mut session, "SELECT 4240 + 2 AS n;\r", "│ 4242 │");
    leave(session, "\x04");
}

#[test]
fn the_up_arrow_recalls_also_in_a_new_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = shell(folder.path(), "");
    expect(&mut session, "SELECT 4241\r+ 1 AS n;\r", "│ 4242 │");
    expect(&mut session, &format!("{UP}\r"), "│ 4242 │");
    leave(session, "\\q\r");
    let mut session = shell(folder.path(), "");
    expect(&mut session, &format!("{UP}{UP}\r"), "│ 4242 │");
    leave(session, "\\q\r");
    assert!(folder.path().join("state/nines/history").exists());
    // A safe session leaves nothing outside the store, and recalls nothing from there.
    std::fs::remove_dir_all(folder.path().join("state")).unwrap();
    let mut session = shell(folder.path(), "--safe");
    expect(&mut session, "SELECT 4241 + 1 AS n;\r", "│ 4242 │");
    leave(session, "\\q\r");
    assert!(!folder.path().join("state").exists());
}

#[test]
fn ctrl_c_cancels_the_statement_and_keeps_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = shell(folder.path(), "");
    for heavy in [
        "SELECT count(*) FROM generate_series(1, 100000000000);\r",
        "SELECT count(*) FROM generate_series(1, 300000) a (x) JOIN generate_series(1, 3000000) b (y) ON x + y < 0;\r",
    ] {
        session.send(heavy).unwrap();
        session.flush().unwrap();
        // Until the statement runs, Ctrl-C means the line.
        let begun = Instant::now();
        let mut printed = String::new();
        while !printed.contains("cancelled") {
            assert!(begun.elapsed() < PATIENCE, "{printed}");
            std::thread::sleep(Duration::from_millis(500));
            printed.extend(std::iter::from_fn(|| session.try_read()));
            if !printed.contains("cancelled") {
                session.send_control('c').unwrap();
            }
        }
        assert!(!printed.contains("does not end yet"), "{printed}");
        expect(&mut session, "SELECT 4241 + 1 AS n;\r", "│ 4242 │");
    }
    leave(session, "\\q\r");
}

/// Runs a script through a pipe.
fn piped(folder: &Path, arguments: &[&str], script: &str) -> assert_cmd::Command {
    let mut command = nines();
    command.current_dir(folder).arg("shell").args(arguments).write_stdin(script);
    command
}

#[test]
fn piped_it_prints_results_alone() {
    let folder = tempfile::tempdir().unwrap();
    let script =
        "\\format csv\n\\set x 2\nSELECT 1 AS a;\nSELECT a + $x AS b,\n ';' AS c -- ;\nFROM _ \\g\n\nSELECT b FROM _2";
    assert_eq!(run(&mut piped(folder.path(), &[], script)), "a\n1\nb,c\n3,;\nb\n3\n");
    let table = run(&mut piped(folder.path(), &["--param", "x=1"], "SELECT $x AS a;"));
    assert_eq!(table, "┌───┐\n│ a │\n╞═══╡\n│ 1 │\n└───┘\n1 row\n");
    // Even where a program calls it that would like colours.
    let said =
        run(piped(folder.path(), &[], "\\d fees\n\\df mtbf\n\\?\n").env("TERM", "xterm").env("CLICOLOR_FORCE", "1"));
    assert!(said.contains("voucher_amount") && said.contains("Mean time"), "{said}");
    assert!(!said.contains('\x1b') && !said.contains("nines>"), "{said}");
}

#[test]
fn piped_switches_say_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let script = "\\timing on\n\\pager off\n\\set x -1\n\\format csv\nSELECT 5-$x AS a;\n";
    let done = piped(folder.path(), &[], script).output().unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap(), "a\n6\n");
    assert!(String::from_utf8(done.stderr).unwrap().contains("ms"));
}

#[test]
fn what_is_prepared_is_executed_with_its_values() {
    let folder = tempfile::tempdir().unwrap();
    let script = "\\format csv\n\\set x 2\nPREPARE p(int) AS SELECT $1 + $x AS a;\nEXECUTE p(3);\nSELECT $1;\n";
    let done = piped(folder.path(), &[], script).output().unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap(), "a\n5\n");
    assert!(String::from_utf8(done.stderr).unwrap().contains("$1 has no value"));
}

#[test]
fn piped_it_ends_at_the_first_error_with_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let script = "\\format csv\nSELECT 1 AS a;\n\nSELECT\n  nothing;\nSELECT 2 AS b;\n";
    let mut command = piped(folder.path(), &[], script);
    let done = command.output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(String::from_utf8(done.stdout).unwrap(), "a\n1\n");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.starts_with("error: line 4: ") && said.contains("nothing"), "{said}");
    let said = fails(2, &mut piped(folder.path(), &[], "SELECT 1;\n\\fromat csv\n"));
    assert!(said.contains("line 2: \\fromat is no command; did you mean \\format?"), "{said}");
    let said = fails(2, &mut piped(folder.path(), &[], "SELECT 1\n\\d\n"));
    assert!(said.contains("end it with ;"), "{said}");
    // What was asked for before the error was done, and leaving early is no error.
    run(&mut piped(folder.path(), &[], "\\q\nSELECT nothing;"));
}

#[test]
fn an_interrupted_script_says_so() {
    use std::io::{Read, Write};
    use std::process::Stdio;
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("nines"));
    command.arg("shell").current_dir(folder.path()).env_remove("NINES_STORE");
    let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let script = "SELECT 1 AS a;\nSELECT count(*) FROM generate_series(1, 100000000000);\n";
    shell.stdin.as_mut().unwrap().write_all(script.as_bytes()).unwrap();
    // Once the first result is there, somebody listens.
    let mut result = [0; 16];
    shell.stdout.as_mut().unwrap().read_exact(&mut result).unwrap();
    let begun = Instant::now();
    let status = loop {
        assert!(begun.elapsed() < PATIENCE);
        Command::new("kill").args(["-INT", &shell.id().to_string()]).status().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        if let Some(status) = shell.try_wait().unwrap() {
            break status;
        }
    };
    let mut said = String::new();
    shell.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((status.code(), said.as_str()), (Some(130), "error: interrupted; nothing was stored\n"));
}

#[test]
fn results_go_to_files_and_statements_come_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let script = "\\o a.csv\nSELECT 1 AS a;\nSELECT 2 AS b;\n\\o\n\\format json\nSELECT 3 AS c;\n";
    assert_eq!(run(&mut piped(folder.path(), &[], script)), "[{\"c\":3}]\n");
    assert_eq!(read("a.csv"), "a\n1\nb\n2\n");
    let said = fails(2, &mut piped(folder.path(), &[], "\\o a.parquet\nSELECT 1 AS a;\nSELECT 2 AS b;\n"));
    assert!(said.contains("line 3: ") && said.contains("takes one"), "{said}");
    assert_eq!(run(&mut piped(folder.path(), &["--format", "csv"], "SELECT a FROM 'a.parquet';")), "a\n1\n");
    // A result that fails on its way leaves the file as it was.
    fails(
        1,
        &mut piped(folder.path(), &[], "\\o a.csv\nSELECT 1 / (value - 9000) AS d FROM generate_series(1, 9000);"),
    );
    assert_eq!(read("a.csv"), "a\n1\nb\n2\n");
    std::fs::write(folder.path().join("some.sql"), "\\set x 7\nSELECT $x AS a;\n\\q\nSELECT nothing;\n").unwrap();
    assert_eq!(
        run(&mut piped(folder.path(), &["--format", "csv"], "\\i some.sql\nSELECT $x + 1 AS b;")),
        "a\n7\nb\n8\n"
    );
    std::fs::write(folder.path().join("bad.sql"), "SELECT 1 AS a;\n\nSELECT nothing;\nSELECT 2;\n").unwrap();
    let said = fails(1, &mut piped(folder.path(), &[], "\\i bad.sql\nSELECT 3;"));
    assert!(said.starts_with("error: line 1: bad.sql:3: "), "{said}");
    std::fs::write(folder.path().join("circle.sql"), "\\i circle.sql\n").unwrap();
    assert!(fails(2, &mut piped(folder.path(), &[], "\\i circle.sql\n")).contains("again and again"));
}

#[test]
fn a_safe_session_stays_inside_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("in.csv");
    std::fs::write(&outside, "a\n1\n").unwrap();
    let script = "SELECT * FROM 'in.csv';";
    assert!(run(&mut piped(folder.path(), &[], script)).contains("│ 1 │"), "it can be read otherwise");
    for (script, said) in [
        (script, "in.csv"),
        ("COPY (SELECT 1 AS a) TO 'out.csv' STORED AS CSV;", "COPY is not allowed"),
        ("EXPLAIN ANALYZE COPY (SELECT 1 AS a) TO 'out.csv' STORED AS CSV;", "COPY is not allowed"),
        (
            "PREPARE p AS SELECT 1; CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'in.csv';",
            "CREATE EXTERNAL TABLE is not allowed",
        ),
        ("SET datafusion.runtime.temp_directory = 'here';", "SET datafusion.runtime.temp_directory is not allowed"),
        ("\\o out.csv\nSELECT 1;", "\\o is not allowed"),
        ("\\i in.csv\n", "\\i is not allowed"),
    ] {
        let done = piped(folder.path(), &["--safe"], script).output().unwrap();
        let error = String::from_utf8(done.stderr).unwrap();
        assert!(!done.status.success() && error.contains(said), "{script}: {error}");
    }
    assert!(!folder.path().join("out.csv").exists());
    // The store itself is inside.
    let fee =
        "INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-10', 'acme', 'web', 'EUR', 1);";
    run(&mut piped(folder.path(), &["--safe"], fee));
    assert_eq!(query(&folder.path().join("nines"), "SELECT count(*) FROM fees"), ["1"]);
}

#[test]
fn a_session_is_saved_as_a_notebook_that_gives_the_same_results() {
    let folder = defined();
    let session = "\\set from 2026-10-14\n\\set to 2026-10-15\n
        SELECT objective, slo_error_time FROM report($from, $to);
        SELECT sum(slo_error_time) AS total FROM _;
        \\chart bar y=total
        \\set to 2026-10-16
        SELECT objective FROM _1 WHERE $to > '2026-10-15' ORDER BY objective;
        INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-10', 'acme', 'web', 'EUR', 1);
        \\save kept.md\n";
    let said = run(&mut piped(folder.path(), &[], session));
    assert!(said.contains("│ total │") && said.contains("7620"), "{said}");
    let notebook = std::fs::read_to_string(folder.path().join("kept.md")).unwrap();
    let again = run(&mut piped(
        folder.path(),
        &[],
        "\\run kept.md\nSELECT objective, slo_error_time FROM _1;\nSELECT * FROM _3;",
    ));
    for text in ["search-latency", "web-success", "7620"] {
        assert!(again.contains(text), "{text} is not in: {again}\nof: {notebook}");
    }
    assert!(again.contains("│ search-latency ┆           7200 │\n│ web-success    ┆            420 │"), "{again}");
    assert!(again.ends_with("│ objective      │\n╞════════════════╡\n│ search-latency │\n│ web-success    │\n└────────────────┘\n2 rows\n"), "{again}");
    // What was set later does not change what was run before, and what writes is not run again.
    for text in
        ["report($from, '2026-10-15')", "$to >", "from: 2026-10-14", "to: 2026-10-16", "FROM result_1", "chart=bar"]
    {
        assert!(notebook.contains(text), "{text} is not in: {notebook}");
    }
    assert!(!notebook.contains("INSERT"), "{notebook}");
    let said = fails(2, &mut piped(folder.path(), &[], "SELECT 1;\n\\save kept.md\n"));
    assert!(said.contains("is there already"), "{said}");
    std::fs::write(folder.path().join("bad.md"), "```sql\nSELECT nothing\n```\n```sql\nSELECT 4242 AS n\n```\n")
        .unwrap();
    let mut command = piped(folder.path(), &[], "\\run bad.md\n");
    let done = command.output().unwrap();
    let page = String::from_utf8(done.stdout).unwrap();
    assert!(
        done.status.code() == Some(1) && page.contains("4242") && page.contains("there is no column nothing"),
        "{page}"
    );
    for command in ["\\save x.md\n", "\\run kept.md\n"] {
        assert!(
            fails(2, &mut piped(folder.path(), &["--safe"], &format!("SELECT 1;\n{command}"))).contains("not allowed")
        );
    }
}

#[test]
fn the_notebooks_that_come_with_nines_run_in_a_session() {
    let (folder, store) = demo_store();
    let script = "\\set service 商城结算\n\\run weekly\n\\run company\n\\save all.md\n\\d _1\n";
    let said = run(piped(folder.path(), &["--safe"], "\\run weekly\n").arg("--store").arg(&store));
    assert!(said.starts_with("login") || said.contains("as of "), "{said}");
    let said = run(piped(folder.path(), &[], script).arg("--store").arg(&store));
    assert!(said.contains("商城结算") && !said.contains("cell failed"), "{said}");
    // As of the newest rows, as the notebook asks for, and not of the day on which the test runs.
    let page = run(nines().arg("--store").arg(&store).args(["run", "weekly", "--param", "service=商城结算"]));
    let of = |text: &str| text.split("as of ").nth(1).and_then(|rest| rest.get(..10)).unwrap().to_string();
    assert_eq!(of(&said), of(&page));
    let saved = folder.path().join("all.md");
    assert!(fails(2, &mut piped(folder.path(), &[], "\\run weakly\n")).contains("there are company"));
    run(nines().arg("--store").arg(&store).arg("run").arg(&saved));
}

#[test]
fn a_notebook_in_a_session_is_what_it_is_outside() {
    let folder = tempfile::tempdir().unwrap();
    let text = "---\nnow: SELECT TIMESTAMP '2026-03-15T00:00:00Z'\nparameters:\n  period: {range: last month}\n  \
                service: {query: \"SELECT * FROM (VALUES ('007'), ('7'))\"}\n  stage: {choices: [12, 13]}\n---\n\n\
                ```sql name=Big quiet\nSELECT repeat('x', 8000) AS x, $service AS s, $stage AS t, $from AS f FROM generate_series(1, 12000)\n```\n\n\
                ```sql\nSELECT 1 AS none; SELECT count(*) AS n, min(s || t) AS s, min(f) AS f FROM Big\n```\n";
    std::fs::write(folder.path().join("own.md"), text).unwrap();
    let script = "\\run own.md\n\\run own.md\n\\format csv\nSELECT * FROM _2;\n\\save saved.md\n\\run saved.md\n";
    let said = run(&mut piped(folder.path(), &[], script));
    assert!(said.contains("n,s,f\n12000,00712,2026-02-01T00:00:00+00:00\n"), "{said}");
    let saved = std::fs::read_to_string(folder.path().join("saved.md")).unwrap();
    assert!(saved.contains("FROM Big_2 AS Big") && saved.matches("SELECT 1 AS none").count() == 2, "{saved}");
    // What does not fit is an error of the cell, never a part of it.
    let mut small = piped(folder.path(), &[], "\\run own.md\n");
    let done = small.args(["--memory-limit", "40MB"]).output().unwrap();
    let page = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.code() == Some(1) && page.contains("--memory-limit"), "{page}");
    assert!(!page.contains("00712"), "{page}");
}

#[test]
fn the_last_result_is_drawn() {
    let folder = defined();
    let timelines = "SELECT objective, timeline FROM timelines('2026-10-14', '2026-10-15') ORDER BY 1;\n\\chart\n";
    let said = run(&mut piped(folder.path(), &[], timelines));
    let mut strip = said.lines().filter(|line| line.contains('▄'));
    assert!(strip.any(|line| line.starts_with("web-success")), "seven minutes of a day are seen: {said}");
    let said = fails(2, &mut piped(folder.path(), &[], "SELECT 'a' AS a, 'b' AS b;\n\\chart line x=a y=b\n"));
    assert!(said.contains("line 2: ") && said.contains('b'), "{said}");
    let said = fails(2, &mut piped(folder.path(), &[], "SELECT 1 AS a;\n\\chart lien y=a\n"));
    assert!(said.contains("did you mean 'line'"), "{said}");
    assert!(fails(2, &mut piped(folder.path(), &[], "\\chart\n")).contains("run a query first"));
}

#[test]
fn an_objective_at_a_glance() {
    let folder = defined();
    let said = run(&mut piped(folder.path(), &[], "\\slo web-success"));
    for text in
        ["Pages are there", "owned by shop team", "99.9 % by Timeslices, 28d rolling", "October 2026", "7m", "12:04"]
    {
        assert!(said.contains(text), "{text} is not in: {said}");
    }
    let said = run(&mut piped(folder.path(), &[], "\\slo"));
    assert!(said.contains("web-success") && said.contains("search-latency"), "{said}");
    let said = fails(2, &mut piped(folder.path(), &[], "\\slo web"));
    assert!(said.contains("did you mean web-success?"), "{said}");
}
