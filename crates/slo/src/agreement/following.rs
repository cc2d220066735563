//! Which version of an agreement may follow which: every period is judged once, whole, and has a name of its own.

use chrono::DateTime;
use chrono_tz::Tz;

use crate::agreement::AgreementVersion;
use crate::period::{Month, Period};

/// Why one version cannot follow another, and what to do about it.
pub(crate) struct Misfit {
    pub reason: String,
    pub hint: String,
}

/// What is wrong with a version after the one before it.
///
/// A period is named by its first month. So where durations differ, or nothing is in force between the two, the later one
/// may begin only in a month that no period of the earlier one holds.
pub(crate) fn misfit(before: &AgreementVersion, next: &AgreementVersion) -> Option<Misfit> {
    let (old, new) = (&before.terms, &next.terms);
    let (end, start) = (before.in_force.end, next.in_force.start);
    if end == start && old.months == new.months {
        return None;
    }
    let last = Period::of(Month::of(end - 1, old.time_zone)?, old.months, old.time_zone)?;
    let first = Period::of(Month::of(start, new.time_zone)?, new.months, new.time_zone)?;
    if first.first >= last.next() {
        return None;
    }
    let both = |month: &Month| [old.months, new.months].iter().all(|months| month.first_of(*months) == *month);
    let mut later = (0..=12).map(|months| last.next().plus(months));
    let day = later.find(both).and_then(Month::first_day).map_or_else(String::new, |day| day.to_string());
    Some(match end == start {
        true => Misfit {
            reason: format!(
                "its periods are of {}, those of the version before it of {}, and on {} a period of the one begins within one of \
                 the other",
                length(new.months),
                length(old.months),
                date(start, new.time_zone)
            ),
            hint: format!(
                "let it begin where both begin, with nines/effective-from: {day}, or correct the version before it under its own \
                 date"
            ),
        },
        false => Misfit {
            reason: format!(
                "the agreement ends on {} and begins again on {}, within one period, the rest of which nobody would judge",
                date(end, old.time_zone),
                date(start, new.time_zone)
            ),
            hint: format!(
                "let it begin with a period, with nines/effective-from: {day}, let the version before it last until this one \
                 begins, or give it another name"
            ),
        },
    })
}

fn length(months: u32) -> String {
    format!("{months} month{}", if months == 1 { "" } else { "s" })
}

fn date(at: i64, zone: Tz) -> String {
    let at = DateTime::from_timestamp_micros(at).map(|at| at.with_timezone(&zone).date_naive());
    at.map_or_else(String::new, |date| date.to_string())
}
