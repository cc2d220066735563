//! Amounts of money: exact decimals, never by way of a float that was not one.

use datafusion::arrow::datatypes::Decimal128Type;
use datafusion::arrow::datatypes::DecimalType;
use nines_store::MONEY;

/// What a column of money holds.
pub(crate) const AMOUNT: &str = "an amount like 1234.50, of at most 18 digits before the point and 6 after it";

/// Significant digits up to which every decimal survives a 64-bit float.
const FLOAT_DIGITS: usize = 15;

/// The amount that a text denotes, in millionths.
pub fn parse(text: &str) -> Option<i128> {
    let text = text.trim_ascii();
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let places = MONEY.1 as usize;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && digits != ".";
    if !is_number || digits.is_empty() || fraction.contains('.') {
        return None;
    }
    // A decimal of more places may come with zeros in them.
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places {
        return None;
    }
    let amount: i128 = format!("{whole}{fraction:0<places$}").parse().ok()?;
    in_range(if negative { -amount } else { amount })
}

/// The amount that a whole number is.
pub(crate) fn from_integer(number: i64) -> Option<i128> {
    in_range(i128::from(number) * 10_i128.pow(MONEY.1 as u32))
}

/// The amount that a float prints as. Of a longer decimal than a float keeps apart from its neighbours nobody knows
/// what was written, so it is none; digits that the float lost altogether cannot be seen here.
pub fn from_float(number: f64) -> Option<i128> {
    let text = number.to_string();
    let digits = text.trim_matches(|c: char| !c.is_ascii_digit() || c == '0').bytes().filter(u8::is_ascii_digit);
    if digits.count() > FLOAT_DIGITS { None } else { parse(&text) }
}

fn in_range(amount: i128) -> Option<i128> {
    Decimal128Type::is_valid_decimal_precision(amount, MONEY.0).then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for (text, amount) in [
            ("1234.50", Some(1_234_500_000)),
            (" 0 ", Some(0)),
            (".5", Some(500_000)),
            ("5.", Some(5_000_000)),
            ("-0.000001", Some(-1)),
            ("+12", Some(12_000_000)),
            ("999999999999999999.999999", Some(999_999_999_999_999_999_999_999)),
            ("1000000000000000000", None),
            ("0.0000001", None),
            ("1.50000000", Some(1_500_000)),
            ("", None),
            (".", None),
            ("-", None),
            ("--1", None),
            ("+-1", None),
            ("1.2.3", None),
            ("1,234.50", None),
            ("1e3", None),
            ("NaN", None),
            ("€5", None),
            ("99999999999999999999999999999999999999999999", None),
        ] {
            assert_eq!(parse(text), amount, "{text:?}");
        }
        assert_eq!(from_integer(i64::MIN), None);
        assert_eq!(from_integer(-7), Some(-7_000_000));
    }

    #[test]
    fn a_float_is_the_decimal_it_prints_as_if_that_is_certain() {
        for (number, amount) in [
            (1234.5, Some(1_234_500_000)),
            (0.1, Some(100_000)),
            (1e9, Some(1_000_000_000_000_000)),
            (123_456_789.123_456, Some(123_456_789_123_456)),
            (0.1 + 0.2, None),
            (1e-7, None),
            (f64::from(0.1_f32), None),
            (12_345_678_901_234.123, None),
            (1e300, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            assert_eq!(from_float(number), amount, "{number}");
        }
    }
}
