//! Lines that may be long: each is an object of JSON.

use std::io::{BufRead, Read};

use crate::{IngestError, Result};

/// The lines of an input. Advance, then look.
pub(super) struct LongLines<R> {
    /// What errors call the input.
    name: String,
    input: R,
    line: Vec<u8>,
    number: u64,
    /// Longest line, in bytes.
    most: u64,
}

impl<R: BufRead> LongLines<R> {
    pub fn new(name: &str, input: R, most: u64) -> Self {
        LongLines { name: name.to_string(), input, line: Vec::new(), number: 0, most }
    }

    /// Goes to the next line; false at the end. A line that is too long is an error, and is not gone past.
    pub fn advance(&mut self) -> Result<bool> {
        self.line.clear();
        self.number += 1;
        let read = self.input.by_ref().take(self.most + 1).read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| IngestError::io(&self.name, error))?;
        if read as u64 > self.most {
            return Err(self.place(self.too_long()));
        }
        Ok(read > 0)
    }

    /// The current line without its end.
    pub fn line(&self) -> &[u8] {
        self.line.strip_suffix(b"\n").unwrap_or(&self.line)
    }

    /// Whether the current line has its end.
    pub fn is_whole(&self) -> bool {
        self.line.ends_with(b"\n")
    }

    /// The number of the current line, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How long a line may be, in bytes.
    pub fn most(&self) -> u64 {
        self.most
    }

    /// The error for what is longer.
    pub fn too_long(&self) -> IngestError {
        IngestError::bad_line(format!("the line is longer than {} MiB", self.most >> 20))
    }

    /// Says that an error lies on the current line.
    pub fn place(&self, error: IngestError) -> IngestError {
        error.on_line(self.number)
    }
}
