//! The plan of an evaluation: its scans, as its children, and what is made of them.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{internal_err, tree_node::TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
};
use nines_store::Store;
use tokio::sync::mpsc::Sender;

use super::keep::{self, NewDay, Unkept};
use super::part::{Detail, Part};
use super::prepare::Prepared;
use super::run::{Job, Running};
use super::session::task;

/// Makes the rows of an answer.
pub(crate) trait Answer: fmt::Debug + Send + Sync {
    /// The columns, all of them.
    fn schema(&self) -> SchemaRef;

    /// The rows, from all parts, or from those of the days that are just over where slices are asked for.
    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>>;
}

/// An evaluation that is ready to run.
#[derive(Debug, Clone)]
pub(crate) struct EvaluateExec {
    pub name: &'static str,
    pub prepared: Arc<Prepared>,
    pub answer: Arc<dyn Answer>,
    pub detail: Detail,
    pub store: Option<Store>,
    unkept: Unkept,
    pub projection: Option<Vec<usize>>,
    jobs: Vec<Job>,
    properties: Arc<PlanProperties>,
}

impl EvaluateExec {
    pub fn new(
        name: &'static str,
        mut prepared: Prepared,
        answer: Arc<dyn Answer>,
        detail: Detail,
        (store, unkept): (Option<Store>, Unkept),
        projection: Option<Vec<usize>>,
    ) -> Result<Self> {
        let schema = match &projection {
            Some(columns) => Arc::new(answer.schema().project(columns)?),
            None => answer.schema(),
        };
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            if detail == Detail::Slices { EmissionType::Incremental } else { EmissionType::Final },
            Boundedness::Bounded,
        ));
        let jobs = std::mem::take(&mut prepared.jobs);
        Ok(EvaluateExec {
            name,
            prepared: Arc::new(prepared),
            answer,
            detail,
            store,
            unkept,
            projection,
            jobs,
            properties,
        })
    }

    fn scans(&self) -> impl Iterator<Item = &Arc<dyn ExecutionPlan>> {
        self.jobs.iter().filter_map(|job| job.scan.as_ref())
    }
}

impl DisplayAs for EvaluateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut objectives: Vec<usize> = self.prepared.subjects.iter().map(|subject| subject.objective).collect();
        objectives.dedup();
        let (days, kept) = (self.prepared.parts, self.prepared.kept.len());
        write!(f, "EvaluateExec: {}, objectives={}, days={days}, kept={kept}", self.name, objectives.len())
    }
}

impl ExecutionPlan for EvaluateExec {
    fn name(&self) -> &str {
        "EvaluateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.scans().collect()
    }

    /// A day must stay in the partition that answers for it.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.scans().count()]
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
        let mut new = self.as_ref().clone();
        let mut children = children.into_iter();
        for job in new.jobs.iter_mut().filter(|job| job.scan.is_some()) {
            match children.next() {
                Some(child) if child.output_partitioning().partition_count() == job.days.len() => {
                    job.scan = Some(child)
                }
                _ => return internal_err!("a scan by day was repartitioned"),
            }
        }
        Ok(Arc::new(new))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        const WAITING: usize = 2;
        if partition != 0 {
            return internal_err!("an evaluation has one partition, not {partition}");
        }
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), WAITING);
        let (this, rows, context) = (self.clone(), stream.tx(), task(&context));
        stream.spawn(async move { this.run(context, rows).await });
        Ok(stream.build())
    }
}

impl EvaluateExec {
    async fn run(self, context: Arc<TaskContext>, rows: Sender<Result<RecordBatch>>) -> Result<()> {
        let mut running = Running::start(&self.jobs, &context)?;
        if let Some(store) = &self.store {
            keep::keep(store, &context, &[], &self.prepared.facts, &self.unkept).await;
        }
        if self.detail == Detail::Slices {
            while let Some(parts) = running.next().await? {
                if !self.send(&parts.iter().collect::<Vec<_>>(), &rows).await? {
                    return Ok(());
                }
            }
            return Ok(());
        }
        let memory = MemoryConsumer::new("parts of objectives").register(context.memory_pool());
        let mut counted = Vec::new();
        while let Some(parts) = running.next().await? {
            memory.try_grow(parts.iter().map(Part::size).sum())?;
            counted.extend(parts);
        }
        self.keep(&counted, &context).await;
        let parts: Vec<&Part> = self.prepared.kept.iter().chain(&counted).collect();
        self.send(&parts, &rows).await?;
        Ok(())
    }

    async fn send(&self, parts: &[&Part], rows: &Sender<Result<RecordBatch>>) -> Result<bool> {
        for batch in self.answer.rows(&self.prepared, parts)? {
            let batch = match &self.projection {
                Some(columns) => batch.project(columns)?,
                None => batch,
            };
            if batch.num_rows() > 0 && rows.send(Ok(batch)).await.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn keep(&self, counted: &[Part], context: &Arc<TaskContext>) {
        let Some(store) = &self.store else { return };
        let days = counted.iter().filter_map(|part| {
            let day = part.interval.start.div_euclid(super::DAY) as i32;
            let key = *self.prepared.expected.get(&(part.subject, day))?;
            let subject = self.prepared.subjects[part.subject].as_ref();
            Some(NewDay { subject, day, key, part, sealed: false })
        });
        let days: Vec<NewDay> = days.collect();
        keep::keep(store, context, &days, &[], &self.unkept).await;
    }
}
