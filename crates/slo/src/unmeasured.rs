//! What is defined and cannot be evaluated: told beside what is, with the reason.

use nines_timeline::{Interval, Share};

use crate::object::ObjectKind;

/// An objective of which Nines knows no figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Unmeasured {
    /// Its name.
    pub objective: String,
    /// The SLO's name.
    pub slo: String,
    /// Whose it is; `None` where that cannot be read.
    pub service: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What is promised; `None` where that cannot be read.
    pub target: Option<Share>,
    /// When that is so, `[start, end)` in µs; `i64::MIN` since ever, `i64::MAX` until further notice.
    pub in_force: Interval,
    /// Why, and what to do.
    pub why: String,
}

/// An object that is recorded and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

/// What is said of an indicator of another system, such as `of type Prometheus`.
pub(crate) fn foreign(kind: &str) -> String {
    format!(
        "Nines does not measure indicators {kind}; store its good and total events with `nines ingest events`, and count them \
         with an indicator nines/events"
    )
}

/// What is said of what an earlier version recorded and this one refuses.
pub(crate) fn unreadable(reason: &str) -> String {
    format!("it is recorded, but this version of nines cannot read it: {reason}; correct it with: nines apply")
}
