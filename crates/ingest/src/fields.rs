//! A field of a text format, and what can be read from it.
//!
//! Texts are taken as they are; around numbers and times blanks do not matter. An empty text and a
//! JSON null are "not given": that is right for texts, `status` (0: none), latencies and whatever a record
//! may leave out, and an error for `time`, counts and measured numbers, because a column that is there must
//! say how many.

use std::borrow::Cow;

use serde_json::Value;

use crate::error::quoted;
use crate::time::{Clock, When};
use crate::{ErrorKind, IngestError, Result, money};

pub(crate) const COUNT: &str = "a whole number of at least 0";
pub(crate) const STATUS: &str = "a whole number from 0 to 999";
pub(crate) const SECONDS: &str = "a number of seconds of at least 0";
pub(crate) const NUMBER: &str = "a finite number";
pub(crate) const FLAG: &str = "true or false, yes or no, 1 or 0";

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
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        match self {
            Cell::Missing => "".into(),
            Cell::Text(text) => text.as_ref().into(),
            Cell::Integer(number) => number.to_string().into(),
            Cell::Float(number) => number.to_string().into(),
            Cell::Json(json) => json.to_string().into(),
        }
    }

    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Cell::Missing => true,
            Cell::Text(text) => text.trim_ascii().is_empty(),
            Cell::Integer(_) | Cell::Float(_) | Cell::Json(_) => false,
        }
    }

    /// The error for a column that cannot hold this.
    fn bad(&self, column: &str, expected: &str) -> IngestError {
        IngestError::bad_value(column, &self.shown(), expected)
    }

    /// A text as it is, a whole number as it is written; empty where nothing is given.
    pub(crate) fn text(&self, column: &str) -> Result<Cow<'_, str>> {
        match self {
            Cell::Missing | Cell::Text(_) | Cell::Integer(_) => Ok(self.shown()),
            Cell::Float(_) | Cell::Json(_) => Err(self.bad(column, "text")),
        }
    }

    /// Microseconds since 1970; of a local time that a clock change repeats the earlier.
    pub(crate) fn instant(&self, clock: Clock<'_>) -> Result<i64> {
        match self {
            Cell::Integer(number) => clock.integer(*number),
            Cell::Float(number) => clock.float(*number),
            other => clock.parse(&other.shown()),
        }
    }

    /// What a time of a series denotes.
    pub(crate) fn when(&self, clock: Clock<'_>) -> Result<When> {
        match self {
            Cell::Integer(number) => clock.integer(*number).map(When::At),
            Cell::Float(number) => clock.float(*number).map(When::At),
            other => clock.read(&other.shown()),
        }
    }

    /// A number of events.
    pub(crate) fn count(&self, column: &str) -> Result<i64> {
        self.whole().filter(|&count| count >= 0).ok_or_else(|| self.bad(column, COUNT))
    }

    pub(crate) fn status(&self, column: &str) -> Result<i32> {
        self.whole().and_then(status).ok_or_else(|| self.bad(column, STATUS))
    }

    pub(crate) fn seconds(&self, column: &str) -> Result<f64> {
        self.float().filter(|&seconds| is_duration(seconds)).ok_or_else(|| self.bad(column, SECONDS))
    }

    /// A measured number.
    pub(crate) fn number(&self, column: &str) -> Result<f64> {
        self.float().filter(|number| number.is_finite()).ok_or_else(|| self.bad(column, NUMBER))
    }

    pub(crate) fn flag(&self, column: &str) -> Result<bool> {
        let flag = match self {
            Cell::Json(Value::Bool(flag)) => Some(*flag),
            Cell::Integer(_) | Cell::Text(_) => flag(&self.shown()),
            Cell::Missing | Cell::Float(_) | Cell::Json(_) => None,
        };
        flag.ok_or_else(|| self.bad(column, FLAG))
    }

    /// Money in millionths. JSON keeps a number with decimals as a float, see [`money::from_float`]; who has longer
    /// amounts writes them as text.
    pub(crate) fn money(&self, column: &str) -> Result<i128> {
        let amount = match self {
            Cell::Integer(number) => money::from_integer(*number),
            Cell::Float(number) => money::from_float(*number),
            Cell::Text(text) => money::parse(text),
            Cell::Missing | Cell::Json(_) => None,
        };
        amount.ok_or_else(|| self.bad(column, money::AMOUNT))
    }

    /// A whole number, however it is written: `12`, `" 12 "` or `12.0`.
    fn whole(&self) -> Option<i64> {
        match self {
            Cell::Integer(number) => Some(*number),
            Cell::Float(number) => whole_float(*number),
            Cell::Text(text) => whole_text(text),
            Cell::Missing | Cell::Json(_) => None,
        }
    }

    fn float(&self) -> Option<f64> {
        match self {
            Cell::Integer(number) => Some(*number as f64),
            Cell::Float(number) => Some(*number),
            Cell::Text(text) => text.trim_ascii().parse().ok(),
            Cell::Missing | Cell::Json(_) => None,
        }
    }
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
        Cell::Missing | Cell::Text(_) | Cell::Integer(_) | Cell::Float(_) => {
            serde_json::from_str(&shown).map_err(|e| e.to_string())
        }
    };
    value.and_then(read).map_err(|why| {
        IngestError::bad_line(format!("{name} is {} ({why})", quoted(&shown))).column(name).expected(expected)
    })
}

/// A status of at most three digits.
pub(crate) fn status(number: i64) -> Option<i32> {
    (0..=999).contains(&number).then_some(number as i32)
}

/// The truth value that a text denotes.
pub(crate) fn flag(text: &str) -> Option<bool> {
    let text = text.trim_ascii();
    let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match (is(["true", "yes", "1"]), is(["false", "no", "0"])) {
        (false, false) => None,
        (yes, _) => Some(yes),
    }
}

/// The whole number that a text is, blanks around it aside.
pub(crate) fn whole_text(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    text.parse().ok().or_else(|| whole_float(text.parse().ok()?))
}

/// The integer that a float is exactly; none from 2^53 on, where a float no longer knows its neighbours.
fn whole_float(number: f64) -> Option<i64> {
    (number.trunc() == number && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// Whether a number of seconds can have passed.
pub(crate) fn is_duration(seconds: f64) -> bool {
    seconds.is_finite() && seconds >= 0.0
}

/// The error for a row that leaves out what its table cannot do without.
pub(crate) fn missing(column: &str) -> IngestError {
    IngestError::bad_line(format!("{column} is missing")).column(column)
}

/// The error for a column that its table does not keep where it was looked for.
pub(crate) fn misplaced(column: &str) -> IngestError {
    IngestError::new(ErrorKind::Internal, format!("column {column} is read as a column of another table"))
}
