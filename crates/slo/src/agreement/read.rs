//! The `spec` of an agreement.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::agreement::claims::{ClaimFrom, claim_within};
use crate::agreement::each::each;
use crate::agreement::exclusions::exclusions;
use crate::agreement::failures::failed;
use crate::agreement::hours::service_hours;
use crate::agreement::issuer::{Side, issuer};
use crate::agreement::metrics::{Together, metrics, together};
use crate::agreement::terms::{ExcludedTime, Granularity, Measure, OverEnd, Terms};
use crate::agreement::{Draft, clauses, credits, limits};
use crate::duration;
use crate::fields::{self, Fields};
use crate::indicators::{causes, party, patterns};
use crate::metadata::Metadata;
use crate::mistake::{Mistake, Notes};
use crate::objective::Party;
use crate::pattern::{Pattern, RowFilter};
use crate::period::Cycle;
use crate::place::Place;
use crate::yaml::{Node, Value};

const FIELDS: &[&str] = &[
    "description",
    "issuer",
    "side",
    "service",
    "objective",
    "business",
    "endpoint",
    "customer",
    "plan",
    "party",
    "causes",
    "failed",
    "valid",
    "period",
    "serviceHours",
    "slice",
    "measure",
    "bad",
    "minRequests",
    "minRun",
    "overEnd",
    "commitment",
    "round",
    "credits",
    "cap",
    "minPayout",
    "roundAmount",
    "claimWithin",
    "complete",
    "exclusions",
    "excludedTime",
    "fees",
    "lostTelemetry",
    "each",
    "metrics",
    "together",
];

/// Reads an agreement and from when it is effective.
pub(crate) fn read(metadata: &Metadata<'_>, spec: &Node, notes: &mut Notes<'_>) -> Option<(Draft, Option<i64>)> {
    let before = notes.errors.len();
    let fields = Fields::read(spec, "the agreement's spec", FIELDS, notes)?;
    let zone = clauses::period(&fields, &mut Notes::new(notes.path())).map_or(Tz::UTC, |(_, zone)| zone);
    let (from, until) = metadata.effective(zone, notes);
    let (terms, slice_at) = match metrics(spec, &fields, notes) {
        None => terms(metadata, &fields, notes)?,
        Some(metrics) => several(metadata, &fields, &metrics, notes)?,
    };
    (notes.errors.len() == before).then(|| (Draft { terms: Arc::new(terms), until, slice_at }, from))
}

/// The terms of several metrics: those of the first with the others.
fn several(
    metadata: &Metadata<'_>,
    fields: &Fields<'_>,
    metrics: &[(String, Node)],
    notes: &mut Notes<'_>,
) -> Option<(Terms, Place)> {
    let (errors, warnings) = (notes.errors.len(), notes.warnings.len());
    let together = together(fields, metrics.len(), notes);
    let mut found = Vec::new();
    for (name, node) in metrics {
        let own = Fields::open(node, "the agreement's spec", notes)?;
        if let Some((terms, slice_at)) = terms(metadata, &own, notes) {
            found.push((Terms { metric: Some(name.clone()), together, ..terms }, slice_at));
        }
    }
    // What is wrong with a clause of all of them was found with each.
    each_once(&mut notes.errors, errors);
    each_once(&mut notes.warnings, warnings);
    if found.len() < metrics.len() {
        return None;
    }
    let mut found = found.into_iter();
    let (mut first, slice_at) = found.next()?;
    first.others = found.map(|(terms, _)| Arc::new(terms)).collect();
    Some((first, slice_at))
}

fn each_once(mistakes: &mut Vec<Mistake>, from: usize) {
    let mut seen: Vec<Mistake> = Vec::new();
    for mistake in mistakes.drain(from..) {
        if !seen.contains(&mistake) {
            seen.push(mistake);
        }
    }
    mistakes.append(&mut seen);
}

