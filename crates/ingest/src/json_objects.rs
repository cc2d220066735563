//! The objects of a JSON document: one after the other or in arrays, over any number of lines.
//!
//! That is how programs and their APIs export: `[{…}, {…}]`, an object with a list in it, pretty-printed or all on one line, and
//! several such answers in one file. Objects are found by their braces; whoever reads them finds out whether they are JSON. For
//! one object per line, which can be cut and read on, there is `formats/json_lines.rs`.
//!
//! Memory is one object, of bounded length.

use std::borrow::Cow;
use std::io::{BufRead, BufReader};

use crate::error::quoted;
use crate::input::Bytes;
use crate::lines::Lines;
use crate::{ErrorKind, IngestError, Result};

/// Longest object, in bytes: a page of an API with thousands of incidents.
const MOST: usize = 64 << 20;

/// The objects of one input. Advance, then look.
pub(crate) struct JsonObjects {
    name: String,
    input: BufReader<Bytes>,
    object: Vec<u8>,
    /// On which line the object begins.
    line: u64,
    /// To which line the input was read.
    reached: u64,
    /// The lines on which the arrays begin that are open.
    arrays: Vec<u64>,
    awaits: Awaits,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// A value; outside of arrays also the end.
    Value,
    /// A value, or the end of an array in which nothing was yet.
    ValueOrEnd,
    /// A comma, or the end of an array.
    CommaOrEnd,
}

impl JsonObjects {
    /// The objects of a text of which nothing was read.
    pub(crate) fn new(lines: Lines) -> Self {
        let (name, input) = lines.into_input();
        let (object, arrays) = (Vec::new(), Vec::new());
        Self { name, input, object, line: 1, reached: 1, arrays, awaits: Awaits::Value }
    }

