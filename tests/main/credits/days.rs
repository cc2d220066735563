//! Periods of days: named by their first day, one after the other, whatever months and clocks do.
//!
//! Fees are by the month. What a period's is, is worked out here day after day.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::due::{Store, agreement};
use crate::{fails, nines, run};

/// Hours of which nothing is seen but one, in which all fails, on the fifth day of each period.
const PERIODS: [(&str, u32); 13] = [
    ("2026-01-01", 720),
    ("2026-01-31", 720),
    // Clocks go forward on 29 March.
    ("2026-03-02", 719),
    ("2026-04-01", 720),
    ("2026-05-01", 720),
    ("2026-05-31", 720),
    ("2026-06-30", 720),
    ("2026-07-30", 720),
    ("2026-08-29", 720),
    // And back on 25 October.
    ("2026-09-28", 721),
    ("2026-10-28", 720),
    ("2026-11-27", 720),
    ("2026-12-27", 720),
];

/// When all of them are over.
const LATER: &str = "2027-02-01T00:00:00Z";

fn thirty(name: &str, more: &str) -> String {
    agreement(name, "30d, from: 2026-05-31", more)
        .replace("timeZone: UTC", "timeZone: Europe/Berlin")
        .replace("2020-01-01", "2026-01-01")
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// What is paid for a month, in euros: another amount for each.
fn fee(of: NaiveDate) -> i128 {
    300 + 7 * i128::from(of.month())
}

fn fees(store: &Store, months: &[&str]) {
    let row = |month: &&str| format!("{month},acme,gateway,EUR,{},,", fee(day(&format!("{month}-01"))));
    let rows: Vec<String> = months.iter().map(row).collect();
    store.fees(&rows.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The fee of thirty days in parts of a 26,040th of a euro: of each day, that of its month by the days that the month has.
fn base(first: NaiveDate) -> i128 {
    let of_day = |day: NaiveDate| {
        let begin = day.with_day(1).unwrap();
        fee(day) * 26_040 / i128::from((begin + Months::new(1) - begin).num_days())
    };
    first.iter_days().take(30).map(of_day).sum()
}

/// A share of it, so many per cent, half to even to so many decimal places.
fn of_base(first: NaiveDate, percent: i128, places: u32) -> String {
    let (scale, whole) = (10i128.pow(places), 26_040 * 100);
    let exact = base(first) * percent * scale;
    let (units, rest) = (exact / whole, exact % whole);
    let up = 2 * rest > whole || 2 * rest == whole && units % 2 == 1;
    let units = (units + i128::from(up)) * 10i128.pow(6 - places);
    format!("{}.{:06}", units / 1_000_000, units % 1_000_000)
}

fn store(folder: &std::path::Path, definitions: &[String]) -> Store {
    let store = Store::new(folder);
    store.silent("", "2025-12-31", 400);
    let rows: Vec<String> = PERIODS
        .iter()
        .map(|(first, _)| format!("{}T12:00:00Z,,gateway,/,acme,503,9", day(first) + Days::new(4)))
        .collect();
    store.requests(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    store.apply(definitions);
    store
}

fn issued(store: &Store) -> Vec<String> {
    store.sql("agreement, period, revision", "statements ORDER BY agreement, period, revision")
}

#[test]
fn a_year_has_twelve_periods_of_thirty_days_and_a_part() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &[thirty("thirty", "")]);
    fees(&store, &["2026-01", "2026-02"]);
    let said = store.said_at("2026-02-01T12:00:00Z", 0, &["--pending"]);
    assert!(said.contains("1 statement and 0 revisions for 2026-01-01"), "{said}");
    // 31 January to 1 March: of March one day is in it, and nobody knows what is paid for it.
    let now = "2026-03-03T12:00:00Z";
    let said = store.said_at(now, 3, &["--pending"]);
    let waits =
        "'acme' has no fee for gateway for 2026-03, in which days of the period lie: under thirty nothing is issued";
    assert!(said.contains("waiting    1 statement for a fee") && said.contains(waits), "{said}");
    assert_eq!(store.sql("period, status", "credit_statements('2026-01-31')"), ["2026-01-31,waiting"]);
    assert_eq!(store.sql("fee_base, amount", "credits('2026-01-31')"), [","]);
    fees(&store, &["2026-03"]);
    assert!(store.said_at(now, 0, &["--pending"]).contains("revisions for 2026-01-31"));
    assert_eq!(issued(&store), ["thirty,2026-01-01,1", "thirty,2026-01-31,1"], "two begin in January");
    fees(
        &store,
        &["2026-04", "2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10", "2026-11", "2026-12", "2027-01"],
    );
    store.said_at("2027-01-27T12:00:00Z", 0, &["--pending"]);
    store.said_at("2027-01-27T12:00:00Z", 3, &["--pending"]);
    let expected =
        PERIODS.map(|(first, _)| format!("{first},{},{}", of_base(day(first), 100, 6), of_base(day(first), 10, 2)));
    let asked =
        PERIODS.map(|(first, _)| format!("SELECT period, fee_base, amount, slices FROM credits('{first}')")).join("; ");
    let mut command = nines();
    command.env("NINES_NOW", LATER).arg("--store").arg(&store.0).args(["sql", "--format", "csv", &asked]);
    let said = run(&mut command);
    let rows: Vec<&str> = said.lines().filter(|line| !line.starts_with("period,")).collect();
    assert_eq!(rows.len(), PERIODS.len(), "{said}");
    for ((row, (_, hours)), expected) in rows.iter().zip(PERIODS).zip(&expected) {
        assert_eq!(*row, format!("{expected},{hours}"));
    }
    let stated: Vec<String> =
        expected.iter().map(|row| row.split(',').step_by(2).collect::<Vec<_>>().join(",")).collect();
    assert_eq!(store.sql("period, amount", "statements ORDER BY period"), stated);
    assert!(store.said_at(LATER, 0, &["--verify", "--all"]).ends_with("13 statements hold\n"));

    // Pages and exports go by the name, and say how the fee comes about.
    let pages = folder.path().join("pages");
    store.said_at(LATER, 0, &["2026-01-31", "--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-01-31-acme.md")).unwrap();
    for line in [
        "# Service levels of 31 January 2026 to 1 March 2026 for acme",
        "30 days after 30 days, counted from 2026-05-31, in Europe/Berlin",
        "What was paid for each month, × those of the days it is paid for that lie in the period / all of them",
        "The fee of 2026-01: 307.00 EUR × 1/31, its days in the period / all of its days.",
        "The fee of 2026-02: 314.00 EUR × 28/28, its days in the period / all of its days.",
        "Fee base: the sum of these, 334.258065 EUR, exactly 10362/31.",
        "Credited: 33.43 EUR",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    let pattern = folder.path().join("owed-{period}.csv");
    store.said_at(LATER, 0, &["2026-05-31", "-o", pattern.to_str().unwrap()]);
    assert!(std::fs::read_to_string(folder.path().join("owed-2026-05-31.csv")).unwrap().contains(",2026-05-31,720,"));

    // Late data, a fee that was wrong, a review: of this period and of no other.
    store.requests(&["2026-03-01T12:00:00Z,,gateway,/,acme,503,9"]);
    let moved = store.said_at(LATER, 0, &["2026-01-31", "--moved"]);
    assert!(moved.contains("1 of 1 statement moved since issued"), "{moved}");
    store.fees(&["2026-03,acme,gateway,EUR,631,,"]);
    let verified = store.said_at(LATER, 4, &["2026-01-31", "--verify"]);
    let fee = "2026-03: 631.00 EUR, of which vouchers paid 0.00 EUR (1 of 31 days)";
    assert!(verified.contains(fee), "{verified}");
    store.said_at(LATER, 0, &["2026-01-31", "--issue", "--draft"]);
    assert!(
        store.said_at(LATER, 0, &["2026-01-31", "--approve"]).contains("0 statements and 1 revision for 2026-01-31")
    );
    assert_eq!(issued(&store)[..3], ["thirty,2026-01-01,1", "thirty,2026-01-31,1", "thirty,2026-01-31,2"]);
    store.said_at(LATER, 0, &["2026-01-31", "--verify"]);
    assert!(
        store.said_at(LATER, 4, &["--verify", "--all"]).contains("1 of 13 statements are no longer what is stored"),
        "2026-03-02, too"
    );
    let verified = store.said_at(LATER, 0, &["2026-01-01", "--verify"]);
    assert!(verified.ends_with("1 statements hold\n"), "{verified}");

    // Rows behind a statement stay.
    let said = fails(
        1,
        nines().arg("--store").arg(&store.0).args([
            "delete",
            "requests",
            "--where",
            "time < '2026-03-01'",
            "--reason",
            "x",
        ]),
    );
    assert!(
        said.contains("a statement was issued from some of these rows: thirty for 'acme', gateway, 2026-01-01"),
        "{said}"
    );
}

#[test]
fn a_name_is_of_a_period_or_refused_with_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let monthly = agreement("monthly", "1M", "");
    let store = store(folder.path(), &[thirty("thirty", "")]);
    fees(&store, &["2026-04", "2026-05", "2026-06", "2026-07"]);
    let now = "2026-07-10T00:00:00Z";
    let said = store.said_at(now, 2, &["2026-05-02"]);
    assert!(
        said.contains("no period begins on 2026-05-02: those of agreement thirty begin on 2026-05-01 and 2026-05-31"),
        "{said}"
    );
    let said = store.said_at(now, 2, &["2026-05", "--issue"]);
    assert!(
        said.contains("no period is named 2026-05, but by their first day")
            && said.contains("thirty has 2026-05-01 and 2026-05-31"),
        "{said}"
    );
    let refused = |sql: &str| fails(1, nines().arg("--store").arg(&store.0).args(["sql", sql]));
    for function in ["credits", "credit_statements"] {
        let said = refused(&format!("SELECT * FROM {function}('2026-05-30')"));
        assert!(said.contains("those of agreement thirty begin on 2026-05-01 and 2026-05-31"), "{said}");
    }
    assert!(refused("SELECT * FROM credits('2026-05-32')").contains("is no period: expected a month such as 2026-10"));

    // Beside others it is told that it is not among them.
    store.apply(std::slice::from_ref(&monthly));
    let said = store.said_at(now, 0, &["2026-05", "--issue"]);
    let told = "agreement thirty is not in 2026-05: its periods are of 30 days from 2026-05-31, named by their first day: 2026-05-01 and 2026-05-31";
    assert!(said.contains(told) && !said.contains("no agreement covers"), "{said}");
    assert_eq!(issued(&store), ["monthly,2026-05,1"]);
    assert_eq!(store.sql("agreement", "credits('2026-05')"), ["monthly"]);
    assert_eq!(store.sql("agreement", "credits('2026-05-01')"), ["thirty"]);
    let said = store.said_at(now, 2, &["2026-05-02", "--agreement", "monthly"]);
    assert!(said.contains("agreement monthly has 2026-05"), "{said}");

    // Words go by each agreement's own periods.
    for (words, period) in
        [("last-month", "2026-05-31"), ("this-month", "2026-06-30"), ("month-before-last", "2026-05-01")]
    {
        let said = store.said_at(now, 0, &[words, "--format", "csv"]);
        assert!(said.contains(&format!("\nthirty,acme,gateway,{period},")), "{words}: {said}");
        assert!(
            said.contains(&format!("agreement thirty, whose periods are of 30 days: {words} is {period}")),
            "{said}"
        );
    }
    let said = store.said_at(now, 0, &["last-month", "--issue"]);
    assert_eq!(issued(&store), ["monthly,2026-05,1", "monthly,2026-06,1", "thirty,2026-05-31,1"], "{said}");
    assert!(said.contains("the fee of 'acme' for gateway is under 2 agreements"), "{said}");
}

#[test]
fn customers_come_and_leave_within_a_period() {
    let folder = tempfile::tempdir().unwrap();
    let weekly = agreement("weekly", "1w, from: 2026-05-04", "").replace("2020-01-01", "2026-05-04");
    let prorated =
        agreement("prorated", "7d, from: 2026-05-04", "  fees: {prorate: days}\n").replace("2020-01-01", "2026-05-04");
    let store = store(folder.path(), &[weekly, prorated]);
    // Of the 12 days from the 20th on 310.00 are paid, 5 of them lie in the week from the 18th on, 7 in the next.
    store.fees(&["2026-05,acme,gateway,EUR,310,2026-05-20,", "2026-06,acme,gateway,EUR,300,,"]);
    let bases = |period: &str| {
        store.sql("agreement, fee_base, started", &format!("credits('{period}') ORDER BY agreement DESC"))
    };
    let started = "2026-05-20T00:00:00Z";
    // Prorated it is the price of the month: 5 of its 31 days are judged.
    assert_eq!(bases("2026-05-18"), [format!("weekly,129.166667,{started}"), format!("prorated,50.000000,{started}")]);
    let started = "2026-05-25T00:00:00Z";
    assert_eq!(bases("2026-05-25"), [format!("weekly,180.833333,{started}"), format!("prorated,70.000000,{started}")]);
    assert_eq!(bases("2026-05-11"), [""; 0]);
    // All weeks to the end of June: every cent is the base of one of them, once.
    let weeks = (0..6).map(|week| (day("2026-05-18") + Days::new(7 * week)).to_string());
    let of_week = |week: String| {
        store.sql("fee_base", &format!("credits('{week}') WHERE agreement = 'weekly'"))[0].parse::<f64>().unwrap()
    };
    let sum: f64 = weeks.map(of_week).sum();
    // 28 of the 30 days of June.
    assert!((sum - 590.0).abs() < 1e-5, "{sum}");
    // Nothing is pending for who was not there.
    let said = store.said_at("2026-05-26T12:00:00Z", 0, &["--pending"]);
    assert_eq!(issued(&store), ["prorated,2026-05-18,1", "weekly,2026-05-18,1"], "{said}");
    store.said_at("2026-05-26T12:00:00Z", 3, &["--pending"]);
}

#[test]
fn limits_of_a_year_and_versions_go_by_days() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), &[thirty("thirty", "  cap: {year: 80.00 EUR}\n")]);
    fees(&store, &["2026-01", "2026-02", "2026-03", "2026-04", "2026-05"]);
    store.said_at("2026-05-03T00:00:00Z", 0, &["--pending"]);
    let amounts: Vec<String> = store.sql("amount", "statements ORDER BY period");
    let [first, second] = ["2026-01-01", "2026-01-31"].map(|first| of_base(day(first), 10, 2));
    let left = 80.0 - first.parse::<f64>().unwrap() - second.parse::<f64>().unwrap();
    assert_eq!(amounts, [first, second, format!("{left:.6}"), "0.000000".into()]);
    store.said_at("2026-05-03T00:00:00Z", 0, &["--verify", "--all"]);

    let file = folder.path().join("later.yaml");
    let later = |from: &str, period: &str| {
        let text = thirty("thirty", "").replace("2026-01-01", from).replace("30d, from: 2026-05-31", period);
        std::fs::write(&file, text).unwrap();
        let mut command = nines();
        command.arg("--store").arg(&store.0).args(["apply", "--dry-run"]).arg(&file);
        command
    };
    let said = fails(1, &mut later("2026-06-15", "1M"));
    let reason = "its periods are of 1 month, those of the version before it of 30 days from 2026-05-31";
    assert!(said.contains(reason) && said.contains("nines/effective-from: 2026-06-30"), "{said}");
    run(&mut later("2026-06-30", "1M"));
    // The same days, counted from another one.
    run(&mut later("2026-06-15", "30d, from: 2026-01-01"));
    let said = fails(1, &mut later("2026-06-15", "30d, from: 2026-01-02"));
    assert!(said.contains("of 30 days from 2026-01-02"), "{said}");
    for (period, reason) in [
        ("30d", "missing field 'from' in period, which periods of 30 days need"),
        (
            "30d, from: 15",
            "'15' is no date: periods of days are counted from a day on which one begins, such as 2026-01-10",
        ),
        ("1M, from: 2026-01-10", "'2026-01-10' is no day of a month: periods of months begin on a day of the month"),
        ("6d, from: 2026-01-10", "'6d' is no period of an agreement: expected 7 to 366 days"),
        ("720h, from: 2026-01-10", "or days such as 30d"),
    ] {
        let said = fails(1, &mut later("2026-06-30", period));
        assert!(said.contains(reason), "{period}: {said}");
    }
    let text = thirty("short", "  complete: 7d\n").replace("30d", "7d");
    std::fs::write(&file, text).unwrap();
    let said = fails(1, nines().arg("--store").arg(&store.0).arg("apply").arg(&file));
    assert!(said.contains("'7d' is too long: expected at most 6d"), "{said}");
}
