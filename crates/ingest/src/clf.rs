//! Times of the common log format: `10/Oct/2000:13:55:36 -0700`, perhaps with a fraction, perhaps without an offset.

use chrono::{NaiveDate, NaiveDateTime};

use crate::time::digits;

/// Bytes of `10/Oct/2000:13:55:36`.
const CLF: usize = 20;

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// The clock's time, its offset in seconds and how many bytes both are.
pub(crate) fn clf(text: &[u8]) -> Option<(NaiveDateTime, Option<i64>, usize)> {
    let head = text.get(..CLF)?;
    if (head[2], head[6], head[11], head[14], head[17]) != (b'/', b'/', b':', b':', b':') {
        return None;
    }
    let month = MONTHS.iter().position(|month| *month == &head[3..6])? as u32 + 1;
    let date = NaiveDate::from_ymd_opt(digits(&head[7..11])? as i32, month, digits(&head[..2])?)?;
    // A leap second stays in the minute that it ends.
    let second = digits(&head[18..])?;
    let second = if second == 60 { 59 } else { second };
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
