//! From parts to lines: what each objective was over a whole range.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::exec_err;
use datafusion::error::Result;
use nines_slo::{Budgeting, Indicator, Limit, Spec};
use nines_timeline::{
    ALLOWANCE, Budget, Grid, Interval, MICROS, RATIO, Share, State, Timeline, intersection, quotient,
};

use super::part::{Part, joined};
use super::prepare::Prepared;
use super::subject::{Between, Subject, touching};
use crate::threads::by_threads;

/// An objective over a range: one line per objective and service that it was of.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub business: Arc<str>,
    pub service: Arc<str>,
    pub objective: Arc<str>,
    /// The version that was in force last.
    pub spec: Arc<Spec>,
    pub timeline: Timeline,
    pub good: i64,
    pub total: i64,
    /// Which subjects are its versions, by time.
    pub versions: Vec<usize>,
    /// What each of its versions counted.
    pub counted: Vec<Counted>,
    /// Slices that are neither measured nor over at the watermark, nor excluded: ascending and apart.
    pub ahead: Vec<Interval>,
    /// Slices in error because telemetry was lost: ascending and apart.
    pub lost: Vec<Interval>,
    /// How long it was ok or in error by what `noData` says, in µs.
    pub assumed: i64,
    /// End of the last stored slice with data.
    pub last_data: Option<i64>,
    /// Where a latency threshold lies, if requests lie there of which it is not known on which side of it.
    pub between: Option<Between>,
    /// Whether its method needs counts of slices of which only the state is known: it has no figure then.
    pub uncounted: bool,
}

/// What was counted under one version, whose target was in force.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub target: Share,
    pub budgeting: Budgeting,
    /// Width of a slice in µs.
    pub slice: i64,
    pub good: i64,
    pub total: i64,
    pub ok_slices: i64,
    pub error_slices: i64,
    /// Slices that are still ahead.
    pub ahead: i64,
    /// Sum of the ratios of its ok and error slices, in units of 1 / [`RATIO`]; only by RatioTimeslices.
    pub ratios: i128,
}

impl Counted {
    fn judged(&self) -> i64 {
        self.ok_slices + self.error_slices
    }

    fn has_ratios(&self) -> bool {
        self.budgeting == Budgeting::RatioTimeslices && self.judged() > 0
    }

    /// What its slices are worth by its own method, in units of 1 / [`RATIO`].
    fn kept(&self) -> i128 {
        match self.budgeting {
            Budgeting::RatioTimeslices => self.ratios,
            Budgeting::Timeslices | Budgeting::Occurrences => i128::from(self.ok_slices) * RATIO,
        }
    }
}

/// How many seconds intervals that lie apart are together.
pub(crate) fn seconds_of(apart: &[Interval]) -> f64 {
    quotient(apart.iter().map(|interval| i128::from(interval.duration())).sum(), MICROS.into())
}

impl Line {
    fn sum(&self, of: impl Fn(&Counted) -> i64) -> i64 {
        self.counted.iter().map(of).sum()
    }

    /// Seconds that were ok or in error by what `noData` says alone.
    pub fn assumed_seconds(&self) -> f64 {
        quotient(self.assumed.into(), MICROS.into())
    }

    /// Seconds in error because telemetry was lost.
    pub fn lost_seconds(&self) -> f64 {
        seconds_of(&self.lost)
    }

    /// The budgeting method: that of the last version under which anything was measured. One that takes effect after all data
    /// says nothing of the past.
    fn method(&self) -> Budgeting {
        let measured = self.counted.iter().rfind(|of| of.judged() > 0);
        let method = measured.map_or(self.spec.budgeting, |of| of.budgeting);
        // Slices of both methods add up, each by its own.
        match method == Budgeting::Timeslices && self.counted.iter().any(Counted::has_ratios) {
            true => Budgeting::RatioTimeslices,
            false => method,
        }
    }

    /// The figure by the budgeting method; `None` when nothing was measured, or what was counted is not known.
    pub fn slo(&self) -> Option<f64> {
        if self.uncounted {
            return None;
        }
        let (good, all) = match self.method() {
            Budgeting::Timeslices => (self.sum(|of| of.ok_slices).into(), i128::from(self.sum(Counted::judged))),
            Budgeting::RatioTimeslices => {
                (self.counted.iter().map(Counted::kept).sum(), i128::from(self.sum(Counted::judged)) * RATIO)
            }
            Budgeting::Occurrences => (self.good.into(), self.total.into()),
        };
        (all > 0).then(|| quotient(good, all))
    }

    /// What was promised of all that was measured, and how much of it was bad. Promised is the target in force at each slice, or
    /// the one that is given instead.
    pub fn measured(&self, instead: Option<Share>) -> Budget {
        self.budget(instead, false)
    }

