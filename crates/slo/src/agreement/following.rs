//! Which version of an agreement may follow which: every period is judged once, whole, and has a name of its own.

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;

use crate::agreement::{AgreementVersion, Terms};
use crate::instant::first_instant;
use crate::period::{Cycle, Period};

/// Why one version cannot follow another, and what to do about it.
pub(crate) struct Misfit {
    pub reason: String,
    pub hint: String,
}

/// What is wrong with a version after the one before it.
///
/// A period is named by its first month or day. So where durations or first days differ, or nothing is in force between the two, the
/// later one may begin only after the last period of the earlier one, in a month that no period of that names.
pub(crate) fn misfit(before: &AgreementVersion, next: &AgreementVersion) -> Option<Misfit> {
    let (old, new) = (&before.terms, &next.terms);
    let (end, start) = (before.in_force.end, next.in_force.start);
    if end == start && old.cycle == new.cycle {
        return None;
    }
    let last = last(old, end)?;
    if fits(old, new, end, start) {
        return None;
    }
    // The next day on which a period of the earlier one begins, and the later one may.
    let mut ends = old.cycle.names_from(last.interval.end, old.time_zone).take(13);
    let day = ends.find_map(|name| {
        let day = date(old.cycle.period(name, old.time_zone)?.interval.start, old.time_zone)?;
        let at = first_instant(day, new.time_zone)?;
        fits(old, new, at, at).then_some(day)
    });
    let day = day.map(|day| format!("nines/effective-from: {day}"));
    let other = "give it another name";
    Some(match end == start {
        true => Misfit {
            reason: format!(
                "its periods are of {}, those of the version before it of {}, and on {} a period of the one begins within one of \
                 the other",
                new.cycle.words(),
                old.cycle.words(),
                shown(start, new.time_zone)
            ),
            hint: match day {
                Some(day) => {
                    let both = if share_names(old.cycle, new.cycle) {
                        "where both begin"
                    } else {
                        "where a period before it ends"
                    };
                    format!("let it begin {both}, with {day}, or correct the version before it under its own date")
                }
                None => format!(
                    "no period of the one ends where the other may begin: {other}, or correct the version before it under its own date"
                ),
            },
        },
        false => Misfit {
            reason: format!(
                "the agreement ends on {} and begins again on {}, within one period, the rest of which nobody would judge",
                shown(end, old.time_zone),
                shown(start, new.time_zone)
            ),
            hint: match day {
                Some(day) => format!(
                    "let it begin with a period, with {day}, let the version before it last until this one begins, or {other}"
                ),
                None => format!("let the version before it last until this one begins, or {other}"),
            },
        },
    })
}

fn date(at: i64, zone: Tz) -> Option<NaiveDate> {
    Some(DateTime::from_timestamp_micros(at)?.with_timezone(&zone).date_naive())
}

fn shown(at: i64, zone: Tz) -> String {
    date(at, zone).map_or_else(String::new, |date| date.to_string())
}

/// The last period of terms that are in force until an instant.
fn last(terms: &Terms, end: i64) -> Option<Period> {
    terms.cycle.period_at(end - 1, terms.time_zone)
}

/// Whether terms may begin where others end: no period is judged twice or by nobody, and none has the name of another.
fn fits(old: &Terms, new: &Terms, end: i64, start: i64) -> bool {
    let ends = last(old, end).zip(new.cycle.period_at(start, new.time_zone));
    ends.is_none_or(|(last, first)| {
        first.name > last.last_name() && (share_names(old.cycle, new.cycle) || start >= last.interval.end)
    })
}

/// Whether periods of two cycles are those of the same months where their names say so.
fn share_names(old: Cycle, new: Cycle) -> bool {
    match (old, new) {
        (Cycle::Months { from, .. }, Cycle::Months { from: other, .. }) => from == other,
        (Cycle::Months { .. }, Cycle::Days { .. }) | (Cycle::Days { .. }, _) => false,
    }
}
