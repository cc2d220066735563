//! Failures that could not be counted, estimated from the days before.

use chrono::{DateTime, Days};
use nines_timeline::{Interval, normalize};

use crate::agreement::Covered;
use crate::credit::evidence::Evidence;
use crate::credit::slices::Special;
use crate::fraction::Fraction;
use crate::instant::first_instant;
use crate::spans::{clip, contains, subtract};

/// Failed requests that are assumed where telemetry was lost, and why so many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// Start of the outage in µs.
    pub started: i64,
    /// Judged slices of which telemetry was lost, excluded ones not among them: the store's, or the agreement's where losses count
    /// by those.
    pub slices: i64,
    /// The local days before the outage's day from which is estimated, in µs.
    pub days: Interval,
    /// Such slices of those days in which the customer was active and that are neither excluded nor lost; slices without
    /// requests are among them.
    pub counted_slices: i64,
    /// Valid requests in those slices.
    pub requests: i64,
    /// `requests / counted_slices × slices`; 0 where there is nothing to estimate from.
    pub failed: Fraction,
}

impl Covered<'_> {
    /// The local days before the day of an instant (µs) from which is estimated.
    pub(crate) fn lookback(&self, started: i64) -> Option<Interval> {
        let zone = self.terms.time_zone;
        let day = DateTime::from_timestamp_micros(started)?.with_timezone(&zone).date_naive();
        let first = day.checked_sub_days(Days::new(self.terms.lost_telemetry?.days.into()))?;
        Some(Interval::new(first_instant(first, zone)?, first_instant(day, zone)?))
    }
}

impl Estimate {
    /// What is assumed of so many of the lost slices.
    pub(crate) fn rate(&self, slices: i64) -> Fraction {
        let product = i128::from(self.requests) * i128::from(slices);
        match self.counted_slices {
            0 => Fraction::zero(),
            counted => Fraction::new(product.unsigned_abs(), counted.unsigned_abs()),
        }
    }
}

/// One estimate per outage that cost judged time.
pub(crate) fn estimates(covered: &Covered<'_>, evidence: &Evidence, special: &Special) -> Vec<Estimate> {
    let (grid, unit) = (special.losing, special.losing.width());
    let active = normalize(evidence.active.clone());
    let outages = special.outages.iter().map(|(started, spans)| {
        let slices = spans.iter().map(|span| span.duration() / unit).sum::<i64>();
        let days = covered.lookback(*started).unwrap_or(Interval::new(*started, *started));
        let whole = grid.inside(days);
        let there = match active.as_slice() {
            [] => vec![whole],
            // Where the customer came or went inside a slice, it is left out.
            active => clip(active, whole).into_iter().map(|span| grid.inside(span)).collect(),
        };
        let there = covered.in_service(there, whole);
        let usable = subtract(&subtract(&there, &special.excluded), &special.lost);
        let counted_slices = usable.iter().map(|span| span.duration() / unit).sum::<i64>();
        let from = evidence.slices.partition_point(|counts| counts.start < whole.start);
        let inside = evidence.slices[from..].iter().take_while(|counts| counts.start < whole.end);
        let requests = inside.filter(|counts| contains(&usable, counts.start)).map(|counts| counts.valid).sum();
        let estimate = Estimate { started: *started, slices, days, counted_slices, requests, failed: Fraction::zero() };
        Estimate { failed: estimate.rate(slices), ..estimate }
    });
    outages.collect()
}
