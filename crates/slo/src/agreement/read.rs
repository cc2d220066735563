//! The `spec` of an agreement.

use std::sync::Arc;

use chrono_tz::Tz;

use crate::agreement::exclusions::exclusions;
use crate::agreement::terms::{ExcludedTime, Terms};
use crate::agreement::tiers::{cap, tiers};
use crate::agreement::{Draft, clauses};
use crate::duration;
use crate::fields::{self, Fields};
use crate::indicators::{causes, party, patterns};
use crate::metadata::Metadata;
use crate::mistake::Notes;
use crate::objective::Party;
use crate::pattern::{Pattern, RowFilter};
use crate::yaml::{Node, Value};

const FIELDS: &[&str] = &[
    "description",
    "service",
    "business",
    "endpoint",
    "customer",
    "party",
    "causes",
    "valid",
    "period",
    "slice",
    "measure",
    "bad",
    "minRequests",
    "minRun",
    "commitment",
    "credits",
    "cap",
    "minPayout",
    "claimWithin",
    "exclusions",
    "excludedTime",
    "fees",
    "lostTelemetry",
];

/// Reads an agreement and from when it is effective.
pub(crate) fn read(metadata: &Metadata<'_>, spec: &Node, notes: &mut Notes<'_>) -> Option<(Draft, Option<i64>)> {
    let before = notes.errors.len();
    let fields = Fields::read(spec, "the agreement's spec", FIELDS, notes)?;
    let description = fields.text("description", notes).map(str::to_string);
    let services = services(&fields, notes);
    let rows = RowFilter {
        businesses: patterns(&fields, "business", notes),
        endpoints: patterns(&fields, "endpoint", notes),
        customers: patterns(&fields, "customer", notes),
    };
    let party = party(&fields, notes).unwrap_or(Party::Service);
    let causes = causes(&fields, notes);
    let not_valid = clauses::not_valid(&fields, notes);
    let period = clauses::period(&fields, notes);
    let slice_at = fields.need("slice", notes).map(|node| node.place);
    let slice = slice_at.and_then(|_| fields.parse("slice", notes, duration::slice));
    let measure = clauses::measure(&fields, notes);
    let min_requests = clauses::min_requests(&fields, notes);
    let commitment = fields.need("commitment", notes).and_then(|node| fields::share(node, "commitment", notes));
    let tiers = tiers(&fields, commitment, notes);
    let cap = cap(&fields, notes);
    let min_payout = clauses::min_payout(&fields, notes);
    let claim_within = clauses::claim_within(&fields, notes);
    let exclusions = exclusions(&fields, notes);
    let words = [("removed", ExcludedTime::Removed), ("errorFree", ExcludedTime::ErrorFree)];
    let excluded_time = fields.word("excludedTime", &words, notes).unwrap_or(ExcludedTime::ErrorFree);
    let exclude_vouchers = clauses::exclude_vouchers(&fields, notes);
    let lost_telemetry = clauses::lost_telemetry(&fields, notes);
    let owner = metadata.owner(notes);
    let (from, until) = metadata.effective(period.map_or(Tz::UTC, |(_, zone)| zone), notes);
    if notes.errors.len() > before {
        return None;
    }
    let (months, time_zone) = period?;
    let terms = Terms {
        display_name: metadata.display_name.map(str::to_string),
        description,
        owner,
        services: services?,
        rows,
        party,
        causes,
        not_valid,
        months,
        time_zone,
        slice: slice?,
        measure: measure?,
        min_requests,
        commitment: commitment?,
        tiers: tiers?,
        cap,
        min_payout,
        exclusions,
        excluded_time,
        exclude_vouchers,
        lost_telemetry,
        claim_within,
    };
    Some((Draft { terms: Arc::new(terms), until, slice_at: slice_at? }, from))
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
