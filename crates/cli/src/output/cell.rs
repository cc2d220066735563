//! Values as text for people: times in the session's zone, floats rounded, timelines and intervals in short.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, DurationMicrosecondType, Float64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use nines_functions::{TimelineReader, is_timeline};
use nines_notebook::format::printable;
use nines_timeline::{MICROS, State};

/// Items of a list that are shown before "+N more".
const SHOWN: usize = 4;

/// The text of every row of a column.
pub(crate) fn texts(column: &ArrayRef, time_zone: &str) -> Result<Vec<String>> {
    (0..column.len()).map(|row| text(column, row, time_zone)).collect()
}

/// Whether a column's values line up at the right.
pub(crate) fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// The text of one value.
pub(crate) fn text(column: &ArrayRef, row: usize, time_zone: &str) -> Result<String> {
    if column.is_null(row) {
        return Ok("NULL".to_string());
    }
    match column.data_type() {
        DataType::Float64 => Ok(float(column.as_primitive::<Float64Type>().value(row))),
        DataType::Timestamp(_, Some(_)) => {
            let micros = cast(&column.slice(row, 1), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
            Ok(instant(micros.as_primitive::<TimestampMicrosecondType>().value(0), time_zone))
        }
        DataType::Decimal128(..) => {
            let shown = ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default())?.value(row).to_string();
            Ok(decimal(&shown))
        }
        DataType::Duration(_) => {
            let micros = cast(&column.slice(row, 1), &DataType::Duration(TimeUnit::Microsecond))?;
            let micros = micros.as_primitive::<DurationMicrosecondType>().value(0);
            match micros.unsigned_abs() < MICROS as u64 {
                true => Ok(format!("{}s", micros as f64 / MICROS as f64)),
                false => Ok(duration(micros as f64 / MICROS as f64)),
            }
        }
        data_type if is_timeline(data_type) => timeline(column, row, time_zone),
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            let shown = (0..items.len().min(SHOWN)).map(|item| text(&items, item, time_zone));
            let mut shown = shown.collect::<Result<Vec<_>>>()?.join(", ");
            if items.len() > SHOWN {
                shown.push_str(&format!(", +{} more", items.len() - SHOWN));
            }
            Ok(format!("[{shown}]"))
        }
        DataType::Struct(fields)
            if fields.len() >= 2 && fields[0].name() == "started" && fields[1].name() == "ended" =>
        {
            interval(column, row, time_zone)
        }
        DataType::Struct(fields) => {
            let fields = fields.iter().zip(column.as_struct().columns());
            let fields = fields
                .map(|(field, value)| Ok(format!("{}: {}", printable(field.name()), text(value, row, time_zone)?)));
            Ok(format!("{{{}}}", fields.collect::<Result<Vec<_>>>()?.join(", ")))
        }
        _ => {
            let options = FormatOptions::default();
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
            Ok(printable(&formatter.value(row).to_string()))
        }
    }
}

/// A decimal without needless zeros, but with two places: an amount of money, a percent.
fn decimal(text: &str) -> String {
    const PLACES: usize = 2;
    match text.split_once('.') {
        Some((whole, places)) => {
            let kept = places.trim_end_matches('0').len().max(PLACES.min(places.len()));
            format!("{whole}.{}", &places[..kept])
        }
        None => text.to_string(),
    }
}

