//! The rows of a statement, until it is ended.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, StreamExt};

use super::token::{Token, Why};

/// A stream that fails when its statement is ended, and ends its statement when it is dropped.
///
/// What makes the rows runs on a task of its own from the first poll on, so that this stream can be dropped whatever is being
/// computed.
pub(crate) struct Ending {
    rows: Rows,
    schema: SchemaRef,
    token: Arc<Token>,
    ended: BoxFuture<'static, ()>,
}

enum Rows {
    /// Nobody asked for any yet.
    Idle(SendableRecordBatchStream),
    Running(SendableRecordBatchStream),
    /// What they were made of is gone.
    Over,
}

impl Ending {
    pub fn new(rows: SendableRecordBatchStream, token: Arc<Token>) -> Self {
        let waiting = Arc::clone(&token);
        let ended = async move { waiting.ended().await }.boxed();
        Ending { schema: rows.schema(), rows: Rows::Idle(rows), token, ended }
    }

    /// The rows, made on a task from now on.
    fn running(&mut self) -> Option<&mut SendableRecordBatchStream> {
        if let Rows::Idle(_) = self.rows
            && let Rows::Idle(mut rows) = std::mem::replace(&mut self.rows, Rows::Over)
        {
            let mut builder = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), 1);
            let taken = builder.tx();
            builder.spawn(async move {
                // A bug in an operator ends its statement, not the program.
                while let Some(batch) = AssertUnwindSafe(rows.next()).catch_unwind().await.unwrap_or_else(failure) {
                    let failed = batch.is_err();
                    if taken.send(batch).await.is_err() || failed {
                        break;
                    }
                }
                Ok(())
            });
            self.rows = Rows::Running(builder.build());
        }
        match &mut self.rows {
            Rows::Running(rows) => Some(rows),
            Rows::Idle(_) | Rows::Over => None,
        }
    }
}

/// What a panic says, as the error of the statement.
fn failure(panic: Box<dyn Any + Send>) -> Option<Result<RecordBatch>> {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Some(Err(DataFusionError::Internal(format!(
        "the statement met a bug and was ended: {}",
        said.unwrap_or("an operator panicked")
    ))))
}

impl Stream for Ending {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(rows) = self.running() else { return Poll::Ready(None) };
        let mut next = rows.poll_next_unpin(cx);
        // Whatever an operator made of it, the reason is the token's. A result that is whole stays one.
        let is_over = matches!(next, Poll::Ready(None));
        if !is_over && (self.ended.poll_unpin(cx).is_ready() || self.token.check().is_err()) {
            next = Poll::Ready(self.token.check().err().map(Err));
        }
        if is_over || matches!(next, Poll::Ready(Some(Err(_)))) {
            self.rows = Rows::Over;
        }
        next
    }
}

impl RecordBatchStream for Ending {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // Nobody waits for it any longer: what still computes shall stop.
        self.token.end(Why::Cancelled);
    }
}
