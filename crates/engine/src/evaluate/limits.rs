//! Latency limits that follow from data: a month's is the service-wide quantile of the month before.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::{col, lit};
use nines_slo::{Month, Spec};
use nines_store::ByDay;
use nines_timeline::histogram::{Histogram, TooMany};
use nines_timeline::{Interval, Share};

use super::columns::{BUSINESS, Columns, SERVICE};
use super::evaluator::Evaluator;
use super::fold::{Fold, fold};
use super::inputs::Inputs;
use super::keep::Fact;
use super::known::Known;
use super::name::hash_of;
use super::subject::{Bound, LimitAt, Subject};
use super::{DAY, EVALUATOR};

const BASELINE: &str = "baseline";
/// The same of a month before which rows were removed.
const SEALED_BASELINE: &str = "sealed baseline";
/// The value kept for a limit of zero seconds, below every bucket.
const ZERO: i64 = i64::MIN;

/// Whose latencies make a limit, and which of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Source {
    service: String,
    /// Those that it is narrowed to.
    narrowed: Vec<String>,
    /// That of the service, with rows that name none.
    declared: Option<String>,
    zone: String,
    quantile: Share,
}

/// A limit that must be worked out.
struct Missing {
    source: Source,
    spec: Arc<Spec>,
    month: Month,
    /// The month before it.
    interval: Interval,
    key: i64,
}

