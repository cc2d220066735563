//! SHA-256 of a statement and of texts.

use ring::digest::{SHA256, digest};

use crate::statement::{Statement, json};

/// In hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of all that a statement says but its own hash.
pub(crate) fn of(statement: &Statement) -> String {
    sha256(&json::unsealed(statement))
}