    /// Goes to the next object; false at the end.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        self.object.clear();
        loop {
            let Some(byte) = self.next_solid()? else {
                return match self.arrays.last() {
                    None => Ok(false),
                    Some(line) => Err(self.broken(*line, "the array that begins here never ends".to_string())),
                };
            };
            let is_awaited = self.awaits != Awaits::CommaOrEnd;
            match byte {
                b'{' if is_awaited => {
                    self.take_object()?;
                    self.awaits = self.after_value();
                    return Ok(true);
                }
                b'[' if is_awaited => {
                    self.arrays.push(self.reached);
                    self.awaits = Awaits::ValueOrEnd;
                }
                b']' if self.awaits != Awaits::Value => {
                    self.arrays.pop();
                    self.awaits = self.after_value();
                }
                b',' if self.awaits == Awaits::CommaOrEnd => self.awaits = Awaits::Value,
                _ => return Err(self.unexpected()?),
            }
            self.input.consume(1);
        }
    }

    /// The object, from brace to brace.
    pub(crate) fn object(&self) -> &[u8] {
        &self.object
    }

    /// The line on which it begins, from 1.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The object as far as it is text.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.object)
    }

    /// Says that an error lies in the object; one that says a line counts it from the object's first.
    pub(crate) fn refuse(&self, error: IngestError) -> IngestError {
        let within = error.line_number().unwrap_or(1);
        error.in_file(&self.name).on_line(self.line + within - 1)
    }

    fn after_value(&self) -> Awaits {
        if self.arrays.is_empty() { Awaits::Value } else { Awaits::CommaOrEnd }
    }

    /// The next byte that is no blank, without going past it.
    fn next_solid(&mut self) -> Result<Option<u8>> {
        const BOM: &[u8] = b"\xef\xbb\xbf";
        loop {
            let buffer = self.input.fill_buf().map_err(|error| IngestError::io(&self.name, error))?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let buffer = buffer.strip_prefix(BOM).unwrap_or(buffer);
            let blanks = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.reached += newlines(&buffer[..blanks]);
            let solid = buffer.get(blanks).copied();
            let passed = blanks + if self.input.buffer().starts_with(BOM) { BOM.len() } else { 0 };
            self.input.consume(passed);
            if solid.is_some() {
                return Ok(solid);
            }
        }
    }

    /// Takes in the object that begins here.
    fn take_object(&mut self) -> Result<()> {
        self.line = self.reached;
        let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
        loop {
            let buffer = self.input.fill_buf().map_err(|error| IngestError::io(&self.name, error))?;
            if buffer.is_empty() {
                return Err(self.broken(self.line, "the object that begins here never ends".to_string()));
            }
            let mut end = None;
            for (at, &byte) in buffer.iter().enumerate() {
                match byte {
                    _ if is_escaped => is_escaped = false,
                    b'\\' if in_text => is_escaped = true,
                    b'"' => in_text = !in_text,
                    b'{' if !in_text => depth += 1,
                    b'}' if !in_text => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    end = Some(at + 1);
                    break;
                }
            }
            let taken = end.unwrap_or(buffer.len());
            self.object.extend_from_slice(&buffer[..taken]);
            self.reached += newlines(&buffer[..taken]);
            self.input.consume(taken);
            if self.object.len() > MOST {
                return Err(
                    self.broken(self.line, format!("the object that begins here is longer than {} MiB", MOST >> 20))
                );
            }
            if end.is_some() {
                return Ok(());
            }
        }
    }

    /// The error for what is neither an object nor what stands between objects.
    fn unexpected(&mut self) -> Result<IngestError> {
        let buffer = self.input.fill_buf().map_err(|error| IngestError::io(&self.name, error))?;
        let rest = buffer.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let found = quoted(String::from_utf8_lossy(rest).trim_end());
        let expected = match self.awaits {
            Awaits::Value if self.arrays.is_empty() => "an object, or an array of objects",
            Awaits::Value | Awaits::ValueOrEnd => "an object in this array",
            Awaits::CommaOrEnd => "a comma or the end of the array",
        };
        Ok(self.broken(self.reached, format!("there is {found}")).expected(expected))
    }

    /// An error after which nothing of the input can be read: it is no line's that could be left out.
    fn broken(&self, line: u64, problem: String) -> IngestError {
        let error = IngestError::new(ErrorKind::Io, problem).in_file(&self.name).on_line(line);
        error.advice("Is the file complete? Fetch it again, or correct it")
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The objects of a text that comes so many bytes at a time, and the error that ends it.
    fn read(text: &str, step: usize) -> (Vec<(u64, String)>, Option<String>) {
        let pieces = Pieces(text.as_bytes().to_vec(), 0, step);
        let mut objects = JsonObjects::new(Lines::new("a.json", Box::new(pieces)));
        let mut found = Vec::new();
        loop {
            match objects.advance() {
                Ok(true) => found.push((objects.line(), objects.text().into_owned())),
                Ok(false) => return (found, None),
                Err(error) => return (found, Some(error.to_string())),
            }
        }
    }

    struct Pieces(Vec<u8>, usize, usize);

    impl std::io::Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let rest = &self.0[self.1..];
            let n = rest.len().min(buffer.len()).min(self.2);
            buffer[..n].copy_from_slice(&rest[..n]);
            self.1 += n;
            Ok(n)
        }
    }

    #[test]
    fn objects_stand_one_after_the_other_and_in_arrays() {
        let objects = |text: &str| {
            // Cut wherever it can be.
            let (found, error) = read(text, 3);
            assert_eq!((&found, &error), (&read(text, 1000).0, &None), "{text}");
            found.into_iter().map(|(line, text)| format!("{line} {text}")).collect::<Vec<_>>()
        };
        assert_eq!(objects("\u{feff}[{\"a\": 1},\n {\"a\": 2}]\n"), ["1 {\"a\": 1}", "2 {\"a\": 2}"]);
        assert_eq!(objects("{\n \"a\": {\"b\": \"}\\\"{\"}\n}\n{}"), ["1 {\n \"a\": {\"b\": \"}\\\"{\"}\n}", "4 {}"]);
        assert_eq!(objects("[{\"a\":1}][{\"a\":2}]\n\n[[{}],[ ]]"), ["1 {\"a\":1}", "1 {\"a\":2}", "3 {}"]);
        assert_eq!(objects(" \n[]\n"), Vec::<String>::new());
        assert_eq!(objects(""), Vec::<String>::new());
    }

    #[test]
    fn what_stands_between_is_refused_with_its_line() {
        let advice = "Is the file complete? Fetch it again, or correct it";
        for (text, message) in [
            ("[{}\n{}]", "a.json:2: there is \"{}]\"; expected a comma or the end of the array"),
            ("[1, 2]", "a.json:1: there is \"1, 2]\"; expected an object in this array"),
            ("[{},\n]", "a.json:2: there is \"]\"; expected an object in this array"),
            ("{}\n404 page", "a.json:2: there is \"404 page\"; expected an object, or an array of objects"),
            ("{} ]", "a.json:1: there is \"]\"; expected an object, or an array of objects"),
            ("\n[{},", "a.json:2: the array that begins here never ends"),
            ("[\n{\"a\": \"}", "a.json:2: the object that begins here never ends"),
        ] {
            assert_eq!(read(text, 1000).1, Some(format!("{message}. {advice}")), "{text}");
        }
    }
}
