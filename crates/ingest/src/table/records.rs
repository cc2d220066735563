//! The records of one file, cell by cell.

use std::borrow::Cow;
use std::sync::Arc;

use super::cells::Written;
use super::members::members;
use super::names::Names;
use crate::calendar::{self, Events};
use crate::formats::delimited::RecordReader;
use crate::formats::{json_lines, log_line};
use crate::input::{self, Bytes};
use crate::json_objects::JsonObjects;
use crate::lines::{CONVERT, Lines};
use crate::{Format, IngestError, Progress, Result};

/// The only column of a text that is no table.
pub(super) const LINE: &str = "line";

/// A file that is read record by record.
pub(super) enum Records {
    /// CSV, with the places of its columns among all columns.
    Delimited(Box<RecordReader>, Vec<usize>),
    /// One JSON object per line.
    Members(Lines),
    /// A JSON document.
    Objects(JsonObjects),
    /// The events of a calendar, with the places of its columns.
    Events(Box<Events>, Vec<usize>),
    /// A text, with the place of the column `line`.
    Text(Lines, usize),
}

impl Records {
    /// The records of a text; its columns get places among the others. Times of a calendar that name no zone are of `zone`.
    pub fn new(format: Format, lines: Lines, zone: &str, names: &mut Names) -> Result<Self> {
        match format {
            Format::Csv => {
                let (records, header) = RecordReader::with_header(lines)?;
                let mut places = Vec::with_capacity(header.len());
                for (at, column) in header.iter().enumerate() {
                    // Who writes a separator after the last name means no column; SQL needs a name.
                    let column =
                        if column.is_empty() { Cow::Owned(format!("column_{}", at + 1)) } else { column.into() };
                    let place = names.place(&column).map_err(|error| records.refuse(error))?;
                    if places.contains(&place) {
                        return Err(records.refuse(crate::columns::twice(&column)));
                    }
                    places.push(place);
                }
                Ok(Records::Delimited(Box::new(records), places))
            }
            Format::JsonLines => Ok(Records::Members(lines)),
            Format::Json => Ok(Records::Objects(JsonObjects::new(lines))),
            Format::Calendar => {
                let places = calendar::COLUMNS.iter().map(|column| names.place(column)).collect::<Result<_>>()?;
                Ok(Records::Events(Box::new(Events::read(lines, zone)?), places))
            }
            Format::Log | Format::Parquet => Ok(Records::Text(lines, names.place(LINE)?)),
        }
    }

    /// Records that repeated the header of a table and were skipped.
    pub fn repeated_headers(&mut self) -> u64 {
        match self {
            Records::Delimited(records, _) => records.take_repeated(),
            Records::Members(_) | Records::Objects(_) | Records::Events(..) | Records::Text(..) => 0,
        }
    }

    /// The current record as it stands in the file, as far as it is text.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Records::Delimited(records, _) => records.shown(),
            Records::Members(lines) | Records::Text(lines, _) => lines.text(),
            Records::Objects(objects) => objects.text(),
            Records::Events(..) => Cow::Borrowed(""),
        }
    }

    /// How cells are written.
    pub fn written(&self) -> Written {
        match self {
            Records::Members(_) | Records::Objects(_) => Written::Json,
            Records::Delimited(..) | Records::Events(..) | Records::Text(..) => Written::Plain,
        }
    }

    /// Goes to the next record and calls with its cells in wanted columns, their names and places; the line on which the record
    /// begins, `None` at the end.
    pub fn next(
        &mut self,
        names: &mut Names,
        wants: impl Fn(usize) -> bool,
        mut each: impl FnMut(&str, usize, &str) -> Result<()>,
    ) -> Result<Option<u64>> {
        match self {
            Records::Delimited(records, places) => {
                if !records.next_row()? {
                    return Ok(None);
                }
                for (at, &place) in places.iter().enumerate().filter(|(_, place)| wants(**place)) {
                    let name = names.name(place);
                    let cell = records.text(at, name)?;
                    // An empty cell is no value, in quotes and without.
                    if !cell.is_empty() {
                        each(name, place, cell).map_err(|error| records.refuse(error))?;
                    }
                }
                Ok(Some(records.line()))
            }
            Records::Members(lines) => {
                if !next_line(lines)? {
                    return Ok(None);
                }
                let added = add_members(lines.line(), names, each, json_lines::why_not);
                added.map_err(|error| lines.refuse(error)).map(|()| Some(lines.number()))
            }
            Records::Objects(objects) => {
                if !objects.advance()? {
                    return Ok(None);
                }
                let added = add_members(objects.object(), names, each, json_lines::why_not_in_document);
                added.map_err(|error| objects.refuse(error)).map(|()| Some(objects.line()))
            }
            Records::Events(events, places) => {
                let Some(event) = events.next() else { return Ok(None) };
                for (at, &place) in places.iter().enumerate().filter(|(_, place)| wants(**place)) {
                    let cell = event.cell(at);
                    if !cell.is_empty() {
                        each(names.name(place), place, cell)?;
                    }
                }
                Ok(Some(event.line()))
            }
            Records::Text(lines, place) => {
                if !next_line(lines)? {
                    return Ok(None);
                }
                let line = lines.line();
                let text = std::str::from_utf8(line);
                let text = text.map_or_else(|_| Cow::Owned(log_line::percent_escaped(line)), Cow::Borrowed);
                each(LINE, *place, &text).map_err(|error| lines.refuse(error))?;
                Ok(Some(lines.number()))
            }
        }
    }
}

/// Calls with the members of an object; `why_not` says why a text is none.
fn add_members(
    object: &[u8],
    names: &mut Names,
    mut each: impl FnMut(&str, usize, &str) -> Result<()>,
    why_not: fn(&str) -> IngestError,
) -> Result<()> {
    let text = std::str::from_utf8(object).map_err(|bad| {
        let shown = String::from_utf8_lossy(&object[bad.valid_up_to()..]);
        let error = IngestError::bad_line(format!("there is {}", crate::error::quoted(&shown)));
        error.expected("UTF-8 text").at(bad.valid_up_to() + 1).advice(CONVERT)
    })?;
    let mut refused = None;
    let read = members(text, |name, value| {
        let taken = names.place(&name).and_then(|place| each(&name, place, value));
        refused = taken.err();
        refused.is_none()
    });
    match refused {
        Some(error) => Err(error),
        None if !read => Err(why_not(text)),
        None => Ok(()),
    }
}

/// Goes to the next line that is not blank; false at the end.
fn next_line(lines: &mut Lines) -> Result<bool> {
    loop {
        if !lines.advance()? {
            return Ok(false);
        }
        if !lines.line().trim_ascii().is_empty() {
            return Ok(true);
        }
    }
}

/// A file's unpacked text, whose bytes count in `read`; not more of it than `most`.
pub(super) fn open(
    path: &std::path::Path,
    most: Option<u64>,
    progress: &Arc<Progress>,
    read: &Arc<Progress>,
) -> Result<(Vec<u8>, Bytes)> {
    use std::io::Read;
    let (head, input) = input::open(path, progress)?;
    let input: Bytes = match most {
        Some(most) => Box::new(input.take(most)),
        None => input,
    };
    Ok((head, input::counted(input, read)))
}
