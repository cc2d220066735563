//! Whether rows that a statement was issued from are no longer stored: then what is left does not say what was owed.

use nines_slo::{IssuedStatement, Rules, days_of};
use nines_timeline::Interval;

use super::completeness::{Lack, joined};
use super::presence::local_days;
use super::unissued::subject;

/// Why today's data do not cover the period of a statement any more: local days without a row of its service, and there were rows when
/// it was issued. `valid` is how many valid requests are stored today, `lack` what is not stored.
pub(super) fn gone(issued: &IssuedStatement, valid: i64, lack: &Lack) -> Option<String> {
    // Earlier rules did not ask for rows of each day: that rows are gone is known from the number of requests alone.
    if issued.rules != Rules::CURRENT && valid >= issued.credit.valid {
        return None;
    }
    let agreement = issued.agreement().ok()?;
    let terms = issued.covered(&agreement).ok()?.terms;
    let zone = terms.time_zone;
    let evidence = &issued.evidence;
    let excused = evidence.exclusions.iter().map(|exclusion| exclusion.interval).chain(evidence.lost.iter().copied());
    // Where the table ended then, no row was there of any service.
    let after = issued.watermark.map(|end| Interval::new(end, i64::MAX));
    let known: Vec<Interval> = issued.missing.iter().copied().chain(excused).chain(after).collect();
    let days = lack.missing.iter().flat_map(|missing| local_days(zone, *missing));
    let missing = joined(days.filter(|day| known.iter().all(|known| known.overlap(*day).is_empty())));
    (!missing.is_empty()).then(|| {
        format!(
            "today's data no longer cover the period: of {} there is no row on {} any more",
            subject(terms, &issued.service),
            days_of(&missing, zone)
        )
    })
}
