//! What is wrong with a notebook, and where: one line for a person, as compilers write it.

use thiserror::Error;

pub(crate) use nines_engine::slo::nearest::{hint, list, nearest};

/// A mistake in a notebook.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
#[error("{path}:{line}:{column}: {reason}{}", hint.iter().map(|hint| format!("; {hint}")).collect::<String>())]
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
