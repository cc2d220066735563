//! What objectives are, computed the simple way: for each objective, each slice, add up the rows.
//!
//! Written from the words of the contract alone. It shares no code with the engine, the definitions or the algebra.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::ceil;
use super::define::{Charge, Definitions, Expression, Indicator, Kind, NoData, Op, Spec, Statistic, Stretch};
use super::draw::business_of;
use super::rows::{Exclusion, Gauge, Incident, Request, Rows, bucket, is_bound};

/// Everything there is.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// Width of the store's slices in µs.
    pub slot: i64,
    pub definitions: Definitions,
    pub rows: Rows,
    pub exclusions: BTreeMap<String, Exclusion>,
    pub incidents: BTreeMap<String, Incident>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ok,
    Error,
    NoData,
    Excluded,
}

/// A slice of an objective.
#[derive(Debug, Clone)]
pub struct Slice {
    pub start: i64,
    pub good: i64,
    pub total: i64,
    pub state: State,
    /// Whether counts were judged: neither excluded nor lost, and total > 0.
    pub measured: bool,
    /// What it adds to the sum of ratios.
    pub ratio: f64,
    /// Whether `noData` alone says what it was.
    pub assumed: bool,
    /// Whether its telemetry was lost.
    pub lost: bool,
    /// Whether it is neither known nor over at the watermark.
    pub ahead: bool,
    /// End of its last stored slice with data.
    pub last: Option<i64>,
    pub approximate: bool,
}

/// What an objective said over some time, and the slices that this decided.
#[derive(Debug, Clone)]
pub struct Judged {
    pub spec: Spec,
    /// The end of its last slice, in any range.
    pub to: i64,
    pub business: String,
    pub slices: Vec<Slice>,
}

/// Counts of a slice.
#[derive(Debug, Clone, Default)]
struct Counts {
    good: i64,
    total: i64,
    approximate: bool,
    endpoints: BTreeMap<String, (i64, i64)>,
}

/// The last bucket within a baseline; `None`: only latencies of zero are.
type Limit = Option<i32>;

/// All objectives with their counts, for any number of ranges.
pub struct Evaluation<'a> {
    model: &'a Model,
    objectives: BTreeMap<String, Vec<Counted>>,
}

struct Counted {
    /// The slices that it decides begin in here.
    from: i64,
    to: i64,
    spec: Spec,
    business: String,
    /// By stored slice.
    counts: BTreeMap<i64, Counts>,
    /// Of the objective: its first slice with data.
    first: Option<i64>,
    /// Of its table.
    watermark: Option<i64>,
}

