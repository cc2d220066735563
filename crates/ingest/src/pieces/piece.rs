//! Reading a file from one cut to another.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use ring::digest::Context;

use super::cut::Cut;
use super::place::Place;
use crate::error::Changed;
use crate::hash;
use crate::input::Bytes;
use crate::lines::Lines;
use crate::{Format, IngestError, Progress, Result};

/// The records of a file from one cut to another.
#[derive(Clone)]
pub struct Piece {
    pub(super) place: Place,
    pub(super) format: Format,
    pub(super) header: Vec<u8>,
    pub(super) start: Cut,
    pub(super) end: Cut,
    pub(super) name: String,
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Piece({} of {})", self.name, self.place.name())
    }
}

impl Piece {
    /// What it is called among the pieces of a source, such as `4f1c09d2a87be365.0@1024`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Unpacked bytes of the file before it and up to its end.
    pub fn bytes(&self) -> (u64, u64) {
        (self.start.bytes, self.end.bytes)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// What the file is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// This piece and all that the file holds before it.
    pub(crate) fn at_start(&self) -> Piece {
        Piece { start: Cut::start(), ..self.clone() }
    }

    /// What the file holds before this piece; `None` if nothing.
    pub(crate) fn before(&self) -> Option<Piece> {
        (self.start.bytes > 0).then(|| Piece { start: Cut::start(), end: self.start.clone(), ..self.clone() })
    }

    /// How far reading it will move the progress, in bytes on disk.
    pub(crate) fn cost(&self) -> io::Result<u64> {
        if self.place.is_packed() { self.place.size() } else { Ok(self.end.bytes - self.start.bytes) }
    }

    /// Its lines, after the header of the file.
    pub(crate) fn lines(&self, progress: &Arc<Progress>) -> Result<Lines> {
        let name = self.place.name();
        let input = PieceBytes::open(&self.place, &self.start, &self.end, progress);
        let input = Box::new(input.map_err(|error| IngestError::io(&name, error))?);
        if self.start.bytes == 0 {
            return Ok(Lines::new(&name, input));
        }
        let header = [&self.header[..], &self.later_fields()?].concat();
        Ok(Lines::resumed(&header, self.start.lines, &name, input))
    }

    /// Of a log whose lines of `#` say what the others hold the last such line before the piece: fields may change.
    fn later_fields(&self) -> Result<Vec<u8>> {
        let mut fields = Vec::new();
        if self.format != Format::Log || self.header.is_empty() {
            return Ok(fields);
        }
        let Some(before) = self.before() else { return Ok(fields) };
        let mut lines = before.lines(&Arc::default())?;
        while lines.advance()? {
            if lines.line().starts_with(b"#Fields:") {
                fields = [lines.line(), b"\n"].concat();
            }
        }
        Ok(fields)
    }
}

/// The bytes between two cuts. What follows is not read; that what was read is what was measured shows at the end.
pub(super) struct PieceBytes {
    input: Bytes,
    here: Context,
    left: u64,
    expected: [u8; 32],
}

impl PieceBytes {
    pub(super) fn open(place: &Place, start: &Cut, end: &Cut, progress: &Arc<Progress>) -> io::Result<Self> {
        // What it holds before need not be looked at again: the hash goes on from where it was at this place.
        let input = place.text_after(start.bytes, progress)?.ok_or_else(changed)?;
        let (here, left) = (start.context.clone(), end.bytes - start.bytes);
        Ok(Self { input, here, left, expected: end.sha256() })
    }
}

impl Read for PieceBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            return if hash::bytes(self.here.clone()) == self.expected { Ok(0) } else { Err(changed()) };
        }
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let n = self.input.read(&mut buffer[..most])?;
        if n == 0 {
            return Err(changed());
        }
        self.here.update(&buffer[..n]);
        self.left -= n as u64;
        Ok(n)
    }
}

fn changed() -> io::Error {
    io::Error::other(Changed)
}
