//! Runs passes: one task per partition of a scan, parts coming out day by day.

use std::ops::Range;
use std::sync::Arc;

use datafusion::common::{exec_err, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::part::Part;
use super::pass::{Pass, Task};
use super::subject::Subject;

/// A pass that waits to be run.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub task: Arc<Task>,
    /// Rows by day; `None` if there are none to read.
    pub scan: Option<Arc<dyn ExecutionPlan>>,
    /// The days that each partition of the scan answers for: ascending, without gaps, all that are wanted.
    pub days: Vec<Range<i32>>,
}

/// What a partition says: parts as days are over, at its end its job and the business that each subject's rows carried.
enum Said {
    Parts(Vec<Part>),
    Carried(usize, Vec<Option<Arc<str>>>),
}

/// Counts the rows of a partition.
async fn work(
    job: usize,
    mut pass: Pass,
    rows: Option<SendableRecordBatchStream>,
    speaker: &mpsc::Sender<Result<Said>>,
) -> Result<()> {
    let mut done = Vec::new();
    if let Some(mut rows) = rows {
        while let Some(batch) = rows.next().await {
            pass.push(&batch?, &mut done)?;
            if !done.is_empty() && speaker.send(Ok(Said::Parts(std::mem::take(&mut done)))).await.is_err() {
                return Ok(());
            }
        }
    }
    pass.finish(&mut done)?;
    let _ = speaker.send(Ok(Said::Parts(done))).await;
    let _ = speaker.send(Ok(Said::Carried(job, pass.into_carried()))).await;
    Ok(())
}

/// Passes at work. Dropping it stops them.
pub(crate) struct Running {
    tasks: JoinSet<()>,
    said: mpsc::Receiver<Result<Said>>,
    /// Of each job, by place in its task's subjects.
    carried: Vec<(Arc<Task>, Vec<Option<Arc<str>>>)>,
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
                    if let Err(error) = work(number, pass, rows, &speaker).await {
                        let _ = speaker.send(Err(error)).await;
                    }
                });
            }
        }
        let carried = jobs.iter().map(|job| (Arc::clone(&job.task), vec![None; job.task.subjects.len()])).collect();
        Ok(Running { tasks, said, carried })
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

    /// The business that the rows of each subject of a job carried.
    pub fn carried(mut self, job: usize) -> Vec<Option<Arc<str>>> {
        self.carried.get_mut(job).map(|(_, carried)| std::mem::take(carried)).unwrap_or_default()
    }

    fn carry(&mut self, job: usize, carried: Vec<Option<Arc<str>>>) -> Result<()> {
        let Some((task, known)) = self.carried.get_mut(job) else { return Ok(()) };
        for ((subject, known), new) in task.subjects.iter().zip(known).zip(carried) {
            if let Some(business) = new {
                carry(subject, known, &business)?;
            }
        }
        Ok(())
    }
}

/// An objective whose definition names no business has that of its rows. They must be of one, unless the objective narrows to
/// several: then it is of none.
pub(super) fn carry(subject: &Subject, known: &mut Option<Arc<str>>, business: &str) -> Result<()> {
    match known {
        None => *known = Some(business.into()),
        Some(known) if known.as_ref() == business => {}
        Some(known) if !subject.spec.rows.businesses.is_empty() => *known = "".into(),
        Some(known) => {
            return exec_err!(
                "{} counts rows of service {} in two businesses, {known} and {business}; say which: `business: {known}` in \
                 the indicator's spec, or the label `business` of the Service",
                subject.name,
                subject.service
            );
        }
    }
    Ok(())
}
