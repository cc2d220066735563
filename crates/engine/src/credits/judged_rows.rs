//! Which rows agreements judge: requests, or those that objectives count.

use std::collections::BTreeSet;

use nines_slo::{Definitions, Indicator, Spec, Terms};
use nines_store::TableKind;

use crate::evaluate::DAY;
use crate::names;

/// The objectives by which terms judge, as they are recorded now: all of their versions.
pub(super) fn specs<'a>(terms: &'a Terms, definitions: &'a Definitions) -> impl Iterator<Item = &'a Spec> {
    let named = definitions.objectives.iter().filter(|own| terms.objectives().any(|name| name == own.name));
    named.flat_map(|objective| &objective.versions).map(|version| version.spec.as_ref())
}

/// The tables whose rows terms judge.
pub(crate) fn tables(terms: &Terms, definitions: &Definitions) -> BTreeSet<TableKind> {
    let own = terms.judges_requests().then_some(TableKind::Requests);
    own.into_iter().chain(specs(terms, definitions).filter_map(|spec| names::objective::table(spec).ok())).collect()
}

/// How long before what is judged rows of a table decide, in µs, where objectives hold samples or take limits from the month before.
pub(crate) fn lead_in(terms: &Terms, definitions: &Definitions, table: TableKind) -> i64 {
    let own = specs(terms, definitions).filter(|spec| names::objective::table(spec).is_ok_and(|own| own == table));
    own.map(lead_in_of).max().unwrap_or_default()
}

/// The same of one objective.
pub(super) fn lead_in_of(spec: &Spec) -> i64 {
    match &spec.indicator {
        Indicator::Gauge { hold: Some(hold), .. } => hold.0,
        // From the beginning of the month before.
        indicator if indicator.baseline().is_some() => 2 * MONTH,
        _ => 0,
    }
}

/// The longest month, in µs.
const MONTH: i64 = 31 * DAY;
