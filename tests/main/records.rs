//! Rows that people write by hand: INSERT, exclusions, incidents.

use std::path::Path;

use assert_cmd::Command;

use crate::{fails, nines, query, run};

fn at(store: &Path) -> Command {
    let mut command = nines();
    command.arg("--store").arg(store);
    command
}

/// Runs an INSERT that must be refused; what it said.
fn refused(store: &Path, sql: &str) -> String {
    let said = fails(1, at(store).args(["sql", sql]));
    said.trim_start_matches("error: ").trim_end().to_string()
}

#[test]
fn an_insert_fills_what_it_leaves_out_and_creates_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("存储");
    run(at(&store).args([
        "sql",
        "INSERT INTO incidents (id, service, started) VALUES ('INC-1', '登录', '2026-10-03T09:12:00Z')",
    ]));
    assert_eq!(
        query(&store, "SELECT * FROM incidents"),
        ["INC-1,,登录,,,2026-10-03T09:12:00Z,,,,,false,,false"],
        "text is empty, flags are false, phases that have not come are NULL"
    );
    let insert = "INSERT INTO fees (period, customer, service, currency, amount) VALUES
                  ('2026-10', 'acme', '登录', 'EUR', 1234.5), ('2026-11', 'acme', '登录', 'EUR', $amount)";
    let counted = run(at(&store).args(["sql", "--format", "json", "--param", "amount=0.000001", insert]));
    assert_eq!(counted, "[{\"count\":2}]\n");
    assert_eq!(
        query(&store, "SELECT amount, voucher_amount FROM fees ORDER BY period"),
        ["1234.500000,0.000000", "0.000001,0.000000"]
    );
}

#[test]
fn an_insert_reads_zoneless_times_in_the_sessions_zone() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    // The first one meets no store, the second one does.
    for id in ["a", "b"] {
        let insert = format!(
            "INSERT INTO exclusions (id, category, started, ended, announced) VALUES
             ('{id}', 'Attack', '2026-10-03', TIMESTAMP '2026-10-03 06:00:00', DATE '2026-10-01')"
        );
        run(at(&store).args(["--time-zone", "Asia/Shanghai", "sql", &insert]));
    }
    let row = "2026-10-02T16:00:00Z,2026-10-02T22:00:00Z,2026-09-30T16:00:00Z";
    assert_eq!(query(&store, "SELECT started, ended, announced FROM exclusions"), [row, row]);
    let insert = "INSERT INTO incidents (id, started) VALUES ('now', now()), ('then', '2026-10-03 08:00')";
    run(at(&store).args(["--time-zone", "Asia/Shanghai", "sql", insert]));
    assert_eq!(query(&store, "SELECT started FROM incidents WHERE id = 'then'"), ["2026-10-03T00:00:00Z"]);
    assert_eq!(query(&store, "SELECT started <= now() FROM incidents WHERE id = 'now'"), ["true"]);
}

#[test]
fn an_insert_takes_the_rows_of_a_query_over_a_file_or_over_its_own_table() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let file = folder.path().join("events.csv");
    std::fs::write(&file, "minute,done,all\n2026-10-03T09:12:00Z,3,4\n2026-10-03T09:13:00Z,1,1\n").unwrap();
    let sql = format!(
        "INSERT INTO events (time, name, good, total) SELECT minute, 'sign-in', done, \"all\" FROM '{}';
         INSERT INTO events (time, name, good, total, source)
         SELECT time, name, sum(good) * 2.0, CAST(sum(total) * 2 AS DECIMAL(20, 2)), 'twice' FROM events GROUP BY time, name",
        file.display()
    );
    run(at(&store).args(["sql", &sql]));
    assert_eq!(
        query(&store, "SELECT time, source, good, total FROM events ORDER BY source, time"),
        [
            "2026-10-03T09:12:00Z,,3,4",
            "2026-10-03T09:13:00Z,,1,1",
            "2026-10-03T09:12:00Z,twice,6,8",
            "2026-10-03T09:13:00Z,twice,2,2",
        ]
    );
}

