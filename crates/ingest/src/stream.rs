//! From blocking batches to a stream that the engine can plan with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use datafusion::arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::{RecordBatchReceiverStream, RecordBatchStreamAdapter};
use futures::{Stream, StreamExt};

use crate::Batches;

/// Batches parsed ahead of the consumer.
const AHEAD: usize = 2;

/// The batches as a stream, parsed on a blocking thread of the current tokio runtime.
///
/// Nothing is read before the stream is polled. Dropping it stops the parsing within a few thousand lines. Errors are
/// [`DataFusionError::External`] around an [`IngestError`](crate::IngestError).
pub fn stream(batches: Batches) -> SendableRecordBatchStream {
    let schema = batches.schema();
    let parsed = futures::stream::once(async move { parse(batches) }).flatten();
    Box::pin(RecordBatchStreamAdapter::new(schema, parsed))
}

/// Starts the parser.
fn parse(batches: Batches) -> impl Stream<Item = datafusion::error::Result<RecordBatch>> {
    let stop = StopOnDrop(batches.stop_flag());
    let mut builder = RecordBatchReceiverStream::builder(batches.schema(), AHEAD);
    let consumer = builder.tx();
    builder.spawn_blocking(move || {
        for batch in batches {
            if consumer.blocking_send(batch.map_err(|e| DataFusionError::External(Box::new(e)))).is_err() {
                break;
            }
        }
        Ok(())
    });
    builder.build().inspect(move |_| stop.keep())
}

/// Tells the parser that nobody listens any more.
struct StopOnDrop(Arc<AtomicBool>);

impl StopOnDrop {
    /// Lives as long as the closure that calls this.
    fn keep(&self) {}
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, IngestError, Options, Progress, read_from};
    use futures::TryStreamExt;
    use nines_store::TableKind;
    use std::io::{self, Read};

    fn csv(text: &'static str) -> Batches {
        let options = Options::new(TableKind::Requests, 60);
        read_from("a.csv", text.as_bytes(), None, options, Arc::default()).unwrap()
    }

    #[tokio::test]
    async fn batches_and_errors_come_through() {
        let batches: Vec<_> = stream(csv("time,requests\n60,1\n61,2\n")).try_collect().await.unwrap();
        assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1);
        let failed = stream(csv("time,requests\n60,x\n")).try_collect::<Vec<_>>().await.unwrap_err();
        let DataFusionError::External(error) = failed else { panic!("{failed}") };
        assert_eq!(error.downcast_ref::<IngestError>().unwrap().line_number(), Some(2));
    }

    /// A log that never ends and whose lines all have the same key, so that no batch is ever full.
    struct Endless(usize);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            const LINE: &[u8] = b"h - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 2326\n";
            let bytes = LINE.iter().cycle().skip(self.0 % LINE.len());
            buffer.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            self.0 += buffer.len();
            Ok(buffer.len())
        }
    }

    #[tokio::test]
    async fn dropping_the_stream_stops_the_parser() {
        let progress = Arc::new(Progress::new());
        let endless = read_from(
            "endless",
            Endless(0),
            Some(Format::Log),
            Options::new(TableKind::Requests, 60),
            Arc::clone(&progress),
        )
        .unwrap();
        let mut stream = stream(endless);
        assert_eq!(progress.rows_read(), 0);
        assert!(futures::poll!(stream.next()).is_pending());
        drop(stream);
        // The runtime waits for blocking threads when it shuts down: without the flag this test would never end.
    }
}