impl Model {
    pub fn evaluate(&self) -> Evaluation<'_> {
        let mut objectives = BTreeMap::new();
        for (name, stretches) in self.definitions.objectives() {
            let counts: Vec<_> = stretches.iter().map(|stretch| self.counts(&stretch.spec)).collect();
            // A version without data is of the business that others of the same service carry.
            let with_data = |service: &str| {
                let mut own = stretches.iter().zip(&counts).filter(|(stretch, _)| stretch.spec.service == service);
                own.any(|(stretch, counts)| named(&stretch.spec).is_none() && counts.values().any(|of| of.total > 0))
            };
            let businesses: Vec<String> = stretches
                .iter()
                .map(|stretch| match named(&stretch.spec) {
                    Some(business) => business.to_string(),
                    None if with_data(stretch.spec.service) => business_of(stretch.spec.service).to_string(),
                    None => String::new(),
                })
                .collect();
            let mut counted: Vec<Counted> = stretches
                .into_iter()
                .zip(counts)
                .zip(businesses)
                .map(|((Stretch { from, to, spec }, counts), business)| {
                    let watermark = self.watermark(spec.indicator.table());
                    Counted { from, to, spec, business, counts, first: None, watermark }
                })
                .collect();
            let first = |of: &Counted| {
                let (stored, _) = of.counts.iter().find(|(_, counts)| counts.total > 0)?;
                Some(of.spec.floor(*stored))
            };
            let first = counted.iter().filter_map(first).min();
            counted.iter_mut().for_each(|of| of.first = first);
            objectives.insert(name, meet(counted));
        }
        Evaluation { model: self, objectives }
    }

    /// The counts of all stored slices that have rows.
    fn counts(&self, spec: &Spec) -> BTreeMap<i64, Counts> {
        let mut slices: BTreeMap<i64, Counts> = BTreeMap::new();
        let mut add = |time: i64, endpoint: &str, good: i64, total: i64, approximate: bool| {
            let counts = slices.entry(time).or_default();
            counts.good += good;
            counts.total += total;
            counts.approximate |= approximate;
            let of_endpoint = counts.endpoints.entry(endpoint.to_string()).or_default();
            of_endpoint.0 += good;
            of_endpoint.1 += total;
        };
        match spec.indicator.table() {
            "requests" => {
                let limits = self.limits(spec);
                for ((time, business, service, endpoint, customer, _), of_unit) in &self.rows.requests {
                    if !is_of(spec, service, business, endpoint, customer) {
                        continue;
                    }
                    for ((status, cause), request) in of_unit {
                        let limit = limits.iter().rev().find(|(from, _)| from <= time).and_then(|(_, limit)| *limit);
                        if let Some((good, total, approximate)) = request_counts(spec, *status, cause, request, limit) {
                            add(*time, endpoint, good, total, approximate);
                        }
                    }
                }
            }
            "events" => {
                for ((time, business, service, endpoint, customer, name, _), (good, total)) in &self.rows.events {
                    let named = match &spec.indicator.kind {
                        Kind::Events { name: wanted } => name == wanted,
                        Kind::Sql(Expression::SignIns) => name == "sign-in",
                        _ => true,
                    };
                    if named && is_of(spec, service, business, endpoint, customer) {
                        add(*time, endpoint, *good, *total, false);
                    }
                }
            }
            _ => {
                for (time, endpoint, good, total) in self.gauge_counts(spec) {
                    add(time, endpoint, good, total, false);
                }
            }
        }
        slices
    }

    /// What the rows of a gauge count, each at the store slices for which it speaks.
    fn gauge_counts(&self, spec: &Spec) -> Vec<(i64, &str, i64, i64)> {
        let mut found = Vec::new();
        let now = super::world::now();
        let mut series: BTreeMap<[&String; 5], BTreeSet<i64>> = BTreeMap::new();
        for (time, business, service, endpoint, name, source) in self.rows.gauges.keys() {
            series.entry([business, service, endpoint, name, source]).or_default().insert(*time);
        }
        for (key, gauge) in &self.rows.gauges {
            let (time, business, service, endpoint, name, source) = key;
            if !is_of(spec, service, business, endpoint, "") {
                continue;
            }
            match &spec.indicator.kind {
                Kind::Gauge { name: wanted, statistic, hold } if name == wanted => {
                    let good = i64::from(meets(gauge, statistic.unwrap_or(Statistic::Last), spec));
                    let until = match hold {
                        None => time + self.slot,
                        Some(hold) => {
                            let of_series = &series[&[business, service, endpoint, name, source]];
                            let next = of_series.range(time + 1..).next().copied().unwrap_or(i64::MAX);
                            next.min(time + hold).max(time + self.slot)
                        }
                    };
                    let mut at = *time;
                    while at < until && (at == *time || at + self.slot <= now) {
                        found.push((at, endpoint.as_str(), good, 1));
                        at += self.slot;
                    }
                }
                Kind::Sql(Expression::Lag) if name == "lag" => {
                    found.push((*time, endpoint, i64::from(gauge.last <= 1.0), 1));
                }
                Kind::Sql(Expression::Samples) => {
                    let good = if gauge.max < 1.5 { gauge.samples } else { 0 };
                    found.push((*time, endpoint, good, gauge.samples));
                }
                _ => {}
            }
        }
        found
    }

    /// The thresholds of a baseline by the first instant of the months in which they hold: the bucket of the nearest rank
    /// over all requests of the service in the month before.
    fn limits(&self, spec: &Spec) -> Vec<(i64, Option<Limit>)> {
        let Kind::Latency { quantile, threshold: None, .. } = spec.indicator.kind else { return Vec::new() };
        let everywhere = Spec {
            indicator: Indicator { endpoints: Vec::new(), customers: Vec::new(), ..spec.indicator.clone() },
            ..spec.clone()
        };
        let months = spec.zone.months();
        let mut limits = Vec::new();
        for month in months.windows(2) {
            let mut buckets: Vec<Option<i32>> = Vec::new();
            for ((time, business, service, endpoint, customer, _), of_unit) in &self.rows.requests {
                if !(month[0]..month[1]).contains(time) || !is_of(&everywhere, service, business, endpoint, customer) {
                    continue;
                }
                for (_, request) in of_unit.iter().filter(|((status, _), _)| (100..400).contains(status)) {
                    for (micros, n) in request.latencies.iter().flatten() {
                        buckets.extend(std::iter::repeat_n(bucket(*micros), *n as usize));
                    }
                }
            }
            // Latencies of zero come first.
            buckets.sort();
            let rank = ceil(buckets.len() as i64 * quantile.0, 10_000) / 10_000;
            limits.push((month[1], buckets.get((rank.max(1) - 1) as usize).copied()));
        }
        limits
    }

    /// End of the newest slice of a table.
    pub fn watermark(&self, table: &str) -> Option<i64> {
        self.rows.newest(table).map(|start| start + self.slot)
    }
}

