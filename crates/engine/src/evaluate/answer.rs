//! What is made of the parts of a question: the rows of an answer, and days that are kept for the next one.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{internal_err, tree_node::TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::lit;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_expr_common::physical_expr::snapshot_physical_expr;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions, SchedulingType};
use datafusion::physical_plan::filter_pushdown::{ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, Time};
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, apply_expression_roots,
};
use futures::StreamExt;
use tokio::sync::mpsc::Sender;

use super::keep::{self, NewDay};
use super::part::{Detail, Part};
use super::part_rows;
use super::prepare::Prepared;
use super::resolve::{ResolveExec, Resolved, View};
use super::select::Selection;
use super::session::task;
use super::shared::Evaluated;
use crate::table_call::TableCall;

/// Makes the rows of an answer.
pub(crate) trait Tabulation: fmt::Debug + Send + Sync {
    /// The columns, all of them.
    fn schema(&self) -> SchemaRef;

    /// The rows, from all parts, or from those of the days that are just over where slices are asked for.
    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>>;
}

/// An answer over its question.
#[derive(Debug, Clone)]
pub(crate) struct AnswerExec {
    call: Arc<TableCall>,
    answer: Arc<dyn Tabulation>,
    resolve: Arc<ResolveExec>,
    /// The same, as a plan has it.
    input: Arc<dyn ExecutionPlan>,
    /// The columns by which objectives are chosen.
    columns: &'static [&'static str],
    /// What a join finds out, of the answer's rows, before it asks for the first of them.
    joined: Vec<Arc<dyn PhysicalExpr>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl AnswerExec {
    pub fn new(
        call: Arc<TableCall>,
        answer: Arc<dyn Tabulation>,
        columns: &'static [&'static str],
        resolve: ResolveExec,
    ) -> Result<Self> {
        let schema = match &call.projection {
            Some(columns) => Arc::new(answer.schema().project(columns)?),
            None => answer.schema(),
        };
        let by_day = resolve.asked().detail == Detail::Slices;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            if by_day { EmissionType::Incremental } else { EmissionType::Final },
            Boundedness::Bounded,
        );
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        let resolve = Arc::new(resolve);
        let input = Arc::clone(&resolve) as Arc<dyn ExecutionPlan>;
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(AnswerExec { call, answer, resolve, input, columns, joined: Vec::new(), properties, metrics })
    }

    /// What is answered.
    pub fn call(&self) -> &TableCall {
        &self.call
    }

    /// The leaves that ran; none before it ran.
    #[cfg(test)]
    pub fn leaves(&self) -> Vec<Arc<super::CountExec>> {
        self.resolve.leaves()
    }

    /// What the statement sees of the store.
    pub fn view(&self) -> &View {
        self.resolve.view()
    }
}

impl DisplayAs for AnswerExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AnswerExec: {}", self.call.name)
    }
}

impl ExecutionPlan for AnswerExec {
    fn name(&self) -> &str {
        "AnswerExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    /// A join only finds out what it sees here.
    fn apply_expressions(
        &self,
        look: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(&self.joined, look)
    }

    /// Both are one step in two lines: the question is never another one.
    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("an answer has one partition, not {partition}");
        }
        // When the first row is asked for: then a join has found out which objectives it wants.
        let (this, context) = (self.clone(), task(&context));
        let rows = futures::stream::once(async move { this.begin(context) }).flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    /// Takes what a join finds out of the columns by which objectives are chosen. It looks at the rows all the same.
    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        found: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let speaks = |filter: &Arc<dyn PhysicalExpr>| {
            let columns = collect_columns(filter);
            !columns.is_empty() && columns.iter().all(|column| self.columns.contains(&column.name()))
        };
        let joined: Vec<_> = found.parent_filters.iter().map(|of| Arc::clone(&of.filter)).filter(speaks).collect();
        let propagation = FilterPushdownPropagation::all_unsupported(found);
        // What the statement says itself was taken when it was planned.
        if joined.is_empty() || phase != FilterPushdownPhase::Post {
            return Ok(propagation);
        }
        let joined = self.joined.iter().cloned().chain(joined).collect();
        Ok(propagation.with_updated_node(Arc::new(AnswerExec { joined, ..self.clone() })))
    }
}

/// Sends rows on.
struct Speaker {
    answer: Arc<dyn Tabulation>,
    projection: Option<Vec<usize>>,
    rows: Sender<Result<RecordBatch>>,
    output: Count,
    time: Time,
}

