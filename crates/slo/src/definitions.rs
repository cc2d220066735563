//! All that is defined, resolved.

use std::collections::BTreeMap;

use nines_timeline::{Interval, Share};

use crate::agreement::Agreement;
use crate::objective::Objective;
use crate::service::Service;
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
