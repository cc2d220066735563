//! How values look to a person: the one place where numbers, times and durations become text on a page.

use chrono_tz::Tz;
use nines_engine::datafusion::arrow::array::{Array, AsArray};
use nines_engine::datafusion::arrow::datatypes::{DataType, Decimal128Type};
use nines_engine::datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::columns::{self, Kind};
use crate::moment;
use crate::unit::Unit;

/// A number in its measure.
pub fn number(value: f64, unit: &Unit) -> String {
    match unit {
        _ if !value.is_finite() => if value.is_nan() { "not a number" } else { "infinite" }.to_string(),
        Unit::Percent => percent(value),
        Unit::Duration(each) => duration(value * each),
        Unit::Suffix(suffix) => format!("{} {suffix}", plain(value)),
        Unit::None | Unit::Guess => plain(value),
    }
}

/// Six significant digits, grouped from five digits before the point on.
pub(crate) fn plain(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e15).contains(&size) {
        return format!("{value:.3e}");
    }
    let magnitude = if size == 0.0 { 0 } else { size.log10().floor() as i32 };
    let text = format!("{value:.*}", usize::try_from(5 - magnitude).unwrap_or(0).min(9));
    grouped(&trimmed(&text))
}

/// Without the zeros at the end of a fraction.
fn trimmed(text: &str) -> String {
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if text == "-0" { "0".to_string() } else { text.to_string() }
}

/// Commas between thousands, of numbers that a year is none of.
pub(crate) fn grouped(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
    if whole.len() < 5 || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return text.to_string();
    }
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// A count, with commas from a thousand on.
pub(crate) fn grouped_always(count: usize) -> String {
    let digits = count.to_string();
    if digits.len() == 4 { format!("{},{}", &digits[..1], &digits[1..]) } else { grouped(&digits) }
}

/// A share of 1 in percent: three digits behind the point, and as many more as it takes not to call 100 what is less.
fn percent(share: f64) -> String {
    let value = share * 100.0;
    let digits = (3..=9).find(|digits| {
        let rounded: f64 = format!("{value:.digits$}").parse().unwrap_or(value);
        (rounded == 100.0) == (share == 1.0) && (rounded == 0.0) == (share == 0.0)
    });
    format!("{} %", trimmed(&format!("{value:.*}", digits.unwrap_or(9))))
}

/// A duration in the two units that say most: `1 d 4 h`, `12 min 30 s`, `45 s`, `275 ms`.
pub fn duration(seconds: f64) -> String {
    let size = seconds.abs();
    let sign = if seconds < 0.0 { "-" } else { "" };
    if size == 0.0 {
        return "0 s".to_string();
    }
    if size < 0.9995 {
        return format!("{sign}{} ms", plain((size * 1e6).round() / 1e3));
    }
    if size < 59.95 {
        return format!("{sign}{} s", trimmed(&format!("{size:.1}")));
    }
    if size >= 1e12 {
        return format!("{sign}{} d", plain(size / 86_400.0));
    }
    const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    // Rounded in the smaller unit first, lest there be 60 minutes.
    let smaller = if size < 3570.0 {
        1
    } else if size < 84_600.0 {
        60
    } else {
        3600
    };
    let smaller = if size >= 100.0 * 86_400.0 { 86_400 } else { smaller };
    let whole = (size / smaller as f64).round() as i64 * smaller;
    let Some(at) = UNITS.iter().position(|(_, each)| whole >= *each) else { return format!("{sign}{whole} s") };
    let (name, each) = UNITS[at];
    let mut out = format!("{sign}{} {name}", grouped(&(whole / each).to_string()));
    if let Some((name, next)) = UNITS.get(at + 1)
        && whole % each / next > 0
    {
        out += &format!(" {} {name}", whole % each / next);
    }
    out
}

/// `a, b and 3 more`.
pub(crate) fn names<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let count = names.len();
    let told = names.take(5).collect::<Vec<_>>().join(", ");
    if count > 5 { format!("{told} and {} more", count - 5) } else { told }
}

/// An instant as the zone's clocks show it: a date alone for midnight, seconds only where there are some.
pub fn instant(micros: i64, zone: Tz) -> String {
    let Some(time) = moment::local(micros, zone) else { return micros.to_string() };
    let format = match micros {
        _ if micros % 1_000_000 != 0 => "%Y-%m-%d %H:%M:%S%.3f",
        _ if micros % 60_000_000 != 0 => "%Y-%m-%d %H:%M:%S",
        _ if time.time() == chrono::NaiveTime::MIN => "%Y-%m-%d",
        _ => "%Y-%m-%d %H:%M",
    };
    time.format(format).to_string()
}

