//! Review before money moves: drafts, and what becomes of them.

use std::path::Path;

use super::exported::{at, credits, store};
use super::{fees, ingest};
use crate::{nines, query, run};

fn statuses(store: &Path) -> Vec<String> {
    let sql = "SELECT customer, revision, status FROM credit_statements('2026-09') ORDER BY customer, revision";
    query(store, sql)
}

#[test]
fn drafted_reviewed_and_approved() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let drafted = credits(&store, 0, &["--issue", "--draft"]);
    assert!(
        drafted.starts_with(
            "drafted    3 statements and 0 revisions for 2026-09, 0 drafts as before; version 1 of drafts\n"
        ),
        "{drafted}"
    );
    assert!(
        drafted.contains("nines credits 2026-09 --draft --pages FOLDER") && drafted.contains("--approve"),
        "{drafted}"
    );
    assert_eq!(statuses(&store), ["acme,1,draft", "buyer,1,draft", "late,,waiting", "客户,1,draft"]);
    let unissued = query(
        &store,
        "SELECT count(issued_at), count(sha256) FROM credit_statements('2026-09') WHERE status = 'draft'",
    );
    assert_eq!(unissued, ["0,3"]);
    assert!(
        credits(&store, 3, &["--issue", "--draft"])
            .contains("nothing to draft; the drafts are as they were made before")
    );
    assert_eq!(query(&store, "SELECT count(*) FROM drafts"), ["3"]);

    let pages = folder.path().join("pages");
    credits(&store, 0, &["--draft", "--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-09-客户.draft.md")).unwrap();
    assert!(
        page.starts_with(
            "# DRAFT: Service levels of September 2026 for 客户\n\n> **DRAFT.** This is a draft for review."
        ),
        "{page}"
    );
    assert!(page.contains("DRAFT of revision 1, drawn up ") && !page.contains("Revision 1, issued"), "{page}");
    let html = std::fs::read_to_string(pages.join("2026-09-客户.draft.html")).unwrap();
    assert!(html.contains("<body class=\"draft\">") && html.contains("<p class=\"draft\"><b>DRAFT.</b>"), "{html}");
    assert!(pages.join("2026-09-客户.draft.jsonl").exists());

    // One customer's is approved by itself, the others with it.
    let approved = credits(&store, 0, &["--approve", "--customer", "acme"]);
    assert!(
        approved.starts_with("approved   1 statement and 0 revisions for 2026-09; version 1 of statements\n"),
        "{approved}"
    );
    assert_eq!(statuses(&store), ["acme,1,issued", "buyer,1,draft", "late,,waiting", "客户,1,draft"]);
    let file = folder.path().join("approved.csv");
    credits(&store, 0, &["--approve", "--statements", "-o", file.to_str().unwrap()]);
    assert_eq!(statuses(&store), ["acme,1,issued", "buyer,1,issued", "late,,waiting", "客户,1,issued"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap().matches(",issued\n").count(), 3);
    assert!(credits(&store, 0, &["--verify"]).ends_with("3 statements hold\n"));
    let again = credits(&store, 3, &["--approve"]);
    assert!(again.contains("no draft of 2026-09 waits for approval; statements were issued. Draft with"), "{again}");
    assert!(credits(&store, 3, &["--issue"]).contains("nothing to issue now; 1 statement waits for a fee"));
}

/// Whoever asks what was issued never gets a draft for an answer.
#[test]
fn a_draft_is_not_issued() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    credits(&store, 0, &["--issue", "--draft"]);
    assert_eq!(query(&store, "SELECT count(*) FROM statements"), ["0"]);
    let never = credits(&store, 4, &["--verify"]);
    assert_eq!(never.matches("NEVER ISSUED").count(), 3, "{never}");
    let all = nines().arg("--store").arg(&store).args(["credits", "--verify", "--all"]).output().unwrap();
    assert_eq!(all.status.code(), Some(3), "{}", String::from_utf8_lossy(&all.stderr));
    let pages = folder.path().join("pages");
    assert!(credits(&store, 3, &["--pages", pages.to_str().unwrap()]).contains("no statement was issued for 2026-09"));
    assert!(credits(&store, 3, &["--moved"]).contains("no statement was issued for 2026-09"));
    let hash = query(&store, "SELECT sha256 FROM drafts LIMIT 1").remove(0);
    assert!(credits(&store, 2, &["--as-of", &format!("statement:{hash}")]).contains("no statement begins with"));
    // Rows behind a draft go as if there were none; rows that are still owed do not.
    let retain = nines().arg("--store").arg(&store).args(["retain", "requests", "1d"]).output().unwrap();
    let said = String::from_utf8_lossy(&retain.stderr);
    assert!(!retain.status.success() && said.contains("was not issued yet"), "{said}");
    let delete = ["delete", "requests", "--where", "customer = 'acme'", "--reason", "test"];
    run(nines().arg("--store").arg(&store).args(delete));

    // Without review: what is pending is issued, and the draft is told.
    let done = nines().arg("--store").arg(&store).args(["credits", "--pending"]).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("note: 3 drafts waited for approval and are replaced by what was issued"), "{said}");
    assert_eq!(query(&store, "SELECT customer, revision FROM statements ORDER BY 1"), ["acme,1", "buyer,1", "客户,1"]);
    assert!(credits(&store, 3, &["--approve"]).contains("no draft of 2026-09 waits"));
}

