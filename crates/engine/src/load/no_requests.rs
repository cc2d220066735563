//! Logs of which no line is a request: the wrong field was named, more often than not.

use std::path::Path;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use nines_ingest::{ErrorKind, IngestError, NoRequest, Piece, Progress};

use crate::Load;

/// The rows, and at their end an error if lines were read and none of them has a status. What goes on where it ended, or is followed,
/// may hold messages of the program alone for a while.
pub(super) fn refused(
    load: &Load,
    pieces: &[Piece],
    progress: &Arc<Progress>,
    rows: SendableRecordBatchStream,
) -> SendableRecordBatchStream {
    if load.allow_empty || pieces.iter().any(|piece| piece.bytes().0 > 0) {
        return rows;
    }
    let file = match load.files.as_slice() {
        [file] => Some(file.clone()),
        _ => None,
    };
    let (progress, before) = (Arc::clone(progress), progress.rows_read());
    let schema = rows.schema();
    let end = stream::once(async move {
        let is_none = progress.rows_read() == before;
        let refused = is_none.then(|| without_status(&progress, file.as_deref())).flatten();
        refused.map(|error| Err(DataFusionError::External(Box::new(error))))
    });
    let rows = rows.chain(end.filter_map(|refused| async move { refused }));
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

fn without_status(progress: &Progress, file: Option<&Path>) -> Option<IngestError> {
    let mut lines = progress.no_requests().into_iter();
    let (why, lines) = lines.find(|(why, _)| matches!(why, NoRequest::Status(_)))?;
    let said = if lines == 1 { "1 line".to_string() } else { format!("{lines} lines") };
    let error = IngestError::new(ErrorKind::Options, format!("no line is a request: {said} {why}"))
        .expected("the field that holds the status")
        .advice("Name it in --log-format, such as 'json time=ts status=http.status'; nothing is stored");
    Some(match file {
        Some(file) => error.in_file(file.display().to_string()),
        None => error,
    })
}
