//! The properties of a calendar's events, by line: folded lines put together, components told apart.
//!
//! What a property says on its line, its parameters and quotes, is read by the crate `icalendar`.

use std::collections::HashMap;

use icalendar::parser::Property;

use crate::error::quoted;
use crate::lines::{Lines, MAX_LINE, too_long};
use crate::{ErrorKind, IngestError, Result};

/// Components within components, alarms of events being the deepest that there are.
const DEEPEST: usize = 8;

/// The properties of an event that are read; there are many more.
const READ: [&str; 17] = [
    "UID",
    "RECURRENCE-ID",
    "SEQUENCE",
    "STATUS",
    "SUMMARY",
    "DESCRIPTION",
    "LOCATION",
    "CATEGORIES",
    "URL",
    "CREATED",
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "EXRULE",
    "EXDATE",
    "RDATE",
];

/// What is read of a calendar.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    /// The zone that its program shows it in.
    pub zone: Option<Content>,
    /// The zones that it describes itself, and where these are said to be.
    pub located: HashMap<String, String>,
    pub events: Vec<Component>,
}

/// An event.
#[derive(Debug)]
pub(super) struct Component {
    /// Where it begins.
    pub line: u64,
    pub properties: Vec<Content>,
}

/// A property.
#[derive(Debug)]
pub(super) struct Content {
    pub line: u64,
    /// In capitals.
    pub name: String,
    parameters: Vec<(String, String)>,
    pub value: String,
}

impl Content {
    fn read(line: u64, text: &[u8]) -> Result<Self> {
        let unread = |found: &str| {
            let error = IngestError::bad_line(format!("there is {}", quoted(found))).on_line(line);
            error.expected("a property such as SUMMARY:new disks")
        };
        let text =
            std::str::from_utf8(text).map_err(|_| unread(&String::from_utf8_lossy(text)).expected("UTF-8 text"))?;
        if !text.contains(':') {
            return Err(unread(text));
        }
        let property = Property::try_from(text).map_err(|_| unread(text))?;
        let plain = |text: &str| text.trim().trim_matches('"').to_string();
        let parameters = property.params.iter().map(|parameter| {
            (
                parameter.key.as_str().to_uppercase(),
                parameter.val.as_ref().map(|val| plain(val.as_str())).unwrap_or_default(),
            )
        });
        Ok(Self {
            line,
            name: property.name.as_str().to_uppercase(),
            parameters: parameters.collect(),
            value: property.val.as_str().trim().to_string(),
        })
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The error for a value that is none of this property.
    pub fn refuse(&self, expected: &str) -> IngestError {
        IngestError::bad_value(&self.name, &self.value, expected).on_line(self.line)
    }
}

impl Component {
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Content> {
        self.properties.iter().filter(move |content| content.name == name)
    }

    pub fn one(&self, name: &str) -> Option<&Content> {
        self.properties.iter().find(|content| content.name == name)
    }

    pub fn text(&self, name: &str) -> &str {
        self.one(name).map_or("", |content| &content.value)
    }
}

/// Reads a calendar to its end.
pub(super) fn read(mut lines: Lines) -> Result<Calendar> {
    let name = lines.name().to_string();
    let mut reading = Reading::default();
    let mut folded: Option<(u64, Vec<u8>)> = None;
    loop {
        let more = lines.advance()?;
        let line = lines.line();
        if let Some((_, text)) = folded.as_mut().filter(|_| matches!(line.first(), Some(b' ' | b'\t'))) {
            // What is longer is nothing that is read.
            if text.len() <= MAX_LINE {
                text.extend_from_slice(&line[1..]);
            }
            continue;
        }
        if let Some((number, text)) = folded.take() {
            reading.take(number, &text).map_err(|error| error.in_file(&name))?;
        }
        if !more {
            break;
        }
        if !line.trim_ascii().is_empty() {
            folded = Some((lines.number(), line.to_vec()));
        }
    }
    match reading.open.last() {
        None => Ok(reading.calendar),
        Some((line, component)) => {
            let error = IngestError::new(ErrorKind::Io, format!("{component} begins here and never ends"));
            Err(error.in_file(name).on_line(*line).advice("Is the file complete? Fetch it again"))
        }
    }
}

#[derive(Default)]
struct Reading {
    calendar: Calendar,
    /// The components that are open, with the lines on which they begin.
    open: Vec<(u64, String)>,
    /// Of a zone that the calendar describes its name and its place.
    zone: (Option<String>, Option<String>),
}

impl Reading {
    /// Takes in a line that was put together.
    fn take(&mut self, number: u64, text: &[u8]) -> Result<()> {
        let end = text.iter().position(|byte| matches!(byte, b':' | b';')).unwrap_or(text.len());
        let name = String::from_utf8_lossy(&text[..end]).trim().to_uppercase();
        let value = || String::from_utf8_lossy(text.get(end + 1..).unwrap_or_default()).trim().to_uppercase();
        match name.as_str() {
            "BEGIN" => return self.begin(number, value()),
            "END" => return self.end(number, &value()),
            _ => {}
        }
        let open: Vec<&str> = self.open.iter().map(|(_, component)| component.as_str()).collect();
        let is_read = match open[..] {
            ["VCALENDAR"] => name == "X-WR-TIMEZONE",
            ["VCALENDAR", "VTIMEZONE"] => name == "TZID" || name == "X-LIC-LOCATION",
            ["VCALENDAR", "VEVENT"] => READ.contains(&name.as_str()) || end == text.len(),
            _ => false,
        };
        if !is_read {
            return Ok(());
        }
        if text.len() > MAX_LINE {
            return Err(too_long("the property").on_line(number));
        }
        let content = Content::read(number, text)?;
        match (open[..].last(), content.name.as_str()) {
            (Some(&"VCALENDAR"), _) => self.calendar.zone = Some(content),
            (_, "TZID") => self.zone.0 = Some(content.value),
            (_, "X-LIC-LOCATION") => self.zone.1 = Some(content.value),
            _ => {
                if let Some(event) = self.calendar.events.last_mut() {
                    event.properties.push(content);
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, line: u64, component: String) -> Result<()> {
        if self.open.len() == DEEPEST {
            return Err(
                IngestError::bad_line(format!("these are components within components, {DEEPEST} deep")).on_line(line)
            );
        }
        if component == "VEVENT" {
            self.calendar.events.push(Component { line, properties: Vec::new() });
        }
        self.open.push((line, component));
        Ok(())
    }

    fn end(&mut self, line: u64, component: &str) -> Result<()> {
        match self.open.pop() {
            Some((_, open)) if open == component => {}
            Some((_, open)) => {
                let error = IngestError::bad_line(format!("{component} ends here")).on_line(line);
                return Err(error.expected(format!("the end of {open}")));
            }
            None => {
                return Err(IngestError::bad_line(format!("{component} ends here, which never began")).on_line(line));
            }
        }
        if component == "VTIMEZONE"
            && let (Some(name), Some(place)) = std::mem::take(&mut self.zone)
        {
            self.calendar.located.insert(name, place);
        }
        Ok(())
    }
}
