//! From a question to its parts, when the plan runs: what is known of its objectives is looked up, days that are kept are taken, and the
//! leaves that count the others are made and run.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::Session;
use datafusion::common::{internal_err, tree_node::TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions, SchedulingType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use datafusion::prelude::SessionConfig;
use nines_store::Store;
use tokio::sync::mpsc::Sender;

use super::common::Read;
use super::count;
use super::evaluator::{EVALUATED, Evaluator, evaluated};
use super::prepare::{Prepared, Question};
use super::run::Running;
use super::select::Selection;
use super::session::{Evaluation, task};
use super::shared::Evaluated;
use crate::location::StoreLocation;
use crate::statement::Pins;

/// What a statement sees of the store.
#[derive(Debug)]
pub(crate) struct View {
    pub evaluation: Evaluation,
    pub place: Arc<StoreLocation>,
    pub read: Arc<Read>,
}

impl View {
    /// That of the statement that a session plans. Of each table one version is seen, from now on.
    pub async fn of(session: &dyn Session, place: &Arc<StoreLocation>, read: &Arc<Read>) -> Result<Self> {
        let evaluation = Evaluation::of(session, read)?;
        if let Some(evaluated) = session.config().get_extension::<Evaluated>() {
            evaluated.planned();
        }
        let pins = Pins::of(session)?;
        let store = place.store();
        for kind in EVALUATED {
            let pinned = pins.snapshot(kind, store.map(|store| store.table(kind)).as_ref()).await;
            // What is kept is not needed, unless days are sealed: whoever reads it says that.
            pinned.map(drop).or_else(|error| if kind.is_derived() { Ok(()) } else { Err(error) })?;
        }
        Ok(View { evaluation, place: Arc::clone(place), read: Arc::clone(read) })
    }

    /// That of a plan that travelled: its configuration says which versions are seen.
    pub fn given(
        config: &SessionConfig,
        runtime: &Arc<RuntimeEnv>,
        place: &Arc<StoreLocation>,
        read: &Arc<Read>,
    ) -> Result<Self> {
        let evaluation = Evaluation::with(config, runtime, read)?;
        Ok(View { evaluation, place: Arc::clone(place), read: Arc::clone(read) })
    }

    /// The versions of the tables that are seen.
    pub fn pins(&self) -> Result<Arc<Pins>> {
        Pins::of(self.evaluation.state())
    }

    /// What the statement, or the notebook that it is of, has evaluated so far.
    /// Nothing of what is only proposed.
    pub fn evaluated(&self) -> Option<Arc<Evaluated>> {
        evaluated(self.config())
    }

    /// What hangs on the statement that sees it: its pins, what time it is, what is proposed, who asks.
    pub fn config(&self) -> &SessionConfig {
        self.evaluation.state().config()
    }
}

/// What was found out when the plan ran.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub prepared: Prepared,
    /// Where what was counted is kept.
    pub store: Option<Store>,
    /// The leaves, as a plan has them.
    leaves: Vec<Arc<dyn ExecutionPlan>>,
}

