//! One line of an access log, by its layout.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::field::{Field, Role};
use super::filling::{Filled, Filling};
use super::json::Values;
use super::log_format::Layout;
use super::no_request::{NoRequest, says_status};
use super::text::Piece;
use super::time::TimeForm;
use crate::formats::log_line::{endpoint, endpoint_of, expected};
use crate::time::{Clock, When};
use crate::{IngestError, LatencyUnit, Result, fields};

/// What a line says of its request.
#[derive(Debug, PartialEq)]
pub(crate) struct Line<'a> {
    pub when: When,
    /// Empty where the line has none.
    pub endpoint: Cow<'a, str>,
    /// 0 where the line has none.
    pub status: i32,
    /// How long it took.
    pub seconds: Option<f64>,
    /// What the fields say that fill columns, by their places.
    pub filling: Vec<Option<Cow<'a, str>>>,
}

/// What a line is.
#[derive(Debug, PartialEq)]
pub(crate) enum Reading<'a> {
    Request(Line<'a>),
    /// It says what others hold.
    Directive,
    NoRequest(NoRequest),
}

/// Reads lines; remembers the last time, which the lines of one second share.
pub(crate) struct LineReader {
    layout: Layout,
    clock: Clock<'static>,
    last: Option<(Vec<u8>, When)>,
    filling: Filling,
    /// What a line of JSON is that has no status.
    without_status: NoRequest,
    /// By the number of a field of JSON, requests in which it said something.
    said: Vec<u64>,
}

/// What was found so far.
#[derive(Default)]
struct Found<'a> {
    filled: Filled<'a>,
    when: Option<When>,
    request: Option<Cow<'a, [u8]>>,
    target: Option<Cow<'a, [u8]>>,
    status: Option<i32>,
    upstream_status: Option<i32>,
    taken: Option<(LatencyUnit, f64)>,
    upstream_taken: Option<f64>,
    /// Whether it is not known how long some server took.
    is_upstream_unknown: bool,
}

impl LineReader {
    pub(crate) fn new(layout: &Layout, zone: Tz) -> Self {
        let fields = match layout {
            Layout::Json(json) => json.fields(),
            Layout::Text(_) | Layout::W3c(_) => &[],
        };
        Self {
            layout: layout.clone(),
            clock: Clock::of_series(zone),
            last: None,
            filling: Filling::default(),
            without_status: NoRequest::without_status(fields),
            said: vec![0; fields.len()],
        }
    }

    /// In how many requests fields of JSON said something, each as a person wrote it down; counted anew from then on.
    pub(crate) fn said(&mut self) -> Vec<(String, u64)> {
        let Layout::Json(json) = &self.layout else { return Vec::new() };
        let counted = json.mapped().iter().zip(&mut self.said);
        counted.filter_map(|(word, rows)| Some((word.clone()?, std::mem::take(rows)))).collect()
    }

    /// The same that also says what fields of these names say, as far as lines have them.
    pub(crate) fn perhaps_filling(mut self, names: &[String]) -> Self {
        if let Layout::Text(text) = &self.layout {
            self.filling = Filling::perhaps(names, text.pieces.iter().map(Piece::field));
        }
        self
    }

