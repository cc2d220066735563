//! Objectives: what definitions come to once their references are resolved. This is what evaluation works on.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono_tz::Tz;
use nines_timeline::{Grid, Interval, Share};
use serde::{Deserialize, Serialize};

use crate::pattern::{RowFilter, any};
use crate::statuses::Statuses;
use crate::written;

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    pub rows: RowFilter,
    /// The `type` of the indicator, as it is written.
    pub indicator_type: String,
    /// How rows become counts.
    pub indicator: Indicator,
    /// How the figure is made of slices or events.
    pub budgeting: Budgeting,
    /// The share of slices or events that is promised.
    #[serde(with = "written::share")]
    pub target: Share,
    /// The share of a slice's events that must be good.
    #[serde(with = "written::share")]
    pub slice_target: Share,
    /// Width of a slice in µs: divides a day.
    pub slice: i64,
    /// Where slices lie: from the calendar's time of day in its zone, else from midnight UTC.
    #[serde(with = "written::grid")]
    pub slices: Grid,
    /// Why there are no such slices, if they do not divide every day; then the objective is not measured.
    pub misfit: Option<String>,
    /// What unmeasured slices are.
    pub no_data: NoData,
    /// Over which the promise is made.
    pub window: Option<Window>,
    /// Of which calendar its months and days are.
    #[serde(with = "written::zone")]
    pub time_zone: Tz,
}

impl Hash for Spec {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Spec { service, business, rows, indicator, slice_target, slices, no_data, time_zone, .. } = self;
        (service, business, rows, indicator, slice_target, slices, no_data, time_zone.name()).hash(state);
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

impl Spec {
    /// What it says as text that another machine reads: JSON, made anew for each plan that travels, and never stored.
    pub fn to_text(&self) -> String {
        // Of plain data with text keys there is always a text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What a text says; the error is what is wrong with it.
    pub fn of_text(text: &str) -> Result<Spec, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

/// How rows become good and total.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
        #[serde(with = "written::share")]
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

    /// The quantile of last month's latency that is the limit, if it is.
    pub fn baseline(&self) -> Option<Share> {
        match self {
            Indicator::Latency { quantile, limit: Limit::PreviousMonth, .. } => Some(*quantile),
            _ => None,
        }
    }
}

/// A latency limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Limit {
    /// At most this many µs.
    Micros(i64),
    /// At most the service-wide quantile of the calendar month before.
    PreviousMonth,
}

/// Two SQL expressions over the rows of a table; their values are added up per slice.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Party {
    /// The service behind the gateway.
    Service,
    /// The gateway.
    Gateway,
}

/// To whom a failure is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Charge {
    /// To the service.
    Service,
    /// To the gateway.
    Gateway,
    /// To nobody.
    Nobody,
}

/// Who is charged for which cause, or for which [`Statuses`]; cause is read before status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Causes(pub BTreeMap<String, Charge>);

impl Causes {
    /// Who is charged for a request of this cause and status: its cause decides, else the narrowest statuses that hold its
    /// own. `None`: nothing is said of it here.
    pub fn charge(&self, cause: &str, status: i32) -> Option<Charge> {
        let by_status = || {
            let own = self.statuses().filter(|(statuses, _)| statuses.contains(status));
            own.min_by_key(|(statuses, _)| statuses.count()).map(|(_, charge)| charge)
        };
        self.0.get(cause).copied().or_else(by_status)
    }

    /// What is said of statuses.
    fn statuses(&self) -> impl Iterator<Item = (Statuses, Charge)> {
        self.0.iter().filter_map(|(text, charge)| Some((Statuses::of(text)?, *charge)))
    }
}

impl Hash for Causes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        // An earlier version took them for causes: what it kept has another name.
        if self.statuses().next().is_some() {
            state.write(b"statuses");
        }
    }
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Level(pub f64);

impl Eq for Level {}

impl Hash for Level {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// For how long at most a sample stands, in µs, counted from the start of its slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hold(pub i64);

/// OpenSLO's budgeting methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Budgeting {
    /// ok slices / (ok + error slices).
    Timeslices,
    /// The mean of the slices' ratios.
    RatioTimeslices,
    /// Σ good / Σ total.
    Occurrences,
}

/// What a slice without data is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum NoData {
    /// ok: no request, no failure.
    Ok,
    /// An error, up to now.
    Error,
    /// No data.
    Ignore,
}

/// The dimension that an indicator measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
