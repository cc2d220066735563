//! Limits of latencies that somebody agreed on: requests within them are counted exactly, beside the histogram.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nines_timeline::histogram::{bucket, upper_bound};

use crate::latency::CountsLe;

/// The limits that are agreed for the requests of each service, in microseconds, as far as no histogram counts them exactly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgreedLimits {
    /// Those of any service.
    everywhere: BTreeSet<i64>,
    by_service: BTreeMap<String, BTreeSet<i64>>,
}

impl AgreedLimits {
    /// Adds the limit of a service, or of all services.
    pub fn agree(&mut self, service: Option<&str>, micros: i64) {
        if is_bound(micros) {
            return;
        }
        match service {
            None => drop(self.everywhere.insert(micros)),
            Some(service) => drop(self.by_service.entry(service.to_string()).or_default().insert(micros)),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.everywhere.is_empty() && self.by_service.is_empty()
    }

    /// Those that were not agreed before, with their service; `None`: of all services.
    pub fn added_since<'a>(&'a self, before: &'a Self) -> impl Iterator<Item = (Option<&'a str>, i64)> {
        let everywhere = self.everywhere.difference(&before.everywhere).map(|&micros| (None, micros));
        let own =
            self.by_service.iter().flat_map(|(service, own)| own.iter().map(move |&micros| (service.as_str(), micros)));
        let new = own.filter(|(service, micros)| {
            let known = before.by_service.get(*service).is_some_and(|known| known.contains(micros));
            !known && !before.everywhere.contains(micros) && !self.everywhere.contains(micros)
        });
        everywhere.chain(new.map(|(service, micros)| (Some(service), micros)))
    }

    /// Those of a service, ascending; `None` if it has none.
    pub fn of(&self, service: &str) -> Option<Arc<[i64]>> {
        let own = self.by_service.get(service);
        let all: BTreeSet<i64> = self.everywhere.iter().chain(own.into_iter().flatten()).copied().collect();
        (!all.is_empty()).then(|| all.into_iter().collect())
    }
}

/// Whether a limit is the bound of a bucket, so that a histogram counts it exactly.
fn is_bound(micros: i64) -> bool {
    let seconds = seconds(micros);
    bucket(seconds).is_some_and(|bucket| upper_bound(bucket) == seconds)
}

/// A limit in seconds, as latencies are compared with it.
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// Requests within limits, each of which took a known time.
#[derive(Debug)]
pub(crate) struct Within {
    limits: Arc<[i64]>,
    counts: Vec<i64>,
}

impl Within {
    /// None counted yet.
    pub fn of(limits: &Arc<[i64]>) -> Self {
        Self { limits: Arc::clone(limits), counts: vec![0; limits.len()] }
    }

    /// Counts requests that took so long. There are no more of them than 64 bits hold.
    pub fn add(&mut self, taken: f64, requests: i64) {
        for (&limit, count) in self.limits.iter().zip(&mut self.counts) {
            if taken <= seconds(limit) {
                *count += requests;
            }
        }
    }

    /// As they are stored.
    pub fn counts(&self) -> CountsLe {
        self.limits.iter().copied().zip(self.counts.iter().copied()).collect()
    }

    pub fn bytes(&self) -> usize {
        self.counts.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_a_service_and_of_all() {
        let mut agreed = AgreedLimits::default();
        assert!(agreed.is_empty() && agreed.of("web").is_none());
        agreed.agree(Some("web"), 300_000);
        agreed.agree(None, 270_000);
        // A bound of a bucket.
        agreed.agree(Some("web"), 500_000);
        assert_eq!(agreed.of("web").as_deref(), Some(&[270_000, 300_000][..]));
        assert_eq!(agreed.of("api").as_deref(), Some(&[270_000][..]));
        let mut later = agreed.clone();
        for service in ["api", "web"] {
            // That of all services is not new for one.
            [270_000, 300_000, 400_000].into_iter().for_each(|micros| later.agree(Some(service), micros));
        }
        let added: Vec<_> = later.added_since(&agreed).collect();
        assert_eq!(added, [(Some("api"), 300_000), (Some("api"), 400_000), (Some("web"), 400_000)]);
        let mut within = Within::of(&agreed.of("web").unwrap());
        for taken in [0.0, 0.27, 0.270_000_1, 0.3, 0.300_000_1, 7.0] {
            within.add(taken, 2);
        }
        assert_eq!(within.counts(), [(270_000, 4), (300_000, 8)]);
    }
}
