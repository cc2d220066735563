//! What keeps a statement from being drawn up or read.

use std::fmt;

use crate::credit::CreditError;
use crate::period::Month;

/// What keeps a statement from being drawn up, read or shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatementError {
    /// The agreement's text cannot be read.
    Agreement {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The agreement covers nothing of the period.
    NothingAgreed {
        /// The agreement's name.
        name: String,
        /// The period.
        period: Month,
    },
    /// The figures cannot be computed.
    Credit(CreditError),
    /// The text is no statement.
    Format {
        /// What is wrong.
        reason: String,
    },
    /// The statements of one page are not about one customer and period, or there are none.
    Page {
        /// What is wrong.
        reason: String,
    },
}

impl StatementError {
    pub(crate) fn nothing_agreed(name: &str, period: Month) -> Self {
        StatementError::NothingAgreed { name: name.to_string(), period }
    }

    pub(crate) fn format(reason: impl Into<String>) -> Self {
        StatementError::Format { reason: reason.into() }
    }
}

impl From<CreditError> for StatementError {
    fn from(error: CreditError) -> Self {
        StatementError::Credit(error)
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StatementError::Agreement { name, reason } => {
                write!(f, "the text of agreement '{name}' cannot be read: {reason}")
            }
            StatementError::NothingAgreed { name, period } => {
                write!(f, "agreement '{name}' covers nothing of {period} for this customer")
            }
            StatementError::Credit(error) => error.fmt(f),
            StatementError::Format { reason } => write!(f, "this is no statement that can be read: {reason}"),
            StatementError::Page { reason } => f.write_str(reason),
        }
    }
}

impl std::error::Error for StatementError {}