impl Speaker {
    /// Whether anybody still listens.
    async fn say(&self, prepared: &Prepared, parts: &[&Part]) -> Result<bool> {
        let answered = {
            let _timer = self.time.timer();
            self.answer.rows(prepared, parts)?
        };
        for batch in answered {
            let batch = match &self.projection {
                Some(columns) => batch.project(columns)?,
                None => batch,
            };
            self.output.add(batch.num_rows());
            if batch.num_rows() > 0 && self.rows.send(Ok(batch)).await.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl AnswerExec {
    fn begin(self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        const WAITING: usize = 2;
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), WAITING);
        let speaker = Speaker {
            answer: Arc::clone(&self.answer),
            projection: self.call.projection.clone(),
            rows: stream.tx(),
            output: MetricBuilder::new(&self.metrics).output_rows(0),
            time: MetricBuilder::new(&self.metrics).elapsed_compute(0),
        };
        stream.spawn(async move { self.run(context, speaker).await });
        stream.build()
    }

    /// Which objectives are wanted, as far as that is known now.
    fn among(&self) -> Result<Selection> {
        let mut found = Vec::new();
        for filter in &self.joined {
            let known = snapshot_physical_expr(Arc::clone(filter))?;
            // Nothing was found out.
            if !known.as_ref().eq(lit(true).as_ref()) {
                found.push(known);
            }
        }
        Ok(self.resolve.asked().selection.with_found(found))
    }

    async fn run(self, context: Arc<TaskContext>, speaker: Speaker) -> Result<()> {
        let detail = self.resolve.asked().detail;
        let evaluated = self.view().evaluated().filter(|evaluated| detail != Detail::Slices && evaluated.is_shared());
        // Calls of a statement that count wait for each other. None waits for what another one's reader takes: all parts are there before
        // the first row goes out, but where slices are listed day by day, and that waits for nobody.
        let turn = match &evaluated {
            Some(evaluated) => Some(evaluated.turn().await),
            None => None,
        };
        let (resolved, mut running) = self.resolve.resolve(&context, self.among()?).await?;
        let prepared = &resolved.prepared;
        if detail == Detail::Slices {
            while let Some(rows) = running.rows().await? {
                let parts = part_rows::parts(&rows)?;
                if !speaker.say(prepared, &parts.iter().collect::<Vec<_>>()).await? {
                    break;
                }
            }
            self.keep(&resolved, None, &[], &context).await;
            return Ok(());
        }
        let memory = MemoryConsumer::new("AnswerExec").register(context.memory_pool());
        let mut counted = Vec::new();
        while let Some(rows) = running.rows().await? {
            let parts = part_rows::parts(&rows)?;
            memory.try_grow(parts.iter().map(Part::size).sum())?;
            counted.extend(parts);
        }
        if let Some(evaluated) = &evaluated {
            let Prepared { versions, subjects, .. } = prepared;
            evaluated.leave(versions, subjects, (detail, &counted), context.memory_pool());
        }
        drop(turn);
        let parts: Vec<&Part> = prepared.kept.iter().chain(&counted).collect();
        speaker.say(prepared, &parts).await?;
        self.keep(&resolved, evaluated.as_deref(), &counted, &context).await;
        Ok(())
    }

    /// Keeps what was counted and found out, after the answer was given, and what another call counted and has not kept.
    async fn keep(
        &self,
        resolved: &Resolved,
        evaluated: Option<&Evaluated>,
        counted: &[Part],
        context: &Arc<TaskContext>,
    ) {
        let (Some(store), prepared) = (&resolved.store, &resolved.prepared) else { return };
        let name = |part: &Part| (prepared.subjects[part.subject].evaluated_name(), part.interval);
        let taken = prepared.unkept.iter().filter_map(|at| prepared.kept.get(*at));
        let taken = taken.filter(|part| evaluated.is_some_and(|evaluated| evaluated.is_unkept(&name(part))));
        let days = counted.iter().chain(taken).filter_map(|part| {
            let day = part.interval.start.div_euclid(super::DAY) as i32;
            let key = *prepared.expected.get(&(part.subject, day))?;
            let subject = prepared.subjects[part.subject].as_ref();
            Some(NewDay { subject, day, key, part, sealed: false })
        });
        let days: Vec<NewDay<'_>> = days.collect();
        let names: Vec<_> = evaluated.iter().flat_map(|_| days.iter().map(|day| name(day.part))).collect();
        let kept = keep::keep(store, context, days, &prepared.facts, &self.view().read).await;
        if let Some(evaluated) = evaluated.filter(|_| kept) {
            evaluated.kept(names);
        }
    }
}