/// An interval, its end without the date where that is the same.
pub(crate) fn interval(from: i64, to: i64, zone: Tz) -> String {
    let length = duration((to - from) as f64 / 1e6);
    let (Some(begin), Some(end)) = (moment::local(from, zone), moment::local(to, zone)) else { return length };
    let begin_text = begin.format("%Y-%m-%d %H:%M");
    match begin.date_naive() == end.date_naive() {
        true => format!("{begin_text} – {} ({length})", end.format("%H:%M")),
        false => format!("{begin_text} – {} ({length})", end.format("%Y-%m-%d %H:%M")),
    }
}

/// Text that a terminal shows and does not obey: names come out of logs that anybody can write into. Line breaks and tabs
/// stay; what else is no letter becomes its picture, and so does what turns the direction of text or is not seen at all.
pub fn printable(text: &str) -> String {
    text.chars().map(picture).collect()
}

/// As [`printable`], for text that was drawn here and may have colours.
pub fn printable_drawn(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.extend(rest[..at].chars().map(picture));
        let end = rest[at..].find(|c: char| !matches!(c, '\u{1b}' | '[' | ';' | '0'..='9')).map(|end| at + end);
        match end.filter(|end| rest[at..].starts_with("\u{1b}[") && rest[*end..].starts_with('m')) {
            Some(end) if !rest[at + 1..end].contains('\u{1b}') => {
                out.push_str(&rest[at..=end]);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push(picture('\u{1b}'));
                rest = &rest[at + 1..];
            }
        }
    }
    out.extend(rest.chars().map(picture));
    out
}

/// A character as it is shown. What joins letters in some scripts (U+200C, U+200D) stays.
fn picture(c: char) -> char {
    match u32::from(c) {
        0x0a | 0x09 => c,
        0x7f => '␡',
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x80..0xa0 => char::REPLACEMENT_CHARACTER,
        // Marks, embeddings, overrides and isolates of direction.
        0x061c | 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x206f => char::REPLACEMENT_CHARACTER,
        // Breaks of lines that are none, and what has no width.
        0x200b | 0x2028 | 0x2029 | 0x2060..=0x2064 | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f => {
            char::REPLACEMENT_CHARACTER
        }
        _ => c,
    }
}

/// What stands for NULL.
pub(crate) const NULL: &str = "–";

/// How many items of a list are told.
const ITEMS: usize = 3;

/// The value in a row, `None` for NULL.
pub fn value(array: &dyn Array, row: usize, unit: &Unit, zone: Tz) -> Option<String> {
    if array.is_null(row) || array.data_type().is_null() {
        return None;
    }
    told(array, row, unit, zone).map(|text| printable(&text))
}

fn told(array: &dyn Array, row: usize, unit: &Unit, zone: Tz) -> Option<String> {
    let one = || array.slice(row, 1);
    Some(match columns::kind(array.data_type()) {
        Kind::Number => match array.data_type() {
            DataType::Decimal128(_, scale) if matches!(unit, Unit::None | Unit::Guess | Unit::Suffix(_)) => {
                let exact = decimal(array.as_primitive::<Decimal128Type>().value(row), *scale);
                match unit {
                    Unit::Suffix(suffix) => format!("{exact} {suffix}"),
                    Unit::None | Unit::Guess | Unit::Percent | Unit::Duration(_) => exact,
                }
            }
            data_type if data_type.is_integer() && matches!(unit, Unit::None | Unit::Guess) => {
                grouped(&any(array, row))
            }
            _ => {
                columns::numbers(&one()).first().copied().flatten().map_or_else(|| any(array, row), |x| number(x, unit))
            }
        },
        Kind::Time => instant(columns::instants(&one(), zone).first().copied().flatten()?, zone),
        Kind::Timeline => match columns::timelines(&one(), zone).pop().flatten() {
            Some(timeline) => {
                let errors = timeline.seconds_in(nines_timeline::State::Error);
                let span = moment::range_text((timeline.from, timeline.to), zone);
                match errors == 0.0 {
                    true => format!("no error, {span}"),
                    false => format!("{} in error, {span}", duration(errors)),
                }
            }
            None => return None,
        },
        Kind::List => {
            let items = match array.data_type() {
                DataType::List(_) => array.as_list::<i32>().value(row),
                DataType::LargeList(_) => array.as_list::<i64>().value(row),
                _ => return Some(any(array, row)),
            };
            let shown = (0..items.len().min(ITEMS)).map(|at| value(&items, at, unit, zone).unwrap_or_default());
            let mut out = shown.collect::<Vec<_>>().join("; ");
            if items.len() > ITEMS {
                out += &format!("; … {} more", grouped(&(items.len() - ITEMS).to_string()));
            }
            out
        }
        Kind::Struct => structure(array, row, unit, zone),
        Kind::Text | Kind::Bool | Kind::Other => any(array, row),
    })
}

