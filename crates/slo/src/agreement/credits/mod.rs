//! `credits`: which share of the fee is credited, as one function of a period's figures.
//!
//! Each form is a file that implements [`Form`]: how it is read, what it comes to, at which availabilities it changes, and how
//! it reads as a clause and as a step of a statement. A new form is a file, a variant and a line in [`Credits::form`].

mod downtime;
mod form;
mod linear;
mod steps;
mod tiers;
mod value;

pub use downtime::Downtime;
pub(crate) use form::{Around, Figures, Form};
pub use linear::{Linear, Shortfall};
pub use steps::{StepOf, Steps, WholeSteps};
pub use tiers::{Tier, Tiers};
pub use value::CreditValue;
pub(crate) use value::percent_of;

use chrono_tz::Tz;
use nines_timeline::{Interval, Share};

use crate::fields::Fields;
use crate::fraction::Fraction;
use crate::mistake::Notes;
use crate::yaml::Value;

/// What is credited.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Credits {
    /// A share for each bound that the availability misses.
    Tiers(Tiers),
    /// A share for each so much downtime.
    Steps(Steps),
    /// In proportion to what was not available.
    Linear(Linear),
}

impl Credits {
    pub(crate) fn form(&self) -> &dyn Form {
        match self {
            Credits::Tiers(tiers) => tiers,
            Credits::Steps(steps) => steps,
            Credits::Linear(linear) => linear,
        }
    }

    /// Adds an outage to downtime: its intervals that are down, which are several where excluded time in it does not end it.
    pub(crate) fn add(&self, outage: &[Interval], zone: Tz, downtime: &mut Downtime) {
        match self {
            Credits::Steps(steps) => {
                downtime.add(outage, zone, steps.at_most_per_day.is_some(), |micros| steps.reached(micros));
            }
            Credits::Tiers(_) | Credits::Linear(_) => downtime.add(outage, zone, false, |_| 0),
        }
    }

    pub(crate) fn share(&self, figures: Figures<'_>) -> Fraction {
        self.form().share(figures)
    }

    pub(crate) fn bounds(&self) -> Vec<(Share, bool)> {
        self.form().bounds()
    }

    /// Which tier applies at an availability, where credits go by tiers.
    pub(crate) fn applying(&self, availability: &Fraction) -> Option<usize> {
        match self {
            Credits::Tiers(tiers) => tiers.applying(availability),
            Credits::Steps(_) | Credits::Linear(_) => None,
        }
    }

    /// The tiers, where credits go by tiers: else none.
    pub fn tiers(&self) -> &[Tier] {
        match self {
            Credits::Tiers(tiers) => &tiers.0,
            Credits::Steps(_) | Credits::Linear(_) => &[],
        }
    }
}

/// Reads `credits`: a list of tiers, or a mapping that its first key tells apart.
pub(crate) fn read(fields: &Fields<'_>, around: Around, notes: &mut Notes<'_>) -> Option<Credits> {
    let Some(node) = fields.get("credits") else {
        let reason = "missing field 'credits' in the agreement's spec";
        notes.error_hint(fields.place, reason, "write credits: [] until they are agreed");
        return None;
    };
    let Value::Map(_) = &node.value else {
        return tiers::read(fields, around, notes).map(Credits::Tiers);
    };
    let keys = Fields::open(node, "credits", notes)?;
    if keys.get("per").is_some() {
        return steps::read(node, around, notes).map(Credits::Steps);
    }
    if keys.get("times").is_some() {
        return linear::read(node, notes).map(Credits::Linear);
    }
    if ["below", "atOrBelow"].iter().any(|key| keys.get(key).is_some()) {
        notes.error_hint(node.place, "tiers stand in a list, also if there is one", "write credits: [{…}]");
        return None;
    }
    let hint = "expected tiers such as [{below: 99.9%, percent: 10}], steps such as {per: 30m, of: downtime, percent: 5}, or \
                {times: 1, of: unavailability}";
    notes.error_hint(node.place, "'credits' are of no form that is known", hint);
    None
}
