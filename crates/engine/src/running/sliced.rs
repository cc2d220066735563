//! Rows with lists, handed on few at a time, so that what their lists unnest into stays small.
//!
//! DataFusion unnests a batch at once: eight thousand rows with lists of a million items are eight thousand million rows, and
//! every other column is repeated for each.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{internal_err, resources_err};
use datafusion::error::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use futures::{Stream, StreamExt};

use crate::bounded::{bytes_at, limit_of_a_call, list_at};

/// Rows that a batch unnests into, about.
const ROWS: usize = 1 << 16;
/// What a view of a text takes, whatever the text.
const VIEW: u128 = 16;

/// The rows of its input, with these columns' lists, few at a time.
#[derive(Debug, Clone)]
pub(super) struct SlicedExec {
    input: Arc<dyn ExecutionPlan>,
    lists: Arc<[usize]>,
    limit: usize,
}

impl SlicedExec {
    pub fn new(input: Arc<dyn ExecutionPlan>, lists: Vec<usize>, memory_limit: Option<usize>) -> Self {
        SlicedExec { input, lists: lists.into(), limit: limit_of_a_call(memory_limit) }
    }

    /// Number of rows that a row unnests into, and their bytes.
    fn unnested(&self, batch: &RecordBatch, row: usize) -> (usize, u128) {
        let lists = self.lists.iter().filter_map(|&at| list_at(batch.column(at).as_ref(), row));
        let items = lists.map(|list| list.len()).max().unwrap_or(1).max(1);
        let others = batch.columns().iter().enumerate().filter(|(at, _)| !self.lists.contains(at));
        let beside: u128 = others
            .map(|(_, column)| match column.data_type() {
                DataType::Utf8View | DataType::BinaryView => VIEW,
                _ => bytes_at(column.as_ref(), row),
            })
            .sum();
        (items, beside.saturating_mul(items as u128))
    }

    /// Number of rows from this one on that are handed on together.
    fn fitting(&self, batch: &RecordBatch, from: usize) -> Result<usize> {
        let (mut rows, mut bytes) = (0usize, 0u128);
        for row in from..batch.num_rows() {
            let (more, of) = self.unnested(batch, row);
            if of > self.limit as u128 {
                return resources_err!(
                    "unnest would make {} MiB of one row; with the session's limit of memory it may make {} MiB at once",
                    of >> 20,
                    self.limit >> 20
                );
            }
            rows = rows.saturating_add(more);
            bytes = bytes.saturating_add(of);
            if row > from && (rows > ROWS || bytes > self.limit as u128) {
                return Ok(row - from);
            }
        }
        Ok(batch.num_rows() - from)
    }
}

impl DisplayAs for SlicedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SlicedExec")
    }
}

impl ExecutionPlan for SlicedExec {
    fn name(&self) -> &str {
        "SlicedExec"
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
            Ok([input]) => Ok(Arc::new(SlicedExec { input, ..self.as_ref().clone() })),
            Err(children) => internal_err!("rows with lists have one input, not {}", children.len()),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        Ok(Box::pin(Sliced { rows, of: self.clone(), left: None }))
    }
}

struct Sliced {
    rows: SendableRecordBatchStream,
    of: SlicedExec,
    /// A batch of which rows from here on are left.
    left: Option<(RecordBatch, usize)>,
}

impl Stream for Sliced {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (batch, from) = match self.left.take() {
            Some(left) => left,
            None => match ready!(self.rows.poll_next_unpin(cx)) {
                Some(Ok(batch)) => (batch, 0),
                other => return Poll::Ready(other),
            },
        };
        let length = match self.of.fitting(&batch, from) {
            Ok(length) => length,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        let slice = batch.slice(from, length);
        if from + length < batch.num_rows() {
            self.left = Some((batch, from + length));
        }
        Poll::Ready(Some(Ok(slice)))
    }
}

impl RecordBatchStream for Sliced {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}
