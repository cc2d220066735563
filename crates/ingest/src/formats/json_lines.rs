//! One JSON object per line, its members the columns. Blank lines are skipped.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::records::Records;
use crate::columns::Column;
use crate::error::quoted;
use crate::fields::Cell;
use crate::lines::{CONVERT, Lines};
use crate::rows::Rows;
use crate::{IngestError, Result};

/// The records of a JSON lines input.
pub(super) struct JsonLines {
    lines: Lines,
}

impl JsonLines {
    pub(super) fn new(lines: Lines) -> Self {
        Self { lines }
    }
}

impl<R: Rows> Records<R> for JsonLines {
    fn read_one(&mut self, rows: &mut R) -> Result<bool> {
        loop {
            if !self.lines.advance()? {
                return Ok(false);
            }
            let line = self.lines.line();
            if !line.trim_ascii().is_empty() {
                return add(line, self.lines.number(), rows, not_an_object)
                    .map(|()| true)
                    .map_err(|e| self.lines.refuse(e));
            }
        }
    }

    fn text(&self) -> Cow<'_, str> {
        self.lines.text()
    }
}

/// Adds the row that a text holds; `unread` says why one is no object.
pub(super) fn add<R: Rows>(
    line: &[u8],
    number: u64,
    rows: &mut R,
    unread: fn(&str, &serde_json::Error) -> IngestError,
) -> Result<()> {
    let text = std::str::from_utf8(line).map_err(|e| {
        let shown = String::from_utf8_lossy(&line[e.valid_up_to()..]);
        IngestError::bad_line(format!("there is {}", quoted(&shown)))
            .expected("UTF-8 text")
            .at(e.valid_up_to() + 1)
            .advice(CONVERT)
    })?;
    rows.begin();
    let mut refused = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let row = Row { rows, refused: &mut refused };
    let read = row.deserialize(&mut json).and_then(|()| json.end());
    match (refused, read) {
        (Some(refused), _) => Err(refused),
        (None, Err(error)) => Err(unread(text, &error)),
        (None, Ok(())) => rows.add(number),
    }
}

/// Why a line is not one JSON object.
pub(crate) fn why_not(text: &str) -> IngestError {
    why(text, not_an_object)
}

/// The same of what stands between braces in a document.
pub(crate) fn why_not_in_document(text: &str) -> IngestError {
    why(text, not_in_document)
}

fn why(text: &str, unread: fn(&str, &serde_json::Error) -> IngestError) -> IngestError {
    match serde_json::from_str::<Object>(text) {
        Err(error) => unread(text, &error),
        Ok(Object) => IngestError::bad_line(format!("{} has a name that is no text", quoted(text.trim_ascii()))),
    }
}

/// An object, whatever is in it.
struct Object;

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object)
    }
}

impl<'de> Visitor<'de> for Object {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Object, A::Error> {
        while members.next_entry::<Cell<'de>, Cell<'de>>()?.is_some() {}
        Ok(Object)
    }
}

fn not_an_object(text: &str, error: &serde_json::Error) -> IngestError {
    let refused = no_object(text, error).expected(
        "one object per line, such as {\"time\": \"2026-10-01T12:00:00Z\", \"endpoint\": \"/\", \"status\": 200}",
    );
    match text.trim_ascii() {
        "{" => refused.advice("If objects go on over several lines, say --format json"),
        text if text.starts_with('[') => refused.advice("If these are arrays of objects, say --format json"),
        _ => refused,
    }
}

/// The same of what stands between braces in a document, with its line there.
pub(super) fn not_in_document(text: &str, error: &serde_json::Error) -> IngestError {
    let refused = no_object(text, error).expected("JSON objects, one after the other or in arrays");
    refused.on_line(error.line().max(1) as u64)
}

fn no_object(text: &str, error: &serde_json::Error) -> IngestError {
    // serde_json ends its messages with the place, which is told apart.
    let why = error.to_string();
    let why = why.split(" at line ").next().unwrap_or_default();
    IngestError::bad_line(format!("{} is no JSON object ({why})", quoted(text.trim_ascii()))).at(error.column().max(1))
}

/// Reads an object member by member into a row; what a column refuses is kept in `refused`.
struct Row<'a, R> {
    rows: &'a mut R,
    refused: &'a mut Option<IngestError>,
}

impl<R: Rows> Row<'_, R> {
    fn set(&mut self, seen: &mut Vec<Column>, name: &str, cell: Cell<'_>) -> Result<()> {
        let named = self.rows.columns().find(name)?;
        if seen.contains(&named.1) {
            return Err(IngestError::bad_line(format!("{name} is there twice")).column(name));
        }
        seen.push(named.1);
        self.rows.set(named, cell)
    }
}

