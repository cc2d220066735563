//! What objectives counted, where agreements judge by them: events, the same for every customer who pays.
//!
//! An agreement lays its own exclusions and losses over them, so they are counted here as if there were none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{col, lit};
use nines_slo::{Counts, Covered};
use nines_timeline::{Interval, State};

use super::period_terms::PeriodTerms;
use super::presence::Seen;
use crate::evaluate::{DAY, Detail, Evaluator, Prepared, Question, Running, Selection};

/// How many days after what is judged are looked at: their events say that the days before are stored.
const AFTER: i64 = 2;

/// Objectives whose events are to be counted.
#[derive(Debug, Default)]
pub(super) struct Asked(BTreeMap<String, Prepared>);

/// What each of them counted.
#[derive(Debug, Default)]
pub(super) struct Events(BTreeMap<String, OfObjective>);

#[derive(Debug, Default)]
struct OfObjective {
    /// Slice by slice, ascending.
    counts: Vec<Counts>,
    /// When there were events: a slice that is an error because there were none is no sign of anything that is stored.
    seen: Seen,
}

impl Asked {
    /// Finds out what has to be read of the objectives by which some agreements judge.
    pub async fn of(judging: &PeriodTerms, evaluator: &Evaluator<'_>) -> Result<Asked> {
        let mut reads: BTreeMap<String, Interval> = BTreeMap::new();
        for (_, agreement) in judging.agreements() {
            for (_, covered) in judging.judges(agreement) {
                for name in covered.terms.objectives().filter(|name| judging.has_objective(name)) {
                    let own = judging.reads_of_all(&covered);
                    let known = reads.entry(name.to_string()).or_insert(own);
                    *known = Interval::new(known.start.min(own.start), known.end.max(own.end));
                }
            }
        }
        let mut asked = BTreeMap::new();
        for (name, reads) in reads {
            let question = Question {
                ranges: vec![Interval::new(reads.start, reads.end + AFTER * DAY)],
                detail: Detail::Slices,
                selection: Selection::new(&[col("objective").eq(lit(name.as_str()))], &["objective"]),
                composites: false,
                fresh: true,
                bare: true,
            };
            asked.insert(name, evaluator.prepare(&question).await?);
        }
        Ok(Asked(asked))
    }

    /// Counts.
    pub async fn count(&self, judging: &PeriodTerms, context: &Arc<TaskContext>) -> Result<Events> {
        let mut found = BTreeMap::new();
        for (name, prepared) in &self.0 {
            let counted = Running::start(&prepared.leaves, context)?.all().await?;
            let mut events = OfObjective::default();
            for part in prepared.kept.iter().chain(&counted) {
                if part.uncounted || part.slices().is_empty() && part.total > 0 {
                    return exec_err!(
                        "what objective '{name}' counted is no longer stored slice by slice: rows that an agreement judges by it \
                         were removed"
                    );
                }
                for slice in part.slices() {
                    let (valid, failed) = match (slice.total, slice.state) {
                        // Nothing was counted, and the objective says that this is an error.
                        (0, State::Error) => (1, 1),
                        (0, State::Ok | State::NoData | State::Excluded) => continue,
                        (total, _) => (total, total - slice.good),
                    };
                    if slice.total > 0 {
                        events.seen.requests = true;
                        events.seen.see(judging.midnights.stretch(slice.start), slice.start);
                    }
                    events.counts.push(Counts { start: slice.start, valid, failed });
                }
            }
            events.counts.sort_unstable_by_key(|counts| counts.start);
            found.insert(name.clone(), events);
        }
        Ok(Events(found))
    }
}

impl Events {
    /// What an objective counted in slices that begin in some time, ascending.
    pub fn of(&self, objective: &str, within: Interval) -> &[Counts] {
        let all = self.0.get(objective).map_or(&[][..], |of| of.counts.as_slice());
        let from = all.partition_point(|counts| counts.start < within.start);
        let until = all.partition_point(|counts| counts.start < within.end);
        &all[from..until.max(from)]
    }

    /// When there were any, by objective.
    pub fn seen(&self) -> BTreeMap<String, Seen> {
        self.0.iter().map(|(name, of)| (name.clone(), of.seen.clone())).collect()
    }
}

impl PeriodTerms {
    /// Whether there is such an objective.
    pub fn has_objective(&self, name: &str) -> bool {
        self.definitions.objectives.iter().any(|objective| objective.name == name)
    }

    /// The time whose events an agreement needs.
    fn reads_of_all(&self, covered: &Covered<'_>) -> Interval {
        let lost: Vec<Interval> = self.lost.iter().map(|incident| incident.interval(self.watermark)).collect();
        covered.reads(&lost)
    }

    /// Refuses slices that those of the objectives do not make up, and objectives that there are not.
    pub fn check_objectives(&self, name: &str, covered: &Covered<'_>) -> Result<()> {
        for metric in covered.metrics() {
            let Some(judged) = &metric.terms.objective else { continue };
            let Some(objective) = self.definitions.objectives.iter().find(|own| own.name == *judged) else {
                let names: BTreeSet<&str> = self.definitions.objectives.iter().map(|own| own.name.as_str()).collect();
                let names: Vec<&str> = names.into_iter().collect();
                let meant = nines_slo::nearest(judged, &names)
                    .map_or_else(String::new, |near| format!("; did you mean '{near}'?"));
                return exec_err!(
                    "agreement {name} judges by the objective '{judged}', and there is none of this name{meant}"
                );
            };
            let grid = metric.grid();
            let versions = objective.versions.iter().filter(|version| {
                let in_force = version.in_force;
                in_force.start < metric.interval.end && metric.interval.start < in_force.end
            });
            for version in versions {
                let slices = version.spec.slices;
                if metric.terms.slice % slices.width() != 0 || !slices.begins(grid.start_of(metric.interval.start)) {
                    return exec_err!(
                        "agreement {name} counts slices of {} s, which the slices of objective '{judged}', of {} s, do not make up",
                        metric.terms.slice / nines_timeline::MICROS,
                        slices.width() / nines_timeline::MICROS
                    );
                }
            }
        }
        Ok(())
    }
}
