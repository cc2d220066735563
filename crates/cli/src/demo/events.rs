//! The demo's `events` rows, a batch per day: whether users got what they wanted.
//!
//! Events fail with the requests behind them: an incident on any endpoint of the service takes its share.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewBuilder, TimestampMicrosecondArray};
use nines_store::{TableKind, UTC};

use super::catalog::EVENTS;
use super::incident::Incident;
use super::rng::Rng;
use super::{DAY, SOURCE, Spec, batch, incidents, rhythm, stream};

/// Ordinary failures are at most one event in so many, so that they never break a slice at 99 %.
const EVENTS_PER_FAILURE: i64 = 150;

/// The rows of `events`, oldest day first, each batch sorted by key.
pub fn events(spec: &Spec) -> impl Iterator<Item = RecordBatch> + Send + use<> {
    let (spec, incidents) = (*spec, incidents(spec));
    spec.days().map(move |day| of_day(&spec, &incidents, day))
}

fn of_day(spec: &Spec, incidents: &[Incident], day: i64) -> RecordBatch {
    let width = spec.slice_micros();
    let (mut time, mut good, mut total) = (Vec::new(), Vec::new(), Vec::new());
    // business, service, endpoint, customer, name, source
    let mut texts: [StringViewBuilder; 6] =
        std::array::from_fn(|_| StringViewBuilder::new().with_deduplicate_strings());
    for (number, event) in EVENTS.iter().enumerate() {
        let mut rng = Rng::of(spec.seed, [stream::EVENTS, day, number as i64]);
        let hits: Vec<_> = incidents
            .iter()
            .filter(|i| i.started < day + DAY && i.ended > day && i.services.contains(&event.service))
            .filter(|i| i.kind.fails_events())
            .collect();
        for (slice, load) in (0..).zip(rhythm::load(spec, event.business, day)) {
            let slice = day + slice * width;
            let n = rng.poisson(event.peak * spec.minutes_per_slice() * load);
            if n == 0 {
                continue;
            }
            let mut left = n - rng.poisson(n as f64 * event.failing).min(n / EVENTS_PER_FAILURE);
            for hit in &hits {
                let share = hit.share * hit.strength(event.service, slice, width) * rng.between(0.8, 1.1);
                left -= rng.round(left as f64 * share).min(left);
            }
            time.push(slice);
            good.push(left);
            total.push(n);
            let values = [event.business.name(), event.service, "", "", event.name, SOURCE];
            texts.iter_mut().zip(values).for_each(|(column, text)| column.append_value(text));
        }
    }
    let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(time).with_timezone(UTC));
    let mut columns = vec![time];
    columns.extend(texts.map(|mut text| Arc::new(text.finish()) as ArrayRef));
    columns.push(Arc::new(Int64Array::from(good)));
    columns.push(Arc::new(Int64Array::from(total)));
    batch(&TableKind::Events.schema(spec.slice_seconds), columns)
}