#[test]
fn an_insert_is_exact_or_refused_and_leaves_no_store_behind() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let event = |columns: &str, values: &str| format!("INSERT INTO events ({columns}) VALUES ({values})");
    let cases = [
        (event("time, name, good, total", "'2026-10-03T09:12:00Z', 'a', 1.7, 2"), "column good is 1.7; expected a whole number"),
        (event("time, name, good, total", "'yesterday', 'a', 1, 2"), "column time is \"yesterday\"; expected a time as"),
        (event("time, name, good, total", "17, 'a', 1, 2"), "column time is a number; expected a time, as '2026"),
        (event("time, name, good, totl", "'2026-10-03', 'a', 1, 2"), "there is no column totl; did you mean total?"),
        (
            "INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-10', 'a', 's', 'EUR', 0.0000001)"
                .to_string(),
            "column amount is 0.0000001; expected an amount of at most 6 decimals",
        ),
    ];
    for (sql, expected) in cases {
        let said = refused(&store, &sql);
        assert!(said.contains(expected), "{said}");
        assert!(!store.exists(), "{sql} left a store behind");
    }
    let cases = [
        (event("time, name, good", "'2026-10-03', 'a', 1"), "column total of events is missing"),
        (event("time, name, good, total", "'2026-10-03', 'a', NULL, 2"), "column good must not be NULL"),
        (event("time, name, good, total", "'2026-10-03T00:00:07Z', 'a', 1, 2"), "does not start a slice"),
        (
            "INSERT INTO incidents (id, started, fixed) VALUES ('INC-1', '2026-10-03', '2026-10-02')".to_string(),
            "incidents \"INC-1\": column fixed: 2026-10-02T00:00:00+00:00 must not be before started",
        ),
    ];
    for (sql, expected) in cases {
        let said = refused(&store, &sql);
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(query(&store, "SELECT count(*) FROM events"), ["0"]);
}

#[test]
fn stored_rows_are_not_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let said = [
        "DELETE FROM incidents",
        "UPDATE exclusions SET reason = ''",
        "TRUNCATE fees",
        "DELETE FROM requests",
        "INSERT OVERWRITE incidents SELECT * FROM incidents",
        "EXPLAIN ANALYZE INSERT INTO fees SELECT * FROM fees",
    ]
    .map(|sql| refused(&store, sql));
    insta::assert_snapshot!(said.join("\n"));
    assert!(!store.exists());
    // Explaining runs nothing; what the session made itself is its own.
    run(at(&store).args(["sql", "EXPLAIN INSERT INTO incidents (id, started) VALUES ('a', '2026-10-03')"]));
    assert!(!store.exists());
    let own = run(at(&store).args(["sql", "--format", "csv", "CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (2)"]));
    assert_eq!(own, "count\n2\n");
}

#[test]
fn an_insert_says_what_it_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let insert = |title: &str| {
        let sql = format!(
            "INSERT INTO incidents (id, title, started) VALUES ('INC-1', '{title}', '2026-10-03'), ('INC-2', '', '2026-10-03')"
        );
        run(at(&store).args(["sql", &sql]))
    };
    assert_eq!(insert("登录"), "incidents: 2 rows, 2 added, 0 replaced, 0 unchanged; version 1\n");
    assert_eq!(insert("登录 down"), "incidents: 2 rows, 0 added, 1 replaced, 1 unchanged; version 2\n");
    assert_eq!(insert("登录 down"), "incidents: 2 rows, 0 added, 0 replaced, 2 unchanged; no new version\n");
    assert_eq!(query(&store, "SELECT id, title FROM incidents ORDER BY id"), ["INC-1,登录 down", "INC-2,"]);
}

#[test]
fn an_exclusion_is_recorded_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let exclude = |more: &[&str]| {
        let mut command = at(Path::new("store"));
        command.current_dir(folder.path());
        command.args(["--time-zone", "Asia/Shanghai", "exclude"]);
        command.args(["2026-10-03", "2026-10-03 06:00", "--category", "Scheduled Maintenance", "--service", "登录"]);
        command.args(more);
        command
    };
    let recorded = run(&mut exclude(&["--reason", "机房维护", "--announced", "2026-09-20T00:00:00+08:00"]));
    insta::assert_snapshot!(recorded);
    let again = run(&mut exclude(&["--reason", "机房维护", "--announced", "2026-09-20"]));
    assert!(again.ends_with("\nunchanged       nothing to store\n"), "{again}");
    assert_eq!(
        query(&store, "SELECT started, ended, announced, reason FROM exclusions"),
        ["2026-10-02T16:00:00Z,2026-10-02T22:00:00Z,2026-09-19T16:00:00Z,机房维护"]
    );
    let listed = run(at(&store).args(["exclude", "--list"]));
    assert!(listed.contains("X-6999126cf086") && !listed.contains("withdrawn"), "{listed}");
}

