//! The names of columns, and their places.

use std::collections::HashMap;

use crate::error::quoted;
use crate::{ErrorKind, IngestError, Result};

/// Most columns of a table.
pub(super) const MOST_COLUMNS: usize = 4096;

/// The columns found so far, each with its place.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub list: Vec<String>,
    places: HashMap<String, usize>,
    /// Where the name after the last one is likely to stand: records name their columns in the same order.
    next: usize,
    /// Whether all are known, so that another one means that the file was changed.
    complete: bool,
}

impl Names {
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let list: Vec<String> = names.map(str::to_string).collect();
        let places = list.iter().cloned().zip(0..).collect();
        Names { list, places, next: 0, complete: true }
    }

    pub fn place(&mut self, name: &str) -> Result<usize> {
        if self.list.get(self.next).is_some_and(|likely| likely == name) {
            self.next += 1;
            return Ok(self.next - 1);
        }
        if let Some(&place) = self.places.get(name) {
            self.next = place + 1;
            return Ok(place);
        }
        if self.complete {
            return Err(changed());
        }
        if self.list.len() == MOST_COLUMNS {
            let problem = format!("there are more than {MOST_COLUMNS} columns, {} among them", quoted(name));
            return Err(IngestError::new(ErrorKind::Columns, problem)
                .advice("Read the lines as text and take them apart: --format log, and the column line"));
        }
        let place = self.list.len();
        self.list.push(name.to_string());
        self.places.insert(name.to_string(), place);
        self.next = place + 1;
        Ok(place)
    }

    pub fn name(&self, place: usize) -> &str {
        self.list.get(place).map_or("", String::as_str)
    }
}

/// The error for a file that is not what it was.
pub(super) fn changed() -> IngestError {
    IngestError::new(ErrorKind::Io, "the file was changed while it was read").advice("Run the statement again")
}
