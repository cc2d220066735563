//! Which periods are issued when: each agreement's own last month, and every one that is over and was missed.

use super::due::{Store, agreement};
use super::silent;
use crate::{fails, nines};

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

/// A billing month is named by the month in which it begins: rows, fees, pages and words go by it.
#[test]
fn a_period_may_begin_on_any_day_of_the_month() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.silent("", "2025-12-15", 137);
    let billed = agreement("billed", "1M", "  fees: {prorate: days}\n")
        .replace("duration: 1M, timeZone: UTC", "duration: 1M, from: 15, timeZone: Europe/Berlin")
        .replace("MeanErrorRate", "Occurrences");
    store.apply(std::slice::from_ref(&billed));
    // In Berlin clocks change on 29 March: midnight is 23:00 before and 22:00 after.
    let row = |at: &str, status: u32, requests: u32| format!("2026-{at}Z,,gateway,/,acme,{status},{requests}");
    let rows = [
        row("03-14T22:59:00", 503, 16),
        row("03-14T23:00:00", 503, 8),
        row("03-20T12:00:00", 200, 991),
        row("04-14T21:59:00", 503, 1),
        row("04-14T22:00:00", 503, 4),
    ];
    store.requests(&rows.each_ref().map(String::as_str));
    store.fees(&["2026-02,acme,gateway,EUR,280,,", "2026-03,acme,gateway,EUR,310,,2026-04-09T22:00:00Z"]);
    let figures = ["period", "valid", "failed", "fee_base", "amount"].join(", ");
    // The customer left with the end of 9 April in Berlin: 26 of 31 days.
    assert_eq!(store.sql(&figures, "credits('2026-03')"), ["2026-03,999,8,260.000000,26.000000"]);
    store.fees(&["2026-03,acme,gateway,EUR,310,,"]);
    assert_eq!(store.sql(&figures, "credits('2026-03')"), ["2026-03,1000,9,310.000000,31.000000"]);
    let said = store.said_at("2026-04-10T00:00:00Z", 0, &["last-month", "--issue"]);
    assert_eq!(issued(&store), ["billed,2026-02"], "15 March to 14 April goes on: {said}");
    let said = store.said_at("2026-04-16T12:00:00Z", 0, &["--pending"]);
    assert!(said.contains("2026-03"), "{said}");
    assert_eq!(issued(&store), ["billed,2026-02", "billed,2026-03"], "{said}");
    let pages = folder.path().join("pages");
    store.said(0, &["2026-03", "--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-03-acme.md")).unwrap();
    for line in [
        "# Service levels of 15 March 2026 to 14 April 2026 for acme",
        "A month that begins on day 15, in Europe/Berlin",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    store.said(0, &["--verify", "--all"]);
    // A fee whose customer was gone when the period began is told.
    store.fees(&["2026-03,nova,gateway,EUR,10,,2026-03-10"]);
    let said = store.said(0, &["2026-03", "--format", "csv"]);
    assert!(said.contains("active_until") && said.contains("nova"), "{said}");

    // Periods by the calendar may follow where one of these ends, and these not where months end: the names would be those of others.
    let later = |day: &str, period: &str| {
        let text = billed.replace("2020-01-01", day).replace("duration: 1M, from: 15", period);
        let file = folder.path().join("refused.yaml");
        std::fs::write(&file, text).unwrap();
        fails(1, nines().arg("--store").arg(&store.0).arg("apply").arg(&file))
    };
    let said = later("2026-05-01", "duration: 1M");
    assert!(said.contains("of 1 month, those of the version before it of 1 month from day 15"), "{said}");
    assert!(said.contains("where a period before it ends, with nines/effective-from: 2026-05-15"), "{said}");
    assert!(later("2026-05-15", "duration: 1M, from: 32").contains("'32' is no day of a month"));
    store.apply(&[billed.replace("2020-01-01", "2026-05-15").replace("duration: 1M, from: 15", "duration: 1M")]);
    let said = later("2026-08-01", "duration: 1M, from: 15");
    assert!(said.contains("no period of the one ends where the other may begin: give it another name"), "{said}");
}
