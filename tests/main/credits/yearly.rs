//! What the credits of a calendar year come to at most.

use super::due::{Store, agreement};
use crate::{fails, nines, run};

/// A store with fees and failures: in each of these months so many hours of the first days fail whole, of one customer.
fn store(folder: &std::path::Path, cap: &str, months: &[(&str, u32)]) -> Store {
    let store = Store::new(folder);
    store.silent("", "2025-12-01", 151);
    let mut rows = Vec::new();
    for (month, hours) in months {
        rows.extend(
            (0..*hours)
                .map(|hour| format!("{month}-{:02}T{:02}:00:00Z,,gateway,/,acme,503,5", hour / 24 + 1, hour % 24)),
        );
    }
    store.requests(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    let fees: Vec<String> = months.iter().map(|(month, _)| format!("{month},acme,gateway,EUR,100,,")).collect();
    store.fees(&fees.iter().map(String::as_str).collect::<Vec<_>>());
    store.apply(&[agreement("a", "1M", &format!("  cap: {cap}\n  exclusions: [Attack]\n"))]);
    store
}

fn amounts(store: &Store) -> Vec<String> {
    let last = "(SELECT period, amount, row_number() OVER (PARTITION BY period ORDER BY revision DESC) AS n FROM statements) WHERE n = 1";
    store.sql("period, amount", &format!("{last} ORDER BY period"))
}

const NOW: &str = "2026-04-20T00:00:00Z";

#[test]
fn a_year_credits_no_more_than_agreed() {
    let folder = tempfile::tempdir().unwrap();
    // 80 hours of 744 are below 90 %: 50 %.
    let months = [("2025-12", 80), ("2026-01", 80), ("2026-02", 80), ("2026-03", 80)];
    let store = store(folder.path(), "{period: 40%, year: 1 fee}", &months);
    let said = store.said_at(NOW, 0, &["--pending"]);
    let as_agreed = ["2025-12,40.000000", "2026-01,40.000000", "2026-02,40.000000", "2026-03,20.000000"];
    assert_eq!(amounts(&store), as_agreed, "December is of another year: {said}");
    store.said_at(NOW, 0, &["--verify", "--all"]);
    assert_eq!(store.sql("amount", "credits('2026-03')"), ["20.000000"], "in SQL, too");
    let pages = folder.path().join("pages");
    store.said(0, &["2026-03", "--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-03-acme.md")).unwrap();
    for line in [
        "at most 40 %; at most 1 fee base of a period for the periods of a calendar year",
        "Of the periods of 2026 at most 1 fee base of a period is credited. Credited before: 40.00 EUR for 2026-01, 40.00 EUR for 2026-02. \
         Left: 20.00 EUR.",
        "Credited: 20.00 EUR",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    // What was wrong with January gives March more.
    run(nines().arg("--store").arg(&store.0).args([
        "exclude",
        "2026-01-01",
        "2026-01-05",
        "--category",
        "Attack",
        "--reason",
        "flood",
    ]));
    store.said_at(NOW, 0, &["2026-01", "--issue"]);
    let said = store.said_at(NOW, 4, &["2026-03", "--verify"]);
    let moved = "The credit of earlier periods of the year is 40.00 EUR for 2026-02; before it was 40.00 EUR for 2026-01, 40.00 EUR for 2026-02";
    assert!(said.contains(moved), "{said}");
    for month in ["2026-02", "2026-03"] {
        store.said_at(NOW, 0, &[month, "--issue"]);
    }
    assert_eq!(amounts(&store), ["2025-12,40.000000", "2026-01,0.000000", "2026-02,40.000000", "2026-03,40.000000"]);
    store.said_at(NOW, 0, &["--verify", "--all"]);
}

#[test]
fn a_year_may_be_limited_by_money_or_by_a_share() {
    let folder = tempfile::tempdir().unwrap();
    let months = [("2026-01", 80), ("2026-02", 80)];
    for (cap, second) in [("{year: 60.00 EUR}", "10"), ("{year: 75%}", "25"), ("{year: 2 fees}", "50"), ("50%", "50")] {
        let folder = folder.path().join(second).join(&cap[1..3]);
        std::fs::create_dir_all(&folder).unwrap();
        let store = store(&folder, cap, &months);
        store.said_at(NOW, 0, &["--pending"]);
        assert_eq!(amounts(&store), ["2026-01,50.000000".to_string(), format!("2026-02,{second}.000000")], "{cap}");
    }
    let pages = folder.path().join("pages");
    let two = store(&folder.path().join("50"), "{year: 2 fees}", &months);
    two.said_at(NOW, 0, &["2026-01", "--issue"]);
    two.said(0, &["2026-01", "--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-01-acme.md")).unwrap();
    assert!(page.contains("at most 2 fee bases of a period for the periods of a calendar year"), "{page}");
    // In another currency nothing can be told of what is left.
    let other = store(&folder.path().join("."), "{year: 1 fee}", &months);
    other.said_at(NOW, 0, &["2026-01", "--issue"]);
    other.fees(&["2026-02,acme,gateway,USD,100,,"]);
    let said = other.said_at(NOW, 5, &["2026-02", "--issue"]);
    assert!(said.contains("credits of earlier periods of the year are in another currency"), "{said}");
    let file = folder.path().join("refused.yaml");
    for (cap, why) in [
        ("{year: 0 fees}", "expected whole fees from 1 to 11, such as 2 fees; got '0 fees'"),
        ("{year: 50}", "'year' must be a percent, fees or money, got '50'"),
        ("{}", "'cap' says nothing"),
        ("{month: 50%}", "month"),
        ("{period: some, year: 1 fee}", "'period' must be a percent or money, got 'some'"),
        ("[50%]", "'cap' must be a percent or money"),
    ] {
        std::fs::write(&file, agreement("b", "1M", &format!("  cap: {cap}\n"))).unwrap();
        let said = fails(1, nines().arg("--store").arg(&other.0).arg("apply").arg(&file));
        assert!(said.contains(why), "{cap}: {said}");
    }
}
