//! What is wrong with JSON, and where.

use crate::IngestError;

/// The error for JSON that is broken or other than expected.
pub(super) fn bad_json(error: &serde_json::Error) -> IngestError {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let problem = text.strip_suffix(&place).unwrap_or(&text).to_string();
    match error.line() {
        0 => IngestError::bad_line(problem),
        line => IngestError::bad_line(problem).on_line(line as u64).at(error.column().max(1)),
    }
}
