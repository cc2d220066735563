//! Downtime as far as a credit can depend on it: a sum, and what falls on each local day where days matter.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use nines_timeline::Interval;

use crate::instant::first_instant;

/// Downtime of a period or of a part of it. Its size does not grow with the number of outages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Downtime {
    /// µs.
    pub time: i64,
    /// How many outages.
    pub outages: i64,
    /// By local day, or all under one day where the agreement does not count by days: µs, and the steps that its outages come
    /// to, each by itself.
    days: BTreeMap<NaiveDate, Day>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Day {
    time: i64,
    steps: i64,
}

impl Downtime {
    /// Adds an outage, by local day if that matters; `reached` is the number of steps that so many µs of it come to.
    pub(super) fn add(&mut self, outage: &[Interval], zone: Tz, by_day: bool, reached: impl Fn(i64) -> i64) {
        self.outages += 1;
        let (mut time, mut steps) = (0, 0);
        for (day, micros) in split(outage, zone, by_day) {
            time += micros;
            let now = reached(time);
            let own = self.days.entry(day).or_default();
            own.time += micros;
            own.steps += now - steps;
            steps = now;
        }
        self.time += time;
    }

    /// This and what follows it.
    pub(crate) fn then(&mut self, later: Downtime) {
        self.time += later.time;
        self.outages += later.outages;
        for (day, own) in later.days {
            let known = self.days.entry(day).or_default();
            known.time += own.time;
            known.steps += own.steps;
        }
    }

    /// By day the µs, in order.
    pub(super) fn time_by_day(&self) -> impl Iterator<Item = (NaiveDate, i64)> + '_ {
        self.days.iter().map(|(day, own)| (*day, own.time))
    }

    /// By day the steps that outages come to, in order.
    pub(super) fn steps_by_day(&self) -> impl Iterator<Item = (NaiveDate, i64)> + '_ {
        self.days.iter().map(|(day, own)| (*day, own.steps))
    }
}

/// What of an outage falls on which local day, in order; all of it on one day if days do not matter.
fn split(outage: &[Interval], zone: Tz, by_day: bool) -> Vec<(NaiveDate, i64)> {
    let mut found = Vec::new();
    for span in outage {
        let mut start = span.start;
        while start < span.end {
            let local = |at| DateTime::from_timestamp_micros(at).map(|at| at.with_timezone(&zone).date_naive());
            let day = local(start).filter(|_| by_day).unwrap_or(NaiveDate::MIN);
            let next = day.succ_opt().filter(|_| by_day).and_then(|next| first_instant(next, zone));
            let end = next.filter(|next| *next > start).unwrap_or(span.end).min(span.end);
            found.push((day, end - start));
            start = end;
        }
    }
    found
}
