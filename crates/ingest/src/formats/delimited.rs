//! Records of text that is separated by commas, tabs or semicolons, after a header line.
//!
//! Quoted fields may span lines. Records are cut by `csv_core`, fed line by line rather than through the `csv` crate's
//! reader: so line numbers are exact with any line ending, and a quote that is never closed cannot swallow the file.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::error::quoted;
use crate::lines::{CONVERT, Lines, MAX_LINE, too_long};
use crate::{ErrorKind, IngestError, Result};

/// What may separate fields.
const SEPARATORS: [u8; 3] = [b';', b'\t', b','];

/// The separator that a header uses most, as far as the header alone tells.
pub(crate) fn separator(header: &[u8]) -> u8 {
    SEPARATORS.into_iter().max_by_key(|&separator| frequency(header, separator)).unwrap_or(b',')
}

/// How often a separator stands outside of quotes.
fn frequency(line: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let outside = line.iter().filter(|&&byte| {
        quoted ^= byte == b'"';
        !quoted && byte == separator
    });
    outside.count()
}

/// The separator of a header and the row after it. Where the header has several, it is the one that cuts both into the
/// same number of fields.
fn tell_separator(header: &[u8], row: &[u8]) -> Result<u8> {
    let found = SEPARATORS.into_iter().filter(|&separator| frequency(header, separator) > 0).collect::<Vec<_>>();
    let fits = |&&separator: &&u8| frequency(header, separator) == frequency(row, separator);
    let fitting = found.iter().filter(fits).copied().collect::<Vec<_>>();
    match (&found[..], &fitting[..]) {
        ([], _) => Ok(b','),
        ([only], _) | (_, [only]) => Ok(*only),
        (several, _) => {
            let shown = |separator: &u8| match separator {
                b'\t' => "tab".to_string(),
                other => format!("{:?}", *other as char),
            };
            let several = several.iter().map(shown).collect::<Vec<_>>().join(" and ");
            let error = IngestError::new(
                ErrorKind::Columns,
                format!("the header has {several}: it cannot be told which of them separates its columns"),
            );
            Err(error.advice("Put names and values that hold one of them in quotes"))
        }
    }
}

/// Cuts lines into records and records into fields.
pub(crate) struct RecordReader {
    lines: Lines,
    reader: Reader,
    /// Where the current record began.
    line: u64,
    /// Bytes of the current line that were cut already.
    cut: usize,
    /// Unquoted fields of the current record, one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<usize>,
    len: usize,
    /// Bytes between two fields: the separator, where the line is kept as it is.
    gap: usize,
    separator: u8,
    /// Fields of the header.
    wanted: usize,
    /// The names in the header, without the blanks around them.
    names: Vec<String>,
    /// Records that repeat the header and were skipped, and not yet taken.
    repeated: u64,
    /// The lines of the current record before the current line, as they are; empty while it is of one line.
    before: Vec<u8>,
    is_given_up: bool,
}

impl RecordReader {
    /// The records after the header, and the names in the header, without the blanks around them.
    pub(crate) fn with_header(lines: Lines) -> Result<(Self, Vec<String>)> {
        let mut records = Self {
            lines,
            reader: Reader::new(),
            line: 0,
            cut: 0,
            text: Vec::new(),
            ends: vec![0; 16],
            len: 0,
            gap: 0,
            separator: b',',
            wanted: 0,
            names: Vec::new(),
            repeated: 0,
            before: Vec::new(),
            is_given_up: false,
        };
        if !records.advance()? {
            return Err(IngestError::new(ErrorKind::Columns, "there is no header line").in_file(records.lines.name()));
        }
        records.wanted = records.len;
        let names = (0..records.len).map(|at| records.text(at, "the header").map(|name| name.trim().to_string()));
        let names: Vec<String> = names.collect::<Result<_>>()?;
        records.names.clone_from(&names);
        Ok((records, names))
    }