    /// The same that also says what fields of these names say.
    pub(crate) fn filling(mut self, names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Ok(self);
        }
        self.filling = match &mut self.layout {
            Layout::Text(text) => Filling::of(names, text.pieces.iter().map(Piece::field))?,
            Layout::Json(json) => {
                json.look_for(names);
                Filling::of_some(names, json.fields())
            }
            Layout::W3c(told) => Filling::perhaps(names, told.fields().iter().map(Some)),
        };
        Ok(self)
    }

    /// Reads a line without its line ending.
    pub(crate) fn parse<'a>(&mut self, line: &'a [u8]) -> Result<Reading<'a>> {
        let Self { layout, clock, last, filling, without_status, said } = self;
        let mut found = Found::default();
        match layout {
            Layout::Text(text) => {
                if let Err(error) = found.of_text(&text.pieces, line, *clock, last, filling) {
                    return text.messages.has(line).map(Reading::NoRequest).ok_or(error);
                }
            }
            Layout::W3c(told) if line.starts_with(b"#") => {
                told.told(line)?;
                *filling = Filling::perhaps(filling.names(), told.fields().iter().map(Some));
                return Ok(Reading::Directive);
            }
            Layout::W3c(told) => found.of_columns(told.values(line)?, *clock, last, filling)?,
            Layout::Json(json) => {
                let mut values = json.values(line)?;
                if let Some(other) = other(json.fields(), &values) {
                    return Ok(Reading::NoRequest(other));
                }
                let has_status =
                    |(number, field): (usize, &Field)| says_status(&field.role) && values.get(number).is_some();
                if !json.fields().iter().enumerate().any(has_status) {
                    return Ok(Reading::NoRequest(without_status.clone()));
                }
                for (number, field) in json.fields().iter().enumerate() {
                    let value = match values.take(number) {
                        None => continue,
                        Some(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
                        Some(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
                    };
                    if let Some(rows) = said.get_mut(number).filter(|_| !matches!(&*value, b"" | b"-")) {
                        *rows += 1;
                    }
                    filling.take(number, || value.clone(), &mut found.filled);
                    found.take(field, value, *clock, last)?;
                }
            }
        }
        let when = found.when.ok_or_else(|| fields::missing("time"))?;
        let filling = match filling.names() {
            [] => Vec::new(),
            _ => filling.texts(found.filled, found.request.as_ref(), found.target.as_ref()),
        };
        let endpoint = match (found.request, found.target) {
            (Some(request), _) => of(request, endpoint),
            (None, Some(target)) => of(target, endpoint_of),
            (None, None) => Cow::Borrowed(""),
        };
        let status = found.status.or(found.upstream_status).unwrap_or_default();
        // A sum of which a part is not known is none.
        let of_upstream = found.upstream_taken.filter(|_| !found.is_upstream_unknown);
        let seconds = found.taken.map(|(_, seconds)| seconds).or(of_upstream);
        Ok(Reading::Request(Line { when, endpoint, status, seconds, filling }))
    }
}

/// What a record is that is of another kind than requests.
fn other(fields: &[Field], values: &Values<'_>) -> Option<NoRequest> {
    fields.iter().enumerate().find_map(|(number, field)| match &field.role {
        Role::Kind { of_requests, others } => {
            let is_other = values.get(number).is_some_and(|kind| kind != *of_requests);
            is_other.then_some(NoRequest::Message(others))
        }
        _ => None,
    })
}

/// The endpoint of a request or target.
fn of<'a>(bytes: Cow<'a, [u8]>, endpoint: fn(&[u8]) -> Cow<'_, str>) -> Cow<'a, str> {
    match bytes {
        Cow::Borrowed(bytes) => endpoint(bytes),
        Cow::Owned(bytes) => Cow::Owned(endpoint(&bytes).into_owned()),
    }
}

/// Behind literal text. At the end of a line blanks of it may be missing, as some programs cut them.
fn behind(line: &[u8], at: usize, text: &[u8], is_last: bool) -> Result<usize> {
    if line[at..].starts_with(text) {
        return Ok(at + text.len());
    }
    let short = text.trim_ascii_end();
    if is_last && line[at..].starts_with(short) && line.len() == at + short.len() {
        return Ok(line.len());
    }
    Err(expected(
        line,
        at,
        &format!("{}, as the log's format has it", crate::error::quoted(&String::from_utf8_lossy(text))),
    ))
}

