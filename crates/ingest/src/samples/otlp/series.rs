//! Points become samples of series: attributes are labels.

use std::collections::HashMap;
use std::sync::Arc;

use super::messages::KeyValue;
use super::metric::{Kind, Metric};
use super::point::{Point, PointValue};
use crate::Result;
use crate::samples::{Labels, NativeHistogram, Sample, Temporality, Value};

/// Series that are remembered at most, so that their labels are shared.
const MOST: usize = 10_000;

/// The series that were met.
#[derive(Default)]
pub(super) struct Series {
    known: HashMap<Labels, Known>,
}

/// The labels of the series of a metric.
struct Known {
    whole: Arc<Labels>,
    count: Arc<Labels>,
    sum: Arc<Labels>,
    /// By bound; the last one of all.
    buckets: Vec<(f64, Arc<Labels>)>,
}

impl Series {
    /// Hands on the samples of a point.
    pub fn hand_on(
        &mut self,
        metric: &Metric<'_>,
        point: Point,
        take: &mut dyn FnMut(Sample) -> Result<()>,
    ) -> Result<()> {
        let (time, temporality) = times(metric.kind, &point);
        let of = self.known(metric, &point);
        let mut number = |labels: &Arc<Labels>, number: f64| {
            take(Sample { labels: Arc::clone(labels), time, value: Value::Number(number), temporality })
        };
        match point.value {
            PointValue::Nothing if matches!(metric.kind, Kind::Histogram { .. } | Kind::Summary) => {
                // One series of each form that a histogram has.
                number(of.buckets.last().map_or(&of.count, |(_, labels)| labels), f64::NAN)?;
                let none = NativeHistogram { count: f64::NAN, ..NativeHistogram::default() };
                let value = Value::Histogram(Arc::new(none));
                take(Sample { labels: Arc::clone(&of.whole), time, value, temporality })
            }
            PointValue::Nothing => number(&of.whole, f64::NAN),
            PointValue::Number(value) => number(&of.whole, value),
            PointValue::Buckets { count, sum, counts, .. } => {
                let mut below = 0;
                for ((bound, labels), more) in of.buckets.iter().zip(counts.iter().chain([&0])) {
                    below += more;
                    number(labels, if bound.is_finite() { below } else { count } as f64)?;
                }
                if let Some(sum) = sum {
                    number(&of.sum, sum)?;
                }
                number(&of.count, count as f64)
            }
            PointValue::Exponential(histogram) => {
                number(&of.count, histogram.count)?;
                let value = Value::Histogram(Arc::new(histogram));
                take(Sample { labels: Arc::clone(&of.whole), time, value, temporality })
            }
            PointValue::Summary { count, sum } => {
                number(&of.sum, sum)?;
                number(&of.count, count as f64)
            }
        }
    }

    fn known(&mut self, metric: &Metric<'_>, point: &Point) -> &Known {
        let labels = labels(metric, &point.attributes);
        let bounds: &[f64] = if let PointValue::Buckets { bounds, .. } = &point.value { bounds } else { &[] };
        if self.known.len() >= MOST && !self.known.contains_key(&labels) {
            self.known.clear();
        }
        let known = self.known.entry(labels).or_insert_with_key(|labels| Known {
            whole: Arc::new(labels.clone()),
            count: Arc::new(labels.named(&format!("{}_count", metric.name))),
            sum: Arc::new(labels.named(&format!("{}_sum", metric.name))),
            buckets: Vec::new(),
        });
        let is_histogram = matches!(point.value, PointValue::Buckets { .. });
        let has_bounds = known.buckets.len() == bounds.len() + 1
            && known.buckets.iter().zip(bounds).all(|((known, _), bound)| known == bound);
        if is_histogram && !has_bounds {
            let series = known.whole.named(&format!("{}_bucket", metric.name));
            let bounds = bounds.iter().copied().map(|bound| (bound, bound.to_string()));
            known.buckets = bounds
                .chain([(f64::INFINITY, "+Inf".to_string())])
                .map(|(bound, text)| (bound, Arc::new(series.with("le", &text))))
                .collect();
        }
        known
    }
}

/// When a point was taken, in µs, and since when it counts.
fn times(kind: Kind, point: &Point) -> (i64, Temporality) {
    // What counts an interval ends within the microsecond that ends next.
    let micros = |nanos: u64| nanos.div_ceil(1_000) as i64;
    // A point that begins when it ends, or later, says that nobody knows since when it counts.
    let start = Some(point.start).filter(|start| *start > 0 && *start < point.time).map(micros);
    match kind {
        Kind::Gauge | Kind::Sum { is_monotonic: false, is_delta: false } => {
            ((point.time / 1_000) as i64, Temporality::Cumulative(None))
        }
        kind if kind.is_delta() => (micros(point.time), Temporality::Delta(start)),
        _ => (micros(point.time), Temporality::Cumulative(start)),
    }
}

/// The labels of a series: attributes of the point by their names; those of the resource likewise, or as `resource.NAME` where the
/// point has another value of that name; those of the scope as `otel.scope.NAME`.
fn labels(metric: &Metric<'_>, attributes: &[KeyValue]) -> Labels {
    let text = |pair: &KeyValue| pair.value.as_ref().map_or_else(String::new, |value| value.text());
    let mut labels: Vec<(String, String)> = [
        ("__name__", metric.name),
        ("__type__", metric.kind.name()),
        ("__unit__", metric.unit),
        ("__temporality__", if metric.kind.is_delta() { "delta" } else { "" }),
        ("otel.scope.name", metric.scope.name.as_str()),
        ("otel.scope.version", metric.scope.version.as_str()),
    ]
    .map(|(name, value)| (name.to_string(), value.to_string()))
    .into();
    labels.extend(attributes.iter().map(|pair| (pair.key.clone(), text(pair))));
    labels.extend(metric.scope.attributes.iter().map(|pair| (format!("otel.scope.{}", pair.key), text(pair))));
    for pair in metric.resource {
        let value = text(pair);
        let of_point = attributes.iter().find(|of_point| of_point.key == pair.key);
        match of_point.filter(|of_point| text(of_point) != value) {
            Some(_) => labels.push((format!("resource.{}", pair.key), value)),
            None => labels.push((pair.key.clone(), value)),
        }
    }
    Labels::new(labels)
}
