//! The demo's `requests` rows, a batch per day.
//!
//! Two steps per series (endpoint and customer): first the day's counts, slice by slice, kept as one line per
//! status and cause; then the lines as rows, which are thereby in key order. Cost: one pass over the slices
//! with a few random numbers each, no allocation per row.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, StringViewBuilder, TimestampMicrosecondArray, new_null_array,
};
use nines_store::{TableKind, UTC, counts_le_type, histogram_type};

use super::catalog::{Business, Customer, ENDPOINTS, Endpoint};
use super::incident::Incident;
use super::latency::{Latencies, Profile, buckets_of_factor};
use super::rng::Rng;
use super::{DAY, SOURCE, Spec, batch, incidents, rhythm, stream};

/// Background errors are at most one request in so many, so that they never break a slice at 99 %.
const REQUESTS_PER_BACKGROUND_ERROR: i64 = 200;

/// Rows in a day of 1,440 slices, about: what the columns are sized for.
const ROWS_PER_DAY: usize = 60_000;

/// The rows of `requests`, oldest day first, each batch sorted by key.
pub fn requests(spec: &Spec) -> impl Iterator<Item = RecordBatch> + Send + use<> {
    let (spec, incidents) = (*spec, incidents(spec));
    spec.days().map(move |day| of_day(&spec, &incidents, day))
}

fn of_day(spec: &Spec, incidents: &[Incident], day: i64) -> RecordBatch {
    let load = Business::ALL.map(|business| rhythm::load(spec, business, day));
    let mut rows = Rows::new(day, spec.slice_micros());
    for (number, endpoint) in ENDPOINTS.iter().enumerate() {
        for (tenant, customer) in endpoint.customers.iter().enumerate() {
            let hits = incidents
                .iter()
                .filter(|i| {
                    i.started < day + DAY && i.ended > day && i.reaches(endpoint.service, endpoint.path, customer.name)
                })
                .collect();
            let rng = Rng::of(spec.seed, [stream::REQUESTS, day, (number * 100 + tenant) as i64]);
            let mut series = Series { endpoint, customer, hits, rng, lines: Vec::new(), shifts: Vec::new() };
            series.count(spec, day, &load[endpoint.business as usize]);
            rows.push(series);
        }
    }
    rows.finish(spec)
}

/// The requests of one status and cause: (slice of the day, number), ascending.
struct Line {
    status: i32,
    cause: &'static str,
    counts: Vec<(u32, i64)>,
}

/// A day of one endpoint and customer.
struct Series<'a> {
    endpoint: &'a Endpoint,
    customer: &'static Customer,
    hits: Vec<&'a Incident>,
    rng: Rng,
    lines: Vec<Line>,
    /// How far latencies are from the endpoint's profile, for each slice of the day.
    shifts: Vec<i32>,
}