/// An interval with what else it says, such as who was in error, or all fields by name.
fn structure(array: &dyn Array, row: usize, unit: &Unit, zone: Tz) -> String {
    let fields = array.as_struct();
    let at = |name: &str| {
        let column = fields.column_by_name(name).filter(|column| columns::kind(column.data_type()) == Kind::Time)?;
        columns::instants(&column.slice(row, 1), zone).first().copied().flatten()
    };
    let span = at("started").zip(at("ended"));
    let rest = fields.column_names().into_iter().zip(fields.columns());
    let rest = rest.filter(|(name, _)| span.is_none() || !matches!(*name, "started" | "ended"));
    let told = rest.filter_map(|(name, column)| {
        let text = match columns::kind(column.data_type()) {
            Kind::List => value(column, row, unit, zone)?.replace("; ", ", "),
            Kind::Number | Kind::Time | Kind::Text | Kind::Bool | Kind::Timeline | Kind::Struct | Kind::Other => {
                value(column, row, unit, zone)?
            }
        };
        Some(if span.is_some() { text } else { format!("{name}: {text}") })
    });
    let told = told.collect::<Vec<_>>().join(", ");
    match span {
        Some((from, to)) if told.is_empty() => interval(from, to, zone),
        Some((from, to)) => format!("{} {told}", interval(from, to, zone)),
        None => told,
    }
}

fn any(array: &dyn Array, row: usize) -> String {
    let options = FormatOptions::default();
    ArrayFormatter::try_new(array, &options).map(|formatter| formatter.value(row).to_string()).unwrap_or_default()
}

/// A decimal to its last digit.
fn decimal(mantissa: i128, scale: i8) -> String {
    let Some(scale) = usize::try_from(scale).ok().filter(|scale| *scale > 0) else {
        return grouped(&format!("{mantissa}{}", "0".repeat(usize::from(scale.unsigned_abs()))));
    };
    let digits = format!("{:0>1$}", mantissa.unsigned_abs(), scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if mantissa < 0 { "-" } else { "" };
    grouped(&format!("{sign}{whole}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_for_the_eye() {
        for (value, expected) in [
            (0.1 + 0.2, "0.3"),
            (0.0, "0"),
            (-0.0, "0"),
            (2026.0, "2026"),
            (12345.678, "12,345.7"),
            (-1234567.0, "-1,234,567"),
            (0.000123456789, "0.000123457"),
            (1.5e20, "1.500e20"),
        ] {
            assert_eq!(plain(value), expected);
        }
    }

    #[test]
    fn less_than_all_is_never_called_all() {
        for (share, expected) in [
            (0.999, "99.9 %"),
            (1.0, "100 %"),
            (0.9999999, "99.99999 %"),
            (0.99987, "99.987 %"),
            (0.0, "0 %"),
            (-0.25, "-25 %"),
            (1e-7, "0.00001 %"),
        ] {
            assert_eq!(percent(share), expected);
        }
    }

    #[test]
    fn durations_are_told_in_two_units() {
        for (seconds, expected) in [
            (0.0, "0 s"),
            (0.275, "275 ms"),
            (0.0001234, "0.123 ms"),
            (1.25, "1.2 s"),
            (59.96, "1 min"),
            (60.0, "1 min"),
            (90.0, "1 min 30 s"),
            (3599.0, "1 h"),
            (4320.0, "1 h 12 min"),
            (86_400.0, "1 d"),
            (100_800.0, "1 d 4 h"),
            (-120.0, "-2 min"),
            (31_536_000.0, "365 d"),
            (86_399.0, "1 d"),
        ] {
            assert_eq!(duration(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_as_a_picture() {
        let text = "a\x1b[31m\r\n\tb\x7f\u{9b}c 业务";
        assert_eq!(printable(text), "a␛[31m␍\n\tb␡\u{fffd}c 业务");
        let turned = "a\u{202e}b\u{2066}c\u{200f}d\u{feff}e\u{2028}f";
        assert_eq!(printable(turned), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f");
        // Of what joins letters, and of pictures made of several, nothing is lost.
        for whole in ["می\u{200c}خواهم", "👩\u{200d}🔧", "नमस्\u{200d}ते", "עברית"] {
            assert_eq!(printable(whole), whole);
        }
        assert_eq!(printable_drawn("\x1b[1;31mred\x1b[0m \x1b[2J\x1b]0;x\x07\x1b"), "\x1b[1;31mred\x1b[0m ␛[2J␛]0;x␇␛");
        assert_eq!(printable_drawn("\x1b[\x1b[1m业\u{202e}"), "␛[\x1b[1m业\u{fffd}");
        let array = nines_engine::datafusion::arrow::array::StringArray::from(vec![text]);
        assert_eq!(value(&array, 0, &Unit::None, Tz::UTC), Some(printable(text)));
    }

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(decimal(9990, 4), "0.9990");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(123_456_789, 2), "1,234,567.89");
    }
}
