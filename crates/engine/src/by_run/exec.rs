//! The operator: in the place of a partial aggregate over a scan.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::{StreamExt, stream};

use super::table::Table;
use crate::evaluate::DAY;

/// A partial aggregate by runs of rows.
#[derive(Debug, Clone)]
pub(crate) struct RunsExec {
    /// The same as DataFusion would do it.
    aggregate: Arc<AggregateExec>,
    input: Arc<dyn ExecutionPlan>,
    /// The column of the input with the stored time, if rows come day after day.
    days: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RunsExec {
    pub fn new(aggregate: Arc<AggregateExec>, input: Arc<dyn ExecutionPlan>, days: Option<usize>) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(aggregate.schema()),
            Partitioning::UnknownPartitioning(input.output_partitioning().partition_count()),
            EmissionType::Final,
            Boundedness::Bounded,
        ));
        RunsExec { aggregate, input, days, properties, metrics: ExecutionPlanMetricsSet::new() }
    }

    /// The same by DataFusion's operator, which other machines have.
    pub fn plain(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let aggregate: Arc<dyn ExecutionPlan> = Arc::<AggregateExec>::clone(&self.aggregate);
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        aggregate.replace_children(vec![Arc::clone(&self.input)], options)
    }
}

impl DisplayAs for RunsExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = if self.days.is_some() { ", day after day" } else { "" };
        match format {
            DisplayFormatType::TreeRender => write!(f, "by runs{days}"),
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                let by = self.aggregate.group_expr().expr().iter().map(|(expr, _)| expr.to_string());
                let aggregates = self.aggregate.aggr_expr().iter().map(|aggregate| aggregate.name());
                let (by, aggregates) = (by.collect::<Vec<_>>().join(", "), aggregates.collect::<Vec<_>>().join(", "));
                write!(f, "RunsExec: gby=[{by}], aggr=[{aggregates}]{days}")
            }
        }
    }
}

impl ExecutionPlan for RunsExec {
    fn name(&self) -> &str {
        "RunsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// A day must stay in its partition.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.aggregate.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(RunsExec::new(Arc::clone(&self.aggregate), input, self.days))),
            Err(children) => internal_err!("an aggregate by runs has one input, not {}", children.len()),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let memory = MemoryConsumer::new(format!("RunsExec[{partition}]")).with_can_spill(true);
        let running = Running {
            rows: Some(self.input.execute(partition, Arc::clone(&context))?),
            table: Table::new(&self.aggregate)?,
            days: self.days.map(|time| Days { time, day: i64::MIN, is_split: false }),
            memory: memory.register(context.memory_pool()),
            batch: context.session_config().batch_size(),
            probe: Probe::of(&context),
            ready: VecDeque::new(),
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let states =
            stream::try_unfold(running, async |mut running| Ok(running.next().await?.map(|batch| (batch, running))));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.aggregate.schema(), states)))
    }
}

/// A partition at work.
struct Running {
    /// `None` once all were read.
    rows: Option<SendableRecordBatchStream>,
    table: Table,
    days: Option<Days>,
    memory: MemoryReservation,
    /// Most rows of a batch that is handed on.
    batch: usize,
    probe: Probe,
    /// States that can be handed on.
    ready: VecDeque<RecordBatch>,
    metrics: BaselineMetrics,
}

/// Where a partition is in time.
struct Days {
    /// The column of the stored time.
    time: usize,
    /// The day of the last row, in days since 1970.
    day: i64,
    /// Whether counts of this day were handed on already: what is left of them is handed on as well, and not judged.
    is_split: bool,
}

/// Whether rows are groups of their own, nearly all: then nothing is gained by holding them, and memory lost. DataFusion's settings
/// for its own partial aggregates say when that is so.
struct Probe {
    read: usize,
    after: usize,
    ratio: f64,
    in_vain: bool,
}

impl Probe {
    fn of(context: &TaskContext) -> Self {
        let settings = &context.session_config().options().execution;
        let (after, ratio) = (
            settings.skip_partial_aggregation_probe_rows_threshold,
            settings.skip_partial_aggregation_probe_ratio_threshold,
        );
        Probe { read: 0, after, ratio, in_vain: false }
    }

    /// Whether so many more rows, of which the groups are so many by now, are held in vain. It is decided once.
    fn see(&mut self, rows: usize, groups: usize) -> bool {
        let before = self.read;
        self.read = before.saturating_add(rows);
        if before < self.after && self.read >= self.after {
            self.in_vain = groups as f64 >= self.ratio * self.read as f64;
        }
        self.in_vain
    }
}

impl Running {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                self.metrics.record_output(batch.num_rows());
                return Ok(Some(batch));
            }
            let Some(rows) = &mut self.rows else { return Ok(None) };
            let next = rows.next().await.transpose()?;
            let elapsed = self.metrics.elapsed_compute().clone();
            let _timer = elapsed.timer();
            match next {
                Some(rows) => self.add(rows)?,
                None => {
                    self.rows = None;
                    self.end_day()?;
                    self.hand_on()?;
                    self.memory.free();
                }
            }
        }
    }

    fn add(&mut self, mut rows: RecordBatch) -> Result<()> {
        while rows.num_rows() > 0 {
            let end = self.begin_day(&rows)?;
            self.table.add(&rows.slice(0, end))?;
            let in_vain = self.probe.see(end, self.table.groups());
            self.reserve(in_vain)?;
            rows = rows.slice(end, rows.num_rows() - end);
        }
        Ok(())
    }

    /// The rows that are of the day of the first one: up to where, after the day before has ended.
    fn begin_day(&mut self, rows: &RecordBatch) -> Result<usize> {
        let Some(days) = &self.days else { return Ok(rows.num_rows()) };
        let times = rows.column(days.time).as_primitive::<TimestampMicrosecondType>();
        let Some(&first) = times.values().first() else { return Ok(0) };
        let (day, known) = (first.div_euclid(DAY), days.day);
        if day < known || times.null_count() > 0 {
            return internal_err!("a scan by day gave day {day} after day {known}");
        }
        if day > known {
            self.end_day()?;
            self.days.iter_mut().for_each(|days| days.day = day);
        }
        let (start, end) = (day * DAY, (day + 1).saturating_mul(DAY));
        let is_inside = |time: &i64| (start..end).contains(time);
        let inside = times.values().iter().fold(true, |inside, time| inside & is_inside(time));
        if inside {
            return Ok(rows.num_rows());
        }
        Ok(times.values().iter().take_while(|time| is_inside(time)).count())
    }

    /// No more rows of the day come.
    fn end_day(&mut self) -> Result<()> {
        let Some(days) = &mut self.days else { return Ok(()) };
        match std::mem::take(&mut days.is_split) {
            true => self.hand_on(),
            false => self.table.judge(),
        }
    }

    /// Asks for the memory of the groups. Where there is no more, or they are held in vain, their states are handed on and they begin anew.
    fn reserve(&mut self, in_vain: bool) -> Result<()> {
        if !in_vain && self.memory.try_resize(self.table.size()).is_ok() {
            return Ok(());
        }
        self.days.iter_mut().for_each(|days| days.is_split = true);
        self.hand_on()?;
        self.memory.try_resize(self.table.size())
    }

    fn hand_on(&mut self) -> Result<()> {
        let Some(states) = self.table.take()? else { return Ok(()) };
        let mut from = 0;
        while from < states.num_rows() {
            let rows = self.batch.max(1).min(states.num_rows() - from);
            self.ready.push_back(states.slice(from, rows));
            from += rows;
        }
        Ok(())
    }
}
