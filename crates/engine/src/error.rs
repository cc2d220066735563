//! What can go wrong in a session.

use datafusion::error::DataFusionError;
use nines_ingest::{ErrorKind, IngestError};
use nines_slo::Mistake;
use nines_store::{StoreError, StoreErrorKind};
use thiserror::Error;

use crate::wording::message;

/// A result whose error is an [`EngineError`].
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// Why a statement or a load failed. `Display` is one message for a person, without the layers through which
/// the error came.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The store refused or failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// An input was refused.
    #[error("{0}")]
    Ingest(#[source] IngestError),
    /// Definitions were refused: every mistake, with its place.
    #[error("{0}")]
    Definitions(#[source] Mistakes),
    /// Planning or running SQL failed.
    #[error("{}", message(.0))]
    Sql(#[source] DataFusionError),
    /// A parameter or setting is wrong or missing.
    #[error("{0}")]
    Usage(String),
    /// The parameter of this name, without the `$`, has no value.
    #[error("parameter ${0} has no value; give it with --param {0}=VALUE")]
    NoValue(String),
    /// What was asked for needs data that are not stored yet.
    #[error("{0}")]
    Incomplete(String),
    /// A file was truncated or written anew while it was read; nothing of it was stored, and it can be read again.
    #[error("{0}")]
    Changed(String),
    /// The statement was ended by whoever runs it.
    #[error("cancelled")]
    Cancelled,
}

/// Every mistake in definitions, in the order of files and lines.
#[derive(Debug, Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mistakes(pub Vec<Mistake>);

impl From<IngestError> for EngineError {
    fn from(error: IngestError) -> Self {
        match error.kind() {
            ErrorKind::Changed => EngineError::Changed(error.to_string()),
            _ => EngineError::Ingest(error),
        }
    }
}

impl From<DataFusionError> for EngineError {
    fn from(error: DataFusionError) -> Self {
        // What is damaged is told from what is wrong with a statement, through however many layers it came.
        match StoreError::found_in(&error) {
            Some(found) if found.kind() == StoreErrorKind::Corrupt => EngineError::Store(found),
            Some(_) | None => EngineError::Sql(error),
        }
    }
}
