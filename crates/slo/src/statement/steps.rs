//! The arithmetic step by step, from the calendar to the amount, with every number that went into it.

use crate::agreement::{ClaimWithin, ExcludedTime, Measure};
use crate::credit::{Fraction, minor_digits};
use crate::duration::DAY;
use crate::spans::subtract;
use crate::statement::differences::effect;
use crate::statement::judged::Fate;
use crate::statement::measured::measured;
use crate::statement::view::View;
use crate::statement::words::{counted, fraction, grouped, length, micro_percent, money, percent};
use crate::statement::{IssuedStatement, StatementError};

/// A step of the arithmetic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it is about.
    pub title: String,
    /// Sentences and calculations, one each.
    pub lines: Vec<String>,
}

/// How the figures of a statement come about. Everything is computed from the statement alone.
pub fn steps(statement: &IssuedStatement) -> Result<Vec<Step>, StatementError> {
    let agreement = statement.agreement()?;
    Ok(of(&View::new(statement, &agreement)?))
}

pub(crate) fn of(view: &View<'_>) -> Vec<Step> {
    let mut steps = vec![
        step("Slices of the period", slices(view)),
        step("Requests", requests(view)),
        step("Excluded time", excluded(view)),
    ];
    if view.terms().lost_telemetry.is_some() {
        steps.push(step("Lost telemetry", lost(view)));
    }
    steps.push(step(
        match view.terms().measure {
            Measure::MeanErrorRate => "Sum of error rates",
            Measure::BadSlices(_) => "Bad slices",
            Measure::Downtime { .. } => "Downtime",
            Measure::Occurrences => "Failed of valid requests",
            Measure::Proportional(_) => "Error rates of bad slices",
        },
        measured(view),
    ));
    steps.push(step("Availability", availability(view)));
    steps.push(step("Credit", credit(view)));
    steps.push(step("Amount", amount(view)));
    steps.push(step("Claim", claim(view)));
    steps
}

fn step(title: &str, lines: Vec<String>) -> Step {
    Step { title: title.to_string(), lines }
}

fn slices(view: &View<'_>) -> Vec<String> {
    let (covered, clock, slice) = (&view.covered, view.clock, view.terms().slice);
    let mut lines = vec![format!(
        "The period {} is {} ({}): {}.",
        covered.period.first,
        clock.span(covered.period.interval),
        clock.zone,
        long(covered.period.interval.duration())
    )];
    let (whole, judged) = (covered.period.interval, covered.interval);
    if judged != whole {
        let active = view.statement.active;
        let why = [
            (judged.start != whole.start && judged.start == active.start, "the customer was active from then on"),
            (judged.start != whole.start && judged.start != active.start, "the agreement is in force from then on"),
            (judged.end != whole.end && judged.end == active.end, "the customer was active until then"),
            (judged.end != whole.end && judged.end != active.end, "the agreement was in force until then"),
        ];
        let why: Vec<String> = why.iter().filter(|(so, _)| *so).map(|(_, why)| why.to_string()).collect();
        let why = crate::statement::words::listed(&why);
        lines.push(format!("Judged is {}: {}, because {why}.", clock.span(judged), long(judged.duration())));
    }
    for gap in subtract(&[covered.slices()], &view.workings.special.judged) {
        lines.push(format!("Not judged is {}: the customer was not there.", clock.span(gap)));
    }
    let inside = view.workings.special.judged_time() / slice;
    lines.push(format!("{} of {} lie wholly inside.", counted(inside, "slice"), length(slice)));
    let slices = view.statement.credit.slices;
    if slices != inside {
        let removed = grouped(inside - slices);
        lines.push(format!("{} − {removed} excluded ones = {} slices.", grouped(inside), grouped(slices)));
    }
    lines
}

