//! Credits of random stores, beside those of evidence that is put together row by row, without passes, lanes or days.
//!
//! What comes of evidence is tested against a naive computation in `nines-slo`; here it is which rows, exclusions, incidents and
//! fees become evidence of whom.

use std::collections::BTreeMap;
use std::fmt::Write;

use nines_engine::slo::{Counts, Evidence, Excluded, Fee, Party, credit, plan};
use nines_engine::timeline::Interval;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{SECOND, text};
use crate::{count, nines, query, run};

const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 1440 * MINUTE;
const ZONES: [&str; 4] = ["UTC", "America/New_York", "Asia/Shanghai", "Europe/Berlin"];
/// Months with an hour more or less in some zones, and others.
const MONTHS: [&str; 4] = ["2026-03", "2026-11", "2026-02", "2025-12"];
const CUSTOMERS: [&str; 3] = ["acme", "客户", ""];
const SERVICES: [&str; 3] = ["gateway", "gateway-eu", "login"];
const STATUSES: [i32; 5] = [200, 204, 404, 500, 503];
const CAUSES: [&str; 4] = ["", "upstream_timeout", "auth_unavailable", "rate_limited"];

struct Row {
    time: i64,
    service: &'static str,
    endpoint: &'static str,
    customer: &'static str,
    status: i32,
    cause: &'static str,
    requests: i64,
}

