//! Errors as a person reads them, and as a script does: the exit code.

use std::fmt;
use std::io;

use nines_engine::EngineError;

use crate::landed::Landed;

pub(crate) type Result<T, E = CliError> = std::result::Result<T, E>;

#[derive(Debug)]
pub(crate) enum CliError {
    Engine(EngineError),
    /// What was being done, and why it failed.
    Io(String, io::Error),
    /// The command line asks for something that cannot be.
    Usage(String),
    /// What was asked for was done, and did not come out right.
    Failed(String),
    /// Where it happened, and what.
    At(String, Box<CliError>),
    /// By Ctrl-C, and what had been stored then.
    Interrupted(Landed),
    /// It failed after something was stored.
    After(Box<CliError>, Landed),
    /// There was nothing to do: no failure, but not what a scheduler waits for.
    Nothing(String),
    /// What was issued is not what is stored today.
    Differs(String),
    /// Some of what was asked for could not be done; the rest was.
    Partly(String),
}

impl CliError {
    pub fn exit_code(&self) -> u8 {
        match self {
            _ if self.is_broken_pipe() => 0,
            CliError::Engine(_) | CliError::Io(..) | CliError::Failed(_) => 1,
            CliError::Usage(_) => 2,
            CliError::Nothing(_) => 3,
            CliError::Differs(_) => 4,
            CliError::Partly(_) => 5,
            CliError::At(_, error) | CliError::After(error, _) => error.exit_code(),
            CliError::Interrupted(_) => 130,
        }
    }

    pub fn is_broken_pipe(&self) -> bool {
        match self {
            CliError::Io(_, error) => error.kind() == io::ErrorKind::BrokenPipe,
            CliError::At(_, error) | CliError::After(error, _) => error.is_broken_pipe(),
            CliError::Engine(_)
            | CliError::Usage(_)
            | CliError::Failed(_)
            | CliError::Interrupted(_)
            | CliError::Nothing(_)
            | CliError::Differs(_)
            | CliError::Partly(_) => false,
        }
    }

    /// Says where it happened. What a person did on purpose happened nowhere.
    pub fn at(self, place: String) -> CliError {
        match self {
            CliError::Interrupted(_) => self,
            error => CliError::At(place, Box::new(error)),
        }
    }

    /// Says what was stored before a failure.
    pub fn after(self, landed: Landed) -> CliError {
        match self {
            CliError::Nothing(_) | CliError::Differs(_) | CliError::Partly(_) | CliError::Interrupted(_) => self,
            error if landed.has_rows() => CliError::After(Box::new(error), landed),
            error => error,
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CliError::Engine(error) => write!(f, "{error}"),
            CliError::Io(doing, error) => write!(f, "{doing}: {error}"),
            CliError::Usage(message)
            | CliError::Failed(message)
            | CliError::Nothing(message)
            | CliError::Differs(message)
            | CliError::Partly(message) => f.write_str(message),
            CliError::At(place, error) => write!(f, "{place}: {error}"),
            CliError::Interrupted(landed) => write!(f, "interrupted; {landed}"),
            CliError::After(error, landed) => write!(f, "{error}\n{landed}"),
        }
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        CliError::Engine(error)
    }
}

impl From<datafusion::error::DataFusionError> for CliError {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        CliError::Engine(error.into())
    }
}

impl From<datafusion::arrow::error::ArrowError> for CliError {
    fn from(error: datafusion::arrow::error::ArrowError) -> Self {
        match error {
            datafusion::arrow::error::ArrowError::IoError(_, error) => {
                CliError::Io("writing the result".to_string(), error)
            }
            error => CliError::Engine(datafusion::error::DataFusionError::from(error).into()),
        }
    }
}

/// Adds what was being done to an I/O error.
pub(crate) fn doing<T>(doing: impl fmt::Display, result: io::Result<T>) -> Result<T> {
    result.map_err(|error| CliError::Io(doing.to_string(), error))
}