impl Evaluator<'_> {
    /// Fills in the limits of those subjects whose limits follow from data, for every month that touches `range`.
    pub async fn limits(
        &self,
        inputs: &Inputs,
        subjects: &mut [Subject],
        range: Interval,
        known: &mut Known,
        new: &mut Vec<Fact>,
    ) -> Result<()> {
        let mut limits: HashMap<(Source, Month), Option<Bound>> = HashMap::new();
        let mut missing: Vec<Missing> = Vec::new();
        for subject in subjects.iter() {
            let Some(source) = source(&subject.spec) else { continue };
            for month in self.months(&subject.spec, inputs, range) {
                let Some(interval) = month.before().interval(subject.spec.time_zone) else { continue };
                let place = (source.clone(), month);
                if limits.contains_key(&place) {
                    continue;
                }
                let days = interval.start.div_euclid(DAY) as i32..=(interval.end - 1).div_euclid(DAY) as i32;
                if inputs.lacks(&days) {
                    // Rows of the month before are gone: what it was when they went stays.
                    let sealed = known.0.get(&(SEALED_BASELINE.into(), lasting_name(&source), month.to_string()));
                    limits.insert(place, sealed.and_then(|(_, value, _)| value.map(bound_of)));
                    continue;
                }
                let key = hash_of(&(EVALUATOR, inputs.hash_in(days))) as i64;
                let kept = known.0.get(&(BASELINE.into(), subject_name(&source), month.to_string()));
                match kept.filter(|(at, _, _)| *at == key) {
                    Some((_, value, _)) => {
                        limits.insert(place, value.map(bound_of));
                    }
                    None => {
                        limits.insert(place, None);
                        let (spec, source) = (Arc::clone(&subject.spec), source.clone());
                        missing.push(Missing { source, spec, month, interval, key });
                    }
                }
            }
        }
        if !missing.is_empty() {
            for (missing, histogram) in self.histograms(inputs, missing).await? {
                let bucket = bucket_of(&histogram, missing.source.quantile)?;
                let value = bucket.map(|bucket| bucket.map_or(ZERO, i64::from));
                let fact = Fact {
                    fact: BASELINE,
                    subject: subject_name(&missing.source),
                    period: missing.month.to_string(),
                    key: missing.key,
                    value,
                    text: String::new(),
                };
                known.0.insert(
                    (BASELINE.into(), fact.subject.clone(), fact.period.clone()),
                    (fact.key, fact.value, String::new()),
                );
                new.push(fact);
                limits.insert((missing.source, missing.month), value.map(bound_of));
            }
        }
        for subject in subjects {
            let Some(source) = source(&subject.spec) else { continue };
            let zone = subject.spec.time_zone;
            let months = self.months(&subject.spec, inputs, range);
            subject.limits = months
                .filter_map(|month| {
                    let limit = limits.get(&(source.clone(), month)).copied().flatten();
                    Some(LimitAt { interval: month.interval(zone)?, limit })
                })
                .collect();
        }
        Ok(())
    }

    /// The limits of months that were worked out, or were there, to stay when rows of the months before go.
    pub(super) fn sealed_limits(
        &self,
        inputs: &Inputs,
        subjects: &[Subject],
        range: Interval,
        known: &Known,
    ) -> Vec<Fact> {
        let mut sealed: BTreeMap<(String, String), Option<i64>> = BTreeMap::new();
        for source in subjects.iter().filter_map(|subject| Some((subject, source(&subject.spec)?))) {
            let (subject, source) = source;
            for month in self.months(&subject.spec, inputs, range) {
                let place = (BASELINE.to_string(), subject_name(&source), month.to_string());
                let Some((_, value, _)) = known.0.get(&place) else { continue };
                sealed.insert((lasting_name(&source), month.to_string()), *value);
            }
        }
        let facts = sealed.into_iter().map(|((subject, period), value)| Fact {
            fact: SEALED_BASELINE,
            subject,
            period,
            key: 0,
            value,
            text: String::new(),
        });
        facts.collect()
    }

    /// What was sealed of the limits of an objective, by month.
    pub(super) fn sealed_limits_of(known: &Known, spec: &Spec) -> Vec<(Month, Option<Bound>)> {
        let Some(name) = source(spec).map(|source| lasting_name(&source)) else { return Vec::new() };
        let sealed = known.0.iter().filter_map(|((fact, subject, month), (_, value, _))| {
            let is_of_it = fact == SEALED_BASELINE && *subject == name;
            Some((month.parse::<Month>().ok().filter(|_| is_of_it)?, value.map(bound_of)))
        });
        sealed.collect()
    }

    /// The first month of which a limit was sealed.
    pub(super) fn first_sealed_month(known: &Known) -> Option<Month> {
        let sealed = known.0.keys().filter(|(fact, ..)| fact == SEALED_BASELINE);
        sealed.filter_map(|(.., month)| month.parse::<Month>().ok()).min()
    }

    /// The months that touch a range in which there may be rows.
    fn months(&self, spec: &Spec, inputs: &Inputs, range: Interval) -> impl Iterator<Item = Month> + use<> {
        let zone = spec.time_zone;
        let first = inputs.days().next().map_or(i64::MAX, |day| i64::from(day) * DAY);
        let covered = Interval::new(range.start.max(first), range.end.min(inputs.watermark));
        let first = if covered.is_empty() { None } else { Month::of(covered.start, zone) };
        let last = first.and_then(|first| Month::of(covered.end - 1, zone).map(|last| (first, last)));
        last.into_iter().flat_map(|(first, last)| first.up_to(last))
    }

    /// The latencies that make each missing limit: one scan of the months that they are of.
    async fn histograms(&self, inputs: &Inputs, missing: Vec<Missing>) -> Result<Vec<(Missing, Histogram)>> {
        let Some(snapshot) = &inputs.snapshot else {
            return Ok(missing.into_iter().map(|missing| (missing, Histogram::default())).collect());
        };
        let days = missing.iter().flat_map(|missing| {
            let (from, to) = (missing.interval.start.div_euclid(DAY), (missing.interval.end - 1).div_euclid(DAY));
            inputs.days_in(from as i32..=to as i32)
        });
        let mut days: Vec<i32> = days.collect();
        days.sort_unstable();
        days.dedup();
        let mut services: Vec<&str> = missing.iter().map(|missing| missing.source.service.as_str()).collect();
        services.sort_unstable();
        services.dedup();
        let filter = col("service").in_list(services.into_iter().map(lit).collect(), false);
        let columns = ["time", "business", "service", "status", "latency"];
        let missing = Arc::new(missing);
        let mut total = vec![Buckets::default(); missing.len()];
        if !days.is_empty() {
            let partitions = self.session.config().target_partitions();
            let request =
                ByDay { days: &days, columns: &columns, filter: Some(filter), exact: true, partitions, lead_in: 0 };
            let scan = snapshot.scan_by_day(self.session, &request)?.plan;
            let begin = |memory| Latencies::new(Arc::clone(&missing), memory);
            for partial in fold(&scan, &self.session.task_ctx(), "latency limits", begin).await? {
                total.iter_mut().zip(partial).try_for_each(|(all, part)| all.merge(&part))?;
            }
        }
        let missing = Arc::try_unwrap(missing).unwrap_or_else(|shared| shared.iter().map(Missing::copied).collect());
        Ok(missing.into_iter().zip(total).map(|(missing, buckets)| (missing, buckets.histogram())).collect())
    }
}

impl Missing {
    fn copied(&self) -> Missing {
        Missing { source: self.source.clone(), spec: Arc::clone(&self.spec), ..*self }
    }
}

/// Adds up the latencies that make each limit.
struct Latencies {
    missing: Arc<Vec<Missing>>,
    by_service: HashMap<String, Vec<usize>>,
    all: Vec<Buckets>,
    memory: MemoryReservation,
}