/// `31 days`, or `30 days 23 h 48 min`.
fn long(micros: i64) -> String {
    let units = [(3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1, "µs")];
    let days = micros / DAY;
    let mut parts: Vec<String> = (days > 0).then(|| counted(days, "day")).into_iter().collect();
    let mut rest = micros % DAY;
    for (unit, name) in units {
        if rest >= unit {
            parts.push(format!("{} {name}", rest / unit));
            rest %= unit;
        }
    }
    if parts.is_empty() { "no time".to_string() } else { parts.join(" ") }
}

fn requests(view: &View<'_>) -> Vec<String> {
    let credit = &view.statement.credit;
    let mut lines = vec![
        format!("{} were received and valid.", counted(credit.valid, "request")),
        format!("{} of them failed.", grouped(credit.failed)),
    ];
    let of = |fate| view.judged.count(fate);
    if of(Fate::TooFew) > 0 {
        let least = counted(view.terms().min_requests, "request");
        lines.push(format!(
            "{} with failures had fewer than {least} and count as without error.",
            counted(of(Fate::TooFew), "slice")
        ));
    }
    lines
}

fn excluded(view: &View<'_>) -> Vec<String> {
    let (slice, credit) = (view.terms().slice, &view.statement.credit);
    let by_category = credit
        .excluded
        .iter()
        .map(|(category, micros)| format!("{category}: {}, {}.", counted(micros / slice, "slice"), long(*micros)));
    let mut lines: Vec<String> = by_category.collect();
    if lines.is_empty() {
        lines.push("No slice is excluded.".to_string());
    } else {
        let effect = match view.terms().excluded_time {
            ExcludedTime::ErrorFree => "They count as without error, and the number of slices stays whole.",
            ExcludedTime::Removed => "They and their requests do not count at all.",
        };
        lines.push(effect.to_string());
        let failed: i64 = view.judged.with_fate(Fate::Excluded).map(|counts| counts.failed).sum();
        if failed > 0 {
            lines.push(format!("{} in them are not counted.", counted(failed, "failed request")));
        }
    }
    let without = view.statement.evidence.exclusions.iter().filter(|own| !view.workings.honoured.contains(own));
    lines.extend(without.map(|own| format!("Exclusion {} {}.", own.id, effect(own, view))));
    lines
}

fn lost(view: &View<'_>) -> Vec<String> {
    let credit = &view.statement.credit;
    if credit.lost_slices == 0 {
        return vec!["Telemetry was not lost in any slice that counts.".to_string()];
    }
    let mut lines = vec![format!(
        "Failures could not be counted in {}. What was counted there is dropped.",
        counted(credit.lost_slices, "slice")
    )];
    for estimate in &credit.estimates {
        let started = view.clock.at(estimate.started);
        lines.push(match estimate.counted_slices {
            0 => format!("Outage of {started}: there is nothing to estimate from."),
            counted_slices => format!(
                "Outage of {started}: {} in {} from {}, that is {} / {} × {} lost = {} failed requests.",
                counted(estimate.requests, "request"),
                counted(counted_slices, "slice"),
                view.clock.span(estimate.days),
                grouped(estimate.requests),
                grouped(counted_slices),
                counted(estimate.slices, "slice"),
                fraction(&estimate.failed)
            ),
        });
    }
    lines.push(match view.terms().measure {
        Measure::Occurrences => {
            format!("{} failed requests are added to failed and to valid.", fraction(&credit.estimated))
        }
        _ => "Each lost slice counts with an error rate of 1; the estimate is for the record.".to_string(),
    });
    lines
}

