//! The latency limits that follow from data, for people: what the table `baselines` shows.

use std::collections::HashMap;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::error::Result;
use nines_slo::Month;
use nines_store::TableKind;
use nines_timeline::{Interval, Share, histogram};

use super::DAY;
use super::common::Read;
use super::evaluator::Evaluator;
use super::keep::keep;
use super::part::Detail;
use super::prepare::Question;
use super::select::Selection;

/// The limit of an objective in a month.
#[derive(Debug)]
pub(crate) struct Baseline {
    pub objective: Arc<str>,
    pub business: Arc<str>,
    pub service: Arc<str>,
    pub month: String,
    pub interval: Interval,
    pub quantile: Share,
    /// In seconds; `None` where the month before has no latencies.
    pub threshold: Option<f64>,
}

impl Evaluator<'_> {
    /// Every limit of every month in which there are requests, or were before their days were sealed.
    pub async fn baselines(&self, read: &Read) -> Result<Vec<Baseline>> {
        let inputs = self.inputs(TableKind::Requests)?;
        let ranges = runs(inputs.days(), inputs.watermark);
        let (mut known, mut facts) = (self.known(None).await?, Vec::new());
        let first = Self::first_sealed_month(&known).and_then(|month| month.interval(Tz::UTC));
        // Zones begin a month up to a day earlier.
        let gone = first.map(|first| Interval::new(first.start - DAY, inputs.watermark.max(first.end)));
        if ranges.is_empty() && gone.is_none() {
            return Ok(Vec::new());
        }
        let asked = Question {
            ranges: ranges.iter().copied().chain(gone).collect(),
            detail: Detail::None,
            selection: Selection::default(),
            composites: false,
            fresh: false,
            bare: false,
        };
        let subjects = self.subjects_with_limits(&asked, &mut known, &mut facts).await?;
        let mut found: HashMap<(Arc<str>, Share, i64), Baseline> = HashMap::new();
        for subject in &subjects {
            let Some(quantile) = subject.spec.indicator.baseline() else { continue };
            let zone = subject.spec.time_zone;
            let touches = |range: &Interval, month: &Interval| range.start < month.end && range.end > month.start;
            let has_rows = |month: &Interval| ranges.iter().any(|range| touches(range, month));
            let sealed = Self::sealed_limits_of(&known, &subject.spec);
            let sealed = sealed.into_iter().filter_map(|(month, limit)| Some((month.interval(zone)?, limit)));
            let measured = subject.limits.iter().map(|limit| (limit.interval, limit.limit));
            for (interval, limit) in sealed.chain(measured.filter(|(interval, _)| has_rows(interval))) {
                let Some(month) = Month::of(interval.start, zone) else { continue };
                if !touches(&subject.in_force, &interval) {
                    continue;
                }
                let baseline = Baseline {
                    objective: Arc::clone(&subject.name),
                    business: Arc::clone(&subject.business),
                    service: Arc::clone(&subject.service),
                    month: month.to_string(),
                    interval,
                    quantile,
                    threshold: limit.map(|bound| bound.bucket.map_or(0.0, histogram::upper_bound)),
                };
                found.insert((Arc::clone(&subject.name), quantile, interval.start), baseline);
            }
        }
        if let Some(store) = self.keeps_in() {
            keep(store, &self.session.task_ctx(), Vec::new(), &facts, read).await;
        }
        let mut found: Vec<Baseline> = found.into_values().collect();
        found.sort_by(|a, b| (&a.objective, a.interval.start).cmp(&(&b.objective, b.interval.start)));
        Ok(found)
    }
}

/// Days of silence after which a range ends: longer than any month, so that none is left out between days with rows.
const SILENCE: i32 = 31;

/// The ranges of the days that have rows. A single row of a far year must not be reached through all the years between.
fn runs(days: impl Iterator<Item = i32>, watermark: i64) -> Vec<Interval> {
    let mut runs: Vec<(i32, i32)> = Vec::new();
    for day in days {
        match runs.last_mut() {
            Some((_, last)) if day - *last <= SILENCE => *last = day,
            _ => runs.push((day, day)),
        }
    }
    let ends = |last: i32| ((i64::from(last) + 1) * DAY).min(watermark);
    runs.into_iter().map(|(first, last)| Interval::new(i64::from(first) * DAY, ends(last))).collect()
}
