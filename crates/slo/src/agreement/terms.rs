//! The clauses of an agreement, as plain data.

use chrono_tz::Tz;
use nines_timeline::Share;

use crate::objective::{Causes, Party};
use crate::pattern::{Pattern, RowFilter};

/// What an agreement says. Percents are exact shares of 1, durations µs.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// A name for people.
    pub display_name: Option<String>,
    /// What it means, for people.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Which services it is about, each judged by itself; never empty.
    pub services: Vec<Pattern>,
    /// Which rows of the services: businesses, endpoints, customers.
    pub rows: RowFilter,
    /// Whose failures count.
    pub party: Party,
    /// Who is charged for what.
    pub causes: Causes,
    /// Requests that are not valid: they count neither as valid nor as failed.
    pub not_valid: Vec<NotValid>,
    /// Months of a period, counted from January: 1, 2, 3, 4, 6 or 12.
    pub months: u32,
    /// The zone whose calendar is meant.
    pub time_zone: Tz,
    /// Width of a slice in µs: divides a day.
    pub slice: i64,
    /// How availability is made of slices.
    pub measure: Measure,
    /// Slices with fewer valid requests have no error rate; at least 1.
    pub min_requests: i64,
    /// The availability that is promised.
    pub commitment: Share,
    /// Strictly descending bounds with strictly ascending percents; empty until they are agreed.
    pub tiers: Vec<Tier>,
    /// The most that is credited, as a share of the fee base.
    pub cap: Option<Share>,
    /// The least that is paid out; less is nothing.
    pub min_payout: Option<MinPayout>,
    /// What the party does not answer for, in the order of the agreement.
    pub exclusions: Vec<Exclude>,
    /// What becomes of excluded slices.
    pub excluded_time: ExcludedTime,
    /// Whether what vouchers paid is left out of the fee base.
    pub exclude_vouchers: bool,
    /// What happens where failures could not be counted; `None`: nothing.
    pub lost_telemetry: Option<LostTelemetry>,
    /// Until when a credit can be claimed.
    pub claim_within: Option<ClaimWithin>,
}

/// How availability is made of slices. A slice's error rate is failed / valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// 1 − Σ error rate / number of slices.
    MeanErrorRate,
    /// 1 − bad slices / number of slices.
    BadSlices(Bad),
    /// 1 − time in runs of bad slices of at least `min_run` / time of all slices. What ends a run: a slice that is
    /// not bad, not measured, below the minimum of requests, or excluded. Days do not, and the period cuts it.
    Downtime {
        /// What makes a slice bad.
        bad: Bad,
        /// In µs; shorter runs are no downtime.
        min_run: i64,
    },
    /// 1 − Σ failed / Σ valid.
    Occurrences,
    /// 1 − Σ error rate of the bad slices / number of slices.
    Proportional(Bad),
}

impl Measure {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Measure::MeanErrorRate => "MeanErrorRate",
            Measure::BadSlices(_) => "BadSlices",
            Measure::Downtime { .. } => "Downtime",
            Measure::Occurrences => "Occurrences",
            Measure::Proportional(_) => "Proportional",
        }
    }

    /// What makes a slice bad, where that matters.
    pub fn bad(self) -> Option<Bad> {
        match self {
            Measure::BadSlices(bad) | Measure::Downtime { bad, .. } | Measure::Proportional(bad) => Some(bad),
            Measure::MeanErrorRate | Measure::Occurrences => None,
        }
    }
}

/// What makes a slice bad: `errorRate > 10%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bad {
    /// How the error rate is compared.
    pub op: RateOp,
    /// With what.
    pub rate: Share,
}

/// How an error rate is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateOp {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Bad {
    /// Whether a slice of so many failed and valid requests is bad. Exact.
    pub fn holds(self, failed: i64, valid: i64) -> bool {
        let left = i128::from(failed) * i128::from(self.rate.denominator());
        let right = i128::from(valid) * i128::from(self.rate.numerator());
        match self.op {
            RateOp::Above => left > right,
            RateOp::AtLeast => left >= right,
        }
    }
}

/// A credit tier: applies where availability is strictly below its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tier {
    /// The bound.
    pub below: Share,
    /// The share of the fee base that is credited.
    pub percent: Share,
}

/// A category of exclusions that the agreement knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Exclude {
    /// As exclusions are recorded, letter by letter.
    pub category: String,
    /// It counts only where it was announced before it started.
    pub announced_before: bool,
}

/// What becomes of excluded slices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExcludedTime {
    /// They are without error, and the denominator stays whole.
    ErrorFree,
    /// They and their requests leave the denominator.
    Removed,
}

/// How the failures are estimated where they could not be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LostTelemetry {
    /// From how many local days before the outage's day.
    pub days: u32,
}

/// Until when a credit can be claimed, counted from the end of the calendar period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimWithin {
    /// Local days.
    Days(u32),
    /// Calendar months.
    Months(u32),
}

/// The least that is paid out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MinPayout {
    /// In 10⁻⁶ of the currency's unit.
    pub amount: i128,
    /// ISO 4217.
    pub currency: String,
}

/// Requests that are not valid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NotValid {
    /// Of this status.
    Status(i32),
    /// Of this cause.
    Cause(String),
}

impl Terms {
    /// Whether a service is meant.
    pub fn matches_service(&self, service: &str) -> bool {
        self.services.iter().any(|pattern| pattern.matches(service))
    }

    /// Whether requests of this status and cause are valid.
    pub fn is_valid(&self, status: i32, cause: &str) -> bool {
        !self.not_valid.iter().any(|not| match not {
            NotValid::Status(own) => *own == status,
            NotValid::Cause(own) => own == cause,
        })
    }

    /// Whether an exclusion of this category, announced when and started when (µs), counts.
    pub fn honours(&self, category: &str, announced: Option<i64>, started: i64) -> bool {
        let clause = self.exclusions.iter().find(|exclude| exclude.category == category);
        clause.is_some_and(|clause| !clause.announced_before || announced.is_some_and(|at| at < started))
    }
}
