//! What is wrong with a definition, and where: one line for a person, as compilers write it.

use thiserror::Error;

use crate::nearest;
use crate::place::Place;

/// A mistake in a definition, or a warning about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{path}:{line}:{column}: {reason}{}", hint.iter().map(|hint| format!("; {hint}")).collect::<String>())]
#[non_exhaustive]
pub struct Mistake {
    /// The file; for what is recorded already its kind and name, such as `SLO login-success`.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether it keeps the definition from being recorded.
    pub severity: Severity,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is recorded.
    Error,
    /// Recorded all the same, but worth knowing.
    Warning,
}

impl Mistake {
    /// A mistake at a line and a column, found by who knows more than this crate.
    pub fn new(path: String, (line, column): (usize, usize), reason: String, severity: Severity) -> Self {
        Mistake { path, line, column, reason, hint: None, severity }
    }
}

/// A mistake whose file is not known yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Complaint {
    pub place: Place,
    pub reason: String,
    pub hint: Option<String>,
}

impl Complaint {
    pub fn new(place: Place, reason: impl Into<String>, hint: Option<&str>) -> Self {
        Complaint { place, reason: reason.into(), hint: hint.map(str::to_string) }
    }
}

/// Collects the mistakes of one file.
pub(crate) struct Notes<'p> {
    path: &'p str,
    pub errors: Vec<Mistake>,
    pub warnings: Vec<Mistake>,
}

impl<'p> Notes<'p> {
    pub fn new(path: &'p str) -> Self {
        Notes { path, errors: Vec::new(), warnings: Vec::new() }
    }

    pub fn path(&self) -> &'p str {
        self.path
    }

    pub fn error(&mut self, place: Place, reason: impl Into<String>) {
        self.complain(Complaint::new(place, reason, None));
    }

    pub fn error_hint(&mut self, place: Place, reason: impl Into<String>, hint: &str) {
        self.complain(Complaint::new(place, reason, Some(hint)));
    }

    pub fn complain(&mut self, complaint: Complaint) {
        self.errors.push(mistake(self.path, complaint, Severity::Error));
    }

    pub fn warn(&mut self, place: Place, reason: impl Into<String>, hint: Option<&str>) {
        self.warnings.push(mistake(self.path, Complaint::new(place, reason, hint), Severity::Warning));
    }

    /// A word that is none of the known ones: says which was probably meant, else which there are.
    pub fn unknown(&mut self, place: Place, reason: impl Into<String>, word: &str, known: &[&str]) {
        self.error_hint(place, reason, &nearest::hint(word, known));
    }
}

pub(crate) fn mistake(path: &str, complaint: Complaint, severity: Severity) -> Mistake {
    let Complaint { place, reason, hint } = complaint;
    Mistake { path: path.to_string(), line: place.line, column: place.column, reason, hint, severity }
}
