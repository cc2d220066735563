//! Operators that can compute long without waiting for anything, made to look at their statement's token.
//!
//! DataFusion's cooperative scheduling makes leaves and exchanges pause, so that a task that was aborted ends there. That does
//! not suffice for operators that make much of little input: a join for which one batch of each side is hours of pairs, a list
//! that unnests into millions of rows. Their output is watched, batch by batch, and where pairs may come to nothing for long,
//! the filter that judges them is: it is asked for every few thousand.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, internal_err};
use datafusion::error::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Literal, lit};
use datafusion::physical_expr::projection::ProjectionExpr;
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder, SortMergeJoinExec,
};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use futures::{Stream, StreamExt};

use super::constant::Constant;
use super::sliced::SlicedExec;
use super::token::Token;
use crate::bounded::limit_of_a_call;

/// The plan, whose operators look at the token on their way.
pub(crate) fn watched(plan: Arc<dyn ExecutionPlan>, token: &Arc<Token>) -> Result<Arc<dyn ExecutionPlan>> {
    let watched = plan.transform_up(|node| {
        let Some(node) = with_watched_filter(&node, token)? else { return Ok(Transformed::no(node)) };
        Ok(Transformed::yes(Arc::new(WatchedExec { input: node, token: Arc::clone(token) }) as Arc<dyn ExecutionPlan>))
    });
    Ok(watched?.data)
}

/// An operator that makes much of little, its filter watched; `None` if it is another.
fn with_watched_filter(node: &Arc<dyn ExecutionPlan>, token: &Arc<Token>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let watch = |filter: &JoinFilter| {
        let expression = Arc::new(WatchedExpr { inner: Arc::clone(filter.expression()), token: Arc::clone(token) });
        JoinFilter::new(expression, filter.column_indices().to_vec(), Arc::clone(filter.schema()))
    };
    // Joins that yield each row once at most find most pairs in vain.
    let watch_all = |filter: Option<&JoinFilter>, of: JoinType| {
        let in_vain = !matches!(of, JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full);
        let every = || JoinFilter::new(lit(true), Vec::new(), Arc::new(Schema::empty()));
        filter.cloned().or_else(|| in_vain.then(every)).as_ref().map(watch)
    };
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        let filter = watch_all(join.filter(), *join.join_type());
        return join.builder().with_filter(filter).build_exec().map(Some);
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        let (left, right) = (Arc::clone(join.left()), Arc::clone(join.right()));
        let join = NestedLoopJoinExecBuilder::new(left, right, *join.join_type())
            .with_filter(watch_all(join.filter(), *join.join_type()))
            .with_projection_ref(join.projection().clone())
            .build()?;
        return Ok(Some(Arc::new(join)));
    }
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        return with_bounded_constants(projection, token);
    }
    if let Some(unnest) = node.downcast_ref::<UnnestExec>() {
        let lists = unnest.list_column_indices().iter().map(|list| list.index_in_input_schema).collect();
        let sliced = Arc::new(SlicedExec::new(Arc::clone(unnest.input()), lists, token.limit));
        let keep = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
        return Arc::clone(node).replace_children(vec![sliced], keep).map(Some);
    }
    let is_large = node.is::<CrossJoinExec>() || node.is::<SortMergeJoinExec>();
    Ok(is_large.then(|| Arc::clone(node)))
}

/// The projection, its long constants bounded: each is copied for every row. `None` if it has none.
fn with_bounded_constants(projection: &ProjectionExec, token: &Token) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let limit = limit_of_a_call(token.limit);
    let mut found = false;
    let expressions: Vec<ProjectionExpr> = projection
        .expr()
        .iter()
        .map(|expression| {
            let mut expression = expression.clone();
            if let Some(constant) = expression.expr.downcast_ref::<Literal>()
                && let Some(bounded) = Constant::if_long(constant, limit)
            {
                found = true;
                expression.expr = Arc::new(bounded);
            }
            expression
        })
        .collect();
    if !found {
        return Ok(None);
    }
    let input = Arc::clone(projection.input());
    let bounded = ProjectionExec::try_new_with_schema_metadata(expressions, input, projection.schema().as_ref())?;
    Ok(Some(Arc::new(bounded)))
}

/// The rows of its input, until the statement is ended.
#[derive(Debug)]
struct WatchedExec {
    input: Arc<dyn ExecutionPlan>,
    token: Arc<Token>,
}

impl DisplayAs for WatchedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WatchedExec")
    }
}

impl ExecutionPlan for WatchedExec {
    fn name(&self) -> &str {
        "WatchedExec"
    }

    fn downcast_delegate(&self) -> Option<&dyn ExecutionPlan> {
        Some(self.input.as_ref())
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
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
        match <[_; 1]>::try_from(children) {
            Ok([input]) => Ok(Arc::new(WatchedExec { input, token: Arc::clone(&self.token) })),
            Err(children) => internal_err!("a watched operator has one input, not {}", children.len()),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        Ok(Box::pin(Watched { rows, token: Arc::clone(&self.token) }))
    }
}

/// Rows that fail once the statement is ended, and let others have the thread now and then.
struct Watched {
    rows: SendableRecordBatchStream,
    token: Arc<Token>,
}

impl Stream for Watched {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(ended) = self.token.check() {
            return Poll::Ready(Some(Err(ended)));
        }
        let turn = ready!(tokio::task::coop::poll_proceed(cx));
        let next = self.rows.poll_next_unpin(cx);
        if next.is_ready() {
            turn.made_progress();
        }
        next
    }
}

impl RecordBatchStream for Watched {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}

/// The filter of a join, which fails once the statement is ended.
#[derive(Debug)]
struct WatchedExpr {
    inner: Arc<dyn PhysicalExpr>,
    token: Arc<Token>,
}

impl PartialEq for WatchedExpr {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for WatchedExpr {}

impl Hash for WatchedExpr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for WatchedExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for WatchedExpr {
    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.inner.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.inner.nullable(schema)
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.token.check()?;
        self.inner.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        match <[_; 1]>::try_from(children) {
            Ok([inner]) => Ok(Arc::new(WatchedExpr { inner, token: Arc::clone(&self.token) })),
            Err(children) => internal_err!("a watched filter has one expression, not {}", children.len()),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
