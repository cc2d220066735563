//! Issue, add late data, verify, revise, verify again.

use std::path::{Path, PathBuf};

use super::{SECOND, apply, fees, ingest};
use crate::{fails, nines, query, run};

const AGREEMENT: &str = "apiVersion: nines/v1
kind: Agreement
metadata: {name: gateway, annotations: {nines/effective-from: 2026-01-01}}
spec:
  service: gateway
  party: service
  period: {duration: 1M, timeZone: Asia/Shanghai}
  slice: 15s
  measure: MeanErrorRate
  commitment: 99.99%
  credits: [{below: 99.99%, percent: 10}, {below: 99.95%, percent: 25}]
  exclusions: [Attack]
  fees: {exclude: vouchers}
  claimWithin: 60d
";

fn september() -> i64 {
    "2026-09-01T00:00:00+08:00".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros()
}

/// A month in which `客户` lost 18 slices of 172,800: just below 99.99 %.
fn store(folder: &Path) -> PathBuf {
    let store = folder.join("store");
    let at = |slice: i64| september() + slice * 15 * SECOND;
    let mut slices: Vec<_> = (0..18).map(|i| (at(1000 + i), 10, 10)).collect();
    slices.push((at(172_799), 10, 0));
    // Every day has a row, at noon.
    slices.extend((0..30).map(|day| (at(day * 5760 + 2880), 0, 0)));
    ingest(&store, 15, "客户", &slices);
    ingest(&store, 15, "acme", &[(at(5), 100, 0)]);
    fees(&store, "2026-09,客户,gateway,CNY,1000.10,0.10,,\n2026-09,acme,gateway,CNY,50,,,\n");
    apply(&store, AGREEMENT);
    store
}

fn credits(store: &Path, more: &[&str]) -> std::process::Output {
    let mut command = nines();
    command.arg("--store").arg(store).args(["credits", "2026-09"]).args(more);
    command.output().unwrap()
}

fn said(store: &Path, code: i32, more: &[&str]) -> String {
    let done = credits(store, more);
    let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(code), "{text}");
    text
}

#[test]
fn issued_verified_revised_and_verified_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let shown = said(&store, 0, &[]);
    assert!(shown.contains("99.989583") && shown.contains("gateway: 100.00 CNY credited, 1 of 2 fees"), "{shown}");
    assert!(
        said(&store, 0, &["--issue"]).starts_with("issued     2 statements and 0 revisions for 2026-09, 0 unchanged")
    );
    assert!(said(&store, 3, &["--issue"]).contains("nothing to issue"));
    assert!(said(&store, 0, &["--verify"]).ends_with("2 statements hold\n"));

    // A late row: one slice less was lost, so the commitment was kept after all.
    ingest(&store, 15, "客户", &[(september() + 1000 * 15 * SECOND, 10, 0)]);
    let verified = said(&store, 4, &["--verify"]);
    assert!(verified.contains("evidence holds; TODAY'S DATA DIFFER"), "{verified}");
    assert!(
        verified.contains("acme, gateway, 2026-09, revision 1: evidence holds; today's data say the same"),
        "{verified}"
    );
    let revised = said(&store, 0, &["--issue", "--agreement", "gateway", "--customer", "客户"]);
    assert!(revised.starts_with("issued     0 statements and 1 revision for 2026-09"), "{revised}");
    assert!(revised.contains("revision   gateway, 客户, gateway, 2026-09, revision 2\n"), "{revised}");
    assert!(revised.contains("The availability is 99.990162 %; before it was 99.989583 %."), "{revised}");
    assert!(revised.contains("2026-09-01 04:10: no failures, before 10 of 10 failed"), "in its zone: {revised}");
    assert!(said(&store, 0, &["--verify"]).ends_with("2 statements hold\n"));
    assert!(said(&store, 3, &["--issue"]).contains("nothing to issue"));
    let rows = query(&store, "SELECT customer, revision, amount FROM statements ORDER BY customer, revision");
    assert_eq!(rows, ["acme,1,0.000000", "客户,1,100.000000", "客户,2,0.000000"]);

    // What was issued needs nothing but itself.
    let alone = folder.path().join("alone");
    std::fs::create_dir(&alone).unwrap();
    let parts = [store.join("nines.json"), store.join("statements")];
    assert!(std::process::Command::new("cp").arg("-r").args(parts).arg(&alone).status().unwrap().success());
    let verified = said(&alone, 0, &["--verify"]);
    assert!(verified.contains("evidence holds; no agreement is stored here to compare with"), "{verified}");
    assert!(verified.ends_with("2 statements hold\n"), "{verified}");

    let pages = folder.path().join("pages");
    said(&store, 0, &["--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-09-客户.md")).unwrap();
    assert!(page.contains("客户") && page.contains("evision 2"), "{page}");
    let html = std::fs::read_to_string(pages.join("2026-09-客户.html")).unwrap();
    let line = std::fs::read_to_string(pages.join("2026-09-客户.jsonl")).unwrap();
    assert!(nines_engine::slo::IssuedStatement::from_json(line.trim_end()).unwrap().verify().holds());
    let said_of =
        |revision: &str, code| said(&store, code, &["--pages", pages.to_str().unwrap(), "--revision", revision]);
    said_of("1", 0);
    let first = std::fs::read_to_string(pages.join("2026-09-客户.md")).unwrap();
    assert!(first.contains("Revision 1, issued") && !first.contains("evision 2"), "{first}");
    assert!(said_of("7", 3).contains("no statement for 2026-09 has a revision 7"));
    assert!(html.contains("<svg") && html.to_lowercase().starts_with("<!doctype html>"));
}

