//! The same through the crate, as the engine goes about it: rows are counted into pieces of slices, of each metric and member.

use std::collections::BTreeMap;

use nines_recurrence::Recurrence;
use nines_slo::{
    Agreement, Bounds, Charge, Compacted, Counts, Covered, Credit, Credited, Each, EachBy, Evidence, Excluded, Fee,
    Join, MonthFee, Part, Party, Terms, bounds, credit,
};
use nines_timeline::{Interval, histogram};

use super::drawn::{
    BUSINESSES, CATEGORIES, CAUSES, Cap, Case, ENDPOINTS, LATENCIES, LIMITS, PLANS, Requests, STATUSES, TICK, TICKS,
};
use crate::credits::MINUTE;
use crate::naive::in_parts;

/// Whose failure it is, as the engine reads causes and statuses.
fn is_charged(terms: &Terms, cause: &str, status: i32) -> bool {
    let to = terms.causes.charge(cause, status).or((500..600).contains(&status).then_some(Charge::Service));
    to == Some(if terms.party == Party::Service { Charge::Service } else { Charge::Gateway })
}

/// Whether requests took longer than a limit (µs), of which exact counts are stored or the bucket alone.
fn is_slower(requests: &Requests, limit: i64, surely: bool) -> bool {
    let Some(took) = LATENCIES[requests.latency] else { return false };
    if limit == LIMITS[0] {
        return took > limit;
    }
    let [own, of_limit] = [took, limit].map(|micros| histogram::bucket(micros as f64 / 1e6).unwrap());
    let is_bound = histogram::upper_bound(of_limit) == limit as f64 / 1e6;
    own > of_limit || own == of_limit && !is_bound && !surely
}

impl Case {
    /// The time in which the customer was there, and what was paid for it.
    fn paid_for(&self, terms: &Terms) -> (Vec<Interval>, Fee) {
        let agreed = self.paid.iter().filter(|paid| terms.matches_plan(PLANS[paid.plan]));
        let mut fee = Fee { currency: self.currency().1.into(), amount: 0, vouchers: 0 };
        let mut active = Vec::new();
        for paid in agreed {
            (fee.amount, fee.vouchers) = (fee.amount + paid.amount, fee.vouchers + paid.vouchers);
            let at = |minute: Option<i64>, none| minute.map_or(none, |minute| minute * MINUTE);
            active.push(Interval::new(at(paid.from, i64::MIN), at(paid.until, i64::MAX)));
        }
        (active, fee)
    }

    /// Exclusions that were recorded, and the occurrences of those that recur.
    fn recorded_exclusions(&self) -> Vec<Excluded> {
        let own = self.exclusions.iter().enumerate().map(|(at, own)| Excluded {
            id: format!("x{at}"),
            category: CATEGORIES[own.category].into(),
            interval: Interval::new(own.from * TICK, own.until * TICK),
            announced: own.announced.map(|tick| tick * TICK),
        });
        let mut found: Vec<Excluded> = own.collect();
        if let Some((weekly, category, announced)) = &self.weekly {
            let (first, until) =
                (weekly.begins().map(|minute| minute * MINUTE), weekly.until.map(|until| until * MINUTE));
            let recurrence = Recurrence::new(&weekly.rule(), weekly.zone.name(), first, until).unwrap();
            let horizon = self.slots.minute(self.slots.len() - 1) * MINUTE;
            found.extend(recurrence.before(horizon).map(|occurrence| Excluded {
                id: occurrence.id("weekly"),
                category: CATEGORIES[*category].into(),
                interval: occurrence.interval,
                announced: announced.map(|tick| tick * TICK),
            }));
        }
        found
    }

    /// What was paid for each month of a period of days.
    fn month_fees(&self) -> Vec<MonthFee> {
        let at = |minute: Option<i64>, none| minute.map_or(none, |minute| minute * MINUTE);
        let months = self.of_months().into_iter().map(|paid| MonthFee {
            month: format!("{:04}-{:02}", paid.month.div_euclid(12), paid.month.rem_euclid(12) + 1).parse().unwrap(),
            amount: paid.amount,
            vouchers: paid.vouchers,
            active: Interval::new(at(paid.from, i64::MIN), at(paid.until, i64::MAX)),
        });
        if self.days.is_some() { months.collect() } else { Vec::new() }
    }

    fn bare(&self, active: Vec<Interval>, mut fee: Fee) -> Evidence {
        let month_fees = self.month_fees();
        if self.days.is_some() {
            fee.amount = month_fees.iter().map(|own| own.amount).sum();
            fee.vouchers = month_fees.iter().map(|own| own.vouchers).sum();
        }
        let least = 10i128.pow(6 - self.currency().0);
        let currency = self.currency().1.into();
        let period = "2025-12".parse().unwrap();
        let credited = Credited { period, amount: self.before * least, currency };
        Evidence {
            stored_slice: Some(self.slots.width * MINUTE),
            exclusions: self.recorded_exclusions(),
            lost: self.lost.iter().map(|(from, until)| Interval::new(from * TICK, until * TICK)).collect(),
            active,
            fee: Some(fee),
            month_fees,
            credited: (!matches!(self.cap_of_year, Cap::None)).then_some(credited).into_iter().collect(),
            ..Evidence::default()
        }
    }

