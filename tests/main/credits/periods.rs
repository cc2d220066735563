//! Which periods are issued when: each agreement's own last month, and every one that is over and was missed.

use super::due::{Store, agreement};
use super::silent;

fn of_zone(name: &str, zone: &str) -> String {
    agreement(name, "1M", "").replace("timeZone: UTC", &format!("timeZone: {zone}"))
}

fn issued(store: &Store) -> Vec<String> {
    store.sql("agreement, period", "statements ORDER BY agreement, period, customer")
}

#[test]
fn last_month_is_that_of_each_agreement_in_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    // In Shanghai it is November, in New York still October.
    let now = "2026-10-31T20:00:00Z";
    store.silent("", "2026-09-01", 61);
    store.fees(&["2026-09,acme,gateway,EUR,1000,,", "2026-10,acme,gateway,EUR,1000,,"]);
    store.requests(&["2026-08-31T20:00:00Z,,gateway,/,acme,200,1"]);
    store.apply(&[of_zone("east", "Asia/Shanghai"), of_zone("west", "America/New_York"), agreement("q", "1Q", "")]);
    let file = folder.path().join("owed.csv");
    let said = store.said_at(now, 1, &["last-month", "--issue", "-o", file.to_str().unwrap()]);
    assert_eq!(issued(&store), ["east,2026-10", "west,2026-09"], "{said}");
    assert!(said.contains("2026-09 is not complete for agreement q"), "the quarter is over with September: {said}");
    let exported = std::fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = exported.lines().map(|line| &line[..line.len().min(28)]).collect();
    assert_eq!(lines[1..], ["west,acme,gateway,2026-09,72", "east,acme,gateway,2026-10,74"], "one table of both");
    // Or a file for each period.
    let pattern = folder.path().join("owed-{period}.csv");
    store.said_at(now, 0, &["last-month", "-o", pattern.to_str().unwrap()]);
    for (month, row) in [("2026-09", "\nwest,acme,gateway,2026-09,"), ("2026-10", "\neast,acme,gateway,2026-10,")] {
        let exported = std::fs::read_to_string(folder.path().join(format!("owed-{month}.csv"))).unwrap();
        assert!(exported.contains(row) && exported.contains("\neast") == (month == "2026-10"), "{exported}");
    }
    let verified = store.said_at(now, 4, &["last-month", "--verify"]);
    assert!(verified.contains("west, acme, gateway, 2026-09") && verified.contains("east, acme, gateway, 2026-10"));
    assert!(verified.contains("q, acme, gateway, 2026-07: NEVER ISSUED"), "{verified}");
    store.said_at(now, 0, &["last-month", "--verify", "--agreement", "east"]);
    store.fees(&["2026-10,=1+1,gateway,EUR,1,,"]);
    let said = store.said_at(now, 0, &["2026-10", "--format", "csv"]);
    assert!(said.contains("note: a name begins as a formula does, the first is '=1+1'"), "{said}");
}

