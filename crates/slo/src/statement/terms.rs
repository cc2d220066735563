//! An agreement's clauses in words.

use std::borrow::Cow;

use crate::agreement::{Cap, ExcludedTime, Granularity, Measure, NotValid, OverEnd, RateOp, Rounded, Terms, Together};
use crate::fraction::Rounding;
use crate::objective::{Causes, Charge, Party};
use crate::pattern::Pattern;
use crate::period::Cycle;
use crate::words::{counted, length, listed, money, percent};

/// A clause: what it is about, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    pub name: Cow<'static, str>,
    pub text: String,
}

/// Every clause that has an effect on what is owed: those of the first metric, and of the others what they say otherwise.
pub(crate) fn clauses(terms: &Terms) -> Vec<Clause> {
    let mut clauses = of_metric(terms);
    let Some(name) = &terms.metric else { return clauses };
    let text = match (terms.others.is_empty(), terms.together) {
        (true, _) => format!("{name}, of which the clauses above are"),
        (false, Together::Largest) => format!("The largest credit is owed. The clauses above are those of {name}"),
        (false, Together::Sum) => format!("Their credits add up. The clauses above are those of {name}"),
    };
    let first = clauses.clone();
    clauses.push(Clause { name: "Metrics".into(), text });
    for other in &terms.others {
        let name = other.metric.as_deref().unwrap_or_default();
        let own = of_metric(other);
        let gone = first.iter().filter(|clause| own.iter().all(|other| other.name != clause.name));
        // What stands in the place of requests is said by itself.
        let gone = gone.filter(|clause| !matches!(&*clause.name, "Requests" | "Events"));
        let gone = gone.map(|clause| Clause { name: clause.name.clone(), text: "Nothing is agreed".to_string() });
        let differs = own.iter().filter(|clause| !first.contains(clause)).cloned();
        let named = |clause: Clause| Clause { name: format!("{name}: {}", clause.name).into(), ..clause };
        clauses.extend(differs.chain(gone).map(named));
    }
    clauses
}

fn of_metric(terms: &Terms) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut add = |name: &'static str, text: String| clauses.push(Clause { name: name.into(), text });
    add("Services", patterns(&terms.services));
    for (name, rows) in [
        ("Businesses", &terms.rows.businesses),
        ("Endpoints", &terms.rows.endpoints),
        ("Customers", &terms.rows.customers),
    ] {
        if !rows.is_empty() {
            add(name, patterns(rows));
        }
    }
    if !terms.plans.is_empty() {
        add("Plans", patterns(&terms.plans));
    }
    match &terms.objective {
        Some(name) => {
            add("Events", format!("Those of the objective {name} count, the same for every customer"));
            add("Failures", "Events that are not good by that objective".to_string());
        }
        None => {
            add("Requests", requests(terms));
            add("Failures", failures(terms));
        }
    }
    add("Period", format!("{} in {}, in slices of {}", terms.cycle.clause(), terms.time_zone, length(terms.slice)));
    if let Some(hours) = &terms.service_hours {
        add("Service hours", format!("{}; no other time counts", hours.words()));
    }
    if let Some(each) = &terms.each {
        add("Members", each.words());
    }
    add("Availability", measure(terms));
    if let Some(round) = terms.round {
        add("Rounding", format!("The availability in percent, before it decides: {}", rounding(round)));
    }
    add("Commitment", percent(terms.commitment));
    add("Credits", credits(terms));
    add("Exclusions", exclusions(terms));
    if let Some(lost) = terms.lost_telemetry {
        let days = counted(lost.days.into(), "local day");
        let estimate =
            format!("as many requests as usual are taken as failed: those of the {days} before the outage's day");
        add("Lost telemetry", format!("Where failures could not be counted, {estimate}"));
    }
    let base = if terms.exclude_vouchers { "What was paid, less what vouchers paid" } else { "What was paid" };
    let days = match (terms.cycle, terms.prorate) {
        (Cycle::Months { .. }, false) => "",
        (Cycle::Months { .. }, true) => ", × judged days / days of the period",
        (Cycle::Days { .. }, false) => {
            " for each month, × those of the days it is paid for that lie in the period / all of them"
        }
        (Cycle::Days { .. }, true) => " for each month, × judged days / days of the month",
    };
    add("Fee base", format!("{base}{days}"));
    if !terms.min_payout.is_empty() {
        let least: Vec<String> = terms.min_payout.iter().map(|own| money(own.amount, &own.currency)).collect();
        let least = if let [one] = least.as_slice() { one.clone() } else { least.join(", or ") };
        add("Least amount", format!("Less than {least} is not paid out"));
    }
    if let Some(round) = terms.round_amount {
        let currency = "but to no less than the currency's minor unit";
        add("Rounding of amounts", format!("{}, {currency}", rounding(round)));
    }
    if let Some(within) = terms.claim_within {
        add("Claims", format!("Within {}", within.words()));
    }
    clauses
}

