//! Agreements: what is promised to a customer, or by a vendor, and what is owed when it was not kept.
//!
//! An [`Agreement`] has versions in time, each with its [`Terms`]. [`Agreement::covered`] says which version judges a
//! period and which part of the period; [`credit`](crate::credit()) does the arithmetic.

mod clauses;
mod compared;
mod covered;
mod exclusions;
mod following;
mod read;
mod terms;
mod tiers;

use std::sync::Arc;

use chrono_tz::Tz;
use nines_timeline::Interval;

use crate::describe::length;
use crate::local_days::day_unit;
use crate::mistake::Complaint;
use crate::place::Place;

pub use compared::{AgreementChange, agreement_changes};
pub use covered::Covered;
pub(crate) use following::{Misfit, misfit};
pub(crate) use read::read;
pub use terms::{
    Bad, ClaimWithin, Exclude, ExcludedTime, LostTelemetry, Measure, MinPayout, NotValid, RateOp, Terms, Tier,
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
    /// Slices that do not divide every local day from an instant (µs) on, and what to do about it.
    pub fn misfit(&self, from: i64) -> Option<Complaint> {
        const QUARTER: i64 = 15 * 60 * 1_000_000;
        let Terms { time_zone, slice, .. } = *self.terms;
        // All clocks have changed by quarters of an hour.
        if time_zone == Tz::UTC || QUARTER % slice == 0 {
            return None;
        }
        let widest = day_unit(time_zone, from);
        let hint = format!("as {} or less do", length(widest));
        let reason = format!("slices of {} do not divide every day of {time_zone}, where clocks change", length(slice));
        (widest % slice != 0).then(|| Complaint::new(self.slice_at, reason, Some(&hint)))
    }
}