#[test]
fn what_was_tampered_with_does_not_verify() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    said(&store, 0, &["--issue"]);
    let issued = query(&store, "SELECT text FROM statements WHERE customer = '客户'");
    let text = issued.join("\n").trim_matches('"').replace("\"\"", "\"");
    let statement = nines_engine::slo::IssuedStatement::from_json(&text).unwrap();
    assert!(statement.verify().holds());
    let mut forged = statement.clone();
    forged.credit.amount = Some(0);
    assert!(!forged.verify().holds());
    let mut forged = statement;
    forged.evidence.slices.pop();
    assert!(!forged.verify().holds());
}

#[test]
fn figures_go_to_files_and_schedulers() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let file = folder.path().join("credits.csv");
    said(&store, 0, &["--issue", "-o", file.to_str().unwrap()]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.starts_with("agreement,customer,service,period,slices,valid,failed,"), "{text}");
    assert_eq!(text.lines().count(), 3);
    // Issued before: nothing to do, but the export is there all the same.
    std::fs::remove_file(&file).unwrap();
    said(&store, 3, &["--issue", "-o", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let nobody = said(&store, 3, &["--customer", "nobody"]);
    assert!(nobody.contains("nothing is owed to 'nobody' for 2026-09"), "{nobody}");
    let empty = tempfile::tempdir().unwrap();
    let none = fails(1, nines().arg("--store").arg(empty.path().join("none")).args(["credits", "2026-09"]));
    assert!(none.contains("no agreement is defined yet"), "{none}");
    // A scheduler must notice that it looks at the wrong store, or writes into a folder that is not there.
    let none = fails(1, nines().arg("--store").arg(empty.path().join("none")).args(["credits", "2026-09", "--issue"]));
    assert!(none.contains("is it the right store?"), "{none}");
    let nowhere = folder.path().join("nowhere/credits.csv");
    assert!(said(&store, 2, &["--issue", "-o", nowhere.to_str().unwrap()]).contains("there is no folder"));
}

#[test]
fn two_who_issue_at_once_issue_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let issuers: Vec<_> = (0..4)
        .map(|_| {
            let store = store.clone();
            std::thread::spawn(move || credits(&store, &["--issue"]).status.code())
        })
        .collect();
    let mut codes: Vec<_> = issuers.into_iter().map(|issuer| issuer.join().unwrap()).collect();
    codes.sort();
    assert_eq!(codes, [Some(0), Some(3), Some(3), Some(3)]);
    assert_eq!(query(&store, "SELECT count(*), max(revision) FROM statements"), ["2,1"]);
}