/// The clauses of an agreement, or of one metric of it, and where the width of a slice stands.
fn terms(metadata: &Metadata<'_>, fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<(Terms, Place)> {
    let before = notes.errors.len();
    let description = fields.text("description", notes).map(str::to_string);
    let services = services(fields, notes);
    let is_one_service = services.as_ref().is_some_and(|all| matches!(all.as_slice(), [one] if one.exact().is_some()));
    let issuer = issuer(fields, is_one_service, notes);
    let sides = [Side::Owed, Side::Claimed].map(|side| (side.word(), side));
    let side = fields.word("side", &sides, notes).unwrap_or(Side::Owed);
    let rows = RowFilter {
        businesses: patterns(fields, "business", notes),
        endpoints: patterns(fields, "endpoint", notes),
        customers: patterns(fields, "customer", notes),
        labels: BTreeMap::new(),
    };
    let plans = patterns(fields, "plan", notes);
    let objective = objective(fields, notes);
    let party = party(fields, notes).unwrap_or(Party::Service);
    let causes = causes(fields, notes);
    let failed = failed(fields, notes);
    let not_valid = clauses::not_valid(fields, notes);
    let period = clauses::period(fields, notes);
    let slice_at = fields.need("slice", notes).map(|node| node.place);
    let slice = slice_at.and_then(|_| fields.parse("slice", notes, duration::slice));
    let service_hours = service_hours(fields, slice, notes);
    let measure = clauses::measure(fields, notes);
    let min_requests = clauses::min_requests(fields, notes);
    let commitment = fields.need("commitment", notes).and_then(|node| fields::share(node, "commitment", notes));
    let round = limits::rounded("round", fields, notes);
    let without_outages = measure.filter(|measure| measure.min_run().is_none()).map(Measure::name);
    let cycle = period.map(|(cycle, _)| cycle);
    let lengths = cycle.unwrap_or(Cycle::calendar(1)).lengths();
    let around = credits::Around { commitment, without_outages, lengths };
    let credits = credits::read(fields, around, notes);
    let (cap, cap_of_year) = limits::caps(fields, notes);
    let min_payout = limits::min_payout(fields, notes);
    let round_amount = limits::rounded("roundAmount", fields, notes);
    let claim_within = claim_within(fields, notes);
    if claim_within.is_some_and(|claim| claim.from == ClaimFrom::Outage) {
        needs_runs(fields, "claimWithin", "from: outage", measure, notes);
    }
    let complete = clauses::complete(fields, cycle, notes);
    needs_runs(fields, "overEnd", "overEnd", measure, notes);
    let over_end = clauses::over_end(fields, measure, notes);
    let exclusions = exclusions(fields, notes);
    if exclusions.bridge {
        needs_runs(fields, "exclusions", "bridge", measure, notes);
    }
    if let (true, OverEnd::Split, Some(node)) = (exclusions.bridge, over_end, fields.get("overEnd")) {
        let reason = "'overEnd: split' and 'bridge: true' exclude each other: excluded time beside the period would have to be bridged \
                      without end";
        notes.error(node.place, reason);
    }
    let words = [("removed", ExcludedTime::Removed), ("errorFree", ExcludedTime::ErrorFree)];
    let excluded_time = fields.word("excludedTime", &words, notes).unwrap_or(ExcludedTime::ErrorFree);
    let (exclude_vouchers, prorate) = clauses::fees(fields, notes);
    let lost_telemetry = clauses::lost_telemetry(fields, notes);
    let each = each(fields, [measure == Some(Measure::Occurrences), lost_telemetry.is_some()], notes);
    let owner = metadata.owner(notes);
    if notes.errors.len() > before {
        return None;
    }
    let (cycle, time_zone) = period?;
    let terms = Terms {
        metric: None,
        others: Vec::new(),
        together: Together::Largest,
        each,
        display_name: metadata.display_name.map(str::to_string),
        description,
        owner,
        issuer,
        side,
        services: services?,
        objective,
        rows,
        plans,
        party,
        causes,
        failed,
        not_valid,
        cycle,
        time_zone,
        service_hours,
        slice: slice?,
        measure: measure?,
        min_requests,
        commitment: commitment?,
        round,
        credits: credits?,
        cap,
        cap_of_year,
        min_payout: min_payout?,
        round_amount,
        exclusions: exclusions.categories,
        over_end,
        excluded_time,
        excluded_by: exclusions.granularity,
        bridge: exclusions.bridge,
        exclude_vouchers,
        prorate,
        lost_telemetry,
        lost_by: Granularity::Stored,
        claim_within,
        complete,
    };
    Some((terms, slice_at?))
}

/// `service`: names or globs, at least one.
fn services(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Vec<Pattern>> {
    let node = fields.need("service", notes)?;
    let blank = |node: &Node| node.text().is_some_and(|text| text.trim().is_empty());
    let nobody = match &node.value {
        Value::List(items) => items.is_empty() || items.iter().any(blank),
        _ => blank(node),
    };
    if nobody {
        notes.error_hint(node.place, "'service' names no service", "write \"*\" for one agreement about each of them");
        return None;
    }
    Some(patterns(fields, "service", notes))
}

/// `objective`: whose events are judged in the place of requests; it says itself which these are and which of them are good.
fn objective(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<String> {
    let node = fields.get("objective")?;
    for name in ["business", "endpoint", "party", "causes", "failed", "valid", "each"] {
        if let Some(node) = fields.get(name) {
            notes
                .error(node.place, format!("'{name}' means nothing beside 'objective', which says itself what counts"));
        }
    }
    let text = fields.text("objective", notes)?;
    if text.trim().is_empty() {
        notes.error_hint(
            node.place,
            "'objective' names none",
            "write the name of an objective as `nines sql 'FROM slos'` lists it",
        );
        return None;
    }
    Some(text.to_string())
}

/// What speaks of outages means nothing for a measure that knows no runs of bad slices.
fn needs_runs(fields: &Fields<'_>, name: &str, what: &str, measure: Option<Measure>, notes: &mut Notes<'_>) {
    let Some(measure) = measure.filter(|measure| measure.min_run().is_none()) else { return };
    if let Some(node) = fields.get(name) {
        let reason = format!("'{what}' means nothing for {}, which knows no runs of bad slices", measure.name());
        notes.error(node.place, reason);
    }
}
