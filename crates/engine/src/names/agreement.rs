//! What of an agreement matches no stored row, and no exclusion.

use datafusion::error::Result;
use nines_slo::{NotValid, Terms};
use nines_store::TableKind;

use super::miss::{Miss, Of, meant};
use super::objective::{names, unknown_causes, unmatched};
use super::read::{Carried, Key};

const TABLE: TableKind = TableKind::Requests;

/// A sentence for each name of the terms that no row of `requests` carries, and for each category that no exclusion has, if there
/// are exclusions.
pub(crate) async fn misses(terms: &Terms, carried: &mut Carried<'_>) -> Result<Vec<Miss>> {
    let mut found = categories(terms, carried);
    let Some(keys) = carried.keys(TABLE).await? else { return Ok(found) };
    let all: Vec<&Key> = keys.keys.iter().collect();
    let anybody = Of { rows: Vec::new(), said: "" };
    found.extend(unmatched((TABLE, "service"), &terms.services, &anybody, &all, &keys.since));
    let own: Vec<&Key> = all.into_iter().filter(|key| terms.matches_service(&key.service)).collect();
    if !own.is_empty() {
        let of = Of { rows: Vec::new(), said: " of its services" };
        let rows = &terms.rows;
        for (column, patterns) in
            [("business", &rows.businesses), ("endpoint", &rows.endpoints), ("customer", &rows.customers)]
        {
            found.extend(unmatched((TABLE, column), patterns, &of, &own, &keys.since));
        }
        found.extend(unknown_causes(TABLE, &terms.causes, &of, &own));
        for not in &terms.not_valid {
            match not {
                NotValid::Cause(cause) if own.iter().all(|key| key.cause != *cause) => {
                    found.push(Miss::name(TABLE, ("cause", cause), &of, &names(own.iter().copied(), "cause")));
                }
                NotValid::Status(status) if own.iter().all(|key| !status.contains(key.status)) => {
                    let text = format!("no row of requests of its services{} has the status {status}", keys.since);
                    found.push(Miss { look: None, table: TABLE, text });
                }
                NotValid::Cause(_) | NotValid::Status(_) => {}
            }
        }
    }
    carried.confirmed(found, &keys).await
}

/// Categories that no exclusion has. Where none is recorded nothing can be said.
fn categories(terms: &Terms, carried: &Carried<'_>) -> Vec<Miss> {
    let recorded = carried.evaluator.categories_excluded();
    let known: Vec<&str> = recorded.iter().copied().collect();
    let named = terms.exclusions.iter().map(|clause| clause.category.as_str());
    let unknown = named.filter(|category| !known.is_empty() && !recorded.contains(category));
    let told = unknown.map(|category| {
        let text = format!("no exclusion is recorded in the category '{category}'{}", meant(category, &known));
        Miss { look: None, table: TableKind::Exclusions, text }
    });
    told.collect()
}
