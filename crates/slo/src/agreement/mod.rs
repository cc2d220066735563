//! Agreements: what is promised to a customer, or by a vendor, and what is owed when it was not kept.
//!
//! An [`Agreement`] has versions in time, each with its [`Terms`]. [`Agreement::covered`] says which version judges a
//! period and which part of the period; [`credit`](crate::credit()) does the arithmetic.

mod clauses;
mod covered;
mod exclusions;
mod following;
mod read;
mod terms;
mod tiers;

use std::sync::Arc;

use nines_timeline::Interval;

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
}
