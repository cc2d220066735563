//! What is evaluated: a version of an objective with all that its slices depend on besides rows.

use std::sync::Arc;

use nines_slo::{Indicator, Limit, NoData, Spec};
use nines_store::TableKind;
use nines_timeline::{Grid, Interval, histogram, normalize, without};

use super::DAY;
use super::name::hash_of;

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
    /// Names the texts that say so, for good.
    pub said: Arc<str>,
    pub table: TableKind,
    /// The slices that this version decides: whole slices of its own and of its neighbours.
    pub in_force: Interval,
    /// Start of the objective's first slice with data; `None` if there is none, or nothing depends on it.
    pub first: Option<i64>,
    /// End of the newest slice of the table.
    pub watermark: i64,
    /// Until when a sample may be held.
    pub now: i64,
    /// Until when a slice without data is what `noData` says.
    pub assumed_until: i64,
    /// The stored slices that do not count ([`removed_slices`]): ascending and apart.
    pub removed: Vec<Interval>,
    /// Its own slices of which none counts ([`excluded_slices`]): ascending and apart.
    pub excluded: Vec<Interval>,
    /// Its own slices in which telemetry was lost ([`lost_slices`]): ascending and apart.
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
    /// The threshold in µs, of a bucket's bound rounded down.
    pub micros: i64,
    /// Whether it is a threshold that may be agreed, so that an exact count at it decides.
    pub agreed: bool,
    /// The last histogram bucket that lies wholly within the limit; `None` if only latencies of zero do.
    pub bucket: Option<i32>,
    /// Whether the bucket's bound is the limit. If not, the bucket after it holds the limit, and counts as slow.
    pub exact: bool,
}

impl Bound {
    /// A threshold. One that is no bound of a bucket is counted to the bound below it.
    pub fn of_micros(micros: i64) -> Self {
        let seconds = micros as f64 / 1e6;
        let bucket = histogram::bucket(seconds);
        let exact = bucket.is_none_or(|bucket| histogram::upper_bound(bucket) == seconds);
        let bucket = bucket.map(|bucket| if exact { bucket } else { bucket - 1 });
        Bound { micros, agreed: true, bucket, exact }
    }

    /// The upper bound of a bucket.
    pub fn of_bucket(bucket: Option<i32>) -> Self {
        let micros = bucket.map_or(0.0, |bucket| histogram::upper_bound(bucket) * 1e6);
        Bound { micros: micros as i64, agreed: false, bucket, exact: true }
    }

    /// The bounds in µs, rounded outwards, of the bucket that holds the limit.
    pub fn between(&self) -> Between {
        let of = |bucket: i32| histogram::upper_bound(bucket) * 1e6;
        let lower = self.bucket.map_or(0.0, of);
        let upper = self.bucket.map_or(0.0, |bucket| of(bucket + 1));
        Between { counted_to: lower.floor() as i64, sure_from: upper.ceil() as i64 }
    }
}

/// Where a latency threshold lies that nothing stored is exact at, in µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Between {
    /// What took longer counts as slow.
    pub counted_to: i64,
    /// What took longer than this is slow for sure; `i64::MAX` if nothing stored says so.
    pub sure_from: i64,
}

impl Between {
    /// What holds both.
    pub fn hull(self, other: Between) -> Between {
        Between { counted_to: self.counted_to.min(other.counted_to), sure_from: self.sure_from.max(other.sure_from) }
    }

    /// The hull of two, either of which may be missing.
    pub fn joined(one: Option<Between>, other: Option<Between>) -> Option<Between> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.hull(other)),
            (one, other) => one.or(other),
        }
    }
}

impl Subject {
    /// Names what the objective says, as far as slices depend on it: 16 hexadecimal digits.
    pub fn definition_name(&self) -> String {
        format!("{:016x}", self.definition)
    }

    /// Names what the objective says by its texts: the same in every version of nines.
    pub fn lasting_name(&self) -> String {
        format!("text {}", self.said)
    }

