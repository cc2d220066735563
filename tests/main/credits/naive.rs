//! Credits of random stores, beside those of evidence that is put together row by row, without passes, lanes or days.
//!
//! What comes of evidence is tested against a naive computation in `nines-slo`; here it is which rows, exclusions, incidents,
//! businesses and fees become evidence of whom, and that a question about some gets the same figures as one about all.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeZone};
use nines_engine::slo::{
    Agreement, Counts, Covered, Cycle, Evidence, Excluded, Fee, Party, Rules, Terms, credit, plan,
};
use nines_engine::timeline::Interval;

use super::drawn::{CUSTOMERS, Drawn, MINUTE, Paid, Row, SERVICES, draw, store};
use crate::{count, nines, run};

const ALWAYS: Interval = Interval { start: i64::MIN, end: i64::MAX };

/// The declared business of a service at an instant, if it is declared.
fn declared(drawn: &Drawn, service: &str, at: i64) -> Option<&'static str> {
    let label = drawn.labels.iter().find(|label| label.service == service)?;
    label.versions.iter().rev().find(|(from, _)| *from <= at)?.1
}

/// Whether a row is meant, whoever it is of and whenever it is.
fn is_meant(terms: &Terms, row: &Row) -> bool {
    terms.matches_service(row.service) && terms.rows.matches(row.endpoint, row.customer, "")
}

/// Start of the slice in which an instant lies, counted from the period's first midnight.
fn slice_of(at: i64, covered: &Covered<'_>) -> i64 {
    let (origin, width) = (covered.period.interval.start, covered.terms.slice);
    origin + (at - origin).div_euclid(width) * width
}

fn business(drawn: &Drawn, agreement: &Agreement, covered: &Covered<'_>, service: &str) -> String {
    match covered.terms.rows.businesses.as_slice() {
        [] => {}
        [one] => return one.exact().unwrap_or_default().to_string(),
        _ => return String::new(),
    }
    if let Some(declared) = declared(drawn, service, covered.interval.start) {
        return declared.to_string();
    }
    // What the version judges of the period if nobody comes or goes.
    let version = agreement.versions.iter().find(|version| *version.terms == *covered.terms).unwrap();
    let span = covered.period.interval;
    let ends = agreement.versions.last().unwrap().in_force.end.min(span.end);
    let (start, width) = (span.start.max(version.in_force.start), covered.terms.slice);
    let first = slice_of(start, covered);
    let first = if first < start { first + width } else { first };
    let span = Interval { start: first, end: slice_of(ends, covered).max(first) };
    let carried: BTreeSet<&str> = drawn
        .rows
        .iter()
        .filter(|row| row.service == service && is_meant(covered.terms, row))
        .filter(|row| span.start <= row.time && row.time < span.end && declared(drawn, service, row.time).is_none())
        .map(|row| row.business)
        .collect();
    assert!(carried.len() < 2, "{carried:?}");
    carried.into_iter().next().unwrap_or_default().to_string()
}

fn is_of_business(drawn: &Drawn, terms: &Terms, row: &Row) -> bool {
    match terms.rows.businesses.as_slice() {
        [] => declared(drawn, row.service, row.time).is_none_or(|own| row.business.is_empty() || row.business == own),
        [one] if one.exact().is_some() && row.business.is_empty() => true,
        several => several.iter().any(|pattern| pattern.matches(row.business)),
    }
}

fn midnight(date: NaiveDate, zone: impl TimeZone + Copy) -> i64 {
    zone.from_local_datetime(&date.and_time(NaiveTime::MIN)).earliest().unwrap().timestamp_micros()
}

/// When the time of a month begins: on the day of it, or the last, on which periods begin.
fn begins(month: NaiveDate, terms: &Terms) -> i64 {
    let Cycle::Months { from, .. } = terms.cycle else { panic!("periods of days are not drawn here") };
    let day = (0..from).rev().find_map(|before| month.with_day(before + 1)).unwrap();
    midnight(day, terms.time_zone)
}

/// From when until when a row of fees speaks.
fn of_month(row: &Paid, terms: &Terms) -> Interval {
    Interval { start: begins(row.month, terms), end: begins(row.month + Months::new(1), terms) }
}

fn is_of_plan(row: &Paid, terms: &Terms) -> bool {
    terms.plans.is_empty() || terms.plans.iter().any(|plan| !row.plan.is_empty() && plan.matches(row.plan))
}

