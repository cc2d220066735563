//! Results of a program's format on a terminal: shown, not obeyed.

use std::io::{self, Write};

use nines_notebook::format::printable;

/// Hands on what is written line by line, without what a terminal would act on.
pub(super) struct Shown<W> {
    writer: W,
    line: Vec<u8>,
}

impl<W: Write> Shown<W> {
    pub fn new(writer: W) -> Self {
        Shown { writer, line: Vec::new() }
    }
}

impl<W: Write> Write for Shown<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        // A character may be cut anywhere but at a line break.
        if let Some(end) = self.line.iter().rposition(|byte| *byte == b'\n') {
            let rest = self.line.split_off(end + 1);
            let lines = std::mem::replace(&mut self.line, rest);
            self.writer.write_all(printable(&String::from_utf8_lossy(&lines)).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let last = std::mem::take(&mut self.line);
        self.writer.write_all(printable(&String::from_utf8_lossy(&last)).as_bytes())?;
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_pieces_is_shown_whole() {
        let mut shown = Shown::new(Vec::new());
        for byte in "业\x1b[2J务\n\u{202e}\n业".bytes() {
            shown.write_all(&[byte]).unwrap();
        }
        shown.flush().unwrap();
        assert_eq!(String::from_utf8(shown.writer).unwrap(), "业␛[2J务\n\u{fffd}\n业");
    }
}
