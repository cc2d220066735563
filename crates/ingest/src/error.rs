//! The one error of this crate: what was found, where, what was expected and what to do.

use std::error::Error;
use std::fmt;

use nines_store::Broken;

/// The result of everything in this crate.
pub type Result<T, E = IngestError> = std::result::Result<T, E>;

/// What kind of thing went wrong, for callers that act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input could not be read: missing, unreadable, damaged compression.
    Io,
    /// The format was not given and could not be told from name or content.
    UnknownFormat,
    /// The bytes are no text in UTF-8, and nothing that is made such text here: what it is, and how to convert it.
    Encoding,
    /// The columns of the input do not fit the table: unknown, missing, twice, or of an impossible type.
    Columns,
    /// One line or row holds something that is not a value of its column.
    BadLine,
    /// The options contradict each other or the input.
    Options,
    /// The reader of the batches went away; nothing is wrong with the input.
    Stopped,
    /// The file was written anew while it was read.
    Changed,
    /// A mistake of this crate.
    Internal,
}

/// Why an input was refused. Prints as `file:line:position: found; expected …. What to do.`
#[derive(Debug)]
#[non_exhaustive]
pub struct IngestError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    file: Option<String>,
    line: Option<u64>,
    row: Option<u64>,
    position: Option<usize>,
    byte: Option<u64>,
    column: Option<String>,
    problem: String,
    expected: Option<String>,
    advice: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What an input fails with that is no longer what was measured.
#[derive(Debug)]
pub(crate) struct Changed;

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("while it was read it changed otherwise than by growing; nothing is stored, ingest it again")
    }
}

impl Error for Changed {}

const CORRECT_THE_LINE: &str =
    "Correct or remove it and ingest the input again: a batch is stored whole or not at all.";

