//! What comes out of a notebook while it runs in a session.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use nines_engine::Parameters;
use nines_notebook::{Cell, CellAnswer, Watch};

/// A cell that went well.
pub(super) struct Ended {
    pub cell: Cell,
    pub parameters: Parameters,
    pub answer: CellAnswer,
}

/// Says which cell is at work, and remembers those that are done: also if the rest is cancelled.
#[derive(Clone)]
pub(super) struct Watcher {
    /// Whether a person reads along.
    interactive: bool,
    ended: Arc<Mutex<Vec<Ended>>>,
}

impl Watcher {
    pub fn new(interactive: bool) -> Watcher {
        Watcher { interactive, ended: Arc::default() }
    }

    pub fn ended(&self) -> Vec<Ended> {
        std::mem::take(&mut self.ended.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes a line that the next one overwrites.
    pub fn say(&self, doing: &str) {
        if self.interactive {
            let _ = write!(std::io::stderr(), "\r{doing}\x1b[K");
        }
    }
}

impl Watch for Watcher {
    fn begins(&mut self, at: usize, of: usize) {
        self.say(&format!("cell {at} of {of}"));
    }

    fn answered(&mut self, cell: &Cell, parameters: &Parameters, answer: &CellAnswer) {
        let ended = Ended { cell: cell.clone(), parameters: parameters.clone(), answer: answer.clone() };
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
    }
}