/// Whether a customer was there at an instant, as these rows of fees say (by month).
fn is_there(rows: &[&Paid], at: i64, terms: &Terms) -> bool {
    let starts = |row: &Paid| of_month(row, terms).start;
    let ends = |row: &Paid| of_month(row, terms).end;
    if !terms.plans.is_empty() && !rows.iter().any(|row| is_of_plan(row, terms)) {
        return false;
    }
    if let Some(own) = rows.iter().find(|row| starts(row) <= at && at < ends(row)) {
        return is_of_plan(own, terms)
            && own.from.is_none_or(|from| from <= at)
            && own.until.is_none_or(|until| at < until);
    }
    // Who had another plan had left.
    let left = rows.iter().rev().find(|row| ends(row) <= at);
    let left = left.and_then(|row| if is_of_plan(row, terms) { row.until } else { Some(ends(row)) });
    let came = rows.iter().find(|row| at < starts(row)).filter(|row| is_of_plan(row, terms)).and_then(|row| row.from);
    match (left, came) {
        (None, None) => true,
        (Some(left), None) => at < left,
        (None, Some(came)) => came <= at,
        (Some(left), Some(came)) => at < left || came <= at,
    }
}

/// The intervals in which something holds that changes at these instants only.
fn intervals(mut changes: Vec<i64>, holds: &dyn Fn(i64) -> bool) -> Vec<Interval> {
    changes.extend([i64::MIN, i64::MAX]);
    changes.sort_unstable();
    changes.dedup();
    let mut found: Vec<Interval> = Vec::new();
    for pair in changes.windows(2).filter(|pair| holds(pair[0])) {
        match found.last_mut() {
            Some(last) if last.end == pair[0] => last.end = pair[1],
            _ => found.push(Interval { start: pair[0], end: pair[1] }),
        }
    }
    found
}

fn presence(rows: &[&Paid], terms: &Terms) -> Vec<Interval> {
    let own = |row: &&Paid| [row.from, row.until, Some(of_month(row, terms).start)];
    let ends = rows.iter().map(|row| of_month(row, terms).end);
    let changes = rows.iter().flat_map(own).flatten().chain(ends).collect();
    intervals(changes, &|at| is_there(rows, at, terms))
}

fn touches(one: &Interval, other: &Interval) -> bool {
    one.start.max(other.start) < one.end.min(other.end)
}

/// What is judged of a customer, when the customer was there, and what is paid for it.
fn paid<'a>(
    drawn: &Drawn,
    agreement: &'a Agreement,
    customer: &str,
    service: &str,
) -> Option<(Covered<'a>, Vec<Interval>, Vec<i64>)> {
    let month = drawn.month.parse().unwrap();
    let usual = agreement.covered(month, ALWAYS, Rules::CURRENT)?;
    let (terms, period) = (usual.terms, usual.period);
    let own: Vec<&Paid> = drawn.fees.iter().filter(|row| row.customer == customer && row.service == service).collect();
    let inside = |row: &&&Paid| {
        let start = begins(row.month, terms);
        period.interval.start <= start && start < period.interval.end
    };
    let of_period: Vec<&Paid> = own.iter().filter(inside).copied().collect();
    let active = presence(&of_period, terms);
    let mut there = active.iter().filter(|span| touches(span, &period.interval));
    let first = *there.next()?;
    let hull = Interval { start: first.start, end: there.next_back().unwrap_or(&first).end };
    let covered = agreement.covered(month, hull, Rules::CURRENT)?;
    if !active.iter().any(|span| touches(span, &covered.interval)) {
        return None;
    }
    let fees = of_period.iter().filter(|row| is_of_plan(row, terms)).filter(|row| {
        let month = of_month(row, terms);
        let judged =
            Interval { start: month.start.max(covered.interval.start), end: month.end.min(covered.interval.end) };
        active.iter().any(|span| touches(span, &judged))
    });
    let fees = fees.map(|row| row.amount * 1_000_000 + 250_000).collect();
    Some((covered, active, fees))
}

