//! What goes wrong between here and a server, by what the caller can do.

use thiserror::Error;

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The address, a file of a certificate or a header is not what it should be.
    #[error("{0}")]
    Setup(String),
    /// Nobody answered, after several attempts.
    #[error(
        "{url} does not answer: {reason}. Nothing of this part is stored; what was stored before stays, and the same command goes on from there"
    )]
    Unreachable {
        /// The server's address.
        url: String,
        /// As the network says it.
        reason: String,
    },
    /// The server will not answer so much at once: ask for a shorter time.
    #[error("the server will not answer so much at once: {0}")]
    TooMuch(String),
    /// The server refuses the question.
    #[error("{url} answers {status}: {text}{hint}")]
    Refused {
        /// The server's address.
        url: String,
        /// The status of HTTP.
        status: u16,
        /// The error in the answer's body.
        text: String,
        /// What to do, as a sentence; empty if nobody knows.
        hint: &'static str,
    },
}
