//! Names that anybody could write into a log are shown, never obeyed; files keep who may read them; somebody else's notebook
//! reads the store and nothing else.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::{fails, nines, query, run};

/// It clears the screen, turns the rest of the line around, rings, and is Markdown and HTML.
const NAME: &str = "\u{1b}[2Jlog\u{202e}in\u{2066}\u{7}<b>*x*|\u{9b}1m";

/// What no terminal may be given.
fn is_harmless(text: &str, what: &str) {
    let acts = |c: char| {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(u32::from(c), 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069)
    };
    assert!(!text.contains(acts), "{what}: {text:?}");
}

fn store_with_the_name(folder: &Path) -> std::path::PathBuf {
    let store = folder.join("store");
    let csv = folder.join("x.csv");
    std::fs::write(&csv, format!("time,service,name,good,total\n2026-10-01T00:00:00Z,{NAME},e,1,2\n")).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "events"]).arg(&csv));
    let quoted = serde_json::to_string(NAME).unwrap();
    let yaml = folder.join("slo.yaml");
    std::fs::write(
        &yaml,
        format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {quoted}}}\nspec:\n  service: {quoted}\n  indicator:\n    \
             metadata: {{name: i}}\n    spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {{type: nines/events, \
             spec: {{name: e}}}}}}}}}}\n  timeWindow: [{{duration: 28d, isRolling: true}}]\n  budgetingMethod: Timeslices\n  \
             objectives: [{{target: 0.99, timeSliceTarget: 0.9}}]\n"
        ),
    )
    .unwrap();
    is_harmless(&run(nines().arg("--store").arg(&store).arg("apply").arg(&yaml)), "apply");
    store
}

#[test]
fn no_name_reaches_a_terminal_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with_the_name(folder.path());
    let on = || {
        let mut command = nines();
        command.arg("--store").arg(&store);
        command
    };
    let quoted = NAME.replace('\'', "''");
    for arguments in [
        vec!["slos"],
        vec!["sql", "SELECT * FROM events"],
        vec!["sql", "SELECT make_array(service) AS a, named_struct('s', service) AS b FROM events"],
        vec!["sql", "SELECT service, slo FROM report('2026-10-01', '2026-10-02', 'objective')"],
        vec!["sql", "--format", "markdown", "SELECT service FROM events"],
        vec!["incident", NAME, "--started", "2026-10-01", "--title", NAME],
        vec!["incident", "--list"],
        vec!["exclude", "2026-10-01", "2026-10-02", "--category", NAME, "--reason", NAME],
        vec!["run", "feature", "--param", &format!("service={quoted}"), "--format", "terminal"],
    ] {
        let done = on().args(&arguments).output().unwrap();
        let what = format!("{arguments:?}");
        is_harmless(&String::from_utf8(done.stdout).unwrap(), &what);
        is_harmless(&String::from_utf8(done.stderr).unwrap(), &what);
    }
    for arguments in [
        vec!["slos", "--service", "\u{1b}[2Jnobody"],
        vec!["sql", "SELECT \"\u{1b}[2J\u{202e}\" FROM events"],
        vec!["incident", "\u{1b}[2J\u{202e}", "--title", "x"],
    ] {
        let done = on().args(&arguments).output().unwrap();
        is_harmless(&String::from_utf8(done.stderr).unwrap(), &format!("{arguments:?}"));
    }
    // Programs get it as it is.
    assert!(run(on().args(["sql", "--format", "jsonl", "SELECT service FROM events"])).contains('\u{202e}'));
}

#[test]
fn markdown_says_what_stands_in_the_cell() {
    let sql = "SELECT '<img src=x onerror=alert(1)> & *b* [l](u) `c` _d_ a_b' AS \"t|<i>\"";
    let shown = run(nines().args(["sql", "--format", "markdown", sql]));
    let expected = "&lt;img src=x onerror=alert(1)&gt; &amp; \\*b\\* \\[l\\](u) \\`c\\` \\_d\\_ a_b";
    assert!(shown.contains(expected), "{shown}");
    assert!(shown.contains("t\\|&lt;i&gt;"), "{shown}");
}

#[test]
fn a_file_that_is_replaced_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    for kept in [0o600, 0o640, 0o664] {
        let file = folder.path().join("r.csv");
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(kept)).unwrap();
        run(nines().current_dir(folder.path()).args(["sql", "SELECT 1 AS one", "-o", "r.csv"]));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one\n1\n");
        assert_eq!(mode("r.csv"), kept);
    }
}

#[test]
fn standard_output_by_name_replaces_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let binary = assert_cmd::cargo::cargo_bin("nines");
    for name in ["/dev/stdout", "-", "/dev/fd/1"] {
        let script = format!(
            "echo before > log; '{0}' sql 'select 1 as a' --format csv -o {name} >> log; echo after >> log; cat log; ls",
            binary.display()
        );
        let shown = run(assert_cmd::Command::new("sh").args(["-c", &script]).current_dir(folder.path()));
        assert_eq!(shown, "before\na\n1\nafter\nlog\n", "{name}");
    }
}

#[test]
fn to_apply_nothing_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.yaml");
    for text in ["", "---\n"] {
        std::fs::write(&file, text).unwrap();
        let said = fails(2, nines().arg("--store").arg(folder.path().join("store")).arg("apply").arg(&file));
        assert!(said.contains("no definition stands in"), "{said}");
    }
}

#[test]
fn a_column_that_the_folder_says_too_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("h/day=1")).unwrap();
    std::fs::write(folder.path().join("h/day=1/a.csv"), "a,day\n1,9\n").unwrap();
    let said = fails(1, nines().current_dir(folder.path()).args(["sql", "SELECT * FROM 'h/'"]));
    assert!(said.contains("column day is in the file, and the folder day=1 says it too"), "{said}");
}

#[test]
fn a_safe_notebook_reads_the_store_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_with_the_name(folder.path());
    let file = folder.path().join("out.csv");
    std::fs::write(folder.path().join("secret.csv"), "a\n1\n").unwrap();
    let insert = "INSERT INTO events (time, service, name, good, total) VALUES ('2026-10-01 00:05', 'x', 'e', 1, 1)";
    for (sql, said) in [
        (insert.to_string(), "INSERT"),
        (format!("COPY events TO '{}'", file.display()), "COPY"),
        (format!("SELECT * FROM '{}'", folder.path().join("secret.csv").display()), "secret.csv"),
        ("SET datafusion.runtime.memory_limit = '100G'".to_string(), "SET"),
    ] {
        let notebook = folder.path().join("theirs.md");
        std::fs::write(&notebook, format!("# Theirs\n\n```sql\n{sql}\n```\n")).unwrap();
        let on = |safe: &[&str]| {
            let mut command = nines();
            command.arg("--store").arg(&store).arg("run").args(safe).arg(&notebook).args(["--format", "terminal"]);
            command.output().unwrap()
        };
        let refused = on(&["--safe"]);
        let page = String::from_utf8(refused.stdout).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{sql}: {page}");
        assert!(page.contains(said), "{sql}: {page}");
        assert!(!file.exists(), "{sql}");
        assert_eq!(query(&store, "SELECT count(*) FROM events"), ["1"], "{sql}");
    }
    let reads = folder.path().join("reads.md");
    std::fs::write(&reads, "# Theirs\n\n```sql\nSELECT count(*) AS n FROM events\n```\n").unwrap();
    run(nines().arg("--store").arg(&store).args(["run", "--safe"]).arg(&reads));
    fails(1, nines().arg("--store").arg(&store).args(["run", "--safe"]).arg(folder.path().join("theirs.md")));
}
