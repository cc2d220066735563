//! What is said of an object that is not as it was written.

use std::fmt::Display;

use datafusion::object_store::path::Path;
use datafusion::object_store::{Error, Result};

use crate::error::{StoreError, StoreErrorKind, VERIFIED};
use crate::log::FileName;

/// The error for an object that is not as it was written.
pub(crate) fn damaged(path: &Path, what: impl Display) -> Error {
    inside(StoreError::corrupt(format!("{path} is damaged: {what}. {}", remedy(path))))
}

/// The same for one that is gone.
pub(super) fn missing(path: &Path) -> Error {
    inside(missing_object(path))
}

/// The same for whoever knows without asking the objects.
pub(crate) fn missing_object(path: &Path) -> StoreError {
    let given_up = match path.filename().and_then(FileName::parse) {
        Some(_) => ". (If `nines gc` has given up versions while this ran, run it again.)",
        None => "",
    };
    StoreError::corrupt(format!("{path} is missing. {}{given_up}", remedy(path)))
}

fn inside(error: StoreError) -> Error {
    Error::Generic { store: VERIFIED, source: Box::new(error) }
}

/// Whether an error says that something is damaged or missing.
pub(super) fn is_corrupt(error: &Error) -> bool {
    StoreError::found_in(error).is_some_and(|error| error.kind() == StoreErrorKind::Corrupt)
}

/// That an object is missing is said with what to do about it.
pub(super) fn told<T>(path: &Path, result: Result<T>) -> Result<T> {
    match result {
        Err(Error::NotFound { .. }) => Err(missing(path)),
        other => other,
    }
}

/// What can be done about it now.
fn remedy(path: &Path) -> &'static str {
    match path.filename().and_then(FileName::parse) {
        Some(_) => "Nothing that needs its rows is answered or written. Put the file back from a backup",
        None if path.extension() == Some("head") => {
            "Put the file back from a backup. If it is known that no entry of the log is missing, it can be removed: the next \
             write puts it again"
        }
        None => "Put the file back from a backup, with whatever else of the log is missing",
    }
}
