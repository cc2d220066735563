//! Of what points are: a metric, its scope and its resource.

use super::messages::{KeyValue, Scope};

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Sum { is_monotonic: bool, is_delta: bool },
    Histogram { is_delta: bool },
    Summary,
}

/// A metric without its points.
pub(super) struct Metric<'m> {
    pub resource: &'m [KeyValue],
    pub scope: &'m Scope,
    pub name: &'m str,
    pub unit: &'m str,
    pub kind: Kind,
}

impl Kind {
    /// Whether its points are what came after the point before.
    pub fn is_delta(self) -> bool {
        match self {
            Kind::Sum { is_delta, .. } | Kind::Histogram { is_delta } => is_delta,
            Kind::Gauge | Kind::Summary => false,
        }
    }

    /// As Prometheus calls it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Gauge | Kind::Sum { is_monotonic: false, .. } => "gauge",
            Kind::Sum { is_monotonic: true, .. } => "counter",
            Kind::Histogram { .. } => "histogram",
            Kind::Summary => "summary",
        }
    }
}

/// Whether a metric of this aggregation temporality is delta; otherwise what is wrong.
pub(super) fn is_delta(metric: &str, temporality: u64) -> Result<bool, String> {
    match temporality {
        1 => Ok(true),
        2 => Ok(false),
        other => Err(format!(
            "metric {metric:?} has the aggregation temporality {other}; expected 1 (delta) or 2 (cumulative)"
        )),
    }
}
