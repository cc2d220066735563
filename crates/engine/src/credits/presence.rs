//! On which days a service has rows, whoever its customers are: what rows say of a period's completeness.
//!
//! Days are those of several zones at once: a *stretch* lies between two neighbouring midnights, of whichever zone in which is judged,
//! so that each stretch is of exactly one day in each of these zones. The cost is a look at service, business and time of each row.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use datafusion::arrow::array::RecordBatch;
use datafusion::error::Result;
use nines_slo::first_instant;
use nines_timeline::Interval;

use crate::evaluate::{BUSINESS, Columns, DAY, Fold, SERVICE};

/// The columns that are looked at.
pub(super) const COLUMNS: [&str; 3] = ["time", "business", "service"];

/// Midnights, ascending, each once.
#[derive(Debug, Clone, Default)]
pub(super) struct Midnights(Arc<[i64]>);

impl Midnights {
    /// Those of days of zones.
    pub fn of(days: impl IntoIterator<Item = (Tz, Interval)>) -> Self {
        let days: HashSet<(Tz, Interval)> = days.into_iter().collect();
        let days = days.into_iter().flat_map(|(zone, of)| local_days(zone, of));
        let midnights: BTreeSet<i64> = days.flat_map(|day| [day.start, day.end]).collect();
        Midnights(midnights.into_iter().collect())
    }

    /// In which stretch an instant lies.
    pub fn stretch(&self, at: i64) -> usize {
        self.0.partition_point(|midnight| *midnight <= at)
    }

    /// From when until when a stretch is.
    pub fn interval(&self, stretch: usize) -> Interval {
        let start = stretch.checked_sub(1).and_then(|before| self.0.get(before)).copied();
        Interval::new(start.unwrap_or(i64::MIN), self.0.get(stretch).copied().unwrap_or(i64::MAX))
    }
}

/// The days of a zone that a time touches, each whole. None where the calendar ends.
pub(super) fn local_days(zone: Tz, of: Interval) -> Vec<Interval> {
    let date = |at: i64| Some(DateTime::from_timestamp_micros(at)?.with_timezone(&zone).date_naive());
    let (Some(first), Some(last)) = (date(of.start), date(of.end.saturating_sub(1))) else { return Vec::new() };
    let dates = first.iter_days().take_while(|date| *date <= last);
    let day = |date: NaiveDate| Some(Interval::new(first_instant(date, zone)?, first_instant(date.succ_opt()?, zone)?));
    // Some zones skipped a day.
    dates.filter_map(day).filter(|day| !day.is_empty()).collect()
}

/// What rows of a service say that carry one business.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// The newest row of each stretch that has one: the start of its slice.
    pub newest: BTreeMap<usize, i64>,
    /// Whether any of them counts a request, where that was read.
    pub requests: bool,
}

/// By service and by the business that rows carry.
#[derive(Debug, Clone, Default)]
pub(super) struct Presence(HashMap<Arc<str>, BTreeMap<Arc<str>, Seen>>);

impl Presence {
    /// What rows of a service say, by the business that they carry.
    pub fn of(&self, service: &str) -> impl Iterator<Item = (&Arc<str>, &Seen)> {
        self.0.get(service).into_iter().flatten()
    }

    /// The services that have rows.
    pub fn services(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.keys()
    }

    /// Takes what other rows say.
    pub fn join(&mut self, other: Presence) {
        for (service, businesses) in other.0 {
            let known = self.0.entry(service).or_default();
            for (business, seen) in businesses {
                let own = known.entry(business).or_default();
                own.requests |= seen.requests;
                seen.newest.into_iter().for_each(|(stretch, at)| own.see(stretch, at));
            }
        }
    }

    /// Takes what rows of a service and business say. Names are copied only when they are new.
    fn take(&mut self, service: &str, business: &str, take: impl FnOnce(&mut Seen)) {
        match self.0.get_mut(service).and_then(|businesses| businesses.get_mut(business)) {
            Some(seen) => take(seen),
            None => take(self.0.entry(service.into()).or_default().entry(business.into()).or_default()),
        }
    }
}

