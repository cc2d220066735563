//! Random definitions, rows, exclusions and incidents: few names, so that they meet.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::calendar::{DAY, HOUR, SECOND, Zone, day, floor};
use super::define::{
    Charge, Expression, From, Goal, Indicator, Kind, Method, NoData, Op, Service, Share, Statistic, Version,
};
use super::rows::{Exclusion, Gauge, Incident, Request, Rows};

/// The services, and the business that rows of each carry. The last two are never declared.
const SERVICES: [(&str, &str); 4] = [("login", "shop"), ("upload", "media"), ("支付", "shop"), ("probe", "ops")];
const ENDPOINTS: [&str; 5] = ["/login", "/api/pay", "/api/pay/refund", "/users/{id}", ""];
const CUSTOMERS: [&str; 3] = ["", "acme", "bolt"];
const NARROWED: [&str; 9] =
    ["/login", "/api/*", "/api/**", "/log*", "?login", "*", "/api/pay", "/users/{id}", "/nothing"];

/// The business that the rows of a service carry.
pub fn business_of(service: &str) -> &'static str {
    SERVICES.iter().find(|(name, _)| *name == service).map_or("", |(_, business)| business)
}

/// When rows and changes happen.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    pub slot: i64,
    pub from: i64,
    pub to: i64,
}

impl Span {
    pub fn draw(rng: &mut StdRng, slot: i64) -> Span {
        // Around the first of November clocks and months change.
        let first = day(2025, 10, 25) + rng.random_range(0..6);
        let days = one(rng, &[3, 4, 6, 9]);
        Span { slot, from: first * DAY, to: (first + days) * DAY }
    }

    pub fn instant(&self, rng: &mut StdRng) -> i64 {
        let any = rng.random_range(self.from - DAY / 2..self.to + DAY / 2);
        match rng.random_range(0..5) {
            0 => floor(any, DAY),
            1 => floor(any, HOUR),
            2 => floor(any, 60 * SECOND),
            3 => floor(any, SECOND),
            _ => any,
        }
    }

    /// Slices in which a batch has rows.
    fn times(&self, rng: &mut StdRng) -> BTreeSet<i64> {
        let slice = |at: i64| floor(at, self.slot);
        let any = rng.random_range(self.from..self.to);
        match rng.random_range(0..20) {
            0..=8 => draw_run(rng, slice(any), self.slot, 90, 0.95),
            9..=11 => draw_run(rng, floor(any, DAY) - 6 * self.slot, self.slot, 24, 0.7),
            12..=16 => (0..rng.random_range(5..40)).map(|_| slice(rng.random_range(self.from..self.to))).collect(),
            // The months before and after.
            17..=18 => {
                let month = one(rng, &[day(2025, 9, 12), day(2025, 10, 7), day(2025, 11, 20)]);
                (0..8).map(|_| slice(month * DAY + rng.random_range(0..4 * DAY))).collect()
            }
            _ => (0..3).map(|_| slice(self.to + rng.random_range(0..60 * DAY))).collect(),
        }
    }
}

fn draw_run(rng: &mut StdRng, from: i64, slot: i64, most: i64, kept: f64) -> BTreeSet<i64> {
    let count = rng.random_range(most / 3..most);
    (0..count).filter(|_| rng.random_bool(kept)).map(|at| from + at * slot).collect()
}

pub fn one<T: Clone>(rng: &mut StdRng, of: &[T]) -> T {
    of.choose(rng).cloned().unwrap()
}

fn maybe<T>(rng: &mut StdRng, chance: f64, value: impl FnOnce(&mut StdRng) -> T) -> Option<T> {
    rng.random_bool(chance).then(|| value(rng))
}

/// A batch of one source in one table.
pub fn batch(rng: &mut StdRng, span: &Span) -> Rows {
    let mut rows = Rows::default();
    let times = span.times(rng);
    let (service, business) = one(rng, &SERVICES);
    let source = one(rng, &["a", "b"]).to_string();
    let endpoints: Vec<&str> = ENDPOINTS.choose_multiple(rng, 2).copied().collect();
    let customer = one(rng, &CUSTOMERS);
    let calm = rng.random_bool(0.6);
    let table = rng.random_range(0..20);
    for time in times {
        for endpoint in &endpoints {
            if rng.random_bool(0.25) {
                continue;
            }
            // Rows without a business count with the declared one; others count only where an indicator says so.
            let business = match (service, rng.random_range(0..12)) {
                ("login" | "upload", 0) => "",
                ("upload", 1..=2) => "video",
                _ => business,
            };
            let [business, service, endpoint, customer] = [business, service, endpoint, customer].map(str::to_string);
            match table {
                0..=10 => {
                    let of_unit = requests(rng, calm);
                    rows.requests.insert((time, business, service, endpoint, customer, source.clone()), of_unit);
                }
                11..=14 => {
                    let total = one(rng, &[0, 0, 1, 2, 10, 1000]);
                    let good = if calm && rng.random_bool(0.9) { total } else { rng.random_range(0..=total) };
                    let name = one(rng, &["sign-in", "checkout"]).to_string();
                    let key = (time, business, service, endpoint, customer, name, source.clone());
                    rows.events.insert(key, (good, total));
                }
                _ => {
                    let name = one(rng, &["up", "lag"]).to_string();
                    rows.gauges.insert((time, business, service, endpoint, name, source.clone()), gauge(rng, calm));
                }
            }
        }
    }
    rows
}

