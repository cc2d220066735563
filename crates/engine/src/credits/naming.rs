//! Names that are of no period, or not of each agreement's: what is said of them.

use datafusion::common::exec_err;
use nines_slo::{Agreement, Cycle, PeriodName, listed_names};

use super::period_terms::PeriodTerms;

/// How many agreements are named.
const MOST: usize = 5;

/// An agreement, and the periods that it has where a name is of none of them.
type Other<'a> = (&'a str, Vec<(PeriodName, Cycle)>);

/// Why a name is refused: no period of these agreements has it. `None` if one has, and of a month that no agreement judges: nothing is
/// owed for that.
pub(super) fn refused<'a>(name: PeriodName, agreements: impl Iterator<Item = &'a Agreement> + Clone) -> Option<String> {
    if agreements.clone().any(|agreement| agreement.has_period(name)) {
        return None;
    }
    let all: Vec<Other<'a>> = others(name, agreements);
    let is_of_days = |other: &&Other<'_>| other.1.iter().any(|(_, cycle)| matches!(cycle, Cycle::Days { .. }));
    let (of_days, of_months): (Vec<_>, Vec<_>) = all.iter().partition(is_of_days);
    let told = if of_days.is_empty() { of_months } else { of_days };
    let more = told.len().checked_sub(MOST).filter(|more| *more > 0);
    let more = more.map(|more| format!("and the like of {more} more agreements"));
    let says = |(agreement, names): &Other<'_>| match (name, names.first()) {
        (PeriodName::Day(_), Some((_, Cycle::Days { .. }))) => {
            format!("those of agreement {agreement} begin on {}", listed_names(names))
        }
        _ => format!("agreement {agreement} has {}", listed_names(names)),
    };
    let told: Vec<String> = told.into_iter().take(MOST).map(says).chain(more).collect();
    match (name, told.is_empty()) {
        (PeriodName::Month(_), true) => None,
        (PeriodName::Month(_), false) => {
            Some(format!("no period is named {name}, but by their first day, of which: {}", told.join("; ")))
        }
        (PeriodName::Day(_), true) => Some(format!("no period begins on {name}: no agreement judges anything then")),
        (PeriodName::Day(_), false) => Some(format!("no period begins on {name}: {}", told.join("; "))),
    }
}

fn others<'a>(name: PeriodName, agreements: impl Iterator<Item = &'a Agreement>) -> Vec<Other<'a>> {
    let others = agreements.map(|agreement| (agreement.name.as_str(), agreement.other_names(name)));
    others.filter(|(_, names)| !names.is_empty()).collect()
}

impl PeriodTerms {
    /// Refuses a day on which no period begins of those that are asked for.
    pub fn check_named(&self) -> datafusion::error::Result<()> {
        let PeriodName::Day(_) = self.period else { return Ok(()) };
        let asked = self.definitions.agreements.iter();
        let asked =
            asked.filter(|agreement| self.chosen.has(&agreement.name) && self.wanted.agreement(&agreement.name));
        match refused(self.period, asked) {
            Some(why) => exec_err!("{why}"),
            None => Ok(()),
        }
    }

    /// Tells of agreements that are not among those that are asked for because their periods are of days and have other names.
    pub fn tell_other_names(&self) {
        for agreement in self.of_other_days() {
            let names = agreement.other_names(self.period);
            let Some((_, cycle)) = names.first() else { continue };
            if let Some(store) = &self.store {
                store.notice(format!(
                    "agreement {} is not in {}: its periods are of {}, named by their first day: {}",
                    agreement.name,
                    self.period,
                    cycle.words(),
                    listed_names(&names)
                ));
            }
        }
    }

    /// The agreements whose periods are of days, then, and have other names than the one that is asked for.
    pub fn of_other_days(&self) -> impl Iterator<Item = &Agreement> {
        let is_asked =
            |agreement: &&Agreement| self.chosen.has(&agreement.name) && self.wanted.agreement(&agreement.name);
        let is_of_days = |agreement: &&Agreement| {
            agreement.other_names(self.period).iter().any(|(_, cycle)| matches!(cycle, Cycle::Days { .. }))
        };
        self.definitions.agreements.iter().filter(is_asked).filter(is_of_days)
    }
}
