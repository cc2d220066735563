//! The leaf of an evaluation: rows of one raw table, counted and judged day by day ([`DayCounter`]).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{internal_err, tree_node::TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions, SchedulingType};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, Time};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use futures::StreamExt;
use tokio::sync::mpsc::Sender;
use tracing::Instrument;

use super::counter::DayCounter;
use super::fold::Days;
use super::part::{Detail, Part};
use super::part_rows;
use super::task::Task;

/// Parts in a batch, where days come together.
const TOGETHER: usize = 512;

/// Counts the rows of a table for all subjects together. Its rows are parts ([`part_rows`]), by day within a partition.
#[derive(Debug, Clone)]
pub(crate) struct CountExec {
    pub task: Arc<Task>,
    /// Rows by day; `None` if there are none to read.
    scan: Option<Arc<dyn ExecutionPlan>>,
    /// The days that each partition of the scan answers for: ascending, without gaps, all that are wanted.
    days: Vec<Range<i32>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl CountExec {
    pub fn new(task: Arc<Task>, scan: Option<Arc<dyn ExecutionPlan>>, days: Vec<Range<i32>>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(part_rows::schema()),
            Partitioning::UnknownPartitioning(days.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let properties = properties.with_scheduling_type(SchedulingType::Cooperative);
        CountExec { task, scan, days, properties: Arc::new(properties), metrics: ExecutionPlanMetricsSet::new() }
    }

    /// The days that each partition answers for.
    pub fn days(&self) -> &[Range<i32>] {
        &self.days
    }

    /// In how many partitions it counts.
    pub fn partitions(&self) -> usize {
        self.days.len()
    }
}

impl DisplayAs for CountExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Task { table, subjects, wanted, .. } = self.task.as_ref();
        write!(f, "CountExec: {}, subjects={}, days={}", table.name(), subjects.len(), wanted.len())
    }
}

impl ExecutionPlan for CountExec {
    fn name(&self) -> &str {
        "CountExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.scan.iter().collect()
    }

    /// A day must stay in the partition that answers for it.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.scan.iter().len()]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut children = children.into_iter();
        let scan = match (&self.scan, children.next(), children.next()) {
            (None, None, None) => None,
            (Some(_), Some(scan), None) if scan.output_partitioning().partition_count() == self.days.len() => {
                Some(scan)
            }
            _ => return internal_err!("a scan by day was repartitioned"),
        };
        Ok(Arc::new(CountExec { scan, ..self.as_ref().clone() }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        const WAITING: usize = 2;
        let Some(days) = self.days.get(partition).cloned() else {
            return internal_err!("there are {} partitions of days, and none is {partition}", self.days.len());
        };
        let rows = self.scan.as_ref().map(|scan| scan.execute(partition, Arc::clone(&context))).transpose()?;
        let reserve = |what: &str| MemoryConsumer::new(format!("{what}[{partition}]")).register(context.memory_pool());
        let pass = DayCounter::new(Arc::clone(&self.task), days, reserve("CountExec"));
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), WAITING);
        let count = |name: &'static str| MetricBuilder::new(&self.metrics).counter(name, partition);
        let speaker = Speaker {
            rows: stream.tx(),
            held: Vec::new(),
            memory: reserve("CountExec parts"),
            together: if self.task.detail == Detail::Slices { 1 } else { TOGETHER },
            output: MetricBuilder::new(&self.metrics).output_rows(partition),
        };
        let metrics =
            Metrics { input: count("input_rows"), time: MetricBuilder::new(&self.metrics).elapsed_compute(partition) };
        let span = tracing::debug_span!(target: "nines", "scan", table = self.task.table.name(), partition);
        stream.spawn(work(pass, rows, speaker, metrics).instrument(span));
        Ok(stream.build())
    }
}

struct Metrics {
    input: Count,
    time: Time,
}

/// Sends parts on.
struct Speaker {
    rows: Sender<Result<RecordBatch>>,
    held: Vec<Part>,
    memory: MemoryReservation,
    together: usize,
    output: Count,
}

impl Speaker {
    /// Whether anybody still listens.
    async fn say(&mut self, parts: Vec<Part>) -> Result<bool> {
        self.memory.try_grow(parts.iter().map(Part::size).sum())?;
        self.held.extend(parts);
        if self.held.is_empty() || self.held.len() < self.together { Ok(true) } else { self.flush(&[]).await }
    }

    async fn flush(&mut self, carried: &[(usize, Arc<str>)]) -> Result<bool> {
        if self.held.is_empty() && carried.is_empty() {
            return Ok(true);
        }
        self.output.add(self.held.len());
        let rows = part_rows::rows(&self.held, carried)?;
        self.held.clear();
        self.memory.free();
        Ok(self.rows.send(Ok(rows)).await.is_ok())
    }
}

/// Counts the rows of a partition.
async fn work(
    mut pass: DayCounter,
    rows: Option<SendableRecordBatchStream>,
    mut speaker: Speaker,
    metrics: Metrics,
) -> Result<()> {
    if let Some(mut rows) = rows {
        let mut days = Days::default();
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            metrics.input.add(batch.num_rows());
            for (day, rows) in days.of(&batch)? {
                while let Some(parts) = timed(&metrics.time, || pass.judge_before(day))? {
                    if !speaker.say(parts).await? {
                        return Ok(());
                    }
                }
                timed(&metrics.time, || pass.count(&batch.slice(rows.start, rows.len()), day))?;
            }
        }
    }
    while let Some(parts) = timed(&metrics.time, || pass.judge_rest())? {
        if !speaker.say(parts).await? {
            return Ok(());
        }
    }
    let carried: Vec<(usize, Arc<str>)> =
        pass.into_carried().into_iter().enumerate().filter_map(|(at, business)| Some((at, business?))).collect();
    speaker.flush(&carried).await?;
    tracing::debug!(target: "nines", rows = metrics.input.value(), parts = speaker.output.value(), "counted");
    Ok(())
}

fn timed<T>(time: &Time, work: impl FnOnce() -> T) -> T {
    let _timer = time.timer();
    work()
}

/// The columns of what a leaf says.
pub(crate) fn schema() -> SchemaRef {
    part_rows::schema()
}
