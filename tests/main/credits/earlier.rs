//! A store of the last version whose statements carry no rules: they verify, nothing revises itself, and what today's rules judge
//! otherwise is revised when that is asked for.

use std::path::{Path, PathBuf};

use nines_engine::slo::{IssuedStatement, Rules, Subject};

use super::silent;
use crate::{nines, query, run};

/// A copy of the store, to write to.
pub(super) fn store(folder: &Path) -> PathBuf {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rules-1/store");
    let store = folder.join("store");
    copy(&fixture, &store);
    store
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(std::fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

fn credits(store: &Path, code: i32, more: &[&str]) -> String {
    let done = nines().arg("--store").arg(store).args(["credits", "2026-05"]).args(more).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(code), "{text}");
    text
}

/// What is issued by today's rules is complete only if each service has a row each day.
fn every_day(store: &Path) {
    for service in ["blob", "cdn", "gateway", "mail", "portal", "shop"] {
        silent(store, service, "", "2026-04-24", 39);
    }
}

fn statements(store: &Path) -> Vec<(IssuedStatement, String)> {
    let rows = run(nines().arg("--store").arg(store).args([
        "sql",
        "--format",
        "json",
        "SELECT text FROM statements ORDER BY agreement, customer, revision",
    ]));
    let rows: Vec<serde_json::Value> = match serde_json::from_str(&rows) {
        Ok(rows) => rows,
        Err(_) => rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    };
    let texts = rows.iter().map(|row| row["text"].as_str().unwrap().to_string());
    texts.map(|text| (IssuedStatement::from_json(&text).unwrap(), text)).collect()
}

#[test]
fn statements_of_the_last_version_hold() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let all = statements(&store);
    assert_eq!(all.len(), 13);
    for (statement, text) in &all {
        assert_eq!((statement.rules, statement.to_json()), (Rules::First, text.clone()), "not a letter differs");
        assert_eq!(statement.verify().problems, Vec::<String>::new());
    }
    let verified = credits(&store, 0, &["--verify"]);
    assert!(verified.ends_with("12 statements hold\n"), "{verified}");
    assert_eq!(verified.matches("evidence holds; today's data say the same").count(), 12, "{verified}");
    // Hourly slices in zones of half hours.
    let other: Vec<&str> =
        verified.lines().filter(|line| line.contains("Issued by rules 1; by rules 3 it would be")).collect();
    assert_eq!(other.len(), 4, "{verified}");
    assert!(verified.contains("by rules 3 it would be 99.692315 % of 744 slices, 5000.00 INR"), "{verified}");
    assert!(
        credits(&store, 3, &["--issue"]).contains("nothing to issue; it was issued before"),
        "an upgrade revises nothing"
    );
    assert_eq!(statements(&store).len(), 13);
    // Figures of the question itself are today's.
    assert_eq!(query(&store, "SELECT slices FROM credits('2026-05') WHERE agreement = 'blob'"), ["744", "744"]);
    let report = "SELECT objective, slo_error_time FROM report('2026-05-01', '2026-06-01', 'objective')";
    assert_eq!(query(&store, report).len(), 1, "days that were kept by the last version are no reason to fail");
}

#[test]
fn later_data_are_judged_by_the_rules_of_the_statement() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let file = folder.path().join("late.csv");
    let rows = "time,service,endpoint,customer,status,requests\n2026-05-25T09:30:00Z,blob,/late,acme,500,5\n";
    std::fs::write(&file, rows).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests", "--source", "later"]).arg(&file));
    let issued = credits(&store, 0, &["--issue"]);
    assert!(issued.starts_with("issued     0 statements and 1 revision for 2026-05, 11 unchanged"), "{issued}");
    let (revision, _) = statements(&store).into_iter().find(|(s, _)| s.agreement == "blob" && s.revision == 2).unwrap();
    assert_eq!((revision.rules, revision.credit.slices), (Rules::First, 743));
    assert!(revision.changes.iter().all(|change| change.about != Subject::Rules), "{:?}", revision.changes);
    assert_eq!(credits(&store, 0, &["--verify"]).matches("evidence holds; today's data say the same").count(), 12);
}

#[test]
fn todays_rules_revise_when_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    every_day(&store);
    let issued = credits(&store, 0, &["--issue", "--rules", "current"]);
    assert!(issued.starts_with("issued     0 statements and 4 revisions for 2026-05, 8 unchanged"), "{issued}");
    let why = "It is worked out by rules 3, before by rules 1: now slices are laid from local midnight";
    assert_eq!(issued.matches(why).count(), 4, "{issued}");
    let all = statements(&store);
    let revised: Vec<&IssuedStatement> =
        all.iter().map(|(statement, _)| statement).filter(|s| s.rules != Rules::First).collect();
    assert!(
        revised.iter().all(|s| matches!(s.agreement.as_str(), "blob" | "cdn") && s.credit.slices >= 740),
        "{issued}"
    );
    assert!(revised.iter().all(|s| s.changes[0].about == Subject::Rules && s.to_json().contains("\"rules\":3")));
    let verified = credits(&store, 0, &["--verify"]);
    assert!(verified.ends_with("12 statements hold\n") && !verified.contains("Issued by rules"), "{verified}");
    assert!(credits(&store, 3, &["--issue", "--rules", "current"]).contains("nothing to issue"));
    assert!(credits(&store, 3, &["--issue"]).contains("nothing to issue"), "what is revised stays by its rules");
}

#[test]
fn what_the_rules_cannot_judge_stays_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let mut exclude = nines();
    exclude.arg("--store").arg(&store).args([
        "exclude",
        "2026-05-10 10:20",
        "2026-05-10 10:30",
        "--category",
        "Attack",
    ]);
    run(exclude.args(["--service", "gateway", "--reason", "again", "--id", "EX-9"]));
    let kept = credits(&store, 3, &["--issue"]);
    assert_eq!(
        kept.matches("stays as it was issued by rules 1: exclusions 'EX-1' and 'EX-9' overlap").count(),
        1,
        "{kept}"
    );
    let verified = credits(&store, 4, &["--verify"]);
    assert_eq!(verified.matches("TODAY'S DATA CANNOT BE JUDGED BY ITS RULES").count(), 1, "{verified}");
    every_day(&store);
    let revised = credits(&store, 0, &["--issue", "--rules", "current", "--agreement", "gateway"]);
    assert!(revised.contains("Exclusion EX-9 is added"), "{revised}");
    credits(&store, 0, &["--verify"]);
}
