//! Text files as a table.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::plan_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use nines_ingest::table::{AsText, FileTable, Source};
use nines_ingest::{IngestError, Progress};

/// The zone in which a session shows instants.
pub(super) fn zone(session: &dyn Session) -> String {
    session.config_options().execution.time_zone.clone().unwrap_or_else(|| "UTC".to_string())
}

/// Batches read ahead of the consumer.
const AHEAD: usize = 2;

/// Text files as one table.
#[derive(Debug)]
pub(crate) struct FileProvider {
    /// As the files were when they were measured last.
    table: Mutex<Arc<FileTable>>,
    schema: SchemaRef,
    as_text: AsText,
    zone: String,
    /// The file whose rows are given, where that is not all of them.
    only: Option<usize>,
    /// Counts the rows that are read.
    counted: Arc<AtomicU64>,
}

impl FileProvider {
    /// The rows of one file, in the columns of all.
    pub fn only(self, file: Option<usize>) -> Self {
        Self { only: file, ..self }
    }

    /// Reads the files once. Columns of `as_text` are text; instants are shown in this zone.
    pub async fn open(
        sources: Vec<Source>,
        as_text: AsText,
        zone: &str,
        progress: Arc<Progress>,
    ) -> Result<FileProvider> {
        let table = measured(sources, as_text.clone(), zone.to_string(), progress).await?;
        let schema = table.schema();
        Ok(FileProvider {
            table: Mutex::new(table),
            schema,
            as_text,
            zone: zone.to_string(),
            only: None,
            counted: Arc::default(),
        })
    }

    /// The rows that were read so far, by all statements.
    pub fn counted(&self) -> Arc<AtomicU64> {
        self.counted.clone()
    }

    /// Records of its files that repeated the header and were skipped.
    pub fn headers(&self) -> u64 {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).headers(self.only)
    }

    /// The files as they are now. A view or prepared statement may be older than what it reads.
    async fn current(&self) -> Result<Arc<FileTable>> {
        let known = self.table.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known.is_current() {
            return Ok(known);
        }
        let again = measured(known.sources(), self.as_text.clone(), self.zone.clone(), Arc::default()).await?;
        if again.schema() != self.schema {
            let files = known.sources().iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>();
            return plan_err!(
                "{}: its columns or their types have changed; plan the statement again",
                files.join(", ")
            );
        }
        *self.table.lock().unwrap_or_else(PoisonError::into_inner) = again.clone();
        Ok(again)
    }
}

async fn measured(
    sources: Vec<Source>,
    as_text: AsText,
    zone: String,
    progress: Arc<Progress>,
) -> Result<Arc<FileTable>> {
    let work = move || FileTable::measure(sources, &as_text, &zone, &progress);
    let done = tokio::task::spawn_blocking(work).await;
    let table = done.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?;
    table.map(Arc::new).map_err(refused)
}

pub(super) fn refused(error: IngestError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[async_trait]
impl TableProvider for FileProvider {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let table = self.current().await?;
        let projection = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = Arc::new(self.schema.project(&projection)?);
        if table.files() == 0 {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let partition = |file| {
            let (table, projection, schema) = (table.clone(), projection.clone(), schema.clone());
            Arc::new(FilePartition { table, file, projection, schema, counted: self.counted.clone() })
        };
        let files = self.only.map_or(0..table.files(), |file| file..file + 1);
        let partitions = files.map(|file| partition(file) as Arc<dyn PartitionStream>).collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, None, false, limit)?))
    }
}

/// The rows of one file.
#[derive(Debug)]
struct FilePartition {
    table: Arc<FileTable>,
    file: usize,
    projection: Vec<usize>,
    schema: SchemaRef,
    counted: Arc<AtomicU64>,
}

impl PartitionStream for FilePartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, task: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (table, file, projection, counted) =
            (self.table.clone(), self.file, self.projection.clone(), self.counted.clone());
        let batch_rows = task.session_config().batch_size();
        let mut builder = RecordBatchReceiverStream::builder(self.schema.clone(), AHEAD);
        let consumer = builder.tx();
        builder.spawn_blocking(move || {
            for batch in table.rows(file, &projection, batch_rows).map_err(refused)? {
                if let Ok(batch) = &batch {
                    counted.fetch_add(batch.num_rows() as u64, Relaxed);
                }
                // Nobody listens any more.
                if consumer.blocking_send(batch.map_err(refused)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        builder.build()
    }
}
