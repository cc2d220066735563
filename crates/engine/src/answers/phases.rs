//! How long incidents took, phase by phase: started → detected → located → fixed → verified.

use nines_timeline::{Interval, MICROS};

use super::groups::Group;
use crate::evaluate::Incident;

/// Means over the incidents of a range. The parts add up to the whole exactly when every incident says every time.
#[derive(Debug, Default)]
pub(super) struct Phases {
    /// How many incidents there are, open ones too.
    pub incidents: i64,
    /// From start to detection.
    pub detect: Mean,
    /// From detection to location.
    pub locate: Mean,
    /// From location to fix.
    pub fix: Mean,
    /// From fix to verification.
    pub verify: Mean,
    /// From start to end: verified, else fixed.
    pub whole: Mean,
}

/// A mean of lengths of time.
#[derive(Debug, Default)]
pub(super) struct Mean {
    /// Of how many incidents the length is known.
    pub incidents: i64,
    /// The sum of their lengths in µs.
    total: i128,
}

impl Mean {
    fn of(lengths: impl Iterator<Item = (i64, i64)>) -> Mean {
        lengths.fold(Mean::default(), |mean, (start, end)| Mean {
            incidents: mean.incidents + 1,
            total: mean.total + i128::from(end) - i128::from(start),
        })
    }

    /// `None` where no length is known.
    pub fn seconds(&self) -> Option<f64> {
        let count = i128::from(self.incidents);
        (count > 0).then(|| nines_timeline::quotient(self.total, count * i128::from(MICROS)))
    }
}

impl Phases {
    /// Of those that concern a group and started in a range.
    pub fn of(group: &Group<'_>, incidents: &[Incident], range: Interval) -> Phases {
        let started = |incident: &&Incident| incident.started >= range.start && incident.started < range.end;
        let own: Vec<&Incident> = incidents.iter().filter(started).filter(|i| group.concerns(i)).collect();
        let mean = |phase: fn(&Incident) -> Option<(i64, i64)>| Mean::of(own.iter().filter_map(|i| phase(i)));
        Phases {
            incidents: own.len() as i64,
            detect: mean(|i| Some((i.started, i.detected?))),
            locate: mean(|i| Some((i.detected?, i.located?))),
            fix: mean(|i| Some((i.located?, i.fixed?))),
            verify: mean(|i| Some((i.fixed?, i.verified?))),
            whole: mean(|i| Some((i.started, i.verified.or(i.fixed)?))),
        }
    }
}