/// The business that the indicator narrows to, or that the service declares; where none is named, it is what rows carry.
fn named(spec: &Spec) -> Option<&'static str> {
    match spec.indicator.businesses.as_slice() {
        [one] if !one.contains('*') => Some(*one),
        _ => spec.declared,
    }
}

/// What a row of `requests` counts; `None`: nothing, whatever its number.
fn request_counts(
    spec: &Spec,
    status: i32,
    cause: &str,
    request: &Request,
    limit: Option<Limit>,
) -> Option<(i64, i64, bool)> {
    match &spec.indicator.kind {
        Kind::Availability { party, causes } => {
            let party = party.unwrap_or(Charge::Service);
            let charged = causes.iter().find(|(known, _)| *known == cause).map(|(_, to)| *to).or(match cause {
                "upstream_timeout" | "route_misconfigured" | "request_too_large" | "response_too_large" => {
                    Some(Charge::Service)
                }
                "auth_unavailable" | "auth_timeout" => Some(Charge::Gateway),
                "keepalive_race" | "rate_limited" | "client_abort" => Some(Charge::Nobody),
                _ => None,
            });
            let charged = charged.or((500..600).contains(&status).then_some(Charge::Service));
            match charged {
                Some(to) => (to == party).then_some((0, request.requests, false)),
                None => (200..300).contains(&status).then_some((request.requests, request.requests, false)),
            }
        }
        Kind::Latency { threshold, .. } => {
            let latencies = request.latencies.as_ref().filter(|_| (100..400).contains(&status))?;
            let total = latencies.values().sum();
            let within =
                |meant: &dyn Fn(i64) -> bool| -> i64 { latencies.iter().filter(|l| meant(*l.0)).map(|l| l.1).sum() };
            match threshold {
                Some(threshold) => {
                    let agreed = request.agreed.as_ref().is_some_and(|agreed| agreed.contains(threshold));
                    let exact = agreed || is_bound(*threshold);
                    // What shares a bucket with the threshold counts as slow.
                    let good = match exact {
                        true => within(&|micros| micros <= *threshold),
                        false => within(&|micros| bucket(micros) < bucket(*threshold)),
                    };
                    let unsure = within(&|micros| bucket(micros) == bucket(*threshold));
                    Some((good, total, !exact && unsure > 0))
                }
                None => {
                    let limit = limit?;
                    Some((within(&|micros| bucket(micros) <= limit), total, false))
                }
            }
        }
        Kind::Sql(Expression::NotFailed) => {
            let good = if status < 300 { request.requests } else { 0 };
            (status < 500).then_some((good, request.requests, false))
        }
        Kind::Sql(Expression::WithoutCause) => {
            Some((if cause.is_empty() { request.requests } else { 0 }, request.requests, false))
        }
        Kind::Sql(Expression::Fast) => {
            let latencies = request.latencies.as_ref().filter(|_| (100..400).contains(&status))?;
            let fast = latencies.iter().filter(|(micros, _)| **micros <= 250_000);
            Some((fast.map(|(_, n)| n).sum(), latencies.values().sum(), false))
        }
        _ => None,
    }
}

fn meets(gauge: &Gauge, statistic: Statistic, spec: &Spec) -> bool {
    let Some((op, level)) = spec.level else { panic!("a gauge has a level") };
    let value = match statistic {
        Statistic::Last => gauge.last,
        Statistic::Min => gauge.min,
        Statistic::Max => gauge.max,
        Statistic::Mean => gauge.sum / gauge.samples as f64,
    };
    match op {
        Op::Lt => value < level,
        Op::Lte => value <= level,
        Op::Gt => value > level,
        Op::Gte => value >= level,
    }
}

