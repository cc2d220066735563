//! What a check found.

use std::fmt;

use datafusion::object_store::path::Path;

use crate::error::{Result, StoreError};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Problem {
    /// The object, relative to the store.
    pub object: String,
    /// What is wrong, what that means and what to do.
    pub problem: String,
}

impl Problem {
    pub(super) fn new(object: impl fmt::Display, problem: impl Into<String>) -> Self {
        Self { object: object.to_string(), problem: problem.into() }
    }

    pub(super) fn of(object: &Path, error: &StoreError) -> Self {
        let said = error.to_string();
        // The object is named beside it.
        let behind = |between: &str| said.strip_prefix(&format!("{object}{between}"));
        let short = behind(": ").map(str::to_string).or_else(|| Some(format!("it is {}", behind(" is ")?)));
        Self::new(object, short.unwrap_or(said))
    }
}

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// Entries of the log.
    pub entries: u64,
    /// Data files of all versions whose entries are there.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Rows of the newest version.
    pub rows: u64,
    /// Entries of other Delta writers, of which nobody can tell whether they are as they were written.
    pub foreign_entries: Vec<u64>,
    /// Versions of checkpoints of other Delta writers or older programs, of which nobody can tell either.
    pub foreign_checkpoints: Vec<u64>,
    /// Files of other Delta writers.
    pub foreign_files: Vec<String>,
    /// Data files that are in no version: what writers left that died. They are in nobody's way.
    pub left_over: Vec<String>,
    /// What is wrong, by object.
    pub problems: Vec<Problem>,
}

impl Checked {
    /// Adds what an error says of an object, unless it says something of this process.
    pub(super) fn add(&mut self, problem: Problem, error: StoreError) -> Result<()> {
        if error.is_of_resources() {
            return Err(error);
        }
        self.problems.push(problem);
        Ok(())
    }

    /// Adds what an error says of an object, unless it is about one of which something was said already.
    pub(super) fn add_news(&mut self, problem: Problem, error: StoreError) -> Result<()> {
        let about = |known: &Problem| known.object.contains('/') && problem.problem.contains(&known.object);
        match self.problems.iter().any(about) {
            true => Ok(()),
            false => self.add(problem, error),
        }
    }
}