fn availability(view: &View<'_>) -> Vec<String> {
    let (terms, credit) = (view.terms(), &view.statement.credit);
    let exact = fraction(&credit.availability);
    let calculation = match terms.measure {
        Measure::Occurrences if credit.valid == 0 && credit.estimated == Fraction::zero() => {
            "No request was received: available.".to_string()
        }
        Measure::Occurrences => format!("1 − failed / valid = {exact}."),
        _ if credit.slices == 0 => "Nothing is left to be judged: available.".to_string(),
        _ => {
            let lost = fraction(&view.workings.tally.lost_time);
            let lost = if lost.contains(['/', ' ']) { format!("({lost})") } else { lost };
            format!("1 − {lost} / {} = {exact}.", grouped(credit.slices))
        }
    };
    let scale = 100_000_000u64;
    let nearest = credit.availability.rounded(scale);
    let rounding = if nearest == num_bigint::BigUint::from(credit.availability_percent.unsigned_abs()) {
        "rounded half-even for print"
    } else {
        "rounded down for print, because rounded half-even it would show a bound as met that was missed"
    };
    let kept = if credit.kept { "is kept" } else { "is not kept" };
    vec![
        calculation,
        format!(
            "In percent {}, {rounding}; compared is the exact fraction.",
            micro_percent(credit.availability_percent)
        ),
        format!("The commitment of {} {kept}.", percent(terms.commitment)),
    ]
}

fn credit(view: &View<'_>) -> Vec<String> {
    let (terms, credit) = (view.terms(), &view.statement.credit);
    if terms.tiers.is_empty() {
        return vec!["No credits are agreed yet: 0 %.".to_string()];
    }
    let mut lines = Vec::new();
    let applies = credit.tier.and_then(|tier| terms.tiers.get(tier));
    match (applies, credit.tier) {
        (Some(tier), Some(at)) => {
            let below = percent(tier.below);
            lines.push(format!("The availability is below {below}: a credit of {}.", percent(tier.percent)));
            match terms.tiers.get(at + 1) {
                Some(next) => lines.push(format!(
                    "It is not below {}, where a credit of {} would begin.",
                    percent(next.below),
                    percent(next.percent)
                )),
                None => lines.push("There is no higher credit.".to_string()),
            }
            if let Some(cap) = terms.cap {
                lines.push(match credit.percent == tier.percent {
                    true => format!("The cap of {} is not exceeded.", percent(cap)),
                    false => format!("The cap of {} limits it to {}.", percent(cap), percent(credit.percent)),
                });
            }
        }
        _ => {
            let first = terms.tiers.first().map_or_else(String::new, |tier| percent(tier.below));
            lines.push(format!("The availability is not below {first}: no credit."));
        }
    }
    lines
}

fn amount(view: &View<'_>) -> Vec<String> {
    let (terms, credit) = (view.terms(), &view.statement.credit);
    let (Some(fee), Some(base), Some(amount)) = (&view.statement.evidence.fee, credit.fee_base, credit.amount) else {
        return vec!["No fee is recorded for the period, so no amount is computed.".to_string()];
    };
    let of = |amount: i128| money(amount, &fee.currency);
    let mut lines = vec![match terms.exclude_vouchers {
        true => format!("Fee base: {} − {} paid with vouchers = {}.", of(fee.amount), of(fee.vouchers), of(base)),
        false => format!("Fee base: {}.", of(base)),
    }];
    let digits = minor_digits(&fee.currency).unwrap_or(2);
    let unrounded = crate::credit::money::share_of(base, credit.percent, digits);
    lines.push(format!(
        "{} × {} = {}, rounded once, half-even to {}.",
        of(base),
        percent(credit.percent),
        of(unrounded),
        counted(digits.into(), "decimal place")
    ));
    if let Some(min) = terms.min_payout.as_ref().filter(|_| credit.below_min_payout) {
        lines.push(format!("Less than {} is not paid out.", of(min.amount)));
    }
    lines.push(format!("Credited: {}.", of(amount)));
    lines
}

fn claim(view: &View<'_>) -> Vec<String> {
    let within = match view.terms().claim_within {
        None => return vec!["The agreement sets no time to claim.".to_string()],
        Some(ClaimWithin::Days(days)) => counted(days.into(), "day"),
        Some(ClaimWithin::Months(months)) => counted(months.into(), "calendar month"),
    };
    let by = view.statement.credit.claim_by.map_or_else(String::new, |by| view.clock.at(by));
    vec![format!("{within} from the end of the period: a claim must be made before {by} ({}).", view.clock.zone)]
}