/// The statuses and causes of a unit.
fn requests(rng: &mut StdRng, calm: bool) -> BTreeMap<(i32, String), Request> {
    const CAUSES: [&str; 7] =
        ["", "upstream_timeout", "auth_timeout", "rate_limited", "unknown", "own", "request_too_large"];
    let mut of_unit = BTreeMap::new();
    let latencies = rng.random_bool(0.7);
    let agreed = one(rng, &[vec![], vec![300_000], vec![250_000, 300_000]]);
    for place in 0..rng.random_range(1..=3) {
        let (status, cause) = match (place, calm && rng.random_bool(0.85)) {
            (0, _) => (200, if rng.random_bool(0.05) { one(rng, &CAUSES) } else { "" }),
            (_, true) => (one(rng, &[204, 301, 404]), ""),
            (_, false) => (one(rng, &[0, 200, 302, 404, 413, 429, 499, 500, 503]), one(rng, &CAUSES)),
        };
        let few = one(rng, &[0, 1, 3, 20]);
        let mut request = Request { requests: few, ..Request::default() };
        if latencies && rng.random_bool(0.9) {
            let slow = !calm || rng.random_bool(0.1);
            let mut of_row = BTreeMap::new();
            for _ in 0..few.min(4) {
                let micros = match slow {
                    false => one(rng, &[0, 1_000, 100_000, 249_999, 250_000]),
                    true => one(rng, &[250_001, 299_000, 300_000, 301_000, 480_000, 500_000, 900_000, 2_000_000]),
                };
                *of_row.entry(micros).or_default() += 1;
            }
            request.latencies = Some(of_row);
            request.agreed = (!agreed.is_empty()).then(|| agreed.iter().copied().collect());
        }
        of_unit.insert((status, cause.to_string()), request);
    }
    of_unit
}

fn gauge(rng: &mut StdRng, calm: bool) -> Gauge {
    let value = |rng: &mut StdRng| match calm && rng.random_bool(0.8) {
        true => 1.0,
        false => f64::from(rng.random_range(0..10)) / 4.0,
    };
    let samples: Vec<f64> = (0..rng.random_range(1..4)).map(|_| value(rng)).collect();
    Gauge {
        samples: samples.len() as i64,
        sum: samples.iter().sum(),
        min: samples.iter().copied().fold(f64::INFINITY, f64::min),
        max: samples.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        last: samples[samples.len() - 1],
    }
}

/// Another word of the same source on some of what is stored.
pub fn correction(rng: &mut StdRng, stored: &Rows) -> Rows {
    let mut rows = Rows::default();
    let calm = rng.random_bool(0.5);
    let some = |count: usize, rng: &mut StdRng| -> usize { rng.random_range(0..count.max(1)) };
    for _ in 0..rng.random_range(1..8) {
        let at = some(stored.requests.len(), rng);
        if let Some((unit, _)) = stored.requests.iter().nth(at) {
            rows.requests.insert(unit.clone(), requests(rng, calm));
        }
        let at = some(stored.events.len(), rng);
        if let Some((key, _)) = stored.events.iter().nth(at) {
            rows.events.insert(key.clone(), one(rng, &[(0, 0), (1, 1), (0, 5), (7, 9)]));
        }
        let at = some(stored.gauges.len(), rng);
        if let Some((key, _)) = stored.gauges.iter().nth(at) {
            rows.gauges.insert(key.clone(), gauge(rng, calm));
        }
    }
    rows
}

fn share(rng: &mut StdRng) -> Share {
    one(rng, &[5000, 7500, 9000, 9500, 9900, 9990, 10_000].map(Share))
}

