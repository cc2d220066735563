//! The demo's `gauges` rows, a batch per day: what two probes see of the gateway, and how many tasks wait to be
//! transcoded.
//!
//! A queue remembers, but days are generated apart: each begins with an empty one. A UTC day begins in the customers'
//! morning, hours after the last incident of the day before, when the queue has long been empty anyway.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringViewBuilder, TimestampMicrosecondArray,
};
use nines_store::{TableKind, UTC};

use super::catalog::Business;
use super::incident::Incident;
use super::rng::Rng;
use super::{DAY, MINUTE, SOURCE, Spec, batch, incidents, rhythm, stream};

/// Where probes stand and at which minute of five each calls. The source is the place: two probes are two rows.
const PROBES: [(&str, i64); 2] = [("probe/beijing", 0), ("probe/frankfurt", 2)];
const PROBE_EVERY: i64 = 5 * MINUTE;
/// Calls that fail on an ordinary day, for a reason on the way.
const LOST_ON_THE_WAY: f64 = 0.000_5;

/// How often the queue is looked at, or once a slice where those are shorter.
const QUEUE_EVERY: i64 = MINUTE / 4;
/// Tasks a minute in the busiest hour of an ordinary weekday, and how many all workers together get done. A job is some
/// forty tasks.
const TASKS: f64 = 160.0;
const CAPACITY: f64 = 240.0;

/// The rows of `gauges`, oldest day first, each batch sorted by key.
pub fn gauges(spec: &Spec) -> impl Iterator<Item = RecordBatch> + Send + use<> {
    let (spec, incidents) = (*spec, incidents(spec));
    spec.days().map(move |day| of_day(&spec, &incidents, day))
}

fn of_day(spec: &Spec, incidents: &[Incident], day: i64) -> RecordBatch {
    let hits = |service, endpoint| {
        let today = incidents.iter().filter(move |i| i.started < day + DAY && i.ended > day && i.kind.fails_events());
        today.filter(move |i| i.reaches(service, endpoint, "")).collect::<Vec<_>>()
    };
    let media = Business::Media.name();
    let mut rows = Rows { width: spec.slice_micros(), ..Rows::default() };
    let on_gateway = hits("gateway", "/v1/invoke");
    for (number, (source, minute)) in (0..).zip(PROBES) {
        let rng = Rng::of(spec.seed, [stream::PROBES, day, number]);
        rows.push([media, "gateway", "/v1/invoke", "probe up", source], probe(&on_gateway, day, minute, rng));
    }
    let rng = Rng::of(spec.seed, [stream::QUEUE, day, 0]);
    rows.push([media, "transcode", "", "queue length", SOURCE], queue(spec, &hits("transcode", "/jobs"), day, rng));
    rows.finish(spec)
}

/// Each call of a probe: 1 if it was answered, else 0.
fn probe(hits: &[&Incident], day: i64, minute: i64, mut rng: Rng) -> impl Iterator<Item = (i64, f64)> {
    (0..DAY / PROBE_EVERY).map(move |call| {
        let time = day + call * PROBE_EVERY + minute * MINUTE;
        let failing = hits.iter().map(|i| i.share * i.strength("gateway", time, MINUTE)).sum::<f64>();
        (time, if rng.unit() < failing + LOST_ON_THE_WAY { 0.0 } else { 1.0 })
    })
}

/// The tasks that wait: those that come with the customers, less what the workers get done. An incident costs workers,
/// twice the share of the requests that fail, so that the queue outlives it.
fn queue(spec: &Spec, hits: &[&Incident], day: i64, mut rng: Rng) -> impl Iterator<Item = (i64, f64)> {
    let width = spec.slice_micros();
    let step = QUEUE_EVERY.min(width);
    let minutes = step as f64 / MINUTE as f64;
    let load = rhythm::load(spec, Business::Media, day);
    let mut waiting = 0;
    (0..DAY / step).map(move |look| {
        let time = look * step;
        let broken = hits.iter().map(|i| 2.0 * i.share * i.strength("transcode", day + time, step)).sum::<f64>();
        let come = rng.poisson(TASKS * load[(time / width) as usize] * minutes);
        let done = rng.poisson(CAPACITY * (1.0 - broken.min(0.95)) * minutes);
        waiting = (waiting + come - done).max(0);
        (day + time, waiting as f64)
    })
}

/// The columns of a day.
#[derive(Default)]
struct Rows {
    /// Width of a slice in µs.
    width: i64,
    time: Vec<i64>,
    /// business, service, endpoint, name, source
    texts: [StringViewBuilder; 5],
    samples: Vec<i64>,
    sum: Vec<f64>,
    min: Vec<f64>,
    max: Vec<f64>,
    last: Vec<f64>,
}

impl Rows {
    /// A day of one series; samples ascend in time, those of a slice become one row.
    fn push(&mut self, key: [&str; 5], samples: impl Iterator<Item = (i64, f64)>) {
        let first = self.time.len();
        for (time, value) in samples {
            let slice = time - time.rem_euclid(self.width);
            if self.time.len() > first && self.time.last() == Some(&slice) {
                let row = self.time.len() - 1;
                self.samples[row] += 1;
                self.sum[row] += value;
                self.min[row] = self.min[row].min(value);
                self.max[row] = self.max[row].max(value);
                self.last[row] = value;
                continue;
            }
            self.time.push(slice);
            self.texts.iter_mut().zip(key).for_each(|(column, text)| column.append_value(text));
            self.samples.push(1);
            for column in [&mut self.sum, &mut self.min, &mut self.max, &mut self.last] {
                column.push(value);
            }
        }
    }

    fn finish(self, spec: &Spec) -> RecordBatch {
        let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(self.time).with_timezone(UTC));
        let mut columns = vec![time];
        columns.extend(self.texts.map(|mut text| Arc::new(text.finish()) as ArrayRef));
        columns.push(Arc::new(Int64Array::from(self.samples)));
        let numbers = [self.sum, self.min, self.max, self.last];
        columns.extend(numbers.map(|column| Arc::new(Float64Array::from(column)) as ArrayRef));
        batch(&TableKind::Gauges.schema(spec.slice_seconds), columns)
    }
}
