//! Agreements under which one fee counts.

use std::collections::BTreeSet;

use datafusion::error::Result;
use nines_slo::{Agreement, AgreementVersion, Pattern, Terms};
use nines_store::TableKind;

use super::read::Carried;
use crate::evaluate::texts;

/// A sentence for each other agreement under which a fee of this version of an agreement counts, too.
pub(crate) async fn shared<'a>(
    agreement: &Agreement,
    version: &AgreementVersion,
    others: &'a [Agreement],
    carried: &mut Carried<'_>,
) -> Result<Vec<(&'a str, String)>> {
    let is_at_once = |other: &&AgreementVersion| !other.in_force.overlap(version.in_force).is_empty();
    let mut found = Vec::new();
    let others = others.iter().filter(|other| other.name != agreement.name);
    for other in others {
        let mut services: BTreeSet<String> = BTreeSet::new();
        for beside in other.versions.iter().filter(is_at_once) {
            let names = names(&version.terms, &beside.terms, carried).await?;
            services.extend(common(&version.terms, &beside.terms, &names));
        }
        if !services.is_empty() {
            let services: Vec<String> = services.iter().map(|service| format!("'{service}'")).collect();
            found.push((
                other.name.as_str(),
                format!(
                    "{} {} is under agreement {}, too: each of them credits from the whole fee of a customer, for the same \
                     requests as well; narrow one by service, customer or plan if that is wrong",
                    if services.len() == 1 { "service" } else { "services" },
                    services.join(", "),
                    other.name
                ),
            ));
        }
    }
    Ok(found)
}

/// Customer, service and plan.
type Name = [String; 3];

/// Customers, services and plans that may be common to two agreements: those that they name, and those that are stored. A glob stands for
/// itself: it matches its own text, and so do wider ones.
async fn names(one: &Terms, other: &Terms, carried: &mut Carried<'_>) -> Result<Vec<Name>> {
    let written = |lists: [&Vec<Pattern>; 2]| -> Vec<String> {
        lists.into_iter().flatten().map(|pattern| pattern.text().to_string()).collect()
    };
    let any = |names: Vec<String>| if names.is_empty() { vec![String::new()] } else { names };
    let customers = any(written([&one.rows.customers, &other.rows.customers]));
    let services = written([&one.services, &other.services]);
    let mut named: Vec<[String; 2]> = Vec::new();
    for service in services {
        named.extend(customers.iter().map(|customer| [customer.clone(), service.clone()]));
    }
    if let Some(keys) = carried.keys(TableKind::Requests).await? {
        named.extend(keys.keys.iter().map(|key| [key.customer.clone(), key.service.clone()]));
    }
    let plans = any(written([&one.plans, &other.plans]));
    let of_plans = |[customer, service]: [String; 2]| {
        plans.iter().map(move |plan| [customer.clone(), service.clone(), plan.clone()]).collect::<Vec<Name>>()
    };
    let mut names: Vec<Name> = named.into_iter().flat_map(of_plans).collect();
    for batch in carried.evaluator.rows(TableKind::Fees, None, &[]).await? {
        let columns = [texts(&batch, "customer")?, texts(&batch, "service")?, texts(&batch, "plan")?];
        let row = |row: usize| columns.each_ref().map(|column| column.value(row).to_string());
        names.extend((0..batch.num_rows()).map(row));
    }
    Ok(names)
}

/// The services that both cover for one customer.
fn common(one: &Terms, other: &Terms, names: &[Name]) -> BTreeSet<String> {
    let covers = |terms: &Terms, [customer, service, plan]: &Name| {
        let customers = &terms.rows.customers;
        let is_meant = customers.is_empty() || customers.iter().any(|pattern| pattern.matches(customer));
        is_meant && terms.matches_service(service) && terms.matches_plan(plan)
    };
    names
        .iter()
        .filter(|name| covers(one, name) && covers(other, name))
        .map(|[_, service, _]| service.clone())
        .collect()
}