/// The same with the days before the period, of which rows of earlier months speak.
fn with_earlier(
    drawn: &Drawn,
    covered: &Covered<'_>,
    active: Vec<Interval>,
    from: i64,
    whose: [&str; 2],
) -> Vec<Interval> {
    let (terms, start) = (covered.terms, covered.period.interval.start);
    if from >= start {
        return active;
    }
    let first = DateTime::from_timestamp_micros(from).unwrap().with_timezone(&terms.time_zone).date_naive();
    let first = first.with_day(1).unwrap();
    let first = if from < begins(first, terms) { first - Months::new(1) } else { first };
    let rows: Vec<&Paid> = drawn
        .fees
        .iter()
        .filter(|row| [row.customer, row.service] == whose && row.month >= first)
        .filter(|row| begins(row.month, terms) < covered.period.interval.end)
        .collect();
    let earlier = presence(&rows, terms);
    let mut changes: Vec<i64> = earlier.iter().chain(&active).flat_map(|span| [span.start, span.end]).collect();
    changes.push(start);
    let holds = |at: i64| {
        let spans = if at < start { &earlier } else { &active };
        spans.iter().any(|span| span.start <= at && at < span.end)
    };
    intervals(changes, &holds)
}

/// The same rows as SQL is asked for, from evidence put together by hand.
fn expected(drawn: &Drawn) -> Vec<String> {
    let files = [("agreements.yaml".to_string(), drawn.definitions.clone())];
    let definitions = plan(&[], &files, 0).unwrap().definitions;
    let watermark = drawn.rows.iter().map(|row| row.time + drawn.width).max().unwrap();
    let mut found = Vec::new();
    for agreement in &definitions.agreements {
        for (customer, service) in CUSTOMERS.iter().flat_map(|c| SERVICES.map(|s| (*c, s))) {
            let Some((covered, active, fees)) = paid(drawn, agreement, customer, service) else { continue };
            let terms = covered.terms;
            if !terms.matches_service(service)
                || !(terms.rows.customers.is_empty() || terms.rows.customers.iter().any(|p| p.matches(customer)))
            {
                continue;
            }
            let business = business(drawn, agreement, &covered, service);
            let party = if terms.party == Party::Gateway { "auth_unavailable" } else { "upstream_timeout" };
            let fits = |scope: &[&str], own: &[&str]| scope.iter().zip(own).all(|(s, own)| s.is_empty() || s == own);
            let whose = [business.as_str(), service, customer];
            let exclusions = drawn.exclusions.iter().enumerate().filter(|(_, own)| fits(&own.scope, &whose));
            let lost: Vec<Interval> = drawn
                .incidents
                .iter()
                .filter(|own| fits(&own.scope, &whose[..2]))
                .map(|own| Interval { start: own.started, end: own.fixed.unwrap_or(watermark) })
                .collect();
            let active = with_earlier(drawn, &covered, active, covered.reads(&lost).start, [customer, service]);
            let mut evidence = Evidence {
                stored_slice: Some(drawn.width),
                exclusions: exclusions
                    .map(|(number, own)| Excluded {
                        id: format!("EX-{number}"),
                        category: own.category.to_string(),
                        interval: Interval { start: own.from, end: own.to },
                        announced: Some(if own.announced_before { own.from - MINUTE } else { own.from }),
                    })
                    .collect(),
                lost,
                active,
                fee: (!fees.is_empty()).then(|| Fee {
                    currency: "EUR".into(),
                    amount: fees.iter().map(|fee| i128::from(*fee)).sum(),
                    vouchers: 0,
                }),
                ..Evidence::default()
            };
            let pieces = covered.pieces(&evidence).unwrap();
            let mut counts: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
            for row in drawn.rows.iter().filter(|row| row.service == service && row.customer == customer) {
                if !is_meant(terms, row) || !is_of_business(drawn, terms, row) {
                    continue;
                }
                let is_failed = match row.cause {
                    cause if terms.failed.is_some() => (400..=500).contains(&row.status) || cause == "upstream_timeout",
                    "" => party == "upstream_timeout" && row.status >= 500,
                    cause => cause == party,
                };
                let (valid, failed) = counts.entry(pieces.start_of(row.time)).or_default();
                *valid += row.requests;
                *failed += if is_failed { row.requests } else { 0 };
            }
            evidence.slices = counts
                .iter()
                .map(|(start, (valid, failed))| Counts { start: *start, valid: *valid, failed: *failed })
                .collect();
            let judged = covered.judged(&evidence.active);
            let is_judged = |start: i64| judged.iter().any(|span| span.start <= start && start < span.end);
            let was_used = counts.iter().any(|(start, (valid, _))| is_judged(*start) && *valid > 0);
            if !was_used && evidence.fee.is_none() {
                continue;
            }
            let credit = credit(&covered, &evidence).unwrap();
            let money = |amount: Option<i128>| {
                amount.map(|amount| format!("{}.{:06}", amount / 1_000_000, amount % 1_000_000)).unwrap_or_default()
            };
            let (base, amount) = (money(credit.fee_base), money(credit.amount));
            found.push(format!(
                "{},{customer},{service},{business},{},{},{},{},{},{base},{amount}",
                agreement.name, credit.slices, credit.valid, credit.failed, credit.lost_slices, credit.availability,
            ));
        }
    }
    found.sort();
    found
}

