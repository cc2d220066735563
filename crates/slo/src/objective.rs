//! Objectives: what definitions come to once their references are resolved. This is what evaluation works on.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use chrono_tz::Tz;
use globset::{Glob, GlobBuilder, GlobMatcher};
use nines_timeline::{Grid, Interval, Share};

use crate::agreement::Agreement;
use crate::unmeasured::{Unmeasured, Unreadable};

/// All that is defined, resolved.
#[derive(Debug, Clone, Default)]
pub struct Definitions {
    /// Every objective that Nines measures, by name.
    pub objectives: Vec<Objective>,
    /// SLOs of several objectives with indicators of their own, by name.
    pub composites: Vec<Composite>,
    /// `Service` objects, by name.
    pub services: Vec<Service>,
    /// Of which business they were said to be when, by name.
    pub(crate) belongings: BTreeMap<String, Vec<Belonging>>,
    /// What their objectives promise together when, by name.
    pub(crate) promises: BTreeMap<String, Vec<Promise>>,
    /// Agreements, by name.
    pub agreements: Vec<Agreement>,
    /// Objectives that Nines does not measure, and when, by name.
    pub unmeasured: Vec<Unmeasured>,
    /// Services and agreements that are recorded and cannot be read; the agreements are none of the above.
    pub unreadable: Vec<Unreadable>,
}

/// Of which business a service was said to be from one instant to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Belonging {
    /// In force `[start, end)`; the first version holds before it, too.
    pub in_force: Interval,
    /// Label `business`; `None`: what its rows carry.
    pub business: Option<String>,
}

/// What several objectives promise together from one instant to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// In force `[start, end)`; the first version of a `Service` holds before it, too.
    pub in_force: Interval,
    /// The share of time in which all of them are met; `None`: nothing was promised.
    pub target: Option<Share>,
}

impl Definitions {
    /// What the objectives of a service promise together when (annotation `nines/target`): ascending, without gaps; empty if there is
    /// no such `Service`.
    pub fn promises(&self, service: &str) -> &[Promise] {
        self.promises.get(service).map_or(&[], Vec::as_slice)
    }

    /// Of which business a service was said to be when: ascending, without gaps; empty if there is no such `Service`.
    pub fn belongings(&self, service: &str) -> &[Belonging] {
        self.belongings.get(service).map_or(&[], Vec::as_slice)
    }

    /// Of which business a service was said to be at an instant.
    pub fn declared_business(&self, service: &str, at: i64) -> Option<&str> {
        let known = self.belongings(service).iter().find(|known| at < known.in_force.end);
        known.and_then(|known| known.business.as_deref())
    }
}

/// An objective and what was promised when.
#[derive(Debug, Clone)]
pub struct Objective {
    /// The SLO's name; `slo/displayName` where the SLO has several objectives.
    pub name: String,
    /// The SLO's name.
    pub slo: String,
    /// Ascending, disjoint, never empty intervals.
    pub versions: Vec<Version>,
}

/// What an objective was from one instant to another.
#[derive(Debug, Clone)]
pub struct Version {
    /// In force `[start, end)`; `i64::MIN` since ever, `i64::MAX` until further notice.
    pub in_force: Interval,
    /// Names the texts that say so, of the SLO and of the SLI: 16 hexadecimal digits, the same in every version of nines.
    pub said: Arc<str>,
    /// What it says.
    pub spec: Arc<Spec>,
}

/// What an objective says. [`Hash`] covers exactly what the evaluation of a slice depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Whose rows count.
    pub service: String,
    /// The declared business; `None`: what its rows carry.
    pub business: Option<String>,
    /// Who answers for the service.
    pub owner: Option<String>,
    /// The dimension of the indicator.
    pub vela: Option<Vela>,
    /// A name for people.
    pub display_name: Option<String>,
    /// What it means, for people.
    pub description: Option<String>,
    /// Which of the service's rows.
    pub rows: Rows,
    /// How rows become counts.
    pub indicator: Indicator,
    /// How the figure is made of slices or events.
    pub budgeting: Budgeting,
    /// The share of slices or events that is promised.
    pub target: Share,
    /// The share of a slice's events that must be good.
    pub slice_target: Share,
    /// Width of a slice in µs: divides a day.
    pub slice: i64,
    /// Where slices lie: from the calendar's time of day in its zone, else from midnight UTC.
    pub slices: Grid,
    /// Why there are no such slices, if they do not divide every day; then the objective is not measured.
    pub misfit: Option<String>,
    /// What unmeasured slices are.
    pub no_data: NoData,
    /// Over which the promise is made.
    pub window: Option<Window>,
    /// Of which calendar its months and days are.
    pub time_zone: Tz,
}

impl Hash for Spec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Spec { service, business, rows, indicator, slice_target, slices, no_data, time_zone, .. } = self;
        (service, business, rows, indicator, slice_target, slices, no_data, time_zone.name()).hash(state);
    }
}