    /// Goes to the next record, which must have as many fields as the header; false at the end. A record that repeats the header, as
    /// where files were put one behind the other, is skipped.
    pub(crate) fn next_row(&mut self) -> Result<bool> {
        loop {
            if !self.advance()? {
                return Ok(false);
            }
            if !self.is_header() {
                break;
            }
            self.repeated += 1;
        }
        if self.len != self.wanted {
            let error = IngestError::bad_line(format!("there are {} fields", self.len));
            return Err(self.refuse(error.expected(format!("{} as in the header", self.wanted))));
        }
        Ok(true)
    }

    fn is_header(&self) -> bool {
        let is_name = |(at, name): (usize, &String)| self.field(at).trim_ascii() == name.as_bytes();
        // A table of one column may well hold its name.
        self.len == self.wanted && self.wanted > 1 && self.names.iter().enumerate().all(is_name)
    }

    /// Records that repeat the header and were skipped since this was asked last.
    pub(crate) fn take_repeated(&mut self) -> u64 {
        std::mem::take(&mut self.repeated)
    }

    /// The line, counted from 1, on which the current record begins.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// A field of the current record, which is of this column.
    pub(crate) fn text(&self, at: usize, column: &str) -> Result<&str> {
        let field = self.field(at);
        std::str::from_utf8(field).map_err(|_| {
            let error = IngestError::bad_value(column, &String::from_utf8_lossy(field), "UTF-8 text");
            self.refuse(error.advice(CONVERT))
        })
    }

