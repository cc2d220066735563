//! From one field of a text format to one field of a record: what each column accepts.
//!
//! Texts are taken as they are; around numbers and times blanks do not matter. An empty text and a
//! JSON null are "not given": that is right for texts, `status` (0: none) and latencies, and an error
//! for `time` and counts, because a column that is there must say how many.

use std::borrow::Cow;

use chrono_tz::Tz;
use serde_json::Value;

use crate::columns::{Column, Named};
use crate::error::quoted;
use crate::latency::{self, COUNTS_LE, HISTOGRAM};
use crate::rows::{Record, Rows};
use crate::{IngestError, Result, time};

pub(crate) const COUNT: &str = "a whole number of at least 0";
pub(crate) const STATUS: &str = "a whole number from 0 to 999";
pub(crate) const SECONDS: &str = "a number of seconds of at least 0";

/// A field as its format gives it.
#[derive(Debug)]
pub(crate) enum Cell<'a> {
    Missing,
    Text(Cow<'a, str>),
    Integer(i64),
    Float(f64),
    Json(Value),
}

impl Cell<'_> {
    /// The field as it stands in the input, more or less.
    fn shown(&self) -> Cow<'_, str> {
        match self {
            Cell::Missing => "".into(),
            Cell::Text(text) => text.as_ref().into(),
            Cell::Integer(number) => number.to_string().into(),
            Cell::Float(number) => number.to_string().into(),
            Cell::Json(json) => json.to_string().into(),
        }
    }

    fn is_missing(&self) -> bool {
        match self {
            Cell::Missing => true,
            Cell::Text(text) => text.trim_ascii().is_empty(),
            _ => false,
        }
    }
}

/// Puts a field into the record.
pub(crate) fn set(rows: &mut Rows, record: &mut Record, (name, column): Named, cell: Cell<'_>, zone: Tz) -> Result<()> {
    let bad = |expected: &str| IngestError::bad_value(name, &cell.shown(), expected);
    match column {
        Column::Text(at) => match &cell {
            Cell::Missing => {}
            Cell::Text(text) => rows.set_text(record, at, text),
            Cell::Integer(_) => rows.set_text(record, at, &cell.shown()),
            _ => return Err(bad("text")),
        },
        Column::Time => {
            record.time = Some(match &cell {
                Cell::Integer(number) => time::from_integer(*number)?,
                Cell::Float(number) => time::from_float(*number)?,
                other => time::parse(&other.shown(), zone)?,
            })
        }
        Column::Count(at) => record.counts[at] = Some(whole(&cell).filter(|&n| n >= 0).ok_or_else(|| bad(COUNT))?),
        _ if cell.is_missing() => {}
        Column::Status => record.status = whole(&cell).and_then(status).ok_or_else(|| bad(STATUS))?,
        Column::LatencySum => record.latency_sum = Some(seconds(&cell).ok_or_else(|| bad(SECONDS))?),
        Column::LatencySeconds => record.latency_seconds = Some(seconds(&cell).ok_or_else(|| bad(SECONDS))?),
        Column::Latency => {
            record.latency = Some(json(name, cell, HISTOGRAM, latency::histogram_from_json)?);
        }
        Column::LatencyLe => record.latency_le = Some(json(name, cell, COUNTS_LE, latency::counts_le_from_json)?),
    }
    Ok(())
}

/// The value that a text denotes in JSON.
pub(crate) fn json<T>(
    name: &str,
    cell: Cell<'_>,
    expected: &str,
    read: impl FnOnce(Value) -> Result<T, String>,
) -> Result<T> {
    let shown = cell.shown().into_owned();
    let value = match cell {
        Cell::Json(json) => Ok(json),
        _ => serde_json::from_str(&shown).map_err(|e| e.to_string()),
    };
    value.and_then(read).map_err(|why| {
        IngestError::bad_line(format!("{name} is {} ({why})", quoted(&shown))).column(name).expected(expected)
    })
}

/// A status of at most three digits.
pub(crate) fn status(number: i64) -> Option<i32> {
    (0..=999).contains(&number).then_some(number as i32)
}

/// A whole number, however it is written: `12`, `" 12 "` or `12.0`.
fn whole(cell: &Cell<'_>) -> Option<i64> {
    match cell {
        Cell::Integer(number) => Some(*number),
        Cell::Float(number) => whole_float(*number),
        Cell::Text(text) => {
            let text = text.trim_ascii();
            text.parse().ok().or_else(|| whole_float(text.parse().ok()?))
        }
        _ => None,
    }
}

/// The integer that a float is exactly; none from 2^53 on, where a float no longer knows its neighbours.
fn whole_float(number: f64) -> Option<i64> {
    (number.trunc() == number && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// A finite number of at least zero.
fn seconds(cell: &Cell<'_>) -> Option<f64> {
    let seconds = match cell {
        Cell::Integer(number) => *number as f64,
        Cell::Float(number) => *number,
        Cell::Text(text) => text.trim_ascii().parse().ok()?,
        _ => return None,
    };
    is_duration(seconds).then_some(seconds)
}

/// Whether a number of seconds can have passed.
pub(crate) fn is_duration(seconds: f64) -> bool {
    seconds.is_finite() && seconds >= 0.0
}
