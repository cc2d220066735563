//! Runs leaves: all partitions at once, parts coming out as days are over.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use futures::stream::{BoxStream, SelectAll, StreamExt, select_all};

use super::count::CountExec;
use super::counter::carry;
use super::part::Part;
use super::part_rows;
use super::task::Task;

/// Leaves at work. Dropping it stops them.
pub(crate) struct Running {
    said: SelectAll<BoxStream<'static, (usize, Result<RecordBatch>)>>,
    /// By leaf and place in its subjects: the business that rows of a subject carried.
    pub carried: Vec<Vec<Option<Arc<str>>>>,
    tasks: Vec<Arc<Task>>,
}

impl Running {
    /// Starts all partitions of all leaves.
    pub fn start(leaves: &[Arc<CountExec>], context: &Arc<TaskContext>) -> Result<Running> {
        let mut streams = Vec::new();
        for (number, leaf) in leaves.iter().enumerate() {
            for partition in 0..leaf.partitions() {
                let rows = leaf.execute(partition, Arc::clone(context))?;
                streams.push(rows.map(move |rows| (number, rows)).boxed());
            }
        }
        let tasks: Vec<Arc<Task>> = leaves.iter().map(|leaf| Arc::clone(&leaf.task)).collect();
        let carried = tasks.iter().map(|task| vec![None; task.subjects.len()]).collect();
        Ok(Running { said: select_all(streams), carried, tasks })
    }

    /// Rows of parts of days that are over; `None` when all are.
    pub async fn rows(&mut self) -> Result<Option<RecordBatch>> {
        while let Some((leaf, rows)) = self.said.next().await {
            let rows = rows?;
            let behind = part_rows::carried(&rows)?;
            if behind.is_empty() {
                return Ok(Some(rows));
            }
            let parts = rows.num_rows() - behind.len();
            self.carry(leaf, behind)?;
            if parts > 0 {
                return Ok(Some(rows.slice(0, parts)));
            }
        }
        Ok(None)
    }

    /// All parts.
    pub async fn all(&mut self) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        while let Some(rows) = self.rows().await? {
            parts.extend(part_rows::parts(&rows)?);
        }
        Ok(parts)
    }

    fn carry(&mut self, leaf: usize, carried: Vec<(usize, Arc<str>)>) -> Result<()> {
        let Task { subjects, strict, .. } = self.tasks[leaf].as_ref();
        for (at, business) in carried {
            let Some((subject, known)) = subjects.get(at).zip(self.carried[leaf].get_mut(at)) else { continue };
            carry(subject, known, &business, *strict)?;
        }
        Ok(())
    }
}