    /// Names all that its parts depend on but rows: the same name and the same versions of tables make the same parts.
    pub fn evaluated_name(&self) -> u64 {
        let Subject { name, business, service, definition, in_force, first, watermark, assumed_until, .. } = self;
        // Only of held samples the time now decides.
        let now = (self.hold() > 0).then_some(self.now);
        let times = (in_force, first, watermark, assumed_until, now);
        // By which method a part is summed up is not in the definition's hash: kept days have the sums of all.
        let says = (name, business, service, definition, self.spec.budgeting);
        hash_of(&(says, times, &self.removed, &self.excluded, &self.lost, &self.limits))
    }

    /// The state of slices without data inside `[first, assumed_until)`; `None` where they are no data.
    pub fn assumed(&self) -> Option<(NoData, Interval)> {
        if self.spec.no_data == NoData::Ignore {
            return None;
        }
        let slices = self.spec.slices;
        let first = slices.start_of(self.first.filter(|first| *first < self.assumed_until)?);
        let span = Interval::new(first, slices.start_of(self.assumed_until));
        (!span.is_empty()).then_some((self.spec.no_data, span))
    }

    /// How long after midnight the first slice of a UTC day begins: slices that begin on one day may end on the next.
    pub fn shift(&self) -> i64 {
        self.spec.slices.offset()
    }

    /// The slices that begin on a UTC day.
    pub fn day(&self, day: i32) -> Interval {
        let start = i64::from(day) * DAY + self.shift();
        Interval::new(start, start + DAY)
    }

    /// The UTC day on whose end all rows of the slices that begin on a day were seen.
    pub fn counted_on(&self, day: i32) -> i32 {
        day + i32::from(self.shift() > 0)
    }

    /// The inverse of [`Subject::counted_on`].
    pub fn begun_on(&self, day: i32) -> i32 {
        day - i32::from(self.shift() > 0)
    }

    /// Start of the first slice that is not over at the watermark; `None` while its table has no rows, so that none is known.
    pub fn not_over_from(&self) -> Option<i64> {
        (self.watermark != i64::MIN).then(|| self.spec.slices.start_of(self.watermark))
    }

    /// Whether every endpoint with data must meet the target.
    pub fn each_endpoint(&self) -> bool {
        matches!(self.spec.indicator, Indicator::Latency { each_endpoint: true, .. })
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

/// The stored slices that lie wholly inside exclusions, of which several that overlap or touch are one.
pub(crate) fn removed_slices(exclusions: impl Iterator<Item = Interval>, stored: Grid) -> Vec<Interval> {
    let united = normalize(exclusions.collect());
    normalize(united.into_iter().map(|interval| stored.inside(interval)).collect())
}

/// The slices of which no stored slice is left.
pub(crate) fn excluded_slices(removed: &[Interval], slices: Grid) -> Vec<Interval> {
    normalize(removed.iter().map(|interval| slices.inside(*interval)).collect())
}

/// The slices in which a stored slice that counts is touched by what was lost.
pub(crate) fn lost_slices(
    lost: impl Iterator<Item = Interval>,
    removed: &[Interval],
    stored: Grid,
    slices: Grid,
) -> Vec<Interval> {
    let touched = normalize(lost.map(|interval| stored.touched(interval)).collect());
    normalize(without(&touched, removed).into_iter().map(|interval| slices.touched(interval)).collect())
}

/// Those of ascending intervals, apart from each other, that touch a range.
pub(crate) fn touching(intervals: &[Interval], range: Interval) -> &[Interval] {
    let first = intervals.partition_point(|interval| interval.end <= range.start);
    let rest = &intervals[first..];
    &rest[..rest.partition_point(|interval| interval.start < range.end)]
}

/// A name of what the evaluation of a slice depends on in a definition.
pub(crate) fn definition_hash(spec: &Spec) -> u64 {
    hash_of(spec)
}
