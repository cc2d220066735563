//! What is asked of each record, in whichever pass.

use super::cells::Written;
use super::guess::Guess;
use crate::{IngestError, Result};

/// Tells that no record has a column twice.
#[derive(Default)]
pub(super) struct OncePerRecord {
    /// The number of the current record, from 1.
    pub record: u64,
    /// For each column the record in which it was seen last; 0 if it was not.
    last: Vec<u64>,
}

impl OncePerRecord {
    /// Notes that the current record has a column, which it may have once.
    pub fn check(&mut self, name: &str, place: usize) -> Result<()> {
        if self.last.len() <= place {
            self.last.resize(place + 1, 0);
        }
        if std::mem::replace(&mut self.last[place], self.record) == self.record {
            return Err(IngestError::bad_line(format!("{name} is there twice")).column(name));
        }
        Ok(())
    }

    /// The same of a cell that is looked at without those of other records.
    pub fn check_alone(&mut self, name: &str, place: usize, cell: &str, written: Written) -> Result<()> {
        self.check(name, place)?;
        if Guess::default().add(cell, written) { Ok(()) } else { Err(no_json(name, cell)) }
    }

    /// Whether a record had this column.
    pub fn has(&self, place: usize) -> bool {
        self.last.get(place).is_some_and(|record| *record > 0)
    }
}

/// The error for a cell of JSON that is none.
pub(super) fn no_json(name: &str, cell: &str) -> IngestError {
    IngestError::bad_value(name, cell, "a value of JSON")
}
