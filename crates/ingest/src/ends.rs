//! Where records end: after a newline, and in CSV only after one that is not in quotes.
//!
//! The same as what `csv_core` reads, without taking fields apart: a quote opens a quoted field only where a field begins,
//! and two in such a field are one of its letters. What stands behind the last newline may be a whole record as well.

use serde_json::{Map, Value};

use crate::Format;
use crate::formats::separator;

/// The ends of the records of a text that comes chunk by chunk.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    /// What separates fields; `None` if quotes mean nothing.
    separator: Option<u8>,
    at: At,
}

/// Where the text has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    FieldStart,
    Unquoted,
    Quoted,
    /// After a quote in a quoted field: its end, or the first half of a quote in it.
    QuoteInQuoted,
}

impl Ends {
    pub(crate) fn of(format: Format) -> Self {
        Self { separator: (format == Format::Csv).then_some(b','), at: At::FieldStart }
    }

    /// Reads the header line of CSV, which tells the separator.
    pub(crate) fn tell_separator(&mut self, header: &[u8]) {
        if self.separator.is_some() {
            self.separator = Some(separator(header));
        }
    }

    /// The place in this chunk after the last record that ends in it. A chunk without quotes costs one search for each.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Option<usize> {
        let newline = || chunk.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
        let Some(separator) = self.separator else { return newline() };
        if matches!(self.at, At::FieldStart | At::Unquoted) && !chunk.contains(&b'"') {
            if let Some(&last) = chunk.last() {
                self.at = after(separator, last);
            }
            return newline();
        }
        let mut ended = None;
        for (at, &byte) in chunk.iter().enumerate() {
            self.at = match (self.at, byte) {
                (At::FieldStart, b'"') | (At::QuoteInQuoted, b'"') => At::Quoted,
                (At::Quoted, b'"') => At::QuoteInQuoted,
                (At::Quoted, _) => At::Quoted,
                (At::FieldStart | At::Unquoted | At::QuoteInQuoted, _) => after(separator, byte),
            };
            if byte == b'\n' && self.at == At::FieldStart {
                ended = Some(at + 1);
            }
        }
        ended
    }
}

/// Where the text is after a byte outside of quotes.
fn after(separator: u8, byte: u8) -> At {
    if byte == separator || matches!(byte, b'\n' | b'\r') { At::FieldStart } else { At::Unquoted }
}

/// Whether what stands behind the last newline is a whole record.
pub(crate) fn ends_whole(format: Format, finished: bool, tail: &[u8]) -> bool {
    !tail.trim_ascii().is_empty() && (finished || format == Format::JsonLines && is_object(tail))
}

/// Whether a line is an object, to its end.
fn is_object(line: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(line).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ends(text: &str, chunk: usize) -> Vec<usize> {
        let mut ends = Ends::of(Format::Csv);
        let mut found = Vec::new();
        for (n, chunk_bytes) in text.as_bytes().chunks(chunk).enumerate() {
            found.extend(ends.feed(chunk_bytes).map(|at| n * chunk + at));
        }
        found
    }

    #[test]
    fn a_newline_in_quotes_ends_nothing() {
        assert_eq!(ends("a,b\n1,\"x\ny\"\n2,3", 1), [4, 12]);
        assert_eq!(ends("a\n\"x\"\"\n\"\n", 1), [2, 9]);
        assert_eq!(ends("5\" disk,b\n", 1), [10], "a quote within a field is a letter");
        assert_eq!(ends("a\n\"open\n", 3), [2]);
        assert_eq!(Ends::of(Format::Log).feed(b"\"open\nx"), Some(6));
    }

    proptest! {
        /// Whatever is cut off at an end and read by itself gives the records of the whole.
        #[test]
        fn what_lies_between_ends_is_whole_records(text in "[a\",\n\r]{0,40}", chunk in 1usize..5) {
            let records = |text: &[u8]| {
                let (mut reader, mut records) = (csv_core::Reader::new(), Vec::new());
                let (mut rest, mut out, mut bounds) = (text, [0; 256], [0; 64]);
                loop {
                    let (result, read, _, fields) = reader.read_record(rest, &mut out, &mut bounds);
                    rest = &rest[read..];
                    match result {
                        csv_core::ReadRecordResult::Record => {
                            let ends = &bounds[..fields];
                            records.push((out[..ends.last().copied().unwrap_or(0)].to_vec(), ends.to_vec()));
                        }
                        csv_core::ReadRecordResult::End => return records,
                        _ => {}
                    }
                    (out, bounds) = if result == csv_core::ReadRecordResult::Record { ([0; 256], [0; 64]) } else { (out, bounds) };
                }
            };
            let mut parts = Vec::new();
            let mut from = 0;
            for end in ends(&text, chunk).into_iter().chain([text.len()]) {
                parts.extend(records(&text.as_bytes()[from..end]));
                from = end;
            }
            prop_assert_eq!(parts, records(text.as_bytes()));
        }
    }
}
