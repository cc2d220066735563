//! What comes of definitions of other programs.

use super::window::Window;
use crate::mistake::{Mistake, Notes};
use crate::place::Place;
use crate::promql::Selector;

/// What comes of definitions of other programs.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Imported {
    /// Objectives, as OpenSLO; empty if there are none.
    pub definitions: String,
    /// What must be counted for them: a mapping; empty if nothing is.
    pub mapping: String,
    /// The names of the objectives.
    pub objectives: Vec<String>,
    /// What was left out, where, and why.
    pub left_out: Vec<Mistake>,
    /// What is counted otherwise than there.
    pub notes: Vec<Mistake>,
}

/// An objective that can be counted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Objective {
    pub name: String,
    /// Where it is named.
    pub place: Place,
    pub service: String,
    pub description: String,
    /// As a percentage, as it is written.
    pub percent: String,
    pub window: Option<Window>,
    pub counts: Counts,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Counts {
    /// Two of the three.
    Events { good: Vec<Selector>, bad: Vec<Selector>, total: Vec<Selector> },
    /// Requests of a native histogram up to a threshold, as `200ms`.
    Native { histogram: Selector, threshold: String },
    /// Samples that are 1 among those that are 0 or 1.
    Flag(Selector),
}

/// What is found in the documents of a file.
pub(super) struct Found<'p> {
    pub objectives: Vec<Objective>,
    /// What is left out as errors, what is counted otherwise as warnings.
    pub notes: Notes<'p>,
}

impl Found<'_> {
    /// Leaves an objective out.
    pub fn leave_out(&mut self, place: Place, name: &str, reason: impl std::fmt::Display) {
        self.notes.error(place, format!("{name}: {reason}"));
    }
}
