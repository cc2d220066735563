//! Limits of latencies that definitions agree on: what is ingested counts the requests within them exactly.

use std::collections::BTreeSet;

use nines_ingest::{AgreedLimits, is_bound};
use nines_slo::{Change, Definitions, Indicator, Limit, ObjectKind, What};

/// A limit, and whose requests it is for; `None`: those of any service.
type Agreed<'a> = (Option<&'a str>, i64);

/// The limits of all versions that are recorded: what is ingested may be of the time of any.
pub(crate) fn limits(definitions: &Definitions) -> AgreedLimits {
    let mut limits = AgreedLimits::default();
    all(definitions).for_each(|(_, _, (service, micros))| limits.agree(service, micros));
    limits
}

/// Each with the kind and the name of what agrees on it.
fn all(definitions: &Definitions) -> impl Iterator<Item = (ObjectKind, &str, Agreed<'_>)> {
    let objectives = definitions.objectives.iter().flat_map(|objective| {
        objective.versions.iter().filter_map(|version| match &version.spec.indicator {
            Indicator::Latency { limit: Limit::Micros(micros), .. } => {
                Some((ObjectKind::Slo, objective.name.as_str(), (Some(version.spec.service.as_str()), *micros)))
            }
            _ => None,
        })
    });
    let agreements = definitions.agreements.iter().flat_map(|agreement| {
        let terms = agreement.versions.iter().flat_map(|version| {
            let limit = |terms: &nines_slo::Terms| terms.failed.as_ref()?.slower_than;
            version.terms.metrics().filter_map(move |metric| Some((&version.terms.services, limit(metric)?)))
        });
        let each = terms.flat_map(|(services, micros)| services.iter().map(move |service| (service.exact(), micros)));
        each.map(|agreed| (ObjectKind::Agreement, agreement.name.as_str(), agreed))
    });
    objectives.chain(agreements)
}

/// What is to be said of limits that changes bring: what is stored already does not count them exactly.
pub(crate) fn said(changes: &[Change], definitions: &Definitions) -> Vec<String> {
    let is_new = |kind: ObjectKind, name: &str| {
        changes
            .iter()
            .any(|change| change.what != What::Unchanged && change.stored.kind == kind && change.stored.name == name)
    };
    let known: BTreeSet<Agreed<'_>> =
        all(definitions).filter(|(kind, name, _)| !is_new(*kind, name)).map(|(.., agreed)| agreed).collect();
    let new: BTreeSet<Agreed<'_>> =
        all(definitions).filter(|(kind, name, _)| is_new(*kind, name)).map(|(.., agreed)| agreed).collect();
    let said = new.difference(&known).filter(|(_, micros)| !is_bound(*micros)).map(|(service, micros)| {
        let of = service.map_or_else(String::new, |service| format!(" of {service}"));
        format!(
            "requests{of} within {} are counted exactly in what is ingested from now on; where stored rows hold a histogram \
             alone, figures carry ≈. Raw files can be ingested again with --replace",
            nines_slo::length(*micros)
        )
    });
    said.collect()
}