    /// The current record as it stands in the input; of one that was given up its first line.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match self.before.is_empty() || self.is_given_up {
            true => self.lines.text(),
            false => Cow::Owned(String::from_utf8_lossy(&[&self.before, self.lines.raw()].concat()).into_owned()),
        }
    }

    fn field(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] + self.gap };
        &self.text[start..self.ends[at]]
    }

    /// Goes to the next record that is not a blank line; false at the end.
    fn advance(&mut self) -> Result<bool> {
        let advanced = self.try_advance();
        if let Err(error) = &advanced
            && error.kind() == ErrorKind::BadLine
        {
            self.begin_again();
        }
        advanced
    }

    /// Gives up a record that cannot be: its first line is refused, those behind it are read anew. A quote that is never closed takes
    /// no other line with it.
    fn begin_again(&mut self) {
        self.reader = ReaderBuilder::new().delimiter(self.separator).build();
        let first = self.before.iter().position(|&byte| byte == b'\n').map(|end| end + 1);
        if let Some(end) = first {
            let mut rest = self.before.split_off(end);
            rest.extend_from_slice(self.lines.raw());
            self.lines.unread(rest, std::mem::take(&mut self.before), self.line);
        }
        (self.len, self.gap) = (self.wanted, 0);
        self.cut = self.lines.raw().len();
        self.is_given_up = true;
    }

    fn try_advance(&mut self) -> Result<bool> {
        self.is_given_up = false;
        let (mut text_len, mut ends_len) = (0, 0);
        let mut begun = false;
        loop {
            if self.lines.raw().len() == self.cut {
                match begun {
                    true => self.before.extend_from_slice(self.lines.raw()),
                    false => self.before.clear(),
                }
                self.cut = 0;
                if !self.lines.advance()? {
                    return if begun { self.finish(text_len, ends_len) } else { Ok(false) };
                }
            }
            if !begun {
                if matches!(&self.lines.raw()[self.cut..], b"" | b"\n" | b"\r\n" | b"\r") {
                    self.cut = self.lines.raw().len();
                    continue;
                }
                begun = true;
                self.line = self.lines.number();
                if self.len == 0 {
                    let separator = self.separator()?;
                    self.reader = ReaderBuilder::new().delimiter(separator).build();
                    self.separator = separator;
                }
            }
            // Most lines are a record without quotes, which need not go through the automaton.
            if self.cut == 0 && text_len == 0 && ends_len == 0 && self.cut_plain() {
                return Ok(true);
            }
            self.gap = 0;
            // A record never has more text than its lines, so the output cannot fill up.
            let rest = &self.lines.raw()[self.cut..];
            if text_len + rest.len() > MAX_LINE {
                return Err(self.refuse(too_long("the record")).advice("Is a quote not closed?"));
            }
            self.text.resize(self.text.len().max(text_len + rest.len() + 1), 0);
            self.ends.resize(self.ends.len().max(ends_len + 1), 0);
            let (result, read, written, ended) =
                self.reader.read_record(rest, &mut self.text[text_len..], &mut self.ends[ends_len..]);
            self.cut += read;
            text_len += written;
            ends_len += ended;
            match result {
                ReadRecordResult::Record => {
                    self.len = ends_len;
                    return Ok(true);
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputFull | ReadRecordResult::End => {}
            }
        }
    }

    /// Cuts the current line at its separators if nothing in it is quoted and only its end ends a record.
    fn cut_plain(&mut self) -> bool {
        let line = self.lines.line();
        if line.contains(&b'"') || line.contains(&b'\r') || !self.lines.raw().ends_with(b"\n") {
            return false;
        }
        self.text.clear();
        self.text.extend_from_slice(line);
        self.ends.clear();
        let separator = self.separator;
        self.ends.extend(line.iter().enumerate().filter(|(_, byte)| **byte == separator).map(|(at, _)| at));
        self.ends.push(line.len());
        self.len = self.ends.len();
        self.gap = 1;
        self.cut = self.lines.raw().len();
        true
    }

    /// The separator of the header, which is the current line.
    fn separator(&mut self) -> Result<u8> {
        let header = self.lines.line().to_vec();
        let next = self.lines.ahead()?;
        let row = next.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
        tell_separator(&header, row).map_err(|error| self.refuse(error))
    }

    /// The input ended within a record: that is its last line without newline, or an open quote.
    fn finish(&mut self, text_len: usize, ends_len: usize) -> Result<bool> {
        self.text.resize(self.text.len().max(text_len + 1), 0);
        self.ends.resize(self.ends.len().max(ends_len + 1), 0);
        match self.reader.read_record(b"\n", &mut self.text[text_len..], &mut self.ends[ends_len..]) {
            (ReadRecordResult::Record, _, _, ended) => {
                self.len = ends_len + ended;
                Ok(true)
            }
            _ => {
                let text =
                    String::from_utf8_lossy(&self.text[self.ends[..ends_len].last().copied().unwrap_or(0)..text_len]);
                Err(self.refuse(IngestError::bad_line(format!("the quoted field {} is never closed", quoted(&text)))))
            }
        }
    }

    /// Says that an error lies in the current record.
    pub(crate) fn refuse(&self, error: IngestError) -> IngestError {
        error.in_file(self.lines.name()).on_line(self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_told_by_header_and_first_row() {
        for (header, row, separator) in [
            ("time", "1", b','),
            ("time,status", "1,2", b','),
            ("time;status", "1;2,5", b';'),
            ("time\tname, long\tgood;bad", "1\tx\t2", b'\t'),
            ("\"a,b,c\";d", "\"1,2\";3", b';'),
            ("a;b,c", "1;2", b';'),
            ("a;b,c", "\"1;2\",3", b','),
        ] {
            assert_eq!(tell_separator(header.as_bytes(), row.as_bytes()).unwrap(), separator, "{header}");
        }
        for (header, row) in [("a;b,c", "1;2,5"), ("a;b,c", ""), ("a;b,c\td", "1")] {
            let said = tell_separator(header.as_bytes(), row.as_bytes()).unwrap_err().to_string();
            assert!(said.contains("';' and "), "{said}");
            assert!(said.ends_with("Put names and values that hold one of them in quotes"), "{said}");
        }
    }
}