/// The binary at a time when all that is drawn is over.
fn at_last() -> assert_cmd::Command {
    let mut command = nines();
    command.env("NINES_NOW", "2028-01-01T00:00:00Z");
    command
}

fn field(row: &str, at: usize) -> String {
    row.split(',').nth(at).unwrap().to_string()
}

const COLUMNS: &str =
    "agreement, customer, service, business, slices, valid, failed, lost_slices, availability_exact, fee_base, amount";

#[test]
fn credits_are_those_of_evidence_put_together_by_hand() {
    let rounds = count("NINES_CREDITS", 12);
    let first = count("NINES_SEED", 0);
    let (mut compared, mut credited, mut narrowed) = (0, 0, 0);
    for seed in first..first + rounds {
        let drawn = draw(seed);
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), &drawn);
        // Narrowed, it reads less and says the same.
        type Meant<'a> = &'a dyn Fn(&str) -> bool;
        let questions: [(&str, Meant); 5] = [
            ("true", &|_| true),
            ("customer = '客户'", &|row| field(row, 1) == "客户"),
            ("service = 'login'", &|row| field(row, 2) == "login"),
            ("customer = 'acme' AND service LIKE 'gate%'", &|row| {
                field(row, 1) == "acme" && field(row, 2).starts_with("gate")
            }),
            ("agreement = 'a0' AND customer = ''", &|row| field(row, 0) == "a0" && field(row, 1).is_empty()),
        ];
        let asked = questions.iter().enumerate().map(|(number, (condition, _))| {
            format!("SELECT {number} AS question, {COLUMNS} FROM credits('{}') WHERE {condition}", drawn.month)
        });
        let asked = asked.collect::<Vec<_>>().join(" UNION ALL ");
        let answers = run(at_last().arg("--store").arg(&store).args(["sql", "--format", "csv", &asked]));
        let mut answers: Vec<&str> = answers.lines().skip(1).collect();
        answers.sort();
        let rows = expected(&drawn);
        for (number, (condition, is_meant)) in questions.iter().enumerate() {
            let own = answers.iter().filter_map(|row| row.strip_prefix(&format!("{number},")));
            let found: Vec<&str> = own.collect();
            let meant: Vec<&str> = rows.iter().map(String::as_str).filter(|row| is_meant(row)).collect();
            assert_eq!(found, meant, "seed {seed}, {condition}: {}", drawn.definitions);
            narrowed += if number == 0 { 0 } else { found.len() };
        }
        compared += rows.len();
        credited += rows.iter().filter(|row| !row.ends_with(',') && !row.ends_with(",0.000000")).count();
        let acme = ["credits", drawn.month, "--customer", "acme", "--format", "csv"];
        let done = at_last().arg("--store").arg(&store).args(acme).output().unwrap();
        let told = String::from_utf8(done.stdout).unwrap();
        let header: Vec<&str> = told.lines().next().unwrap_or_default().split(',').collect();
        let place = |name: &str| header.iter().position(|own| *own == name).unwrap();
        let exact = |row: &str| [field(row, place("availability_exact")), field(row, place("fee_base"))];
        let mut shown: Vec<_> = told.lines().skip(1).map(exact).collect();
        let mut meant: Vec<_> =
            rows.iter().filter(|row| field(row, 1) == "acme").map(|r| [field(r, 8), field(r, 9)]).collect();
        shown.sort();
        meant.sort();
        assert_eq!(shown, meant, "seed {seed}: {}", drawn.definitions);
    }
    assert!(rounds < 10 || compared > 40 && credited > 4 && narrowed > 20, "{compared} compared, {credited} credited");
    eprintln!(
        "{rounds} stores from seed {first}: {compared} credits compared, {credited} of them above 0, {narrowed} narrowed"
    );
}