impl Series<'_> {
    /// The line of this status and cause; asked for once a day, not once a slice.
    fn line(&mut self, status: i32, cause: &'static str) -> usize {
        let found = self.lines.iter().position(|line| line.status == status && line.cause == cause);
        found.unwrap_or_else(|| {
            self.lines.push(Line { status, cause, counts: Vec::new() });
            self.lines.len() - 1
        })
    }

    /// Counts `n` requests; what an incident and the background both cause is one number.
    fn add(&mut self, line: usize, slice: u32, n: i64) {
        let counts = &mut self.lines[line].counts;
        match counts.last_mut() {
            _ if n == 0 => {}
            Some((last, count)) if *last == slice => *count += n,
            _ => counts.push((slice, n)),
        }
    }

    fn count(&mut self, spec: &Spec, day: i64, load: &[f64]) {
        let endpoint = self.endpoint;
        let ok = self.line(endpoint.ok, "");
        let background = [self.line(500, ""), self.line(504, "upstream_timeout")];
        let shares: Vec<_> = endpoint.shares.iter().map(|s| (self.line(s.status, s.cause), s.rate)).collect();
        let mut hits = Vec::new();
        for hit in std::mem::take(&mut self.hits) {
            let faults = hit.kind.faults().iter();
            let faults: Vec<_> = faults.map(|(status, cause, part)| (self.line(*status, cause), *part)).collect();
            hits.push((hit, faults, buckets_of_factor(hit.slowing)));
        }

        let (width, per_minute) = (spec.slice_micros(), endpoint.peak * self.customer.part * spec.minutes_per_slice());
        let months = (spec.end - day) as f64 / (30 * DAY) as f64;
        let usual = f64::from(buckets_of_factor(self.customer.slowing * endpoint.quickening.powf(months)));
        // Neighbouring minutes resemble each other: how busy and how fast they are drifts.
        let (mut drift, mut pace) = (0.06 * self.rng.normal(), 2.0 * self.rng.normal());
        for (slice, load) in (0u32..).zip(load) {
            drift = 0.97 * drift + 0.015 * self.rng.normal();
            pace = 0.95 * pace + 0.6 * self.rng.normal();
            let mut shift = usual + pace + 5.0 * load;
            let n = self.rng.poisson(per_minute * load * (1.0 + drift).max(0.0));
            let mut left = n;
            if n > 0 {
                for (line, rate) in &shares {
                    let some = self.rng.poisson(n as f64 * rate).min(left);
                    self.add(*line, slice, some);
                    left -= some;
                }
                let errors =
                    self.rng.poisson(n as f64 * endpoint.errors).min(n / REQUESTS_PER_BACKGROUND_ERROR).min(left);
                let line = background[self.rng.below(2)];
                self.add(line, slice, errors);
                left -= errors;
            }
            let time = day + i64::from(slice) * width;
            for (hit, faults, slower) in &hits {
                let strength = hit.strength(endpoint.service, time, width);
                if strength == 0.0 {
                    continue;
                }
                shift += f64::from(*slower) * strength;
                let struck = if hit.kind.adds_requests() { n } else { left };
                let failing = struck as f64 * hit.share * strength * self.rng.between(0.85, 1.15);
                for (line, part) in faults {
                    let some = self.rng.round(failing * part);
                    let some = if hit.kind.adds_requests() { some } else { some.min(left) };
                    left -= if hit.kind.adds_requests() { 0 } else { some };
                    self.add(*line, slice, some);
                }
            }
            self.add(ok, slice, left);
            self.shifts.push(shift.round() as i32);
        }
        self.lines.sort_by_key(|line| (line.status, line.cause));
    }
}

/// The columns of a day.
struct Rows {
    day: i64,
    width: i64,
    time: Vec<i64>,
    /// business, service, endpoint, customer, cause, source
    texts: [StringViewBuilder; 6],
    status: Vec<i32>,
    requests: Vec<i64>,
    latencies: Latencies,
}

impl Rows {
    fn new(day: i64, width: i64) -> Self {
        // Deduplicating keeps one copy of each long text; short ones lie in the view itself.
        let texts = || StringViewBuilder::with_capacity(ROWS_PER_DAY).with_deduplicate_strings();
        Self {
            day,
            width,
            time: Vec::with_capacity(ROWS_PER_DAY),
            texts: std::array::from_fn(|_| texts()),
            status: Vec::with_capacity(ROWS_PER_DAY),
            requests: Vec::with_capacity(ROWS_PER_DAY),
            latencies: Latencies::with_capacity(ROWS_PER_DAY),
        }
    }

    fn push(&mut self, mut series: Series) {
        let endpoint = series.endpoint;
        let profile = Profile::new(endpoint.latency);
        for line in &series.lines {
            let texts =
                [endpoint.business.name(), endpoint.service, endpoint.path, series.customer.name, line.cause, SOURCE];
            for (column, text) in self.texts.iter_mut().zip(texts) {
                line.counts.iter().for_each(|_| column.append_value(text));
            }
            self.status.resize(self.status.len() + line.counts.len(), line.status);
            // A redirect or "not modified" is answered without the work behind it.
            let quicker = if line.status >= 300 { buckets_of_factor(0.4) } else { 0 };
            for &(slice, n) in &line.counts {
                self.time.push(self.day + i64::from(slice) * self.width);
                self.requests.push(n);
                if line.status < 400 {
                    let shift = series.shifts[slice as usize] + quicker;
                    self.latencies.push(&profile, n, shift, &mut series.rng);
                } else {
                    self.latencies.push_null();
                }
            }
        }
    }

    fn finish(self, spec: &Spec) -> RecordBatch {
        let len = self.time.len();
        let [business, service, endpoint, customer, cause, source] =
            self.texts.map(|mut text| Arc::new(text.finish()) as ArrayRef);
        let (latency_sum, latency) = self.latencies.finish(&histogram_type());
        batch(
            &TableKind::Requests.schema(spec.slice_seconds),
            vec![
                Arc::new(TimestampMicrosecondArray::from(self.time).with_timezone(UTC)),
                business,
                service,
                endpoint,
                customer,
                Arc::new(Int32Array::from(self.status)),
                cause,
                source,
                Arc::new(Int64Array::from(self.requests)),
                latency_sum,
                latency,
                new_null_array(&counts_le_type(), len),
            ],
        )
    }
}
