//! What of an objective matches no stored row.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::error::Result;
use nines_slo::{Causes, Indicator, Pattern, Spec, Statuses};
use nines_store::{TableKind, labels_of};

use super::miss::{Miss, Of, meant};
use super::read::{Carried, Key, Keys};
use crate::evaluate::raw;

/// A sentence for each name that no row carries of those that the objective is about.
pub(crate) async fn misses(spec: &Spec, carried: &mut Carried<'_>) -> Result<Vec<Miss>> {
    let table = table(spec)?;
    let Some(keys) = carried.keys(table).await? else { return Ok(Vec::new()) };
    let found = of_keys(spec, table, &keys);
    carried.confirmed(found, &keys).await
}

/// Whose rows an objective counts.
pub(crate) fn table(spec: &Spec) -> Result<TableKind> {
    Ok(match &spec.indicator {
        Indicator::Availability { .. } | Indicator::Latency { .. } => TableKind::Requests,
        Indicator::Events { .. } => TableKind::Events,
        Indicator::Gauge { .. } => TableKind::Gauges,
        Indicator::Sql(sql) => raw(&sql.from)?,
    })
}

fn of_keys(spec: &Spec, table: TableKind, keys: &Keys) -> Vec<Miss> {
    let own: Vec<&Key> = keys.keys.iter().filter(|key| key.service == spec.service).collect();
    if own.is_empty() {
        let known = names(keys.keys.iter(), "service");
        return vec![Miss::name(table, ("service", &spec.service), &Of { rows: Vec::new(), said: "" }, &known)];
    }
    let said = format!(" of service '{}'", spec.service);
    let of = Of { rows: vec![("service", spec.service.clone())], said: &said };
    let mut found = Vec::new();
    for (column, patterns) in
        [("business", &spec.rows.businesses), ("endpoint", &spec.rows.endpoints), ("customer", &spec.rows.customers)]
    {
        found.extend(unmatched((table, column), patterns, &of, &own, &keys.since));
    }
    found.extend(labels(spec, table, &of, &own, &keys.since));
    let name = match &spec.indicator {
        Indicator::Events { name } | Indicator::Gauge { name, .. } => Some(name),
        Indicator::Availability { .. } | Indicator::Latency { .. } | Indicator::Sql(_) => None,
    };
    if let Some(name) = name.filter(|name| own.iter().all(|key| key.name != **name)) {
        found.push(Miss::name(table, ("name", name), &of, &names(own.iter().copied(), "name")));
    }
    let status = match &spec.indicator {
        Indicator::Availability { causes, .. } => {
            found.extend(unknown_causes(table, causes, &of, &own));
            Some((200..300, "2xx"))
        }
        Indicator::Latency { .. } => Some((100..400, "1xx to 3xx")),
        Indicator::Events { .. } | Indicator::Gauge { .. } | Indicator::Sql(_) => None,
    };
    if let Some((range, class)) = status
        && own.iter().all(|key| !range.contains(&key.status))
    {
        let text = format!(
            "no row of {}{said}{} has a status of {class}, which the indicator counts",
            table.name(),
            keys.since
        );
        found.push(Miss { look: None, table, text });
    }
    found
}

/// Values of labels that no row carries.
fn labels(spec: &Spec, table: TableKind, of: &Of<'_>, own: &[&Key], since: &str) -> Vec<Miss> {
    let wanted = &spec.rows.labels;
    if wanted.is_empty() {
        return Vec::new();
    }
    let carried: BTreeSet<&str> = own.iter().map(|key| key.labels.as_str()).collect();
    // What is stored is such an object.
    let carried: Vec<BTreeMap<String, String>> = carried.into_iter().map(labels_of).collect();
    let mut found = Vec::new();
    for (label, values) in wanted {
        let known: BTreeSet<&str> = carried.iter().filter_map(|labels| labels.get(label)).map(String::as_str).collect();
        let known: Vec<&str> = known.into_iter().collect();
        for value in values.iter().filter(|value| !known.iter().any(|known| value.matches(known))) {
            let (rows, said, value) = (table.name(), of.said, value.text());
            let text =
                format!("no row of {rows}{said}{since} has the label {label} = '{value}'{}", meant(value, &known));
            found.push(Miss { look: None, table, text });
        }
    }
    found
}

/// Causes that the definition charges to somebody and that do not ship with Nines.
pub(super) fn unknown_causes(table: TableKind, causes: &Causes, of: &Of<'_>, own: &[&Key]) -> Vec<Miss> {
    let shipped = Causes::default();
    let named = causes.0.keys().filter(|cause| !shipped.0.contains_key(*cause));
    let carries = |key: &Key, text: &str, statuses: Option<Statuses>| {
        key.cause == text || statuses.is_some_and(|statuses| statuses.contains(key.status))
    };
    let unknown = named.filter(|cause| {
        let statuses = Statuses::of(cause);
        !own.iter().any(|key| carries(key, cause, statuses))
    });
    unknown.map(|cause| Miss::name(table, ("cause", cause), of, &names(own.iter().copied(), "cause"))).collect()
}

/// Patterns that match none of the keys.
pub(super) fn unmatched(
    (table, column): (TableKind, &'static str),
    patterns: &[Pattern],
    of: &Of<'_>,
    own: &[&Key],
    since: &str,
) -> Vec<Miss> {
    let without = patterns.iter().filter(|pattern| !own.iter().any(|key| pattern.matches(key.text(column))));
    let known = names(own.iter().copied(), column);
    let told = without.map(|pattern| match pattern.exact() {
        Some(name) => Miss::name(table, (column, name), of, &known),
        None => Miss::glob(table, (column, pattern.text()), of, &known, since),
    });
    told.collect()
}

/// The different names in a column, none of them empty.
pub(super) fn names<'k>(keys: impl Iterator<Item = &'k Key>, column: &str) -> Vec<&'k str> {
    let mut names: Vec<&str> = keys.map(|key| key.text(column)).filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
