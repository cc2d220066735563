//! Kinds of objects, and objects as they are recorded and named.

use std::fmt;
use std::str::FromStr;

use crate::place::Place;
use crate::rules::Rules;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ObjectKind {
    /// A service, its business and owner.
    Service,
    /// An indicator that SLOs refer to.
    Sli,
    /// Objectives.
    Slo,
    /// What is promised to a customer, and what is owed otherwise.
    Agreement,
    /// Recorded only.
    DataSource,
    /// Recorded only.
    AlertPolicy,
    /// Recorded only.
    AlertCondition,
    /// Recorded only.
    AlertNotificationTarget,
}

impl ObjectKind {
    /// All kinds.
    pub const ALL: &'static [ObjectKind] = &[
        ObjectKind::Service,
        ObjectKind::Sli,
        ObjectKind::Slo,
        ObjectKind::Agreement,
        ObjectKind::DataSource,
        ObjectKind::AlertPolicy,
        ObjectKind::AlertCondition,
        ObjectKind::AlertNotificationTarget,
    ];

    /// As it is written in a definition.
    pub fn name(self) -> &'static str {
        match self {
            ObjectKind::Service => "Service",
            ObjectKind::Sli => "SLI",
            ObjectKind::Slo => "SLO",
            ObjectKind::Agreement => "Agreement",
            ObjectKind::DataSource => "DataSource",
            ObjectKind::AlertPolicy => "AlertPolicy",
            ObjectKind::AlertCondition => "AlertCondition",
            ObjectKind::AlertNotificationTarget => "AlertNotificationTarget",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ObjectKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ObjectKind::ALL.iter().copied().find(|kind| kind.name() == text).ok_or_else(|| format!("unknown kind '{text}'"))
    }
}

/// One version of a definition as the table `definitions` holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// From when it is in force, in µs; [`SINCE_EVER`](crate::SINCE_EVER) for since ever.
    pub effective_from: i64,
    /// As it was applied.
    pub text: String,
    /// The rules of the version of Nines that recorded it: what it leaves unsaid is meant as it was meant then.
    pub rules: Rules,
}

/// An object that another one names.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub kind: ObjectKind,
    pub name: String,
    pub place: Place,
}