impl Latencies {
    fn new(missing: Arc<Vec<Missing>>, memory: MemoryReservation) -> Self {
        let mut by_service: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, missing) in missing.iter().enumerate() {
            by_service.entry(missing.source.service.clone()).or_default().push(at);
        }
        Latencies { all: vec![Buckets::default(); missing.len()], missing, by_service, memory }
    }
}

impl Fold for Latencies {
    type Folded = Vec<Buckets>;

    fn rows(&mut self, batch: &RecordBatch, _: i32) -> Result<()> {
        let Latencies { missing, by_service, all, .. } = self;
        let columns = Columns::of(batch)?;
        let (Some(latency), Some(status)) = (&columns.latency, columns.status) else { return Ok(()) };
        for row in 0..batch.num_rows() {
            if !(100..400).contains(&status.value(row)) || !latency.is_known(row) {
                continue;
            }
            let time = columns.time[row];
            for &at in by_service.get(columns.text(SERVICE, row)).into_iter().flatten() {
                let of = &missing[at];
                if of.interval.start <= time
                    && time < of.interval.end
                    && of.spec.counts_business(columns.text(BUSINESS, row))
                {
                    all[at].add_zeros(latency.zeros(row))?;
                    for (bucket, count) in latency.pairs(row) {
                        all[at].add(bucket, count)?;
                    }
                }
            }
        }
        let taken = self.all.iter().map(Buckets::size).sum();
        self.memory.try_resize(taken)
    }

    fn folded(self) -> Result<Vec<Buckets>> {
        Ok(self.all)
    }
}

/// A histogram to which many are added.
#[derive(Debug, Clone, Default)]
struct Buckets {
    zero: i64,
    /// Buckets from `-REACH` on, in one piece: an addition each.
    near: Vec<i64>,
    /// Durations that nobody has.
    far: BTreeMap<i32, i64>,
}

/// Buckets within 2^±32 seconds.
const REACH: i32 = 32 * 32;

impl Buckets {
    fn add_zeros(&mut self, count: i64) -> Result<()> {
        self.zero = self.zero.checked_add(count).ok_or_else(|| external(TooMany))?;
        Ok(())
    }

    fn add(&mut self, bucket: i32, count: i64) -> Result<()> {
        if self.near.is_empty() {
            self.near = vec![0; 2 * REACH as usize];
        }
        let known = match usize::try_from(bucket.saturating_add(REACH)).ok().and_then(|at| self.near.get_mut(at)) {
            Some(known) => known,
            None => self.far.entry(bucket).or_default(),
        };
        *known = known.checked_add(count).ok_or_else(|| external(TooMany))?;
        Ok(())
    }

    /// About how many bytes it takes.
    fn size(&self) -> usize {
        self.near.len() * size_of::<i64>() + self.far.len() * 32
    }

    fn pairs(&self) -> impl Iterator<Item = (i32, i64)> + '_ {
        let near = (-REACH..).zip(self.near.iter().copied()).filter(|(_, count)| *count > 0);
        near.chain(self.far.iter().map(|(bucket, count)| (*bucket, *count)))
    }

    fn merge(&mut self, other: &Buckets) -> Result<()> {
        self.add_zeros(other.zero)?;
        other.pairs().try_for_each(|(bucket, count)| self.add(bucket, count))
    }

    fn histogram(&self) -> Histogram {
        let mut buckets: Vec<(i32, i64)> = self.pairs().collect();
        buckets.sort_unstable();
        Histogram { zero: self.zero, buckets }
    }
}

fn source(spec: &Spec) -> Option<Source> {
    let narrowed: Vec<String> = spec.rows.businesses.iter().map(|pattern| pattern.text().to_string()).collect();
    Some(Source {
        service: spec.service.clone(),
        declared: spec.business.clone().filter(|_| narrowed.is_empty()),
        narrowed,
        zone: spec.time_zone.name().to_string(),
        quantile: spec.indicator.baseline()?,
    })
}

fn subject_name(source: &Source) -> String {
    format!("{:016x}", hash_of(source))
}

/// The same in words that stay the same in every version of nines.
fn lasting_name(source: &Source) -> String {
    let Source { service, narrowed, declared, zone, quantile } = source;
    let declared = declared.as_deref().unwrap_or_default();
    let quantile = quantile.allowance();
    format!("{service:?} {narrowed:?} {declared:?} {zone} {quantile}")
}

fn bound_of(value: i64) -> Bound {
    Bound::of_bucket(if value == ZERO { None } else { i32::try_from(value).ok() })
}

/// The bucket of the nearest rank; `Some(None)` if it is zero, `None` without any latency.
fn bucket_of(histogram: &Histogram, quantile: Share) -> Result<Option<Option<i32>>> {
    histogram.quantile_bucket(quantile).map_err(external)
}

fn external(error: TooMany) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
