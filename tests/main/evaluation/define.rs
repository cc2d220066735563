//! Definitions as a test draws them, and as the YAML in which the engine gets them.
//!
//! Nothing here is shared with the crate that reads definitions: what a version means is told once in [`yaml`](Version::yaml),
//! for the engine, and once in [`Spec`], for the naive evaluation.

use std::collections::BTreeMap;

use super::calendar::{SECOND, Zone, ceil, day, floor, instant};

/// Ten thousandths: a share that is exact in decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(pub i64);

impl Share {
    pub fn text(self) -> String {
        format!("{}.{:04}", self.0 / 10_000, self.0 % 10_000)
    }

    pub fn met_by(self, good: i64, total: i64) -> bool {
        good * 10_000 >= self.0 * total
    }

    pub fn float(self) -> f64 {
        self.0 as f64 / 10_000.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Timeslices,
    RatioTimeslices,
    Occurrences,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoData {
    Ok,
    Error,
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Lt,
    Lte,
    Gt,
    Gte,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    Last,
    Min,
    Max,
    Mean,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    Service,
    Gateway,
    Nobody,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Availability {
        party: Option<Charge>,
        causes: Vec<(&'static str, Charge)>,
    },
    /// Without a threshold (µs), the baseline.
    Latency {
        quantile: Share,
        threshold: Option<i64>,
        each: bool,
    },
    Events {
        name: &'static str,
    },
    Gauge {
        name: &'static str,
        statistic: Option<Statistic>,
        hold: Option<i64>,
    },
    Sql(Expression),
}

/// What `nines/sql` is tried with; the naive side says in Rust what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expression {
    NotFailed,
    WithoutCause,
    Fast,
    SignIns,
    AllEvents,
    Lag,
    Samples,
}

impl Expression {
    pub const ALL: [Expression; 7] = [
        Expression::NotFailed,
        Expression::WithoutCause,
        Expression::Fast,
        Expression::SignIns,
        Expression::AllEvents,
        Expression::Lag,
        Expression::Samples,
    ];

    pub fn table(self) -> &'static str {
        match self {
            Expression::NotFailed | Expression::WithoutCause | Expression::Fast => "requests",
            Expression::SignIns | Expression::AllEvents => "events",
            Expression::Lag | Expression::Samples => "gauges",
        }
    }

    /// `where`, `good` and `total`.
    fn sql(self) -> (Option<&'static str>, &'static str, &'static str) {
        match self {
            Expression::NotFailed => {
                (Some("status < 500"), "CASE WHEN status < 300 THEN requests ELSE 0 END", "requests")
            }
            Expression::WithoutCause => (None, "CASE WHEN cause = '' THEN requests END", "requests"),
            Expression::Fast => (
                Some("status BETWEEN 100 AND 399"),
                "histogram_count_le(latency, 0.25)",
                "CASE WHEN latency IS NOT NULL THEN histogram_count(latency) END",
            ),
            Expression::SignIns => (Some("name = 'sign-in'"), "good", "total"),
            Expression::AllEvents => (None, "good", "total"),
            Expression::Lag => (Some("name = 'lag'"), "last <= 1.0", "1"),
            Expression::Samples => (None, "CASE WHEN max < 1.5 THEN samples ELSE 0 END", "samples"),
        }
    }
}

/// An indicator with the rows that it narrows to.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicator {
    pub kind: Kind,
    pub businesses: Vec<&'static str>,
    pub endpoints: Vec<&'static str>,
    pub customers: Vec<&'static str>,
    pub no_data: Option<NoData>,
}

