//! Rows of series into files, day by day, without a sort of everything.
//!
//! ```text
//! rows, checked ─▶ workers: key without time ─▶ number of the series ─▶ held by day: number, time, measures
//!                                                                          │ all rows are there
//!                  keys of all workers, sorted: number ─▶ rank             ▼
//!                                       └──────────────▶ per day: counted into place by rank, times put in order
//!                                                          │ keys beside them again
//!                                                          ▼ combine, encode, put
//! ```
//!
//! A series has a row per slice: its key is looked up and held once, and what a row costs in memory is its numbers. Where a row goes
//! within its day is counted, not compared. Where memory ends, all rows go through DataFusion's sort, which spills.
//!
//! What must hold: the rows of the files are those of a sort, in whatever order they come.

mod held;
mod placed;
mod ranked;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use datafusion::arrow::array::{AsArray, Date32Array, RecordBatch};
use datafusion::arrow::datatypes::{Schema, SchemaRef, UInt32Type};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Mutex;
use tokio::task::{JoinSet, yield_now};

use super::check::Check;
use super::combine::Combine;
use super::file::PartitionFiles;
use super::layout::{Layout, keeps_order};
use super::written::Written;
use crate::error::{Result, StoreError};
use crate::log::NewFile;
use crate::objects::Objects;
use crate::partition::Partition;
use crate::schema::TableKind;
use held::{Held, Parts, Shape};
use placed::Placed;
use ranked::Ranked;

/// Whether rows of a table are written this way: aggregates of slices of which it does not matter which came first.
pub(super) fn suits(kind: TableKind) -> bool {
    kind.is_series() && kind.partition() == Partition::Day && !keeps_order(kind)
}

/// What came of the rows.
pub(super) enum Outcome {
    Files(Vec<NewFile>),
    /// There is not enough memory: all rows again, checked, in any order.
    TooMany(SendableRecordBatchStream),
}

/// The rows that are still to come.
struct Source {
    rows: SendableRecordBatchStream,
    check: Check,
    /// Whether there are no more, or a batch of them was refused.
    ended: bool,
}

impl Source {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        let Some(rows) = self.rows.next().await.transpose()? else { return Ok(None) };
        let rows = self.check.batch(&rows)?;
        self.ended = false;
        Ok(Some(rows))
    }
}

/// Writes the rows of a stream as data files of the table.
pub(super) async fn write(
    layout: &Arc<Layout>,
    objects: &Objects,
    rows: SendableRecordBatchStream,
    written: &Written,
    task: &Arc<TaskContext>,
) -> Result<Outcome> {
    let check = Check::new(layout, &rows.schema(), written.columns())?;
    let shape = Arc::new(Shape::new(layout.kind(), &check)?);
    let workers = task.session_config().target_partitions().max(1);
    let (source, is_full) =
        (Arc::new(Mutex::new(Source { rows, check, ended: false })), Arc::new(AtomicBool::new(false)));
    let mut reading = JoinSet::new();
    for worker in 0..workers {
        let memory = MemoryConsumer::new(format!("rows to write {worker}")).with_can_spill(true);
        let memory = memory.register(task.memory_pool());
        let (held, source, is_full) = (Held::new(Arc::clone(&shape))?, Arc::clone(&source), Arc::clone(&is_full));
        reading.spawn(async move { read(held, memory, &source, &is_full).await });
    }
    let (mut parts, mut memory) = (Vec::new(), Vec::new());
    while let Some(done) = reading.join_next().await {
        let (held, reservation) = done.map_err(|error| StoreError::of_task("a worker did not finish", error))??;
        parts.push(held.into_parts()?);
        memory.push(reservation);
    }
    if is_full.load(Relaxed) {
        drop(memory);
        let source = Arc::into_inner(source).ok_or_else(|| StoreError::internal("rows are still read"))?;
        return Ok(Outcome::TooMany(again(shape, parts, source.into_inner())));
    }
    Files { layout, objects, written, task, shape, workers }.of(parts).await.map(Outcome::Files)
}

/// Holds rows until there are no more, or no memory for them.
async fn read(
    mut held: Held,
    memory: MemoryReservation,
    source: &Mutex<Source>,
    is_full: &AtomicBool,
) -> Result<(Held, MemoryReservation)> {
    while !is_full.load(Relaxed) {
        // Rows are checked one after the other, so that of several mistakes the first is told.
        let Some(rows) = source.lock().await.next().await? else { break };
        held.add(&rows)?;
        if memory.try_resize(held.size()).is_err() {
            is_full.store(true, Relaxed);
        }
    }
    Ok((held, memory))
}