/// Which rows of the service count: those that match one pattern of each list that is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Rows {
    /// Names or globs of businesses.
    pub businesses: Vec<Pattern>,
    /// Names or globs of endpoints.
    pub endpoints: Vec<Pattern>,
    /// Names or globs of customers.
    pub customers: Vec<Pattern>,
}

impl Rows {
    /// Whether a row's endpoint and customer are meant.
    pub fn matches(&self, endpoint: &str, customer: &str) -> bool {
        any(&self.endpoints, endpoint) && any(&self.customers, customer)
    }

    /// The one customer that it is narrowed to.
    pub fn customer(&self) -> Option<&str> {
        match self.customers.as_slice() {
            [one] => one.exact(),
            _ => None,
        }
    }
}

impl Spec {
    /// Whether rows of this business are meant: those it narrows to, else the declared business and rows that
    /// name none, else all.
    pub fn counts_business(&self, business: &str) -> bool {
        match (&self.rows.businesses, &self.business) {
            (narrowed, _) if !narrowed.is_empty() => any(narrowed, business),
            (_, Some(declared)) => business.is_empty() || business == declared,
            (_, None) => true,
        }
    }

    /// The business that the definition names: the one that it narrows to, else that of the service.
    pub fn declared_business(&self) -> Option<&str> {
        match self.rows.businesses.as_slice() {
            [one] if one.exact().is_some() => one.exact(),
            _ => self.business.as_deref(),
        }
    }
}

fn any(patterns: &[Pattern], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name))
}

/// A name, or a glob: `*` and `?` stop at `/`, `**` does not. Text that equals the pattern always matches, so
/// `/users/{id}` and `/a[1]` are names too.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    glob: Option<Arc<LazyGlob>>,
}

/// A glob that is compiled when it is first asked: that takes as long as reading a definition, and those that are
/// only listed or compared never need it.
#[derive(Debug)]
struct LazyGlob {
    glob: Glob,
    matcher: OnceLock<GlobMatcher>,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with the glob.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = match text.contains(['*', '?', '[', '{']) {
            false => None,
            true => match GlobBuilder::new(text).literal_separator(true).build() {
                Ok(glob) => Some(Arc::new(LazyGlob { glob, matcher: OnceLock::new() })),
                // Only what is surely meant as a glob can be a wrong one.
                Err(error) if text.contains(['*', '?']) => return Err(error.kind().to_string()),
                Err(_) => None,
            },
        };
        Ok(Pattern { text: text.to_string(), glob })
    }

    /// Whether a name matches.
    pub fn matches(&self, name: &str) -> bool {
        let glob_matches = |lazy: &Arc<LazyGlob>| {
            let matcher = lazy.matcher.get_or_init(|| lazy.glob.compile_matcher());
            matcher.is_match(name)
        };
        self.text == name || self.glob.as_ref().is_some_and(glob_matches)
    }

    /// The name, if only this one can match.
    pub fn exact(&self) -> Option<&str> {
        self.glob.is_none().then_some(self.text.as_str())
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// How rows become good and total.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Indicator {
    /// `nines/availability`: good = 2xx, total = 2xx + what is charged to the party.
    Availability {
        /// Whose failures are bad.
        party: Party,
        /// Who is charged for what.
        causes: Causes,
    },
    /// `nines/latency`: requests of status 1xx–3xx that carry a latency; good = those within the limit.
    Latency {
        /// The share that must be within the limit: the slice target.
        quantile: Share,
        /// The limit.
        limit: Limit,
        /// Every endpoint with data must meet it.
        each_endpoint: bool,
    },
    /// `nines/events`: the events of this name, as stored.
    Events {
        /// The column `name`.
        name: String,
    },
    /// `nines/gauge`: total = 1 per stored row, good = 1 if the statistic meets the level.
    Gauge {
        /// The column `name`.
        name: String,
        /// What is compared.
        statistic: Statistic,
        /// How.
        op: Op,
        /// With what.
        level: Level,
        /// Whether a sample stands until the next.
        hold: Option<Hold>,
    },
    /// `nines/sql`.
    Sql(SqlIndicator),
}

impl Indicator {
    /// The stored table that it reads.
    pub fn table(&self) -> &str {
        match self {
            Indicator::Availability { .. } | Indicator::Latency { .. } => "requests",
            Indicator::Events { .. } => "events",
            Indicator::Gauge { .. } => "gauges",
            Indicator::Sql(sql) => &sql.from,
        }
    }

    /// Its `type` in a definition.
    pub fn name(&self) -> &'static str {
        match self {
            Indicator::Availability { .. } => "nines/availability",
            Indicator::Latency { .. } => "nines/latency",
            Indicator::Events { .. } => "nines/events",
            Indicator::Gauge { .. } => "nines/gauge",
            Indicator::Sql(_) => "nines/sql",
        }
    }

    /// The quantile of last month's latency that is the limit, if it is.
    pub fn baseline(&self) -> Option<Share> {
        match self {
            Indicator::Latency { quantile, limit: Limit::PreviousMonth, .. } => Some(*quantile),
            _ => None,
        }
    }
}