impl Indicator {
    pub fn table(&self) -> &'static str {
        match &self.kind {
            Kind::Availability { .. } | Kind::Latency { .. } => "requests",
            Kind::Events { .. } => "events",
            Kind::Gauge { .. } => "gauges",
            Kind::Sql(expression) => expression.table(),
        }
    }

    pub fn no_data(&self) -> NoData {
        self.no_data.unwrap_or(if self.table() == "gauges" { NoData::Ignore } else { NoData::Ok })
    }

    fn yaml(&self) -> String {
        let mut spec: Vec<String> = Vec::new();
        let list = |names: &[&str]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        for (field, names) in
            [("business", &self.businesses), ("endpoint", &self.endpoints), ("customer", &self.customers)]
        {
            match names.as_slice() {
                [] => {}
                [one] => spec.push(format!("{field}: \"{one}\"")),
                several => spec.push(format!("{field}: [{}]", list(several))),
            }
        }
        if let Some(no_data) = self.no_data {
            spec.push(format!("noData: {no_data:?}").to_lowercase().replace("nodata", "noData"));
        }
        let charge = |charge: &Charge| format!("{charge:?}").to_lowercase();
        let kind = match &self.kind {
            Kind::Availability { party, causes } => {
                spec.extend(party.iter().map(|party| format!("party: {}", charge(party))));
                if !causes.is_empty() {
                    let each: Vec<String> =
                        causes.iter().map(|(cause, to)| format!("{cause}: {}", charge(to))).collect();
                    spec.push(format!("causes: {{{}}}", each.join(", ")));
                }
                "availability"
            }
            Kind::Latency { quantile, threshold, each } => {
                spec.push(format!("quantile: {}", quantile.text()));
                spec.push(match threshold {
                    Some(micros) => format!("threshold: {micros}us"),
                    None => "baseline: previous month".to_string(),
                });
                if *each {
                    spec.push("each: endpoint".to_string());
                }
                "latency"
            }
            Kind::Events { name } => {
                spec.push(format!("name: {name}"));
                "events"
            }
            Kind::Gauge { name, statistic, hold } => {
                spec.push(format!("name: {name}"));
                spec.extend(statistic.iter().map(|of| format!("statistic: {}", format!("{of:?}").to_lowercase())));
                spec.extend(hold.iter().map(|hold| format!("hold: {}s", hold / SECOND)));
                "gauge"
            }
            Kind::Sql(expression) => {
                let (filter, good, total) = expression.sql();
                spec.push(format!("from: {}", expression.table()));
                spec.extend(filter.iter().map(|filter| format!("where: \"{filter}\"")));
                spec.push(format!("good: \"{good}\""));
                spec.push(format!("total: \"{total}\""));
                "sql"
            }
        };
        let source = format!("{{metricSource: {{type: nines/{kind}, spec: {{{}}}}}}}", spec.join(", "));
        match kind {
            "gauge" => format!("{{spec: {{thresholdMetric: {source}}}}}"),
            _ => format!("{{spec: {{ratioMetric: {{rawType: success, raw: {source}}}}}}}"),
        }
    }
}

/// One of an SLO's objectives.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    pub name: Option<&'static str>,
    pub target: Share,
    pub slice_target: Option<Share>,
    /// Width in seconds.
    pub slice: i64,
    /// What a gauge is compared with.
    pub level: Option<(Op, f64)>,
    /// Its own indicator, in a composite.
    pub own: Option<Indicator>,
}

/// From when a version is effective.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Ever,
    At(i64),
    /// A date alone, counted in days since the epoch: its midnight in the definition's zone.
    Date(i64),
}

/// A version of an SLO.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    pub from: From,
    pub until: Option<i64>,
    pub service: &'static str,
    pub method: Method,
    pub zone: Option<Zone>,
    /// The time of day of the zone's calendar, in seconds.
    pub time_of_day: i64,
    pub vela: Option<&'static str>,
    /// Of a composite.
    pub target: Option<Share>,
    pub shared: Option<Indicator>,
    pub goals: Vec<Goal>,
}

impl Version {
    /// When it takes effect, in µs.
    pub fn start(&self) -> i64 {
        match self.from {
            From::Ever => i64::MIN,
            From::At(at) => at,
            From::Date(day) => self.zone.unwrap_or(Zone::Utc).midnight(day),
        }
    }

    pub fn is_composite(&self) -> bool {
        self.goals.len() > 1 && self.goals.iter().any(|goal| goal.own.is_some())
    }

    /// The name of one of its objectives.
    pub fn objective(&self, slo: &str, goal: &Goal) -> String {
        match goal.name {
            Some(name) if self.goals.len() > 1 => format!("{slo}/{name}"),
            _ => slo.to_string(),
        }
    }

