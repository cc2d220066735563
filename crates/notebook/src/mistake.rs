//! What is wrong with a notebook, and where: one line for a person, as compilers write it.

use std::fmt;

pub(crate) use nines_engine::slo::nearest::{hint, list, nearest};

/// A mistake in a notebook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// The file.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.path, self.line, self.column, self.reason)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Mistake {}

/// Line and column, both from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
}

/// Collects the mistakes of one file.
pub(crate) struct Notes<'p> {
    pub path: &'p str,
    pub mistakes: Vec<Mistake>,
}

impl Notes<'_> {
    pub fn note(&mut self, place: Place, reason: impl Into<String>, hint: Option<String>) {
        let Place { line, column } = place;
        self.mistakes.push(Mistake { path: self.path.to_string(), line, column, reason: reason.into(), hint });
    }
}

/// How many choices are told.
const TOLD: usize = 40;

/// What to say about a choice that there is not.
pub(crate) fn choices(word: &str, known: &[&str]) -> String {
    let told = match known.get(TOLD..) {
        Some(rest) if !rest.is_empty() => format!("{} or {} more", known[..TOLD].join(", "), rest.len()),
        _ => list(known),
    };
    match nearest(word, known) {
        Some(near) => format!("did you mean '{near}'? It may be {told}"),
        None => format!("it may be {told}"),
    }
}