impl Seen {
    pub fn see(&mut self, stretch: usize, at: i64) {
        let newest = self.newest.entry(stretch).or_insert(at);
        *newest = (*newest).max(at);
    }
}

/// A look at rows as they pass.
#[derive(Debug, Default)]
pub(super) struct Watch {
    midnights: Midnights,
    pub found: Presence,
}

impl Watch {
    pub fn new(midnights: Midnights) -> Self {
        Watch { midnights, found: Presence::default() }
    }

    /// Looks at rows of a UTC day.
    pub fn see(&mut self, columns: &Columns<'_>, rows: usize, day: i32) {
        let begins = i64::from(day) * DAY;
        let stretches = self.midnights.stretch(begins)..=self.midnights.stretch(begins + DAY - 1);
        let views = |column: usize| columns.texts[column].map(|texts| &**texts.views());
        let (services, businesses) = (views(SERVICE), views(BUSINESS));
        let mut at = 0;
        while at < rows {
            let start = at;
            let runs = [services, businesses].into_iter().flatten().map(|views| same_until(views, start));
            at = runs.min().unwrap_or(rows);
            let times = &columns.time[start..at];
            let counts =
                || columns.requests.is_some_and(|requests| requests.values()[start..at].iter().any(|n| *n > 0));
            self.found.take(columns.text(SERVICE, start), columns.text(BUSINESS, start), |seen| {
                seen.requests = seen.requests || counts();
                if stretches.start() == stretches.end() {
                    // A fold over a slice, which the compiler turns into a few instructions for many rows.
                    seen.see(*stretches.start(), times.iter().copied().fold(i64::MIN, i64::max));
                    return;
                }
                for stretch in stretches.clone() {
                    let within = self.midnights.interval(stretch);
                    let inside = times.iter().filter(|time| within.start <= **time && **time < within.end);
                    if let Some(newest) = inside.max() {
                        seen.see(stretch, *newest);
                    }
                }
            });
        }
    }
}

/// Until where texts are the one at a place, by their views: equal views are equal texts; that others may be equal, too, costs a look more.
fn same_until(views: &[u128], start: usize) -> usize {
    let (first, mut at) = (views[start], start);
    // Many are compared at once, as rows of a service mostly follow each other.
    for some in views[start..].chunks(64) {
        let differs = some.iter().fold(0, |bits, view| bits | (view ^ first));
        if differs != 0 {
            return at + some.iter().take_while(|view| **view == first).count();
        }
        at += some.len();
    }
    at
}

/// A look that is all that is done with the rows.
impl Fold for Watch {
    type Folded = Presence;

    fn rows(&mut self, batch: &RecordBatch, day: i32) -> Result<()> {
        self.see(&Columns::of(batch)?, batch.num_rows(), day);
        Ok(())
    }

    fn folded(self) -> Result<Presence> {
        Ok(self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_of_one_day_in_each_zone() {
        let at = |text: &str| text.parse::<DateTime<chrono::Utc>>().unwrap().timestamp_micros();
        let week = Interval::new(at("2026-10-24T12:00:00Z"), at("2026-10-27T00:00:00Z"));
        // Clocks go back on the 25th in Berlin.
        let zones = [Tz::UTC, chrono_tz::Europe::Berlin, chrono_tz::Asia::Kathmandu];
        let midnights = Midnights::of(zones.map(|zone| (zone, week)));
        for zone in zones {
            let days = local_days(zone, week);
            assert!(days[0].start <= week.start && week.end <= days.last().unwrap().end);
            assert!(days.windows(2).all(|pair| pair[0].end == pair[1].start));
            for day in days {
                let (first, last) = (midnights.stretch(day.start), midnights.stretch(day.end - 1));
                assert_eq!((midnights.interval(first).start, midnights.interval(last).end), (day.start, day.end));
            }
        }
        let lengths: Vec<i64> = local_days(zones[1], week).iter().map(|day| day.duration() / 3_600_000_000).collect();
        assert_eq!(lengths, [24, 25, 24, 24], "the last begins at 23:00 UTC of the 26th");
        assert_eq!(local_days(Tz::UTC, Interval::new(i64::MIN, 0)), []);
    }
}
