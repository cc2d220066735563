//! What is wrong with a row.

use std::fmt;

/// What is wrong with a row: the column, what stands there, and what was expected where that can be said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Broken {
    /// The column that is wrong.
    pub column: &'static str,
    /// What is wrong, as a clause.
    pub found: String,
    /// What was expected.
    pub expected: Option<String>,
}

impl Broken {
    pub(super) fn new(column: &'static str, found: impl Into<String>) -> Self {
        Self { column, found: found.into(), expected: None }
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.found)?;
        match &self.expected {
            Some(expected) => write!(f, "; expected {expected}"),
            None => Ok(()),
        }
    }
}

/// The first row that breaks a rule, and which.
pub(super) type First = Option<(usize, Broken)>;