fn patterns(patterns: &[Pattern]) -> String {
    if patterns.iter().any(|pattern| pattern.text() == "*") {
        return "All".to_string();
    }
    listed(&patterns.iter().map(|pattern| pattern.text().to_string()).collect::<Vec<_>>())
}

fn requests(terms: &Terms) -> String {
    let not = terms.not_valid.iter().map(|not| match not {
        NotValid::Status(status) => format!("status {status}"),
        NotValid::Cause(cause) => cause.clone(),
    });
    let not: Vec<String> = not.collect();
    match not.is_empty() {
        true => "Every request that is received is valid".to_string(),
        false => format!("Every request that is received is valid, except {}", listed(&not)),
    }
}

fn failures(terms: &Terms) -> String {
    if let Some(failed) = &terms.failed {
        return failed.words();
    }
    let party = match terms.party {
        Party::Service => "the service",
        Party::Gateway => "the gateway",
    };
    let shipped = Causes::default();
    let own = terms.causes.0.iter().filter(|(cause, charge)| shipped.0.get(*cause) != Some(charge));
    let own: Vec<String> = own
        .map(|(cause, charge)| {
            let to = match charge {
                Charge::Service => "the service",
                Charge::Gateway => "the gateway",
                Charge::Nobody => "nobody",
            };
            format!("{cause} to {to}")
        })
        .collect();
    match own.is_empty() {
        true => format!("Requests whose failure is charged to {party}"),
        false => format!("Requests whose failure is charged to {party}; charged are {}", listed(&own)),
    }
}

/// What makes a slice bad: `an error rate above 10 %`.
pub(crate) fn bad(terms: &Terms) -> String {
    terms.measure.bad().map_or_else(String::new, |bad| match bad.op {
        RateOp::Above => format!("an error rate above {}", percent(bad.rate)),
        RateOp::AtLeast => format!("an error rate of {} or more", percent(bad.rate)),
    })
}

fn measure(terms: &Terms) -> String {
    let bad = bad(terms);
    let formula = match terms.measure {
        Measure::MeanErrorRate => "1 − sum of the slices' error rates / number of slices".to_string(),
        Measure::BadSlices(_) => format!("1 − bad slices / number of slices; a slice is bad with {bad}"),
        Measure::Downtime { min_run, .. } => format!(
            "1 − downtime / time of the period; downtime is slices with {bad}, {} or more in a row{}",
            length(min_run),
            match terms.over_end {
                OverEnd::Cut => "",
                OverEnd::Split => ", also where they go on over an end of what is judged, which counts its own part",
            }
        ),
        Measure::Occurrences => "1 − failed requests / valid requests".to_string(),
        Measure::Proportional(_) => {
            format!("1 − sum of the bad slices' error rates / number of slices; a slice is bad with {bad}")
        }
    };
    match terms.min_requests {
        1 => formula,
        least => format!("{formula}; a slice with fewer than {} counts as without error", counted(least, "request")),
    }
}

fn credits(terms: &Terms) -> String {
    let credits = terms.credits.form().clause();
    let cap = match &terms.cap {
        Some(Cap::Share(share)) => format!("; at most {}", percent(*share)),
        Some(Cap::Money(most)) => format!("; at most {}", money(most.amount, &most.currency)),
        None => String::new(),
    };
    let year =
        terms.cap_of_year.as_ref().map(|most| format!("; at most {} for the periods of a calendar year", most.words()));
    format!("{credits}{cap}{}", year.unwrap_or_default())
}

fn rounding(round: Rounded) -> String {
    let mode = match round.mode {
        Rounding::HalfUp => "halves up",
        Rounding::HalfEven => "halves to even",
        Rounding::Down => "down",
    };
    format!("to {}, {mode}", counted(round.places.into(), "decimal place"))
}

fn exclusions(terms: &Terms) -> String {
    let categories = terms.exclusions.iter().map(|exclude| {
        let announced =
            exclude.announced.map_or_else(String::new, |notice| format!(" if announced {}", notice.words()));
        let most = exclude.at_most.map_or_else(String::new, |most| format!(" for at most {}", most.words()));
        format!("{}{announced}{most}", exclude.category)
    });
    let categories: Vec<String> = categories.collect();
    let time = match (terms.excluded_time, terms.excluded_by) {
        (ExcludedTime::ErrorFree, Granularity::Slice) => "a slice that is excluded whole counts as without error",
        (ExcludedTime::ErrorFree, Granularity::Stored) => "excluded time counts as without error",
        (ExcludedTime::Removed, Granularity::Slice) => {
            "a slice that is excluded whole and its requests do not count at all"
        }
        (ExcludedTime::Removed, Granularity::Stored) => "excluded time and its requests do not count at all",
    };
    let bridge = if terms.bridge { "; inside a run of bad slices it does not end the run" } else { "" };
    if categories.is_empty() { "None".to_string() } else { format!("{}; {time}{bridge}", listed(&categories)) }
}
