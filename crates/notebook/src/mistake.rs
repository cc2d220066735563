//! What is wrong with a notebook, and where: one line for a person, as compilers write it.

use std::fmt;

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

/// What to say about a word that is none of the known ones.
pub(crate) fn hint(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("expected {}", list(known)),
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

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn list(words: &[&str]) -> String {
    match words {
        [] => "nothing".to_string(),
        [one] => one.to_string(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

/// The known word that at most a third of the letters set apart from this one; case counts for nothing.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word: Vec<char> = word.to_lowercase().chars().collect();
    // Nobody mistypes a word into a page of text.
    if word.len() > 64 {
        return None;
    }
    let most = (word.len() / 3).max(1);
    let far = known.iter().map(|&known| (distance(&word, &known.to_lowercase().chars().collect::<Vec<_>>()), known));
    far.filter(|(far, _)| *far <= most).min_by_key(|(far, _)| *far).map(|(_, known)| known)
}

/// Letters to insert, remove, replace or swap with their neighbour ("optimal string alignment").
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_seen_through() {
        let known = ["chart", "series", "target", "title"];
        assert_eq!(hint("tagret", &known), "did you mean 'target'?");
        assert_eq!(hint("Titel", &known), "did you mean 'title'?");
        assert_eq!(hint("colour-of-line", &known), "expected chart, series, target or title");
    }
}
