//! The clauses of an agreement, as plain data.

use std::sync::Arc;

use chrono_tz::Tz;
use nines_timeline::{Interval, Share};

use crate::agreement::claims::ClaimWithin;
use crate::agreement::credits::Credits;
use crate::agreement::each::{Each, Join};
use crate::agreement::failures::Failures;
use crate::agreement::hours::ServiceHours;
use crate::agreement::issuer::{Issuer, Side};
use crate::agreement::limits::{Cap, Money, Rounded, YearCap};
use crate::agreement::metrics::Together;
use crate::objective::{Causes, Party};
use crate::pattern::{Pattern, RowFilter};
use crate::period::{Cycle, Month, Period};
use crate::statuses::Statuses;
use crate::words::length;

/// What an agreement says. Percents are exact shares of 1, durations µs.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The name of what is measured by these terms, where they are those of one metric of several.
    pub metric: Option<String>,
    /// The terms of the other metrics: other in what is counted, how it is measured, and what is credited.
    pub others: Vec<Arc<Terms>>,
    /// What the credits of several metrics come to.
    pub together: Together,
    /// Which members of a service are judged apart; `None`: they count together.
    pub each: Option<Each>,
    /// A name for people.
    pub display_name: Option<String>,
    /// What it means, for people.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Who draws up statements.
    pub issuer: Option<Issuer>,
    /// On which side the issuer is.
    pub side: Side,
    /// Which services it is about, each judged by itself; never empty.
    pub services: Vec<Pattern>,
    /// The objective whose events are judged, of whatever service they are, for each customer who pays; `None`: requests of the services.
    pub objective: Option<String>,
    /// Which rows of the services: businesses, endpoints, customers.
    pub rows: RowFilter,
    /// Which plans, as fees name them: customers of others, and of none, are not judged. Empty: any, and who has none.
    pub plans: Vec<Pattern>,
    /// Whose failures count.
    pub party: Party,
    /// Who is charged for what.
    pub causes: Causes,
    /// What fails, whoever is charged; `None`: what is charged to the party.
    pub failed: Option<Failures>,
    /// Requests that are not valid: they count neither as valid nor as failed.
    pub not_valid: Vec<NotValid>,
    /// How periods follow each other.
    pub cycle: Cycle,
    /// The zone whose calendar is meant.
    pub time_zone: Tz,
    /// The time of a week that counts; `None`: all of it.
    pub service_hours: Option<ServiceHours>,
    /// Width of a slice in µs: divides a day.
    pub slice: i64,
    /// How availability is made of slices.
    pub measure: Measure,
    /// Slices with fewer valid requests have no error rate; at least 1.
    pub min_requests: i64,
    /// The availability that is promised.
    pub commitment: Share,
    /// How the availability is rounded before it decides anything; `None`: it is not.
    pub round: Option<Rounded>,
    /// What is credited of the fee base.
    pub credits: Credits,
    /// The most that is credited; without it the fee base.
    pub cap: Option<Cap>,
    /// The most that is credited in a calendar year.
    pub cap_of_year: Option<YearCap>,
    /// The least that is paid out, by currency; less is nothing.
    pub min_payout: Vec<Money>,
    /// How an amount is rounded; `None`: half-even to the currency's minor unit.
    pub round_amount: Option<Rounded>,
    /// What the party does not answer for, in the order of the agreement.
    pub exclusions: Vec<Exclude>,
    /// What becomes of a run of bad slices that goes on over an end of what is judged.
    pub over_end: OverEnd,
    /// What becomes of excluded time.
    pub excluded_time: ExcludedTime,
    /// Whether a slice that is excluded in part is judged by its rest.
    pub excluded_by: Granularity,
    /// Whether excluded time inside a run of bad slices leaves it one run.
    pub bridge: bool,
    /// Whether what vouchers paid is left out of the fee base.
    pub exclude_vouchers: bool,
    /// Whether of the fee only the days count of which something is judged: those ÷ calendar days of the period, of a period of days
    /// of those of each month.
    pub prorate: bool,
    /// What happens where failures could not be counted; `None`: nothing.
    pub lost_telemetry: Option<LostTelemetry>,
    /// Whether a slice of which telemetry was lost in part is judged by its rest and the estimate.
    pub lost_by: Granularity,
    /// Until when a credit can be claimed.
    pub claim_within: Option<ClaimWithin>,
    /// How long (µs) before the end of a period the newest row of a service may be, for the period to be complete.
    pub complete: i64,
}

/// How availability is made of slices. A slice's error rate is failed / valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// 1 − Σ error rate / number of slices.
    MeanErrorRate,
    /// 1 − bad slices / number of slices.
    BadSlices(Bad),
    /// 1 − time in runs of bad slices of at least `min_run` / time of all slices. What ends a run: a slice that is
    /// not bad, not measured or below the minimum of requests, and excluded time unless [`Terms::bridge`]. Days do not; what
    /// the end of the period does says [`Terms::over_end`].
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

    /// How long bad slices must last to count, in µs, where that matters.
    pub fn min_run(self) -> Option<i64> {
        match self {
            Measure::Downtime { min_run, .. } => Some(min_run),
            Measure::MeanErrorRate | Measure::BadSlices(_) | Measure::Occurrences | Measure::Proportional(_) => None,
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

/// A category of exclusions that the agreement knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Exclude {
    /// As exclusions are recorded, letter by letter.
    pub category: String,
    /// It counts only where it was announced in time.
    pub announced: Option<Notice>,
    /// No more of it counts than that.
    pub at_most: Option<Allowance>,
}

/// How long before it starts something must be announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// At any time before.
    Before,
    /// So many µs before, or more.
    Ahead(i64),
}

