//! By which names periods of an agreement are asked for, and what is said where a name is of none.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use nines_timeline::Interval;

use crate::agreement::{Agreement, AgreementVersion};
use crate::duration::DAY;
use crate::period::{Cycle, Month, PeriodName};
use crate::rules::Rules;

const ALWAYS: Interval = Interval { start: i64::MIN, end: i64::MAX };

impl Agreement {
    /// The names of periods by which instants of a range (in µs, both ends included) may be judged, in whatever time zone: of months
    /// each of them.
    pub fn names_touching(&self, first: i64, last: i64) -> BTreeSet<PeriodName> {
        let mut names = BTreeSet::new();
        for terms in self.versions.iter().map(|version| &version.terms) {
            match terms.cycle {
                Cycle::Months { .. } => names.extend(Month::touching(first, last).map(PeriodName::Month)),
                Cycle::Days { .. } => {
                    let (from, until) = (first.saturating_sub(DAY), last.saturating_add(DAY));
                    let own = terms.cycle.names_from(from, terms.time_zone);
                    names.extend(own.take_while(|name| name.begins(Tz::UTC).is_some_and(|begins| begins <= until)));
                }
            }
        }
        names
    }

    /// Whether a period that is judged has this name.
    pub fn has_period(&self, name: PeriodName) -> bool {
        self.covered(name, ALWAYS, Rules::CURRENT).is_some()
    }

    /// Where a name is of none of its periods, the names of those that lie there: of a month the periods of days that touch it, of a day
    /// the period in which the day lies, and of days the next one. Each with how it follows others. Empty where a period has the name, or
    /// nothing is judged there.
    pub fn other_names(&self, name: PeriodName) -> Vec<(PeriodName, Cycle)> {
        if self.has_period(name) {
            return Vec::new();
        }
        let names: BTreeSet<PeriodName> = self.versions.iter().flat_map(|version| lying_there(version, name)).collect();
        let covered = names.into_iter().filter_map(|name| self.covered(name, ALWAYS, Rules::CURRENT));
        let mut found: Vec<_> = covered.map(|covered| (covered.period.name, covered.period.cycle)).collect();
        found.dedup();
        found
    }
}

/// The names of periods of a version about what a name says.
fn lying_there(version: &AgreementVersion, name: PeriodName) -> Vec<PeriodName> {
    let (cycle, zone) = (version.terms.cycle, version.terms.time_zone);
    match (cycle, name) {
        (Cycle::Days { .. }, PeriodName::Month(month)) => {
            let Some(month) = month.interval(zone) else { return Vec::new() };
            let begins_in = |name: &PeriodName| name.begins(zone).is_some_and(|begins| begins < month.end);
            cycle.names_from(month.start, zone).take_while(begins_in).collect()
        }
        (_, PeriodName::Day(_)) => {
            let names = name.begins(zone).map(|begins| cycle.names_from(begins, zone));
            let most = if matches!(cycle, Cycle::Days { .. }) { 2 } else { 1 };
            names.into_iter().flatten().take(most).collect()
        }
        (Cycle::Months { .. }, PeriodName::Month(_)) => Vec::new(),
    }
}

/// Periods of days, as a sentence names them: `2026-01-10`, `2026-01-10 and 2026-02-09`, of many the first and the last.
pub fn listed_names(names: &[(PeriodName, Cycle)]) -> String {
    match names {
        [] => String::new(),
        [(one, _)] => one.to_string(),
        [(one, _), (other, _)] => format!("{one} and {other}"),
        [(first, _), .., (last, _)] => format!("{first} to {last}, {} periods", names.len()),
    }
}
