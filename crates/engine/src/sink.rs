//! The end of the plan of an INSERT, and what came of it.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::datasource::sink::DataSink;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType};
use futures::StreamExt;
use nines_store::{Commit, Once, StoreError, StoreErrorKind, TableKind};

use crate::evaluate;
use crate::fit::Fit;
use crate::location::StoreLocation;

/// What a statement wrote: the table and the commit.
#[derive(Debug, Clone, Default)]
pub struct Receipt(Arc<OnceLock<(TableKind, Commit)>>);

impl Receipt {
    /// `None` before all batches of the answer were read, and after an error.
    pub fn get(&self) -> Option<&(TableKind, Commit)> {
        self.0.get()
    }
}

/// The end of the plan of an INSERT.
#[derive(Debug)]
pub(crate) struct Sink {
    kind: TableKind,
    place: Arc<StoreLocation>,
    fit: Fit,
    receipt: Arc<Receipt>,
    /// The input's own: what may be NULL is the store's to say.
    schema: SchemaRef,
}

impl Sink {
    pub fn new(kind: TableKind, place: Arc<StoreLocation>, fit: Fit, receipt: Arc<Receipt>, schema: SchemaRef) -> Self {
        Sink { kind, place, fit, receipt, schema }
    }
}

#[async_trait]
impl DataSink for Sink {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(&self, rows: SendableRecordBatchStream, task: &Arc<TaskContext>) -> Result<u64> {
        let fit = self.fit.clone();
        let mut rows = rows.map(move |batch| fit.batch(&batch?)).boxed().peekable();
        // A statement that cannot succeed must not leave a new, empty store behind.
        if let Some(Err(_)) = Pin::new(&mut rows).peek().await
            && let Some(Err(error)) = rows.next().await
        {
            return Err(error);
        }
        let rows = Box::pin(RecordBatchStreamAdapter::new(self.fit.schema().clone(), rows));
        let table = self.place.open_or_create().await?.table(self.kind);
        let commit = table.append(rows, Once::default(), evaluate::task(task)).await.map_err(unwrapped)?;
        let count = commit.rows;
        // A plan runs once, so nothing stands there yet.
        let _ = self.receipt.0.set((self.kind, commit));
        Ok(count)
    }
}

/// An error of the query comes back through the store as an internal one; it is the query's.
fn unwrapped(error: StoreError) -> DataFusionError {
    use std::error::Error;
    let source = error.source().and_then(|source| source.downcast_ref::<DataFusionError>());
    match source.filter(|_| error.kind() == StoreErrorKind::Internal) {
        Some(source) => DataFusionError::Execution(crate::wording::message(source)),
        None => error.into(),
    }
}

impl DisplayAs for Sink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.kind.name())
    }
}
