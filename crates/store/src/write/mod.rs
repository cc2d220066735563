//! From a stream of rows in any order to sorted data files, one or more per partition.
//!
//! rows → [`check`] (types, NULLs, alignment) → hash by partition → sort by (partition, key), spilling under the
//! task's memory pool → [`combine`] rows of the same key → [`file`] encode and put. Rows of series go [`by_series`], as long as
//! memory lasts.
//!
//! What must hold of a finished file: its rows are of one partition, sorted by [`TableKind::key`] and no two
//! have the same key; its name says so; every byte of it is covered by a sum, in its footer or in its name ([`blocks`]). Files are in no version
//! until they are committed, so a failure here changes nothing that a reader sees.

mod blocks;
mod by_series;
mod check;
mod combine;
mod file;
mod later;
mod layout;
mod written;

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Date32Type, SchemaRef};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, Partitioning, PhysicalSortExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use tokio::task::JoinSet;

#[cfg(test)]
pub(crate) use blocks::BlockWriter;
pub(crate) use check::Check;
use check::{checked, once};
pub(crate) use file::PartitionFiles;
pub(crate) use later::LaterColumns;
pub(crate) use layout::{Layout, PARTITION};
pub(crate) use written::Written;

use crate::error::{Result, StoreError};
use crate::log::NewFile;
use crate::objects::Objects;
use crate::schema::TableKind;
pub(crate) use combine::Combine;
use layout::{ASCENDING, ORDER, keeps_order, present};

/// Writes the rows of a stream as data files of the table.
pub(crate) async fn write_files(
    layout: &Arc<Layout>,
    objects: &Objects,
    rows: SendableRecordBatchStream,
    written: &Written,
    task: &Arc<TaskContext>,
) -> Result<Vec<NewFile>> {
    let rows = match by_series::suits(layout.kind()) {
        true => match by_series::write(layout, objects, rows, written, task).await? {
            by_series::Outcome::Files(files) => return Ok(files),
            by_series::Outcome::TooMany(rows) => rows,
        },
        false => checked(layout, rows, written)?,
    };
    let plan = sorted(layout, rows, task.session_config().target_partitions())?;
    let mut writers = JoinSet::new();
    for partition in 0..plan.output_partitioning().partition_count() {
        let stream = plan.execute(partition, Arc::clone(task))?;
        // The files' bytes are needed whatever the limit; told of them, the sorts spill sooner.
        let memory = MemoryConsumer::new(format!("data file {partition}")).register(task.memory_pool());
        let (layout, objects, written) = (Arc::clone(layout), objects.clone(), written.clone());
        writers.spawn(async move { write_partition(&layout, &objects, stream, &written, memory).await });
    }
    let mut files = Vec::new();
    while let Some(done) = writers.join_next().await {
        let written = done.map_err(|error| StoreError::of_task("a writer did not finish", error))?;
        files.extend(written?);
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Rows that were checked, each stream of the plan holding whole partitions of the table, sorted by (partition, key).
fn sorted(layout: &Layout, rows: SendableRecordBatchStream, partitions: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let mut plan = once(rows)?;
    let schema = plan.schema();
    if partitions > 1 {
        let by_partition = Partitioning::Hash(vec![col(PARTITION, &schema)?], partitions);
        plan = Arc::new(RepartitionExec::try_new(plan, by_partition)?);
    }
    let order = order(layout.kind(), &schema)?;
    Ok(Arc::new(SortExec::new(order, plan).with_preserve_partitioning(true)))
}

fn order(kind: TableKind, schema: &SchemaRef) -> Result<LexOrdering> {
    let columns = std::iter::once(PARTITION).chain(present(kind, schema)).chain(keeps_order(kind).then_some(ORDER));
    let columns =
        columns.map(|name| Ok(PhysicalSortExpr::new(col(name, schema)?, ASCENDING))).collect::<Result<Vec<_>>>()?;
    LexOrdering::new(columns).ok_or_else(|| StoreError::internal("a table has no key"))
}

/// Combines and encodes one sorted partition.
async fn write_partition(
    layout: &Arc<Layout>,
    objects: &Objects,
    mut rows: SendableRecordBatchStream,
    written: &Written,
    memory: MemoryReservation,
) -> Result<Vec<NewFile>> {
    let mut files = PartitionFiles::new(layout, objects, written, memory);
    let mut combine = Combine::new(layout.kind(), rows.schema())?;
    loop {
        let next = rows.next().await.transpose()?;
        let last = next.is_none();
        for batch in combine.push(next)? {
            for (first_day, batch) in by_partition(batch)? {
                files.write(first_day, &batch).await?;
            }
        }
        if last {
            return files.finish().await;
        }
    }
}

/// Splits a sorted batch where the partition changes, and drops the columns that are not stored.
fn by_partition(batch: RecordBatch) -> Result<Vec<(i32, RecordBatch)>> {
    let at = batch.schema().index_of(PARTITION)?;
    let partitions = batch[PARTITION].as_primitive::<Date32Type>().clone();
    let partitions = partitions.values();
    // The columns that are not stored are the last.
    let batch = batch.project(&(0..at).collect::<Vec<_>>())?;
    let mut parts = Vec::new();
    let mut start = 0;
    while start < partitions.len() {
        let first_day = partitions[start];
        let length = partitions[start..].partition_point(|&other| other == first_day);
        parts.push((first_day, batch.slice(start, length)));
        start += length;
    }
    Ok(parts)
}
