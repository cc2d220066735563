//! How a log writes the time of a line.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::Result;
use crate::time::{Clock, When, digits};

/// How times are written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TimeForm {
    /// `10/Oct/2000:13:55:36 -0700`, perhaps with a fraction, perhaps without an offset.
    Clf,
    /// As in any file: `2026-10-01T12:00:00+02:00`, or a number since 1970.
    Written,
    /// By a pattern of `strftime`.
    Pattern(String),
}

/// Bytes of `10/Oct/2000:13:55:36`.
const CLF: usize = 20;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

impl TimeForm {
    /// Whether a time ends where it ends, whatever stands behind it.
    pub fn ends_itself(&self) -> bool {
        match self {
            TimeForm::Clf | TimeForm::Pattern(_) => true,
            TimeForm::Written => false,
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
            TimeForm::Written => Some(text.len()),
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
            TimeForm::Written => clock.read(&String::from_utf8_lossy(text)).map(Some),
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

/// The clock's time, its offset in seconds and how many bytes both are.
fn clf(text: &[u8]) -> Option<(NaiveDateTime, Option<i64>, usize)> {
    let head = text.get(..CLF)?;
    if (head[2], head[6], head[11], head[14], head[17]) != (b'/', b'/', b':', b':', b':') {
        return None;
    }
    let month = MONTHS.iter().position(|month| *month == &head[3..6])? as u32 + 1;
    let date = NaiveDate::from_ymd_opt(digits(&head[7..11])? as i32, month, digits(&head[..2])?)?;
    // A leap second stays in the minute that it ends.
    let second = digits(&head[18..])?.min(if digits(&head[18..])? == 60 { 59 } else { u32::MAX });
    let mut length = CLF;
    let mut micros = 0;
    if let Some(b'.') = text.get(length) {
        let fraction = &text[length + 1..];
        let end = fraction.iter().position(|b| !b.is_ascii_digit()).unwrap_or(fraction.len());
        let kept = &fraction[..end.min(6)];
        micros = digits(kept)? * 10u32.pow(6 - kept.len() as u32);
        length += 1 + end;
    }
    let local = date.and_hms_micro_opt(digits(&head[12..14])?, digits(&head[15..17])?, second, micros)?;
    let offset = match text.get(length..length + 6) {
        Some([b' ', sign @ (b'+' | b'-'), offset @ ..]) => {
            let (hours, minutes) = (digits(&offset[..2])?, digits(&offset[2..])?);
            let seconds = i64::from(hours * 3600 + minutes * 60);
            (hours < 24 && minutes < 60).then_some(if *sign == b'+' { seconds } else { -seconds })
        }
        _ => None,
    };
    Some((local, offset, if offset.is_some() { length + 6 } else { length }))
}
