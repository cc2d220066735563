//! Days that are kept, read on all threads: what each says of the pieces that are asked for.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use nines_timeline::State;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinSet;

use super::inputs::Inputs;
use super::keep::{self, KeptDays};
use super::part::{Detail, Part};
use super::pieces::Pieces;
use super::sealed_day::SealedDay;
use super::subject::Subject;

/// A part that is kept: of which subject, and its place among the subject's pieces.
pub(super) type Recalled = (usize, usize, Part);

/// What is asked of kept days.
pub(super) struct Recall {
    detail: Detail,
    subjects: Vec<Arc<Subject>>,
    pieces: Arc<[Pieces]>,
    /// The raw rows of each subject.
    inputs: Vec<Arc<Inputs>>,
    /// Subjects by objective and name of the definition.
    by_name: HashMap<(Arc<str>, String), Vec<usize>>,
}

impl Recall {
    pub fn new(detail: Detail, subjects: &[Arc<Subject>], pieces: &Arc<[Pieces]>, inputs: Vec<Arc<Inputs>>) -> Self {
        let mut by_name: HashMap<(Arc<str>, String), Vec<usize>> = HashMap::new();
        for (number, subject) in subjects.iter().enumerate() {
            for named in [subject.definition_name(), subject.lasting_name()] {
                by_name.entry((Arc::clone(&subject.name), named)).or_default().push(number);
            }
        }
        Recall { detail, subjects: subjects.to_vec(), pieces: Arc::clone(pieces), inputs, by_name }
    }

    /// Begins to read all partitions of the kept days.
    pub fn start(self, plan: &Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Result<Recalling> {
        const WAITING: usize = 4;
        let (recall, (sender, found)) = (Arc::new(self), channel(WAITING));
        let mut tasks = JoinSet::new();
        for partition in 0..plan.output_partitioning().partition_count() {
            let mut rows = plan.execute(partition, Arc::clone(context))?;
            let (recall, sender) = (Arc::clone(&recall), sender.clone());
            tasks.spawn(async move {
                while let Some(batch) = rows.next().await {
                    let found = batch.map(|batch| recall.parts(&batch));
                    let is_last = found.is_err();
                    if sender.send(found).await.is_err() || is_last {
                        return;
                    }
                }
            });
        }
        Ok(Recalling { found, tasks })
    }

    /// What rows of `slo_days` say.
    fn parts(&self, batch: &RecordBatch) -> Vec<Recalled> {
        let Some(rows) = KeptDays::new(batch) else { return Vec::new() };
        // Each row is a day of one objective, as a rule.
        let mut found = Vec::with_capacity(batch.num_rows());
        let (mut numbers, mut of): (&[usize], Option<(&str, &str)>) = (&[], None);
        for row in 0..batch.num_rows() {
            // Rows of an objective lie side by side.
            let named = (rows.objective.value(row), rows.definition.value(row));
            if of != Some(named) {
                let key = (Arc::from(named.0), keep::definition_of(named.1).to_string());
                (numbers, of) = (self.by_name.get(&key).map(Vec::as_slice).unwrap_or_default(), Some(named));
            }
            for &number in numbers {
                let inputs = &self.inputs[number];
                let sealed = inputs.is_sealed(rows.date.value(row));
                if sealed != rows.is_sealed(row) {
                    continue;
                }
                if sealed {
                    let subject = self.subjects[number].as_ref();
                    let day = SealedDay { detail: self.detail, number, subject, rows: &rows, row };
                    let parts = day.parts(&self.pieces[number]);
                    found.extend(parts.into_iter().map(|(place, part)| (number, place, part)));
                } else {
                    found.extend(self.part(number, &rows, row).map(|(place, part)| (number, place, part)));
                }
            }
        }
        found
    }

    /// The part that a row is, if it is of the day as it is now and has all that is asked for.
    fn part(&self, number: usize, rows: &KeptDays<'_>, row: usize) -> Option<(usize, Part)> {
        let (subject, inputs) = (self.subjects[number].as_ref(), &self.inputs[number]);
        let (place, piece) = self.pieces[number].whole(rows.date.value(row))?;
        if keep::key(subject, inputs, piece.day) != rows.key.value(row) {
            return None;
        }
        let counts = rows.counts(row, subject)?;
        let timeline = rows.timeline(row)?;
        let same = timeline.span() == piece.interval && timeline.slice() == subject.spec.slice;
        let errors = || timeline.intervals(State::Error).next().is_some();
        // Who was to blame is not kept, nor the events of each slice.
        let lacks = (self.detail == Detail::Culprits && errors()) || self.detail.events_of(&subject.spec);
        (same && !lacks).then(|| (place, rows.part(row, &counts, &timeline, (number, piece.range))))
    }
}

/// Kept days as they are read. Dropping it ends the reading.
pub(super) struct Recalling {
    found: Receiver<Result<Vec<Recalled>>>,
    tasks: JoinSet<()>,
}

impl Recalling {
    /// The parts of the next rows; `None` when all were read.
    pub async fn next(&mut self) -> Result<Option<Vec<Recalled>>> {
        if let Some(found) = self.found.recv().await {
            return found.map(Some);
        }
        // Whoever did not end has not said all.
        while let Some(ended) = self.tasks.join_next().await {
            ended.map_err(|error| internal_datafusion_err!("kept days were not read to the end: {error}"))?;
        }
        Ok(None)
    }
}