/// How much time of a category counts: of what qualifies the first, in order of time, cut where the allowance ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Allowance {
    /// µs.
    pub most: i64,
    /// Of so many calendar months (1, 2, 3, 4, 6 or 12, counted from January) in the agreement's zone.
    pub months: u32,
}

/// What becomes of a run of bad slices that goes on over an end of what is judged: of the period, or of a customer's part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OverEnd {
    /// The end cuts it: each part must be long enough by itself.
    Cut,
    /// The whole of it must be long enough; what is judged counts its own part.
    Split,
}

/// What becomes of excluded time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExcludedTime {
    /// It is without error: its failures do not count, its requests do, and the denominator stays whole.
    ErrorFree,
    /// It and its requests leave the denominator.
    Removed,
}

/// What the unit of excluded or lost time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// The store's slice, which may be a part of the agreement's.
    Stored,
    /// The agreement's slice: excluded where all of it is, lost where any of it is. So are all agreements that were recorded
    /// before rules 3.
    Slice,
}

/// How the failures are estimated where they could not be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LostTelemetry {
    /// From how many local days before the outage's day.
    pub days: u32,
}

/// Requests that are not valid.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NotValid {
    /// Of these statuses.
    Status(Statuses),
    /// Of this cause.
    Cause(String),
}

impl Notice {
    /// Whether something that was announced then (µs) was so in time.
    pub fn is_met(self, announced: Option<i64>, started: i64) -> bool {
        announced.is_some_and(|at| match self {
            Notice::Before => at < started,
            Notice::Ahead(ahead) => at.saturating_add(ahead) <= started,
        })
    }

    /// `before it starts`, `at least 5 d before it starts`.
    pub(crate) fn words(self) -> String {
        match self {
            Notice::Before => "before it starts".to_string(),
            Notice::Ahead(ahead) => format!("at least {} before it starts", length(ahead)),
        }
    }
}

impl Allowance {
    /// What of some time counts; disjoint intervals, ascending.
    pub(crate) fn cut(self, time: &[Interval], zone: Tz) -> Vec<Interval> {
        let (mut counted, mut until, mut left) = (Vec::new(), i64::MIN, self.most);
        for span in time {
            let mut start = span.start;
            while start < span.end {
                if start >= until {
                    let period = Month::of(start, zone).and_then(|month| Period::of(month, self.months, zone));
                    until = period.map_or(i64::MAX, |period| period.interval.end);
                    left = self.most;
                }
                let end = span.end.min(until);
                let counts = left.min(end - start);
                if counts > 0 {
                    counted.push(Interval::new(start, start + counts));
                }
                (left, start) = (left - counts, end);
            }
        }
        counted
    }

    /// `12 h of each calendar year`.
    pub(crate) fn words(self) -> String {
        let period = match self.months {
            1 => "month".to_string(),
            3 => "quarter".to_string(),
            12 => "year".to_string(),
            months => format!("period of {months} months"),
        };
        format!("{} of each calendar {period}", length(self.most))
    }
}

impl Terms {
    /// The µs of which a fee of a month is: where periods begin on a day within a month, from that day on.
    pub fn month(&self, month: Month) -> Option<Interval> {
        self.cycle.month(month, self.time_zone)
    }

    /// These terms and those of the other metrics.
    pub fn metrics(&self) -> impl Iterator<Item = &Terms> {
        std::iter::once(self).chain(self.others.iter().map(Arc::as_ref))
    }

    /// How far beside what is judged runs of bad slices are followed, in µs: whole slices, 0 where its ends cut them.
    pub fn margin(&self) -> i64 {
        let followed = self.measure.min_run().filter(|_| self.over_end == OverEnd::Split);
        followed.map_or(0, |min_run| ((min_run - 1).div_euclid(self.slice) + 1) * self.slice)
    }

    /// The objectives whose events are judged.
    pub fn objectives(&self) -> impl Iterator<Item = &str> {
        self.metrics().filter_map(|metric| metric.objective.as_deref())
    }

    /// Whether requests are judged, by some metric.
    pub fn judges_requests(&self) -> bool {
        self.metrics().any(|metric| metric.objective.is_none())
    }

    /// Whether a plan, as a fee names it, is meant; one that names none is empty.
    pub fn matches_plan(&self, plan: &str) -> bool {
        self.plans.is_empty() || !plan.is_empty() && self.plans.iter().any(|pattern| pattern.matches(plan))
    }

    /// Whether members of a service are judged over the whole period, each by itself.
    pub fn judges_each(&self) -> bool {
        self.each.as_ref().is_some_and(|each| each.join == Join::Worst)
    }

    /// Whether there is more than one figure.
    pub fn has_parts(&self) -> bool {
        !self.others.is_empty() || self.judges_each()
    }

    /// Whether a service is meant.
    pub fn matches_service(&self, service: &str) -> bool {
        self.services.iter().any(|pattern| pattern.matches(service))
    }

    /// Whether requests of this status and cause are valid.
    pub fn is_valid(&self, status: i32, cause: &str) -> bool {
        !self.not_valid.iter().any(|not| match not {
            NotValid::Status(own) => own.contains(status),
            NotValid::Cause(own) => own == cause,
        })
    }

    /// Whether an exclusion of this category, announced when and started when (µs), counts.
    pub fn honours(&self, category: &str, announced: Option<i64>, started: i64) -> bool {
        let clause = self.exclusions.iter().find(|exclude| exclude.category == category);
        clause.is_some_and(|clause| clause.announced.is_none_or(|notice| notice.is_met(announced, started)))
    }
}
