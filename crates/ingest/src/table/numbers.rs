//! Whether the numbers of a column can be a type of numbers without losing anything.
//!
//! A whole number is one that prints back as it is written: `007` and `+7` are text, since `7` is another text. A
//! fraction is a double if the double prints as the same number, else a decimal of up to 38 digits.

use super::shape::Shape;

/// Digits that every double keeps.
const DIGITS_OF_DOUBLE: usize = 15;
/// Powers of ten well inside a double's range.
const EXPONENT_OF_DOUBLE: i64 = 250;
const DIGITS_OF_DECIMAL: usize = 38;

/// What all numbers of a column have needed so far.
#[derive(Debug, Default, Clone)]
pub(super) struct Numbers {
    pub is_any: bool,
    /// Some have a decimal point or an exponent, or are −0.
    has_fraction: bool,
    has_exponent: bool,
    /// Some are NaN or infinite.
    has_special: bool,
    /// Some are whole and do not fit 64 bits.
    has_wide: bool,
    /// Some are more exact than a double.
    has_lossy: bool,
    /// Most digits before the point.
    whole: usize,
    /// Most digits after it.
    scale: usize,
}

impl Numbers {
    /// Takes in a text if it is a number.
    pub fn add(&mut self, text: &str) -> bool {
        // Most numbers are short, positive and whole.
        let is_short = (1..=DIGITS_OF_DOUBLE).contains(&text.len()) && is_digits(text);
        if is_short && (text.len() == 1 || !text.starts_with('0')) {
            self.is_any = true;
            self.whole = self.whole.max(text.len());
            return true;
        }
        let Some(number) = Number::of(text) else { return false };
        self.is_any = true;
        let is_negative_zero = number.is_negative && number.significant == 0;
        if number.scale.is_some() || number.exponent.is_some() || is_negative_zero {
            self.has_fraction = true;
        } else if text.len() > 18 && text.parse::<i64>().is_err() {
            self.has_wide = true;
        }
        self.has_exponent |= number.exponent.is_some();
        self.whole = self.whole.max(number.whole);
        self.scale = self.scale.max(number.scale.unwrap_or_default());
        if number.significant > DIGITS_OF_DOUBLE || number.exponent.is_some_and(|e| e.abs() > EXPONENT_OF_DOUBLE) {
            self.has_lossy = self.has_lossy || !is_exact(text);
        }
        true
    }

    /// Takes in a text if it is how programs print what is no number among numbers.
    pub fn add_special(&mut self, text: &str) -> bool {
        let name = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_special = ["nan", "inf", "infinity"].into_iter().any(|special| name.eq_ignore_ascii_case(special));
        self.has_special |= is_special;
        is_special
    }

    pub fn is_special(&self) -> bool {
        self.has_special
    }

    /// The type that holds all of them as they are.
    pub fn shape(&self) -> Shape {
        let digits = self.whole + self.scale;
        if !self.is_any {
            Shape::Text
        } else if !self.has_fraction && !self.has_special && !self.has_wide {
            Shape::Integer
        } else if !self.has_lossy && (self.has_fraction || self.has_special) {
            Shape::Double
        } else if !self.has_exponent && !self.has_special && digits <= DIGITS_OF_DECIMAL {
            Shape::Decimal { precision: digits.max(1) as u8, scale: self.scale as i8 }
        } else {
            Shape::Text
        }
    }
}

/// A number as it is written.
struct Number {
    is_negative: bool,
    /// Digits before the point.
    whole: usize,
    /// Digits after the point, if there is one.
    scale: Option<usize>,
    exponent: Option<i64>,
    /// Digits from the first to the last that is not zero.
    significant: usize,
}

impl Number {
    /// `12`, `-1.50`, `.5`, `1e-7`; not `007`, `+1`, `1,5` or `0x1f`.
    fn of(text: &str) -> Option<Number> {
        let is_negative = text.starts_with('-');
        let rest = &text[usize::from(is_negative)..];
        if !rest.as_bytes().first().is_some_and(|first| first.is_ascii_digit() || *first == b'.') {
            return None;
        }
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => {
                let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
                let is_number = !digits.is_empty() && digits.len() <= 6 && is_digits(digits);
                (mantissa, Some(is_number.then(|| exponent.parse().ok()).flatten()?))
            }
            None => (rest, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let after = fraction.unwrap_or_default();
        if !is_digits(whole) || !is_digits(after) || whole.len() + after.len() == 0 {
            return None;
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        let zeros_before = match whole.trim_start_matches('0') {
            "" => whole.len() + after.len() - after.trim_start_matches('0').len(),
            kept => whole.len() - kept.len(),
        };
        let zeros_after = match after.trim_end_matches('0') {
            "" => after.len() + whole.len() - whole.trim_end_matches('0').len(),
            kept => after.len() - kept.len(),
        };
        let significant = (whole.len() + after.len()).saturating_sub(zeros_before + zeros_after);
        Some(Number { is_negative, whole: whole.len(), scale: fraction.map(str::len), exponent, significant })
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the nearest double prints as the same number.
fn is_exact(text: &str) -> bool {
    let Ok(double) = text.parse::<f64>() else { return false };
    double.is_finite() && normal(text) == normal(&format!("{double:e}"))
}

/// The digits without zeros at either end, and the power of ten of the last one.
fn normal(text: &str) -> (String, i64) {
    let text = text.trim_start_matches('-');
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    let exponent = exponent.parse::<i64>().unwrap_or_default();
    let exponent = exponent - fraction.len() as i64 + (digits.len() - kept.len()) as i64;
    let kept = kept.trim_start_matches('0');
    if kept.is_empty() { (String::new(), 0) } else { (kept.to_string(), exponent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(texts: &[&str]) -> Shape {
        let mut numbers = Numbers::default();
        for text in texts {
            assert!(numbers.add(text) || numbers.add_special(text), "{text}");
        }
        numbers.shape()
    }

    fn decimal(precision: u8, scale: i8) -> Shape {
        Shape::Decimal { precision, scale }
    }

    #[test]
    fn the_narrowest_type_that_loses_nothing() {
        for (texts, expected) in [
            (&["0", "-12", "9223372036854775807", "-9223372036854775808"][..], Shape::Integer),
            (&["1", "9223372036854775808"], decimal(19, 0)),
            (&["123456789012345678901234567890"], decimal(30, 0)),
            (&["1", "0.5", "-2.50", ".5", "3.", "1e-7", "-0"], Shape::Double),
            (&["-0"], Shape::Double),
            (&["0.30000000000000004", "123456789012345.67", "100000000000000000000.0"], Shape::Double),
            (&["99.123456789012345678", "100"], decimal(21, 18)),
            (&["0.5", "9007199254740993"], decimal(17, 1)),
            (&["1.5", "NaN", "-inf", "+Inf"], Shape::Double),
            (&["NaN"], Shape::Text),
            (&["1e400"], Shape::Text),
            (&["0.5", "123456789012345678901234567890123456789"], Shape::Text),
        ] {
            assert_eq!(shape(texts), expected, "{texts:?}");
        }
    }

    #[test]
    fn what_prints_otherwise_is_no_number() {
        for text in
            ["007", "00", "-01", "01.5", "+1", "1,5", "1_0", "0x1", "1e", "e5", "1e+", ".", "-", "", " 1", "12a"]
        {
            assert!(!Numbers::default().add(text), "{text}");
        }
        assert!(!Numbers::default().add_special("infinite"));
    }
}