/// Needs rows of the same key to be replaced.
#[test]
fn an_exclusion_is_corrected_withdrawn_and_recorded_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let exclude = |reason: &str| {
        let from_to = ["exclude", "2026-10-03", "2026-10-04", "--category", "Attack", "--reason", reason];
        run(at(&store).args(from_to).args(["--id", "A-1"]))
    };
    let rows = || query(&store, "SELECT id, reason, withdrawn FROM exclusions");
    exclude("flod");
    let corrected = exclude("flood");
    assert!(corrected.contains("reason          flood  (was flod)\n"), "{corrected}");
    assert_eq!(rows(), ["A-1,flood,false"]);
    let withdrawn = run(at(&store).args(["exclude", "--withdraw", "A-1"]));
    assert!(withdrawn.contains("withdrawn       true  (was false)\n"), "{withdrawn}");
    assert_eq!(rows(), ["A-1,flood,true"]);
    assert!(!run(at(&store).args(["exclude", "--list"])).contains("A-1"));
    assert!(run(at(&store).args(["exclude", "--list", "--all"])).contains("A-1"));
    exclude("flood");
    assert_eq!(rows(), ["A-1,flood,false"]);
}

#[test]
fn wrong_arguments_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let said = |args: &[&str]| fails(2, at(&store).args(args));
    let mut all = vec![
        said(&["exclude", "2026-10-04", "tomorrow", "--category", "Attack", "--reason", ""]),
        said(&["exclude", "2026-10-04", "2026-10-03", "--category", "Attack", "--reason", ""]),
        said(&["exclude", "2026-10-03", "2026-10-04", "--category", "", "--reason", ""]),
        said(&["exclude", "--withdraw", "X-1"]),
        said(&["incident", "INC-1", "--fixed", "2026-10-03"]),
        said(&["incident", "INC-1", "--started", "3.10.2026"]),
        said(&["incident", "INC-1", "--started", "2026-10-03", "--fixed", "2026-10-02"]),
        said(&["incident", "", "--started", "2026-10-03"]),
    ];
    assert!(!store.exists(), "nothing was recorded");
    run(at(&store).args(["incident", "INC-17", "--started", "2026-10-03"]));
    all.push(said(&["incident", "inc-71", "--fixed", "2026-10-03"]));
    all.push(said(&["incident", "INC-17", "--started", ""]));
    insta::assert_snapshot!(all.concat());
    assert_eq!(query(&store, "SELECT count(*) FROM incidents"), ["1"]);
}

/// Needs rows of the same key to be replaced.
#[test]
fn an_incident_grows_field_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let incident =
        |args: &[&str]| run(at(Path::new("store")).current_dir(folder.path()).args(["incident", "INC-1"]).args(args));
    let mut all = incident(&[
        "--service",
        "登录",
        "--title",
        "登录 down",
        "--started",
        "2026-10-03T09:12:00Z",
        "--telemetry-lost",
    ]);
    all += &incident(&["--detected", "2026-10-03 09:15", "--fixed", "2026-10-03 10:02"]);
    all += &incident(&["--fixed", "", "--severity", "2", "--telemetry-lost=false"]);
    all += &incident(&["--withdraw"]);
    all += &incident(&[]);
    insta::assert_snapshot!(all);
    assert_eq!(
        query(&store, "SELECT * FROM incidents"),
        ["INC-1,,登录,登录 down,2,2026-10-03T09:12:00Z,2026-10-03T09:15:00Z,,,,false,,true"]
    );
    assert!(!run(at(&store).args(["incident", "--list"])).contains("INC-1"));
    assert!(run(at(&store).args(["incident", "--list", "--all"])).contains("INC-1"));
    incident(&["--restore"]);
    assert!(run(at(&store).args(["incident", "--list"])).contains("INC-1"));
}
