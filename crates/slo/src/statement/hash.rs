//! SHA-256 of a statement.

use crate::digest::sha256;
use crate::statement::{IssuedStatement, json};

/// Of all that a statement says but its own hash.
pub(crate) fn of(statement: &IssuedStatement) -> String {
    sha256(&json::unsealed(statement))
}
