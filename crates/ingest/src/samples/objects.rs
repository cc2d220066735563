//! Objects of JSON, one after the other: each on a line, over several lines, or several on one. Where one is broken, the next one is found.

use std::io::BufRead;
use std::ops::Range;

use super::long_lines::LongLines;
use crate::{IngestError, Result};

/// What comes next in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// An object, from brace to brace.
    Object,
    /// Text that is none.
    Other,
    /// An object that the text ends within.
    Cut,
    End,
}

/// The objects of a text.
pub(super) struct Objects<R> {
    lines: LongLines<R>,
    /// Up to where the current line is taken.
    at: usize,
    /// What was taken of lines before the current one, and where on the current one it goes on.
    text: Vec<u8>,
    within: Range<usize>,
    /// On which line it begins, and behind how many bytes.
    begin: (u64, usize),
    /// With which word an object begins that is in no other.
    keys: &'static [&'static str],
}

impl<R: BufRead> Objects<R> {
    /// Objects whose first keys are these, in quotes.
    pub fn new(name: &str, input: R, most: u64, keys: &'static [&'static str]) -> Self {
        let lines = LongLines::new(name, input, most);
        Objects { lines, at: 0, text: Vec::new(), within: 0..0, begin: (0, 0), keys }
    }

    /// Goes on.
    pub fn advance(&mut self) -> Result<Next> {
        (self.text, self.within) = (Vec::new(), self.at..self.at);
        let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
        loop {
            if self.at >= self.lines.line().len() {
                self.text.extend_from_slice(&self.lines.line()[self.within.clone()]);
                let is_whole = self.lines.is_whole();
                if !self.lines.advance()? {
                    (self.at, self.within) = (0, 0..0);
                    // A text in quotes that a line ends within does not go on, whatever comes.
                    if depth > 0 && is_whole {
                        self.text.push(b'\n');
                    }
                    return Ok(if depth > 0 { Next::Cut } else { Next::End });
                }
                (self.at, self.within) = (0, 0..0);
                // No text goes on in the next line.
                (is_text, is_escaped) = (false, false);
                if depth > 0 && self.begins_anew() {
                    return Ok(Next::Other);
                }
                if depth > 0 {
                    self.text.push(b'\n');
                }
            }
            let rest = &self.lines.line()[self.at..];
            if depth == 0 {
                let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                self.at += blanks;
                self.within = self.at..self.at;
                self.begin = (self.lines.number(), self.at);
                match rest.get(blanks) {
                    None => continue,
                    Some(b'{') => {}
                    Some(_) => {
                        (self.at, self.within.end) = (self.lines.line().len(), self.lines.line().len());
                        return Ok(Next::Other);
                    }
                }
            }
            for &byte in &self.lines.line()[self.at..] {
                self.at += 1;
                match byte {
                    _ if is_escaped => is_escaped = false,
                    b'\\' if is_text => is_escaped = true,
                    b'"' => is_text = !is_text,
                    b'{' if !is_text => depth += 1,
                    b'}' if !is_text => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    self.within.end = self.at;
                    return Ok(Next::Object);
                }
            }
            self.within.end = self.at;
            if self.text.len() as u64 + self.at as u64 > self.lines.most() {
                return Err(self.lines.place(self.lines.too_long()));
            }
        }
    }

    /// Whether the current line begins as an object does that is in no other.
    fn begins_anew(&self) -> bool {
        let Some(inner) = self.lines.line().strip_prefix(b"{") else { return false };
        self.keys.iter().any(|key| inner.trim_ascii_start().starts_with(key.as_bytes()))
    }

    /// What was found.
    pub fn found(&mut self) -> &[u8] {
        let line = &self.lines.line()[self.within.clone()];
        if self.text.is_empty() {
            return line;
        }
        self.text.extend_from_slice(line);
        self.within.start = self.within.end;
        &self.text
    }

    /// On which line it begins, from 1.
    pub fn line(&self) -> u64 {
        self.begin.0
    }

    /// Where it begins, to say it in errors.
    pub fn place(&self) -> Place {
        Place { line: self.begin.0, column: self.begin.1 }
    }
}

/// Where an object begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    line: u64,
    column: usize,
}

impl Place {
    /// Says in an error, whose lines are those of the object, where it lies.
    pub fn of(self, error: IngestError) -> IngestError {
        let within = error.line_number().unwrap_or(1).max(1);
        let position = error.position();
        let error = error.on_line(self.line + within - 1);
        match position {
            Some(at) if within == 1 => error.at(self.column + at),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(Next, u64, String)> {
        let mut objects = Objects::new("m", text.as_bytes(), 100, &["\"a\""]);
        let mut found = Vec::new();
        loop {
            let next = objects.advance().unwrap();
            if next == Next::End {
                return found;
            }
            let line = objects.line();
            found.push((next, line, String::from_utf8_lossy(objects.found()).into_owned()));
        }
    }

    #[test]
    fn objects_are_found_however_they_are_laid_out() {
        let found = |next: Next, line: u64, text: &str| (next, line, text.to_string());
        let text = "{\"a\": \"}\\\"{\"} {\"a\":1}\n\n{\n  \"a\": {\"b\": [\n{}]}\n}\n x\n{\"a\": 2}{\"a\":";
        assert_eq!(
            all(text),
            [
                found(Next::Object, 1, "{\"a\": \"}\\\"{\"}"),
                found(Next::Object, 1, "{\"a\":1}"),
                found(Next::Object, 3, "{\n  \"a\": {\"b\": [\n{}]}\n}"),
                found(Next::Other, 7, "x"),
                found(Next::Object, 8, "{\"a\": 2}"),
                found(Next::Cut, 8, "{\"a\":"),
            ]
        );
        assert_eq!(all(""), []);
        assert_eq!(all("{\"a\": \"\n"), [found(Next::Cut, 1, "{\"a\": \"\n")]);
    }

    #[test]
    fn behind_a_broken_object_the_next_one_is_found() {
        let found = |next: Next, line: u64, text: &str| (next, line, text.to_string());
        assert_eq!(
            all("{\"a\": \"cut\n{\"a\": 1}\nnone}\n{\"a\": [{\n{\"a\": 2}\n"),
            [
                found(Next::Other, 1, "{\"a\": \"cut"),
                found(Next::Object, 2, "{\"a\": 1}"),
                found(Next::Other, 3, "none}"),
                found(Next::Other, 4, "{\"a\": [{"),
                found(Next::Object, 5, "{\"a\": 2}"),
            ]
        );
        let long = format!("{{\"a\":\n\"{}\"\n}}", "x".repeat(99));
        let error = Objects::new("m", long.as_bytes(), 100, &[]).advance().unwrap_err();
        assert!(error.to_string().contains("longer than"), "{error}");
    }
}
