//! From when on a version of an agreement counts.

use chrono::DateTime;
use nines_timeline::Interval;

use crate::agreement::Agreement;
use crate::period::Period;
use crate::rules::Rules;

/// How a version begins to count that does not do so with the instant at which it comes into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// It replaces another inside a period, which is judged whole by what was in force at its beginning. It counts from the next
    /// period on, this one.
    Next(Period),
    /// Nothing was in force before: of its first period the rest is judged.
    Rest {
        /// The calendar period.
        period: Period,
        /// What is judged of it, in µs.
        judged: Interval,
    },
    /// It judges no period, because another version replaces it before one begins.
    Never,
}

impl Agreement {
    /// The same in a sentence about the version.
    pub fn beginning_said(&self, from: i64) -> Option<String> {
        let version = self.versions.iter().find(|version| version.in_force.start == from)?;
        let zone = version.terms.time_zone;
        let at = |micros: i64| {
            let local = DateTime::from_timestamp_micros(micros).map(|at| at.with_timezone(&zone));
            local.map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M").to_string())
        };
        let (name, from) = (&self.name, at(from));
        Some(match self.beginning(version.in_force.start)? {
            Beginning::Next(period) => format!(
                "agreement {name}: what is in force from {from} ({zone}) on begins to count with the period {}, at {}; a period is \
                 judged whole by what was in force when it began",
                period.first,
                at(period.interval.start)
            ),
            Beginning::Rest { period, judged } => format!(
                "agreement {name}: of its first period, {}, only the time from {} ({zone}) on is judged",
                period.first,
                at(judged.start)
            ),
            Beginning::Never => format!(
                "agreement {name}: what is in force from {from} ({zone}) on judges no period; a later version replaces it before one \
                 begins"
            ),
        })
    }
}

/// More months than any two periods have.
const MONTHS: u32 = 25;

impl Agreement {
    /// How the version that comes into force at an instant (µs) begins to count. `None`: at once, with a period, or there is no
    /// such version.
    pub fn beginning(&self, from: i64) -> Option<Beginning> {
        let version = self.versions.iter().find(|version| version.in_force.start == from)?;
        let first = version.terms.cycle.month_at(from, version.terms.time_zone)?;
        let always = Interval::new(i64::MIN, i64::MAX);
        let covered = (0..MONTHS).filter_map(|later| self.covered(first.plus(later), always, Rules::CURRENT));
        let mut own = covered.filter(|covered| std::ptr::eq(covered.terms, version.terms.as_ref()));
        match own.next() {
            None => Some(Beginning::Never),
            Some(own) if own.period.interval.start > from => Some(Beginning::Next(own.period)),
            Some(own) if own.interval.start > own.period.interval.start => {
                Some(Beginning::Rest { period: own.period, judged: own.interval })
            }
            Some(_) => None,
        }
    }
}