#[test]
fn what_changed_since_is_not_approved() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    credits(&store, 0, &["--issue", "--draft"]);
    ingest(&store, 15, "客户", &[(at(1000), 10, 0)]);
    let refused = credits(&store, 1, &["--approve"]);
    assert!(
        refused
            .contains("changed    gateway, 客户, gateway, 2026-09, revision 1: not what it was when it was drafted\n"),
        "{refused}"
    );
    assert!(refused.contains("           The amount is 0.00 CNY; before it was 100.01 CNY.\n"), "{refused}");
    assert!(refused.contains("The availability is 99.990162 %; before it was 99.989583 %."), "{refused}");
    assert!(
        refused
            .contains("nothing of it was issued. Draft again, and review that: nines credits 2026-09 --issue --draft"),
        "{refused}"
    );
    // The other agreement is approved; of this one all waits.
    assert!(refused.contains("approved   1 statement and 0 revisions"), "{refused}");
    assert_eq!(statuses(&store), ["acme,1,draft", "buyer,1,issued", "late,,waiting", "客户,1,draft"]);
    let drafted = credits(&store, 0, &["--issue", "--draft"]);
    assert!(drafted.starts_with("drafted    1 statement and 0 revisions for 2026-09, 1 draft as before"), "{drafted}");
    credits(&store, 0, &["--approve"]);
    let amounts = "SELECT customer, amount FROM statements ORDER BY customer";
    assert_eq!(query(&store, amounts), ["acme,0.000000", "buyer,100.000000", "客户,0.000000"]);
}

/// A revision is drafted as well, numbered by what was issued alone; a draft for which there is no ground any more is withdrawn.
#[test]
fn revisions_are_drafted_and_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    credits(&store, 0, &["--issue"]);
    ingest(&store, 15, "客户", &[(at(1000), 10, 0)]);
    let drafted = credits(&store, 0, &["--issue", "--draft"]);
    assert!(drafted.contains("drafted    0 statements and 1 revision for 2026-09"), "{drafted}");
    assert!(drafted.contains("draft      gateway, 客户, gateway, 2026-09, revision 2\n"), "{drafted}");
    let of_customer = || -> Vec<String> { statuses(&store).into_iter().filter(|row| row.starts_with('客')).collect() };
    assert_eq!(of_customer(), ["客户,1,issued", "客户,2,draft"]);
    // The correction was wrong: all is as it was issued.
    ingest(&store, 15, "客户", &[(at(1000), 10, 10)]);
    let refused = credits(&store, 1, &["--approve"]);
    assert!(refused.contains("Today's data say the same as revision 1, which was issued."), "{refused}");
    // Who looks for what was never issued knows nothing of revisions.
    nines().arg("--store").arg(&store).args(["credits", "--pending", "--draft"]).output().unwrap();
    assert_eq!(of_customer(), ["客户,1,issued", "客户,2,draft"]);
    let withdrawn = credits(&store, 0, &["--issue", "--draft"]);
    assert!(withdrawn.contains("withdrawn  the draft of gateway, 客户, gateway, 2026-09, revision 2"), "{withdrawn}");
    assert_eq!(of_customer(), ["客户,1,issued"]);
    assert_eq!(query(&store, "SELECT customer, revision, withdrawn FROM drafts"), ["客户,2,true"]);
    // The next revision is the second, however many were drafted.
    ingest(&store, 15, "客户", &[(at(1001), 10, 0)]);
    credits(&store, 0, &["--issue"]);
    assert_eq!(of_customer(), ["客户,1,superseded", "客户,2,issued"]);
    assert!(credits(&store, 0, &["--verify"]).ends_with("3 statements hold\n"));
}

/// A scheduler drafts, a person approves.
#[test]
fn what_is_pending_is_drafted() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let pending = || nines().arg("--store").arg(&store).args(["credits", "--pending", "--draft"]).output().unwrap();
    let said = String::from_utf8(pending().stdout).unwrap();
    assert!(said.contains("drafted    3 statements and 0 revisions for 2026-09"), "{said}");
    let version = || query(&store, "SELECT count(*) FROM drafts");
    let before = version();
    pending();
    assert_eq!(version(), before);
    // A fee comes: its draft joins the others.
    fees(&store, "2026-09,late,gateway,CNY,80,,,\n");
    let said = String::from_utf8(pending().stdout).unwrap();
    assert!(said.contains("drafted    1 statement and 0 revisions for 2026-09, 3 drafts as before"), "{said}");
    credits(&store, 0, &["--approve"]);
    assert!(credits(&store, 0, &["--verify"]).ends_with("4 statements hold\n"));
    let done = pending();
    assert!(!String::from_utf8_lossy(&done.stdout).contains("drafted"), "{done:?}");
}

#[test]
fn four_who_approve_at_once_issue_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    credits(&store, 0, &["--issue", "--draft"]);
    let approve = |store: std::path::PathBuf| {
        std::thread::spawn(move || {
            nines().arg("--store").arg(store).args(["credits", "2026-09", "--approve"]).output().unwrap().status.code()
        })
    };
    let approving: Vec<_> = (0..4).map(|_| approve(store.clone())).collect();
    let mut codes: Vec<_> = approving.into_iter().map(|one| one.join().unwrap()).collect();
    codes.sort();
    assert_eq!(codes, [Some(0), Some(3), Some(3), Some(3)]);
    assert_eq!(query(&store, "SELECT count(*), max(revision) FROM statements"), ["3,1"]);
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    for options in [
        &["--draft"][..],
        &["--approve", "--issue"],
        &["--approve", "--draft", "--pages", "x"],
        &["--draft", "--verify"],
    ] {
        credits(&store, 2, options);
    }
    let nowhere = nines().arg("--store").arg(&store).args(["credits", "--approve"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(credits(&store, 3, &["--approve"]).contains("no draft of 2026-09 waits for approval. Draft with"));
    let restored = nines().arg("--store").arg(&store).args(["restore", "drafts", "--to", "1"]).output().unwrap();
    assert!(!restored.status.success());
}
