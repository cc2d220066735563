//! What keeps a statement from being drawn up or read.

use thiserror::Error;

use crate::credit::CreditError;
use crate::period::PeriodName;

/// What keeps a statement from being drawn up, read or shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StatementError {
    /// The agreement's text cannot be read.
    #[error("the text of agreement '{name}' cannot be read: {reason}")]
    Agreement {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The agreement covers nothing of the period.
    #[error("agreement '{name}' covers nothing of {period} for this customer")]
    NothingAgreed {
        /// The agreement's name.
        name: String,
        /// The period.
        period: PeriodName,
    },
    /// The figures cannot be computed.
    #[error(transparent)]
    Credit(#[from] CreditError),
    /// The text is no statement.
    #[error("this is no statement that can be read: {reason}")]
    Format {
        /// What is wrong.
        reason: String,
    },
    /// The statements of one page are not about one customer and period, or there are none.
    #[error("{reason}")]
    Page {
        /// What is wrong.
        reason: String,
    },
}

impl StatementError {
    pub(crate) fn nothing_agreed(name: &str, period: PeriodName) -> Self {
        StatementError::NothingAgreed { name: name.to_string(), period }
    }

    pub(crate) fn format(reason: impl Into<String>) -> Self {
        StatementError::Format { reason: reason.into() }
    }
}