fn is_of(spec: &Spec, service: &str, business: &str, endpoint: &str, customer: &str) -> bool {
    let indicator = &spec.indicator;
    let of_business = match (indicator.businesses.as_slice(), spec.declared) {
        ([], Some(declared)) => business.is_empty() || business == declared,
        (narrowed, _) => any(narrowed, business),
    };
    service == spec.service && of_business && any(&indicator.endpoints, endpoint) && any(&indicator.customers, customer)
}

fn any(patterns: &[&str], name: &str) -> bool {
    patterns.is_empty()
        || patterns.iter().any(|pattern| *pattern == name || matches(pattern.as_bytes(), name.as_bytes()))
}

/// `*` and `?` stop at `/`, `/**` at the end is everything below.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', b'*'], name) => !name.is_empty(),
        ([b'*', rest @ ..], _) => {
            matches(rest, name) || name.split_first().is_some_and(|(c, name)| *c != b'/' && matches(pattern, name))
        }
        ([b'?', rest @ ..], [c, name @ ..]) => *c != b'/' && matches(rest, name),
        ([p, rest @ ..], [c, name @ ..]) => p == c && matches(rest, name),
        _ => false,
    }
}

/// The first slice of both at or after an instant; `None` if none of the next three days begins in both.
fn first_of_both(a: &Spec, b: &Spec, from: i64) -> Option<i64> {
    let mut at = a.ceil(from);
    while at < from + 3 * super::DAY {
        if b.floor(at) == at {
            return Some(at);
        }
        at += a.slice;
    }
    None
}

/// The slices that each version decides: where two versions meet, the later begins with the first slice of both, or, if there
/// is none, after the last slice of the one before; one that is over before it begins decides nothing. After a gap a version
/// begins with its own next slice, but not inside the last of the one before.
fn meet(counted: Vec<Counted>) -> Vec<Counted> {
    // With what each says of its own from and to.
    let mut met: Vec<((i64, i64), Counted)> = Vec::new();
    for mut next in counted {
        let said = (next.from, next.to);
        next.from = if said.0 == i64::MIN { said.0 } else { next.spec.ceil(said.0) };
        next.to = if said.1 == i64::MAX { said.1 } else { next.spec.ceil(said.1) };
        let mut before = said.0;
        while let Some(((begun, ended), last)) = met.last_mut() {
            let contiguous = *ended == before;
            let mut until = last.to;
            if contiguous {
                let both = first_of_both(&last.spec, &next.spec, said.0);
                until = both.unwrap_or(last.spec.ceil(said.0));
                next.from = next.spec.ceil(until);
            } else {
                next.from = next.from.max(next.spec.ceil(last.to));
            }
            if next.from > last.from {
                if contiguous {
                    last.to = until;
                    *ended = said.1;
                }
                break;
            }
            before = *begun;
            met.pop();
        }
        if next.from < next.to {
            met.push((said, next));
        }
    }
    met.into_iter().map(|(_, counted)| counted).collect()
}

