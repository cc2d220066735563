//! Runs passes: one task per partition of a scan, parts coming out day by day.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::part::Part;
use super::pass::{Pass, Task, carry, days_of};

/// A pass that waits to be run.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub task: Arc<Task>,
    /// Rows by day; `None` if there are none to read.
    pub scan: Option<Arc<dyn ExecutionPlan>>,
    /// The days that each partition of the scan answers for: ascending, without gaps, all that are wanted.
    pub days: Vec<Range<i32>>,
}

/// What a partition says: parts as days are over, at its end the business that the rows of each subject of its job carried.
enum Said {
    Parts(Vec<Part>),
    Carried(usize, Vec<Option<Arc<str>>>),
}

/// Counts the rows of a partition.
async fn work(
    mut pass: Pass,
    rows: Option<SendableRecordBatchStream>,
    job: usize,
    speaker: &mpsc::Sender<Result<Said>>,
) -> Result<()> {
    if let Some(mut rows) = rows {
        while let Some(batch) = rows.next().await {
            let batch = batch?;
            for (day, rows) in days_of(&batch)? {
                while let Some(parts) = pass.judge_before(day)? {
                    if !parts.is_empty() && speaker.send(Ok(Said::Parts(parts))).await.is_err() {
                        return Ok(());
                    }
                }
                pass.count(&batch.slice(rows.start, rows.len()), day)?;
            }
        }
    }
    while let Some(parts) = pass.judge_rest()? {
        if !parts.is_empty() && speaker.send(Ok(Said::Parts(parts))).await.is_err() {
            return Ok(());
        }
    }
    let _ = speaker.send(Ok(Said::Carried(job, pass.into_carried()))).await;
    Ok(())
}

/// Passes at work. Dropping it stops them.
pub(crate) struct Running {
    tasks: JoinSet<()>,
    said: mpsc::Receiver<Result<Said>>,
    /// By job and place in its subjects.
    pub carried: Vec<Vec<Option<Arc<str>>>>,
    tasks_of: Vec<Arc<Task>>,
}

impl Running {
    /// Starts the passes of all jobs.
    pub fn start(jobs: &[Job], context: &Arc<TaskContext>) -> Result<Running> {
        const WAITING: usize = 4;
        let mut tasks = JoinSet::new();
        let (speaker, said) = mpsc::channel(WAITING);
        for (number, job) in jobs.iter().enumerate() {
            for (partition, days) in job.days.iter().enumerate() {
                let rows = match &job.scan {
                    Some(scan) => Some(scan.execute(partition, Arc::clone(context))?),
                    None => None,
                };
                let memory = MemoryConsumer::new(format!("evaluation {partition}")).register(context.memory_pool());
                let pass = Pass::new(Arc::clone(&job.task), days.clone(), memory);
                let speaker = speaker.clone();
                tasks.spawn(async move {
                    // Nobody listens any more where the question was given up.
                    if let Err(error) = work(pass, rows, number, &speaker).await {
                        let _ = speaker.send(Err(error)).await;
                    }
                });
            }
        }
        let tasks_of: Vec<Arc<Task>> = jobs.iter().map(|job| Arc::clone(&job.task)).collect();
        let carried = tasks_of.iter().map(|task| vec![None; task.subjects.len()]).collect();
        Ok(Running { tasks, said, carried, tasks_of })
    }

    /// Parts of days that are over; `None` when all are.
    pub async fn next(&mut self) -> Result<Option<Vec<Part>>> {
        while let Some(said) = self.said.recv().await {
            match said? {
                Said::Parts(parts) if parts.is_empty() => {}
                Said::Parts(parts) => return Ok(Some(parts)),
                Said::Carried(job, carried) => self.carry(job, carried)?,
            }
        }
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|error| internal_datafusion_err!("a pass did not finish: {error}"))?;
        }
        Ok(None)
    }

    /// All parts.
    pub async fn all(&mut self) -> Result<Vec<Part>> {
        let mut parts = Vec::new();
        while let Some(more) = self.next().await? {
            parts.extend(more);
        }
        Ok(parts)
    }

    fn carry(&mut self, job: usize, carried: Vec<Option<Arc<str>>>) -> Result<()> {
        let Task { subjects, strict, .. } = self.tasks_of[job].as_ref();
        for ((known, new), subject) in self.carried[job].iter_mut().zip(carried).zip(subjects) {
            if let Some(business) = new {
                carry(subject, known, &business, *strict)?;
            }
        }
        Ok(())
    }
}
