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
                period.name,
                at(period.interval.start)
            ),
            Beginning::Rest { period, judged } => format!(
                "agreement {name}: of its first period, {}, only the time from {} ({zone}) on is judged",
                period.name,
                at(judged.start)
            ),
            Beginning::Never => format!(
                "agreement {name}: what is in force from {from} ({zone}) on judges no period; a later version replaces it before one \
                 begins"
            ),
        })
    }
}

/// More names than any two periods have.
const NAMES: usize = 25;

impl Agreement {
    /// How the version that comes into force at an instant (µs) begins to count. `None`: at once, with a period, or there is no
    /// such version.
    pub fn beginning(&self, from: i64) -> Option<Beginning> {
        let version = self.versions.iter().find(|version| version.in_force.start == from)?;
        let (cycle, zone) = (version.terms.cycle, version.terms.time_zone);
        // Since ever no period began.
        cycle.period_at(from, zone)?;
        let names = cycle.names_from(from, zone).take(NAMES);
        let always = Interval::new(i64::MIN, i64::MAX);
        let covered = names.filter_map(|name| self.covered(name, always, Rules::CURRENT));
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
