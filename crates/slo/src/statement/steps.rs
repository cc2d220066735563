//! The arithmetic step by step, from the calendar to the amount, with every number that went into it.

use num_bigint::BigUint;

use crate::agreement::{Cap, ClaimFrom, ExcludedTime, Figures, Join, Measure, Together};
use crate::credit::{
    Fate, Fee, FeeBase, PartCredit, amount_rounding, decisive, fee_days, figures, left_of_year, together,
};
use crate::fraction::{Fraction, Rounding};
use crate::spans::subtract;
use crate::statement::differences::{earlier, effect};
use crate::statement::measured::measured;
use crate::statement::view::{Figured, View};
use crate::statement::{IssuedStatement, StatementError};
use crate::words::{counted, fraction, grouped, length, long, micro_percent, money, percent, percent_of, places};

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
    of(&Figured::of(statement, &agreement)?)
}

pub(crate) fn of(figured: &Figured<'_>) -> Result<Vec<Step>, StatementError> {
    let (mut steps, metrics) = (Vec::new(), figured.by_metric()?);
    for (view, part) in &metrics {
        let of_figure = availability_steps(view);
        let named = |step: Step| match part {
            Some(part) => Step { title: format!("{}: {}", part.name(), step.title), ..step },
            None => step,
        };
        steps.extend(of_figure.into_iter().map(named));
    }
    let view = figured.deciding()?;
    let mut lines = Vec::new();
    match metrics.as_slice() {
        [(one, None)] => lines.extend(share(one)),
        several => {
            for (view, part) in several {
                let name = part.map(PartCredit::name).unwrap_or_default();
                lines.extend(share(view).into_iter().map(|line| format!("{name}: {line}")));
            }
            lines.extend(joined(several));
        }
    }
    lines.extend(limited(&view, &metrics));
    steps.push(step("Credit", lines));
    steps.push(step("Amount", amount(&view)));
    steps.push(step("Claim", claim(&view)));
    Ok(steps)
}

