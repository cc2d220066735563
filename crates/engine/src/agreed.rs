//! Limits of latencies that definitions agree on: what is ingested counts the requests within them exactly.

use chrono::DateTime;
use nines_ingest::AgreedLimits;
use nines_slo::{Definitions, Indicator, Limit};

use crate::evaluate::latency;

/// New limits that are named one by one.
const MOST_SAID: usize = 8;

/// The limits of all versions that are recorded: what is ingested may be of the time of any.
pub(crate) fn limits(definitions: &Definitions) -> AgreedLimits {
    let mut limits = AgreedLimits::default();
    for version in definitions.objectives.iter().flat_map(|objective| &objective.versions) {
        if let Indicator::Latency { limit: Limit::Micros(micros), .. } = version.spec.indicator {
            limits.agree(Some(&version.spec.service), micros);
        }
    }
    for terms in definitions.agreements.iter().flat_map(|agreement| &agreement.versions).map(|version| &version.terms) {
        for micros in terms.metrics().filter_map(|metric| metric.failed.as_ref()?.slower_than) {
            terms.services.iter().for_each(|service| limits.agree(service.exact(), micros));
        }
    }
    limits
}

/// From when the limits that are new are exact; `None` if none is new. `stored_until` is the end of the newest slice of requests,
/// if there is any.
pub(crate) fn said(before: &AgreedLimits, now: &AgreedLimits, stored_until: Option<i64>) -> Option<String> {
    let new = now.added_since(before).map(|(service, micros)| {
        let of = service.map_or_else(|| "of all services".to_string(), |service| format!("of {service:?}"));
        format!("{of} within {}", latency(micros))
    });
    let mut new: Vec<String> = new.collect();
    let more = new.split_off(new.len().min(MOST_SAID)).len();
    if more > 0 {
        new.push(format!("and {more} more such limits"));
    }
    let until = stored_until.and_then(DateTime::from_timestamp_micros);
    let stored = until.map(|until| {
        format!(
            ". Rows that are stored already (until {}) keep what they hold: figures over histograms alone carry ≈ where these cannot \
             tell, until the files with the single requests are ingested again with --replace",
            until.format("%Y-%m-%d %H:%MZ")
        )
    });
    (!new.is_empty()).then(|| {
        let (new, stored) = (new.join(", "), stored.unwrap_or_default());
        format!(
            "requests {new} are counted exactly from when this is recorded, where they are ingested one by one{stored}"
        )
    })
}