    pub fn yaml(&self, name: &str) -> String {
        let mut annotations = annotation(self.from);
        annotations.extend(self.until.map(|until| format!("nines/effective-until: \"{}\"", instant(until))));
        annotations.extend(self.target.map(|target| format!("nines/target: \"{}\"", target.text())));
        let vela = self.vela.map_or(String::new(), |vela| format!(", labels: {{vela: {vela}}}"));
        let mut text = format!(
            "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: \"{name}\"{vela}, annotations: {{{}}}}}\nspec:\n  \
             service: \"{}\"\n  budgetingMethod: {:?}\n",
            annotations.join(", "),
            self.service,
            self.method
        );
        if let Some(zone) = self.zone {
            text += &format!(
                "  timeWindow: [{{duration: 1M, calendar: {{startTime: \"2025-01-01 {:02}:{:02}:{:02}\", timeZone: {}}}}}]\n",
                self.time_of_day / 3600,
                self.time_of_day / 60 % 60,
                self.time_of_day % 60,
                zone.name()
            );
        }
        if let Some(indicator) = &self.shared {
            text += &format!("  indicator: {}\n", indicator.yaml());
        }
        text += "  objectives:\n";
        for goal in &self.goals {
            let mut fields =
                vec![format!("target: {}", goal.target.text()), format!("timeSliceWindow: {}s", goal.slice)];
            fields.extend(goal.name.map(|name| format!("displayName: \"{name}\"")));
            fields.extend(goal.slice_target.map(|target| format!("timeSliceTarget: {}", target.text())));
            fields.extend(goal.level.map(|(op, value)| {
                format!("op: {op:?}, value: {value}").replace("op: G", "op: g").replace("op: L", "op: l")
            }));
            fields.extend(goal.own.as_ref().map(|own| format!("indicator: {}", own.yaml())));
            text += &format!("    - {{{}}}\n", fields.join(", "));
        }
        text
    }
}

fn annotation(from: From) -> Vec<String> {
    match from {
        From::Ever => Vec::new(),
        From::At(at) => vec![format!("nines/effective-from: \"{}\"", instant(at))],
        From::Date(day) => vec![format!("nines/effective-from: {}", &instant(day * super::calendar::DAY)[..10])],
    }
}

/// A version of a `Service` object.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    pub from: From,
    pub business: Option<&'static str>,
    pub target: Option<Share>,
}

impl Service {
    pub fn start(&self) -> i64 {
        match self.from {
            From::Ever => i64::MIN,
            From::At(at) => at,
            From::Date(day) => Zone::Utc.midnight(day),
        }
    }

    pub fn yaml(&self, name: &str) -> String {
        let mut annotations = annotation(self.from);
        annotations.extend(self.target.map(|target| format!("nines/target: \"{}\"", target.text())));
        let labels = self.business.map_or(String::new(), |business| format!("labels: {{business: {business}}}, "));
        format!(
            "apiVersion: openslo/v1\nkind: Service\nmetadata: {{name: \"{name}\", {labels}annotations: {{{}}}}}\nspec: {{}}\n",
            annotations.join(", ")
        )
    }
}

/// All that is defined: versions by effective date.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    pub slos: BTreeMap<String, BTreeMap<i64, Version>>,
    pub services: BTreeMap<&'static str, BTreeMap<i64, Service>>,
}

/// What an objective says from one instant to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub slo: String,
    pub service: &'static str,
    /// As its `Service` declares.
    pub declared: Option<&'static str>,
    pub indicator: Indicator,
    pub method: Method,
    pub zone: Zone,
    pub vela: Option<&'static str>,
    pub target: Share,
    pub slice_target: Share,
    /// µs.
    pub slice: i64,
    /// An instant at which a slice begins.
    pub origin: i64,
    pub level: Option<(Op, f64)>,
}

impl Spec {
    /// Start of the slice in which an instant lies.
    pub fn floor(&self, at: i64) -> i64 {
        floor(at - self.origin, self.slice) + self.origin
    }

    /// The first start of a slice that is not before an instant.
    pub fn ceil(&self, at: i64) -> i64 {
        ceil(at - self.origin, self.slice) + self.origin
    }
}

