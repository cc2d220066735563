//! How a log writes the time of a line.

use chrono::{DateTime, NaiveDateTime};

use crate::Result;
use crate::clf::clf;
use crate::time::{Clock, When};

/// How times are written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TimeForm {
    /// `10/Oct/2000:13:55:36 -0700`, perhaps with a fraction, perhaps without an offset.
    Clf,
    /// As in any file: `2026-10-01T12:00:00+02:00`, or a number since 1970.
    Written,
    /// As either of them.
    Either,
    /// By a pattern of `strftime`.
    Pattern(String),
}

impl TimeForm {
    /// Whether a time ends where it ends, whatever stands behind it.
    pub fn ends_itself(&self) -> bool {
        match self {
            TimeForm::Clf | TimeForm::Pattern(_) => true,
            TimeForm::Written | TimeForm::Either => false,
        }
    }

    /// How many bytes of a text are the time with which it begins; `None`: it begins with none.
    pub fn length(&self, text: &[u8]) -> Option<usize> {
        match self {
            TimeForm::Clf => clf(text).map(|(.., length)| length),
            TimeForm::Pattern(pattern) => {
                let text = beginning(text);
                let rest = match DateTime::parse_and_remainder(text, pattern) {
                    Ok((_, rest)) => rest,
                    Err(_) => NaiveDateTime::parse_and_remainder(text, pattern).ok()?.1,
                };
                Some(text.len() - rest.len())
            }
            TimeForm::Written | TimeForm::Either => Some(text.len()),
        }
    }

    /// What a text denotes; `Ok(None)` if it is not of this form.
    pub fn read(&self, text: &[u8], clock: Clock<'_>) -> Result<Option<When>> {
        match self {
            TimeForm::Clf => match clf(text) {
                Some((local, Some(offset), length)) if length == text.len() => {
                    let micros = local.and_utc().timestamp_micros() - offset * 1_000_000;
                    clock.in_range(micros, || String::from_utf8_lossy(text).into_owned()).map(|at| Some(When::At(at)))
                }
                Some((local, None, length)) if length == text.len() => clock.local(local).map(Some),
                _ => Ok(None),
            },
            TimeForm::Either if clf(text).is_some() => TimeForm::Clf.read(text, clock),
            TimeForm::Written | TimeForm::Either => clock.read(&String::from_utf8_lossy(text)).map(Some),
            TimeForm::Pattern(pattern) => {
                let shown = String::from_utf8_lossy(text);
                if let Ok(time) = DateTime::parse_from_str(&shown, pattern) {
                    let micros = time.timestamp_micros();
                    return clock.in_range(micros, || shown.into_owned()).map(|at| Some(When::At(at)));
                }
                match NaiveDateTime::parse_from_str(&shown, pattern) {
                    Ok(local) => clock.local(local).map(Some),
                    Err(_) => Ok(None),
                }
            }
        }
    }
}

/// The UTF-8 text with which bytes begin.
fn beginning(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}
