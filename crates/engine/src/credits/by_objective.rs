//! What objectives counted, where agreements judge by them: events, the same for every customer who pays.
//!
//! An agreement lays its own exclusions and losses over them, so they are counted here as if there were none.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{col, lit};
use nines_slo::{Agreement, Counts, Covered, Terms};
use nines_store::TableKind;
use nines_timeline::{Interval, State};

use super::judged_rows;
use super::period_terms::PeriodTerms;
use super::presence::Seen;
use crate::evaluate::{DAY, Detail, Evaluator, Question, Running, Selection};
use crate::names;

/// How many days after what is judged are looked at: their events say that the days before are stored.
const AFTER: i64 = 2;

/// What objectives counted.
#[derive(Debug, Default)]
pub(super) struct Events(BTreeMap<String, OfObjective>);

#[derive(Debug, Default)]
struct OfObjective {
    /// Slice by slice, ascending.
    counts: Vec<Counts>,
    /// When there were events: a slice that is an error because there were none is no sign of anything that is stored.
    seen: Seen,
}

impl PeriodTerms {
    /// Finds out what has to be read of the objectives by which some agreements judge.
    pub async fn ask_objectives(&mut self, evaluator: &Evaluator<'_>) -> Result<()> {
        let judging = &*self;
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
        self.asked_objectives = asked;
        Ok(())
    }

    /// Counts their events.
    pub async fn count_events(&self, context: &Arc<TaskContext>) -> Result<Events> {
        let mut found = BTreeMap::new();
        for (name, prepared) in &self.asked_objectives {
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
                        events.seen.see(self.midnights.stretch(slice.start), slice.start);
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

    /// The rows behind the objectives by which an agreement judges: of which table, and when.
    pub fn reads_of_objectives(&self, agreement: &Agreement) -> Result<Vec<(TableKind, Interval)>> {
        let mut found = Vec::new();
        for (_, covered) in self.judges(agreement) {
            for name in covered.terms.objectives() {
                let own = self.definitions.objectives.iter().filter(|objective| objective.name == name);
                for version in own.flat_map(|objective| &objective.versions) {
                    found.push((names::objective::table(&version.spec)?, self.reads_of_all(&covered)));
                }
            }
        }
        Ok(found)
    }

    /// The time whose events an agreement needs.
    pub fn reads_of_all(&self, covered: &Covered<'_>) -> Interval {
        let watermark = self.watermark_of(covered.terms);
        let lost: Vec<Interval> = self.lost.iter().map(|incident| incident.interval(watermark)).collect();
        covered.reads(&lost)
    }

    /// The end of the newest slice of what terms judge, in µs; `i64::MIN` where there is none.
    pub fn watermark_of(&self, terms: &Terms) -> i64 {
        let own = judged_rows::tables(terms, &self.definitions).into_iter();
        own.filter_map(|table| self.watermarks.get(&table)).copied().max().unwrap_or(i64::MIN)
    }

    /// Refuses slices that those of the objectives do not make up, and objectives that there are not.
    pub fn check_objectives(&self, name: &str, covered: &Covered<'_>) -> Result<()> {
        for metric in covered.metrics() {
            let Some(judged) = &metric.terms.objective else { continue };
            let Some(objective) = self.definitions.objectives.iter().find(|own| own.name == *judged) else {
                let none = names::agreement::no_objective(judged, &self.definitions);
                return exec_err!("agreement {name} cannot judge: {none}");
            };
            let grid = metric.grid();
            // What lies beside the judged time, and days from which is estimated, must fit as well.
            let reads = self.reads_of_all(&metric);
            let versions = objective.versions.iter().filter(|version| {
                let in_force = version.in_force;
                in_force.start < reads.end && reads.start < in_force.end
            });
            for version in versions {
                let slices = version.spec.slices;
                if metric.terms.slice % slices.width() != 0 || !slices.begins(grid.start_of(metric.interval.start)) {
                    let misfit = names::agreement::slices_misfit(metric.terms, judged, slices);
                    return exec_err!("agreement {name} cannot judge: {misfit}");
                }
            }
        }
        Ok(())
    }
}
