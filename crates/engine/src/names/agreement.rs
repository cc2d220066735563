//! What of an agreement matches no stored row, and no exclusion.

use std::collections::BTreeSet;

use datafusion::error::Result;
use nines_slo::{Definitions, Each, Join, NotValid, Terms};
use nines_store::TableKind;
use nines_timeline::Grid;

use super::miss::{Miss, Of, meant};
use super::objective::{names, unknown_causes, unmatched};
use super::read::{Carried, Key};
use crate::evaluate::texts;

const TABLE: TableKind = TableKind::Requests;

/// A sentence for each name of the terms that no row of `requests` carries, and for each category that no exclusion has, if there
/// are exclusions.
pub(crate) async fn misses(terms: &Terms, carried: &mut Carried<'_>) -> Result<Vec<Miss>> {
    let mut found = categories(terms, carried);
    found.extend(plans(terms, carried).await?);
    found.extend(objectives(terms, carried));
    if !terms.judges_requests() {
        return Ok(found);
    }
    let Some(keys) = carried.keys(TABLE).await? else { return Ok(found) };
    let all: Vec<&Key> = keys.keys.iter().collect();
    let anybody = Of { rows: Vec::new(), said: "" };
    found.extend(unmatched((TABLE, "service"), &terms.services, &anybody, &all, &keys.since));
    let own: Vec<&Key> = all.into_iter().filter(|key| terms.matches_service(&key.service)).collect();
    if !own.is_empty() {
        for metric in terms.metrics().filter(|metric| metric.objective.is_none()) {
            for miss in of_metric(metric, &own, &keys.since) {
                // What several metrics name is told once.
                if found.iter().all(|known| known.text != miss.text) {
                    found.push(miss);
                }
            }
        }
    }
    carried.confirmed(found, &keys).await
}

/// Of the rows of an agreement's services, what a metric names and none carries.
fn of_metric(terms: &Terms, own: &[&Key], since: &str) -> Vec<Miss> {
    let of = Of { rows: Vec::new(), said: " of its services" };
    let mut found = Vec::new();
    let rows = &terms.rows;
    for (column, patterns) in
        [("business", &rows.businesses), ("endpoint", &rows.endpoints), ("customer", &rows.customers)]
    {
        found.extend(unmatched((TABLE, column), patterns, &of, own, since));
    }
    if let Some(Each { by, join: Join::All { of: members, .. } }) = &terms.each {
        let column = by.word();
        let known = names(own.iter().copied(), column);
        let silent = members.iter().filter(|member| !known.contains(&member.as_str()));
        found.extend(silent.map(|member| Miss::name(TABLE, (column, member), &of, &known)));
    }
    found.extend(unknown_causes(TABLE, &terms.causes, &of, own));
    for not in &terms.not_valid {
        match not {
            NotValid::Cause(cause) if own.iter().all(|key| key.cause != *cause) => {
                found.push(Miss::name(TABLE, ("cause", cause), &of, &names(own.iter().copied(), "cause")));
            }
            NotValid::Status(status) if own.iter().all(|key| !status.contains(key.status)) => {
                let text = format!("no row of requests of its services{since} has the status {status}");
                found.push(Miss { look: None, table: TABLE, text });
            }
            NotValid::Cause(_) | NotValid::Status(_) => {}
        }
    }
    found
}

/// Objectives that there are not, and those whose slices those of the agreement do not fit.
fn objectives(terms: &Terms, carried: &Carried<'_>) -> Vec<Miss> {
    let definitions = &carried.evaluator.definitions;
    let mut told = BTreeSet::new();
    for metric in terms.metrics() {
        let Some(name) = &metric.objective else { continue };
        match definitions.objectives.iter().find(|own| own.name == *name) {
            None => drop(told.insert(no_objective(name, definitions))),
            Some(objective) => {
                let newest = objective.versions.last().filter(|newest| metric.slice % newest.spec.slices.width() != 0);
                told.extend(newest.map(|newest| slices_misfit(metric, name, newest.spec.slices)));
            }
        }
    }
    told.into_iter().map(|text| Miss { look: None, table: TableKind::Definitions, text }).collect()
}

/// What is said where slices of an objective do not make up those of an agreement.
pub(crate) fn slices_misfit(terms: &Terms, objective: &str, slices: Grid) -> String {
    let seconds = |micros: i64| micros / nines_timeline::MICROS;
    let (own, width) = (seconds(terms.slice), seconds(slices.width()));
    match terms.slice % slices.width() {
        0 => format!(
            "slices of {own} s from midnight in {} are not made up by those of objective '{objective}', of {width} s, which begin at \
             other times; give the objective a calendar in this zone, or shorter slices",
            terms.time_zone
        ),
        _ => format!(
            "slices of {own} s are not made up by those of objective '{objective}', of {width} s; let them be a multiple"
        ),
    }
}

/// Why there is nothing of this name to judge by.
pub(crate) fn no_objective(name: &str, definitions: &Definitions) -> String {
    if let Some(composite) = definitions.composites.iter().find(|composite| composite.name == name) {
        let members = composite.objectives.join(", ");
        return format!("'{name}' has several objectives, and an agreement judges by one of them: {members}");
    }
    if let Some(unmeasured) = definitions.unmeasured.iter().rfind(|unmeasured| unmeasured.objective == name) {
        return format!("objective '{name}' is not measured: {}", unmeasured.why);
    }
    let known: Vec<&str> = definitions.objectives.iter().map(|own| own.name.as_str()).collect();
    format!("there is no objective '{name}' to judge by{}", meant(name, &known))
}

/// Plans that no fee has. Where no fee says of which plan it is nothing can be said.
async fn plans(terms: &Terms, carried: &Carried<'_>) -> Result<Vec<Miss>> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    if !terms.plans.is_empty() {
        for batch in carried.evaluator.rows(TableKind::Fees, None, &[]).await? {
            let plans = texts(&batch, "plan")?;
            known.extend(plans.iter().flatten().filter(|plan| !plan.is_empty()).map(str::to_string));
        }
    }
    let unknown =
        terms.plans.iter().filter(|pattern| !known.is_empty() && !known.iter().any(|plan| pattern.matches(plan)));
    let all: Vec<&str> = known.iter().map(String::as_str).collect();
    let told = unknown.map(|pattern| {
        let text = format!("no fee is of the plan '{}'{}", pattern.text(), meant(pattern.text(), &all));
        Miss { look: None, table: TableKind::Fees, text }
    });
    Ok(told.collect())
}

/// Categories that no exclusion has. Where none is recorded nothing can be said.
fn categories(terms: &Terms, carried: &Carried<'_>) -> Vec<Miss> {
    let recorded = carried.evaluator.categories_excluded();
    let known: Vec<&str> = recorded.iter().copied().collect();
    let named = terms.metrics().flat_map(|metric| &metric.exclusions).map(|clause| clause.category.as_str());
    let named: BTreeSet<&str> = named.collect();
    let unknown = named.into_iter().filter(|category| !known.is_empty() && !recorded.contains(category));
    let told = unknown.map(|category| {
        let text = format!("no exclusion is recorded in the category '{category}'{}", meant(category, &known));
        Miss { look: None, table: TableKind::Exclusions, text }
    });
    told.collect()
}
