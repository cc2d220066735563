//! The part of PromQL that names counters: vector selectors, and expressions over them as definitions of objectives write them.
//!
//! An expression is read to find out which counters it adds up, never to be evaluated. What is not understood is refused with
//! its place.

mod expression;
mod parse;
mod selector;
mod token;

pub use selector::{Matcher, Selector};
pub use token::quoted;

pub(crate) use expression::{Expression, Grouping, Node};
pub(crate) use parse::parse;

/// What is wrong with an expression, and where: bytes from its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub at: usize,
    pub reason: String,
}

impl Refused {
    pub fn new(at: usize, reason: impl Into<String>) -> Self {
        Refused { at, reason: reason.into() }
    }

    /// For a person, with the place in the text as characters from 1.
    pub fn told(&self, text: &str) -> String {
        let column = text.get(..self.at).map_or(1, |before| before.chars().count() + 1);
        format!("{} (character {column} of `{}`)", self.reason, text.trim())
    }
}