    /// What is counted of a metric, by member.
    fn counts(&self, covered: &Covered<'_>, bare: &Evidence, surely: bool) -> BTreeMap<&'static str, Vec<Counts>> {
        let (terms, pieces) = (covered.terms, covered.pieces(bare).unwrap());
        let mut found: BTreeMap<&'static str, BTreeMap<i64, Counts>> = BTreeMap::new();
        let mut add = |member, slot: usize, valid: i64, failed: i64| {
            let start = pieces.start_of(self.slots.minute(slot) * MINUTE);
            let own = found.entry(member).or_default().entry(start).or_insert(Counts { start, valid: 0, failed: 0 });
            (own.valid, own.failed) = (own.valid + valid, own.failed + failed);
        };
        if terms.objective.is_some() {
            let width = self.metrics.iter().find_map(|metric| metric.objective).unwrap() / self.slots.width;
            for &(from, long, valid, failed) in &self.events {
                let grid = covered.grid();
                let start = (from..).find(|slot| {
                    let at = self.slots.minute(*slot) * MINUTE;
                    (at - grid.start_of(at)) % (width * self.slots.width * MINUTE) == 0
                });
                let slots = (start.unwrap()..self.slots.len()).step_by(width as usize).take(long);
                slots.for_each(|slot| add("", slot, valid, failed));
            }
        }
        for requests in self.requests.iter().filter(|_| terms.objective.is_none()) {
            let (status, cause) = (STATUSES[requests.status], CAUSES[requests.cause]);
            if !terms.rows.matches(ENDPOINTS[requests.endpoint], "c", "") || !terms.is_valid(status, cause) {
                continue;
            }
            let failed = match &terms.failed {
                None => is_charged(terms, cause, status),
                Some(failed) => {
                    let slower = failed.slower_than.is_some_and(|limit| is_slower(requests, limit, surely));
                    failed.hold(status, cause) || slower
                }
            };
            let member = match terms.each.as_ref().map(|each| each.by) {
                None => "",
                Some(EachBy::Endpoint) => ENDPOINTS[requests.endpoint],
                Some(EachBy::Business) => BUSINESSES[requests.business],
            };
            for slot in (requests.from..self.slots.len()).take(requests.long) {
                add(member, slot, requests.number, if failed { requests.number } else { 0 });
            }
        }
        found.into_iter().map(|(member, counts)| (member, counts.into_values().collect())).collect()
    }

    /// Evidence of all metrics.
    fn evidence(&self, covered: &Covered<'_>, bare: &Evidence, surely: bool) -> Evidence {
        let mut evidence = bare.clone();
        for (metric, own) in covered.metrics().iter().enumerate() {
            let mut members = self.counts(own, bare, surely);
            if let Some(Each { join: Join::Any | Join::All { .. }, .. }) = &own.terms.each {
                let all: Vec<(&str, &[Counts])> = members.iter().map(|(name, own)| (*name, own.as_slice())).collect();
                members = BTreeMap::from([("", own.compactor(bare).unwrap().joined(own, &all).unwrap())]);
            }
            for (member, slices) in members {
                evidence.parts.push(Part { metric, member: member.into(), slices, ..Part::default() });
            }
        }
        if !covered.terms.has_parts() {
            evidence.slices = std::mem::take(&mut evidence.parts).pop().unwrap_or_default().slices;
        }
        evidence
    }

    /// The credit and its bounds, with what is slower for sure alone if that is asked; `None` where nothing is judged.
    pub fn real(&self, agreement: &Agreement, surely: bool) -> Option<(Credit, Bounds)> {
        let (active, fee) = self.paid_for(&agreement.versions[0].terms);
        let hull = Interval::new(active.first()?.start, active.last()?.end);
        let covered = agreement.covered(self.name().parse().unwrap(), hull, nines_slo::Rules::CURRENT)?;
        let bare = self.bare(active, fee);
        let evidence = self.evidence(&covered, &bare, surely);
        let found = credit(&covered, &evidence).unwrap();
        let (compacted, measured) = evidence.clone().compacted(&covered).unwrap();
        assert_eq!(credit(&covered, &compacted).unwrap(), found, "from what a statement keeps");
        if !surely {
            self.check_parts(&covered, &evidence, &compacted);
        }
        let bounds = bounds(&covered, &compacted, &found, &measured).unwrap();
        Some((found, bounds))
    }

    /// What is kept does not depend on how days are counted one after the other.
    fn check_parts(&self, covered: &Covered<'_>, evidence: &Evidence, compacted: &Evidence) {
        let metrics = covered.metrics();
        let half = self.slots.minute(self.slots.len() / 2) * MINUTE;
        let check = |metric: usize, counts: &[Counts], kept: &[Counts]| {
            let slices = metrics[metric].pieces(evidence).unwrap().slices();
            let (early, late) = counts.split_at(counts.partition_point(|own| slices.start_of(own.start) < half));
            let Compacted { slices, .. } = in_parts(&metrics[metric], evidence, &[early, late]);
            assert_eq!(slices, kept, "day after day");
        };
        match covered.terms.has_parts() {
            false => check(0, &evidence.slices, &compacted.slices),
            true => evidence
                .parts
                .iter()
                .zip(&compacted.parts)
                .for_each(|(own, kept)| check(own.metric, &own.slices, &kept.slices)),
        }
    }
}

impl Case {
    /// µs of a minute's slots.
    pub fn slot_micros(&self) -> i64 {
        self.slots.width * TICKS * TICK
    }
}