/// An indicator, and a level if it is a gauge's.
fn indicator(rng: &mut StdRng, gauge: bool) -> Indicator {
    let kind = match rng.random_range(0..10) {
        _ if gauge => Kind::Gauge {
            name: one(rng, &["up", "lag"]),
            statistic: maybe(rng, 0.8, |rng| {
                one(rng, &[Statistic::Last, Statistic::Min, Statistic::Max, Statistic::Mean])
            }),
            // Ten minutes, less than a slice, more than a day, and what is no multiple of a slice.
            hold: maybe(rng, 0.6, |rng| one(rng, &[600, 10, 100, 3600, 100_000]) * SECOND),
        },
        0..=3 => Kind::Availability {
            party: maybe(rng, 0.7, |rng| one(rng, &[Charge::Service, Charge::Service, Charge::Gateway])),
            causes: maybe(rng, 0.4, |rng| {
                let to = |rng: &mut StdRng| one(rng, &[Charge::Service, Charge::Gateway, Charge::Nobody]);
                vec![("own", to(rng)), ("rate_limited", to(rng))]
            })
            .unwrap_or_default(),
        },
        4..=6 => Kind::Latency {
            quantile: one(rng, &[5000, 9000, 9900].map(Share)),
            threshold: maybe(rng, 0.6, |rng| one(rng, &[250_000, 300_000, 500_000, 299_500])),
            each: rng.random_bool(0.4),
        },
        7 => Kind::Events { name: one(rng, &["sign-in", "checkout"]) },
        _ => Kind::Sql(one(rng, &Expression::ALL)),
    };
    let mut narrowed = |chance: f64, names: &[&'static str]| -> Vec<&'static str> {
        let count = if rng.random_bool(chance) { rng.random_range(1..=2) } else { 0 };
        names.choose_multiple(rng, count).copied().collect()
    };
    let endpoints = narrowed(0.45, &NARROWED);
    let customers = narrowed(0.35, &["acme", "a*", "bolt"]);
    let mut businesses = narrowed(0.15, &["shop", "sh*", "*"]);
    if businesses.len() > 1 {
        businesses.truncate(1);
    }
    let no_data = maybe(rng, 0.6, |rng| one(rng, &[NoData::Ok, NoData::Error, NoData::Ignore]));
    Indicator { kind, businesses, endpoints, customers, no_data }
}

fn goal(rng: &mut StdRng, slot: i64, name: Option<&'static str>, indicator: &Indicator, own: bool) -> Goal {
    let widths: &[i64] =
        if slot == 15 * SECOND { &[15, 60, 60, 300, 3600, 45] } else { &[60, 60, 300, 1800, 3600, 86_400] };
    let latency = matches!(indicator.kind, Kind::Latency { .. });
    // Months of some zones begin inside a UTC day.
    let widest = if latency { 3600 } else { 86_400 };
    let gauge = matches!(indicator.kind, Kind::Gauge { .. });
    Goal {
        name,
        target: share(rng),
        slice_target: if latency { None } else { maybe(rng, 0.6, share) },
        slice: one(rng, widths).min(widest),
        level: gauge.then(|| (one(rng, &[Op::Lt, Op::Lte, Op::Gt, Op::Gte]), one(rng, &[0.5, 1.0, 1.25]))),
        own: own.then(|| indicator.clone()),
    }
}

/// A version of an SLO.
pub fn version(rng: &mut StdRng, slot: i64, from: From) -> Version {
    let shape = rng.random_range(0..10);
    let gauge = rng.random_bool(0.25);
    let shared = indicator(rng, gauge);
    let (shared, goals) = match shape {
        0..=5 => {
            let goal = goal(rng, slot, None, &shared, false);
            (Some(shared), vec![goal])
        }
        6..=7 => {
            let goals = ["strict", "lax"].map(|name| goal(rng, slot, Some(name), &shared, false));
            (Some(shared), goals.into())
        }
        _ => {
            let mut goals = Vec::new();
            for name in ["availability", "延迟"] {
                let own_gauge = rng.random_bool(0.25);
                let own = indicator(rng, own_gauge);
                goals.push(goal(rng, slot, Some(name), &own, true));
            }
            (None, goals)
        }
    };
    let zone = maybe(rng, 0.6, |rng| one(rng, &Zone::ALL));
    let mut version = Version {
        from,
        until: None,
        service: one(rng, &SERVICES).0,
        method: one(rng, &[Method::Timeslices, Method::RatioTimeslices, Method::Occurrences]),
        zone,
        time_of_day: zone.map_or(0, |_| {
            one(rng, &[0, 0, 6 * 3600, 22 * 3600 + 45 * 60, 7 * 60]) / (slot / SECOND) * (slot / SECOND)
        }),
        vela: maybe(rng, 0.5, |rng| one(rng, &["volume", "errors", "latency", "availability"])),
        target: None,
        shared,
        goals,
    };
    if version.is_composite() {
        version.target = maybe(rng, 0.5, share);
    }
    divide_days(&mut version);
    version
}

/// No slice wider than one that divides every day of the zone.
fn divide_days(version: &mut Version) {
    let widest = version.zone.unwrap_or(Zone::Utc).widest();
    version.goals.iter_mut().for_each(|goal| goal.slice = goal.slice.min(widest));
}

/// What an SLO says later.
pub fn changed(rng: &mut StdRng, slot: i64, before: &Version, from: From) -> Version {
    let mut version = Version { from, until: None, ..before.clone() };
    for _ in 0..rng.random_range(1..3) {
        match rng.random_range(0..10) {
            0..=2 => version.goals.iter_mut().for_each(|goal| goal.target = share(rng)),
            3..=4 => {
                for goal in &mut version.goals {
                    goal.slice = one(rng, &[60, 300, 1800, 3600]);
                }
            }
            5..=6 => {
                let endpoints = vec![one(rng, &NARROWED)];
                let all =
                    version.shared.iter_mut().chain(version.goals.iter_mut().filter_map(|goal| goal.own.as_mut()));
                all.for_each(|indicator| indicator.endpoints = endpoints.clone());
            }
            7 => version.method = one(rng, &[Method::Timeslices, Method::RatioTimeslices, Method::Occurrences]),
            8 => version.service = one(rng, &SERVICES).0,
            _ => version = Version { target: None, ..self::version(rng, slot, from) },
        }
    }
    divide_days(&mut version);
    version
}

/// When a version takes effect.
pub fn effective(rng: &mut StdRng, span: &Span) -> From {
    match rng.random_bool(0.4) {
        true => From::Date(span.instant(rng).div_euclid(DAY)),
        false => From::At(span.instant(rng)),
    }
}

/// Services that say to which business they belong; one of them changes it.
pub fn services(rng: &mut StdRng, span: &Span) -> Vec<(&'static str, Service)> {
    let mut services = vec![
        ("login", Service { from: From::Ever, business: Some("shop"), target: maybe(rng, 0.7, share) }),
        ("upload", Service { from: From::Ever, business: Some("media"), target: maybe(rng, 0.5, share) }),
    ];
    if rng.random_bool(0.5) {
        let from = effective(rng, span);
        services.push(("upload", Service { from, business: Some("video"), target: maybe(rng, 0.5, share) }));
    }
    services
}

pub fn exclusion(rng: &mut StdRng, span: &Span) -> Exclusion {
    let started = span.instant(rng);
    let length = one(rng, &[30 * SECOND, 60 * SECOND, 17 * 60 * SECOND, HOUR, 5 * HOUR, 30 * HOUR]);
    Exclusion {
        business: one(rng, &["", "", "shop", "media", "video"]),
        service: one(rng, &["", "", "login", "upload", "支付"]),
        customer: one(rng, &["", "", "", "acme", "bolt"]),
        started,
        ended: started + length + rng.random_range(0..2) * rng.random_range(0..60 * SECOND),
        withdrawn: false,
    }
}

pub fn incident(rng: &mut StdRng, span: &Span) -> Incident {
    let started = span.instant(rng);
    let phase = |rng: &mut StdRng, after: Option<i64>, chance: f64| {
        let later = after.unwrap_or(started) + rng.random_range(0..40 * 60 * SECOND);
        rng.random_bool(chance).then_some(later)
    };
    let detected = phase(rng, None, 0.8);
    let located = phase(rng, detected, 0.7);
    let fixed = phase(rng, located.or(detected), 0.8);
    let verified = if fixed.is_some() { phase(rng, fixed, 0.6) } else { None };
    Incident {
        business: one(rng, &["", "", "shop", "media"]),
        service: one(rng, &["", "login", "upload", "支付", "probe"]),
        started,
        detected,
        located,
        fixed,
        verified,
        lost: rng.random_bool(0.5),
        withdrawn: false,
    }
}

/// A range that somebody asks for, of at most so many days.
pub fn range(rng: &mut StdRng, span: &Span, most_days: i64) -> (i64, i64) {
    let from = span.instant(rng);
    match rng.random_range(0..10) {
        0..=2 => {
            let from = floor(from, DAY);
            (from, from + rng.random_range(1..=most_days) * DAY)
        }
        3..=5 => (from, from + rng.random_range(0..most_days * DAY)),
        6..=7 => (floor(from, HOUR), floor(from, HOUR) + rng.random_range(1..7) * HOUR),
        8 => (from, from + rng.random_range(0..200 * SECOND)),
        _ if most_days > 30 => {
            let months = Zone::Utc.months();
            let first = rng.random_range(3..6);
            (months[first], months[first + rng.random_range(1..=2)])
        }
        _ => (span.to - DAY, span.to + DAY),
    }
}