/// A stretch of time in which an objective says the same: `[from, to)`.
#[derive(Debug, Clone)]
pub struct Stretch {
    pub from: i64,
    pub to: i64,
    pub spec: Spec,
}

impl Definitions {
    /// The objectives, each with what it says when: ascending, not overlapping, gaps where it is not in force.
    pub fn objectives(&self) -> BTreeMap<String, Vec<Stretch>> {
        let mut all: BTreeMap<String, Vec<Stretch>> = BTreeMap::new();
        for (name, versions) in &self.slos {
            let starts: Vec<i64> = versions.keys().copied().collect();
            for (at, version) in versions.values().enumerate() {
                let next = starts.get(at + 1).copied().unwrap_or(i64::MAX);
                let end = next.min(version.until.unwrap_or(i64::MAX));
                if end <= version.start() {
                    continue;
                }
                // A version changes where its service does.
                let services: Vec<&Service> =
                    self.services.get(version.service).iter().flat_map(|of| of.values()).collect();
                let mut cuts = vec![version.start()];
                let changes = services.iter().skip(1).map(|service| service.start());
                cuts.extend(changes.filter(|at| *at > version.start() && *at < end));
                for (piece, from) in cuts.iter().enumerate() {
                    let to = cuts.get(piece + 1).copied().unwrap_or(end);
                    // Before the first version of a service, that one holds.
                    let service = services.iter().rev().find(|service| service.start() <= *from).or(services.first());
                    for goal in &version.goals {
                        let spec = spec(name, version, goal, service.and_then(|service| service.business));
                        let stretches = all.entry(version.objective(name, goal)).or_default();
                        match stretches.last_mut() {
                            Some(last) if last.to == *from && last.spec == spec => last.to = to,
                            _ => stretches.push(Stretch { from: *from, to, spec }),
                        }
                    }
                }
            }
        }
        all
    }

    /// Composites at their last version: name, target, objectives.
    pub fn composites(&self) -> Vec<(String, Vec<Promised>, Vec<String>)> {
        let all = self.slos.iter().filter_map(|(name, versions)| Some((name, versions, versions.values().last()?)));
        let composite = all.filter(|(_, _, last)| last.is_composite());
        composite
            .map(|(name, versions, last)| {
                let goals = last.goals.iter().map(|goal| last.objective(name, goal)).collect();
                let promised = versions.values().map(|version| Promised {
                    from: version.start(),
                    to: version.until.unwrap_or(i64::MAX),
                    target: version.target,
                });
                (name.clone(), promised.collect(), goals)
            })
            .collect()
    }

    /// What a service promises of its objectives together, by version; the first holds before it, too.
    pub fn service_targets(&self, name: &str) -> Vec<Promised> {
        let versions = self.services.get(name).into_iter().flat_map(|versions| versions.values()).enumerate();
        let from = |at: usize, service: &Service| if at == 0 { i64::MIN } else { service.start() };
        versions
            .map(|(at, service)| Promised { from: from(at, service), to: i64::MAX, target: service.target })
            .collect()
    }
}

/// What several objectives promise together from an instant on, until a later version does or until it ends.
#[derive(Debug, Clone, Copy)]
pub struct Promised {
    pub from: i64,
    pub to: i64,
    pub target: Option<Share>,
}

fn spec(slo: &str, version: &Version, goal: &Goal, declared: Option<&'static str>) -> Spec {
    let Some(indicator) = goal.own.clone().or(version.shared.clone()) else { panic!("{slo} has no indicator") };
    let slice_target = match indicator.kind {
        Kind::Latency { quantile, .. } => quantile,
        _ => goal.slice_target.unwrap_or(goal.target),
    };
    Spec {
        slo: slo.to_string(),
        service: version.service,
        declared,
        indicator,
        method: version.method,
        zone: version.zone.unwrap_or(Zone::Utc),
        vela: version.vela,
        target: goal.target,
        slice_target,
        slice: goal.slice * SECOND,
        origin: version.zone.unwrap_or(Zone::Utc).midnight(day(2025, 11, 20)) + version.time_of_day * SECOND,
        level: goal.level,
    }
}
