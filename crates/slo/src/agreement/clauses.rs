//! The smaller clauses of an agreement, one function each.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use chrono_tz::Tz;
use nines_timeline::Share;

use crate::agreement::terms::{Bad, LostTelemetry, Measure, NotValid, OverEnd, RateOp};
use crate::duration;
use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::period::{Cycle, PeriodName};
use crate::slo::time_zone;
use crate::statuses::Statuses;
use crate::yaml::Node;

/// `period`: how periods follow each other, and their zone.
pub(crate) fn period(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<(Cycle, Tz)> {
    let period = Fields::read(fields.need("period", notes)?, "period", &["duration", "from", "timeZone"], notes)?;
    let length = period.need("duration", notes).and_then(|_| period.parse("duration", notes, length));
    let cycle = length.and_then(|length| cycle(&period, length, notes));
    let zone = time_zone(&period, notes);
    Some((cycle?, zone?))
}

/// How long periods are.
#[derive(Clone, Copy)]
enum Length {
    Months(u32),
    Days(u32),
}

/// A duration, and `from`, which says when one begins.
fn cycle(period: &Fields<'_>, length: Length, notes: &mut Notes<'_>) -> Option<Cycle> {
    let from = period.get("from");
    match length {
        Length::Months(months) => {
            let from = from.map_or(Some(1), |_| period.parse("from", notes, day_of_month));
            Some(Cycle::Months { months, from: from? })
        }
        Length::Days(days) => {
            if from.is_none() {
                let reason = format!(
                    "missing field 'from' in period, which periods of {days} days need: they are counted from a day"
                );
                notes.error_hint(period.place, reason, "a day on which one begins, such as from: 2026-01-10");
            }
            Some(Cycle::Days { days, from: period.parse("from", notes, day)? })
        }
    }
}

fn day_of_month(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|day| (1..=31).contains(day));
    number.ok_or_else(|| match day(text) {
        Ok(_) => format!(
            "'{text}' is no day of a month: periods of months begin on a day of the month, such as 15; those of days, such as \
             duration: 30d, are counted from a date"
        ),
        Err(_) => format!(
            "'{text}' is no day of a month: expected 1 to 31, on which periods begin; in a month that has fewer days on its last"
        ),
    })
}

/// A day on which a period of days begins.
fn day(text: &str) -> Result<NaiveDate, String> {
    match text.parse() {
        Ok(PeriodName::Day(day)) => Ok(day),
        _ => Err(format!(
            "'{text}' is no date: periods of days are counted from a day on which one begins, such as 2026-01-10"
        )),
    }
}

/// Days of a period: so few that there is something to judge, and no more than a year.
const DAYS: RangeInclusive<u32> = 7..=366;

fn length(text: &str) -> Result<Length, String> {
    let days = |unit: char, each: u32| {
        let number = text.strip_suffix(unit)?.parse::<u32>().ok().filter(|_| !text.starts_with('+'));
        number.and_then(|number| number.checked_mul(each))
    };
    match days('d', 1).or_else(|| days('w', 7)) {
        Some(days) if DAYS.contains(&days) => Ok(Length::Days(days)),
        Some(_) => Err(format!(
            "'{text}' is no period of an agreement: expected {} to {} days, as in 30d",
            DAYS.start(),
            DAYS.end()
        )),
        None => months(text).map(Length::Months).map_err(|wrong| format!("{wrong}, or days such as 30d")),
    }
}

/// Calendar months that divide a year.
pub(crate) fn months(text: &str) -> Result<u32, String> {
    let wrong = || {
        format!(
            "'{text}' is no period of an agreement: expected calendar months that divide a year, as in 1M, 1Q or 1Y"
        )
    };
    let shorthand = duration::shorthand(text).map_err(|_| wrong())?;
    let (number, unit) = shorthand.split_at(shorthand.len() - 1);
    let length = match unit {
        "M" => 1,
        "Q" => 3,
        "Y" => 12,
        _ => return Err(wrong()),
    };
    let months = number.parse::<u32>().ok().and_then(|number| number.checked_mul(length));
    months.filter(|months| 12u32.is_multiple_of(*months)).ok_or_else(wrong)
}