/// The rows that are held, as they were checked, and then those that are still to come.
fn again(shape: Arc<Shape>, parts: Vec<Parts>, source: Source) -> SendableRecordBatchStream {
    let schema = Arc::clone(shape.checked());
    let held = parts.into_iter().flat_map(move |Parts { keys, days }| {
        let shape = Arc::clone(&shape);
        let batches = days.into_iter().flat_map(|(day, batches)| batches.into_iter().map(move |batch| (day, batch)));
        batches.map(move |(day, batch)| {
            let series = batch.column(0).as_primitive::<UInt32Type>();
            let mut columns = shape.columns(&keys, series, &batch.columns()[1..])?;
            columns.push(Arc::new(Date32Array::from(vec![day; batch.num_rows()])));
            Ok(RecordBatch::try_new(Arc::clone(shape.checked()), columns)?)
        })
    });
    let rest = stream::try_unfold(source, async |mut source| Ok(source.next().await?.map(|rows| (rows, source))));
    let rows = stream::iter(held).chain(rest).map_err(|error: StoreError| error.into());
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

/// Writes the files of days, several at once.
struct Files<'a> {
    layout: &'a Arc<Layout>,
    objects: &'a Objects,
    written: &'a Written,
    task: &'a Arc<TaskContext>,
    shape: Arc<Shape>,
    workers: usize,
}

impl Files<'_> {
    async fn of(self, parts: Vec<Parts>) -> Result<Vec<NewFile>> {
        let keys: Vec<&[_]> = parts.iter().map(|parts| parts.keys.as_slice()).collect();
        let ranked = Arc::new(Ranked::of(&keys)?);
        let mut days: BTreeMap<i32, Vec<(usize, Vec<RecordBatch>)>> = BTreeMap::new();
        for (worker, Parts { days: own, .. }) in parts.into_iter().enumerate() {
            own.into_iter().for_each(|(day, batches)| days.entry(day).or_default().push((worker, batches)));
        }
        let (mut writing, mut files) = (JoinSet::new(), Vec::new());
        for (day, pieces) in days {
            if writing.len() == self.workers
                && let Some(done) = writing.join_next().await
            {
                files.extend(ended(done)?);
            }
            let memory = |of: &str| MemoryConsumer::new(format!("{of} {day}")).register(self.task.memory_pool());
            let (rows_memory, file_memory) = (memory("rows of day"), memory("data file"));
            let (layout, objects, written) = (Arc::clone(self.layout), self.objects.clone(), self.written.clone());
            let (shape, ranked) = (Arc::clone(&self.shape), Arc::clone(&ranked));
            writing.spawn(async move {
                let placed = Placed::of(&shape, &ranked, pieces).await?;
                // What a day takes is needed whatever the limit.
                rows_memory.resize(placed.size());
                let files = PartitionFiles::new(&layout, &objects, &written, file_memory);
                day_of(day, &shape, &ranked, &placed, files).await
            });
        }
        while let Some(done) = writing.join_next().await {
            files.extend(ended(done)?);
        }
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}

fn ended(done: std::result::Result<Result<Vec<NewFile>>, tokio::task::JoinError>) -> Result<Vec<NewFile>> {
    done.map_err(|error| StoreError::of_task("a writer did not finish", error))?
}

/// Combines and encodes the rows of a day.
async fn day_of(
    day: i32,
    shape: &Shape,
    ranked: &Ranked,
    placed: &Placed,
    mut files: PartitionFiles<'_>,
) -> Result<Vec<NewFile>> {
    let columns = shape.checked().fields();
    let stored: SchemaRef = Arc::new(Schema::new(columns[..columns.len() - 1].to_vec()));
    let mut combine = match placed.repeats {
        true => Some(Combine::new(shape.kind(), Arc::clone(&stored))?),
        false => None,
    };
    for rows in placed.batches(shape, &ranked.keys, &stored) {
        let rows = rows?;
        yield_now().await;
        match &mut combine {
            None => files.write(day, &rows).await?,
            Some(combine) => {
                for rows in combine.push(Some(rows))? {
                    files.write(day, &rows).await?;
                }
            }
        }
    }
    for rows in combine.map(|mut combine| combine.push(None)).transpose()?.into_iter().flatten() {
        files.write(day, &rows).await?;
    }
    files.finish().await
}
