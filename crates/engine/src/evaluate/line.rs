//! From parts to lines: what each objective was over a whole range.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::exec_err;
use datafusion::error::Result;
use nines_slo::{Budgeting, Spec};
use nines_timeline::{ExactSum, Grid, Interval, State, Timeline};

use super::part::{Part, joined};
use super::prepare::Prepared;
use super::subject::Subject;

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
    pub ratio_sum: f64,
    pub ok_slices: i64,
    pub error_slices: i64,
    pub approximate: bool,
}

impl Line {
    /// The figure by the budgeting method; `None` when nothing was measured.
    pub fn slo(&self) -> Option<f64> {
        let judged = self.ok_slices + self.error_slices;
        match self.spec.budgeting {
            Budgeting::Timeslices => (judged > 0).then(|| quotient(self.ok_slices, judged)),
            Budgeting::RatioTimeslices => (judged > 0).then(|| self.ratio_sum / judged as f64),
            Budgeting::Occurrences => (self.total > 0).then(|| quotient(self.good, self.total)),
        }
    }

    /// Whether the figure is at least the target, exactly where it is a quotient of integers.
    pub fn is_met(&self) -> Option<bool> {
        let judged = self.ok_slices + self.error_slices;
        let target = self.spec.target;
        match self.spec.budgeting {
            Budgeting::Timeslices => (judged > 0).then(|| target.met_by(self.ok_slices, judged)),
            Budgeting::Occurrences => (self.total > 0).then(|| target.met_by(self.good, self.total)),
            Budgeting::RatioTimeslices => {
                self.slo().map(|slo| slo >= target.numerator() as f64 / target.denominator() as f64)
            }
        }
    }

    /// (1 − figure) / (1 − target); `None` when the target is 1 or nothing was measured.
    pub fn burn_rate(&self) -> Option<f64> {
        self.burn(|spent, _| spent)
    }

    /// 1 − burn rate.
    pub fn budget_remaining(&self) -> Option<f64> {
        self.burn(|spent, budget| budget - spent)
    }

    /// A multiple of the budget, of what was spent and of what there is; a quotient of integers is divided once.
    fn burn(&self, part: fn(i128, i128) -> i128) -> Option<f64> {
        let target = self.spec.target;
        let judged = self.ok_slices + self.error_slices;
        let exact = |bad: i64, all: i64| {
            let budget = i128::from(all) * i128::from(target.denominator() - target.numerator());
            let spent = i128::from(bad) * i128::from(target.denominator());
            (budget > 0).then(|| nines_timeline::quotient(part(spent, budget), budget))
        };
        match self.spec.budgeting {
            Budgeting::Timeslices => exact(self.error_slices, judged),
            Budgeting::Occurrences => exact(self.total - self.good, self.total),
            Budgeting::RatioTimeslices => {
                let budget = (target.denominator() - target.numerator()) as f64 / target.denominator() as f64;
                let spent = (judged > 0 && budget > 0.0).then(|| (1.0 - self.ratio_sum / judged as f64) / budget)?;
                Some(if part(0, 1) == 0 { spent } else { 1.0 - spent })
            }
        }
    }
}

fn quotient(numerator: i64, denominator: i64) -> f64 {
    nines_timeline::quotient(numerator.into(), denominator.into())
}

/// The lines of a range, by business, service and objective.
pub(crate) fn lines(prepared: &Prepared, parts: &[&Part], range: usize) -> Result<Vec<Line>> {
    let of_range = parts.iter().copied().filter(|part| part.range == range).collect();
    lines_of(prepared, of_range, prepared.ranges[range])
}

/// The lines of parts that lie in a range and do not overlap.
pub(crate) fn lines_of(prepared: &Prepared, parts: Vec<&Part>, range: Interval) -> Result<Vec<Line>> {
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let parts = by_subject(parts, prepared.subjects.len());
    let touches = |subject: &Subject| subject.in_force.start < range.end && subject.in_force.end > range.start;
    // An objective that was of one service, then of another, has a line for each.
    let mut versions: BTreeMap<(&str, &str, &str), Vec<usize>> = BTreeMap::new();
    for (number, subject) in prepared.subjects.iter().enumerate().filter(|(_, subject)| touches(subject)) {
        versions.entry((&subject.business, &subject.service, &subject.name)).or_default().push(number);
    }
    let mut lines = Vec::with_capacity(versions.len());
    for numbers in versions.into_values() {
        let own: Vec<&Part> = numbers.iter().flat_map(|&number| &parts[number]).copied().collect();
        let of = || numbers.iter().map(|&number| &prepared.subjects[number]);
        if let Some(newest) = of().next_back() {
            let slices = of().map(|subject| subject.spec.slices).reduce(Grid::common).unwrap_or(newest.spec.slices);
            let span = slices.beginning(range);
            // The last slice that begins in the range may be a wide one.
            let ends = of().map(|subject| {
                let own = subject.spec.slices.beginning(range);
                own.end.min(subject.in_force.end)
            });
            let span = Interval::new(span.start, ends.fold(span.end, i64::max));
            lines.push(line(newest, slices.width(), &own, span, &prepared.subjects)?);
        }
    }
    Ok(lines)
}

/// The parts of each subject in order of time.
fn by_subject(parts: Vec<&Part>, subjects: usize) -> Vec<Vec<&Part>> {
    let mut counts = vec![0usize; subjects];
    parts.iter().for_each(|part| counts[part.subject] += 1);
    let mut of: Vec<Vec<&Part>> = counts.into_iter().map(Vec::with_capacity).collect();
    parts.into_iter().for_each(|part| of[part.subject].push(part));
    // They come in runs that are sorted already.
    of.iter_mut().for_each(|parts| parts.sort_by_key(|part| part.interval.start));
    of
}

/// A line of the version `last`; where no part speaks, nothing is known.
fn line(last: &Subject, slice: i64, parts: &[&Part], span: Interval, subjects: &[Arc<Subject>]) -> Result<Line> {
    let timeline = joined(span, slice, parts.iter().copied())?;
    let mut line = Line {
        business: Arc::clone(&last.business),
        service: Arc::clone(&last.service),
        objective: Arc::clone(&last.name),
        spec: Arc::clone(&last.spec),
        timeline,
        good: 0,
        total: 0,
        ratio_sum: 0.0,
        ok_slices: 0,
        error_slices: 0,
        approximate: false,
    };
    // Rounded once, so that it does not matter how a range is cut into parts.
    line.ratio_sum = parts.iter().map(|part| part.ratio_sum).collect::<ExactSum>().value();
    for part in parts {
        let slice = subjects[part.subject].spec.slice;
        let spent = |state: State| part.runs.iter().filter(|r| r.state == state).map(|r| r.duration()).sum::<i64>();
        let (error, no_data, excluded) = (spent(State::Error), spent(State::NoData), spent(State::Excluded));
        line.ok_slices += (part.interval.duration() - error - no_data - excluded) / slice;
        line.error_slices += error / slice;
        let (Some(good), Some(total)) = (line.good.checked_add(part.good), line.total.checked_add(part.total)) else {
            return exec_err!("the events of {} in the range add up to more than 64 bits hold", last.name);
        };
        (line.good, line.total) = (good, total);
        line.approximate |= part.approximate;
    }
    Ok(line)
}