/// The steps to an availability.
fn availability_steps(view: &View<'_>) -> Vec<Step> {
    let mut steps = vec![
        step("Slices of the period", slices(view)),
        step(if view.terms().objective.is_some() { "Events" } else { "Requests" }, requests(view)),
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
    steps
}

fn step(title: &str, lines: Vec<String>) -> Step {
    Step { title: title.to_string(), lines }
}

fn slices(view: &View<'_>) -> Vec<String> {
    let (covered, clock, slice) = (&view.covered, view.clock, view.terms().slice);
    let mut lines = vec![format!(
        "The period {} is {} ({}): {}.",
        covered.period.name,
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
        let why = crate::words::listed(&why);
        lines.push(format!("Judged is {}: {}, because {why}.", clock.span_in_zone(judged), long(judged.duration())));
    }
    let there = covered.slices_of(&view.evidence.active);
    for gap in subtract(&[covered.slices()], &there) {
        lines.push(format!("Not judged is {}: the customer was not there.", clock.span_in_zone(gap)));
    }
    if let Some(hours) = &view.terms().service_hours {
        let time = view.workings.special.judged_time();
        lines.push(format!("Service hours are {}: {} in all.", hours.words(), long(time)));
    }
    let inside = view.workings.special.judged_time() / slice;
    lines.push(format!("{} of {} lie wholly inside.", counted(inside, "slice"), length(slice)));
    let slices = view.credit.slices;
    if slices != inside {
        let removed = grouped(inside - slices);
        lines.push(format!("{} − {removed} excluded ones = {} slices.", grouped(inside), grouped(slices)));
    }
    let time = view.judged().time;
    if time != slices * slice {
        lines.push(format!(
            "Of slices that are excluded in part the rest counts for as long as it is: {} in all, {} slices.",
            long(time),
            places(&Fraction::new(time.unsigned_abs(), slice.unsigned_abs()), 3)
        ));
    }
    lines
}

fn requests(view: &View<'_>) -> Vec<String> {
    let credit = &view.credit;
    let joined = view.terms().each.as_ref().filter(|each| each.join != Join::Worst);
    let of = joined.map_or_else(String::new, |each| format!(", of the {} that decides each slice", each.by.word()));
    let mut lines = vec![
        match &view.terms().objective {
            Some(name) => format!("{} of the objective {name} were counted{of}.", counted(credit.valid, "event")),
            None => format!("{} were received and valid{of}.", counted(credit.valid, "request")),
        },
        format!("{} of them failed.", grouped(credit.failed)),
    ];
    let of = |fate| view.judged().count(fate);
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
    let (slice, credit) = (view.terms().slice, &view.credit);
    let by_category = credit.excluded.iter().map(|(category, micros)| match micros % slice {
        0 => format!("{category}: {}, {}.", counted(micros / slice, "slice"), long(*micros)),
        _ => format!("{category}: {}.", long(*micros)),
    });
    let mut lines: Vec<String> = by_category.collect();
    let in_part = credit.excluded.iter().any(|(_, micros)| micros % slice != 0);
    if lines.is_empty() {
        lines.push("No slice is excluded.".to_string());
    } else {
        let effect = match (view.terms().excluded_time, in_part) {
            (ExcludedTime::ErrorFree, false) => "They count as without error, and the number of slices stays whole.",
            (ExcludedTime::ErrorFree, true) => {
                "What fails in that time does not count; its requests do, and the number of slices stays whole."
            }
            (ExcludedTime::Removed, false) => "They and their requests do not count at all.",
            (ExcludedTime::Removed, true) => "That time and its requests do not count at all.",
        };
        lines.push(effect.to_string());
        let failed: i64 = view.judged().slices.iter().map(|own| own.spared).fold(0, i64::saturating_add);
        if failed > 0 {
            let them = if in_part { "it" } else { "them" };
            lines.push(format!("{} in {them} are not counted.", counted(failed, "failed request")));
        }
    }
    let without = view
        .evidence
        .exclusions
        .iter()
        .filter(|own| !view.workings.honours(own) || view.workings.cut_short(own).is_some());
    lines.extend(without.map(|own| format!("Exclusion {} {}.", own.id, effect(own, view))));
    lines
}

fn lost(view: &View<'_>) -> Vec<String> {
    let credit = &view.credit;
    let special = &view.workings.special;
    if credit.lost_slices == 0 {
        let mut lines = vec!["Telemetry was not lost in any slice that counts.".to_string()];
        if !special.lost_beside().is_empty() {
            lines.push(
                "It was lost beside them, where runs of bad slices are followed: a slice that was lost there is bad."
                    .to_string(),
            );
        }
        return lines;
    }
    let lost: i64 = special.outages.iter().flat_map(|(_, spans)| spans).map(|span| span.duration()).sum();
    let whole = special.losing.width() == view.terms().slice;
    let partly = lost != credit.lost_slices * view.terms().slice;
    let mut lines = vec![match partly {
        false => format!(
            "Failures could not be counted in {}. What was counted there is dropped.",
            counted(credit.lost_slices, "slice")
        ),
        true => format!(
            "Failures could not be counted for {}, in {}. What was counted then is dropped.",
            long(lost),
            counted(credit.lost_slices, "slice")
        ),
    }];
    let unit = if whole { "slice" } else { "stored slice" };
    for estimate in &credit.estimates {
        let started = view.clock.at_in_zone(estimate.started);
        lines.push(match estimate.counted_slices {
            0 => format!("Outage of {started}: there is nothing to estimate from."),
            counted_slices => format!(
                "Outage of {started}: {} in {} from {}, that is {} / {} × {} lost = {} failed requests.",
                counted(estimate.requests, "request"),
                counted(counted_slices, unit),
                view.clock.span_in_zone(estimate.days),
                grouped(estimate.requests),
                grouped(counted_slices),
                counted(estimate.slices, unit),
                fraction(&estimate.failed)
            ),
        });
    }
    lines.push(match (view.terms().measure, partly) {
        (Measure::Occurrences, _) => {
            format!("{} failed requests are added to failed and to valid.", fraction(&credit.estimated))
        }
        (_, false) => "Each lost slice counts with an error rate of 1; the estimate is for the record.".to_string(),
        (_, true) => {
            "A slice that was lost whole counts with an error rate of 1; to one that was lost in part the estimate is \
                      added, to failed and to valid."
                .to_string()
        }
    });
    lines
}

fn availability(view: &View<'_>) -> Vec<String> {
    let (terms, credit) = (view.terms(), &view.credit);
    let exact = fraction(&credit.availability);
    let calculation = match terms.measure {
        Measure::Occurrences if credit.valid == 0 && credit.estimated == Fraction::zero() => {
            "No request was received: available.".to_string()
        }
        Measure::Occurrences => format!("1 − failed / valid = {exact}."),
        _ if view.judged().time == 0 => "Nothing is left to be judged: available.".to_string(),
        _ => {
            let lost = fraction(&view.judged().lost_time);
            let lost = if lost.contains(['/', ' ']) { format!("({lost})") } else { lost };
            let slices = Fraction::new(view.judged().time.unsigned_abs(), terms.slice.unsigned_abs());
            format!(
                "1 − {lost} / {} = {exact}.",
                if slices.denominator() == &1u8.into() {
                    grouped(slices.numerator())
                } else {
                    format!("({})", fraction(&slices))
                }
            )
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
    let compared = match terms.round {
        None => "compared is the exact fraction".to_string(),
        Some(_) => format!(
            "compared is what the agreement rounds it to, {}",
            percent_of(&decisive(terms, &credit.availability))
        ),
    };
    vec![
        calculation,
        format!("In percent {}, {rounding}; {compared}.", micro_percent(credit.availability_percent)),
        format!("The commitment of {} {kept}.", percent(terms.commitment)),
    ]
}

/// How a figure's share of the fee base came about.
fn share(view: &View<'_>) -> Vec<String> {
    of_figures(view, |figures| view.terms().credits.form().workings(figures))
}

/// The share of the fee base that a figure credits, without the cap.
fn credited(view: &View<'_>) -> Fraction {
    of_figures(view, |figures| view.terms().credits.share(figures))
}

fn of_figures<T>(view: &View<'_>, say: impl FnOnce(Figures<'_>) -> T) -> T {
    let downtime = view.judged().downtime(view.terms());
    let decisive = decisive(view.terms(), &view.credit.availability);
    say(figures(&view.covered, &decisive, &downtime))
}

/// What several figures' credits come to.
fn joined(metrics: &[(View<'_>, Option<&PartCredit>)]) -> Option<String> {
    let (first, _) = metrics.first().filter(|_| metrics.len() > 1)?;
    let shares = || metrics.iter().filter_map(|(_, part)| Some(&part.as_ref()?.share));
    Some(match first.terms().together {
        Together::Largest => {
            let largest = shares().max().map_or_else(String::new, percent_of);
            format!("The largest of the {} credits is owed: {largest}.", metrics.len())
        }
        Together::Sum => {
            let sum = shares().fold(Fraction::zero(), |sum, share| sum.plus(share));
            let all: Vec<String> = shares().map(percent_of).collect();
            format!("The credits add up: {} = {}.", all.join(" + "), percent_of(&sum))
        }
    })
}

/// How far the cap or the fee goes.
fn limited(view: &View<'_>, metrics: &[(View<'_>, Option<&PartCredit>)]) -> Option<String> {
    let (terms, credit) = (view.terms(), &view.statement.credit);
    let shares: Vec<(usize, Fraction)> = metrics.iter().map(|(view, _)| credited(view)).enumerate().collect();
    let share = together(terms, shares.iter().map(|(metric, share)| (*metric, share)));
    let (most, cap) = match &terms.cap {
        Some(Cap::Share(share)) => (Fraction::from(*share), format!("The cap of {}", percent(*share))),
        Some(Cap::Money(_)) | None => (Fraction::one(), "The fee base".to_string()),
    };
    if share > most {
        Some(format!("{cap} limits it to {}.", percent_of(&credit.percent)))
    } else if let (Some(Cap::Share(_)), true) = (&terms.cap, share > Fraction::zero()) {
        Some(format!("{cap} is not exceeded."))
    } else {
        None
    }
}

fn amount(view: &View<'_>) -> Vec<String> {
    let (terms, credit, evidence) = (view.terms(), &view.statement.credit, &view.statement.evidence);
    let (Some(fee), Some(base), Some(amount)) = (&evidence.fee, credit.fee_base, credit.amount) else {
        return vec!["No fee is recorded for the period, so no amount is computed.".to_string()];
    };
    let of = |amount: i128| money(amount, &fee.currency);
    let Ok(paid) = FeeBase::of(&view.covered, evidence, fee) else {
        return vec![format!("Credited: {}.", of(amount))];
    };
    let mut lines = fee_base(view, fee, &paid);
    let (places, mode) = amount_rounding(terms, &fee.currency);
    let unrounded = paid.share(&credit.percent, places, mode);
    let how = match mode {
        Rounding::HalfUp => "half up",
        Rounding::HalfEven => "half-even",
        Rounding::Down => "down",
    };
    lines.push(format!(
        "{} × {} = {}, rounded once, {how} to {}.",
        of(base),
        written(&credit.percent),
        of(unrounded),
        counted(places.into(), "decimal place")
    ));
    if let Some(Cap::Money(cap)) =
        terms.cap.as_ref().filter(|cap| matches!(cap, Cap::Money(most) if most.amount < unrounded))
    {
        lines.push(format!("The cap limits it to {}.", of(cap.amount)));
    }
    lines.extend(year(view, fee, &paid, mode));
    let least = terms.min_payout.iter().find(|own| own.currency == fee.currency);
    if let Some(min) = least.filter(|_| credit.below_min_payout) {
        lines.push(format!("Less than {} is not paid out.", of(min.amount)));
    }
    lines.push(format!("Credited: {}.", of(amount)));
    lines
}

/// From what is credited.
fn fee_base(view: &View<'_>, fee: &Fee, base: &FeeBase) -> Vec<String> {
    let (terms, evidence) = (view.terms(), &view.statement.evidence);
    let of = |amount: i128| money(amount, &fee.currency);
    let paid = |amount: i128, vouchers: i128| match terms.exclude_vouchers {
        true => format!("{} − {} paid with vouchers", of(amount), of(vouchers)),
        false => of(amount),
    };
    let in_brackets = |paid: String| if terms.exclude_vouchers { format!("({paid})") } else { paid };
    let (all, shown) = (paid(fee.amount, fee.vouchers), of(base.shown()));
    match base {
        FeeBase::Whole(_) if terms.exclude_vouchers => vec![format!("Fee base: {all} = {shown}.")],
        FeeBase::Whole(_) => vec![format!("Fee base: {all}.")],
        FeeBase::Judged { days, .. } => {
            let of_period = view.covered.period.days();
            let judged = days.numerator() * of_period / days.denominator();
            vec![format!("Fee base: {} × {judged} judged of {of_period} days = {shown}.", in_brackets(all))]
        }
        FeeBase::ByDay(_) => {
            let days = match terms.prorate {
                false => "its days in the period / all of its days",
                true => "its judged days / the days of the month",
            };
            let by_month = evidence.month_fees.iter().map(|own| {
                let (counted, all) = fee_days(&view.covered, &evidence.active, own);
                let paid = in_brackets(paid(own.amount, own.vouchers));
                format!("The fee of {}: {paid} × {counted}/{all}, {days}.", own.month)
            });
            let exact = base.unshown().map_or_else(String::new, |exact| format!(", exactly {}", fraction(&exact)));
            by_month.chain([format!("Fee base: the sum of these, {shown}{exact}.")]).collect()
        }
    }
}

/// What the cap of the year leaves.
fn year(view: &View<'_>, fee: &Fee, base: &FeeBase, mode: Rounding) -> Option<String> {
    let (terms, evidence) = (view.terms(), &view.statement.evidence);
    let left = left_of_year(terms, evidence, fee, base, mode).ok()??;
    Some(format!(
        "Of the periods of {} at most {} is credited. Credited before: {}. Left: {}.",
        view.covered.period.name.year(),
        terms.cap_of_year.as_ref()?.words(),
        earlier(&evidence.credited),
        money(left, &fee.currency)
    ))
}

fn claim(view: &View<'_>) -> Vec<String> {
    let Some(within) = view.terms().claim_within else {
        return vec!["The agreement sets no time to claim.".to_string()];
    };
    let by = view.statement.credit.claim_by.map_or_else(String::new, |by| view.clock.at_in_zone(by));
    let first = match within.from {
        ClaimFrom::Outage if view.judged().outages.len() > 1 => {
            " It is that of the first outage; later ones have longer."
        }
        ClaimFrom::Outage | ClaimFrom::Period => "",
    };
    vec![format!("Within {}: a claim must be made before {by}.{first}", within.words())]
}

/// A share in percent, or as the fraction that it is where no percent of six places says it.
fn written(share: &Fraction) -> String {
    let exact = (share.numerator() * 100_000_000u64) % share.denominator() == BigUint::ZERO;
    if exact { percent_of(share) } else { fraction(share) }
}