impl<'de, R: Rows> DeserializeSeed<'de> for Row<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, R: Rows> Visitor<'de> for Row<'_, R> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut seen = Vec::with_capacity(16);
        while let Some(name) = members.next_key::<Cell<'de>>()? {
            let cell = members.next_value::<Cell<'de>>()?;
            let Cell::Text(name) = name else { return Err(A::Error::custom("a member's name is not text")) };
            if let Err(refused) = self.set(&mut seen, &name, cell) {
                *self.refused = Some(refused);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Cell<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

/// Takes texts from the line without copying them.
struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Cell::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cell::Json(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Cell::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Cell::Float(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cell::Text(Cow::Owned(value.to_string())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(items)).map(Cell::Json)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(members)).map(Cell::Json)
    }
}

#[cfg(test)]
mod tests {
    use crate::Format;
    use crate::testing::{REMEDY, events, read_text, refusal, requests, shown};

    fn refused(text: impl AsRef<[u8]>) -> String {
        refusal(Format::JsonLines, requests(), text)
    }

    #[test]
    fn members_are_columns() {
        let rows = read_text(
            Format::JsonLines,
            requests(),
            r#"{"time": "2026-10-01T12:00:01Z", "service": "\u767b录", "status": 200, "requests": 2, "latency_seconds": 1}

{"status": "200", "time": 1790856059.5, "service": "登录", "cause": null, "requests": 3.0}
{"time": 1790856059500, "customer": 42, "requests": 2, "latency": {"zero": 1, "buckets": [{"bucket": 2, "count": 1}]},
 "latency_sum": 0.5, "latency_le": [{"le": 5, "count": 1}]}"#
                .replace(",\n", ","),
        );
        assert_eq!(
            shown(&rows.unwrap()),
            [
                "time=2026-10-01T12:00:00Z service=登录 status=200 requests=5 latency_sum=2.0 \
                 latency={zero: 0, buckets: [{bucket: -1, count: 2}]}",
                "time=2026-10-01T12:00:00Z customer=42 status=0 requests=2 latency_sum=0.5 \
                 latency={zero: 1, buckets: [{bucket: 2, count: 1}]} latency_le=[{le: 5, count: 1}]",
            ]
        );
        let rows = read_text(Format::JsonLines, events(), r#"{"time": 0, "good": 1, "total": 2}"#).unwrap();
        assert_eq!(shown(&rows), ["time=1970-01-01T00:00:00Z good=1 total=2"]);
    }

    #[test]
    fn a_bad_value_is_refused_with_its_line() {
        for (row, message) in [
            (r#"{"time": 0, "status": 2.5}"#, "status is \"2.5\"; expected a whole number from 0 to 999"),
            (r#"{"time": 0, "requests": null}"#, "requests is \"\"; expected a whole number of at least 0"),
            (r#"{"time": 0, "endpoint": ["/"]}"#, "endpoint is \"[\\\"/\\\"]\"; expected text"),
            (r#"{"time": 0, "status": 1, "status": 1}"#, "status is there twice"),
            (r#"{"time": -5}"#, "time is \"-5\"; expected a time in the years 1970 to 9999"),
            (r#"{"status": 200}"#, "time is missing"),
            (
                r#"{"time": 0, "latency": {"zero": 1, "bucket": 5}}"#,
                "latency is \"{\\\"bucket\\\":5,\\\"zero\\\":1}\" (unknown field `bucket`, expected `zero` or `buckets`); \
                 expected {\"zero\": n, \"buckets\": [{\"bucket\": i, \"count\": n}, …]} with counts of at least 0",
            ),
        ] {
            assert_eq!(
                refused(format!("{{\"time\": 0}}\n\n{row}\n")),
                format!("input:3: {message}. {REMEDY}"),
                "{row}"
            );
        }
        assert_eq!(
            refusal(Format::JsonLines, events(), r#"{"time": 0, "good": 1}"#),
            format!("input:1: total is missing. {REMEDY}")
        );
        assert!(
            refused(r#"{"tme": 0}"#)
                .starts_with("input:1: unknown column \"tme\"; expected columns of requests: time, ")
        );
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        const OBJECT: &str = "expected one object per line, such as {\"time\": \"2026-10-01T12:00:00Z\", \"endpoint\": \"/\", \"status\": 200}";
        assert_eq!(
            refused(r#"{"time": 0,}"#),
            format!("input:1:12: \"{{\\\"time\\\": 0,}}\" is no JSON object (trailing comma); {OBJECT}. {REMEDY}")
        );
        assert_eq!(
            refused("{\"time\": 0} {"),
            format!(
                "input:1:13: \"{{\\\"time\\\": 0}} {{\" is no JSON object (trailing characters); {OBJECT}. {REMEDY}"
            )
        );
        assert_eq!(
            refused("[\n{\"time\": 0}\n]"),
            format!(
                "input:1:1: \"[\" is no JSON object (invalid type: sequence, expected an object); {OBJECT}. \
                 If these are arrays of objects, say --format json"
            )
        );
        assert_eq!(
            refused(b"{\"time\": 0}\n{\"time\": \"\xff\"}"),
            "input:2:11: there is \"\u{fffd}\\\"}\"; expected UTF-8 text. Convert the file from its encoding: \
             iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW"
        );
    }
}
