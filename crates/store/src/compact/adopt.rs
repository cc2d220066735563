//! Whether rows of other Delta writers can be taken over: they get a name and sums of ours, which say that an append has let them in.
//!
//! So they must be rows that an append lets in, of the day that their folder says, and none may have a key that another one has.
//! Nothing is put right on the way: a compaction changes no rows.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Date32Type, Field, Schema};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;

use super::due::Merge;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{DataFile, Files};
use crate::rules::key_of;
use crate::table::Table;
use crate::write::{Check, LaterColumns, PARTITION};

const REMEDY: &str = "Nothing was adopted. Remove such rows with the program that wrote them, or go back to a version without them \
                      (`nines restore`), and adopt again";

impl Table {
    /// Refuses merges with files of other writers that hold what no append lets in. [`StoreErrorKind::InvalidRows`] names the file, the
    /// row and what is wrong.
    pub(super) async fn check_adopted(&self, merges: &[Merge], base: &Files, task: &Arc<TaskContext>) -> Result<()> {
        for merge in merges.iter().filter(|merge| merge.files.iter().any(DataFile::foreign)) {
            for file in merge.files.iter().filter(|file| file.foreign()) {
                self.check_rows(file, task).await?;
            }
            let files: Vec<&DataFile> = base.files.of(merge.first_day).iter().collect();
            if let Some(twice) = self.twice(&files, task).await? {
                let (a, b) = twice.files;
                let (theirs, other) = if a.foreign() { (a, b) } else { (b, a) };
                let place = match theirs == other {
                    true => "twice in it".to_string(),
                    false => format!("in {}, too", other.path()),
                };
                return Err(refused(theirs, &twice.key, &format!("it is {place}: it counts twice")));
            }
        }
        Ok(())
    }

    /// Every row of a file by itself.
    async fn check_rows(&self, file: &DataFile, task: &Arc<TaskContext>) -> Result<()> {
        let (kind, layout) = (self.kind(), self.layout(false));
        let mut rows = self.as_they_are(file, task)?;
        let check = Check::new(&layout, &rows.schema(), &LaterColumns::new(kind))?;
        while let Some(batch) = rows.next().await.transpose()? {
            let Some((row, why)) = first_refused(&check, file, &batch) else { continue };
            return Err(refused(file, &key_of(kind, &batch, row), &why));
        }
        Ok(())
    }

    /// The rows of a file with NULLs wherever they are.
    fn as_they_are(&self, file: &DataFile, task: &Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let registered = self.objects().register(&task.runtime_env())?;
        let nullable = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
        let schema = self.schema().fields().iter().map(nullable).collect::<Vec<_>>();
        let table = TableSchema::builder(Arc::new(Schema::new(schema))).build();
        // A path of an object store is taken as it is, not percent-encoded once more.
        let mut read = PartitionedFile::new("", file.size());
        read.object_meta.location = file.path().clone();
        let source = Arc::new(ParquetSource::new(table));
        let config = FileScanConfigBuilder::new(registered, source).with_file_groups(vec![FileGroup::new(vec![read])]);
        Ok(DataSourceExec::from_data_source(config.build()).execute(0, Arc::clone(task))?)
    }
}

/// The first row of a batch that no append lets into the partition of its file, and why.
fn first_refused(check: &Check, file: &DataFile, batch: &RecordBatch) -> Option<(usize, String)> {
    why_refused(check, file, batch)?;
    (0..batch.num_rows()).find_map(|row| Some((row, why_refused(check, file, &batch.slice(row, 1))?)))
}

fn why_refused(check: &Check, file: &DataFile, rows: &RecordBatch) -> Option<String> {
    let checked = match check.batch(rows) {
        Ok(checked) => checked,
        Err(error) => return Some(error.to_string()),
    };
    let first_day = file.first_day()?;
    let partitions = checked.column_by_name(PARTITION)?.as_primitive::<Date32Type>();
    let of_another = partitions.values().iter().find(|day| **day != first_day)?;
    let date = |day: i32| chrono::NaiveDate::from_epoch_days(day).map_or(day.to_string(), |date| date.to_string());
    Some(format!(
        "it belongs to the folder of {}, and the log has the file under {}: questions about that time do not find it",
        date(*of_another),
        date(first_day)
    ))
}

fn refused(file: &DataFile, key: &str, why: &str) -> StoreError {
    StoreError::new(
        StoreErrorKind::InvalidRows,
        format!("{} of another Delta writer cannot be adopted: row {key:?}: {why}. {REMEDY}", file.path()),
    )
}