/// A latency limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// At most this many µs.
    Micros(i64),
    /// At most the service-wide quantile of the calendar month before.
    PreviousMonth,
}

/// Two SQL expressions over the rows of a table; their values are added up per slice.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SqlIndicator {
    /// `requests`, `events` or `gauges`.
    pub from: String,
    /// A condition on rows.
    pub filter: Option<String>,
    /// Good events of a row.
    pub good: String,
    /// All events of a row.
    pub total: String,
}

/// Whose failures an objective counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Party {
    /// The service behind the gateway.
    Service,
    /// The gateway.
    Gateway,
}

/// To whom a failure is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charge {
    /// To the service.
    Service,
    /// To the gateway.
    Gateway,
    /// To nobody.
    Nobody,
}

/// Who is charged for which cause; cause is read before status.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Causes(pub BTreeMap<String, Charge>);

impl Default for Causes {
    /// The causes that ship with Nines.
    fn default() -> Self {
        let shipped = [
            (
                Charge::Service,
                ["upstream_timeout", "route_misconfigured", "request_too_large", "response_too_large"].as_slice(),
            ),
            (Charge::Gateway, &["auth_unavailable", "auth_timeout"]),
            (Charge::Nobody, &["keepalive_race", "rate_limited", "client_abort"]),
        ];
        let charged =
            shipped.into_iter().flat_map(|(to, causes)| causes.iter().map(move |cause| (cause.to_string(), to)));
        Causes(charged.collect())
    }
}

/// What of a gauge's rows is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// The last sample of the slice.
    Last,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// sum / samples.
    Mean,
}

/// How a value is compared with a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `<`
    Lt,
    /// `<=`
    Lte,
    /// `>`
    Gt,
    /// `>=`
    Gte,
}

impl Op {
    /// Whether `value op level`. False for NaN.
    pub fn holds(self, value: f64, level: f64) -> bool {
        match self {
            Op::Lt => value < level,
            Op::Lte => value <= level,
            Op::Gt => value > level,
            Op::Gte => value >= level,
        }
    }
}

/// A finite number that a gauge is compared with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level(pub f64);

impl Eq for Level {}

impl Hash for Level {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// For how long at most a sample stands, in µs, counted from the start of its slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hold(pub i64);

/// OpenSLO's budgeting methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Budgeting {
    /// ok slices / (ok + error slices).
    Timeslices,
    /// The mean of the slices' ratios.
    RatioTimeslices,
    /// Σ good / Σ total.
    Occurrences,
}

/// What a slice without data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoData {
    /// ok: no request, no failure.
    Ok,
    /// An error, up to now.
    Error,
    /// No data.
    Ignore,
}

/// The dimension that an indicator measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vela {
    /// How much.
    Volume,
    /// How many fail.
    Errors,
    /// How slow.
    Latency,
    /// Whether it is there.
    Availability,
}

/// The time over which a promise is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Window {
    /// As it is written: `28d`, `1M`.
    pub duration: String,
    /// Rolling, or by the calendar.
    pub rolling: bool,
}

impl Window {
    /// The length that an objective without a window is taken to have where one is needed, in µs: 30 days.
    pub const DEFAULT: i64 = 30 * crate::duration::DAY;

    /// Its length in µs; of calendar units the usual one: a month has 30 days, a quarter 90, a year 365.
    pub fn micros(&self) -> i64 {
        const MINUTE: i64 = 60_000_000;
        let unit = match self.duration.chars().last() {
            Some('m') => MINUTE,
            Some('h') => 60 * MINUTE,
            Some('d') => crate::duration::DAY,
            Some('w') => 7 * crate::duration::DAY,
            Some('Q') => 90 * crate::duration::DAY,
            Some('Y') => 365 * crate::duration::DAY,
            _ => 30 * crate::duration::DAY,
        };
        let count =
            self.duration.get(..self.duration.len().saturating_sub(1)).and_then(|text| text.parse::<i64>().ok());
        count.and_then(|count| count.checked_mul(unit)).unwrap_or(Window::DEFAULT)
    }
}

/// An SLO of several objectives that have indicators of their own: their union.
#[derive(Debug, Clone)]
pub struct Composite {
    /// The SLO's name.
    pub name: String,
    /// What it promises as a whole when (annotation `nines/target`): ascending, apart.
    pub promises: Vec<Promise>,
    /// The names of its objectives.
    pub objectives: Vec<String>,
}

/// A `Service` object at its last version.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Label `business`.
    pub business: Option<String>,
    /// Annotation `nines/owner`.
    pub owner: Option<String>,
    /// What its objectives promise together (annotation `nines/target`).
    pub target: Option<Share>,
}