/// `2026-10-03 04:05 +3m`, then the other fields.
fn interval(column: &ArrayRef, row: usize, time_zone: &str) -> Result<String> {
    let fields = column.as_struct();
    let micros = |at: usize| -> Result<Option<i64>> {
        let instants = cast(fields.column(at), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
        let instants = instants.as_primitive::<TimestampMicrosecondType>();
        Ok(instants.is_valid(row).then(|| instants.value(row)))
    };
    let mut parts = match (micros(0)?, micros(1)?) {
        (Some(started), Some(ended)) => {
            vec![format!("{} +{}", short(started, time_zone), duration((ended - started) as f64 / MICROS as f64))]
        }
        (Some(started), None) => vec![format!("{} open", short(started, time_zone))],
        _ => vec!["NULL".to_string()],
    };
    for column in &fields.columns()[2..] {
        parts.push(text(column, row, time_zone)?.trim_matches(['[', ']']).to_string());
    }
    Ok(parts.join(" "))
}

/// Span, slice width, and how much of it was not ok.
fn timeline(column: &ArrayRef, row: usize, time_zone: &str) -> Result<String> {
    let Some(timeline) = TimelineReader::new(column)?.value(row)? else { return Ok("NULL".to_string()) };
    let mut parts = Vec::new();
    for (state, name) in [(State::Error, "error"), (State::NoData, "no data"), (State::Excluded, "excluded")] {
        let runs = timeline.intervals(state).count();
        if runs > 0 {
            let seconds = timeline.duration_in(state) as f64 / MICROS as f64;
            let runs = if runs == 1 { String::new() } else { format!(" in {runs} runs") };
            parts.push(format!("{name} {}{runs}", duration(seconds)));
        }
    }
    let states = if parts.is_empty() { "all ok".to_string() } else { parts.join(", ") };
    let width = duration((timeline.slice() / MICROS) as f64);
    let (start, end) = (short(timeline.start(), time_zone), short(timeline.end(), time_zone));
    Ok(format!("{start} to {end} by {width}: {states}"))
}

/// Seven significant digits or so, but never rounded to a whole number that it is not: 0.99999999 is not 1.
fn float(value: f64) -> String {
    let magnitude = value.abs();
    if !(1e-9..1e15).contains(&magnitude) || value == value.trunc() {
        return format!("{value}");
    }
    let places = match magnitude {
        ..1e-4 => (6.0 - magnitude.log10().floor()) as usize,
        ..10.0 => 6,
        _ => 3,
    };
    let rounded = format!("{value:.places$}");
    let trimmed = rounded.trim_end_matches('0').trim_end_matches('.');
    if trimmed.contains('.') { trimmed.to_string() } else { format!("{value}") }
}

/// An instant in the zone, as RFC 3339 without a T: `2026-10-03 04:05:00+08:00`, `…Z` in UTC.
pub(crate) fn instant(micros: i64, time_zone: &str) -> String {
    let format = match (micros.rem_euclid(MICROS), micros.rem_euclid(1000)) {
        (0, _) => "%Y-%m-%d %H:%M:%S",
        (_, 0) => "%Y-%m-%d %H:%M:%S%.3f",
        _ => "%Y-%m-%d %H:%M:%S%.6f",
    };
    in_zone(micros, time_zone, format, true)
}

/// Minutes where they suffice, and no offset: the reader knows the zone.
fn short(micros: i64, time_zone: &str) -> String {
    let minutes = micros.rem_euclid(60 * MICROS) == 0;
    in_zone(micros, time_zone, if minutes { "%Y-%m-%d %H:%M" } else { "%Y-%m-%d %H:%M:%S" }, false)
}

fn in_zone(micros: i64, time_zone: &str, format: &str, offset: bool) -> String {
    let Some(time) = chrono::DateTime::from_timestamp_micros(micros) else { return micros.to_string() };
    let zone = time_zone.parse().unwrap_or(chrono_tz::UTC);
    let suffix = match (offset, zone) {
        (false, _) => "",
        (true, chrono_tz::UTC) => "Z",
        (true, _) => "%:z",
    };
    time.with_timezone(&zone).format(&format!("{format}{suffix}")).to_string()
}

/// Seconds as people say them: `45s`, `12m`, `3h05m`, `2d04h`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as i64;
    let two = |(first, its): (i64, &str), second: (i64, &str)| match second {
        (0, _) => format!("{first}{its}"),
        (count, unit) => format!("{first}{its}{count:02}{unit}"),
    };
    match whole {
        ..0 => format!("-{}", duration(-seconds)),
        0..60 => format!("{whole}s"),
        60..3600 => two((whole / 60, "m"), (whole % 60, "s")),
        3600..86_400 => two((whole / 3600, "h"), (whole % 3600 / 60, "m")),
        _ => two((whole / 86_400, "d"), (whole % 86_400 / 3600, "h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_rounded_but_never_to_a_whole_number() {
        let cases = [
            (0.5, "0.5"),
            (0.999_995_4, "0.999995"),
            (1.0, "1"),
            (0.999_999_99, "0.99999999"),
            (43_215.123_456, "43215.123"),
            (-0.000_096_887_800_601_574_98, "-0.0000968878"),
            (0.000_001_234_567_89, "0.000001234568"),
        ];
        for (value, expected) in cases {
            assert_eq!(float(value), expected);
        }
        assert_eq!(float(0.000_012_5), "0.0000125");
    }

    #[test]
    fn a_terminal_obeys_no_value() {
        use datafusion::arrow::array::StringArray;
        let texts: ArrayRef = std::sync::Arc::new(StringArray::from(vec!["/\x1b]0;x\x07\r业务"]));
        assert_eq!(text(&texts, 0, "UTC").unwrap(), "/␛]0;x␇␍业务");
    }

    #[test]
    fn durations_as_people_say_them() {
        let cases = [
            (45.0, "45s"),
            (720.0, "12m"),
            (75.0, "1m15s"),
            (7_200.0, "2h"),
            (11_100.0, "3h05m"),
            (187_200.0, "2d04h"),
            (-60.0, "-1m"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn instants_are_told_in_the_zone() {
        assert_eq!(instant(1_790_000_000_000_000, "UTC"), "2026-09-21 14:13:20Z");
        assert_eq!(instant(1_790_000_000_000_000, "Asia/Shanghai"), "2026-09-21 22:13:20+08:00");
    }
}