#[test]
fn what_was_missed_is_caught_up_and_what_is_late_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let login = agreement("login", "1M", "").replace("service: gateway", "service: login");
    store.silent("", "2026-07-01", 92);
    silent(&store.0, "login", "", "2026-08-20", 42);
    let fee = |month: &str, service: &str| format!("2026-{month},acme,{service},EUR,1000,,");
    let fees: Vec<String> =
        ["07", "08", "09"].iter().flat_map(|month| [fee(month, "gateway"), fee(month, "login")]).collect();
    store.fees(&fees.iter().map(String::as_str).collect::<Vec<_>>());
    store.apply(&[agreement("gateway", "1M", ""), agreement("q", "1Q", ""), login]);
    let now = "2026-10-02T00:00:00Z";
    let said = store.said_at(now, 1, &["--pending"]);
    let caught_up = ["gateway,2026-07", "gateway,2026-08", "gateway,2026-09", "login,2026-09", "q,2026-07"];
    assert_eq!(issued(&store), caught_up, "{said}");
    for late in ["2026-07 is not complete for agreement login", "2026-08-01 to 2026-08-19"] {
        assert!(said.contains(late), "{late}: {said}");
    }
    // Nothing twice, and what is late is told again.
    let said = store.said_at(now, 1, &["--pending"]);
    assert!(!said.contains("issued     ") && said.contains("2026-08 is not complete for agreement login"), "{said}");
    silent(&store.0, "login", "", "2026-07-01", 50);
    let said = store.said_at(now, 0, &["--pending"]);
    assert!(said.contains("1 statement and 0 revisions for 2026-07") && said.contains("for 2026-08"), "{said}");
    assert!(store.said_at(now, 3, &["--pending"]).contains("nothing is pending"));
    assert!(store.said_at(now, 0, &["--verify", "--all"]).ends_with("7 statements hold\n"));

    // A fee that comes late is one that is pending; a figure that moved is revised by nobody unasked.
    store.requests(&["2026-08-03T00:00:00Z,,gateway,/,acme,503,1"]);
    // Of the quarter it cannot be worked out.
    store.fees(&["2026-08,nova,gateway,EUR,10,,", "2026-09,nova,gateway,USD,5,,"]);
    let said = store.said_at(now, 5, &["--pending"]);
    for month in ["2026-08", "2026-09"] {
        assert!(said.contains(&format!("issued     1 statement and 0 revisions for {month}")), "{said}");
    }
    let wrong = "one period is paid in one currency";
    assert!(said.contains(wrong), "{said}");
    assert_eq!(store.sql("max(revision)", "statements"), ["1"]);
    let moved = store.said_at(now, 0, &["2026-08", "--moved", "--agreement", "gateway"]);
    assert!(
        moved.contains("gateway, acme, gateway, 2026-08, revision 1, issued 2026-10-02 00:00:00Z: moved"),
        "{moved}"
    );
    assert!(moved.contains("The credit is 10 %; before it was 0 %."), "{moved}");
    assert!(
        moved.contains("days of gateway, 2026-08, 1 statement: 30 of 31 are final")
            && moved.contains("    2026-08-03: rows may have changed, last by version"),
        "{moved}"
    );
    assert!(
        moved.contains("gateway, nova, gateway, 2026-08, revision 1, issued 2026-10-02 00:00:00Z: not moved"),
        "{moved}"
    );
    let verified = store.said_at(now, 4, &["--verify", "--all", "--agreement", "gateway"]);
    assert_eq!(verified.matches("TODAY'S DATA DIFFER").count(), 1, "{verified}");
    assert!(store.said_at(now, 0, &["2026-08", "--issue"]).contains("1 revision for 2026-08"));
    assert!(store.said_at(now, 5, &["2026-09", "--issue"]).contains(wrong));
    let verified = store.said_at(now, 0, &["2026-09", "--verify"]);
    assert_eq!(verified.matches("today's data say the same").count(), 4, "{verified}");
}

#[test]
fn nothing_to_do_is_apart_from_an_agreement_that_matches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let now = "2026-11-02T00:00:00Z";
    store.silent("", "2026-10-01", 31);
    let mistyped = agreement("typo", "1M", "").replace("service: gateway", "service: gatway");
    store.apply(&[mistyped]);
    for how in [&["2026-10"][..], &["2026-10", "--issue"], &["--pending"]] {
        let said = store.said_at(now, 1, how);
        assert!(said.contains("no row of requests and no fee is of a service 'gatway'"), "{how:?}: {said}");
    }
    // Whom nothing is owed, for him there is nothing to do.
    store.apply(&[agreement("g", "1M", "")]);
    store.said_at(now, 3, &["2026-10", "--agreement", "g"]);
    store.said_at(now, 3, &["2026-10", "--issue", "--agreement", "g"]);
    // Beside one that was issued it is a note.
    store.fees(&["2026-10,acme,gateway,EUR,1000,,"]);
    let said = store.said_at(now, 0, &["2026-10", "--issue"]);
    assert!(said.contains("note: agreement typo matches nothing in 2026-10"), "{said}");
    assert!(store.said_at(now, 3, &["--pending"]).contains("note: agreement typo matches nothing"));
    store.said_at(now, 2, &[]);
    store.said_at(now, 2, &["2026-10", "--pending"]);
    store.said_at(now, 2, &["--all"]);
}