struct Drawn {
    month: &'static str,
    width: i64,
    rows: Vec<Row>,
    /// Scope (service, customer), category, from, to, whether announced before.
    exclusions: Vec<([&'static str; 2], &'static str, i64, i64, bool)>,
    /// Service, started, fixed.
    incidents: Vec<(&'static str, i64, Option<i64>)>,
    /// Customer, service, amount, active from and until.
    fees: Vec<(&'static str, &'static str, i64, Option<i64>, Option<i64>)>,
    agreements: String,
}

fn pick<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

fn draw(seed: u64) -> Drawn {
    let rng = &mut StdRng::seed_from_u64(seed);
    let month = pick(rng, &MONTHS);
    let first = format!("{month}-01T00:00:00Z").parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    let width = pick(rng, &[15, 60]) * SECOND;
    let instant = |rng: &mut StdRng| {
        first + rng.random_range(-10 * 1440..33 * 1440) * MINUTE + rng.random_range(0..4) * 15 * SECOND
    };
    let mut rows = Vec::new();
    for _ in 0..rng.random_range(50..400) {
        let time = instant(rng).div_euclid(width) * width;
        let (service, customer) = (pick(rng, &SERVICES), pick(rng, &CUSTOMERS));
        for _ in 0..rng.random_range(1..4) {
            rows.push(Row {
                time,
                service,
                endpoint: pick(rng, &["/a", "/b"]),
                customer,
                status: pick(rng, &STATUSES),
                cause: pick(rng, &CAUSES),
                requests: rng.random_range(1..9),
            });
        }
    }
    // Apart, because overlapping ones are refused.
    let mut exclusions = Vec::new();
    let mut at = first - 8 * DAY;
    while at < first + 31 * DAY {
        let from = at + rng.random_range(0..5 * 1440) * MINUTE + 30 * SECOND;
        let to = from + rng.random_range(1..2000) * MINUTE;
        let scope = [pick(rng, &["", "gateway"]), pick(rng, &["", "acme"])];
        exclusions.push((scope, pick(rng, &["Attack", "Maintenance", "Weather"]), from, to, rng.random()));
        at = to;
    }
    let incident = |rng: &mut StdRng| {
        let started = instant(rng);
        (
            pick(rng, &["", "gateway", "login"]),
            started,
            rng.random_bool(0.8).then(|| started + rng.random_range(1..900) * MINUTE),
        )
    };
    let incidents = (0..rng.random_range(0..3)).map(|_| incident(rng)).collect();
    let mut fees = Vec::new();
    for customer in &CUSTOMERS[..2] {
        for service in SERVICES {
            if rng.random() {
                let from = rng.random_bool(0.3).then(|| instant(rng));
                let until =
                    rng.random_bool(0.3).then(|| instant(rng)).filter(|until| from.is_none_or(|from| from < *until));
                fees.push((*customer, service, rng.random_range(0..100_000), from, until));
            }
        }
    }
    let mut agreements = String::new();
    for number in 0..rng.random_range(1..4) {
        let zone = pick(rng, &ZONES);
        for version in 0..rng.random_range(1..3) {
            let measure = pick(rng, &["MeanErrorRate", "BadSlices", "Downtime", "Occurrences", "Proportional"]);
            let mut more = String::new();
            if matches!(measure, "BadSlices" | "Downtime" | "Proportional") {
                more.push_str(pick(rng, &["  bad: errorRate > 10%\n", "  bad: errorRate >= 50%\n"]));
            }
            if measure == "Downtime" {
                more.push_str(pick(rng, &["  minRun: 1h\n", "  minRun: 2h\n"]));
            }
            for clause in [
                "  minRequests: 5\n",
                "  lostTelemetry: {estimateFrom: 7d}\n",
                "  excludedTime: removed\n",
                "  endpoint: /a\n",
                "  customer: acme\n",
                "  party: gateway\n",
            ] {
                let means_something = measure != "Occurrences" || !clause.contains("minRequests");
                if means_something && rng.random_bool(0.3) {
                    more.push_str(clause);
                }
            }
            // The second version begins somewhere in or near the month.
            let from = if version == 0 { "2020-01-01".to_string() } else { text(instant(rng)) };
            write!(
                agreements,
                "---\napiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a{number}, annotations: {{nines/effective-from: \
                 \"{from}\"}}}}\nspec:\n  service: \"{}\"\n  period: {{duration: 1M, timeZone: {zone}}}\n  slice: {}\n  measure: \
                 {measure}\n  commitment: 99.9%\n  credits: [{{below: 99.9%, percent: 10}}, {{below: 90%, percent: 33}}]\n  \
                 exclusions: [Attack, {{category: Maintenance, announced: before}}]\n{more}",
                pick(rng, &["gateway", "gateway*", "*"]),
                pick(rng, &["1m", "5m", "1h"])
            )
            .unwrap();
        }
    }
    Drawn { month, width, rows, exclusions, incidents, fees, agreements }
}

/// Stores it all with the program.
fn store(folder: &std::path::Path, drawn: &Drawn) -> std::path::PathBuf {
    let store = folder.join("store");
    let or_none = |at: &Option<i64>| at.map(text).unwrap_or_default();
    let mut files: Vec<(&str, String)> = vec![
        ("requests", "time,service,endpoint,customer,status,cause,requests\n".to_string()),
        ("exclusions", "id,service,customer,category,started,ended,reason,announced\n".to_string()),
        ("incidents", "id,service,title,started,fixed,telemetry_lost\n".to_string()),
        ("fees", "period,customer,service,currency,amount,active_from,active_until\n".to_string()),
    ];
    for Row { time, service, endpoint, customer, status, cause, requests } in &drawn.rows {
        writeln!(files[0].1, "{},{service},{endpoint},{customer},{status},{cause},{requests}", text(*time)).unwrap();
    }
    for (number, ([service, customer], category, from, to, early)) in drawn.exclusions.iter().enumerate() {
        let announced = text(if *early { from - MINUTE } else { *from });
        let (from, to) = (text(*from), text(*to));
        writeln!(files[1].1, "EX-{number},{service},{customer},{category},{from},{to},x,{announced}").unwrap();
    }
    for (number, (service, started, fixed)) in drawn.incidents.iter().enumerate() {
        writeln!(files[2].1, "INC-{number},{service},x,{},{},true", text(*started), or_none(fixed)).unwrap();
    }
    for (customer, service, amount, from, until) in &drawn.fees {
        let (from, until) = (or_none(from), or_none(until));
        writeln!(files[3].1, "{},{customer},{service},EUR,{amount}.25,{from},{until}", drawn.month).unwrap();
    }
    for (table, text) in &files {
        if text.lines().count() > 1 {
            let file = folder.join(format!("{table}.csv"));
            std::fs::write(&file, text).unwrap();
            let width = format!("{}s", drawn.width / SECOND);
            let mut ingest = nines();
            ingest.arg("--store").arg(&store).args(["ingest", table]).arg(&file);
            run(if *table == "requests" { ingest.args(["--slice", &width]) } else { &mut ingest });
        }
    }
    let file = folder.join("agreements.yaml");
    std::fs::write(&file, &drawn.agreements).unwrap();
    run(nines().arg("--store").arg(&store).arg("apply").arg(&file));
    store
}

/// The same rows as SQL is asked for, from evidence put together by hand.
fn expected(drawn: &Drawn) -> Vec<String> {
    let always = Interval { start: i64::MIN, end: i64::MAX };
    let files = [("agreements.yaml".to_string(), drawn.agreements.clone())];
    let definitions = plan(&[], &files, 0).unwrap().definitions;
    let watermark = drawn.rows.iter().map(|row| row.time + drawn.width).max().unwrap();
    let mut found = Vec::new();
    for agreement in &definitions.agreements {
        for (customer, service) in CUSTOMERS.iter().flat_map(|c| SERVICES.map(|s| (*c, s))) {
            let fee = drawn.fees.iter().find(|(c, s, ..)| *c == customer && *s == service);
            let active = fee.map_or(always, |(.., from, until)| Interval {
                start: from.unwrap_or(i64::MIN),
                end: until.unwrap_or(i64::MAX),
            });
            let Some(covered) = agreement.covered(drawn.month.parse().unwrap(), active) else { continue };
            let terms = covered.terms;
            if !terms.matches_service(service)
                || !(terms.rows.customers.is_empty() || terms.rows.customers.iter().any(|p| p.matches(customer)))
            {
                continue;
            }
            let party = if terms.party == Party::Gateway { "auth_unavailable" } else { "upstream_timeout" };
            let mut counts: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
            for row in drawn.rows.iter().filter(|row| row.service == service && row.customer == customer) {
                if !terms.rows.matches(row.endpoint, customer) {
                    continue;
                }
                let is_failed = match row.cause {
                    "" => party == "upstream_timeout" && row.status >= 500,
                    cause => cause == party,
                };
                let (valid, failed) = counts.entry(row.time.div_euclid(terms.slice) * terms.slice).or_default();
                *valid += row.requests;
                *failed += if is_failed { row.requests } else { 0 };
            }
            let own = |[s, c]: &[&str; 2]| (s.is_empty() || *s == service) && (c.is_empty() || *c == customer);
            let exclusions = drawn.exclusions.iter().enumerate().filter(|(_, (scope, ..))| own(scope));
            let evidence = Evidence {
                slices: counts
                    .iter()
                    .map(|(start, (valid, failed))| Counts { start: *start, valid: *valid, failed: *failed })
                    .collect(),
                exclusions: exclusions
                    .map(|(number, (_, category, from, to, early))| Excluded {
                        id: format!("EX-{number}"),
                        category: category.to_string(),
                        interval: Interval { start: *from, end: *to },
                        announced: Some(if *early { from - MINUTE } else { *from }),
                    })
                    .collect(),
                lost: drawn
                    .incidents
                    .iter()
                    .filter(|(s, ..)| s.is_empty() || *s == service)
                    .map(|(_, started, fixed)| Interval { start: *started, end: fixed.unwrap_or(watermark) })
                    .collect(),
                active: if active == always { Vec::new() } else { vec![active] },
                fee: fee.map(|(_, _, amount, ..)| Fee {
                    currency: "EUR".into(),
                    amount: i128::from(*amount) * 1_000_000 + 250_000,
                    vouchers: 0,
                }),
                ..Evidence::default()
            };
            let judged = covered.slices();
            let was_used =
                counts.iter().any(|(start, (valid, _))| judged.start <= *start && *start < judged.end && *valid > 0);
            if !was_used && fee.is_none() {
                continue;
            }
            let credit = credit(&covered, &evidence).unwrap();
            let amount = credit.amount.map(|amount| format!("{}.{:06}", amount / 1_000_000, amount % 1_000_000));
            found.push(format!(
                "{},{customer},{service},{},{},{},{},{},{}",
                agreement.name,
                credit.slices,
                credit.valid,
                credit.failed,
                credit.lost_slices,
                credit.availability,
                amount.unwrap_or_default()
            ));
        }
    }
    found.sort();
    found
}

#[test]
fn credits_are_those_of_evidence_put_together_by_hand() {
    let rounds = count("NINES_CREDITS", 12);
    let first = count("NINES_SEED", 0);
    let (mut compared, mut credited) = (0, 0);
    for seed in first..first + rounds {
        let drawn = draw(seed);
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), &drawn);
        let columns = "agreement, customer, service, slices, valid, failed, lost_slices, availability_exact, amount";
        let mut rows = query(&store, &format!("SELECT {columns} FROM credits('{}')", drawn.month));
        rows.sort();
        let expected = expected(&drawn);
        assert_eq!(rows, expected, "seed {seed}: {}", drawn.agreements);
        compared += rows.len();
        credited += rows.iter().filter(|row| !row.ends_with(',') && !row.ends_with(",0.000000")).count();
        // Narrowed, it reads less and says the same.
        let narrowed = query(
            &store,
            &format!(
                "SELECT {columns} FROM credits('{}') WHERE customer = 'acme' AND service LIKE 'gate%'",
                drawn.month
            ),
        );
        let meant =
            |row: &&String| row.split(',').nth(1) == Some("acme") && row.split(',').nth(2).unwrap().starts_with("gate");
        assert_eq!(narrowed.len(), rows.iter().filter(meant).count(), "seed {seed}");
    }
    assert!(rounds < 10 || compared > 40 && credited > 10, "{compared} compared, {credited} with a credit");
}
