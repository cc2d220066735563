//! Agreements: what is promised to a customer, or by a vendor, and what is owed when it was not kept.
//!
//! An [`Agreement`] has versions in time, each with its [`Terms`]. [`Agreement::covered`] says which version judges a
//! period and which part of the period; [`credit`](crate::credit()) does the arithmetic.

mod beginning;
mod claims;
mod clauses;
mod compared;
mod covered;
mod credits;
mod each;
mod exclusions;
mod failures;
mod following;
mod hours;
mod issuer;
mod limits;
mod metrics;
mod named;
mod read;
mod terms;

use std::sync::Arc;

use chrono_tz::Tz;
use nines_timeline::Interval;

use crate::describe::length;
use crate::local_days::day_unit;
use crate::mistake::Complaint;
use crate::place::Place;
use crate::rules::Rules;
use crate::statuses::Statuses;

pub use beginning::Beginning;
pub use claims::{ClaimFrom, ClaimTime, ClaimWithin};
pub use compared::{AgreementChange, agreement_changes};
pub use covered::Covered;
pub(crate) use credits::Figures;
pub use credits::{CreditValue, Credits, Downtime, Linear, Shortfall, StepOf, Steps, Tier, Tiers, WholeSteps};
pub use each::{Each, EachBy, Join, Silent};
pub use failures::Failures;
pub(crate) use following::{Misfit, misfit};
pub use hours::ServiceHours;
pub use issuer::{Issuer, Side};
pub use limits::{Cap, Money, Rounded, YearCap};
pub use metrics::Together;
pub use named::listed_names;
pub(crate) use read::read;
pub use terms::{
    Allowance, Bad, Exclude, ExcludedTime, Granularity, LostTelemetry, Measure, NotValid, Notice, OverEnd, RateOp,
    Terms,
};

/// An agreement and what was agreed when.
#[derive(Debug, Clone)]
pub struct Agreement {
    /// Its name.
    pub name: String,
    /// Ascending, disjoint, never empty intervals.
    pub versions: Vec<AgreementVersion>,
}

/// What an agreement said from one instant to another.
#[derive(Debug, Clone)]
pub struct AgreementVersion {
    /// In force `[start, end)`; `i64::MIN` since ever, `i64::MAX` until further notice.
    pub in_force: Interval,
    /// What it says.
    pub terms: Arc<Terms>,
}

/// An agreement as it is written: its terms, and the end of its life.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub terms: Arc<Terms>,
    pub until: Option<i64>,
    /// Where the width of a slice stands.
    pub slice_at: Place,
}

impl Draft {
    /// What it leaves unsaid is meant as it was when it was recorded.
    pub fn as_meant_by(&mut self, rules: Rules) {
        if !rules.within_slices() {
            let terms = Arc::make_mut(&mut self.terms);
            (terms.excluded_by, terms.lost_by) = (Granularity::Slice, Granularity::Slice);
            // What names statuses now was the name of a cause, which no request has.
            terms.causes.0.retain(|cause, _| Statuses::of(cause).is_none());
            for not in &mut terms.not_valid {
                if let NotValid::Status(statuses) = not
                    && !statuses.is_one()
                {
                    *not = NotValid::Cause(statuses.to_string());
                }
            }
        }
    }

    /// Slices that do not divide every local day from an instant (µs) on, and what to do about it.
    pub fn misfit(&self, from: i64) -> Option<Complaint> {
        const QUARTER: i64 = 15 * 60 * 1_000_000;
        let time_zone = self.terms.time_zone;
        // All clocks have changed by quarters of an hour.
        let odd = |slice: &i64| time_zone != Tz::UTC && QUARTER % slice != 0;
        let widest = day_unit(time_zone, from);
        let slice = self.terms.metrics().map(|terms| terms.slice).find(|slice| odd(slice) && widest % slice != 0)?;
        let hint = format!("as {} or less do", length(widest));
        let reason = format!("slices of {} do not divide every day of {time_zone}, where clocks change", length(slice));
        Some(Complaint::new(self.slice_at, reason, Some(&hint)))
    }
}
