//! Which aggregates are done by runs.

use std::sync::Arc;

use datafusion::common::config::{ConfigExtension, ConfigOptions};
use datafusion::common::extensions_options;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, ExecutionPlan, InputOrderMode, Partitioning, ReplaceChildrenOptions,
};
use nines_functions::{SLICE_SECONDS, by_run};
use nines_store::{day_after_day, reads_series};

use super::exec::RunsExec;

extensions_options! {
    /// How statements are planned.
    pub struct Plans {
        /// Whether aggregates over stored tables are done by runs of rows: `auto`; `always`, also where days cannot be
        /// shared out evenly; `never`.
        pub by_run: String, default = "auto".to_string()
    }
}

impl ConfigExtension for Plans {
    const PREFIX: &'static str = "nines";
}

/// Puts [`RunsExec`] in the place of partial aggregates over scans of series.
#[derive(Debug)]
pub(crate) struct ByRun;

impl PhysicalOptimizerRule for ByRun {
    fn name(&self) -> &str {
        "by_run"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = config.extensions.get::<Plans>().map_or("auto", |plans| plans.by_run.as_str());
        if wanted == "never" {
            return Ok(plan);
        }
        let (partitions, is_forced) = (config.execution.target_partitions.max(1), wanted == "always");
        let done = plan.transform_up(|node| {
            let Some(aggregate) = node.downcast_ref::<AggregateExec>() else { return Ok(Transformed::no(node)) };
            Ok(match by_runs(aggregate, partitions, is_forced)? {
                Some(runs) => Transformed::yes(Arc::new(runs) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        });
        Ok(done?.data)
    }
}

/// The aggregate by runs; `None` where it is another kind of aggregate, or of other rows.
fn by_runs(aggregate: &AggregateExec, partitions: usize, is_forced: bool) -> Result<Option<RunsExec>> {
    let (by, functions) = (aggregate.group_expr(), aggregate.aggr_expr());
    let is_plain = *aggregate.mode() == AggregateMode::Partial
        && by.is_single()
        && aggregate.limit_options().is_none()
        && *aggregate.input_order_mode() == InputOrderMode::Linear
        && functions.iter().all(|function| function.order_bys().is_empty() && function.groups_accumulator_supported());
    if !is_plain || functions.is_empty() || !reads_series_below(aggregate.input().as_ref()) {
        return Ok(None);
    }
    let mut timelines = Vec::new();
    for function in functions {
        let mut accumulator = function.create_groups_accumulator()?;
        timelines.extend(by_run(accumulator.as_mut()).map(|timeline| (function, timeline.judges_days())));
    }
    // Without groups DataFusion has accumulators of another kind, whose states are ours alone the same.
    if by.is_true_no_grouping() && timelines.len() < functions.len() {
        return Ok(None);
    }
    let time = match timelines.iter().any(|(_, judges)| *judges) {
        true => stored_time(timelines.iter().map(|(function, _)| *function), aggregate),
        false => None,
    };
    let by_day = time.and_then(|time| Some((time, below(aggregate.input(), partitions, is_forced)?)));
    let (time, input) = match by_day {
        Some((time, input)) => (Some(time), input),
        None => (None, Arc::clone(aggregate.input())),
    };
    Ok(Some(RunsExec::new(Arc::new(aggregate.clone()), input, time)))
}

/// The one stored time column, as it is, of which all these timelines are.
fn stored_time<'a>(
    timelines: impl Iterator<Item = &'a Arc<AggregateFunctionExpr>>,
    aggregate: &AggregateExec,
) -> Option<usize> {
    let schema = aggregate.input_schema();
    let times = timelines.map(|function| {
        let time = function.expressions().first()?.downcast_ref::<Column>()?.index();
        schema.fields().get(time)?.metadata().contains_key(SLICE_SECONDS).then_some(time)
    });
    let times = times.collect::<Option<Vec<_>>>()?;
    let first = *times.first()?;
    times.iter().all(|time| *time == first).then_some(first)
}

/// What hands rows on one by one, in the order in which they come.
fn hands_on(node: &dyn ExecutionPlan) -> bool {
    node.is::<FilterExec>() || node.is::<ProjectionExec>() || node.is::<CooperativeExec>()
}

fn deals_out(node: &dyn ExecutionPlan) -> bool {
    let repartition = node.downcast_ref::<RepartitionExec>();
    repartition.is_some_and(|node| matches!(node.partitioning(), Partitioning::RoundRobinBatch(_)))
}

fn reads_series_below(node: &dyn ExecutionPlan) -> bool {
    match node.children().as_slice() {
        [] => reads_series(node),
        [input] => (hands_on(node) || deals_out(node)) && reads_series_below(input.as_ref()),
        _ => false,
    }
}

/// The same operators over a scan day after day.
fn below(node: &Arc<dyn ExecutionPlan>, partitions: usize, is_forced: bool) -> Option<Arc<dyn ExecutionPlan>> {
    match node.children().as_slice() {
        [] => day_after_day(node.as_ref(), partitions, is_forced),
        [input] if deals_out(node.as_ref()) => below(input, partitions, is_forced),
        [input] => {
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            Arc::clone(node).replace_children(vec![below(input, partitions, is_forced)?], options).ok()
        }
        _ => None,
    }
}
