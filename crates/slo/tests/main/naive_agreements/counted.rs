//! Which requests are valid, which fail, and whose they are: slot by slot, from what the agreement says.

use super::drawn::{
    BUSINESSES, CAUSES, CHARGED, Case, ENDPOINTS, Each, FAILED, FAILED_CAUSES, Fails, LATENCIES, LIMITS, Metric,
    NARROWED, NOT_VALID, Requests, STATUSES,
};

/// Of each slot the valid and the failed requests.
pub type Counted = Vec<(i64, i64)>;

/// What is charged to whom without further words.
const SHIPPED: [(&str, &str); 3] =
    [("upstream_timeout", "service"), ("auth_timeout", "gateway"), ("rate_limited", "nobody")];

impl Requests {
    fn status(&self) -> i32 {
        STATUSES[self.status]
    }

    fn cause(&self) -> &'static str {
        CAUSES[self.cause]
    }

    /// Whether they took longer than a limit, as far as what is stored of their latency says so: for sure, or at all.
    fn slower(&self, limit: usize, surely: bool) -> bool {
        let Some(took) = LATENCIES[self.latency] else { return false };
        let (limit, took) = (LIMITS[limit] as f64, took as f64);
        if limit == LIMITS[0] as f64 {
            return took > limit;
        }
        // Thirty-two buckets between a second and two, and so on; each with its upper bound.
        let bucket = ((took / 1e6).log2() * 32.0).ceil();
        let bound = |bucket: f64| (bucket / 32.0).exp2() * 1e6;
        if surely { bound(bucket - 1.0) >= limit } else { bound(bucket) > limit }
    }
}

impl Metric {
    fn is_valid(&self, requests: &Requests) -> bool {
        let narrowed = self.narrowed.is_none_or(|narrowed| NARROWED[narrowed].1.contains(&requests.endpoint));
        let excepted = self.not_valid.is_some_and(|not_valid| {
            let (_, statuses, causes) = NOT_VALID[not_valid];
            within(statuses, requests.status()) || causes.contains(&requests.cause())
        });
        narrowed && !excepted
    }

    fn fails(&self, requests: &Requests, surely: bool) -> bool {
        let (status, cause) = (requests.status(), requests.cause());
        match self.fails {
            Fails::Named { statuses, causes, slower } => {
                within(FAILED[statuses].1, status)
                    || FAILED_CAUSES[causes].contains(&cause)
                    || slower.is_some_and(|limit| requests.slower(limit, surely))
            }
            Fails::Charged { gateway, causes } => {
                let of_cause =
                    |own: &[(&str, &'static str)]| own.iter().find(|(key, _)| *key == cause).map(|(_, to)| *to);
                // From the single status to its class.
                let written = [status.to_string(), format!("{}xx", status / 100)];
                let of_status = written.iter().find_map(|text| CHARGED[causes].iter().find(|(key, _)| key == text));
                let server = (500..600).contains(&status).then_some("service");
                let to = of_cause(CHARGED[causes])
                    .or_else(|| of_cause(&SHIPPED))
                    .or(of_status.map(|(_, to)| *to))
                    .or(server);
                to == Some(if gateway { "gateway" } else { "service" })
            }
        }
    }

    fn member(&self, requests: &Requests) -> &'static str {
        if self.by_business { BUSINESSES[requests.business] } else { ENDPOINTS[requests.endpoint] }
    }

    /// What is counted, by member where they are told apart; those without a valid request are not there.
    pub fn counted(&self, case: &Case, surely: bool) -> Vec<(&'static str, Counted)> {
        let nothing = || vec![(0, 0); case.slots.len()];
        if let Some(width) = self.objective {
            let (mut counted, width) = (nothing(), (width / case.slots.width) as usize);
            for &(from, long, valid, failed) in &case.events {
                let begins = |slot: usize| {
                    (slot as i64 - case.slots.at(case.period()[0].0) as i64).rem_euclid(width as i64) == 0
                };
                let first = (from..).find(|slot| begins(*slot)).unwrap();
                for slot in (first..case.slots.len()).step_by(width).take(long) {
                    counted[slot] = (counted[slot].0 + valid, counted[slot].1 + failed);
                }
            }
            return vec![("", counted)];
        }
        let mut found: Vec<(&'static str, Counted)> = Vec::new();
        for requests in case.requests.iter().filter(|requests| self.is_valid(requests)) {
            let name = if matches!(self.each, Each::No | Each::Sum) { "" } else { self.member(requests) };
            if matches!(self.each, Each::All { .. }) && !self.all().contains(&name) {
                continue;
            }
            let at = found.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                found.push((name, nothing()));
                found.len() - 1
            });
            let failed = if self.fails(requests, surely) { requests.number } else { 0 };
            for own in found[at].1.iter_mut().skip(requests.from).take(requests.long) {
                *own = (own.0 + requests.number, own.1 + failed);
            }
        }
        found.sort_by_key(|(name, _)| *name);
        found
    }
}

fn within(statuses: &[(i32, i32)], status: i32) -> bool {
    statuses.iter().any(|(first, last)| *first <= status && status <= *last)
}