impl Evaluation<'_> {
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.objectives.keys()
    }

    /// The versions of an objective that are in force in `[from, to)`, each with its slices that begin inside.
    pub fn slices(&self, objective: &str, from: i64, to: i64, now: i64) -> Vec<Judged> {
        let mut judged = Vec::new();
        for counted in &self.objectives[objective] {
            let slice = counted.spec.slice;
            let mut slices = Vec::new();
            let mut start = counted.spec.ceil(from).max(counted.from);
            while start < to && start < counted.to {
                slices.push(self.slice(counted, start, now));
                start += slice;
            }
            if counted.from < to && from < counted.to {
                judged.push(Judged {
                    spec: counted.spec.clone(),
                    to: counted.to,
                    business: counted.business.clone(),
                    slices,
                });
            }
        }
        judged
    }

    fn slice(&self, counted: &Counted, start: i64, now: i64) -> Slice {
        let spec = &counted.spec;
        let end = start + spec.slice;
        let customer = match spec.indicator.customers.as_slice() {
            [one] if !one.contains('*') => *one,
            _ => "",
        };
        let fits = |scope: &str, own: &str| scope.is_empty() || scope == own;
        let exclusions: Vec<&Exclusion> = self
            .model
            .exclusions
            .values()
            .filter(|exclusion| {
                !exclusion.withdrawn
                    && fits(exclusion.business, &counted.business)
                    && fits(exclusion.service, spec.service)
                    && fits(exclusion.customer, customer)
                    && exclusion.started < end
                    && start < exclusion.ended
            })
            .collect();
        // Whether exclusions cover all of a stored slice, one after the other.
        let removed = |stored: i64| {
            let mut at = stored;
            while at < stored + self.model.slot {
                let over = exclusions.iter().filter(|x| x.started <= at && at < x.ended).map(|x| x.ended).max();
                match over {
                    Some(ended) => at = ended,
                    None => return false,
                }
            }
            true
        };
        let all: Vec<i64> = (0..spec.slice / self.model.slot).map(|nth| start + nth * self.model.slot).collect();
        let left: Vec<i64> = match exclusions.is_empty() {
            true => all.clone(),
            false => all.iter().copied().filter(|stored| !removed(*stored)).collect(),
        };
        let excluded = left.is_empty();
        let watermark = counted.watermark;
        let lost = self.model.incidents.values().any(|incident| {
            let fixed = incident.fixed.unwrap_or(now);
            !incident.withdrawn
                && incident.lost
                && fits(incident.business, &counted.business)
                && fits(incident.service, spec.service)
                && incident.started < fixed
                && left.iter().any(|stored| incident.started < stored + self.model.slot && *stored < fixed)
        });
        let mut counts = Counts::default();
        for stored in if excluded { &all } else { &left } {
            let Some(of) = counted.counts.get(stored) else { continue };
            counts.good += of.good;
            counts.total += of.total;
            counts.approximate |= of.approximate;
            for (endpoint, (good, total)) in &of.endpoints {
                let sum = counts.endpoints.entry(endpoint.clone()).or_default();
                (sum.0, sum.1) = (sum.0 + good, sum.1 + total);
            }
        }
        // A slice that is not over at the watermark is known if samples are held over the rest of it.
        let beyond =
            left.iter().filter(|stored| watermark.is_none_or(|watermark| **stored + self.model.slot > watermark));
        let is_held = matches!(spec.indicator.kind, Kind::Gauge { hold: Some(_), .. })
            && beyond.into_iter().all(|stored| counted.counts.get(stored).is_some_and(|of| of.total > 0));
        let over = watermark.is_some_and(|watermark| end <= watermark) || is_held;
        let met = |good: i64, total: i64| spec.slice_target.met_by(good, total);
        let each = match spec.indicator.kind {
            Kind::Latency { threshold, each, .. } => each || threshold.is_none(),
            _ => false,
        };
        let met = match each {
            true => counts.endpoints.values().filter(|(_, total)| *total > 0).all(|(good, total)| met(*good, *total)),
            false => met(counts.good, counts.total),
        };
        let no_data = spec.indicator.no_data();
        let until = if no_data == NoData::Error { Some(now) } else { watermark };
        let assumed =
            counted.first.is_some_and(|first| start >= spec.floor(first)) && until.is_some_and(|until| end <= until);
        let measured = counts.total > 0 && !lost && over;
        let (state, ratio) = match () {
            () if excluded => (State::Excluded, 0.0),
            () if lost => (State::Error, 0.0),
            () if measured => (if met { State::Ok } else { State::Error }, counts.good as f64 / counts.total as f64),
            () if assumed && no_data == NoData::Ok => (State::Ok, 1.0),
            () if assumed && no_data == NoData::Error => (State::Error, 0.0),
            () => (State::NoData, 0.0),
        };
        let (good, total) = if lost { (0, 0) } else { (counts.good, counts.total) };
        // Whatever became of it; what is held is no data beyond the newest row.
        let with_data = all.iter().filter(|stored| counted.counts.get(stored).is_some_and(|of| of.total > 0));
        let seen = |stored: &i64| Some(watermark?.min(stored + self.model.slot));
        Slice {
            start,
            good,
            total,
            state,
            measured: measured && !excluded,
            ratio,
            assumed: matches!(state, State::Ok | State::Error) && !measured && !lost,
            lost: lost && !excluded,
            ahead: state == State::NoData && watermark.is_some_and(|watermark| end > watermark),
            last: with_data.filter_map(seen).max(),
            approximate: counts.approximate && !lost,
        }
    }

    /// Services that any objective is of, as incidents name them.
    pub fn services(&self) -> BTreeSet<&'static str> {
        self.objectives.values().flatten().map(|of| of.spec.service).collect()
    }
}
