//! What is evaluated: a version of an objective with all that its slices depend on besides rows.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use nines_slo::{Indicator, Limit, NoData, Spec};
use nines_store::TableKind;
use nines_timeline::{Interval, histogram, normalize};

/// One version of one objective, resolved. What is in here and the rows of its service decide every slice.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// Which objective, counted by name.
    pub objective: usize,
    /// The objective's name.
    pub name: Arc<str>,
    /// Declared, or what its rows carry.
    pub business: Arc<str>,
    pub service: Arc<str>,
    pub spec: Arc<Spec>,
    /// [`definition_hash`] of it.
    pub definition: u64,
    pub table: TableKind,
    /// The slices that this version decides: whole slices of its own and of its neighbours.
    pub in_force: Interval,
    /// Start of the objective's first slice with data; `None` if there is none, or nothing depends on it.
    pub first: Option<i64>,
    /// End of the newest slice of the table.
    pub watermark: i64,
    /// Until when a slice without data is what `noData` says.
    pub assumed_until: i64,
    /// Time that does not count.
    pub excluded: Vec<Interval>,
    /// Time in which telemetry was lost.
    pub lost: Vec<Interval>,
    /// Latency limits by time, ascending; empty for other indicators.
    pub limits: Vec<LimitAt>,
}

/// A latency limit for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct LimitAt {
    pub interval: Interval,
    /// `None`: there is none yet, so there is no data.
    pub limit: Option<Bound>,
}

/// What a latency is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bound {
    /// The agreed threshold in µs, at which exact counts may be stored.
    pub micros: Option<i64>,
    /// The last histogram bucket within the limit; `None` if only latencies of zero are.
    pub bucket: Option<i32>,
    /// Whether the bucket's bound is the limit.
    pub exact: bool,
}

impl Bound {
    /// A threshold. One that is no bound of a bucket rounds up to the next.
    pub fn of_micros(micros: i64) -> Self {
        let seconds = micros as f64 / 1e6;
        let bucket = histogram::bucket(seconds);
        let exact = bucket.is_none_or(|bucket| histogram::upper_bound(bucket) == seconds);
        Bound { micros: Some(micros), bucket, exact }
    }

    /// The upper bound of a bucket.
    pub fn of_bucket(bucket: Option<i32>) -> Self {
        Bound { micros: None, bucket, exact: true }
    }
}

impl Subject {
    /// Names what the objective says, as far as slices depend on it: 16 hexadecimal digits.
    pub fn definition_name(&self) -> String {
        format!("{:016x}", self.definition)
    }

    /// The state of slices without data inside `[first, assumed_until)`; `None` where they are no data.
    pub fn assumed(&self) -> Option<(NoData, Interval)> {
        if self.spec.no_data == NoData::Ignore {
            return None;
        }
        let slice = self.spec.slice;
        let first = self.first?.div_euclid(slice) * slice;
        let span = Interval::new(first, self.assumed_until.div_euclid(slice) * slice);
        (!span.is_empty()).then_some((self.spec.no_data, span))
    }

    /// The slices that are excluded.
    pub fn excluded_slices(&self, within: Interval) -> Vec<Interval> {
        let touching = self.excluded.iter().filter(|e| e.start < within.end && e.end > within.start);
        normalize(touching.map(|e| e.whole_slices(self.spec.slice)).collect())
    }

    /// The slices that lost telemetry touches.
    pub fn lost_slices(&self, within: Interval) -> Vec<Interval> {
        let slice = self.spec.slice;
        let touched = self.lost.iter().filter(|l| l.start < within.end && l.end > within.start && !l.is_empty());
        let up = |t: i64| t.div_euclid(slice) * slice + if t.rem_euclid(slice) == 0 { 0 } else { slice };
        normalize(touched.map(|l| Interval::new(l.start.div_euclid(slice) * slice, up(l.end))).collect())
    }

    /// How long a gauge's sample stands, in µs; 0 if only in its own slice.
    pub fn hold(&self) -> i64 {
        match &self.spec.indicator {
            Indicator::Gauge { hold: Some(hold), .. } => hold.0,
            _ => 0,
        }
    }

    /// The limits of an indicator that does not depend on data.
    pub fn constant_limits(spec: &Spec) -> Vec<LimitAt> {
        match &spec.indicator {
            Indicator::Latency { limit: Limit::Micros(micros), .. } => {
                let ever = Interval::new(i64::MIN, i64::MAX);
                vec![LimitAt { interval: ever, limit: Some(Bound::of_micros(*micros)) }]
            }
            _ => Vec::new(),
        }
    }
}

/// A hash of what the evaluation of a slice depends on in a definition.
pub(crate) fn definition_hash(spec: &Spec) -> u64 {
    let mut hasher = DefaultHasher::new();
    spec.hash(&mut hasher);
    hasher.finish()
}

impl Subject {
    /// Whether every endpoint with data must meet the target.
    pub fn each_endpoint(&self) -> bool {
        matches!(self.spec.indicator, Indicator::Latency { each_endpoint: true, .. })
    }
}
