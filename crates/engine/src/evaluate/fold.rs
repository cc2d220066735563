//! A scan by day folded into one value per run of days.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int32Type;
use datafusion::common::{internal_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use nines_store::DAY_COLUMN;
use tokio::task::JoinSet;

/// What the rows of a run of days are folded into.
pub(crate) trait Fold: Send + 'static {
    /// What comes of all days.
    type Folded: Send + 'static;

    /// Takes rows of one day. Days ascend.
    fn rows(&mut self, batch: &RecordBatch, day: i32) -> Result<()>;

    /// What all days come to.
    fn folded(self) -> Result<Self::Folded>;
}

/// Folds the partitions of a scan by day at once; what they come to, in their order, which is that of their days.
pub(crate) async fn fold<F: Fold>(
    scan: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    name: &str,
    begin: impl Fn(MemoryReservation) -> F,
) -> Result<Vec<F::Folded>> {
    let mut partitions = JoinSet::new();
    for partition in 0..scan.output_partitioning().partition_count() {
        let rows = scan.execute(partition, Arc::clone(context))?;
        let memory = MemoryConsumer::new(format!("{name} {partition}")).register(context.memory_pool());
        let run = run(begin(memory), rows);
        partitions.spawn(async move { run.await.map(|folded| (partition, folded)) });
    }
    let mut folded = Vec::new();
    while let Some(done) = partitions.join_next().await {
        folded.push(done.map_err(|error| internal_datafusion_err!("{name} did not end: {error}"))??);
    }
    folded.sort_by_key(|(partition, _)| *partition);
    Ok(folded.into_iter().map(|(_, folded)| folded).collect())
}

async fn run<F: Fold>(mut fold: F, mut rows: SendableRecordBatchStream) -> Result<F::Folded> {
    let mut days = Days::default();
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        for (day, rows) in days.of(&batch)? {
            fold.rows(&batch.slice(rows.start, rows.len()), day)?;
        }
    }
    fold.folded()
}

/// The days of a partition of a scan, which ascend: whoever works day by day relies on it.
#[derive(Debug, Default)]
pub(super) struct Days {
    last: Option<i32>,
}

impl Days {
    /// The rows of each day in the next batch. Days that come out of order are an error.
    pub fn of(&mut self, batch: &RecordBatch) -> Result<Vec<(i32, Range<usize>)>> {
        let column = batch.column_by_name(DAY_COLUMN).and_then(|column| column.as_primitive_opt::<Int32Type>());
        let Some(days) = column else { return internal_err!("{DAY_COLUMN} was not read") };
        let (days, mut found, mut start) = (days.values(), Vec::new(), 0);
        while start < days.len() {
            let (day, last) = (days[start], self.last.replace(days[start]));
            if let Some(last) = last.filter(|last| *last > day) {
                return internal_err!("a scan by day gave day {day} after day {last}");
            }
            let end = start + days[start..].iter().take_while(|other| **other == day).count();
            found.push((day, start..end));
            start = end;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int32Array};

    use super::*;

    fn batch(days: &[i32]) -> RecordBatch {
        let days: ArrayRef = Arc::new(Int32Array::from(days.to_vec()));
        RecordBatch::try_from_iter([(DAY_COLUMN, days)]).unwrap()
    }

    #[test]
    fn days_ascend_or_are_refused() {
        let mut days = Days::default();
        assert_eq!(days.of(&batch(&[1, 1, 3])).unwrap(), [(1, 0..2), (3, 2..3)]);
        assert_eq!(days.of(&batch(&[3, 4])).unwrap(), [(3, 0..1), (4, 1..2)]);
        assert!(days.of(&batch(&[4, 5, 4])).unwrap_err().to_string().contains("day 4 after day 5"));
        assert!(Days::default().of(&batch(&[2, 1])).is_err());
        assert!(days.of(&RecordBatch::new_empty(Arc::new(datafusion::arrow::datatypes::Schema::empty()))).is_err());
    }
}