#[test]
fn what_is_no_longer_owed_is_revised_to_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    ingest(&store, 15, "brief", &[(september(), 10, 10)]);
    fees(&store, "2026-09,brief,gateway,CNY,50,,,\n");
    said(&store, 0, &["--issue"]);
    // It was never theirs: a correction takes the requests away.
    let file = folder.path().join("correction.csv");
    let rows = "time,service,customer,status,requests\n2026-09-01T00:00:00+08:00,gateway,brief,503,0\n";
    std::fs::write(&file, rows).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests", "--any-time"]).arg(&file));
    assert!(
        said(&store, 4, &["--verify"])
            .contains("gateway, brief, gateway, 2026-09, revision 1: evidence holds; TODAY'S DATA DIFFER")
    );
    let revised = said(&store, 0, &["--issue"]);
    assert!(revised.contains("revision   gateway, brief, gateway, 2026-09, revision 2"), "{revised}");
    assert!(revised.contains("note: no traffic: 'brief' has a fee for gateway"), "{revised}");
    assert!(said(&store, 0, &["--verify"]).ends_with("3 statements hold\n"));
}

#[test]
fn fees_that_no_agreement_covers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    fees(&store, "2026-09,acme,login,CNY,50,,,\n");
    let shown = said(&store, 0, &[]);
    assert!(
        shown.contains("note: 'acme' has a fee for login, but no agreement covers a time in which it is active"),
        "{shown}"
    );
}

#[test]
fn a_statement_names_what_it_was_worked_out_from() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let shown = credits(&store, &[]).stdout;
    said(&store, 0, &["--issue"]);
    let ids = || query(&store, "SELECT sha256 FROM statements ORDER BY revision, customer");
    let first = ids();
    ingest(&store, 15, "客户", &[(september() + 1000 * 15 * SECOND, 10, 0)]);
    fees(&store, "2026-09,客户,gateway,CNY,500,0,,\n");
    said(&store, 0, &["--issue"]);
    assert_ne!(credits(&store, &[]).stdout, shown);
    let all = ids();
    assert_eq!((first.len(), all.len()), (2, 3));

    for id in &first {
        for id in [id.as_str(), &id[..8], &id[..20].to_uppercase()] {
            let then = credits(&store, &["--as-of", &format!("statement:{id}")]);
            assert_eq!(String::from_utf8_lossy(&then.stdout), String::from_utf8_lossy(&shown));
            let told = String::from_utf8(then.stderr).unwrap();
            let line = told.lines().last().unwrap();
            assert!(line.starts_with(&format!("as of statement {}, issued ", id[..8].to_lowercase())), "{line}");
            assert!(line.contains("requests 2") && line.contains("fees 1") && line.contains("definitions 1"), "{line}");
        }
        // What was issued then held then; what came later was not issued yet.
        let verified = said(&store, 0, &["--verify", "--as-of", &format!("statement:{id}")]);
        assert!(verified.contains("2 statements hold\n") && !verified.contains("revision 2"), "{verified}");
    }
    let revised = all.iter().find(|id| !first.contains(id)).unwrap();
    let then = credits(&store, &["--as-of", &format!("statement:{revised}")]);
    assert_eq!(then.stdout, credits(&store, &[]).stdout);
    // By versions, and by all but one.
    let then = credits(&store, &["--as-of", "requests=2,fees=1"]);
    assert_eq!(then.stdout, shown);
    let then = String::from_utf8(credits(&store, &["--as-of", "requests=2"]).stdout).unwrap();
    assert!(then.contains("99.989583") && then.contains("gateway: 50.00 CNY credited"), "{then}");

    let unknown = said(&store, 2, &["--as-of", "statement:00000000"]);
    assert!(unknown.contains("no statement begins with 00000000; list them with: nines sql"), "{unknown}");
    assert!(said(&store, 2, &["--as-of", "statement:12"]).contains("at least 8 of its first digits"));
    let refused = said(&store, 1, &["--issue", "--as-of", &format!("statement:{revised}")]);
    assert!(refused.contains("nothing is written as of an earlier time"), "{refused}");
}
