//! A plan that is made when it runs: planning a statement reads the logs of tables, and nothing else.

use std::fmt;
use std::sync::{Arc, OnceLock};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{internal_err, tree_node::TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions, SchedulingType};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, execute_stream,
};
use futures::StreamExt;
use futures::future::BoxFuture;

use crate::evaluate::View;
use crate::table_call::TableCall;

/// Makes the plan of a [`DeferredExec`].
pub(crate) type Planner =
    Arc<dyn Fn(Arc<TaskContext>) -> BoxFuture<'static, Result<Arc<dyn ExecutionPlan>>> + Send + Sync>;

/// Rows of a plan that is made when it runs, in one partition.
#[derive(Clone)]
pub(crate) struct DeferredExec {
    /// Of what the rows are.
    call: Arc<TableCall>,
    /// What the statement sees of the store.
    view: Arc<View>,
    planner: Planner,
    /// The plan that ran first, for whoever looks at this one.
    shown: Arc<OnceLock<Arc<dyn ExecutionPlan>>>,
    properties: Arc<PlanProperties>,
}

impl DeferredExec {
    /// What `planner` plans must have this schema.
    pub fn new(call: Arc<TableCall>, view: Arc<View>, schema: SchemaRef, planner: Planner) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        DeferredExec { call, view, planner, shown: Arc::default(), properties }
    }

    /// What is worked out.
    pub fn call(&self) -> &TableCall {
        &self.call
    }

    /// What the statement sees of the store.
    pub fn view(&self) -> &View {
        &self.view
    }
}

impl fmt::Debug for DeferredExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredExec").field("call", &self.call).finish_non_exhaustive()
    }
}

impl DisplayAs for DeferredExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeferredExec: {}", self.call.name)?;
        match self.shown.get() {
            Some(_) => Ok(()),
            None => write!(f, ", planned when it runs; EXPLAIN ANALYZE shows how"),
        }
    }
}

impl ExecutionPlan for DeferredExec {
    fn name(&self) -> &str {
        "DeferredExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// The plan that ran.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.shown.get().into_iter().collect()
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

    /// Its child is its own: it is made when it runs.
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

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        const WAITING: usize = 2;
        if partition != 0 {
            return internal_err!("a deferred plan has one partition, not {partition}");
        }
        let mut stream = RecordBatchReceiverStream::builder(self.schema(), WAITING);
        let (this, rows) = (self.clone(), stream.tx());
        stream.spawn(async move {
            let plan = (this.planner)(Arc::clone(&context)).await?;
            let mut found = execute_stream(Arc::clone(&plan), context)?;
            let _ = this.shown.set(plan);
            while let Some(batch) = found.next().await {
                if rows.send(batch).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        Ok(stream.build())
    }
}
