//! Random stores to work credits out in.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use chrono::{Datelike, Months, NaiveDate};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::{SECOND, text};
use crate::{nines, run};

pub const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 1440 * MINUTE;
const ZONES: [&str; 6] =
    ["UTC", "America/New_York", "Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata", "Australia/Adelaide"];
/// Months with an hour more or less in some zones, and others.
const MONTHS: [&str; 4] = ["2026-03", "2026-11", "2026-02", "2025-12"];
pub const CUSTOMERS: [&str; 3] = ["acme", "客户", ""];
pub const SERVICES: [&str; 3] = ["gateway", "gateway-eu", "login"];
const BUSINESSES: [&str; 3] = ["", "retail", "games"];
const STATUSES: [i32; 5] = [200, 204, 404, 500, 503];
const CAUSES: [&str; 4] = ["", "upstream_timeout", "auth_unavailable", "rate_limited"];

pub struct Row {
    pub time: i64,
    pub business: &'static str,
    pub service: &'static str,
    pub endpoint: &'static str,
    pub customer: &'static str,
    pub status: i32,
    pub cause: &'static str,
    pub requests: i64,
}

pub struct Paid {
    /// The first day of its month.
    pub month: NaiveDate,
    pub customer: &'static str,
    pub service: &'static str,
    pub amount: i64,
    pub from: Option<i64>,
    pub until: Option<i64>,
    /// Empty: none is named.
    pub plan: &'static str,
}