    /// The budget of the range: what was measured and what is still ahead; by Occurrences of the events so far.
    pub fn whole(&self, instead: Option<Share>) -> Budget {
        self.budget(instead, true)
    }

    fn budget(&self, instead: Option<Share>, ahead: bool) -> Budget {
        let method = self.method();
        let mut budget = match method {
            Budgeting::Timeslices | Budgeting::Occurrences => Budget::of_counts(),
            Budgeting::RatioTimeslices => Budget::of_ratios(),
        };
        for of in self.counted.iter().filter(|_| !self.uncounted) {
            let target = instead.unwrap_or(of.target);
            let slices = of.judged() + if ahead { of.ahead } else { 0 };
            match method {
                Budgeting::Timeslices => {
                    budget.promise(target, slices);
                    budget.spend(of.error_slices);
                }
                Budgeting::RatioTimeslices => {
                    budget.promise(target, slices);
                    budget.spend_but(of.judged(), of.kept());
                }
                Budgeting::Occurrences => {
                    budget.promise(target, of.total);
                    budget.spend(of.total - of.good);
                }
            }
        }
        budget
    }

    /// How much may be bad: seconds, by Occurrences events; `None` when what was counted is not known.
    pub fn allowed(&self, instead: Option<Share>) -> Option<f64> {
        let method = self.method();
        let of_version = |of: &Counted| {
            let target = instead.unwrap_or(of.target);
            match method {
                Budgeting::Timeslices | Budgeting::RatioTimeslices => {
                    quotient(target.allowance() * i128::from(of.judged() + of.ahead), ALLOWANCE)
                        * quotient(of.slice.into(), MICROS.into())
                }
                Budgeting::Occurrences => quotient(target.allowance() * i128::from(of.total), ALLOWANCE),
            }
        };
        (!self.uncounted).then(|| self.counted.iter().map(of_version).sum())
    }

    /// Where the latency threshold lies between two that are known, for people; `None` where the figure is exact.
    pub fn approximation(&self) -> Option<String> {
        let Between { counted_to, sure_from } = self.between?;
        let threshold = match &self.spec.indicator {
            Indicator::Latency { limit: Limit::Micros(micros), .. } => latency(*micros),
            _ => "baseline".to_string(),
        };
        let sure = match sure_from {
            i64::MAX => "no stored bound above it".to_string(),
            micros => format!("sure from {}", latency(micros)),
        };
        Some(format!("≈ {threshold}: counted to {}, {sure}", latency(counted_to)))
    }

    /// Whether the figure is at least the target that was in force, exactly.
    pub fn is_met(&self) -> Option<bool> {
        self.measured(None).is_met()
    }
}

/// A latency as people write it, to four digits.
pub(crate) fn latency(micros: i64) -> String {
    let (value, unit) = match micros {
        ..1_000 => (micros as f64, "µs"),
        1_000..1_000_000 => (micros as f64 / 1e3, "ms"),
        _ => (micros as f64 / 1e6, "s"),
    };
    let places = if value >= 1000.0 { 0 } else { 3 - (value.max(1.0).log10() as usize).min(3) };
    let text = format!("{value:.places$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

/// The lines of a range, by business, service and objective.
pub(crate) fn lines(prepared: &Prepared, parts: &[&Part], range: usize) -> Result<Vec<Line>> {
    lines_of(prepared, parts.iter().copied().filter(|part| part.range == range), prepared.ranges[range])
}

/// The lines of parts that lie in a range and do not overlap.
pub(crate) fn lines_of<'a>(
    prepared: &Prepared,
    parts: impl Iterator<Item = &'a Part> + Clone,
    range: Interval,
) -> Result<Vec<Line>> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let (parts, count) = by_subject(parts, prepared.subjects.len());
    let touches = |subject: &Subject| subject.in_force.start < range.end && subject.in_force.end > range.start;
    // An objective that was of one service, then of another, has a line for each.
    let mut versions: BTreeMap<(&str, &str, &str), Vec<usize>> = BTreeMap::new();
    for (number, subject) in prepared.subjects.iter().enumerate().filter(|(_, subject)| touches(subject)) {
        versions.entry((&subject.business, &subject.service, &subject.name)).or_default().push(number);
    }
    let threads = if count < WORTH_THREADS { 1 } else { prepared.threads };
    let line = |numbers: Vec<usize>| line_of(prepared, &parts, numbers, range).transpose();
    by_threads(versions.into_values().collect(), threads, AT_ONCE, line).into_iter().collect()
}

/// How many parts take longer to add up than threads to start.
const WORTH_THREADS: usize = 20_000;

/// How many lines a thread makes at once.
const AT_ONCE: usize = 16;