/// Says of which objectives and days the answer is made, and yields the parts that have to be counted. Those that were kept stand in
/// [`Resolved`].
#[derive(Debug, Clone)]
pub(crate) struct ResolveExec {
    asked: Arc<Question>,
    view: Arc<View>,
    /// What was found out when it ran first, for whoever looks at the plan.
    shown: Arc<OnceLock<Arc<Resolved>>>,
    /// What leaves look like, before it is known which there are.
    template: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ResolveExec {
    pub fn new(asked: Question, view: View) -> Self {
        let template = Template::new();
        let (properties, template) = (Arc::clone(&template.properties), Arc::new(template));
        ResolveExec {
            asked: Arc::new(asked),
            view: Arc::new(view),
            shown: Arc::default(),
            template,
            properties,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    pub fn asked(&self) -> &Question {
        &self.asked
    }

    /// What the statement sees of the store.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The leaves that ran; none before it ran.
    #[cfg(test)]
    pub fn leaves(&self) -> Vec<Arc<super::CountExec>> {
        self.shown.get().map(|resolved| resolved.prepared.leaves.clone()).unwrap_or_default()
    }

    /// Finds out which parts there are, and starts to count those that are not kept. `among`: which objectives are wanted.
    pub async fn resolve(&self, context: &Arc<TaskContext>, among: Selection) -> Result<(Arc<Resolved>, Running)> {
        let View { evaluation, place, read } = self.view.as_ref();
        let evaluation = evaluation.within(context);
        let evaluator = Evaluator::new(&evaluation, place, read).await?;
        let asked = Question { selection: among, ..self.asked.as_ref().clone() };
        let mut prepared = evaluator.prepare(&asked).await?;
        // That nothing goes with other rows says nothing of what the statement asks for.
        let pins = evaluator.session.config().get_extension::<Pins>();
        if let Some(pins) = pins.filter(|_| !asked.selection.has_found()) {
            pins.nothing_meant.store(prepared.subjects.is_empty(), Relaxed);
        }
        let count = |name: &'static str, number: usize| MetricBuilder::new(&self.metrics).counter(name, 0).add(number);
        let mut objectives: Vec<usize> = prepared.subjects.iter().map(|subject| subject.objective).collect();
        objectives.dedup();
        count("objectives", objectives.len());
        count("days", prepared.parts);
        count("days_kept", prepared.kept.len() - prepared.shared);
        count("days_shared", prepared.shared);
        tracing::info!(
            target: "nines",
            objectives = objectives.len(),
            days = prepared.parts,
            days_kept = prepared.kept.len() - prepared.shared,
            days_shared = prepared.shared,
            leaves = prepared.leaves.len(),
            "evaluate"
        );
        let store = evaluator.keeps_in().cloned();
        prepared.incidents = evaluator.incidents;
        let running = Running::start(&prepared.leaves, context)?;
        let leaves = prepared.leaves.iter().map(|leaf| Arc::clone(leaf) as Arc<dyn ExecutionPlan>).collect();
        let resolved = Arc::new(Resolved { prepared, store, leaves });
        let _ = self.shown.set(Arc::clone(&resolved));
        Ok((resolved, running))
    }

    async fn run(self, context: Arc<TaskContext>, rows: Sender<Result<RecordBatch>>) -> Result<()> {
        let (_, mut running) = self.resolve(&context, self.asked.selection.clone()).await?;
        while let Some(parts) = running.rows().await? {
            if rows.send(Ok(parts)).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl DisplayAs for ResolveExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Question { ranges, .. } = self.asked.as_ref();
        let of = ranges.iter().filter(|range| !range.is_empty());
        let day = |at: i64| at.div_euclid(super::DAY);
        let days = of.clone().map(|range| day(range.end - 1) - day(range.start) + 1).sum::<i64>();
        write!(f, "ResolveExec: ranges={}, utc_days={days}", of.count())
    }
}

impl ExecutionPlan for ResolveExec {
    fn name(&self) -> &str {
        "ResolveExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// The leaves that ran, once they are known.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        match self.shown.get() {
            Some(resolved) => resolved.leaves.iter().collect(),
            None => vec![&self.template],
        }
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.children().len()]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    /// Its children are its own: they are made when it runs.
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
        const WAITING: usize = 2;
        if partition != 0 {
            return internal_err!("a question has one partition, not {partition}");
        }
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), WAITING);
        let (this, rows, context) = (self.clone(), stream.tx(), task(&context));
        stream.spawn(async move { this.run(context, rows).await });
        Ok(stream.build())
    }
}

/// Stands for the leaves in a plan that did not run.
#[derive(Debug)]
pub(crate) struct Template {
    properties: Arc<PlanProperties>,
}

impl Template {
    pub fn new() -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(count::schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Template { properties: Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative)) }
    }
}

impl DisplayAs for Template {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CountExec: one per raw table with days that are not kept; EXPLAIN ANALYZE shows them")
    }
}

impl ExecutionPlan for Template {
    fn name(&self) -> &str {
        "CountExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

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

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        internal_err!("a template of a leaf does not run")
    }
}