pub struct Excluding {
    /// Business, service, customer.
    pub scope: [&'static str; 3],
    pub category: &'static str,
    pub from: i64,
    pub to: i64,
    pub announced_before: bool,
}

pub struct Losing {
    pub scope: [&'static str; 2],
    pub started: i64,
    pub fixed: Option<i64>,
}

/// A `Service`: since when it names which business; the first version is since ever.
pub struct Label {
    pub service: &'static str,
    pub versions: Vec<(i64, Option<&'static str>)>,
}

pub struct Drawn {
    pub month: &'static str,
    pub width: i64,
    pub rows: Vec<Row>,
    pub exclusions: Vec<Excluding>,
    pub incidents: Vec<Losing>,
    pub fees: Vec<Paid>,
    pub labels: Vec<Label>,
    pub definitions: String,
}

fn pick<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

/// Instants are drawn from before the period to after it, so that look-backs, neighbours and partial months have rows.
struct Time {
    first: i64,
    days: i64,
}

impl Time {
    fn draw(&self, rng: &mut StdRng) -> i64 {
        self.first
            + rng.random_range(-10 * 1440..(self.days + 2) * 1440) * MINUTE
            + rng.random_range(0..4) * 15 * SECOND
    }
}

pub fn draw(seed: u64) -> Drawn {
    let rng = &mut StdRng::seed_from_u64(seed);
    let month = pick(rng, &MONTHS);
    let own: NaiveDate = format!("{month}-01").parse().unwrap();
    let quarterly = rng.random_bool(0.5);
    let (begins, months) = match quarterly {
        true => (own.with_month0(own.month0() / 3 * 3).unwrap(), 3),
        false => (own, 1),
    };
    let time = Time {
        first: begins.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_micros(),
        days: (begins + Months::new(months) - begins).num_days(),
    };
    let width = pick(rng, &[15, 60]) * SECOND;
    let labels = labels(rng, &time);
    let rows = rows(rng, &time, width, &labels);
    // Now and then two overlap.
    let mut exclusions = Vec::new();
    let mut at = time.first - 8 * DAY;
    while at < time.first + time.days * DAY {
        let from = at + rng.random_range(0..5 * 1440) * MINUTE + 30 * SECOND;
        let to = from + rng.random_range(1..2000) * MINUTE;
        exclusions.push(Excluding {
            scope: [pick(rng, &BUSINESSES), pick(rng, &["", "gateway"]), pick(rng, &["", "acme"])],
            category: pick(rng, &["Attack", "Maintenance", "Weather"]),
            from,
            to,
            announced_before: rng.random(),
        });
        at = if rng.random_bool(0.3) { from + (to - from) / 2 } else { to };
    }
    let incident = |rng: &mut StdRng| {
        let started = time.draw(rng);
        let fixed = rng.random_bool(0.8).then(|| started + rng.random_range(1..900) * MINUTE);
        Losing { scope: [pick(rng, &BUSINESSES), pick(rng, &["", "gateway", "login"])], started, fixed }
    };
    let incidents = (0..rng.random_range(0..4)).map(|_| incident(rng)).collect();
    let fees = fees(rng, &time, begins, months);
    let definitions = agreements(rng, &time, quarterly) + &services(&labels);
    Drawn { month, width, rows, exclusions, incidents, fees, labels, definitions }
}

fn labels(rng: &mut StdRng, time: &Time) -> Vec<Label> {
    let mut labels = Vec::new();
    for service in SERVICES {
        let (own, later) = (pick(rng, &BUSINESSES[1..]), pick(rng, &BUSINESSES[1..]));
        let versions = match rng.random_range(0..5) {
            0 => vec![(i64::MIN, Some(own))],
            1 => vec![(i64::MIN, Some(own)), (time.draw(rng), Some(later))],
            2 => vec![(i64::MIN, None), (time.draw(rng), Some(later))],
            _ => continue,
        };
        labels.push(Label { service, versions });
    }
    labels
}

fn rows(rng: &mut StdRng, time: &Time, width: i64, labels: &[Label]) -> Vec<Row> {
    // Rows of a service of which nobody says whose it is are of one business, but for those long before.
    let mut carried = SERVICES.map(|service| (service, pick(rng, &BUSINESSES)));
    for (service, business) in &mut carried {
        let label = labels.iter().find(|label| label.service == *service);
        if label.is_some_and(|label| label.versions.iter().all(|(_, business)| business.is_some())) {
            *business = "any";
        }
    }
    let mut rows = Vec::new();
    for _ in 0..rng.random_range(50..400) {
        let at = time.draw(rng).div_euclid(width) * width;
        let ((service, carried), customer) = (pick(rng, &carried), pick(rng, &CUSTOMERS));
        let business = match carried {
            "any" => pick(rng, &BUSINESSES),
            _ if at < time.first - 2 * DAY && rng.random_bool(0.3) => pick(rng, &BUSINESSES),
            carried => carried,
        };
        for _ in 0..rng.random_range(1..4) {
            rows.push(Row {
                time: at,
                business,
                service,
                endpoint: pick(rng, &["/a", "/b"]),
                customer,
                status: pick(rng, &STATUSES),
                cause: pick(rng, &CAUSES),
                requests: rng.random_range(1..9),
            });
        }
    }
    rows
}

/// Rows of the months of the period and of the one before, some of them missing.
fn fees(rng: &mut StdRng, time: &Time, begins: NaiveDate, months: u32) -> Vec<Paid> {
    let mut fees = Vec::new();
    for customer in &CUSTOMERS[..2] {
        for service in SERVICES {
            if rng.random_bool(0.3) {
                continue;
            }
            for month in 0..=months {
                if rng.random_bool(0.3) {
                    continue;
                }
                let from = rng.random_bool(0.25).then(|| time.draw(rng));
                let until = rng.random_bool(0.25).then(|| time.draw(rng));
                let until = until.filter(|until| from.is_none_or(|from| from < *until));
                let month = begins - Months::new(1) + Months::new(month);
                let plan = pick(rng, &["", "gold", "silver"]);
                fees.push(Paid { month, customer, service, amount: rng.random_range(0..100_000), from, until, plan });
            }
        }
    }
    fees
}

fn agreements(rng: &mut StdRng, time: &Time, quarterly: bool) -> String {
    let mut agreements = String::new();
    for number in 0..rng.random_range(1..4) {
        let zone = pick(rng, &ZONES);
        let duration = if quarterly && rng.random() { "1Q" } else { "1M" };
        let day = pick(rng, &[1, 1, 1, 15, 30]);
        let plan = pick(rng, &["", "", "", "  plan: gold\n", "  plan: [gold, \"s*\"]\n"]);
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
                pick(rng, &["  party: gateway\n", "  failed: {status: [4xx, 500], causes: [upstream_timeout]}\n"]),
                "  serviceHours: [Mon-Fri 06:00-20:00, Sun 22:00-02:00]\n",
                pick(rng, &["  business: retail\n", "  business: [retail, games]\n", "  business: \"*a*\"\n"]),
            ] {
                let means_something = measure != "Occurrences" || !clause.contains("minRequests");
                if means_something && rng.random_bool(0.3) {
                    more.push_str(clause);
                }
            }
            // The second version begins somewhere in or near the period.
            let from = if version == 0 { "2020-01-01".to_string() } else { text(time.draw(rng)) };
            write!(
                agreements,
                "---\napiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a{number}, annotations: {{nines/effective-from: \
                 \"{from}\"}}}}\nspec:\n  service: \"{}\"\n  period: {{duration: {duration}, from: {day}, timeZone: {zone}}}\n  slice: {}\n  \
                 measure: {measure}\n  commitment: 99.9%\n  credits: [{{below: 99.9%, percent: 10}}, {{below: 90%, percent: \
                 33}}]\n  exclusions: [{{category: Attack{}}}, {{category: Maintenance, announced: before}}]\n{plan}{more}",
                pick(rng, &["gateway", "gateway*", "*"]),
                pick(rng, &["1m", "5m", "1h"]),
                pick(rng, &["", ", atMost: 3h per 1Q"])
            )
            .unwrap();
        }
    }
    agreements
}

fn services(labels: &[Label]) -> String {
    let mut services = String::new();
    for Label { service, versions } in labels {
        for (from, business) in versions {
            let from = if *from == i64::MIN { "2020-01-01".to_string() } else { text(*from) };
            let label = business.map_or_else(String::new, |business| format!("business: {business}"));
            write!(
                services,
                "---\napiVersion: openslo/v1\nkind: Service\nmetadata: {{name: {service}, labels: {{{label}}}, annotations: \
                 {{nines/effective-from: \"{from}\"}}}}\nspec: {{}}\n"
            )
            .unwrap();
        }
    }
    services
}

/// Stores it all with the program.
pub fn store(folder: &Path, drawn: &Drawn) -> PathBuf {
    let store = folder.join("store");
    let or_none = |at: &Option<i64>| at.map(text).unwrap_or_default();
    let mut files: Vec<(&str, String)> = vec![
        ("requests", "time,business,service,endpoint,customer,status,cause,requests\n".to_string()),
        ("exclusions", "id,business,service,customer,category,started,ended,reason,announced\n".to_string()),
        ("incidents", "id,business,service,title,started,fixed,telemetry_lost\n".to_string()),
        ("fees", "period,customer,service,currency,amount,active_from,active_until,plan\n".to_string()),
    ];
    for Row { time, business, service, endpoint, customer, status, cause, requests } in &drawn.rows {
        writeln!(files[0].1, "{},{business},{service},{endpoint},{customer},{status},{cause},{requests}", text(*time))
            .unwrap();
    }
    for (number, Excluding { scope, category, from, to, announced_before }) in drawn.exclusions.iter().enumerate() {
        let announced = text(if *announced_before { from - MINUTE } else { *from });
        let (from, to, scope) = (text(*from), text(*to), scope.join(","));
        writeln!(files[1].1, "EX-{number},{scope},{category},{from},{to},x,{announced}").unwrap();
    }
    for (number, Losing { scope, started, fixed }) in drawn.incidents.iter().enumerate() {
        let scope = scope.join(",");
        writeln!(files[2].1, "INC-{number},{scope},x,{},{},true", text(*started), or_none(fixed)).unwrap();
    }
    for Paid { month, customer, service, amount, from, until, plan } in &drawn.fees {
        let (month, from, until) = (month.format("%Y-%m"), or_none(from), or_none(until));
        writeln!(files[3].1, "{month},{customer},{service},EUR,{amount}.25,{from},{until},{plan}").unwrap();
    }
    for (table, text) in &files {
        if text.lines().count() > 1 {
            let file = folder.join(format!("{table}.csv"));
            std::fs::write(&file, text).unwrap();
            let width = format!("{}s", drawn.width / SECOND);
            let mut ingest = nines();
            ingest.arg("--store").arg(&store).args(["ingest", table, "--any-time"]).arg(&file);
            run(if *table == "requests" { ingest.args(["--slice", &width]) } else { &mut ingest });
        }
    }
    let file = folder.join("agreements.yaml");
    std::fs::write(&file, &drawn.definitions).unwrap();
    run(nines().arg("--store").arg(&store).arg("apply").arg(&file));
    store
}