/// Where a field ends: where the literal text behind it begins, and behind that text a time, if one follows. With it come the text
/// before it, the text behind it, and the field that follows.
fn end(
    line: &[u8],
    at: usize,
    field: &Field,
    (before, after, next): (Option<&[u8]>, Option<&[u8]>, Option<&Field>),
) -> Result<usize> {
    if let Role::Time(form) = &field.role
        && form.ends_itself()
    {
        let length = form.length(&line[at..]);
        return length.map(|length| at + length).ok_or_else(|| expected(line, at, &format!("a time ({})", field.name)));
    }
    let Some(after) = after else { return Ok(line.len()) };
    let unended = || {
        let text = crate::error::quoted(&String::from_utf8_lossy(after));
        expected(line, at, &format!("{} and then {text}, as the log's format has it", field.name))
    };
    if before.is_some_and(|text| text.ends_with(b"\"")) && after.starts_with(b"\"") {
        let mut from = at;
        loop {
            match line.get(from) {
                Some(b'"') => return Ok(from),
                Some(b'\\') => from += 2,
                Some(_) => from += 1,
                None => return Err(unended()),
            }
        }
    }
    let mut from = at;
    loop {
        let Some(found) = find(&line[from..], after).map(|found| from + found) else {
            // What was cut off at the end of a line is no loss if it decides nothing.
            return if after.trim_ascii().is_empty() { Ok(line.len()) } else { Err(unended()) };
        };
        let is_no_time = |form: &TimeForm| form.ends_itself() && form.length(&line[found + after.len()..]).is_none();
        let goes_on = next.is_some_and(|next| matches!(&next.role, Role::Time(form) if is_no_time(form)))
            || field.is_list
                && (line[at..found].ends_with(b",")
                    || line[at..found].ends_with(b" :")
                    || line[found..].starts_with(b" : "));
        if !goes_on {
            return Ok(found);
        }
        from = found + 1;
    }
}

/// Whether a field of these decides anything.
fn decides(pieces: &[Piece]) -> bool {
    pieces.iter().filter_map(Piece::field).any(|field| !matches!(field.role, Role::Skip | Role::Host | Role::Query))
}