/// The line of the versions of an objective; none if there are none.
fn line_of(prepared: &Prepared, parts: &[Vec<&Part>], numbers: Vec<usize>, range: Interval) -> Result<Option<Line>> {
    let own: Vec<&Part> = numbers.iter().flat_map(|&number| &parts[number]).copied().collect();
    let of = || numbers.iter().map(|&number| &prepared.subjects[number]);
    let Some(newest) = of().next_back() else { return Ok(None) };
    let slices = of().map(|subject| subject.spec.slices).reduce(Grid::common).unwrap_or(newest.spec.slices);
    let span = slices.beginning(range);
    // The last slice that begins in the range may be a wide one.
    let ends = of().map(|subject| {
        let own = subject.spec.slices.beginning(range);
        own.end.min(subject.in_force.end)
    });
    let span = Interval::new(span.start, ends.fold(span.end, i64::max));
    let mut line = line(newest, slices.width(), &own, span, prepared)?;
    numbers.iter().for_each(|&number| line.count(&prepared.subjects[number], &parts[number]));
    line.versions = numbers;
    Ok(Some(line))
}

/// The parts of each subject in order of time, and how many there are.
fn by_subject<'a>(parts: impl Iterator<Item = &'a Part> + Clone, subjects: usize) -> (Vec<Vec<&'a Part>>, usize) {
    let mut counts = vec![0usize; subjects];
    parts.clone().for_each(|part| counts[part.subject] += 1);
    let count = counts.iter().sum();
    let mut of: Vec<Vec<&Part>> = counts.into_iter().map(Vec::with_capacity).collect();
    parts.for_each(|part| of[part.subject].push(part));
    // They come in runs that are sorted already.
    of.iter_mut().for_each(|parts| parts.sort_by_key(|part| part.interval.start));
    (of, count)
}

/// A line of the version `last`; where no part speaks, nothing is known.
fn line(last: &Subject, slice: i64, parts: &[&Part], span: Interval, prepared: &Prepared) -> Result<Line> {
    let timeline = joined(span, slice, parts.iter().copied())?;
    let mut line = Line {
        business: Arc::clone(&last.business),
        service: Arc::clone(&last.service),
        objective: Arc::clone(&last.name),
        spec: Arc::clone(&last.spec),
        timeline,
        good: 0,
        total: 0,
        versions: Vec::new(),
        counted: Vec::new(),
        ahead: Vec::new(),
        lost: Vec::new(),
        assumed: 0,
        last_data: None,
        between: None,
        uncounted: false,
    };
    for part in parts {
        let (Some(good), Some(total)) = (line.good.checked_add(part.good), line.total.checked_add(part.total)) else {
            return exec_err!("the events of {} in the range add up to more than 64 bits hold", last.name);
        };
        (line.good, line.total) = (good, total);
        line.assumed += part.assumed * prepared.subjects[part.subject].spec.slice;
        line.last_data = line.last_data.max(part.last_data);
        line.between = Between::joined(line.between, part.between);
    }
    Ok(line)
}

impl Line {
    /// Adds what was counted under a version, from its parts.
    fn count(&mut self, subject: &Subject, parts: &[&Part]) {
        let slice = subject.spec.slice;
        let mut counted = Counted {
            target: subject.spec.target,
            budgeting: subject.spec.budgeting,
            slice,
            good: 0,
            total: 0,
            ok_slices: 0,
            error_slices: 0,
            ahead: 0,
            ratios: 0,
        };
        for part in parts {
            let spent = |state: State| part.runs.iter().filter(|r| r.state == state).map(|r| r.duration()).sum::<i64>();
            let (error, no_data, excluded) = (spent(State::Error), spent(State::NoData), spent(State::Excluded));
            counted.ok_slices += (part.interval.duration() - error - no_data - excluded) / slice;
            counted.error_slices += error / slice;
            counted.good = counted.good.saturating_add(part.good);
            counted.total = counted.total.saturating_add(part.total);
            counted.ratios += part.ratios;
            self.uncounted |= part.uncounted && subject.spec.budgeting != Budgeting::Timeslices;
        }
        let own = Interval::new(
            subject.in_force.start.max(self.timeline.start()),
            subject.in_force.end.min(self.timeline.end()),
        );
        let lost = touching(&subject.lost, own).iter().copied();
        self.lost.extend(intersection(intersection(lost, [own]), self.timeline.intervals(State::Error)));
        if let Some(from) = subject.not_over_from() {
            let ahead =
                intersection(self.timeline.intervals(State::NoData), [Interval::new(own.start.max(from), own.end)]);
            counted.ahead = ahead.iter().map(|interval| interval.duration()).sum::<i64>() / slice;
            self.ahead.extend(ahead);
        }
        self.counted.push(counted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_have_four_digits() {
        let told = [300_000, 297_301, 303_814, 250_000, 1_000_000, 2_594_679, 12_345_678, 950, 0].map(latency);
        assert_eq!(told, ["300 ms", "297.3 ms", "303.8 ms", "250 ms", "1 s", "2.595 s", "12.35 s", "950 µs", "0 µs"]);
    }
}
