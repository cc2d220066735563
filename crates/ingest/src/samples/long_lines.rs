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
            return Err(IngestError::bad_line(format!("the line is longer than {} MiB", self.most >> 20)));
        }
        Ok(read > 0)
    }

    /// The current line without its end.
    pub fn line(&self) -> &[u8] {
        self.line.trim_ascii_end()
    }

    /// Whether only blanks follow the current line, which are gone past.
    pub fn is_last(&mut self) -> Result<bool> {
        loop {
            let ahead = self.input.fill_buf().map_err(|error| IngestError::io(&self.name, error))?;
            let blanks = ahead.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if blanks < ahead.len() || ahead.is_empty() {
                return Ok(ahead.is_empty());
            }
            self.input.consume(blanks);
        }
    }

    /// The current line as far as it is text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.line).into_owned()
    }

    /// The number of the current line, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Says that an error lies on the current line.
    pub fn place(&self, error: IngestError) -> IngestError {
        error.on_line(self.number)
    }
}