/// `valid`: all requests, except some.
pub(crate) fn not_valid(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Vec<NotValid> {
    let Some(node) = fields.get("valid") else { return Vec::new() };
    if node.text() == Some("all") {
        return Vec::new();
    }
    if let Some(text) = node.text() {
        let hint = "expected all, or such as {except: [403, 5xx, rate_limited]}";
        notes.error_hint(node.place, format!("'valid' cannot be '{text}'"), hint);
        return Vec::new();
    }
    let Some(valid) = Fields::read(node, "valid", &["except"], notes) else { return Vec::new() };
    if valid.need("except", notes).is_none() {
        return Vec::new();
    }
    let items = valid.list("except", notes).unwrap_or_default().iter();
    let mut read = |node: &Node| {
        let text = fields::text(node, "except", notes)?;
        Some(match Statuses::of(text) {
            Some(statuses) => NotValid::Status(statuses),
            None => {
                if Statuses::are_meant(text) {
                    notes.warn(
                        node.place,
                        format!("'{text}' is no status, so that it excepts requests whose cause is this text"),
                        Some("a status is such as 403, 4xx or 502-504"),
                    );
                }
                NotValid::Cause(text.to_string())
            }
        })
    };
    items.filter_map(&mut read).collect()
}

/// `measure` with what it needs: `bad` and `minRun`.
pub(crate) fn measure(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Measure> {
    #[derive(Clone, Copy, PartialEq)]
    enum Name {
        MeanErrorRate,
        BadSlices,
        Downtime,
        Occurrences,
        Proportional,
    }
    let words = [
        ("MeanErrorRate", Name::MeanErrorRate),
        ("BadSlices", Name::BadSlices),
        ("Downtime", Name::Downtime),
        ("Occurrences", Name::Occurrences),
        ("Proportional", Name::Proportional),
    ];
    let node = fields.need("measure", notes);
    let bad = fields.parse("bad", notes, bad);
    let min_run = fields.parse("minRun", notes, |text| duration::micros(text, duration::SPAN));
    let name = fields::word(node?, "measure", &words, notes)?;
    let written = words.iter().find(|(_, known)| *known == name).map_or("", |(word, _)| word);
    let needs_bad = matches!(name, Name::BadSlices | Name::Downtime | Name::Proportional);
    let clauses = [
        ("bad", needs_bad, "what makes a slice bad, such as bad: errorRate > 10%"),
        ("minRun", name == Name::Downtime, "how long bad slices must last, such as minRun: 1m"),
    ];
    for (field, needed, hint) in clauses {
        match fields.get(field) {
            None if needed => {
                let reason = format!("missing field '{field}' in the agreement's spec, which {written} needs");
                notes.error_hint(fields.place, reason, hint);
            }
            Some(node) if !needed => notes.error(node.place, format!("'{field}' means nothing for {written}")),
            _ => {}
        }
    }
    if let (Name::Occurrences, Some(node)) = (name, fields.get("minRequests")) {
        notes.error(node.place, format!("'minRequests' means nothing for {written}"));
    }
    Some(match name {
        Name::MeanErrorRate => Measure::MeanErrorRate,
        Name::BadSlices => Measure::BadSlices(bad?),
        Name::Downtime => Measure::Downtime { bad: bad?, min_run: min_run? },
        Name::Occurrences => Measure::Occurrences,
        Name::Proportional => Measure::Proportional(bad?),
    })
}

/// `overEnd`: what becomes of a run of bad slices that goes on over the end of the period.
pub(crate) fn over_end(fields: &Fields<'_>, measure: Option<Measure>, notes: &mut Notes<'_>) -> OverEnd {
    let words = [("cut", OverEnd::Cut), ("split", OverEnd::Split)];
    let over_end = fields.word("overEnd", &words, notes).unwrap_or(OverEnd::Cut);
    let long = measure.and_then(Measure::min_run).is_some_and(|min_run| min_run > duration::DAY);
    if let (OverEnd::Split, true, Some(node)) = (over_end, long, fields.get("overEnd")) {
        let hint = "let 'minRun' be at most 1d, or say overEnd: cut";
        notes.error_hint(node.place, "'overEnd: split' would look further than a day beyond the period", hint);
    }
    over_end
}

/// `errorRate > 10%`.
fn bad(text: &str) -> Result<Bad, String> {
    let wrong = || format!("'{text}' is no condition: expected one such as errorRate > 10% or errorRate >= 100%");
    let rest = text.trim().strip_prefix("errorRate").ok_or_else(wrong)?.trim_start();
    let (op, rate) = match (rest.strip_prefix(">="), rest.strip_prefix('>')) {
        (Some(rate), _) => (RateOp::AtLeast, rate),
        (None, Some(rate)) => (RateOp::Above, rate),
        (None, None) => return Err(wrong()),
    };
    let rate: Share = rate.trim().parse().map_err(|error| format!("{error}"))?;
    match (op, rate.numerator()) {
        (RateOp::AtLeast, 0) => Err(format!("'{text}' makes every slice bad")),
        (RateOp::Above, _) if rate == Share::ONE => Err(format!("'{text}' makes no slice bad")),
        _ => Ok(Bad { op, rate }),
    }
}

/// `minRequests`.
pub(crate) fn min_requests(fields: &Fields<'_>, notes: &mut Notes<'_>) -> i64 {
    let whole = |text: &str| {
        let number = text.parse().ok().filter(|number| *number >= 1 && !text.starts_with('+'));
        number.ok_or_else(|| format!("expected a whole number of requests from 1 on, got '{text}'"))
    };
    fields.parse("minRequests", notes, whole).unwrap_or(1)
}

/// Where nothing is said of it: a day.
const COMPLETE: i64 = duration::DAY;

/// `complete`: how long before the end of a period the newest row of a service may be.
pub(crate) fn complete(fields: &Fields<'_>, cycle: Option<Cycle>, notes: &mut Notes<'_>) -> i64 {
    // As long as the shortest period, nothing would have to be stored of it.
    let most = cycle.map_or(27, |cycle| cycle.lengths()[0] - 1).min(27);
    let read = |text: &str| {
        let micros = duration::micros(text, duration::SPAN)?;
        (micros <= i64::from(most) * duration::DAY)
            .then_some(micros)
            .ok_or_else(|| format!("'{text}' is too long: expected at most {most}d, as in 24h"))
    };
    fields.parse("complete", notes, read).unwrap_or(COMPLETE)
}

/// `fees`: whether what vouchers paid is left out, and whether only days that are judged count.
pub(crate) fn fees(fields: &Fields<'_>, notes: &mut Notes<'_>) -> (bool, bool) {
    let node = fields.get("fees");
    let Some(fees) = node.and_then(|node| Fields::read(node, "fees", &["exclude", "prorate"], notes)) else {
        return (false, false);
    };
    let vouchers = fees.word("exclude", &[("vouchers", ())], notes).is_some();
    (vouchers, fees.word("prorate", &[("days", ())], notes).is_some())
}

/// `lostTelemetry`: from how many days is estimated.
pub(crate) fn lost_telemetry(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<LostTelemetry> {
    let lost = Fields::read(fields.get("lostTelemetry")?, "lostTelemetry", &["estimateFrom"], notes)?;
    lost.need("estimateFrom", notes)?;
    let days = lost.parse("estimateFrom", notes, |text| {
        let days = text.strip_suffix('d').and_then(|number| number.parse::<u32>().ok());
        let days = days.filter(|days| (1..=366).contains(days) && !text.starts_with('+'));
        days.ok_or_else(|| format!("'{text}' is not a number of days from 1 to 366, as in 7d"))
    });
    days.map(|days| LostTelemetry { days })
}