impl IngestError {
    /// An error of this kind; `problem` says what was found, as a clause without a full stop.
    pub fn new(kind: ErrorKind, problem: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            file: None,
            line: None,
            row: None,
            position: None,
            byte: None,
            column: None,
            problem: problem.into(),
            expected: None,
            advice: None,
            source: None,
        }))
    }

    /// A line or row that cannot be what it should be.
    pub(crate) fn bad_line(problem: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadLine, problem).advice(CORRECT_THE_LINE)
    }

    /// A value that its column cannot hold. The text found is quoted and shortened.
    pub(crate) fn bad_value(column: &str, found: &str, expected: impl Into<String>) -> Self {
        Self::bad_line(format!("{column} is {}", quoted(found))).column(column).expected(expected)
    }

    /// An input that could not be read.
    pub(crate) fn io(file: &str, source: std::io::Error) -> Self {
        let kind = if source.get_ref().is_some_and(|inner| inner.is::<Changed>()) {
            ErrorKind::Changed
        } else {
            ErrorKind::Io
        };
        Self::new(kind, format!("cannot be read: {source}")).caused_by(source).in_file(file)
    }

    /// A file that could not be opened, looked at or read.
    pub fn unreadable(path: &std::path::Path, source: std::io::Error) -> Self {
        Self::io(&path.display().to_string(), source)
    }

    /// The end of a read that nobody waits for any more.
    pub(crate) fn stopped() -> Self {
        Self::new(ErrorKind::Stopped, "stopped before the end of the input")
    }

    /// What should have stood there.
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    /// What the person who reads this can do, as whole sentences.
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// The input the error is about, unless it is known already.
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.0.file.get_or_insert_with(|| file.into());
        self
    }

    /// The line, counted from 1.
    pub fn on_line(mut self, line: u64) -> Self {
        self.0.line = Some(line);
        self
    }

    /// The row, counted from 1, of an input that has no lines.
    pub fn in_row(mut self, row: u64) -> Self {
        self.0.row = Some(row);
        self
    }

    /// The line, in the place of the row.
    pub(crate) fn on_line_not_row(mut self, line: u64) -> Self {
        self.0.row = None;
        self.on_line(line)
    }

    /// Moves the row by as many rows as came before its batch.
    pub fn after_rows(mut self, rows: u64) -> Self {
        self.0.row = self.0.row.map(|row| row + rows);
        self
    }

    /// The byte within the line, counted from 1.
    pub(crate) fn at(mut self, position: usize) -> Self {
        self.0.position = Some(position);
        self
    }

    /// The byte of an input that has no lines, counted from 0, unless it is known already.
    pub(crate) fn at_byte(mut self, byte: u64) -> Self {
        self.0.byte.get_or_insert(byte);
        self
    }

    /// What the problem is a part of.
    pub(crate) fn within(mut self, what: &str) -> Self {
        self.0.problem = format!("{what}: {}", self.0.problem);
        self
    }

    pub(crate) fn column(mut self, column: &str) -> Self {
        self.0.column = Some(column.to_string());
        self
    }

    pub(crate) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The input's name.
    pub fn file_name(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// The line, counted from 1, in a text format.
    pub fn line_number(&self) -> Option<u64> {
        self.0.line
    }

    /// The row, counted from 1, in Parquet or a SQL result.
    pub fn row_number(&self) -> Option<u64> {
        self.0.row
    }

    /// The byte within the line, counted from 1.
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// The byte of an input that has no lines, counted from 0.
    pub fn byte(&self) -> Option<u64> {
        self.0.byte
    }

    /// What was found and expected, without place and advice.
    pub fn reason(&self) -> String {
        match &self.0.expected {
            Some(expected) => format!("{}; expected {expected}", self.0.problem),
            None => self.0.problem.clone(),
        }
    }

    /// What should have stood there, where that can be said.
    pub fn expectation(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// The column's name, where one column is at fault.
    pub fn column_name(&self) -> Option<&str> {
        self.0.column.as_deref()
    }
}

/// A row that breaks a rule of its table.
impl From<Broken> for IngestError {
    fn from(broken: Broken) -> Self {
        let refused = Self::bad_line(broken.found).column(broken.column);
        match broken.expected {
            Some(expected) => refused.expected(expected),
            None => refused,
        }
    }
}

impl fmt::Display for IngestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(file) = &inner.file {
            write!(f, "{file}")?;
            if let Some(line) = inner.line {
                write!(f, ":{line}")?;
                if let Some(position) = inner.position {
                    write!(f, ":{position}")?;
                }
            }
            f.write_str(": ")?;
        }
        if let Some(row) = inner.row {
            write!(f, "row {row}: ")?;
        }
        if let Some(byte) = inner.byte {
            write!(f, "at byte {byte}: ")?;
        }
        f.write_str(&inner.problem)?;
        if let Some(expected) = &inner.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(advice) = &inner.advice {
            write!(f, ". {advice}")?;
        }
        Ok(())
    }
}

impl Error for IngestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// Longest piece of somebody's input that is repeated in a message, in characters.
const SHOWN: usize = 60;

/// The text in quotes, control characters escaped, cut where it gets long.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_place_finding_expectation_and_remedy() {
        let error = IngestError::bad_value("status", "2x0", "a number").in_file("a.csv").on_line(3).at(7);
        assert_eq!(
            error.to_string(),
            "a.csv:3:7: status is \"2x0\"; expected a number. \
             Correct or remove it and ingest the input again: a batch is stored whole or not at all."
        );
        assert_eq!((error.kind(), error.line_number()), (ErrorKind::BadLine, Some(3)));
        assert_eq!(error.column_name(), Some("status"));
    }

    #[test]
    fn long_and_unprintable_text_is_shortened_and_escaped() {
        assert_eq!(quoted("业务\n"), "\"业务\\n\"");
        let long = quoted(&"业".repeat(1000));
        assert_eq!(long.chars().count(), SHOWN + 3);
        assert!(long.ends_with("…\""));
    }
}
