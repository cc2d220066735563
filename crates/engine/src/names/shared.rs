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
                     requests as well; narrow one by service or customer if that is wrong",
                    if services.len() == 1 { "service" } else { "services" },
                    services.join(", "),
                    other.name
                ),
            ));
        }
    }
    Ok(found)
}

/// Customers and services that may be common to two agreements: those that they name, and those that are stored. A glob stands for
/// itself: it matches its own text, and so do wider ones.
async fn names(one: &Terms, other: &Terms, carried: &mut Carried<'_>) -> Result<Vec<(String, String)>> {
    let written = |lists: [&Vec<Pattern>; 2]| -> Vec<String> {
        lists.into_iter().flatten().map(|pattern| pattern.text().to_string()).collect()
    };
    let services = written([&one.services, &other.services]);
    let customers = written([&one.rows.customers, &other.rows.customers]);
    let mut names: Vec<(String, String)> = Vec::new();
    for service in services {
        names.extend(customers.iter().map(|customer| (customer.clone(), service.clone())));
        if customers.is_empty() {
            names.push((String::new(), service));
        }
    }
    if let Some(keys) = carried.keys(TableKind::Requests).await? {
        names.extend(keys.keys.iter().map(|key| (key.customer.clone(), key.service.clone())));
    }
    for batch in carried.evaluator.rows(TableKind::Fees, None, &[]).await? {
        let (customers, services) = (texts(&batch, "customer")?, texts(&batch, "service")?);
        let row = |row: usize| (customers.value(row).to_string(), services.value(row).to_string());
        names.extend((0..batch.num_rows()).map(row));
    }
    Ok(names)
}

/// The services that both cover for one customer.
fn common(one: &Terms, other: &Terms, names: &[(String, String)]) -> BTreeSet<String> {
    let covers = |terms: &Terms, customer: &str, service: &str| {
        let customers = &terms.rows.customers;
        let is_meant = customers.is_empty() || customers.iter().any(|pattern| pattern.matches(customer));
        is_meant && terms.matches_service(service)
    };
    let both =
        names.iter().filter(|(customer, service)| covers(one, customer, service) && covers(other, customer, service));
    both.map(|(_, service)| service.clone()).collect()
}
