//! Physical lines of a text input, numbered, of bounded length.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Cursor, Read};

use crate::encoding::zero_bytes;
use crate::input::Bytes;
use crate::{ErrorKind, IngestError, Result};

/// Longest line, and longest CSV record, in bytes.
pub(crate) const MAX_LINE: usize = 1 << 20;

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";

/// What to do with a text that is not UTF-8.
pub(crate) const CONVERT: &str = "Convert the file from its encoding: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW";

/// The lines of one input. Advance, then look.
pub(crate) struct Lines {
    name: String,
    input: BufReader<Bytes>,
    line: Vec<u8>,
    number: u64,
    /// Lines that are read again before the input goes on.
    again: Cursor<Vec<u8>>,
    /// After so many lines, which are the header's, so many lines of the input are left out.
    resumed: Option<(u64, u64)>,
}

impl Lines {
    /// The lines of an input from its start.
    pub(crate) fn new(name: &str, input: Bytes) -> Self {
        Self {
            name: name.to_string(),
            input: BufReader::with_capacity(256 << 10, input),
            line: Vec::with_capacity(4096),
            number: 0,
            again: Cursor::default(),
            resumed: None,
        }
    }

    /// The lines of an input's header, and those of its rest, before which there are so many lines, the header's included.
    pub(crate) fn resumed(header: &[u8], before: u64, name: &str, rest: Bytes) -> Self {
        let lines = header.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let input = Box::new(Cursor::new(header.to_vec()).chain(rest));
        Self { resumed: Some((lines, before)), ..Self::new(name, input) }
    }

    /// The input's name and its bytes, for a format in which lines mean nothing. Nothing was read of it.
    pub(crate) fn into_input(self) -> (String, BufReader<Bytes>) {
        (self.name, self.input)
    }

    /// Goes to the next line; false at the end. A last line without newline is a line.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        self.line.clear();
        if let Some((_, before)) = self.resumed.take_if(|(header, _)| *header == self.number) {
            self.number = before;
        }
        self.number += 1;
        let mut read = self.again.read_until(b'\n', &mut self.line).map_err(|e| IngestError::io(&self.name, e))?;
        if read == 0 {
            let mut bounded = self.input.by_ref().take(MAX_LINE as u64 + 1);
            read = bounded.read_until(b'\n', &mut self.line).map_err(|e| IngestError::io(&self.name, e))?;
        }
        if self.line.len() > MAX_LINE {
            self.skip_rest()?;
            return Err(self.refuse(too_long("the line")));
        }
        if self.line.contains(&0) {
            let zeros = self.line.iter().filter(|&&byte| byte == 0).count();
            return Err(self.refuse(zero_bytes(ErrorKind::BadLine, zeros)));
        }
        if self.number == 1 && self.line.starts_with(UTF8_BOM) {
            self.line.drain(..UTF8_BOM.len());
        }
        Ok(read > 0)
    }

    /// Gives back whole lines that were read, to be read again behind the line that is the current one from now on.
    pub(crate) fn unread(&mut self, mut lines: Vec<u8>, line: Vec<u8>, number: u64) {
        let at = usize::try_from(self.again.position()).unwrap_or(usize::MAX);
        lines.extend_from_slice(self.again.get_ref().get(at..).unwrap_or_default());
        self.again = Cursor::new(lines);
        (self.line, self.number) = (line, number);
    }

    /// Reads on to the end of a line that is not held.
    fn skip_rest(&mut self) -> Result<()> {
        while self.line.last() != Some(&b'\n') {
            self.line.clear();
            let mut some = self.input.by_ref().take(MAX_LINE as u64);
            if some.read_until(b'\n', &mut self.line).map_err(|e| IngestError::io(&self.name, e))? == 0 {
                break;
            }
        }
        self.line.clear();
        Ok(())
    }

    /// The current line as far as it is text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.line)
    }

    /// What follows the current line, as far as it was read ahead: at the least one byte, unless the input ends here.
    pub(crate) fn ahead(&mut self) -> Result<&[u8]> {
        self.input.fill_buf().map_err(|e| IngestError::io(&self.name, e))
    }

    /// The current line with its line ending.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.line
    }

    /// The current line without its line ending.
    pub(crate) fn line(&self) -> &[u8] {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// The current line's number, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The input's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Says that an error lies on the current line.
    pub(crate) fn refuse(&self, error: IngestError) -> IngestError {
        error.in_file(&self.name).on_line(self.number)
    }
}

/// The error for a line or record that is not worth holding in memory.
pub(crate) fn too_long(what: &str) -> IngestError {
    IngestError::bad_line(format!("{what} is longer than 1 MiB"))
        .advice("Is this a text file, and of the given --format?")
}