/// Where a text is first found.
fn find(line: &[u8], text: &[u8]) -> Option<usize> {
    let (first, rest) = text.split_first()?;
    let mut from = 0;
    loop {
        let at = from + line[from..].iter().position(|byte| byte == first)?;
        if line[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
}

impl<'a> Found<'a> {
    fn of_text(
        &mut self,
        pieces: &[Piece],
        line: &'a [u8],
        clock: Clock<'_>,
        last: &mut Option<(Vec<u8>, When)>,
        filling: &Filling,
    ) -> Result<()> {
        let mut at = 0;
        for (number, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Literal(text) => at = behind(line, at, text, number + 1 == pieces.len())?,
                Piece::Field(field) => {
                    let before = number.checked_sub(1).and_then(|before| pieces[before].literal());
                    let after = pieces.get(number + 1).and_then(Piece::literal);
                    let next = pieces.get(number + 2).and_then(Piece::field);
                    let is_quoted = before.is_some_and(|text| text.ends_with(b"\""));
                    let end = match end(line, at, field, (before, after, next)) {
                        // An agent that was cut off, as happens to long ones, must not cost the request.
                        Err(_) if is_quoted && !decides(&pieces[number..]) => {
                            filling.take(number, || Cow::Borrowed(&line[at..]), &mut self.filled);
                            return Ok(());
                        }
                        end => end?,
                    };
                    let value = Cow::Borrowed(&line[at..end]);
                    filling.take(number, || value.clone(), &mut self.filled);
                    self.take(field, value, clock, last).map_err(|e| e.at(at + 1))?;
                    at = end;
                }
            }
        }
        match line[at..].trim_ascii_start() {
            [] => Ok(()),
            _ => Err(expected(line, at, "the end of the line, as the log's format has it")),
        }
    }

    fn of_columns(
        &mut self,
        (fields, values): (&[Field], Vec<&'a [u8]>),
        clock: Clock<'_>,
        last: &mut Option<(Vec<u8>, When)>,
        filling: &Filling,
    ) -> Result<()> {
        let of = |role: &Role| fields.iter().position(|field| field.role == *role).map(|at| values[at]);
        if let (Some(date), Some(time)) = (of(&Role::Date), of(&Role::TimeOfDay)) {
            self.take(&DATE_AND_TIME, Cow::Owned([date, b"T", time, b"Z"].concat()), clock, last)?;
        }
        for (number, (field, value)) in fields.iter().zip(values).enumerate() {
            // What is not given is written so.
            if value != b"-" {
                filling.take(number, || Cow::Borrowed(value), &mut self.filled);
                self.take(field, Cow::Borrowed(value), clock, last)?;
            }
        }
        Ok(())
    }

    /// Takes a field's value. Of several fields that mean the same the first counts.
    fn take(
        &mut self,
        field: &Field,
        value: Cow<'a, [u8]>,
        clock: Clock<'_>,
        last: &mut Option<(Vec<u8>, When)>,
    ) -> Result<()> {
        match &field.role {
            Role::Skip | Role::Host | Role::Query | Role::Date | Role::TimeOfDay | Role::Kind { .. } => {}
            Role::Request => drop(self.request.get_or_insert(value)),
            Role::Target => drop(self.target.get_or_insert(value)),
            Role::Time(_) if self.when.is_some() => {}
            Role::Time(form) => {
                self.when = match last {
                    Some((text, when)) if *text == *value => Some(*when),
                    _ => {
                        let when = form.read(&value, clock)?.ok_or_else(|| bad(field, &value, "a time"))?;
                        *last = Some((value.into_owned(), when));
                        Some(when)
                    }
                };
            }
            Role::Status if self.status.is_some_and(|status| status > 0) => {}
            Role::Status => self.status = Some(status(&value).ok_or_else(|| bad(field, &value, STATUS))?),
            Role::UpstreamStatus => {
                // Where the last one gave no answer, nobody knows what the client saw.
                let last = parts(&value).last();
                self.upstream_status =
                    last.map(|part| status(part).ok_or_else(|| bad(field, &value, STATUS))).transpose()?;
            }
            Role::Taken(unit) => {
                let seconds = taken(&value, *unit).ok_or_else(|| bad(field, &value, TAKEN))?;
                // Of several the one that is written most finely, otherwise the first.
                let is_finer = |known: LatencyUnit| unit.of(1.0) < known.of(1.0);
                if self.taken.is_none_or(|(known, _)| is_finer(known)) {
                    self.taken = seconds.map(|seconds| (*unit, seconds)).or(self.taken);
                }
            }
            Role::UpstreamTaken(unit) => {
                for part in parts(&value) {
                    match taken(part, *unit).ok_or_else(|| bad(field, &value, TAKEN))? {
                        // One server was asked after the other, and the client waited for all of them.
                        Some(seconds) => {
                            self.upstream_taken = Some(self.upstream_taken.unwrap_or_default() + seconds);
                        }
                        None => self.is_upstream_unknown = true,
                    }
                }
            }
        }
        Ok(())
    }
}

/// A date and a time of day of two columns.
const DATE_AND_TIME: Field = Field { name: String::new(), role: Role::Time(TimeForm::Written), is_list: false };

const STATUS: &str = "a status from 0 to 999";
const TAKEN: &str = "how long the request took";

fn bad(field: &Field, value: &[u8], what: &str) -> IngestError {
    let found = crate::error::quoted(&String::from_utf8_lossy(value));
    IngestError::bad_line(format!("{} is {found}", field.name)).expected(what)
}

/// The parts of `0.001, 0.002` or `502 : 200`.
fn parts(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| matches!(byte, b',' | b' ' | b':')).filter(|part| !part.is_empty())
}

/// A status; none, and one that says that nobody answered (`-1`), is 0.
fn status(value: &[u8]) -> Option<i32> {
    match value {
        b"" | b"-" | b"-1" => Some(0),
        value => text(value)?.parse().ok().and_then(fields::status),
    }
}

/// Seconds, perhaps with a unit that is written behind the number; `Some(None)`: not given, or negative, which says the same.
fn taken(value: &[u8], unit: LatencyUnit) -> Option<Option<f64>> {
    if matches!(value, b"" | b"-") {
        return Some(None);
    }
    let text = text(value)?;
    let number = text.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.');
    let seconds = match &text[number.len()..] {
        "" => unit.of(number.parse().ok()?),
        "s" => number.parse().ok()?,
        suffix => LatencyUnit::ALL.into_iter().find(|unit| unit.name() == suffix)?.of(number.parse().ok()?),
    };
    (seconds.is_finite()).then_some((seconds >= 0.0).then_some(seconds))
}

fn text(value: &[u8]) -> Option<&str> {
    std::str::from_utf8(value).ok()
}
